#include "cell.h"

#include <math.h>

/* What a cell of so much loss can hold, between its voltage limits at rest. */
static double at_loss(const double table[N_LOSSES], double place) {
    const int i = !(place >= 0) ? 0 : place > N_LOSSES - 2 ? N_LOSSES - 2 : (int)place;
    return table[i] + (place - i) * (table[i + 1] - table[i]);
}

static double place_of(const CellParameters *p, double loss_Ah) { return loss_Ah / p->most_loss_Ah * (N_LOSSES - 1); }

static double set_capacity_Ah(const CellParameters *p, const CellState *state) {
    const double place = place_of(p, state->loss_Ah);
    return (at_loss(p->x_full, place) - at_loss(p->x_empty, place)) * p->electrode_Ah[0];
}

double cell_stored_J(const CellParameters *p, const CellTraits *traits, Variant variant, const CellState *state) {
    if (variant == SPME) return traits->capacity * spme_stored_J(p, state);
    const double whole_Ah = set_capacity_Ah(p, state), soc = state->circuit.charge_Ah / whole_Ah;
    return traits->capacity * 3600 * whole_Ah * integral(&p->circuit_ocv_V, p->circuit_sums, soc);
}

/* What is lost without becoming heat. */
static double mixing_W(const CellParameters *p, const CellTraits *traits, Variant variant, const CellState *state,
                       double current_A) {
    if (state->seen_A == current_A) return state->seen_mixing_W;
    if (variant == SPME) return traits->capacity * spme_mixing_W(p, state, current_A / traits->capacity);
    return current_A * (1 - p->circuit_heat) * (state->circuit.u1_V + state->circuit.u2_V);
}

bool cell_is_worn_out(const CellParameters *p, const CellState *state) { return !(state->loss_Ah < p->most_loss_Ah); }

double cell_capacity_Ah(const CellParameters *p, const CellTraits *traits, const CellState *state) {
    return traits->capacity * set_capacity_Ah(p, state);
}

double cell_soc(const CellParameters *p, const CellTraits *traits, Variant variant, const CellState *state) {
    (void)traits;
    if (variant == CIRCUIT) return state->circuit.charge_Ah / set_capacity_Ah(p, state);
    const double place = place_of(p, state->loss_Ah), empty = at_loss(p->x_empty, place);
    return (spme_mean(state, 0) - empty) / (at_loss(p->x_full, place) - empty);
}

void cell_begin(const CellParameters *p, const CellTraits *traits, Variant variant, CellState *state, double soc,
                double T_K) {
    (void)traits;
    *state = (CellState){.T_K = T_K, .film_m = p->film_m, .seen_A = NAN};
    if (variant == CIRCUIT) {
        state->circuit.charge_Ah = soc * set_capacity_Ah(p, state);
        return;
    }
    spme_begin(p, state, p->x_empty[0] + soc * (p->x_full[0] - p->x_empty[0]),
               p->y_empty[0] + soc * (p->y_full[0] - p->y_empty[0]));
}

/* The cell of the set sees the current as if it had its own capacity; what comes and goes with the current is scaled.
 */
CellOutput cell_output(const CellParameters *p, const CellTraits *traits, Variant variant, const CellState *state,
                       double current_A) {
    if (state->seen_A == current_A) return state->seen;
    const double share_A = current_A / traits->capacity;
    CellOutput output = variant == SPME ? spme_output(p, state, share_A)
                                        : circuit_output(p, state, cell_soc(p, traits, variant, state), share_A);
    const double more_V = (traits->resistance - 1) * output.fast_V;
    output.voltage_V += more_V, output.fast_V += more_V;
    output.heat_W = (output.heat_W + share_A * more_V) * traits->capacity;
    output.series_Ohm *= traits->resistance / traits->capacity;
    output.slope_Ohm *= traits->resistance / traits->capacity;
    return output;
}

/* Grow the film; returns the lithium it takes, in mol per s and m2 of the negative electrode's surface. */
static double grow_film(const CellParameters *p, const CellTraits *traits, CellState *state, double step_s) {
    const double rate = traits->ageing * p->film_rate_m2_per_s * at_temperature(p->film_E, state->T_K, p->T_ref_K);
    if (!(rate > 0)) return 0;
    const double before_m = state->film_m;
    state->film_m = sqrt(before_m * before_m + 2 * rate * step_s);
    const double taken = (state->film_m - before_m) * p->film_z / p->film_m3_per_mol;
    const Electrode *n = &p->electrodes[0];
    state->loss_Ah += taken * FARADAY / 3600 * n->area_per_volume * n->thickness_m * p->area_m2;
    return taken / step_s;
}

/* Temperature after a time of constant heat: the exact solution, without a loss as well. */
typedef struct {
    double left, per_W; /* of the excess over the ambient, and what a watt adds, at the end of the time */
} Warmth;

static Warmth warmth_of(const CellTraits *traits, double step_s) {
    const double rate = step_s * traits->heat_loss_W_per_K / traits->heat_capacity_J_per_K, gone = -expm1(-rate);
    return (Warmth){1 - gone, rate > 0 ? gone / traits->heat_loss_W_per_K : step_s / traits->heat_capacity_J_per_K};
}

void cell_advance(const CellParameters *p, const CellTraits *traits, Variant variant, CellState *state,
                  double current_A, double ambient_K, double step_s) {
    const double share_A = current_A / traits->capacity, before_Ah = state->loss_Ah, before_K = state->T_K;
    const CellOutput first = cell_output(p, traits, variant, state, current_A);
    const double first_mixing_W = mixing_W(p, traits, variant, state, current_A);
    const double film_flux = grow_film(p, traits, state, step_s);
    if (variant == SPME) {
        spme_advance(p, state, share_A, film_flux, step_s);
    } else {
        circuit_advance(p, state, (state->circuit.charge_Ah + share_A * step_s / 7200) / set_capacity_Ah(p, state),
                        share_A, step_s);
        state->circuit.charge_Ah -= state->loss_Ah - before_Ah;
    }
    const Warmth warmth = warmth_of(traits, step_s);
    state->T_K = ambient_K + (before_K - ambient_K) * warmth.left + first.heat_W * warmth.per_W;
    state->seen_A = NAN;
    state->seen = cell_output(p, traits, variant, state, current_A);
    state->seen_mixing_W = mixing_W(p, traits, variant, state, current_A);
    state->seen_A = current_A;
    const double heat_W = 0.5 * (first.heat_W + state->seen.heat_W);
    state->mixing_J += 0.5 * step_s * (first_mixing_W + state->seen_mixing_W);
    state->T_K = ambient_K + (before_K - ambient_K) * warmth.left + heat_W * warmth.per_W;
    state->heat_J += heat_W * step_s;
}
