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

/* A number that tells binaries apart (FNV-1a of the token). */
static fmi3UInt64 build_of(const char *token) {
    fmi3UInt64 hash = 14695981039346656037u;
    for (; *token; token++) hash = (hash ^ (unsigned char)*token) * 1099511628211u;
    return hash;
}

static size_t aligned(size_t bytes) { return (bytes + 15) / 16 * 16; }

/* Find everything in the block of the state. */
static void point(Component *component) {
    char *at = (char *)component->now->rest;
    component->values = (double *)at, at += aligned(((size_t)model.n_values + 1) * sizeof(double));
    for (int i = 0; i < model.n_arrays; i++)
        component->arrays[i] = (double *)at, at += aligned(component->sizes[i] * sizeof(double));
    component->own = at, at += aligned(model.own_bytes ? model.own_bytes(component) : 0);
    component->strings = (String *)at;
    component->is_stale = true;
}

/* Make room for what the structural parameters ask for, and put the start values there; what does not depend on them
 * keeps its value. */
static bool lay_out(Component *component, const fmi3UInt64 structure[]) {
    component->units = 1;
    for (int i = 0; i < model.n_structure; i++) component->units *= (size_t)structure[i];
    size_t bytes = aligned(sizeof(ComponentState)) + aligned(((size_t)model.n_values + 1) * sizeof(double));
    for (int i = 0; i < model.n_arrays; i++) {
        component->sizes[i] = model.arrays[i].size ? model.arrays[i].size : component->units;
        bytes += aligned(component->sizes[i] * sizeof(double));
    }
    bytes += aligned(model.own_bytes ? model.own_bytes(component) : 0) + (size_t)model.n_strings * sizeof(String);
    ComponentState *state = calloc(1, bytes);
    if (!state) return false;
    state->bytes = bytes, state->build = build_of(INSTANTIATION_TOKEN);
    memcpy(state->structure, structure, sizeof state->structure);
    ComponentState *before = component->now;
    double *const values = component->values, *arrays[MOST_ARRAYS];
    String *const strings = component->strings;
    memcpy(arrays, component->arrays, sizeof arrays);
    component->now = state;
    point(component);
    for (int i = 0; i < model.n_values; i++) component->values[i + 1] = model.variables[i].start;
    for (int i = 0; i < model.n_arrays; i++)
        for (size_t k = 0; k < component->sizes[i]; k++) component->arrays[i][k] = model.arrays[i].start;
    for (int i = 0; i < model.n_strings; i++)
        if (model.string_starts) strcpy(component->strings[i], model.string_starts[i]);
    if (before) {
        state->phase = before->phase;
        memcpy(component->values, values, ((size_t)model.n_values + 1) * sizeof(double));
        memcpy(component->strings, strings, (size_t)model.n_strings * sizeof(String));
        for (int i = 0; i < model.n_arrays; i++)
            if (model.arrays[i].size) memcpy(component->arrays[i], arrays[i], component->sizes[i] * sizeof(double));
    }
    free(before);
    return true;
}

static bool start_anew(Component *component) {
    fmi3UInt64 structure[MOST_STRUCTURE] = {0};
    for (int i = 0; i < model.n_structure; i++) structure[i] = model.structure[i].start;
    if (component->resource) model.release(component);
    free(component->now);
    component->resource = NULL, component->now = NULL;
    return lay_out(component, structure);
}

static void dispose(Component *component) {
    if (component->resource) model.release(component);
    if (component->kept) model.forget(component);
    free(component->now);
    free(component->name);
    free(component->resources);
    free(component);
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
    (void)visible, (void)event_mode, (void)early_return, (void)intermediate, (void)n_intermediate;
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
    if (component) {
        component->environment = environment, component->log = log, component->is_logging = logging;
        component->name = strdup(name), component->resources = strdup(resources ? resources : "");
    }
    if (!component || !component->name || !component->resources || !start_anew(component)) {
        if (component) dispose(component);
        fail(&silent, "%s: out of memory.", name);
        return NULL;
    }
    return component;
}

void fmi3FreeInstance(fmi3Instance instance) {
    if (instance) dispose(AS_COMPONENT);
}

static bool is_in(Component *component, Phase phase, const char *function) {
    static const char *const NAMES[] = {"instantiated", "in configuration mode", "in initialization mode", "in step mode",
                                        "terminated"};
    if (component->now->phase == phase) return true;
    fail(component, "%s must not be called on an instance that is %s.", function, NAMES[component->now->phase]);
    return false;
}

fmi3Status fmi3EnterInitializationMode(fmi3Instance instance, fmi3Boolean has_tolerance, fmi3Float64 tolerance,
                                       fmi3Float64 start_time, fmi3Boolean has_stop_time, fmi3Float64 stop_time) {
    (void)has_tolerance, (void)tolerance, (void)has_stop_time, (void)stop_time;
    if (!is_in(AS_COMPONENT, INSTANTIATED, "fmi3EnterInitializationMode")) return fmi3Error;
    if (!isfinite(start_time)) return fail(AS_COMPONENT, "The start time is %g.", start_time);
    AS_COMPONENT->now->time_s = start_time;
    AS_COMPONENT->is_stale = true;
    AS_COMPONENT->now->phase = INITIALIZING;
    return fmi3OK;
}

fmi3Status fmi3ExitInitializationMode(fmi3Instance instance) {
    if (!is_in(AS_COMPONENT, INITIALIZING, "fmi3ExitInitializationMode")) return fmi3Error;
    const fmi3Status status = model.begin(AS_COMPONENT);
    AS_COMPONENT->is_stale = true;
    if (status <= fmi3Warning) AS_COMPONENT->now->phase = STEPPING;
    return status;
}

fmi3Status fmi3Terminate(fmi3Instance instance) {
    if (!is_in(AS_COMPONENT, STEPPING, "fmi3Terminate")) return fmi3Error;
    AS_COMPONENT->now->phase = TERMINATED;
    return fmi3OK;
}

fmi3Status fmi3Reset(fmi3Instance instance) {
    return start_anew(AS_COMPONENT) ? fmi3OK : fail(AS_COMPONENT, "out of memory");
}

/* ---- structure ---- */

fmi3Status fmi3EnterConfigurationMode(fmi3Instance instance) {
    if (!model.n_structure) return fail(AS_COMPONENT, "%s has no structural parameters.", model.name);
    if (!is_in(AS_COMPONENT, INSTANTIATED, "fmi3EnterConfigurationMode")) return fmi3Error;
    AS_COMPONENT->now->phase = CONFIGURING;
    return fmi3OK;
}

fmi3Status fmi3ExitConfigurationMode(fmi3Instance instance) {
    if (!is_in(AS_COMPONENT, CONFIGURING, "fmi3ExitConfigurationMode")) return fmi3Error;
    AS_COMPONENT->now->phase = INSTANTIATED;
    return fmi3OK;
}

fmi3Status fmi3GetUInt64(fmi3Instance instance, const fmi3ValueReference references[], size_t n, fmi3UInt64 values[],
                         size_t n_values) {
    if (n != n_values) return fail(AS_COMPONENT, "%zu values for %zu variables.", n_values, n);
    for (size_t i = 0; i < n; i++) {
        const size_t place = (size_t)references[i] - FIRST_STRUCTURE;
        if (references[i] < FIRST_STRUCTURE || place >= (size_t)model.n_structure)
            return fail(AS_COMPONENT, "There is no UInt64 with value reference %u.", references[i]);
        values[i] = AS_COMPONENT->now->structure[place];
    }
    return fmi3OK;
}

/* Sets structural parameters, in configuration mode or, as some importers do, without. */
fmi3Status fmi3SetUInt64(fmi3Instance instance, const fmi3ValueReference references[], size_t n,
                         const fmi3UInt64 values[], size_t n_values) {
    Component *component = AS_COMPONENT;
    fmi3UInt64 structure[MOST_STRUCTURE];
    if (n != n_values) return fail(component, "%zu values for %zu variables.", n_values, n);
    if (component->now->phase != INSTANTIATED && !is_in(component, CONFIGURING, "fmi3SetUInt64")) return fmi3Error;
    memcpy(structure, component->now->structure, sizeof structure);
    for (size_t i = 0; i < n; i++) {
        const size_t place = (size_t)references[i] - FIRST_STRUCTURE;
        if (references[i] < FIRST_STRUCTURE || place >= (size_t)model.n_structure)
            return fail(component, "There is no UInt64 with value reference %u to set.", references[i]);
        const Structure *parameter = &model.structure[place];
        if (values[i] < 1 || values[i] > parameter->most)
            return fail(component, "%s is %llu: give 1 to %llu.", parameter->name, (unsigned long long)values[i],
                        (unsigned long long)parameter->most);
        structure[place] = values[i];
    }
    return lay_out(component, structure) ? fmi3OK : fail(component, "out of memory");
}

/* ---- stepping ---- */

fmi3Status fmi3DoStep(fmi3Instance instance, fmi3Float64 point, fmi3Float64 step, fmi3Boolean no_set_state_before,
                      fmi3Boolean *event_needed, fmi3Boolean *terminate, fmi3Boolean *early_return,
                      fmi3Float64 *last_time) {
    Component *component = AS_COMPONENT;
    (void)no_set_state_before;
    *event_needed = *terminate = *early_return = false;
    *last_time = component->now->time_s;
    if (!is_in(component, STEPPING, "fmi3DoStep")) return fmi3Error;
    if (!(isfinite(point) && isfinite(step) && step > 0))
        return fail(component, "A step of %g s from %g s: give a positive, finite step.", step, point);
    for (int i = 0; i < model.n_values; i++)
        if (model.variables[i].causality == INPUT && !isfinite(component->values[i + 1]))
            return fail(component, "Input %s is %g at t = %g s: give a finite value.", model.variables[i].name,
                        component->values[i + 1], point);
    component->now->time_s = point;
    component->is_stale = true;
    const fmi3Status status = model.step(component, step);
    if (status <= fmi3Warning) *last_time = component->now->time_s = point + step;
    return status;
}

/* ---- values ---- */

/* A scalar or array, and how many elements it has; NULL if there is none. */
static double *find(Component *component, fmi3ValueReference reference, size_t *size, const Variable **variable) {
    if (reference >= 1 && reference <= (fmi3ValueReference)model.n_values) {
        *size = 1, *variable = &model.variables[reference - 1];
        return &component->values[reference];
    }
    if (reference < FIRST_ARRAY || reference >= (fmi3ValueReference)(FIRST_ARRAY + model.n_arrays)) return NULL;
    *size = component->sizes[reference - FIRST_ARRAY], *variable = &model.arrays[reference - FIRST_ARRAY];
    return component->arrays[reference - FIRST_ARRAY];
}

fmi3Status fmi3GetFloat64(fmi3Instance instance, const fmi3ValueReference references[], size_t n,
                          fmi3Float64 values[], size_t n_values) {
    Component *component = AS_COMPONENT;
    if (component->is_stale) model.calculate(component), component->is_stale = false;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (references[i] - 1 < (fmi3ValueReference)model.n_values && at < n_values) { /* a scalar: most are */
            values[at++] = component->values[references[i]];
            continue;
        }
        size_t size = 1;
        const Variable *variable;
        const double *from = references[i] ? find(component, references[i], &size, &variable) : &component->now->time_s;
        if (!from) return fail(component, "There is no Float64 with value reference %u.", references[i]);
        if (size > n_values - at) return fail(component, "%zu values are too few for %zu variables.", n_values, n);
        memcpy(values + at, from, size * sizeof *values);
        at += size;
    }
    return at == n_values ? fmi3OK : fail(component, "%zu values for variables of %zu.", n_values, at);
}

fmi3Status fmi3SetFloat64(fmi3Instance instance, const fmi3ValueReference references[], size_t n,
                          const fmi3Float64 values[], size_t n_values) {
    Component *component = AS_COMPONENT;
    const bool is_begun = component->now->phase == STEPPING || component->now->phase == TERMINATED;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        size_t size;
        const Variable *variable;
        double *to = find(component, references[i], &size, &variable);
        if (!to) return fail(component, "There is no Float64 with value reference %u to set.", references[i]);
        if (variable->causality == OUTPUT || (variable->causality == PARAMETER && is_begun))
            return fail(component, "%s cannot be set now.", variable->name);
        if (size > n_values - at) return fail(component, "%zu values are too few for %zu variables.", n_values, n);
        component->is_stale |= memcmp(to, values + at, size * sizeof *to) != 0;
        memcpy(to, values + at, size * sizeof *to);
        at += size;
    }
    return at == n_values ? fmi3OK : fail(component, "%zu values for variables of %zu.", n_values, at);
}

fmi3Status fmi3GetString(fmi3Instance instance, const fmi3ValueReference references[], size_t n, fmi3String values[],
                         size_t n_values) {
    if (n != n_values) return fail(AS_COMPONENT, "%zu values for %zu variables.", n_values, n);
    for (size_t i = 0; i < n; i++) {
        const size_t place = (size_t)references[i] - FIRST_STRING;
        if (references[i] < FIRST_STRING || place >= (size_t)model.n_strings)
            return fail(AS_COMPONENT, "There is no String with value reference %u.", references[i]);
        values[i] = AS_COMPONENT->strings[place];
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
        if (AS_COMPONENT->now->phase == STEPPING || AS_COMPONENT->now->phase == TERMINATED)
            return fail(AS_COMPONENT, "A String parameter cannot be set now.");
        if (!values[i] || strlen(values[i]) >= LONGEST_STRING)
            return fail(AS_COMPONENT, "A String has more than %d characters.", LONGEST_STRING - 1);
        strcpy(AS_COMPONENT->strings[place], values[i]);
        AS_COMPONENT->is_stale = true;
    }
    return fmi3OK;
}

/* ---- FMU state ---- */

fmi3Status fmi3GetFMUState(fmi3Instance instance, fmi3FMUState *state) {
    const ComponentState *now = AS_COMPONENT->now;
    ComponentState *copy = realloc(*state, now->bytes);
    if (!copy) return fail(AS_COMPONENT, "out of memory");
    memcpy(copy, now, now->bytes);
    *state = copy;
    return fmi3OK;
}

fmi3Status fmi3SetFMUState(fmi3Instance instance, fmi3FMUState state) {
    Component *component = AS_COMPONENT;
    const ComponentState *given = state;
    if (!given) return fail(component, "There is no FMU state to set.");
    const bool has_begun = given->phase == STEPPING || given->phase == TERMINATED;
    if (has_begun && model.n_strings && !component->resource && !model.restored)
        return fail(component, "The state is of an instance after initialization: initialize this one first.");
    if (memcmp(given->structure, component->now->structure, sizeof given->structure) && !lay_out(component, given->structure))
        return fail(component, "out of memory");
    /* what was read from files belongs to the strings that name them, and to a run that has begun */
    const size_t names = (size_t)model.n_strings * sizeof(String);
    const bool is_same = has_begun && !memcmp(component->strings, (const char *)given + given->bytes - names, names);
    if (component->resource && !is_same) model.release(component), component->resource = NULL;
    memcpy(component->now, given, given->bytes);
    component->is_stale = true;
    if (has_begun && model.restored) return model.restored(component);
    return fmi3OK;
}

fmi3Status fmi3FreeFMUState(fmi3Instance instance, fmi3FMUState *state) {
    (void)instance;
    if (state) free(*state), *state = NULL;
    return fmi3OK;
}

fmi3Status fmi3SerializedFMUStateSize(fmi3Instance instance, fmi3FMUState state, size_t *size) {
    if (!state) return fail(AS_COMPONENT, "There is no FMU state to serialize.");
    *size = ((const ComponentState *)state)->bytes;
    return fmi3OK;
}

fmi3Status fmi3SerializeFMUState(fmi3Instance instance, fmi3FMUState state, fmi3Byte bytes[], size_t size) {
    const ComponentState *given = state;
    if (!given || size < given->bytes) return fail(AS_COMPONENT, "%zu bytes are too few.", size);
    memcpy(bytes, given, given->bytes);
    return fmi3OK;
}

/* Whether bytes are a state that a component of this model can have. */
static bool is_state(const ComponentState *given, size_t size) {
    if (size < sizeof *given || given->bytes != size || given->build != build_of(INSTANTIATION_TOKEN)) return false;
    if (given->phase < INSTANTIATED || given->phase > TERMINATED || !isfinite(given->time_s)) return false;
    Component twin = {0};
    for (int i = 0; i < model.n_structure; i++)
        if (given->structure[i] < 1 || given->structure[i] > model.structure[i].most) return false;
    bool is_same = lay_out(&twin, given->structure) && twin.now->bytes == size;
    const char *strings = (const char *)given + size - (size_t)model.n_strings * sizeof(String);
    for (int i = 0; is_same && i < model.n_strings; i++) is_same = memchr(strings + (size_t)i * sizeof(String), 0, sizeof(String)) != NULL;
    free(twin.now);
    return is_same;
}

fmi3Status fmi3DeserializeFMUState(fmi3Instance instance, const fmi3Byte bytes[], size_t size, fmi3FMUState *state) {
    ComponentState *copy = malloc(size ? size : 1);
    if (!copy) return fail(AS_COMPONENT, "out of memory");
    memcpy(copy, bytes, size);
    if (!is_state(copy, size)) {
        free(copy);
        return fail(AS_COMPONENT, "These %zu bytes are no FMU state of %s.", size, model.name);
    }
    free(*state);
    *state = copy;
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
ABSENT(fmi3EvaluateDiscreteStates, (fmi3Instance instance), (void)0)
ABSENT(fmi3EnterContinuousTimeMode, (fmi3Instance instance), (void)0)
