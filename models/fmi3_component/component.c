#include "component.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AS_COMPONENT ((Component *)instance)

fmi3Status say(const Component *component, fmi3Status status, const char *category, const char *format, ...) {
    if (!component->log || (status == fmi3OK && !component->is_logging)) return status;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    component->log(component->environment, status, category, text);
    return status;
}

/* ---- life ---- */

static void start_anew(Component *component) {
    if (component->resource) model.release(component);
    component->resource = NULL;
    memset(&component->now, 0, sizeof component->now);
    for (int i = 0; i < model.n_values; i++) component->now.values[i + 1] = model.variables[i].start;
}

const char *fmi3GetVersion(void) { return fmi3Version; }

fmi3Status fmi3SetDebugLogging(fmi3Instance instance, fmi3Boolean on, size_t n, const fmi3String categories[]) {
    (void)n, (void)categories;
    AS_COMPONENT->is_logging = on;
    return fmi3OK;
}

fmi3Instance fmi3InstantiateCoSimulation(fmi3String name, fmi3String token, fmi3String resources, fmi3Boolean visible,
                                         fmi3Boolean logging, fmi3Boolean event_mode, fmi3Boolean early_return,
                                         const fmi3ValueReference intermediate[], size_t n_intermediate,
                                         fmi3InstanceEnvironment environment, fmi3LogMessageCallback log,
                                         fmi3IntermediateUpdateCallback update) {
    (void)resources, (void)visible, (void)event_mode, (void)early_return, (void)intermediate, (void)n_intermediate;
    (void)update;
    Component silent = {.environment = environment, .log = log};
    if (!name || !*name) {
        fail(&silent, "%s: an instance needs a name.", model.name);
        return NULL;
    }
    if (!token || strcmp(token, INSTANTIATION_TOKEN) != 0) {
        fail(&silent, "%s: the instantiation token is %s, this binary was built for %s: its model description is of "
             "another build.", name, token ? token : "missing", INSTANTIATION_TOKEN);
        return NULL;
    }
    Component *component = calloc(1, sizeof *component);
    char *copy = malloc(strlen(name) + 1);
    if (!component || !copy) {
        free(component);
        free(copy);
        fail(&silent, "%s: out of memory.", name);
        return NULL;
    }
    component->name = strcpy(copy, name);
    component->environment = environment, component->log = log, component->is_logging = logging;
    start_anew(component);
    return component;
}

void fmi3FreeInstance(fmi3Instance instance) {
    if (!instance) return;
    start_anew(AS_COMPONENT);
    free(AS_COMPONENT->name);
    free(AS_COMPONENT);
}

static bool is_in(Component *component, Phase phase, const char *function) {
    static const char *const NAMES[] = {"instantiated", "in initialization mode", "in step mode", "terminated"};
    if (component->now.phase == phase) return true;
    fail(component, "%s must not be called on an instance that is %s.", function, NAMES[component->now.phase]);
    return false;
}

fmi3Status fmi3EnterInitializationMode(fmi3Instance instance, fmi3Boolean has_tolerance, fmi3Float64 tolerance,
                                       fmi3Float64 start_time, fmi3Boolean has_stop_time, fmi3Float64 stop_time) {
    (void)has_tolerance, (void)tolerance, (void)has_stop_time, (void)stop_time;
    if (!is_in(AS_COMPONENT, INSTANTIATED, "fmi3EnterInitializationMode")) return fmi3Error;
    if (!isfinite(start_time)) return fail(AS_COMPONENT, "The start time is %g.", start_time);
    AS_COMPONENT->now.time_s = start_time;
    AS_COMPONENT->now.phase = INITIALIZING;
    return fmi3OK;
}

fmi3Status fmi3ExitInitializationMode(fmi3Instance instance) {
    if (!is_in(AS_COMPONENT, INITIALIZING, "fmi3ExitInitializationMode")) return fmi3Error;
    const fmi3Status status = model.begin(AS_COMPONENT);
    if (status == fmi3OK) AS_COMPONENT->now.phase = STEPPING;
    return status;
}

fmi3Status fmi3Terminate(fmi3Instance instance) {
    if (!is_in(AS_COMPONENT, STEPPING, "fmi3Terminate")) return fmi3Error;
    AS_COMPONENT->now.phase = TERMINATED;
    return fmi3OK;
}

fmi3Status fmi3Reset(fmi3Instance instance) {
    start_anew(AS_COMPONENT);
    return fmi3OK;
}

/* ---- stepping ---- */

fmi3Status fmi3DoStep(fmi3Instance instance, fmi3Float64 point, fmi3Float64 step, fmi3Boolean no_set_state_before,
                      fmi3Boolean *event_needed, fmi3Boolean *terminate, fmi3Boolean *early_return,
                      fmi3Float64 *last_time) {
    Component *component = AS_COMPONENT;
    (void)no_set_state_before;
    *event_needed = *terminate = *early_return = false;
    *last_time = component->now.time_s;
    if (!is_in(component, STEPPING, "fmi3DoStep")) return fmi3Error;
    if (!(isfinite(point) && isfinite(step) && step > 0))
        return fail(component, "A step of %g s from %g s: give a positive, finite step.", step, point);
    for (int i = 0; i < model.n_values; i++)
        if (model.variables[i].causality == INPUT && !isfinite(component->now.values[i + 1]))
            return fail(component, "Input %s is %g at t = %g s: give a finite value.", model.variables[i].name,
                        component->now.values[i + 1], point);
    component->now.time_s = point;
    const fmi3Status status = model.step(component, step);
    if (status == fmi3OK) *last_time = component->now.time_s = point + step;
    return status;
}

/* ---- values ---- */

fmi3Status fmi3GetFloat64(fmi3Instance instance, const fmi3ValueReference references[], size_t n,
                          fmi3Float64 values[], size_t n_values) {
    Component *component = AS_COMPONENT;
    if (n != n_values) return fail(component, "%zu values for %zu variables.", n_values, n);
    model.calculate(component);
    for (size_t i = 0; i < n; i++) {
        if (references[i] > (fmi3ValueReference)model.n_values)
            return fail(component, "There is no Float64 with value reference %u.", references[i]);
        values[i] = references[i] ? component->now.values[references[i]] : component->now.time_s;
    }
    return fmi3OK;
}

fmi3Status fmi3SetFloat64(fmi3Instance instance, const fmi3ValueReference references[], size_t n,
                          const fmi3Float64 values[], size_t n_values) {
    Component *component = AS_COMPONENT;
    if (n != n_values) return fail(component, "%zu values for %zu variables.", n_values, n);
    for (size_t i = 0; i < n; i++) {
        if (references[i] < 1 || references[i] > (fmi3ValueReference)model.n_values)
            return fail(component, "There is no Float64 with value reference %u to set.", references[i]);
        const Variable *variable = &model.variables[references[i] - 1];
        const bool is_begun = component->now.phase == STEPPING || component->now.phase == TERMINATED;
        if (variable->causality == OUTPUT || (variable->causality == PARAMETER && is_begun))
            return fail(component, "%s cannot be set now.", variable->name);
        component->now.values[references[i]] = values[i];
    }
    return fmi3OK;
}

fmi3Status fmi3GetString(fmi3Instance instance, const fmi3ValueReference references[], size_t n, fmi3String values[],
                         size_t n_values) {
    if (n != n_values) return fail(AS_COMPONENT, "%zu values for %zu variables.", n_values, n);
    for (size_t i = 0; i < n; i++) {
        const size_t place = (size_t)references[i] - FIRST_STRING;
        if (references[i] < FIRST_STRING || place >= (size_t)model.n_strings)
            return fail(AS_COMPONENT, "There is no String with value reference %u.", references[i]);
        values[i] = AS_COMPONENT->now.strings[place];
    }
    return fmi3OK;
}

fmi3Status fmi3SetString(fmi3Instance instance, const fmi3ValueReference references[], size_t n,
                         const fmi3String values[], size_t n_values) {
    if (n != n_values) return fail(AS_COMPONENT, "%zu values for %zu variables.", n_values, n);
    for (size_t i = 0; i < n; i++) {
        const size_t place = (size_t)references[i] - FIRST_STRING;
        if (references[i] < FIRST_STRING || place >= (size_t)model.n_strings)
            return fail(AS_COMPONENT, "There is no String with value reference %u.", references[i]);
        if (AS_COMPONENT->now.phase == STEPPING || AS_COMPONENT->now.phase == TERMINATED)
            return fail(AS_COMPONENT, "A String parameter cannot be set now.");
        if (!values[i] || strlen(values[i]) >= LONGEST_STRING)
            return fail(AS_COMPONENT, "A String has more than %d characters.", LONGEST_STRING - 1);
        strcpy(AS_COMPONENT->now.strings[place], values[i]);
    }
    return fmi3OK;
}

/* ---- FMU state ---- */

fmi3Status fmi3GetFMUState(fmi3Instance instance, fmi3FMUState *state) {
    if (!*state) *state = malloc(sizeof(ComponentState));
    if (!*state) return fail(AS_COMPONENT, "out of memory");
    memcpy(*state, &AS_COMPONENT->now, sizeof(ComponentState));
    return fmi3OK;
}

static fmi3Status put_state(Component *component, const ComponentState *state) {
    const bool has_begun = state->phase == STEPPING || state->phase == TERMINATED;
    if (has_begun && model.n_strings && !component->resource)
        return fail(component, "The state is of an instance after initialization: initialize this one first.");
    memcpy(&component->now, state, sizeof *state);
    return fmi3OK;
}

fmi3Status fmi3SetFMUState(fmi3Instance instance, fmi3FMUState state) {
    if (!state) return fail(AS_COMPONENT, "There is no FMU state to set.");
    return put_state(AS_COMPONENT, state);
}

fmi3Status fmi3FreeFMUState(fmi3Instance instance, fmi3FMUState *state) {
    (void)instance;
    if (state) free(*state), *state = NULL;
    return fmi3OK;
}

fmi3Status fmi3SerializedFMUStateSize(fmi3Instance instance, fmi3FMUState state, size_t *size) {
    (void)instance, (void)state;
    *size = sizeof(ComponentState);
    return fmi3OK;
}

fmi3Status fmi3SerializeFMUState(fmi3Instance instance, fmi3FMUState state, fmi3Byte bytes[], size_t size) {
    if (!state || size < sizeof(ComponentState)) return fail(AS_COMPONENT, "%zu bytes are too few.", size);
    memcpy(bytes, state, sizeof(ComponentState));
    return fmi3OK;
}

fmi3Status fmi3DeserializeFMUState(fmi3Instance instance, const fmi3Byte bytes[], size_t size, fmi3FMUState *state) {
    if (size != sizeof(ComponentState))
        return fail(AS_COMPONENT, "An FMU state has %zu bytes, not %zu.", sizeof(ComponentState), size);
    if (!*state) *state = malloc(sizeof(ComponentState));
    if (!*state) return fail(AS_COMPONENT, "out of memory");
    memcpy(*state, bytes, size);
    return fmi3OK;
}

/* ---- what these models do not have: other kinds of FMU, other types, clocks, events, derivatives ---- */

fmi3Instance fmi3InstantiateModelExchange(fmi3String name, fmi3String token, fmi3String resources, fmi3Boolean visible,
                                          fmi3Boolean logging, fmi3InstanceEnvironment environment,
                                          fmi3LogMessageCallback log) {
    (void)name, (void)token, (void)resources, (void)visible, (void)logging, (void)environment, (void)log;
    return NULL;
}

fmi3Instance fmi3InstantiateScheduledExecution(fmi3String name, fmi3String token, fmi3String resources,
                                               fmi3Boolean visible, fmi3Boolean logging,
                                               fmi3InstanceEnvironment environment, fmi3LogMessageCallback log,
                                               fmi3ClockUpdateCallback update, fmi3LockPreemptionCallback lock,
                                               fmi3UnlockPreemptionCallback unlock) {
    (void)name, (void)token, (void)resources, (void)visible, (void)logging, (void)environment, (void)log;
    (void)update, (void)lock, (void)unlock;
    return NULL;
}

#define ABSENT(function, parameters, ...)                                          \
    fmi3Status function parameters {                                               \
        __VA_ARGS__;                                                               \
        return fail(AS_COMPONENT, "%s has no %s.", model.name, #function); \
    }
#define UNUSED2(a, b) (void)(a), (void)(b)
#define UNUSED3(a, b, c) UNUSED2(a, b), (void)(c)
#define UNUSED4(a, b, c, d) UNUSED3(a, b, c), (void)(d)
#define UNUSED6(a, b, c, d, e, f) UNUSED4(a, b, c, d), UNUSED2(e, f)

#define NO_VALUES_OF(type)                                                                                       \
    ABSENT(fmi3Get##type,                                                                                        \
           (fmi3Instance instance, const fmi3ValueReference r[], size_t n, fmi3##type v[], size_t m),            \
           UNUSED4(r, n, v, m))                                                                                  \
    ABSENT(fmi3Set##type,                                                                                        \
           (fmi3Instance instance, const fmi3ValueReference r[], size_t n, const fmi3##type v[], size_t m),      \
           UNUSED4(r, n, v, m))
NO_VALUES_OF(Float32)
NO_VALUES_OF(Int8)
NO_VALUES_OF(UInt8)
NO_VALUES_OF(Int16)
NO_VALUES_OF(UInt16)
NO_VALUES_OF(Int32)
NO_VALUES_OF(UInt32)
NO_VALUES_OF(Int64)
NO_VALUES_OF(UInt64)
NO_VALUES_OF(Boolean)
ABSENT(fmi3GetBinary, (fmi3Instance instance, const fmi3ValueReference r[], size_t n, size_t s[], fmi3Binary v[],
                       size_t m), UNUSED4(r, n, s, v), (void)m)
ABSENT(fmi3SetBinary, (fmi3Instance instance, const fmi3ValueReference r[], size_t n, const size_t s[],
                       const fmi3Binary v[], size_t m), UNUSED4(r, n, s, v), (void)m)
ABSENT(fmi3GetClock, (fmi3Instance instance, const fmi3ValueReference r[], size_t n, fmi3Clock v[]), UNUSED3(r, n, v))
ABSENT(fmi3SetClock, (fmi3Instance instance, const fmi3ValueReference r[], size_t n, const fmi3Clock v[]),
       UNUSED3(r, n, v))
ABSENT(fmi3GetNumberOfVariableDependencies, (fmi3Instance instance, fmi3ValueReference r, size_t *n), UNUSED2(r, n))
ABSENT(fmi3GetVariableDependencies, (fmi3Instance instance, fmi3ValueReference dependent, size_t d[],
                                     fmi3ValueReference independents[], size_t i[], fmi3DependencyKind kinds[],
                                     size_t n), UNUSED6(dependent, d, independents, i, kinds, n))
ABSENT(fmi3GetDirectionalDerivative, (fmi3Instance instance, const fmi3ValueReference u[], size_t n,
                                      const fmi3ValueReference k[], size_t m, const fmi3Float64 seed[], size_t s,
                                      fmi3Float64 out[], size_t o), UNUSED6(u, n, k, m, seed, s), UNUSED2(out, o))
ABSENT(fmi3GetAdjointDerivative, (fmi3Instance instance, const fmi3ValueReference u[], size_t n,
                                  const fmi3ValueReference k[], size_t m, const fmi3Float64 seed[], size_t s,
                                  fmi3Float64 out[], size_t o), UNUSED6(u, n, k, m, seed, s), UNUSED2(out, o))
ABSENT(fmi3GetIntervalDecimal, (fmi3Instance instance, const fmi3ValueReference r[], size_t n, fmi3Float64 v[],
                                fmi3IntervalQualifier q[]), UNUSED4(r, n, v, q))
ABSENT(fmi3GetIntervalFraction, (fmi3Instance instance, const fmi3ValueReference r[], size_t n, fmi3UInt64 c[],
                                 fmi3UInt64 f[], fmi3IntervalQualifier q[]), UNUSED4(r, n, c, f), (void)q)
ABSENT(fmi3GetShiftDecimal, (fmi3Instance instance, const fmi3ValueReference r[], size_t n, fmi3Float64 v[]),
       UNUSED3(r, n, v))
ABSENT(fmi3GetShiftFraction, (fmi3Instance instance, const fmi3ValueReference r[], size_t n, fmi3UInt64 c[],
                              fmi3UInt64 f[]), UNUSED4(r, n, c, f))
ABSENT(fmi3SetIntervalDecimal, (fmi3Instance instance, const fmi3ValueReference r[], size_t n, const fmi3Float64 v[]),
       UNUSED3(r, n, v))
ABSENT(fmi3SetIntervalFraction, (fmi3Instance instance, const fmi3ValueReference r[], size_t n, const fmi3UInt64 c[],
                                 const fmi3UInt64 f[]), UNUSED4(r, n, c, f))
ABSENT(fmi3SetShiftDecimal, (fmi3Instance instance, const fmi3ValueReference r[], size_t n, const fmi3Float64 v[]),
       UNUSED3(r, n, v))
ABSENT(fmi3SetShiftFraction, (fmi3Instance instance, const fmi3ValueReference r[], size_t n, const fmi3UInt64 c[],
                              const fmi3UInt64 f[]), UNUSED4(r, n, c, f))
ABSENT(fmi3UpdateDiscreteStates, (fmi3Instance instance, fmi3Boolean *a, fmi3Boolean *b, fmi3Boolean *c,
                                  fmi3Boolean *d, fmi3Boolean *e, fmi3Float64 *f), UNUSED6(a, b, c, d, e, f))
ABSENT(fmi3CompletedIntegratorStep, (fmi3Instance instance, fmi3Boolean no_set, fmi3Boolean *event, fmi3Boolean *end),
       UNUSED3(no_set, event, end))
ABSENT(fmi3SetTime, (fmi3Instance instance, fmi3Float64 time), (void)time)
ABSENT(fmi3SetContinuousStates, (fmi3Instance instance, const fmi3Float64 x[], size_t n), UNUSED2(x, n))
ABSENT(fmi3GetContinuousStateDerivatives, (fmi3Instance instance, fmi3Float64 x[], size_t n), UNUSED2(x, n))
ABSENT(fmi3GetEventIndicators, (fmi3Instance instance, fmi3Float64 z[], size_t n), UNUSED2(z, n))
ABSENT(fmi3GetContinuousStates, (fmi3Instance instance, fmi3Float64 x[], size_t n), UNUSED2(x, n))
ABSENT(fmi3GetNominalsOfContinuousStates, (fmi3Instance instance, fmi3Float64 x[], size_t n), UNUSED2(x, n))
ABSENT(fmi3GetNumberOfEventIndicators, (fmi3Instance instance, size_t *n), (void)n)
ABSENT(fmi3GetNumberOfContinuousStates, (fmi3Instance instance, size_t *n), (void)n)
ABSENT(fmi3GetOutputDerivatives, (fmi3Instance instance, const fmi3ValueReference r[], size_t n,
                                  const fmi3Int32 orders[], fmi3Float64 v[], size_t m),
       UNUSED4(r, n, orders, v), (void)m)
ABSENT(fmi3ActivateModelPartition, (fmi3Instance instance, fmi3ValueReference clock, fmi3Float64 time),
       UNUSED2(clock, time))
ABSENT(fmi3EnterEventMode, (fmi3Instance instance), (void)0)
ABSENT(fmi3EnterStepMode, (fmi3Instance instance), (void)0)
ABSENT(fmi3EnterConfigurationMode, (fmi3Instance instance), (void)0)
ABSENT(fmi3ExitConfigurationMode, (fmi3Instance instance), (void)0)
ABSENT(fmi3EvaluateDiscreteStates, (fmi3Instance instance), (void)0)
ABSENT(fmi3EnterContinuousTimeMode, (fmi3Instance instance), (void)0)
