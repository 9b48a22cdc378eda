/* A cell as an equivalent circuit: open-circuit voltage, a series resistance, two RC pairs, one thermal node.
 *
 *     U = OCV(z) + I R0(z,T) + U1 + U2        dz/dt = I / Q            positive current charges
 *     dUi/dt = (I Ri(z,T) - Ui) / tau_i       Ri(z,T) = Ri(z) exp(B (1/T - 1/T25))
 *     C dT/dt = I (U - OCV) - h (T - T_ambient)
 *
 * The current is held over a communication step, so both RC pairs and the temperature follow their exact exponential,
 * with the coefficients of the beginning of each part of at most LONGEST_PART_S. The difference between the core and
 * the surface is that of a long cylinder with even heat in steady state: heat / (4 pi k L).
 * README.md says how the parameters were found and where they hold. */
#include "component.h"

#include <math.h>

#include "parameters.h"

#define KELVIN 273.15
#define LONGEST_PART_S 10.0
#define LENGTH(table) (sizeof(table) / sizeof *(table))

enum { CURRENT_IN = 1, AMBIENT_IN, INITIAL_SOC_IN, INITIAL_TEMPERATURE_IN,
       CURRENT, VOLTAGE, TEMPERATURE, GRADIENT, SOC, SOH, RESISTANCE, CAPACITY,
       CAPACITY_PARAMETER, HEAT_CAPACITY, HEAT_LOSS, RADIAL_CONDUCTIVITY, CELL_LENGTH, N_PLUS_1 };
enum { Z, U1, U2, T_C, CURRENT_WARNED, TEMPERATURE_WARNED };

static const Variable VARIABLES[N_PLUS_1 - 1] = {
    {"Current_Profile_In", INPUT, 0.0},
    {"Ambient_Temperature_In", INPUT, 25.0},
    {"Initial_SoC_In", INPUT, 100.0},
    {"Initial_Temperature_In", INPUT, 25.0},
    {"Current_Out", OUTPUT, 0.0},
    {"Cell_Voltage_Out", OUTPUT, 0.0},
    {"Cell_Average_Temperature_Out", OUTPUT, 25.0},
    {"Cell_Temperature_Gradient_Out", OUTPUT, 0.0},
    {"SoC_Out", OUTPUT, 100.0},
    {"SoH_Out", OUTPUT, 100.0},
    {"Internal_Resistance_Out", OUTPUT, 0.0},
    {"Capacity_Out", OUTPUT, CAPACITY_AH},
    {"Capacity_Parameter", PARAMETER, CAPACITY_AH},
    {"Heat_Capacity", PARAMETER, HEAT_CAPACITY_J_PER_K},
    {"Heat_Loss", PARAMETER, HEAT_LOSS_W_PER_K},
    {"Radial_Conductivity", PARAMETER, 0.9},
    {"Cell_Length", PARAMETER, 0.07},
};

/* Linear between the points, and on with the slope at the edge beyond them. */
static double look_up(const double x[], const double y[], size_t n, double at, bool beyond) {
    size_t i = 1;
    while (i + 1 < n && at > x[i]) i++;
    const double share = (at - x[i - 1]) / (x[i] - x[i - 1]);
    return y[i - 1] + (beyond ? share : fmin(fmax(share, 0.0), 1.0)) * (y[i] - y[i - 1]);
}

static double open_circuit(double z) { return look_up(OCV_SOC, OCV_V, LENGTH(OCV_SOC), z, true); }

static double resistance(const double table[], double z, double temperature_C) {
    const double warmth = exp(ACTIVATION_K * (1 / (temperature_C + KELVIN) - 1 / (25.0 + KELVIN)));
    return look_up(RC_SOC, table, LENGTH(RC_SOC), z, false) * warmth;
}

/* Before the first step the states follow the initial inputs. */
static void take_initial(ComponentState *now) {
    now->states[Z] = now->values[INITIAL_SOC_IN] / 100.0;
    now->states[T_C] = now->values[INITIAL_TEMPERATURE_IN];
}

static bool is_within(double value, double low, double high) { return value >= low && value <= high; }

static fmi3Status begin(Component *component) {
    const double *values = component->now.values;
    if (!is_within(values[INITIAL_SOC_IN], 0.0, 100.0))
        return fail(component, "Initial_SoC_In is %g %%: a cell starts between 0 and 100 %%.", values[INITIAL_SOC_IN]);
    for (int i = AMBIENT_IN; i <= INITIAL_TEMPERATURE_IN; i += INITIAL_TEMPERATURE_IN - AMBIENT_IN)
        if (!is_within(values[i], -40.0, 85.0))
            return fail(component, "%s is %g degC: give -40 to 85 degC.", VARIABLES[i - 1].name, values[i]);
    for (int i = CAPACITY_PARAMETER; i < N_PLUS_1; i++)
        if (!(isfinite(values[i]) && values[i] > 0))
            return fail(component, "%s is %g: give a number above 0.", VARIABLES[i - 1].name, values[i]);
    take_initial(&component->now);
    return fmi3OK;
}

/* Warn once when a range is left, and again only after it was entered. */
static void check_range(Component *component, int flag, double value, double low, double high, const char *what) {
    const bool is_outside = !is_within(value, low, high);
    double *warned = &component->now.states[flag];
    if (is_outside && *warned == 0.0)
        warn(component, "%s is %g at t = %g s, outside the %g to %g for which the model was made: it extrapolates.", what,
             value, component->now.time_s, low, high);
    *warned = is_outside;
}

static void advance(ComponentState *now, double part_s) {
    const double current = now->values[CURRENT_IN], z = now->states[Z], temperature_C = now->states[T_C];
    const double u = current * resistance(R0_OHM, z, temperature_C) + now->states[U1] + now->states[U2];
    const double decay1 = exp(-part_s / TAU_S[0]), decay2 = exp(-part_s / TAU_S[1]);
    now->states[U1] = now->states[U1] * decay1 + current * resistance(R1_OHM, z, temperature_C) * (1 - decay1);
    now->states[U2] = now->states[U2] * decay2 + current * resistance(R2_OHM, z, temperature_C) * (1 - decay2);
    now->states[Z] = z + current * part_s / (3600.0 * now->values[CAPACITY_PARAMETER]);
    const double target_C = now->values[AMBIENT_IN] + current * u / now->values[HEAT_LOSS];
    const double cooling = exp(-part_s * now->values[HEAT_LOSS] / now->values[HEAT_CAPACITY]);
    now->states[T_C] = target_C + (temperature_C - target_C) * cooling;
}

static fmi3Status step(Component *component, double step_s) {
    ComponentState *now = &component->now;
    check_range(component, CURRENT_WARNED, now->values[CURRENT_IN], -10.0, 10.0, "Current_Profile_In (A)");
    check_range(component, TEMPERATURE_WARNED, now->states[T_C], 0.0, 45.0, "The cell temperature (degC)");
    const ComponentState before = *now;
    const double parts = ceil(step_s / LONGEST_PART_S);
    for (double part = 0; part < parts; part++) advance(now, step_s / parts);
    /* charge is counted over the whole step, so that its sum does not depend on the parts */
    now->states[Z] = before.states[Z] + now->values[CURRENT_IN] * step_s / (3600.0 * now->values[CAPACITY_PARAMETER]);
    for (int i = Z; i <= T_C; i++)
        if (!isfinite(now->states[i])) {
            *now = before;
            return fail(component, "The cell left all bounds at t = %g s with %g A: current or step are beyond reason.",
                        now->time_s, now->values[CURRENT_IN]);
        }
    return fmi3OK;
}

static void calculate(Component *component) {
    ComponentState *now = &component->now;
    if (now->phase < STEPPING) take_initial(now);
    const double current = now->values[CURRENT_IN], z = now->states[Z], temperature_C = now->states[T_C];
    const double r0 = resistance(R0_OHM, z, temperature_C);
    const double u = current * r0 + now->states[U1] + now->states[U2];
    const double pi = 3.14159265358979323846;
    now->values[CURRENT] = current;
    now->values[VOLTAGE] = open_circuit(z) + u;
    now->values[TEMPERATURE] = temperature_C;
    now->values[GRADIENT] = current * u / (4 * pi * now->values[RADIAL_CONDUCTIVITY] * now->values[CELL_LENGTH]);
    now->values[SOC] = 100.0 * z;
    now->values[SOH] = 100.0;
    now->values[RESISTANCE] = 1e3 * r0;
    now->values[CAPACITY] = now->values[CAPACITY_PARAMETER];
}

static void release(Component *component) { (void)component; }

const Model model = {"FMU_Battery_Model", N_PLUS_1 - 1, VARIABLES, 0, begin, step, calculate, release};
