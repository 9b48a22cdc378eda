#include "cycler.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define CLOSE_V 1e-6
#define MOST_ROUNDS 60
#define FINE_s 1.0     /* parts of a step: this long after the current has changed, */
#define COARSE_s 10.0  /* this long in the end, */
#define RESTING_s 60.0 /* and this long at rest */

static const Report FINE = {0, ""};

Report cycler_check(const Cycler *cycler) {
    const Limits *limits = &cycler->limits;
    const double series = (double)cycler->pack.series;
    if (!(limits->low_V > 0 && limits->low_V < limits->high_V))
        return report(3, "The voltage limits %g and %g V contradict each other.", limits->low_V, limits->high_V);
    if (!(limits->low_soc < limits->high_soc))
        return report(3, "The SoC limits %g and %g %% contradict each other.", 100 * limits->low_soc,
                      100 * limits->high_soc);
    if (!(limits->low_K < limits->high_K))
        return report(3, "The temperature limits %g and %g degC contradict each other.", limits->low_K - KELVIN,
                      limits->high_K - KELVIN);
    if (!(limits->most_A > 0)) return report(3, "The largest current is %g A: give more than 0.", limits->most_A);
    return procedure_check(cycler->procedure, limits->low_V * series, limits->high_V * series, limits->most_A);
}

static const double *stage_of(const Cycler *cycler, const CyclerState *state) {
    return cycler->n_stages && state->reason == GOES_ON ? cycler->procedure[state->stage] : NULL;
}

static bool is_regulated(const double *stage) { return stage && stage[MODE] >= VOLTAGE && stage[MODE] <= RESISTANCE; }

/* What changes when a stage begins. */
static void enter(const Cycler *cycler, CyclerState *state) {
    const double *stage = cycler->procedure[state->stage];
    state->stage_s = state->stage_Ah = state->since_s = 0, state->stages_begun++;
    if (!IS_SET(stage[AMBIENT_degC])) return;
    state->ambient_goal_degC = stage[AMBIENT_degC];
    state->ambient_K_per_s = IS_SET(stage[AMBIENT_RATE_K_PER_min]) ? stage[AMBIENT_RATE_K_PER_min] / 60 : INFINITY;
}

void cycler_begin(const Cycler *cycler, CyclerState *state) {
    *state = (CyclerState){
        .cycle = 1, .shown_stage = cycler->n_stages ? 1 : 0, .ambient_degC = NAN, .ambient_goal_degC = NAN};
    if (cycler->n_stages) enter(cycler, state);
}

/* The chamber after a time. */
static double chamber_degC(const CyclerState *state, double given_degC, double part_s) {
    if (isnan(state->ambient_goal_degC)) return given_degC;
    const double from_degC = isnan(state->ambient_degC) ? given_degC : state->ambient_degC;
    if (isinf(state->ambient_K_per_s)) return state->ambient_goal_degC;
    const double most_K = state->ambient_K_per_s * part_s;
    return from_degC + fmin(fmax(state->ambient_goal_degC - from_degC, -most_K), most_K);
}

/* Whether the chamber has got where it shall be. */
static bool is_still(const CyclerState *state) {
    return isnan(state->ambient_goal_degC) || state->ambient_degC == state->ambient_goal_degC;
}

/* ---- what is held over a part of a step ---- */

/* Where a trial ends. */
typedef struct {
    double current_A, voltage_V, low_V, high_V;
    bool is_open; /* what is regulated has not settled yet: voltage and current say nothing */
} Point;

/* What the cells are given from outside. */
typedef struct {
    double profile_A, ambient_degC;
} Given;

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
    point.voltage_V =
        pack_voltage(&cycler->pack, cycler->trial, cycler->trial_A, current_A, &point.low_V, &point.high_V);
    return point;
}

/* What can be regulated by the current. */
typedef enum { UNIT_VOLTAGE, UNIT_POWER, LOAD, LOWEST_CELL, HIGHEST_CELL } Aim;

/* How far an aim is missed, as a number that grows with the current and shall become 0. */
static double miss(Aim aim, double value, const Point *point) {
    switch (aim) {
    case UNIT_POWER: return (point->voltage_V * point->current_A - value) / fmax(point->voltage_V, 0.1);
    case LOAD: return point->voltage_V + point->current_A * value;
    case LOWEST_CELL: return point->low_V - value;
    case HIGHEST_CELL: return point->high_V - value;
    default: return point->voltage_V - value;
    }
}

/* Whether a current drives a cell to where no model holds any more. */
static bool is_too_far(const Cycler *cycler, const Point *point) {
    return !(point->low_V > 0.5 * cycler->limits.low_V && point->high_V < 2 * cycler->limits.high_V);
}

/* Find the current that meets an aim at the end of the part: the secant method, with a bracket once there is one. */
static Point regulate(const Cycler *cycler, CyclerState *state, Aim aim, double value, double least_A, double most_A,
                      double ambient_K, double part_s) {
    double slope = state->slope_Ohm > 0 ? state->slope_Ohm : 0.02;
    if (aim == LOAD) slope += value;
    double a = fmin(fmax(state->current_A, least_A), most_A);
    Point point = hold(cycler, a, ambient_K, part_s);
    double f_a = miss(aim, value, &point), b = a, f_b = f_a;
    bool is_bracketed = false;
    for (int round = 0; round < MOST_ROUNDS && fabs(f_b) > CLOSE_V; round++) {
        double next = is_bracketed ? (a * f_b - b * f_a) / (f_b - f_a) : b - f_b / slope;
        if (is_bracketed && round % 4 == 3) next = 0.5 * (a + b);
        next = fmin(fmax(next, least_A), most_A);
        if (next == b) break; /* at the end of what is allowed */
        point = hold(cycler, next, ambient_K, part_s);
        for (int back = 0; back < 20 && is_too_far(cycler, &point); back++)
            next = 0.5 * (next + b), point = hold(cycler, next, ambient_K, part_s);
        const double f = miss(aim, value, &point);
        if (f_b * f < 0) {
            a = b, f_a = f_b, is_bracketed = true;
        } else if (is_bracketed) {
            f_a *= 0.5;
        } else {
            const double seen = (f - f_b) / (next - b);
            slope = seen > 0.1 * slope && isfinite(seen) ? seen : 0.5 * slope;
            if (fabs(f) > fabs(f_b)) slope *= 2;
        }
        b = next, f_b = f;
    }
    if (aim == UNIT_VOLTAGE && !is_bracketed && slope > 1e-4) state->slope_Ohm = slope;
    return point;
}

/* A current gives way to the cells' voltage limits. */
static Point within_limits(const Cycler *cycler, CyclerState *state, Point point, double ambient_K, double part_s) {
    const Limits *limits = &cycler->limits;
    if (point.current_A > 0 && point.high_V > limits->high_V)
        return regulate(cycler, state, HIGHEST_CELL, limits->high_V, 0, point.current_A, ambient_K, part_s);
    if (point.current_A < 0 && point.low_V < limits->low_V)
        return regulate(cycler, state, LOWEST_CELL, limits->low_V, point.current_A, 0, ambient_K, part_s);
    return point;
}

/* A profile is followed as far as each cell's limits allow. */
static Point follow(const Cycler *cycler, CyclerState *state, double profile_A, double ambient_K, double part_s) {
    const Limits *limits = &cycler->limits;
    const double wanted_A = fmin(fmax(profile_A, -limits->most_A), limits->most_A);
    const Point point = hold(cycler, wanted_A, ambient_K, part_s);
    if (limits->on_limit == END) return point;
    const double soc = pack_soc(&cycler->pack, cycler->trial);
    if ((wanted_A > 0 && soc > limits->high_soc) || (wanted_A < 0 && soc < limits->low_soc))
        return hold(cycler, 0, ambient_K, part_s);
    return within_limits(cycler, state, point, ambient_K, part_s);
}

static Point carry_out(const Cycler *cycler, CyclerState *state, Given given, double part_s) {
    static const Aim AIMS[N_MODES] = {[VOLTAGE] = UNIT_VOLTAGE, [POWER] = UNIT_POWER, [RESISTANCE] = LOAD};
    const double *stage = stage_of(cycler, state), ambient_K = chamber_degC(state, given.ambient_degC, part_s) + KELVIN;
    if (state->reason != GOES_ON) return hold(cycler, 0, ambient_K, part_s);
    if (!stage || stage[MODE] == PROFILE) return follow(cycler, state, given.profile_A, ambient_K, part_s);
    if (stage[MODE] == REST) return hold(cycler, 0, ambient_K, part_s);
    if (stage[MODE] == CURRENT) return hold(cycler, stage[VALUE], ambient_K, part_s);
    double most_A = cycler->limits.most_A, least_A;
    if (IS_SET(stage[MOST_CURRENT_A])) most_A = fmin(most_A, stage[MOST_CURRENT_A]);
    least_A = -most_A;
    if (stage[MODE] == RESISTANCE || (stage[MODE] == POWER && stage[VALUE] < 0)) most_A = 0;
    if (stage[MODE] == POWER && stage[VALUE] > 0) least_A = 0;
    const Point point =
        regulate(cycler, state, AIMS[(int)stage[MODE]], stage[VALUE], least_A, most_A, ambient_K, part_s);
    return within_limits(cycler, state, point, ambient_K, part_s);
}

/* ---- when it ends ---- */

typedef struct {
    double by;         /* at least 0: it has ended; grows continuously towards it */
    const char *limit; /* of the cells, not the stage's own condition */
} Ending;

static void note(Ending *ending, double by, const char *limit) {
    if (by > ending->by) *ending = (Ending){by, limit};
}

/* The stage's own conditions. */
static void look_at_stage(const Cycler *cycler, const CyclerState *state, const double *stage, const CellState *cells,
                          const Point *point, double part_s, double soc, Ending *ending) {
    const double I = point->current_A;
    if (IS_SET(stage[SOC_BELOW_pct])) note(ending, stage[SOC_BELOW_pct] / 100 - soc, NULL);
    if (IS_SET(stage[SOC_ABOVE_pct])) note(ending, soc - stage[SOC_ABOVE_pct] / 100, NULL);
    if (IS_SET(stage[TEMPERATURE_BELOW_degC]))
        note(ending, stage[TEMPERATURE_BELOW_degC] + KELVIN - pack_coldest_K(&cycler->pack, cells), NULL);
    if (IS_SET(stage[TEMPERATURE_ABOVE_degC]))
        note(ending, pack_hottest_K(&cycler->pack, cells) - stage[TEMPERATURE_ABOVE_degC] - KELVIN, NULL);
    if (point->is_open) return;
    if (IS_SET(stage[VOLTAGE_BELOW_V])) note(ending, stage[VOLTAGE_BELOW_V] - point->voltage_V, NULL);
    if (IS_SET(stage[VOLTAGE_ABOVE_V])) note(ending, point->voltage_V - stage[VOLTAGE_ABOVE_V], NULL);
    if (IS_SET(stage[CURRENT_BELOW_A])) note(ending, stage[CURRENT_BELOW_A] - fabs(I), NULL);
    if (IS_SET(stage[CHARGE_Ah]) && stage[MODE] != CURRENT)
        note(ending, fabs(state->stage_Ah + I * part_s / 3600) - stage[CHARGE_Ah], NULL);
}

/* The cells' limits. */
static void look_at_limits(const Cycler *cycler, const double *stage, const CellState *cells, const Point *point,
                           double soc, Ending *ending) {
    const Limits *limits = &cycler->limits;
    const bool follows = !stage || stage[MODE] == PROFILE;
    const double I = point->is_open ? 0 : point->current_A, series = (double)cycler->pack.series;
    note(ending, pack_hottest_K(&cycler->pack, cells) - limits->high_K, "temperature");
    note(ending, limits->low_K - pack_coldest_K(&cycler->pack, cells), "temperature");
    if (I == 0 || (follows && limits->on_limit == REGULATE)) return;
    if (I > 0)
        note(ending, soc - limits->high_soc, "upper SoC");
    else
        note(ending, limits->low_soc - soc, "lower SoC");
    if (stage && stage[MODE] == VOLTAGE) return; /* it gives way */
    /* power and a load are held at the limit, not beyond; and a limit that is the stage's own end is no news */
    const double reach_V = stage && is_regulated(stage) ? 3 * CLOSE_V : 0;
    const bool is_own_low =
        stage && IS_SET(stage[VOLTAGE_BELOW_V]) && stage[VOLTAGE_BELOW_V] < series * limits->low_V + 1e-5;
    const bool is_own_high =
        stage && IS_SET(stage[VOLTAGE_ABOVE_V]) && stage[VOLTAGE_ABOVE_V] > series * limits->high_V - 1e-5;
    if (I > 0)
        note(ending, point->high_V - limits->high_V + reach_V, is_own_high && series == 1 ? NULL : "upper voltage");
    else
        note(ending, limits->low_V - point->low_V + reach_V, is_own_low && series == 1 ? NULL : "lower voltage");
}

/* How far the cells are beyond the end of a stage, or of what they may do. */
static Ending look(const Cycler *cycler, const CyclerState *state, const CellState *cells, const Point *point,
                   double part_s) {
    Ending ending = {-INFINITY, NULL};
    if (state->reason != GOES_ON) return ending;
    const double *stage = stage_of(cycler, state);
    const bool needs_soc = cycler->limits.low_soc > -1 || cycler->limits.high_soc < 2 ||
                           (stage && (IS_SET(stage[SOC_BELOW_pct]) || IS_SET(stage[SOC_ABOVE_pct])));
    const double soc = needs_soc ? pack_soc(&cycler->pack, cells) : 0.5;
    if (stage) look_at_stage(cycler, state, stage, cells, point, part_s, soc, &ending);
    look_at_limits(cycler, stage, cells, point, soc, &ending);
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

static void stop(CyclerState *state, Reason reason) { state->reason = reason, state->since_s = 0; }

/* Begin the next stage that takes time. */
static Report go_on(const Cycler *cycler, CyclerState *state, const CellState *cells) {
    state->stage++;
    for (int moves = 0; moves < 4 * MOST_STAGES; moves++) {
        if (state->stage >= cycler->n_stages) {
            stop(state, DONE);
            return report(1, "The procedure is over.");
        }
        const double *stage = cycler->procedure[state->stage];
        if (stage[MODE] != LOOP) {
            enter(cycler, state);
            return FINE;
        }
        int *done = &state->repeats[state->stage];
        bool is_done = IS_SET(stage[REPEATS]) && ++*done >= stage[REPEATS];
        if (IS_SET(stage[SOH_BELOW_pct])) is_done |= 100 * pack_charge(&cycler->pack, cells).soh < stage[SOH_BELOW_pct];
        if (is_done)
            *done = 0, state->stage++;
        else
            state->stage = (int)stage[VALUE] - 1, state->cycle++;
    }
    return report(3, "The loops of the procedure go round without taking any time.");
}

/* ---- a step ---- */

/* Keep what a part has brought. */
static void accept(const Cycler *cycler, CyclerState *state, CellState *cells, double *currents_A, const Point *point,
                   double before_V, double ambient_degC, double part_s) {
    const double Ah = point->current_A * part_s / 3600, Wh = Ah * 0.5 * (before_V + point->voltage_V);
    copy(cycler, cells, currents_A, cycler->trial, cycler->trial_A);
    if (Ah > 0)
        state->charged_Ah += Ah, state->charged_Wh += Wh;
    else
        state->discharged_Ah -= Ah, state->discharged_Wh -= Wh;
    state->stage_Ah += Ah, state->stage_s += part_s, state->since_s += part_s;
    state->current_A = point->current_A;
    if (!isnan(state->ambient_goal_degC)) state->ambient_degC = chamber_degC(state, ambient_degC, part_s);
}

/* The part of a step after which a stage ends: where its ending passes 0, between 0 and part_s. */
static Point find_end(const Cycler *cycler, CyclerState *state, Given given, double f_early, double f_late,
                      double *part_s) {
    double early_s = 0, late_s = *part_s;
    if (!isfinite(f_early)) f_early = -fmax(f_late, CLOSE_V);
    for (int round = 0; round < MOST_ROUNDS && late_s - early_s > SHORTEST_s && fabs(f_late) > CLOSE_V; round++) {
        double at_s = late_s - f_late * (late_s - early_s) / (f_late - f_early);
        if (round % 3 == 2 || !(at_s > early_s && at_s < late_s)) at_s = 0.5 * (early_s + late_s);
        const Point point = carry_out(cycler, state, given, at_s);
        const double f = look(cycler, state, cycler->trial, &point, at_s).by;
        if (f >= 0)
            late_s = at_s, f_late = f;
        else
            early_s = at_s, f_early = f;
    }
    *part_s = late_s;
    return carry_out(cycler, state, given, late_s);
}

/* The current that a stage begins with, as far as it is known before it is regulated. */
static double known_current(const CyclerState *state, const double *stage, double profile_A) {
    if (state->reason != GOES_ON || (stage && stage[MODE] == REST)) return 0;
    if (stage && stage[MODE] == CURRENT) return stage[VALUE];
    return !stage || stage[MODE] == PROFILE ? profile_A : state->current_A;
}

/* The first cell that is at the end of its life, from 1; 0 if none is. */
static size_t find_worn_out(const Cycler *cycler) {
    for (size_t k = 0; k < cells_of(cycler); k++)
        if (cell_is_worn_out(cycler->pack.parameters, &cycler->trial[k])) return k + 1;
    return 0;
}

Report cycler_advance(const Cycler *cycler, CyclerState *state, CellState *cells, double *currents_A, double profile_A,
                      double ambient_degC, double step_s) {
    const Given given = {profile_A, ambient_degC};
    Report told = FINE;
    double left_s = step_s;
    int idle = 0;
    while (left_s > 1e-9 * step_s) {
        const double *stage = stage_of(cycler, state);
        Point begin = {.current_A = known_current(state, stage, profile_A),
                       .is_open = is_regulated(stage) && state->stage_s == 0};
        begin.voltage_V = pack_voltage(&cycler->pack, cells, currents_A, begin.current_A, &begin.low_V, &begin.high_V);
        if (fabs(begin.current_A - state->current_A) > 1e-6) state->since_s = 0;
        const double most_s = begin.current_A == 0 && is_still(state) ? RESTING_s : COARSE_s;
        double part_s = fmin(fmin(left_s, fmin(fmax(0.2 * state->since_s, FINE_s), most_s)), time_left(state, stage));
        Ending ending = look(cycler, state, cells, &begin, 0);
        bool is_met = stage && ending.by >= 0; /* a condition, not the clock */
        if (part_s > 0 && !is_met) {
            copy(cycler, cycler->before, cycler->before_A, cells, currents_A);
            Point point = carry_out(cycler, state, given, part_s);
            const size_t worn_out = find_worn_out(cycler);
            if (worn_out)
                return report(3, "Cell %zu has lost more lithium than it can: it has come to the end of its life.",
                              worn_out);
            if (!isfinite(point.voltage_V))
                return report(3, "The cells left all bounds with %g A over %g s.", point.current_A, part_s);
            const double f_early = ending.by;
            ending = look(cycler, state, cycler->trial, &point, part_s);
            is_met = ending.by >= 0;
            if (is_met && part_s > SHORTEST_s) {
                point = find_end(cycler, state, given, f_early, ending.by, &part_s);
                ending = look(cycler, state, cycler->trial, &point, part_s);
            }
            state->is_restricted = (!stage || stage[MODE] == PROFILE) && fabs(point.current_A) < fabs(begin.current_A);
            accept(cycler, state, cells, currents_A, &point, begin.is_open ? point.voltage_V : begin.voltage_V,
                   ambient_degC, part_s);
            left_s -= part_s, idle = 0;
            state->shown_stage = stage ? state->stage + 1 : 0;
            if (!is_met && time_left(state, stage) > 1e-9) continue;
        }
        const char *limit = is_met ? ending.limit : NULL;
        if (limit && (!stage || *limit == 't')) {
            stop(state, *limit == 't' ? TOO_HOT_OR_COLD : AT_LIMIT);
            told = report(2, "The %s limit ended the %s; no current flows from here on.", limit,
                          stage ? "procedure" : "profile");
            continue;
        }
        if (limit) told = report(2, "The cells' %s limit ended stage %d.", limit, state->stage + 1);
        const Report moved = go_on(cycler, state, cells);
        if (moved.severity > told.severity) told = moved;
        if (moved.severity == 3 || ++idle > 4 * MOST_STAGES)
            return report(3, "The loops of the procedure go round without taking any time.");
    }
    return told;
}

/* Whether a current would at once drive the cells beyond their limits. */
static bool is_beyond(const Cycler *cycler, const CellState *cells, double *currents_A, double current_A) {
    const Limits *limits = &cycler->limits;
    double low_V, high_V;
    if (current_A == 0) return false;
    pack_voltage(&cycler->pack, cells, currents_A, current_A, &low_V, &high_V);
    const double soc = limits->low_soc > -1 || limits->high_soc < 2 ? pack_soc(&cycler->pack, cells) : 0.5;
    return current_A > 0 ? high_V > limits->high_V + CLOSE_V || soc > limits->high_soc
                         : low_V < limits->low_V - CLOSE_V || soc < limits->low_soc;
}

double cycler_current(const Cycler *cycler, const CyclerState *state, const CellState *cells, double *currents_A,
                      double profile_A) {
    if (state->reason != GOES_ON) return state->shown_stage ? state->current_A : 0;
    const double *stage = stage_of(cycler, state);
    const bool has_begun = state->since_s > 0 || state->stage_s > 0 || state->stages_begun > 1;
    if (has_begun && state->stage_s == 0 && stage)
        return state->current_A; /* the next stage begins with the next step */
    if (stage && stage[MODE] != PROFILE) {
        if (has_begun || stage[MODE] != CURRENT) return state->current_A;
        return is_beyond(cycler, cells, currents_A, stage[VALUE]) ? 0 : stage[VALUE];
    }
    const double most_A = cycler->limits.most_A, wanted_A = fmin(fmax(profile_A, -most_A), most_A);
    if (cycler->limits.on_limit == END) return wanted_A;
    if (!state->is_restricted && !is_beyond(cycler, cells, currents_A, wanted_A)) return wanted_A;
    return wanted_A > 0 ? fmin(wanted_A, fmax(state->current_A, 0)) : fmax(wanted_A, fmin(state->current_A, 0));
}
