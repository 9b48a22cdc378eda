/* Tiny FMUs to time a co-simulation loop with; FMI 3.0, or FMI 2.0 with -DFMI2. Values lie under their value references.
   Calls check the state of the instance and each value reference, as generated code does, unless -DBARE.
   MODEL=1 Oscillator  Van der Pol, explicit Euler, 10 internal steps: x0 (1), x1 (2), mu (3)
   MODEL=2 Gain        direct feed-through: u (1), y = k u (2), k (3)
   MODEL=3 Mass        f (1), x (2), v (3); 10 internal steps
   MODEL=4 Spring      x (1), v (2), f = -(k x + d v) (3), k (4)
   MODEL=5 Filter      u (1), y (2): 60 internal Euler steps of a lag, about 0.3 us
   FMI functions that are not here are made as stubs that return an error (cosim_models.py). */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct { double v[8]; double time; int state; bool dirty; } Model;

#ifdef BARE
#define INNER 1
#define CHECK(m)
#define KNOWN(vr)
#else
#define INNER 10
#define CHECK(m) if (!m || m->state < 1 || m->state > 4) return 3
#define KNOWN(vr) switch (vr) { case 1: case 2: case 3: case 4: break; default: return 3; }
#endif

static Model *make(void) {
    Model *m = calloc(1, sizeof *m);
    m->state = 1; m->dirty = true;
#if MODEL == 1
    m->v[1] = 2; m->v[3] = 1;
#elif MODEL == 2
    m->v[3] = 1.01;
#elif MODEL == 3
    m->v[2] = 1;
#elif MODEL == 4
    m->v[4] = 1;
#elif MODEL == 5
    m->v[1] = 1;
#endif
    return m;
}

static int get(Model *m, const unsigned *vr, size_t n, double *out) {
    CHECK(m);
#if MODEL == 2
    m->v[2] = m->v[3] * m->v[1];
#elif MODEL == 4
    m->v[3] = -(m->v[4] * m->v[1] + 0.1 * m->v[2]);
#endif
    for (size_t i = 0; i < n; i++) { KNOWN(vr[i]) out[i] = m->v[vr[i]]; }
    return 0;
}

static int set(Model *m, const unsigned *vr, size_t n, const double *in) {
    CHECK(m);
    for (size_t i = 0; i < n; i++) { KNOWN(vr[i]) m->v[vr[i]] = in[i]; }
    m->dirty = true;
    return 0;
}

static int step(Model *m, double t, double h) {
    CHECK(m);
    double *v = m->v, inner = h / INNER;
#if MODEL == 1
    for (int i = 0; i < INNER; i++) {
        double dx0 = v[2], dx1 = v[3] * (1 - v[1] * v[1]) * v[2] - v[1];
        v[1] += inner * dx0; v[2] += inner * dx1;
    }
#elif MODEL == 3
    for (int i = 0; i < INNER; i++) { v[2] += inner * v[3]; v[3] += inner * v[1]; }
#elif MODEL == 5
    for (int i = 0; i < 60; i++) v[2] += h / 60 * (v[1] - v[2]) / (1 + v[2] * v[2]);
#endif
    m->time = t + h;
    return 0;
}

static int save(Model *m, void **s) { if (!*s) *s = malloc(sizeof *m); memcpy(*s, m, sizeof *m); return 0; }
static int restore(Model *m, void *s) { memcpy(m, s, sizeof *m); return 0; }
static int forget(void **s) { free(*s); *s = NULL; return 0; }
static int reset(Model *m) { Model *f = make(); *m = *f; free(f); return 0; }

#ifdef FMI2
void *fmi2Instantiate(const char *n, int t, const char *g, const char *r, const void *c, int v, int l) { return make(); }
void fmi2FreeInstance(void *m) { free(m); }
int fmi2SetupExperiment(void *m, int td, double tol, double start, int sd, double stop) { return 0; }
int fmi2EnterInitializationMode(void *m) { return 0; }
int fmi2ExitInitializationMode(void *m) { return 0; }
int fmi2Terminate(void *m) { return 0; }
int fmi2Reset(Model *m) { return reset(m); }
int fmi2GetReal(Model *m, const unsigned *vr, size_t n, double *out) { return get(m, vr, n, out); }
int fmi2SetReal(Model *m, const unsigned *vr, size_t n, const double *in) { return set(m, vr, n, in); }
int fmi2GetInteger(Model *m, const unsigned *vr, size_t n, int *out) { return n ? 3 : 0; }
int fmi2SetInteger(Model *m, const unsigned *vr, size_t n, const int *in) { return n ? 3 : 0; }
int fmi2GetBoolean(Model *m, const unsigned *vr, size_t n, int *out) { return n ? 3 : 0; }
int fmi2SetBoolean(Model *m, const unsigned *vr, size_t n, const int *in) { return n ? 3 : 0; }
int fmi2GetString(Model *m, const unsigned *vr, size_t n, const char **out) { return n ? 3 : 0; }
int fmi2SetString(Model *m, const unsigned *vr, size_t n, const char **in) { return n ? 3 : 0; }
int fmi2GetFMUstate(Model *m, void **s) { return save(m, s); }
int fmi2SetFMUstate(Model *m, void *s) { return restore(m, s); }
int fmi2FreeFMUstate(Model *m, void **s) { return forget(s); }
int fmi2DoStep(Model *m, double t, double h, int no) { return step(m, t, h); }
const char *fmi2GetVersion(void) { return "2.0"; }
const char *fmi2GetTypesPlatform(void) { return "default"; }
int fmi2SetDebugLogging(void *m, int on, size_t n, const char **c) { return 0; }
#else
void *fmi3InstantiateCoSimulation(const char *n, const char *token, const char *res, bool visible, bool logging,
                                  bool events, bool early, const unsigned *vr, size_t k, void *env, void *log, void *up) {
    return make();
}
void fmi3FreeInstance(void *m) { free(m); }
int fmi3EnterInitializationMode(void *m, bool td, double tol, double start, bool sd, double stop) { return 0; }
int fmi3ExitInitializationMode(void *m) { return 0; }
int fmi3Terminate(void *m) { return 0; }
int fmi3Reset(Model *m) { return reset(m); }
int fmi3GetFloat64(Model *m, const unsigned *vr, size_t n, double *out, size_t k) { return get(m, vr, n, out); }
int fmi3SetFloat64(Model *m, const unsigned *vr, size_t n, const double *in, size_t k) { return set(m, vr, n, in); }
int fmi3GetFMUState(Model *m, void **s) { return save(m, s); }
int fmi3SetFMUState(Model *m, void *s) { return restore(m, s); }
int fmi3FreeFMUState(Model *m, void **s) { return forget(s); }
int fmi3DoStep(Model *m, double t, double h, bool no, bool *event, bool *end, bool *early, double *last) {
    *event = *end = *early = false; *last = t + h;
    return step(m, t, h);
}
const char *fmi3GetVersion(void) { return "3.0"; }
#endif
