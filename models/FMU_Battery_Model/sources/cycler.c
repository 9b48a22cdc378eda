#include "cycler.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define SHORTEST_s 1e-3 /* moments are found this closely at least */
#define CLOSE_V 1e-6
#define MOST_ROUNDS 60
#define FINE_s 1.0      /* parts of a step: this long after the current has changed, */
#define COARSE_s 10.0   /* this long in the end */
#define IS_SET(x) ((x) > 0.5 * UNSET)

static const char *const NAMES[N_MODES] = {"nothing", "rest", "current", "voltage", "power", "resistance", "profile", "loop"};

static const Report FINE = {0, ""};

static Report say(int severity, const char *format, ...) {
    Report report = {severity, ""};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(report.text, sizeof report.text, format, arguments);
    va_end(arguments);
    return report;
}

/* ---- before it begins ---- */

static bool can_end(const double *stage) {
    static const int ENDS[] = {DURATION_s, VOLTAGE_BELOW_V, VOLTAGE_ABOVE_V, CURRENT_BELOW_A, CHARGE_Ah, SOC_BELOW_pct,
                               SOC_ABOVE_pct, TEMPERATURE_BELOW_degC, TEMPERATURE_ABOVE_degC};
    const int n = stage[MODE] == REST || stage[MODE] == PROFILE ? 1 : (int)(sizeof ENDS / sizeof *ENDS);
    for (int i = 0; i < n; i++)
        if (IS_SET(stage[ENDS[i]])) return true;
    return stage[MODE] != PROFILE && (IS_SET(stage[TEMPERATURE_BELOW_degC]) || IS_SET(stage[TEMPERATURE_ABOVE_degC]));
}

static Report check_loop(const double *stage, int number) {
    if (!(stage[VALUE] >= 1 && stage[VALUE] < number && stage[VALUE] == floor(stage[VALUE])))
        return say(3, "Stage %d goes back to stage %g: give one before it, counted from 1.", number, stage[VALUE]);
    if (!IS_SET(stage[REPEATS]) && !IS_SET(stage[SOH_BELOW_pct]))
        return say(3, "Stage %d is a loop without an end: give its repeats, or the state of health that ends it.", number);
    if (IS_SET(stage[REPEATS]) && !(stage[REPEATS] >= 1 && stage[REPEATS] <= 1e6))
        return say(3, "Stage %d repeats %g times: give 1 to 1000000.", number, stage[REPEATS]);
    return FINE;
}

static Report check_stage(const Cycler *cycler, int number) {
    const double *stage = cycler->procedure[number - 1], series = (double)cycler->pack.series;
    const double mode = stage[MODE], low_V = cycler->limits.low_V * series, high_V = cycler->limits.high_V * series;
    for (int column = 0; column < N_COLUMNS; column++)
        if (!isfinite(stage[column])) return say(3, "Stage %d has %g in column %d: give finite numbers.", number, stage[column], column + 1);
    if (!(mode >= REST && mode < N_MODES && mode == floor(mode)))
        return say(3, "Stage %d has mode %g: 1 rest, 2 current, 3 voltage, 4 power, 5 resistance, 6 profile, 7 loop.", number, mode);
    if (mode == LOOP) return check_loop(stage, number);
    if (mode >= CURRENT && mode <= RESISTANCE && !IS_SET(stage[VALUE]))
        return say(3, "Stage %d regulates %s and has no value.", number, NAMES[(int)mode]);
    if (!can_end(stage)) return say(3, "Stage %d (%s) has no end: give its duration or another condition.", number, NAMES[(int)mode]);
    if (IS_SET(stage[DURATION_s]) && !(stage[DURATION_s] > 0))
        return say(3, "Stage %d lasts %g s: give more than 0 s.", number, stage[DURATION_s]);
    if (IS_SET(stage[VOLTAGE_BELOW_V]) && IS_SET(stage[VOLTAGE_ABOVE_V]) && stage[VOLTAGE_BELOW_V] >= stage[VOLTAGE_ABOVE_V])
        return say(3, "Stage %d ends below %g V and above %g V, which is always.", number, stage[VOLTAGE_BELOW_V], stage[VOLTAGE_ABOVE_V]);
    const double slack = 1e-9 * high_V;
    if (IS_SET(stage[VOLTAGE_BELOW_V]) && stage[VOLTAGE_BELOW_V] < low_V - slack)
        return say(3, "Stage %d ends below %g V, but the cells' limit comes first at %g V: they contradict each other.", number, stage[VOLTAGE_BELOW_V], low_V);
    if (IS_SET(stage[VOLTAGE_ABOVE_V]) && stage[VOLTAGE_ABOVE_V] > high_V + slack)
        return say(3, "Stage %d ends above %g V, but the cells' limit comes first at %g V: they contradict each other.", number, stage[VOLTAGE_ABOVE_V], high_V);
    if (mode == VOLTAGE && !(stage[VALUE] >= low_V - slack && stage[VALUE] <= high_V + slack))
        return say(3, "Stage %d holds %g V, outside the cells' limits of %g to %g V.", number, stage[VALUE], low_V, high_V);
    if (mode == RESISTANCE && !(stage[VALUE] > 0)) return say(3, "Stage %d has a resistance of %g Ohm: give more than 0.", number, stage[VALUE]);
    if (mode == CURRENT && fabs(stage[VALUE]) > cycler->limits.most_A)
        return say(3, "Stage %d asks for %g A, but the cycler gives %g A at most.", number, stage[VALUE], cycler->limits.most_A);
    return FINE;
}

Report cycler_check(const Cycler *cycler) {
    const Limits *limits = &cycler->limits;
    if (!(limits->low_V > 0 && limits->low_V < limits->high_V))
        return say(3, "The voltage limits %g and %g V contradict each other.", limits->low_V, limits->high_V);
    if (!(limits->low_soc < limits->high_soc))
        return say(3, "The SoC limits %g and %g %% contradict each other.", 100 * limits->low_soc, 100 * limits->high_soc);
    if (!(limits->low_K < limits->high_K))
        return say(3, "The temperature limits %g and %g degC contradict each other.", limits->low_K - KELVIN, limits->high_K - KELVIN);
    if (!(limits->most_A > 0)) return say(3, "The largest current is %g A: give more than 0.", limits->most_A);
    for (int number = 1; number <= cycler->n_stages; number++) {
        const Report report = check_stage(cycler, number);
        if (report.severity) return report;
    }
    for (int row = cycler->n_stages; cycler->procedure && row < MOST_STAGES; row++)
        for (int column = 0; column < N_COLUMNS; column++)
            if (cycler->procedure[row][column] != 0 && IS_SET(cycler->procedure[row][column]))
                return say(3, "Stage %d is empty and stage %d is not: the procedure has a gap.", cycler->n_stages + 1, row + 1);
    return FINE;
}

void cycler_begin(const Cycler *cycler, CyclerState *state) {
    *state = (CyclerState){.cycle = 1, .shown_stage = cycler->n_stages ? 1 : 0, .ambient_degC = NAN,
                           .stages_begun = cycler->n_stages ? 1 : 0};
}

/* ---- what is held over a part of a step ---- */

/* Where a trial ends. */
typedef struct {
    double current_A, voltage_V, low_V, high_V;
    bool is_open; /* what is regulated has not settled yet: voltage and current say nothing */
} Point;

static size_t cells_of(const Cycler *cycler) { return cycler->pack.series * cycler->pack.parallel; }

/* Copy the cells and their currents; of a circuit only what it has. */
static void copy(const Cycler *cycler, CellState *to, double *to_A, const CellState *from, const double *from_A) {
    const size_t n = cells_of(cycler), head = offsetof(CellState, circuit) + sizeof to->circuit;
    for (size_t k = 0; k < n; k++) memcpy(to + k, from + k, cycler->pack.variant == CIRCUIT ? head : sizeof *to);
    memcpy(to_A, from_A, n * sizeof *to_A);
}

static Point hold(const Cycler *cycler, double current_A, double ambient_K, double part_s) {
    Point point = {.current_A = current_A};
    copy(cycler, cycler->trial, cycler->trial_A, cycler->before, cycler->before_A);
    pack_advance(&cycler->pack, cycler->trial, cycler->trial_A, current_A, ambient_K, part_s);
    point.voltage_V = pack_voltage(&cycler->pack, cycler->trial, cycler->trial_A, current_A, &point.low_V, &point.high_V);
    return point;
}

/* What is regulated, as a number that grows with the current and shall become 0. */
static double miss(Mode mode, double value, const Point *point) {
    if (mode == POWER) return (point->voltage_V * point->current_A - value) / fmax(point->voltage_V, 0.1);
    if (mode == RESISTANCE) return point->voltage_V + point->current_A * value;
    return (mode == LOOP ? point->low_V : mode == PROFILE ? point->high_V : point->voltage_V) - value;
}

/* Whether a current drives a cell to where no model holds any more. */
static bool is_too_far(const Cycler *cycler, const Point *point) {
    return !(point->low_V > 0.5 * cycler->limits.low_V && point->high_V < 2 * cycler->limits.high_V);
}

/* Find the current that meets a value at the end of the part: the secant method, with a bracket once there is one. */
static Point regulate(const Cycler *cycler, CyclerState *state, Mode mode, double value, double least_A, double most_A,
                      double ambient_K, double part_s) {
    double slope = state->slope_Ohm > 0 ? state->slope_Ohm : 0.02;
    if (mode == RESISTANCE) slope += value;
    double a = fmin(fmax(state->current_A, least_A), most_A);
    Point point = hold(cycler, a, ambient_K, part_s);
    double f_a = miss(mode, value, &point), b = a, f_b = f_a;
    bool is_bracketed = false;
    for (int round = 0; round < MOST_ROUNDS && fabs(f_b) > CLOSE_V; round++) {
        double next = is_bracketed ? (a * f_b - b * f_a) / (f_b - f_a) : b - f_b / slope;
        if (is_bracketed && round % 4 == 3) next = 0.5 * (a + b);
        next = fmin(fmax(next, least_A), most_A);
        if (next == b) break; /* at the end of what is allowed */
        point = hold(cycler, next, ambient_K, part_s);
        for (int back = 0; back < 20 && is_too_far(cycler, &point); back++)
            next = 0.5 * (next + b), point = hold(cycler, next, ambient_K, part_s);
        const double f = miss(mode, value, &point);
        if (f_b * f < 0) {
            a = b, f_a = f_b, is_bracketed = true;
        } else if (is_bracketed) {
            f_a *= 0.5;
        } else {
            const double seen = (f - f_b) / (next - b);
            slope = seen > 0.1 * slope && isfinite(seen) ? seen : 0.5 * slope;
        }
        if (!is_bracketed && f_b * f >= 0 && fabs(f) > fabs(f_b)) slope *= 2;
        b = next, f_b = f;
    }
    if (mode == VOLTAGE && !is_bracketed && slope > 1e-4) state->slope_Ohm = slope;
    return point;
}

/* A profile is followed as far as each cell's limits allow. */
static Point follow(const Cycler *cycler, CyclerState *state, double profile_A, double ambient_K, double part_s) {
    const Limits *limits = &cycler->limits;
    const double wanted_A = fmin(fmax(profile_A, -limits->most_A), limits->most_A);
    const Point point = hold(cycler, wanted_A, ambient_K, part_s);
    const double soc = pack_soc(&cycler->pack, cycler->trial);
    if ((wanted_A > 0 && soc > limits->high_soc) || (wanted_A < 0 && soc < limits->low_soc)) return hold(cycler, 0, ambient_K, part_s);
    if (limits->on_limit == END) return point;
    if (wanted_A > 0 && point.high_V > limits->high_V) return regulate(cycler, state, PROFILE, limits->high_V, 0, wanted_A, ambient_K, part_s);
    if (wanted_A < 0 && point.low_V < limits->low_V) return regulate(cycler, state, LOOP, limits->low_V, wanted_A, 0, ambient_K, part_s);
    return point;
}

static Point carry_out(const Cycler *cycler, CyclerState *state, const double *stage, double profile_A, double ambient_K, double part_s) {
    if (state->is_over) return hold(cycler, 0, ambient_K, part_s);
    if (!stage || stage[MODE] == PROFILE) return follow(cycler, state, profile_A, ambient_K, part_s);
    if (stage[MODE] == REST) return hold(cycler, 0, ambient_K, part_s);
    if (stage[MODE] == CURRENT) return hold(cycler, stage[VALUE], ambient_K, part_s);
    double most_A = fmin(cycler->limits.most_A, IS_SET(stage[MOST_CURRENT_A]) ? fabs(stage[MOST_CURRENT_A]) : INFINITY), least_A = -most_A;
    if (stage[MODE] == RESISTANCE || (stage[MODE] == POWER && stage[VALUE] < 0)) most_A = 0;
    if (stage[MODE] == POWER && stage[VALUE] > 0) least_A = 0;
    const Point point = regulate(cycler, state, (Mode)stage[MODE], stage[VALUE], least_A, most_A, ambient_K, part_s);
    if (stage[MODE] == VOLTAGE) return point;
    /* what cannot be had within the limits ends at them */
    if (point.low_V < cycler->limits.low_V && point.current_A < 0)
        return regulate(cycler, state, LOOP, cycler->limits.low_V, least_A, 0, ambient_K, part_s);
    if (point.high_V > cycler->limits.high_V && point.current_A > 0)
        return regulate(cycler, state, PROFILE, cycler->limits.high_V, 0, most_A, ambient_K, part_s);
    return point;
}

/* ---- when it ends ---- */

typedef struct {
    double by; /* at least 0: it has ended; grows continuously towards it */
    const char *limit; /* of the cells, not the stage's own condition */
} Ending;

static void note(Ending *ending, double by, const char *limit) {
    if (by > ending->by) *ending = (Ending){by, limit};
}

/* How far the cells are beyond the end of a stage, and of what they may do. */
static Ending look(const Cycler *cycler, const CyclerState *state, const double *stage, const CellState *cells, const Point *point, double part_s) {
    const Limits *limits = &cycler->limits;
    const double I = point->current_A, hottest_K = pack_hottest_K(&cycler->pack, cells);
    Ending ending = {-INFINITY, NULL};
    note(&ending, hottest_K - limits->high_K, "temperature");
    note(&ending, limits->low_K - hottest_K, "temperature");
    if (!stage || stage[MODE] == PROFILE) {
        if (limits->on_limit == END && I > 0) note(&ending, point->high_V - limits->high_V, "upper voltage");
        if (limits->on_limit == END && I < 0) note(&ending, limits->low_V - point->low_V, "lower voltage");
        return ending;
    }
    const bool is_free = stage[MODE] == CURRENT || stage[MODE] == POWER || stage[MODE] == RESISTANCE;
    const double soc = IS_SET(stage[SOC_BELOW_pct]) || IS_SET(stage[SOC_ABOVE_pct]) || limits->low_soc > -1 || limits->high_soc < 2
                           ? pack_soc(&cycler->pack, cells) : 0.5;
    const double reach_V = stage[MODE] == CURRENT ? 0 : 3 * CLOSE_V; /* power and load are held at the limit, not beyond */
    if (IS_SET(stage[SOC_BELOW_pct])) note(&ending, stage[SOC_BELOW_pct] / 100 - soc, NULL);
    if (IS_SET(stage[SOC_ABOVE_pct])) note(&ending, soc - stage[SOC_ABOVE_pct] / 100, NULL);
    if (IS_SET(stage[TEMPERATURE_BELOW_degC])) note(&ending, stage[TEMPERATURE_BELOW_degC] + KELVIN - hottest_K, NULL);
    if (IS_SET(stage[TEMPERATURE_ABOVE_degC])) note(&ending, hottest_K - stage[TEMPERATURE_ABOVE_degC] - KELVIN, NULL);
    if (point->is_open) return ending;
    if (is_free && I > 0) note(&ending, point->high_V - limits->high_V + reach_V, "upper voltage");
    if (is_free && I < 0) note(&ending, limits->low_V - point->low_V + reach_V, "lower voltage");
    if (I > 0) note(&ending, soc - limits->high_soc, "upper SoC");
    if (I < 0) note(&ending, limits->low_soc - soc, "lower SoC");
    if (IS_SET(stage[VOLTAGE_BELOW_V])) note(&ending, stage[VOLTAGE_BELOW_V] - point->voltage_V, NULL);
    if (IS_SET(stage[VOLTAGE_ABOVE_V])) note(&ending, point->voltage_V - stage[VOLTAGE_ABOVE_V], NULL);
    if (IS_SET(stage[CURRENT_BELOW_A]) && stage[MODE] != CURRENT && state->stage_s + part_s > 0) note(&ending, stage[CURRENT_BELOW_A] - fabs(I), NULL);
    if (IS_SET(stage[CHARGE_Ah]) && stage[MODE] != CURRENT) note(&ending, fabs(state->stage_Ah + I * part_s / 3600) - stage[CHARGE_Ah], NULL);
    return ending;
}

/* How long a stage may go on by the clock. */
static double time_left(const CyclerState *state, const double *stage) {
    double left_s = INFINITY;
    if (!stage) return left_s;
    if (IS_SET(stage[DURATION_s])) left_s = stage[DURATION_s] - state->stage_s;
    if (IS_SET(stage[CHARGE_Ah]) && stage[MODE] == CURRENT && stage[VALUE] != 0)
        left_s = fmin(left_s, (stage[CHARGE_Ah] - fabs(state->stage_Ah)) * 3600 / fabs(stage[VALUE]));
    return left_s;
}

/* Begin the next stage that takes time. */
static Report go_on(const Cycler *cycler, CyclerState *state, const CellState *cells) {
    state->stage++;
    for (int moves = 0; moves < 4 * MOST_STAGES; moves++) {
        if (state->stage >= cycler->n_stages) {
            state->is_over = true, state->since_s = 0;
            return say(1, "The procedure is over.");
        }
        const double *stage = cycler->procedure[state->stage];
        if (stage[MODE] != LOOP) {
            state->stage_s = state->stage_Ah = state->since_s = 0, state->stages_begun++;
            return FINE;
        }
        int *done = &state->repeats[state->stage];
        bool is_done = IS_SET(stage[REPEATS]) && ++*done >= stage[REPEATS];
        if (IS_SET(stage[SOH_BELOW_pct])) {
            double now_Ah = 0, new_Ah = 0;
            for (size_t k = 0; k < cells_of(cycler); k++) {
                const CellState fresh = {.loss_Ah = 0};
                now_Ah += cell_capacity_Ah(cycler->pack.parameters, cycler->pack.traits + k, cells + k);
                new_Ah += cell_capacity_Ah(cycler->pack.parameters, cycler->pack.traits + k, &fresh);
            }
            is_done |= 100 * now_Ah / new_Ah < stage[SOH_BELOW_pct];
        }
        if (is_done) *done = 0, state->stage++;
        else state->stage = (int)stage[VALUE] - 1, state->cycle++;
    }
    return say(3, "The loops of the procedure go round without taking any time.");
}

/* ---- a step ---- */

/* The chamber's set point, which may move slowly. */
static double ambient_of(CyclerState *state, const double *stage, double given_degC, double part_s) {
    if (stage && !state->is_over && IS_SET(stage[AMBIENT_degC])) {
        if (isnan(state->ambient_degC)) state->ambient_degC = given_degC;
        const double most_K = IS_SET(stage[AMBIENT_RATE_K_PER_min]) ? fabs(stage[AMBIENT_RATE_K_PER_min]) * part_s / 60 : INFINITY;
        const double change_K = stage[AMBIENT_degC] - state->ambient_degC;
        state->ambient_degC += fmin(fmax(change_K, -most_K), most_K);
    }
    return isnan(state->ambient_degC) ? given_degC : state->ambient_degC;
}

/* Keep what a part has brought. */
static void accept(const Cycler *cycler, CyclerState *state, CellState *cells, double *currents_A, const Point *point, double before_V, double part_s) {
    const double Ah = point->current_A * part_s / 3600, Wh = Ah * 0.5 * (before_V + point->voltage_V);
    copy(cycler, cells, currents_A, cycler->trial, cycler->trial_A);
    if (Ah > 0) state->charged_Ah += Ah, state->charged_Wh += Wh;
    else state->discharged_Ah -= Ah, state->discharged_Wh -= Wh;
    state->stage_Ah += Ah, state->stage_s += part_s, state->since_s += part_s;
    state->current_A = point->current_A;
}

/* The part of a step after which a stage ends: where its ending passes 0, between 0 and part_s. */
static Point find_end(const Cycler *cycler, CyclerState *state, const double *stage, double profile_A, double ambient_K,
                      Ending before, Ending after, double *part_s) {
    double early_s = 0, late_s = *part_s, f_early = before.by, f_late = after.by;
    if (!isfinite(f_early)) f_early = -fmax(f_late, CLOSE_V);
    for (int round = 0; round < MOST_ROUNDS && late_s - early_s > SHORTEST_s && fabs(f_late) > CLOSE_V; round++) {
        double at_s = late_s - f_late * (late_s - early_s) / (f_late - f_early);
        if (round % 3 == 2 || !(at_s > early_s && at_s < late_s)) at_s = 0.5 * (early_s + late_s);
        const Point point = carry_out(cycler, state, stage, profile_A, ambient_K, at_s);
        const double f = look(cycler, state, stage, cycler->trial, &point, at_s).by;
        if (f >= 0) late_s = at_s, f_late = f;
        else early_s = at_s, f_early = f;
    }
    *part_s = late_s;
    return carry_out(cycler, state, stage, profile_A, ambient_K, late_s);
}

Report cycler_advance(const Cycler *cycler, CyclerState *state, CellState *cells, double *currents_A, double profile_A,
                      double ambient_degC, double step_s) {
    Report told = FINE;
    double left_s = step_s;
    int idle = 0;
    while (left_s > 1e-9 * step_s) {
        const bool is_in_stage = cycler->n_stages && !state->is_over;
        const double *stage = is_in_stage ? cycler->procedure[state->stage] : NULL;
        const double known_A = state->is_over || (stage && stage[MODE] == REST) ? 0
                               : stage && stage[MODE] == CURRENT                ? stage[VALUE]
                               : !stage || stage[MODE] == PROFILE               ? profile_A
                                                                                : state->current_A;
        Point begin = {.current_A = known_A};
        begin.voltage_V = pack_voltage(&cycler->pack, cells, currents_A, known_A, &begin.low_V, &begin.high_V);
        const bool is_new = fabs(known_A - state->current_A) > 1e-6;
        if (is_new) state->since_s = 0;
        const double calm_s = fmin(fmax(0.2 * state->since_s, FINE_s), COARSE_s);
        double part_s = fmin(fmin(left_s, calm_s), time_left(state, stage));
        Ending before = {-INFINITY, NULL}, after = {-INFINITY, NULL};
        const bool is_regulated = stage && stage[MODE] >= VOLTAGE && stage[MODE] <= RESISTANCE;
        begin.is_open = is_regulated && state->stage_s == 0;
        if (!state->is_over && part_s > 0) before = look(cycler, state, stage, cells, &begin, 0);
        bool has_ended = part_s <= 0 || (stage && before.by >= 0);
        if (!has_ended) {
            copy(cycler, cycler->before, cycler->before_A, cells, currents_A);
            const double ambient_K = ambient_of(state, stage, ambient_degC, part_s) + KELVIN;
            Point point = carry_out(cycler, state, stage, profile_A, ambient_K, part_s);
            if (!isfinite(point.voltage_V)) return say(3, "The cells left all bounds with %g A over %g s.", point.current_A, part_s);
            if (!state->is_over) after = look(cycler, state, stage, cycler->trial, &point, part_s);
            has_ended = after.by >= 0;
            if (has_ended && part_s > SHORTEST_s) point = find_end(cycler, state, stage, profile_A, ambient_K, before, after, &part_s);
            accept(cycler, state, cells, currents_A, &point, begin.is_open ? point.voltage_V : begin.voltage_V, part_s);
            left_s -= part_s, idle = 0;
            state->shown_stage = state->is_over || !stage ? 0 : state->stage + 1;
            if (!has_ended && time_left(state, stage) > 1e-9) continue;
        }
        const char *limit = after.by >= 0 ? after.limit : before.by >= 0 ? before.limit : NULL;
        if (limit && (!stage || *limit == 't')) {
            state->is_over = true, state->since_s = 0;
            told = say(2, "The %s limit ended the %s; no current flows from here on.", limit, stage ? "procedure" : "profile");
            continue;
        }
        if (limit) told = say(1, "The cells' %s limit ended stage %d.", limit, state->stage + 1);
        const Report moved = go_on(cycler, state, cells);
        if (moved.severity) told = moved;
        if (moved.severity == 3 || ++idle > 4 * MOST_STAGES) return say(3, "The loops of the procedure go round without taking any time.");
    }
    return told;
}

/* Whether a current would at once drive a cell beyond its limits. */
static bool is_beyond(const Cycler *cycler, const CellState *cells, double *currents_A, double current_A) {
    double low_V, high_V;
    pack_voltage(&cycler->pack, cells, currents_A, current_A, &low_V, &high_V);
    return (current_A > 0 && high_V > cycler->limits.high_V + CLOSE_V) || (current_A < 0 && low_V < cycler->limits.low_V - CLOSE_V);
}

double cycler_current(const Cycler *cycler, const CyclerState *state, const CellState *cells, double *currents_A, double profile_A) {
    if (state->is_over) return state->shown_stage ? state->current_A : 0;
    const double *stage = cycler->n_stages ? cycler->procedure[state->stage] : NULL;
    const bool has_begun = state->since_s > 0 || state->stage_s > 0 || state->stages_begun > 1;
    if (has_begun && state->stage_s == 0 && stage) return state->current_A; /* the next stage begins with the next step */
    if (stage && stage[MODE] != PROFILE) {
        if (has_begun || stage[MODE] != CURRENT) return state->current_A;
        return is_beyond(cycler, cells, currents_A, stage[VALUE]) ? 0 : stage[VALUE];
    }
    const double most_A = cycler->limits.most_A, wanted_A = fmin(fmax(profile_A, -most_A), most_A);
    if (cycler->limits.on_limit == END || !is_beyond(cycler, cells, currents_A, wanted_A)) return wanted_A;
    return wanted_A > 0 ? fmin(wanted_A, fmax(state->current_A, 0)) : fmax(wanted_A, fmin(state->current_A, 0));
}
