/* What every model of this folder is made of: an FMI 3.0 co-simulation component around a few functions of its own.
 *
 * All that changes while a component lives is one plain structure (ComponentState), so taking, giving back and
 * serializing its FMU state is copying it. A model that holds more (a stimuli table) keeps it in `resource`, which is
 * made when initialization mode is left and never changes afterwards.
 *
 * Value references: 0 is time, 1 ... n_values are Float64 variables, FIRST_STRING ... are String parameters. */
#ifndef COMPONENT_H
#define COMPONENT_H

#include <stdbool.h>
#include <stddef.h>

#include "fmi3Functions.h"

enum { MOST_VALUES = 48, MOST_STATES = 8, MOST_STRINGS = 1, LONGEST_STRING = 4096, FIRST_STRING = 100 };

typedef enum { INPUT, OUTPUT, PARAMETER } Causality;

typedef struct {
    const char *name;
    Causality causality;
    double start;
} Variable;

typedef enum { INSTANTIATED, INITIALIZING, STEPPING, TERMINATED } Phase;

typedef struct {
    Phase phase;
    double time_s;
    double values[MOST_VALUES + 1]; /* by value reference; place 0 is unused */
    double states[MOST_STATES];
    char strings[MOST_STRINGS][LONGEST_STRING];
} ComponentState;

typedef struct {
    ComponentState now;
    void *resource;
    char *name;
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
    fmi3Status (*step)(Component *, double step_s); /* from now.time_s on; inputs are finite */
    void (*calculate)(Component *);                 /* bring outputs in line with states and inputs */
    void (*release)(Component *);                   /* free `resource` */
} Model;

extern const Model model;

/* Tell the importer something; printf's format. Returns the status. */
fmi3Status say(const Component *, fmi3Status, const char *category, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
#define fail(component, ...) say(component, fmi3Error, "logStatusError", __VA_ARGS__)
#define warn(component, ...) say(component, fmi3Warning, "logStatusWarning", __VA_ARGS__)

#endif
