/* A tiny FMU for tests, FMI 3.0 or (with -DFMI2) FMI 2.0: T der(x) = u - x by explicit Euler, y = x, z = x + u,
   w = 2 v (arrays, FMI 3.0). It fails, ends, turns NaN, crashes or hangs at the times it is told; at jump_at its state
   jumps by 100, by an event and early return (FMI 3.0) or a discarded step (FMI 2.0). Its label "stubborn" makes reset do
   nothing, "once" makes it refuse a second instance. FMI functions that are not here are made as stubs that return an
   error (conftest.py). */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIME, U, Y, Z, T, V, W, FAIL_AT, NAN_AT, END_AT, LABEL, COUNT, LOUD, X0, CRASH_AT, HANG_AT, JUMP_AT };
enum { OK = 0, DISCARD = 2, ERROR = 3 };

#ifdef FMI2
typedef void (*Log)(void *env, const char *instance, int status, const char *category, const char *message, ...);
typedef struct { Log logger; void *allocate; void *release; void *finished; void *env; } Callbacks;
#else
typedef void (*Log)(void *env, int status, const char *category, const char *message);
#endif

typedef struct {
    Log log; void *env; char name[64];
    double time, u, x, tau, v[2], fail_at, nan_at, end_at, crash_at, hang_at, jump_at;
    char label[64]; int count; bool loud, over, events, jumps;
} Model;

static bool spent = false;

static void say(Model *m, int status, const char *text) {
#ifdef FMI2
    m->log(m->env, m->name, status, "logStatus", "%s says %s", m->label, text);
#else
    char line[200];
    snprintf(line, sizeof line, "%s says %s", m->label, text);
    m->log(m->env, status, "logStatus", line);
#endif
}

static Model *make(const char *name, Log log, void *env) {
    if (spent) return NULL;
    Model *m = calloc(1, sizeof *m);
    m->log = log; m->env = env; m->tau = 1;
    m->fail_at = m->nan_at = m->end_at = m->crash_at = m->hang_at = m->jump_at = 1e9;
    strncpy(m->name, name, 63); strcpy(m->label, "lag");
    return m;
}

static double *place(Model *m, unsigned vr) {
    switch (vr) {
        case U: return &m->u; case T: return &m->tau; case FAIL_AT: return &m->fail_at;
        case NAN_AT: return &m->nan_at; case END_AT: return &m->end_at; case X0: return &m->x;
        case CRASH_AT: return &m->crash_at; case HANG_AT: return &m->hang_at; case JUMP_AT: return &m->jump_at;
        default: return NULL;
    }
}

static int get_real(Model *m, const unsigned *vr, size_t n, double *out) {
    for (size_t i = 0; i < n; i++) {
        if (vr[i] == TIME) *out++ = m->time;
        else if (vr[i] == Y) *out++ = m->x;
        else if (vr[i] == Z) *out++ = m->x + m->u;
        else if (vr[i] == V) { *out++ = m->v[0]; *out++ = m->v[1]; }
        else if (vr[i] == W) { *out++ = 2 * m->v[0]; *out++ = 2 * m->v[1]; }
        else if (place(m, vr[i])) *out++ = *place(m, vr[i]);
        else return ERROR;
    }
    return OK;
}

static int set_real(Model *m, const unsigned *vr, size_t n, const double *in) {
    for (size_t i = 0; i < n; i++) {
        if (vr[i] == V) { m->v[0] = *in++; m->v[1] = *in++; }
        else if (place(m, vr[i])) *place(m, vr[i]) = *in++;
        else { say(m, ERROR, "this cannot be set"); return ERROR; }
    }
    return OK;
}

static int step(Model *m, double t, double h) {
    if (t >= m->fail_at) { say(m, ERROR, "the spring broke"); return ERROR; }
    if (t >= m->crash_at) { say(m, ERROR, "here it comes"); fprintf(stderr, "last words\n"); *(volatile int *)8 = 1; }
    while (t >= m->hang_at) sleep(1);
    m->jumps = t + h > m->jump_at;
    if (m->jumps) h = m->jump_at - t;
    m->x += h * (m->u - m->x) / m->tau;
    m->time = t + h;
    if (m->loud) say(m, OK, "step done");
    if (t >= m->nan_at) m->x = NAN;
    m->over = t >= m->end_at;
    return OK;
}

static int set_label(Model *m, const char *text) {
    if (strcmp(text, "refuse") == 0) { say(m, ERROR, "no such file"); return ERROR; }
    strncpy(m->label, text, 63);
    spent = strcmp(text, "once") == 0;
    return OK;
}

static void jump(Model *m) { m->x += 100; m->jump_at = 1e9; m->jumps = false; }

static int reset(Model *m) {
    if (strcmp(m->label, "stubborn") == 0) return OK;
    Model *fresh = make(m->name, m->log, m->env);
    fresh->events = m->events;
    *m = *fresh;
    free(fresh);
    return OK;
}

static int save(Model *m, void **state) { *state = malloc(sizeof *m); memcpy(*state, m, sizeof *m); return OK; }
static int restore(Model *m, void *state) { memcpy(m, state, sizeof *m); return OK; }
static int forget(void **state) { free(*state); *state = NULL; return OK; }

#ifdef FMI2
int fmi2Reset(Model *m) { return reset(m); }
int fmi2GetFMUstate(Model *m, void **state) { return save(m, state); }
int fmi2SetFMUstate(Model *m, void *state) { return restore(m, state); }
int fmi2FreeFMUstate(Model *m, void **state) { return forget(state); }
void *fmi2Instantiate(const char *name, int type, const char *guid, const char *res, const Callbacks *c, int v, int l) {
    return make(name, c->logger, c->env);
}
void fmi2FreeInstance(void *m) { free(m); }
int fmi2SetupExperiment(Model *m, int td, double tol, double start, int sd, double stop) { m->time = start; return OK; }
int fmi2EnterInitializationMode(Model *m) { return m->tau > 0 ? OK : (say(m, ERROR, "T must be positive"), ERROR); }
int fmi2ExitInitializationMode(Model *m) { return OK; }
int fmi2Terminate(Model *m) { return OK; }
int fmi2GetReal(Model *m, const unsigned *vr, size_t n, double *out) { return get_real(m, vr, n, out); }
int fmi2SetReal(Model *m, const unsigned *vr, size_t n, const double *in) { return set_real(m, vr, n, in); }
int fmi2SetString(Model *m, const unsigned *vr, size_t n, const char **in) { return set_label(m, in[0]); }
int fmi2SetInteger(Model *m, const unsigned *vr, size_t n, const int *in) { m->count = in[0]; return OK; }
int fmi2GetInteger(Model *m, const unsigned *vr, size_t n, int *out) { out[0] = m->count; return OK; }
int fmi2SetBoolean(Model *m, const unsigned *vr, size_t n, const int *in) { m->loud = in[0]; return OK; }
int fmi2GetBoolean(Model *m, const unsigned *vr, size_t n, int *out) { out[0] = m->loud; return OK; }
int fmi2DoStep(Model *m, double t, double h, int no) {
    int status = step(m, t, h);
    bool jumped = m->jumps;
    if (jumped) jump(m);
    return status == OK && (m->over || jumped) ? DISCARD : status;
}
int fmi2GetRealStatus(Model *m, int kind, double *out) { *out = m->time; return OK; }
int fmi2GetBooleanStatus(Model *m, int kind, int *out) { *out = kind == 3 && m->over; return OK; }
#else
void *fmi3InstantiateCoSimulation(const char *name, const char *token, const char *res, bool visible, bool logging,
                                  bool events, bool early, const unsigned *vr, size_t n, void *env, Log log, void *up) {
    if (strcmp(token, "{lag}") != 0) return NULL;
    Model *m = make(name, log, env);
    if (m) m->events = events && early;
    return m;
}
int fmi3Reset(Model *m) { return reset(m); }
int fmi3GetFMUState(Model *m, void **state) { return save(m, state); }
int fmi3SetFMUState(Model *m, void *state) { return restore(m, state); }
int fmi3FreeFMUState(Model *m, void **state) { return forget(state); }
int fmi3EnterEventMode(Model *m) { return m->events ? OK : ERROR; }
int fmi3EnterStepMode(Model *m) { return m->events ? OK : ERROR; }
int fmi3UpdateDiscreteStates(Model *m, bool *again, bool *end, bool *nominals, bool *values, bool *next, double *at) {
    *again = m->jumps; *end = *nominals = *next = false; *values = m->jumps;
    if (m->jumps) jump(m);
    return OK;
}
void fmi3FreeInstance(void *m) { free(m); }
int fmi3EnterInitializationMode(Model *m, bool td, double tol, double start, bool sd, double stop) {
    m->time = start;
    return m->tau > 0 ? OK : (say(m, ERROR, "T must be positive"), ERROR);
}
int fmi3ExitInitializationMode(Model *m) { return OK; }
int fmi3Terminate(Model *m) { return OK; }
int fmi3GetFloat64(Model *m, const unsigned *vr, size_t n, double *out, size_t k) { return get_real(m, vr, n, out); }
int fmi3SetFloat64(Model *m, const unsigned *vr, size_t n, const double *in, size_t k) { return set_real(m, vr, n, in); }
int fmi3SetString(Model *m, const unsigned *vr, size_t n, const char **in, size_t k) { return set_label(m, in[0]); }
int fmi3SetInt32(Model *m, const unsigned *vr, size_t n, const int *in, size_t k) { m->count = in[0]; return OK; }
int fmi3GetInt32(Model *m, const unsigned *vr, size_t n, int *out, size_t k) { out[0] = m->count; return OK; }
int fmi3SetBoolean(Model *m, const unsigned *vr, size_t n, const bool *in, size_t k) { m->loud = in[0]; return OK; }
int fmi3GetBoolean(Model *m, const unsigned *vr, size_t n, bool *out, size_t k) { out[0] = m->loud; return OK; }
int fmi3DoStep(Model *m, double t, double h, bool no, bool *event, bool *end, bool *early, double *last) {
    int status = step(m, t, h);
    if (m->jumps && !m->events) {
        jump(m);
        status = step(m, m->time, t + h - m->time);
    }
    *event = *early = m->jumps; *end = m->over; *last = m->time;
    return status;
}
#endif
