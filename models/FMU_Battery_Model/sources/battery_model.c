/* The FMU: a cell, module or pack (pack.c) under the virtual cycler (cycler.c), behind the ports of D6.3.
 *
 * Electrical models: SPMe (spme.c) or an equivalent circuit derived from it (circuit.c), chosen by the parameter Model;
 * README.md says what they hold for. */
#include "component.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cycler.h"
#include "parameters.h"

/* Value references of the scalars: the order of VARIABLES. */
enum {
    CURRENT_IN = 1,
    AMBIENT_IN,
    INITIAL_SOC_IN,
    INITIAL_TEMPERATURE_IN,
    CURRENT_OUT,
    CELL_VOLTAGE,
    MEAN_TEMPERATURE,
    GRADIENT,
    SOC,
    SOH,
    SERIES_RESISTANCE,
    CAPACITY,
    UNIT_VOLTAGE,
    OPEN_CIRCUIT,
    AMBIENT_OUT,
    STAGE,
    CYCLE,
    STEP_COUNT,
    OVER,
    CHARGED,
    DISCHARGED,
    CHARGED_ENERGY,
    DISCHARGED_ENERGY,
    HEAT,
    HEAT_TOTAL,
    LOWEST_V,
    HIGHEST_V,
    COLDEST,
    HOTTEST,
    FILM,
    LOSS,
    STOP_REASON,
    STORED,
    MIXING,
    CAPACITY_P,
    HEAT_CAPACITY,
    HEAT_LOSS,
    RADIAL_CONDUCTIVITY,
    CELL_LENGTH,
    AGEING,
    V_MIN,
    V_MAX,
    SOC_MIN,
    SOC_MAX,
    T_MIN,
    T_MAX,
    I_MAX,
    LIMIT_ACTION,
    CAPACITY_SPREAD,
    RESISTANCE_SPREAD,
    SOC_SPREAD,
    SEED,
    N_PLUS_1
};

static const Variable VARIABLES[N_PLUS_1 - 1] = {
    {"Current_Profile_In", INPUT, 0},
    {"Ambient_Temperature_In", INPUT, 25},
    {"Initial_SoC_In", INPUT, 100},
    {"Initial_Temperature_In", INPUT, 25},
    {"Current_Out", OUTPUT, 0},
    {"Cell_Voltage_Out", OUTPUT, 0},
    {"Cell_Average_Temperature_Out", OUTPUT, 25},
    {"Cell_Temperature_Gradient_Out", OUTPUT, 0},
    {"SoC_Out", OUTPUT, 100},
    {"SoH_Out", OUTPUT, 100},
    {"Internal_Resistance_Out", OUTPUT, 0},
    {"Capacity_Out", OUTPUT, 0},
    {"Voltage_Out", OUTPUT, 0},
    {"Open_Circuit_Voltage_Out", OUTPUT, 0},
    {"Ambient_Temperature_Out", OUTPUT, 25},
    {"Stage_Out", OUTPUT, 0},
    {"Cycle_Out", OUTPUT, 1},
    {"Step_Count_Out", OUTPUT, 0},
    {"Procedure_Over_Out", OUTPUT, 0},
    {"Charge_Capacity_Out", OUTPUT, 0},
    {"Discharge_Capacity_Out", OUTPUT, 0},
    {"Charge_Energy_Out", OUTPUT, 0},
    {"Discharge_Energy_Out", OUTPUT, 0},
    {"Heat_Out", OUTPUT, 0},
    {"Heat_Total_Out", OUTPUT, 0},
    {"Lowest_Cell_Voltage_Out", OUTPUT, 0},
    {"Highest_Cell_Voltage_Out", OUTPUT, 0},
    {"Lowest_Cell_Temperature_Out", OUTPUT, 25},
    {"Highest_Cell_Temperature_Out", OUTPUT, 25},
    {"SEI_Thickness_Out", OUTPUT, 0},
    {"Lithium_Loss_Out", OUTPUT, 0},
    {"Stop_Reason_Out", OUTPUT, 0},
    {"Stored_Energy_Out", OUTPUT, 0},
    {"Mixing_Loss_Out", OUTPUT, 0},
    {"Capacity_Parameter", PARAMETER, UNSET},
    {"Heat_Capacity", PARAMETER, UNSET},
    {"Heat_Loss", PARAMETER, UNSET},
    {"Radial_Conductivity", PARAMETER, UNSET},
    {"Cell_Length", PARAMETER, UNSET},
    {"Ageing_Factor", PARAMETER, 1},
    {"Voltage_Min", PARAMETER, UNSET},
    {"Voltage_Max", PARAMETER, UNSET},
    {"SoC_Min", PARAMETER, UNSET},
    {"SoC_Max", PARAMETER, UNSET},
    {"Temperature_Min", PARAMETER, UNSET},
    {"Temperature_Max", PARAMETER, UNSET},
    {"Current_Max", PARAMETER, UNSET},
    {"Limit_Action", PARAMETER, REGULATE},
    {"Capacity_Spread", PARAMETER, 0},
    {"Resistance_Spread", PARAMETER, 0},
    {"Initial_SoC_Spread", PARAMETER, 0},
    {"Spread_Seed", PARAMETER, 1},
};

enum { PROCEDURE, CAPACITY_FACTORS, RESISTANCE_FACTORS, SOC_OFFSETS, VOLTAGES, TEMPERATURES, SOCS, CURRENTS, N_ARRAYS };

static const Variable ARRAYS[N_ARRAYS] = {
    {"Test_Procedure", PARAMETER, 0, MOST_STAGES * N_COLUMNS},
    {"Cell_Capacity_Factors", PARAMETER, 1},
    {"Cell_Resistance_Factors", PARAMETER, 1},
    {"Cell_SoC_Offsets", PARAMETER, 0},
    {"Cell_Voltages", OUTPUT, 0},
    {"Cell_Temperatures", OUTPUT, 25},
    {"Cell_SoCs", OUTPUT, 100},
    {"Cell_Currents", OUTPUT, 0},
};

enum { SERIES, PARALLEL, N_STRUCTURE };
static const Structure STRUCTURE[N_STRUCTURE] = {{"Series_Count", 1, 400}, {"Parallel_Count", 1, 100}};

enum { MODEL, PARAMETER_SET, N_STRINGS };
static const char *const STRING_STARTS[N_STRINGS] = {"SPMe", "LG_M50"};

/* All that changes: what follows are the cells' states, then their currents. */
typedef struct {
    CyclerState cycler;
    int warned; /* of temperatures outside the set's validity */
    _Alignas(16) CellState cells[];
} OwnState;

/* The parameter set, kept while its file is the same. */
typedef struct {
    char path[2 * LONGEST_STRING];
    CellParameters *parameters;
} Kept;

/* What was made of parameters: nothing in it changes between initialization and reset. */
typedef struct {
    Cycler cycler;
    CellTraits traits[];
} Battery;

static size_t own_bytes(const Component *component) {
    return sizeof(OwnState) + component->units * (sizeof(CellState) + sizeof(double));
}

static OwnState *own(const Component *component) { return component->own; }
static double *currents(const Component *component) { return (double *)(own(component)->cells + component->units); }

/* ---- parameters ---- */

static CellParameters *read_set(Component *component, char *problem, size_t room) {
    const char *name = component->strings[PARAMETER_SET];
    char path[2 * LONGEST_STRING];
    if (strchr(name, '/'))
        snprintf(path, sizeof path, "%s", name);
    else
        snprintf(path, sizeof path, "%s%s.json", component->resources, name);
    Kept *kept = component->kept;
    if (kept && !strcmp(kept->path, path)) return kept->parameters;
    if (kept) parameters_free(kept->parameters), free(kept), component->kept = NULL;
    CellParameters *parameters = parameters_read(path, problem, room);
    kept = parameters ? malloc(sizeof *kept) : NULL;
    if (!kept) return parameters_free(parameters), NULL;
    strcpy(kept->path, path), kept->parameters = parameters, component->kept = kept;
    return parameters;
}

static double given(const Component *component, int reference, double otherwise) {
    const double value = component->values[reference];
    return value > 0.5 * UNSET || isnan(value) ? value : otherwise;
}

/* Numbers that look like independent draws of a normal distribution, the same for the same seed; within 3 sigma. */
static double draw(uint64_t seed, uint64_t number) {
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        uint64_t z = seed * 0x9E3779B97F4A7C15u + (number * 12 + (uint64_t)i + 1) * 0xD1B54A32D192ED03u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u, z = (z ^ (z >> 27)) * 0x94D049BB133111EBu, z ^= z >> 31;
        sum += (double)(z >> 11) * 0x1p-53;
    }
    return fmin(fmax(sum, -3), 3);
}

static bool is_within(double value, double low, double high) { return value >= low && value <= high; }

/* What is wrong with initial inputs; empty if nothing is. */
static void check_inputs(const Component *component, const CellParameters *p, char *problem, size_t room) {
    const double *values = component->values;
    if (!is_within(values[INITIAL_SOC_IN], 0, 100))
        snprintf(problem, room, "Initial_SoC_In is %g %%: a cell starts between 0 and 100 %%.", values[INITIAL_SOC_IN]);
    for (int i = AMBIENT_IN; i <= INITIAL_TEMPERATURE_IN; i += INITIAL_TEMPERATURE_IN - AMBIENT_IN)
        if (!is_within(values[i], p->low_degC - 1e-9, p->high_degC + 1e-9))
            snprintf(problem, room, "%s is %g degC: the parameter set %s holds from %g to %g degC.",
                     VARIABLES[i - 1].name, values[i], component->strings[PARAMETER_SET], p->low_degC, p->high_degC);
}

/* What is wrong with parameters; empty if nothing is. */
static void check(const Component *component, char *problem, size_t room) {
    const double *values = component->values;
    static const int ABOVE_ZERO[] = {CAPACITY_P, HEAT_CAPACITY, RADIAL_CONDUCTIVITY, CELL_LENGTH, V_MIN, V_MAX, I_MAX};
    static const int AT_LEAST_ZERO[] = {AGEING, CAPACITY_SPREAD, RESISTANCE_SPREAD, SOC_SPREAD, SEED};
    for (size_t i = 0; i < sizeof ABOVE_ZERO / sizeof *ABOVE_ZERO; i++) {
        const double value = given(component, ABOVE_ZERO[i], 1);
        if (!(isfinite(value) && value > 0)) {
            snprintf(problem, room, "%s is %g: give a number above 0, or %g for that of the parameter set.",
                     VARIABLES[ABOVE_ZERO[i] - 1].name, value, UNSET);
            return;
        }
    }
    for (size_t i = 0; i < sizeof AT_LEAST_ZERO / sizeof *AT_LEAST_ZERO; i++)
        if (!(isfinite(values[AT_LEAST_ZERO[i]]) && values[AT_LEAST_ZERO[i]] >= 0)) {
            snprintf(problem, room, "%s is %g: give 0 or more.", VARIABLES[AT_LEAST_ZERO[i] - 1].name,
                     values[AT_LEAST_ZERO[i]]);
            return;
        }
    if (!(given(component, HEAT_LOSS, 0) >= 0))
        snprintf(problem, room, "Heat_Loss is %g: give 0 or more, or %g for that of the parameter set.",
                 values[HEAT_LOSS], UNSET);
    if (values[LIMIT_ACTION] != REGULATE && values[LIMIT_ACTION] != END)
        snprintf(problem, room, "Limit_Action is %g: 0 regulates the current, 1 ends the run.", values[LIMIT_ACTION]);
    for (size_t k = 0; k < component->units; k++) {
        const double capacity = component->arrays[CAPACITY_FACTORS][k],
                     resistance = component->arrays[RESISTANCE_FACTORS][k];
        if (!is_within(capacity, 0.01, 100) || !is_within(resistance, 0.01, 100) ||
            !is_within(component->arrays[SOC_OFFSETS][k], -100, 100))
            snprintf(problem, room,
                     "Cell %zu has the capacity factor %g, resistance factor %g and SoC offset %g %%: give factors of "
                     "0.01 to 100.",
                     k + 1, capacity, resistance, component->arrays[SOC_OFFSETS][k]);
    }
}

static void set_traits(const Component *component, const CellParameters *p, CellTraits *traits) {
    const double *values = component->values;
    const double set_Ah = (p->x_full[0] - p->x_empty[0]) * p->electrode_Ah[0];
    const double capacity = given(component, CAPACITY_P, set_Ah) / set_Ah;
    const uint64_t seed = (uint64_t)values[SEED];
    for (size_t k = 0; k < component->units; k++)
        traits[k] = (CellTraits){
            .capacity = capacity * component->arrays[CAPACITY_FACTORS][k] *
                        fmax(1 + values[CAPACITY_SPREAD] / 100 * draw(seed, 2 * k), 0.01),
            .resistance = component->arrays[RESISTANCE_FACTORS][k] *
                          fmax(1 + values[RESISTANCE_SPREAD] / 100 * draw(seed, 2 * k + 1), 0.01),
            .ageing = values[AGEING],
            .heat_capacity_J_per_K = given(component, HEAT_CAPACITY, capacity * p->heat_capacity_J_per_K),
            .heat_loss_W_per_K = given(component, HEAT_LOSS, capacity * p->heat_loss_W_per_K),
        };
}

static void release(Component *component) { free(component->resource); }

static void forget(Component *component) {
    parameters_free(((Kept *)component->kept)->parameters);
    free(component->kept);
}

/* Make everything that follows from the parameters; what is wrong is said in problem. */
static Battery *prepare(Component *component, char *problem, size_t room) {
    *problem = 0;
    char reason[200];
    const char *name = component->strings[MODEL];
    CellParameters *p = read_set(component, reason, sizeof reason);
    if (!p) return snprintf(problem, room, "Parameter_Set %s: %s.", component->strings[PARAMETER_SET], reason), NULL;
    const bool is_circuit = !strcmp(name, "circuit");
    if (!is_circuit && strcmp(name, "SPMe"))
        return snprintf(problem, room, "Model is '%.40s': give SPMe or circuit.", name), NULL;
    if (is_circuit && !p->has_circuit)
        return snprintf(problem, room, "Parameter_Set %s has no circuit: derive one, or take the SPMe.",
                        component->strings[PARAMETER_SET]),
               NULL;
    check(component, problem, room);
    if (*problem) return NULL;
    const size_t n = component->units;
    release(component), component->resource = NULL;
    const size_t head = (sizeof(Battery) + n * sizeof(CellTraits) + 15) / 16 * 16;
    Battery *battery = component->resource = calloc(1, head + 2 * n * (sizeof(CellState) + sizeof(double)));
    if (!battery) return snprintf(problem, room, "out of memory"), NULL;
    set_traits(component, p, battery->traits);
    Cycler *cycler = &battery->cycler;
    cycler->before = (CellState *)((char *)battery + head), cycler->trial = cycler->before + n;
    cycler->before_A = (double *)(cycler->trial + n), cycler->trial_A = cycler->before_A + n;
    cycler->pack = (Pack){p, battery->traits, is_circuit ? CIRCUIT : SPME, component->now->structure[SERIES],
                          component->now->structure[PARALLEL]};
    cycler->limits = (Limits){given(component, V_MIN, p->low_V),
                              given(component, V_MAX, p->high_V),
                              given(component, SOC_MIN, -1e6) / 100,
                              given(component, SOC_MAX, 1e6) / 100,
                              given(component, T_MIN, -KELVIN) + KELVIN,
                              given(component, T_MAX, 1e6) + KELVIN,
                              given(component, I_MAX, 1e6),
                              component->values[LIMIT_ACTION] == END ? END : REGULATE};
    cycler->procedure = (const double (*)[N_COLUMNS])component->arrays[PROCEDURE];
    cycler->n_stages = procedure_length(cycler->procedure);
    for (int i = 0; i < cycler->n_stages; i++) {
        const double ambient_degC = cycler->procedure[i][AMBIENT_degC];
        if (ambient_degC > 0.5 * UNSET && !is_within(ambient_degC, p->low_degC - 1e-9, p->high_degC + 1e-9))
            return snprintf(problem, room,
                            "Stage %d sets the chamber to %g degC: the parameter set %s holds from %g to %g degC.",
                            i + 1, ambient_degC, component->strings[PARAMETER_SET], p->low_degC, p->high_degC),
                   NULL;
    }
    const Report found = cycler_check(cycler);
    if (found.severity) snprintf(problem, room, "%s", found.text);
    return found.severity ? NULL : battery;
}

/* Before the first step the states follow the initial inputs. */
static void begin_cells(Component *component, const Battery *battery) {
    const double *values = component->values;
    for (size_t k = 0; k < component->units; k++) {
        const double offset =
            component->arrays[SOC_OFFSETS][k] + values[SOC_SPREAD] * draw((uint64_t)values[SEED] + 1000003, k);
        const double soc = fmin(fmax((values[INITIAL_SOC_IN] + offset) / 100, 0), 1);
        cell_begin(battery->cycler.pack.parameters, &battery->traits[k], battery->cycler.pack.variant,
                   &own(component)->cells[k], soc, values[INITIAL_TEMPERATURE_IN] + KELVIN);
        currents(component)[k] = 0;
    }
    cycler_begin(&battery->cycler, &own(component)->cycler);
    own(component)->warned = 0;
}

static fmi3Status begin(Component *component) {
    char problem[400];
    const Battery *battery = prepare(component, problem, sizeof problem);
    if (battery) check_inputs(component, battery->cycler.pack.parameters, problem, sizeof problem);
    if (*problem) return fail(component, "%s", problem);
    begin_cells(component, battery);
    return fmi3OK;
}

/* A state was put back: parameters may be others, and lie elsewhere. */
static fmi3Status restored(Component *component) {
    char problem[400];
    const Battery *battery = prepare(component, problem, sizeof problem);
    const CyclerState *state = &own(component)->cycler;
    if (!battery) return fail(component, "The state cannot be taken: %s", problem);
    if (state->stage < 0 || state->stage > battery->cycler.n_stages)
        return fail(component, "The state cannot be taken: it is in stage %d of %d.", state->stage + 1,
                    battery->cycler.n_stages);
    return fmi3OK;
}

/* ---- stepping ---- */

/* Warn once when the set's validity is left, and again only after it was entered. */
static fmi3Status check_validity(Component *component, const CellParameters *p) {
    const double *values = component->values;
    const bool is_outside = values[HOTTEST] > p->warm_degC + 1e-3 || values[COLDEST] < p->cool_degC - 1e-3;
    const bool is_news = is_outside && !own(component)->warned;
    own(component)->warned = is_outside;
    if (!is_news) return fmi3OK;
    return warn(component, "The cells are at %g to %g degC at t = %g s: the parameter set was made for %g to %g degC.",
                values[COLDEST], values[HOTTEST], component->now->time_s, p->cool_degC, p->warm_degC);
}

static void calculate(Component *component) {
    char problem[400];
    double *values = component->values;
    if (component->now->phase < INITIALIZING) return;
    if (component->now->phase == INITIALIZING) {
        const Battery *battery = prepare(component, problem, sizeof problem);
        if (battery) check_inputs(component, battery->cycler.pack.parameters, problem, sizeof problem);
        if (*problem) return; /* told when initialization mode is left */
        begin_cells(component, battery);
    }
    const Battery *battery = component->resource;
    if (!battery) return;
    const Cycler *cycler = &battery->cycler;
    const Pack *pack = &cycler->pack;
    const CellState *cells = own(component)->cells;
    const CyclerState *state = &own(component)->cycler;
    double *shared_A = cycler->trial_A; /* looking changes nothing */
    memcpy(shared_A, currents(component), component->units * sizeof *shared_A);
    const double I = cycler_current(cycler, state, cells, shared_A, values[CURRENT_IN]);
    const PackOutput out = pack_output(pack, cells, shared_A, I);
    const double pi = 3.14159265358979323846, n = (double)component->units;
    const double radial = given(component, RADIAL_CONDUCTIVITY, pack->parameters->radial_W_per_mK);
    const double length_m = given(component, CELL_LENGTH, pack->parameters->length_m);
    values[CURRENT_OUT] = I, values[UNIT_VOLTAGE] = out.voltage_V, values[OPEN_CIRCUIT] = out.open_V;
    values[MEAN_TEMPERATURE] = out.mean_K - KELVIN;
    values[COLDEST] = out.low_K - KELVIN, values[HOTTEST] = out.high_K - KELVIN;
    values[GRADIENT] = out.heat_W / n / (4 * pi * radial * length_m);
    values[SOC] = 100 * out.soc, values[SOH] = 100 * out.soh, values[CAPACITY] = out.capacity_Ah;
    values[SERIES_RESISTANCE] = 1e3 * out.series_Ohm;
    values[AMBIENT_OUT] = isnan(state->ambient_degC) ? values[AMBIENT_IN] : state->ambient_degC;
    values[STOP_REASON] = state->reason;
    values[STORED] = out.stored_J / 3600, values[MIXING] = out.mixing_J;
    values[STAGE] = state->shown_stage, values[CYCLE] = state->cycle, values[STEP_COUNT] = state->stages_begun;
    values[OVER] = state->reason != GOES_ON;
    values[CHARGED] = state->charged_Ah, values[DISCHARGED] = state->discharged_Ah;
    values[CHARGED_ENERGY] = state->charged_Wh, values[DISCHARGED_ENERGY] = state->discharged_Wh;
    values[HEAT] = out.heat_W, values[HEAT_TOTAL] = out.heat_J;
    values[LOWEST_V] = out.low_V, values[HIGHEST_V] = out.high_V;
    values[FILM] = 1e9 * cells[0].film_m, values[LOSS] = 0;
    for (size_t k = 0; k < component->units; k++) {
        values[LOSS] += cells[k].loss_Ah * battery->traits[k].capacity / n;
        component->arrays[CURRENTS][k] = shared_A[k];
        component->arrays[VOLTAGES][k] =
            cell_output(pack->parameters, pack->traits + k, pack->variant, cells + k, shared_A[k]).voltage_V;
        component->arrays[TEMPERATURES][k] = cells[k].T_K - KELVIN;
        component->arrays[SOCS][k] = 100 * cell_soc(pack->parameters, pack->traits + k, pack->variant, cells + k);
    }
    values[CELL_VOLTAGE] = component->arrays[VOLTAGES][0];
}

static fmi3Status step(Component *component, double step_s) {
    const Battery *battery = component->resource;
    const double *values = component->values;
    if (!battery) return fail(component, "It has not been initialised.");
    const CellParameters *p = battery->cycler.pack.parameters;
    if (!is_within(values[AMBIENT_IN], p->low_degC - 1e-9, p->high_degC + 1e-9))
        return fail(
            component, "Ambient_Temperature_In is %g degC at t = %g s: the parameter set %s holds from %g to %g degC.",
            values[AMBIENT_IN], component->now->time_s, component->strings[PARAMETER_SET], p->low_degC, p->high_degC);
    const Report told = cycler_advance(&battery->cycler, &own(component)->cycler, own(component)->cells,
                                       currents(component), values[CURRENT_IN], values[AMBIENT_IN], step_s);
    if (told.severity == 3) return fail(component, "%s", told.text);
    calculate(component), component->is_stale = false;
    const fmi3Status status = check_validity(component, p);
    if (told.severity == 2) return warn(component, "At t = %g s or soon after: %s", component->now->time_s, told.text);
    if (told.severity == 1) say(component, fmi3OK, "logAll", "%s", told.text);
    return status;
}

const Model model = {"FMU_Battery_Model",
                     N_PLUS_1 - 1,
                     VARIABLES,
                     N_STRINGS,
                     begin,
                     step,
                     calculate,
                     release,
                     .n_arrays = N_ARRAYS,
                     .arrays = ARRAYS,
                     .n_structure = N_STRUCTURE,
                     .structure = STRUCTURE,
                     .own_bytes = own_bytes,
                     .forget = forget,
                     .restored = restored,
                     .string_starts = STRING_STARTS};
