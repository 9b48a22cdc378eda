#include "procedure.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#define BIT(column) (1u << (column))

static const Report FINE = {0, ""};
static const char *const NAMES[N_MODES] = {"nothing", "rest",       "current", "voltage",
                                           "power",   "resistance", "profile", "loop"};

/* What can end a stage that holds something: not what is held itself. */
enum {
    BY_CELL = BIT(DURATION_s) | BIT(SOC_BELOW_pct) | BIT(SOC_ABOVE_pct) | BIT(TEMPERATURE_BELOW_degC) |
        BIT(TEMPERATURE_ABOVE_degC),
    BY_VOLTAGE = BIT(VOLTAGE_BELOW_V) | BIT(VOLTAGE_ABOVE_V),
};
static const unsigned ENDS[N_MODES] = {
    [REST] = BIT(DURATION_s) | BIT(TEMPERATURE_BELOW_degC) | BIT(TEMPERATURE_ABOVE_degC) | BY_VOLTAGE,
    [CURRENT] = BY_CELL | BY_VOLTAGE | BIT(CHARGE_Ah),
    [VOLTAGE] = BY_CELL | BIT(CURRENT_BELOW_A) | BIT(CHARGE_Ah),
    [POWER] = BY_CELL | BY_VOLTAGE | BIT(CURRENT_BELOW_A) | BIT(CHARGE_Ah),
    [RESISTANCE] = BY_CELL | BY_VOLTAGE | BIT(CURRENT_BELOW_A) | BIT(CHARGE_Ah),
    [PROFILE] = BY_CELL | BY_VOLTAGE | BIT(CHARGE_Ah),
};

/* What a number in a column can be. */
static const struct {
    const char *what;
    double low, high;
} RANGES[N_COLUMNS] = {
    [DURATION_s] = {"lasts %g s", SHORTEST_s, 1e10},
    [VOLTAGE_BELOW_V] = {"ends below %g V", 0, 1e5},
    [VOLTAGE_ABOVE_V] = {"ends above %g V", 0, 1e5},
    [CURRENT_BELOW_A] = {"ends below %g A", 0, 1e6},
    [CHARGE_Ah] = {"ends after %g Ah", 0, 1e6},
    [SOC_BELOW_pct] = {"ends below %g %% of charge", -100, 200},
    [SOC_ABOVE_pct] = {"ends above %g %% of charge", -100, 200},
    [TEMPERATURE_BELOW_degC] = {"ends below %g degC", -273.15, 1000},
    [TEMPERATURE_ABOVE_degC] = {"ends above %g degC", -273.15, 1000},
    [AMBIENT_degC] = {"sets the chamber to %g degC", -273.15, 1000},
    [AMBIENT_RATE_K_PER_min] = {"warms the chamber by %g K/min", 1e-6, 1e6},
    [MOST_CURRENT_A] = {"gives %g A at most", 1e-9, 1e6},
};

Report report(int severity, const char *format, ...) {
    Report told = {severity, ""};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(told.text, sizeof told.text, format, arguments);
    va_end(arguments);
    return told;
}

int procedure_length(const double (*procedure)[N_COLUMNS]) {
    int n = 0;
    while (n < MOST_STAGES && procedure[n][MODE] != NOTHING) n++;
    return n;
}

static Report check_loop(const double *stage, int number) {
    if (!(stage[VALUE] >= 1 && stage[VALUE] < number && stage[VALUE] == floor(stage[VALUE])))
        return report(3, "Stage %d goes back to stage %g: give one before it, counted from 1.", number, stage[VALUE]);
    if (!IS_SET(stage[REPEATS]) && !IS_SET(stage[SOH_BELOW_pct]))
        return report(3, "Stage %d is a loop without an end: give its repeats, or the state of health that ends it.",
                      number);
    if (IS_SET(stage[REPEATS]) &&
        !(stage[REPEATS] >= 1 && stage[REPEATS] <= 1e6 && stage[REPEATS] == floor(stage[REPEATS])))
        return report(3, "Stage %d repeats %g times: give 1 to 1000000.", number, stage[REPEATS]);
    if (IS_SET(stage[SOH_BELOW_pct]) && !(stage[SOH_BELOW_pct] > 0 && stage[SOH_BELOW_pct] < 100))
        return report(3, "Stage %d goes on until %g %% of health: give more than 0 and less than 100.", number,
                      stage[SOH_BELOW_pct]);
    return FINE;
}

static Report check_numbers(const double *stage, int number) {
    for (int column = 0; column < N_COLUMNS; column++) {
        const double value = stage[column];
        if (!isfinite(value))
            return report(3, "Stage %d has %g in column %d: give finite numbers.", number, value, column + 1);
        if (!RANGES[column].what || !IS_SET(value) || (value >= RANGES[column].low && value <= RANGES[column].high))
            continue;
        char what[80];
        snprintf(what, sizeof what, RANGES[column].what, value);
        return report(3, "Stage %d %s: give %g to %g.", number, what, RANGES[column].low, RANGES[column].high);
    }
    return FINE;
}

static bool contradict(const double *stage, int below, int above) {
    return IS_SET(stage[below]) && IS_SET(stage[above]) && stage[below] >= stage[above];
}

/* What a stage that holds something ends by, and whether that makes sense. */
static Report check_ends(const double *stage, int number, Mode mode) {
    bool can_end = false;
    for (int column = 0; column < N_COLUMNS; column++)
        can_end |= (ENDS[mode] & BIT(column)) && IS_SET(stage[column]) &&
                   !(column == CHARGE_Ah && mode == CURRENT && stage[VALUE] == 0);
    if (!can_end)
        return report(3, "Stage %d (%s) has no end: give its duration or another condition.", number, NAMES[mode]);
    for (int column = DURATION_s; column <= TEMPERATURE_ABOVE_degC; column++)
        if (!(ENDS[mode] & BIT(column)) && IS_SET(stage[column]))
            return report(3, "Stage %d (%s) has a condition in column %d, which cannot end it: leave it out.", number,
                          NAMES[mode], column + 1);
    if (contradict(stage, VOLTAGE_BELOW_V, VOLTAGE_ABOVE_V) || contradict(stage, SOC_BELOW_pct, SOC_ABOVE_pct) ||
        contradict(stage, TEMPERATURE_BELOW_degC, TEMPERATURE_ABOVE_degC))
        return report(3, "Stage %d ends below a value and above a lower one, which is always.", number);
    return FINE;
}

static Report check_limits(const double *stage, int number, double low_V, double high_V, double most_A) {
    const double slack = 1e-9 * high_V;
    if (IS_SET(stage[VOLTAGE_BELOW_V]) && stage[VOLTAGE_BELOW_V] < low_V - slack)
        return report(3,
                      "Stage %d ends below %g V, but the cells' limit comes first at %g V: they contradict each other.",
                      number, stage[VOLTAGE_BELOW_V], low_V);
    if (IS_SET(stage[VOLTAGE_ABOVE_V]) && stage[VOLTAGE_ABOVE_V] > high_V + slack)
        return report(3,
                      "Stage %d ends above %g V, but the cells' limit comes first at %g V: they contradict each other.",
                      number, stage[VOLTAGE_ABOVE_V], high_V);
    if (stage[MODE] == VOLTAGE && !(stage[VALUE] >= low_V - slack && stage[VALUE] <= high_V + slack))
        return report(3, "Stage %d holds %g V, outside the cells' limits of %g to %g V.", number, stage[VALUE], low_V,
                      high_V);
    if (stage[MODE] == CURRENT && fabs(stage[VALUE]) > most_A)
        return report(3, "Stage %d asks for %g A, but the cycler gives %g A at most.", number, stage[VALUE], most_A);
    return FINE;
}

static Report check_stage(const double *stage, int number, double low_V, double high_V, double most_A) {
    const double mode = stage[MODE];
    Report found = check_numbers(stage, number);
    if (found.severity) return found;
    if (!(mode >= REST && mode < N_MODES && mode == floor(mode)))
        return report(3,
                      "Stage %d has mode %g: 1 rest, 2 current, 3 voltage, 4 power, 5 resistance, 6 profile, 7 loop.",
                      number, mode);
    if (mode == LOOP) return check_loop(stage, number);
    if (mode >= CURRENT && mode <= RESISTANCE && !IS_SET(stage[VALUE]))
        return report(3, "Stage %d regulates %s and has no value.", number, NAMES[(int)mode]);
    if (mode == RESISTANCE && !(stage[VALUE] > 0))
        return report(3, "Stage %d has a resistance of %g Ohm: give more than 0.", number, stage[VALUE]);
    found = check_ends(stage, number, (Mode)mode);
    return found.severity ? found : check_limits(stage, number, low_V, high_V, most_A);
}

Report procedure_check(const double (*procedure)[N_COLUMNS], double low_V, double high_V, double most_A) {
    const int n = procedure_length(procedure);
    for (int row = 0; row < n; row++) {
        const Report found = check_stage(procedure[row], row + 1, low_V, high_V, most_A);
        if (found.severity) return found;
    }
    for (int row = n; row < MOST_STAGES; row++)
        for (int column = 0; column < N_COLUMNS; column++)
            if (procedure[row][column] != 0 && IS_SET(procedure[row][column]))
                return report(3, "Stage %d is empty and stage %d is not: the procedure has a gap.", n + 1, row + 1);
    return FINE;
}
