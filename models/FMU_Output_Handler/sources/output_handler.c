/* Collects the signals of a bench under the names of D6.3's metrics. Each output shows its input at the same
 * communication point; -1e9 says that nothing is connected. */
#include "component.h"

enum { SIGNALS = 10 };
#define INVALID (-1e9)

static const Variable VARIABLES[2 * SIGNALS] = {
    {"Current_In", INPUT, INVALID},
    {"Cell_Voltage_In", INPUT, INVALID},
    {"Cell_Average_Temperature_In", INPUT, INVALID},
    {"Cell_Temperature_Gradient_In", INPUT, INVALID},
    {"SoC_In", INPUT, INVALID},
    {"SoH_In", INPUT, INVALID},
    {"Internal_Resistance_In", INPUT, INVALID},
    {"Capacity_In", INPUT, INVALID},
    {"Cell_Voltage_02_In", INPUT, INVALID},
    {"Cell_Temperature_02_In", INPUT, INVALID},
    {"Current_Profile", OUTPUT, INVALID},
    {"Cell_Voltage_01", OUTPUT, INVALID},
    {"Cell_Average_Temperature_01", OUTPUT, INVALID},
    {"Cell_Temperature_Gradient_01", OUTPUT, INVALID},
    {"SoC", OUTPUT, INVALID},
    {"SoH", OUTPUT, INVALID},
    {"Internal_Resistance", OUTPUT, INVALID},
    {"Capacity", OUTPUT, INVALID},
    {"Cell_Voltage_02", OUTPUT, INVALID},
    {"Cell_Temperature_02", OUTPUT, INVALID},
};

static fmi3Status begin(Component *component) {
    (void)component;
    return fmi3OK;
}

static fmi3Status step(Component *component, double step_s) {
    (void)component, (void)step_s;
    return fmi3OK;
}

static void calculate(Component *component) {
    for (int i = 1; i <= SIGNALS; i++) component->values[SIGNALS + i] = component->values[i];
}

static void release(Component *component) { (void)component; }

const Model model = {"FMU_Output_Handler", 2 * SIGNALS, VARIABLES, 0, begin, step, calculate, release};
