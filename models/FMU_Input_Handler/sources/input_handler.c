/* Gives the stimuli of a run, from a file, as signals over time. Without a file the outputs keep their start values. */
#include "component.h"
#include "stimuli.h"

static const Variable VARIABLES[SIGNALS] = {
    {"Current_Profile_Out", OUTPUT, 0.0},
    {"Ambient_Temperature_Out", OUTPUT, 25.0},
    {"Initial_SoC_Out", OUTPUT, 100.0},
    {"Initial_Temperature_Out", OUTPUT, 25.0},
};

static const Stimuli NOTHING = {0};

/* The file is read when it is first needed: a master asks for outputs while still in initialization mode. What is wrong
 * with it is told when that is left. */
static void load(Component *component, char *problem, size_t room) {
    if (component->resource || component->now->phase == INSTANTIATED) return;
    const char *path = component->strings[0];
    component->resource = *path ? read_stimuli(path, problem, room) : (void *)&NOTHING;
}

static fmi3Status begin(Component *component) {
    char problem[600] = "";
    load(component, problem, sizeof problem);
    return component->resource ? fmi3OK : fail(component, "Stimuli_File: %s", problem);
}

static fmi3Status step(Component *component, double step_s) {
    (void)component, (void)step_s;
    return fmi3OK;
}

static void calculate(Component *component) {
    char problem[600];
    load(component, problem, sizeof problem);
    if (!component->resource || component->resource == (void *)&NOTHING) return;
    Stimuli *stimuli = component->resource;
    for (int i = 0; i < SIGNALS; i++)
        if (stimuli->series[i].count)
            component->values[i + 1] = value_at(&stimuli->series[i], component->now->time_s);
}

static void release(Component *component) {
    if (component->resource != (void *)&NOTHING) free_stimuli(component->resource);
}

const Model model = {"FMU_Input_Handler", SIGNALS, VARIABLES, 1, begin, step, calculate, release};
