/* What every model of this folder is made of: an FMI 3.0 co-simulation component around a few functions of its own.
 *
 * All that changes while a component lives is one block of memory (ComponentState and what follows it), so taking,
 * giving back and serializing its FMU state is copying it. What a model reads from files it keeps elsewhere: in
 * `resource`, made when initialization mode is left and freed by a reset, or in `kept`, freed with the component.
 *
 * Value references: 0 is time, 1 ... n_values are scalar Float64, FIRST_ARRAY ... Float64 arrays, FIRST_STRING ... String
 * parameters, FIRST_STRUCTURE ... structural parameters (UInt64). An array has a fixed size or as many elements as the
 * product of all structural parameters; these can be set in configuration mode, before initialization. */
#ifndef COMPONENT_H
#define COMPONENT_H

#include <stdbool.h>
#include <stddef.h>

#include "fmi3Functions.h"

enum { MOST_ARRAYS = 8, MOST_STRUCTURE = 2, LONGEST_STRING = 4096 };
enum { FIRST_ARRAY = 80, FIRST_STRING = 100, FIRST_STRUCTURE = 120 };

typedef enum { INPUT, OUTPUT, PARAMETER } Causality;

typedef struct {
    const char *name;
    Causality causality;
    double start;
    size_t size; /* of an array; 0: as many as the product of the structural parameters */
} Variable;

typedef struct {
    const char *name;
    fmi3UInt64 start, most; /* from 1 on */
} Structure;

typedef enum { INSTANTIATED, CONFIGURING, INITIALIZING, STEPPING, TERMINATED } Phase;

typedef struct {
    size_t bytes;     /* with all that follows */
    fmi3UInt64 build; /* of which binary it is */
    Phase phase;
    double time_s;
    fmi3UInt64 structure[MOST_STRUCTURE];
    _Alignas(16) double rest[]; /* scalars, arrays, the model's own state, strings */
} ComponentState;

typedef char String[LONGEST_STRING];

typedef struct {
    ComponentState *now;
    /* into *now */
    double *values; /* by value reference; place 0 is unused */
    double *arrays[MOST_ARRAYS];
    void *own;
    String *strings;
    size_t sizes[MOST_ARRAYS]; /* elements of each array */
    size_t units;              /* product of the structural parameters */
    bool is_stale;             /* outputs are to be calculated anew */
    void *resource, *kept;
    char *name, *resources; /* folder of the resources, with a slash at its end */
    fmi3InstanceEnvironment environment;
    fmi3LogMessageCallback log;
    bool is_logging;
} Component;

/* What a model provides. */
typedef struct {
    const char *name;
    int n_values;
    const Variable *variables; /* n_values of them, from value reference 1 on */
    int n_strings;
    fmi3Status (*begin)(Component *);               /* on leaving initialization mode */
    fmi3Status (*step)(Component *, double step_s); /* from now->time_s on; inputs are finite */
    void (*calculate)(Component *);                 /* bring outputs in line with states and inputs */
    void (*release)(Component *);                   /* free `resource` */
    int n_arrays;
    const Variable *arrays;
    int n_structure;
    const Structure *structure;
    size_t (*own_bytes)(const Component *); /* of the model's own state */
    void (*forget)(Component *);            /* free `kept` */
    fmi3Status (*restored)(Component *);    /* a state of after initialization was put back: make `resource` anew */
    const char *const *string_starts;
} Model;

extern const Model model;

/* Tell the importer something; printf's format. Returns the status. */
fmi3Status say(const Component *, fmi3Status, const char *category, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
#define fail(component, ...) say(component, fmi3Error, "logStatusError", __VA_ARGS__)
#define warn(component, ...) say(component, fmi3Warning, "logStatusWarning", __VA_ARGS__)

#endif
