/* The floor: each system of cosim_models.py as a hand-written straight-line loop over function pointers, in the Jacobi
   scheme, all outputs recorded at each communication point. Nothing is looked up, checked or decided in the loop. */
#include <stdbool.h>
#include <stddef.h>

typedef int (*Get2)(void *, const unsigned *, size_t, double *);
typedef int (*Set2)(void *, const unsigned *, size_t, const double *);
typedef int (*Step2)(void *, double, double, int);
typedef int (*Get3)(void *, const unsigned *, size_t, double *, size_t);
typedef int (*Set3)(void *, const unsigned *, size_t, const double *, size_t);
typedef int (*Step3)(void *, double, double, bool, bool *, bool *, bool *, double *);

static const unsigned r1[] = {1}, r2[] = {2}, r12[] = {1, 2}, r23[] = {2, 3}, r3[] = {3};

typedef struct { void *get, *set, *step, *m; } Fmu;

#define GET2(f, r, n, p) ((Get2)(f).get)((f).m, r, n, p)
#define SET2(f, r, n, p) ((Set2)(f).set)((f).m, r, n, p)
#define STEP2(f) ((Step2)(f).step)((f).m, t, h, 1)
#define GET3(f, r, n, p) ((Get3)(f).get)((f).m, r, n, p, n)
#define SET3(f, r, n, p) ((Set3)(f).set)((f).m, r, n, p, n)
#define STEP3(f) ((Step3)(f).step)((f).m, t, h, true, &ev, &en, &ea, &la)

#define LIGHT(V) \
    double o[4]; \
    for (long k = 0; k <= n; k++) { \
        double t = k * h; \
        GET##V(f[0], r12, 2, o); GET##V(f[1], r2, 1, o + 2); GET##V(f[2], r2, 1, o + 3); \
        rec[0] = o[0]; rec[1] = o[1]; rec[2] = o[2]; rec[3] = o[3]; rec += 4; \
        if (k == n) break; \
        SET##V(f[1], r1, 1, o); SET##V(f[2], r1, 1, o + 2); \
        STEP##V(f[0]); STEP##V(f[1]); STEP##V(f[2]); \
    }

#define HEAVY(V) \
    double o[2]; \
    for (long k = 0; k <= n; k++) { \
        double t = k * h; \
        GET##V(f[0], r2, 1, o); GET##V(f[1], r2, 1, o + 1); \
        rec[0] = o[0]; rec[1] = o[1]; rec += 2; \
        if (k == n) break; \
        SET##V(f[1], r1, 1, o); \
        STEP##V(f[0]); STEP##V(f[1]); \
    }

void bare2(Fmu *f, long n, double h, double *rec) { LIGHT(2) }
void light2(Fmu *f, long n, double h, double *rec) { LIGHT(2) }
void light3(Fmu *f, long n, double h, double *rec) { bool ev, en, ea; double la; LIGHT(3) }
void heavy2(Fmu *f, long n, double h, double *rec) { HEAVY(2) }
void heavy3(Fmu *f, long n, double h, double *rec) { bool ev, en, ea; double la; HEAVY(3) }

void two2(Fmu *f, long n, double h, double *rec) {
    double o[3];
    for (long k = 0; k <= n; k++) {
        double t = k * h;
        GET2(f[0], r23, 2, o); GET2(f[1], r3, 1, o + 2);
        rec[0] = o[0]; rec[1] = o[1]; rec[2] = o[2]; rec += 3;
        if (k == n) break;
        SET2(f[0], r1, 1, o + 2); SET2(f[1], r12, 2, o);
        STEP2(f[0]); STEP2(f[1]);
    }
}
