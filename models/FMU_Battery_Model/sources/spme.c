/* clang-format off */
/* The single particle model with electrolyte: one spherical particle for each electrode, and the salt between them.
 *
 *     particles     dc_k/dt = 1/r^2 d/dr (r^2 D_k dc_k/dr),   -D_k dc_k/dr = j_k / F at the surface
 *                   j_n = i / (a_n L_n),   j_p = -i / (a_p L_p)
 *     electrolyte   e dc/dt = d/dx (B D_e(c) dc/dx) +- (1-t+) i / (F L_k)
 *     voltage       U = U_p(y_s) - U_n(x_s) + eta_p - eta_n + eta_c
 *                       - i (L_n/3K_n + L_s/K_s + L_p/3K_p + L_n/3S_n + L_p/3S_p)
 *                   eta_k = mean of 2RT/F asinh(j_k / 2 j0_k(c))
 *                   eta_c = 2(1-t+) RT/F (mean_p ln c - mean_n ln c)
 *
 * after S. G. Marquis et al., J. Electrochem. Soc. 166 (2019) A3693; i is positive in discharge here. Finite volumes in
 * space. In time TR-BDF2 (R. Bank et al., IEEE Trans. CAD 4 (1985) 436), of second order and L-stable, with the
 * coefficients of the beginning of the step: both stages have one matrix, so it is factorised once. */
/* clang-format on */
#include <math.h>

#include "cell.h"

#define GAMMA 0.5857864376269049   /* 2 - sqrt 2 */
#define D 0.2928932188134524       /* GAMMA / 2 */
#define W_STAGE 1.2071067811865475 /* 1 / (GAMMA (2 - GAMMA)) */
#define W_START 0.2071067811865475 /* (1 - GAMMA)^2 / (GAMMA (2 - GAMMA)) */
#define LEAST 1e-6                 /* stoichiometry and relative concentration that kinetics see at least */
#define SOLID(p, k) ((p)->electrodes + (k))

double at_temperature(double activation, double T_K, double T_ref_K) {
    return activation ? exp(activation / GAS * (1 / T_ref_K - 1 / T_K)) : 1.0;
}

void spme_begin(const CellParameters *p, CellState *state, double x, double y) {
    (void)p;
    for (int i = 0; i < N_R; i++) state->spme.x[i] = (Pair){x, y};
    for (int i = 0; i < N_X; i++) state->spme.c[i] = 1.0;
}

/* Volume of shell i of a unit sphere, without its 4 pi. */
static inline double shell(int i) {
    const double inner = (double)i / N_R, outer = (double)(i + 1) / N_R;
    return (outer * outer * outer - inner * inner * inner) / 3;
}

double spme_mean(const CellState *state, int electrode) {
    double sum = 0;
    for (int i = 0; i < N_R; i++) sum += shell(i) * state->spme.x[i][electrode];
    return 3 * sum;
}

double spme_stored_J(const CellParameters *p, const CellState *state) {
    double sum_J = 0;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < N_R; i++)
            sum_J -= 3 * shell(i) * 3600 * p->electrode_Ah[k] *
                     integral(&SOLID(p, k)->ocp_V, SOLID(p, k)->ocp_sums, state->spme.x[i][k]);
    return sum_J;
}

/* Lithium that leaves an electrode's particles, as stoichiometry times radius per time: flux / (c_max R). */
static Pair outflow(const CellParameters *p, double discharge_A_per_m2, double film_flux) {
    const Electrode *n = SOLID(p, 0), *q = SOLID(p, 1);
    const double of_n = discharge_A_per_m2 / (FARADAY * n->area_per_volume * n->thickness_m) + film_flux;
    const double of_p = -discharge_A_per_m2 / (FARADAY * q->area_per_volume * q->thickness_m);
    return (Pair){of_n / (n->c_max * n->radius_m), of_p / (q->c_max * q->radius_m)};
}

static Pair diffusivity(const CellParameters *p, Pair x, Pair warmth) {
    return (Pair){SOLID(p, 0)->is_constant ? SOLID(p, 0)->diffusivity.y[0] : look_up(&SOLID(p, 0)->diffusivity, x[0]),
                  SOLID(p, 1)->is_constant ? SOLID(p, 1)->diffusivity.y[0] : look_up(&SOLID(p, 1)->diffusivity, x[1])} *
           warmth;
}

/* 1 / (R^2) of both particles times the Arrhenius factor of their diffusivity. */
static Pair particle_warmth(const CellParameters *p, double T_K) {
    Pair warmth;
    for (int k = 0; k < 2; k++)
        warmth[k] = at_temperature(SOLID(p, k)->diffusivity_E, T_K, p->T_ref_K) /
                    (SOLID(p, k)->radius_m * SOLID(p, k)->radius_m);
    return warmth;
}

/* Surface stoichiometries, a straight line through the two outermost shells: a change of current reaches the surface
 * as it reaches the shells, and not before. */
static Pair surface(const CellState *state) {
    return state->spme.x[N_R - 1] + 0.5 * (state->spme.x[N_R - 1] - state->spme.x[N_R - 2]);
}

/* What differences of concentration in the particles lose: lithium flows down the potential from shell to shell, and
 * over the outer half of the last one. PyBaMM's lumped model does not count it as heat, nor is it here. */
double spme_mixing_W(const CellParameters *p, const CellState *state, double current_A) {
    const Pair warmth = particle_warmth(p, state->T_K), x_s = surface(state);
    const Pair *x = state->spme.x;
    double lost_W = 0;
    for (int k = 0; k < 2; k++) {
        const Table *ocp = &SOLID(p, k)->ocp_V;
        double inner_V = look_up(ocp, x[0][k]), sum = 0, D_i = diffusivity(p, x[0], warmth)[k];
        for (int i = 0; i < N_R - 1; i++) {
            const double face = (double)(i + 1) / N_R, outer_V = look_up(ocp, x[i + 1][k]);
            const double D_next = SOLID(p, k)->is_constant ? D_i : diffusivity(p, x[i + 1], warmth)[k];
            sum += 0.5 * (D_i + D_next) * face * face * N_R * (x[i][k] - x[i + 1][k]) * (outer_V - inner_V);
            inner_V = outer_V, D_i = D_next;
        }
        lost_W += 3 * 3600 * p->electrode_Ah[k] * sum + (k ? 1 : -1) * current_A * (look_up(ocp, x_s[k]) - inner_V);
    }
    return lost_W;
}

static void particles_advance(const CellParameters *p, CellState *state, Pair flow, double step_s) {
    const double dr = 1.0 / N_R;
    const Pair warmth = particle_warmth(p, state->T_K);
    const bool is_constant = SOLID(p, 0)->is_constant && SOLID(p, 1)->is_constant;
    Pair *x = state->spme.x, out[N_R], in[N_R], factor[N_R], y[N_R], z[N_R];
    Pair D_i = diffusivity(p, x[0], warmth);
    for (int i = 0; i < N_R - 1; i++) { /* rates of exchange over the face between shells i and i+1 */
        const double face = (double)(i + 1) / N_R;
        const Pair D_next = is_constant ? D_i : diffusivity(p, x[i + 1], warmth);
        const Pair flow_rate = 0.5 * (D_i + D_next) * (face * face / dr * step_s * D);
        out[i] = flow_rate / shell(i), in[i + 1] = flow_rate / shell(i + 1);
        D_i = D_next;
    }
    in[0] = (Pair){0, 0}, out[N_R - 1] = (Pair){0, 0};
    const Pair source = -flow / shell(N_R - 1) * step_s;
    /* I - d h A: row i has -in[i], 1 + in[i] + out[i], -out[i] */
    factor[0] = 1 / (1 + out[0]);
    for (int i = 1; i < N_R; i++) factor[i] = 1 / (1 + in[i] + out[i] - in[i] * out[i - 1] * factor[i - 1]);
    for (int stage = 0; stage < 2; stage++) {
        if (stage == 0) {
            for (int i = 0; i < N_R; i++) {
                y[i] = x[i];
                if (i) y[i] += in[i] * (x[i - 1] - x[i]);
                if (i < N_R - 1) y[i] += out[i] * (x[i + 1] - x[i]);
            }
            y[N_R - 1] += GAMMA * source;
        } else {
            for (int i = 0; i < N_R; i++) y[i] = W_STAGE * z[i] - W_START * x[i];
            y[N_R - 1] += D * source;
        }
        for (int i = 1; i < N_R; i++) y[i] += in[i] * factor[i - 1] * y[i - 1];
        z[N_R - 1] = y[N_R - 1] * factor[N_R - 1];
        for (int i = N_R - 2; i >= 0; i--) z[i] = factor[i] * (y[i] + out[i] * z[i + 1]);
    }
    for (int i = 0; i < N_R; i++) x[i] = z[i];
}

typedef struct {
    double dx[N_X], porosity[N_X], transport[N_X];
} Mesh;

static inline int part_of(int i) { return i < N_N ? 0 : i < N_N + N_S ? 1 : 2; }

static void electrolyte_advance(const CellParameters *p, CellState *state, double discharge_A_per_m2, double step_s) {
    const Electrode *n = SOLID(p, 0), *q = SOLID(p, 1);
    const double width[3] = {n->thickness_m / N_N, p->separator_m / N_S, q->thickness_m / N_P};
    const double hold[3] = {n->porosity, p->separator_porosity, q->porosity};
    const double pass[3] = {n->transport, p->separator_transport, q->transport};
    const double warmth = at_temperature(p->diffusivity_e_E, state->T_K, p->T_ref_K);
    const double per_F = (1 - p->transference) * discharge_A_per_m2 / (FARADAY * p->c_e0) * step_s;
    const double source[3] = {per_F / (n->thickness_m * n->porosity), 0, -per_F / (q->thickness_m * q->porosity)};
    double *c = state->spme.c, resist[N_X], in[N_X], out[N_X], factor[N_X], y[N_X], z[N_X];
    for (int i = 0; i < N_X; i++) {
        const double D_e = look_up(&p->diffusivity_e, fmax(c[i], LEAST) * p->c_e0) * warmth;
        resist[i] = 0.5 * width[part_of(i)] / (pass[part_of(i)] * D_e);
    }
    in[0] = out[N_X - 1] = 0;
    for (int i = 0; i < N_X - 1; i++) {
        const double rate = D * step_s / (resist[i] + resist[i + 1]);
        out[i] = rate / (width[part_of(i)] * hold[part_of(i)]);
        in[i + 1] = rate / (width[part_of(i + 1)] * hold[part_of(i + 1)]);
    }
    factor[0] = 1 / (1 + out[0]);
    for (int i = 1; i < N_X; i++) factor[i] = 1 / (1 + in[i] + out[i] - in[i] * out[i - 1] * factor[i - 1]);
    for (int stage = 0; stage < 2; stage++) {
        for (int i = 0; i < N_X; i++) {
            if (stage == 0) {
                y[i] = c[i] + GAMMA * source[part_of(i)];
                if (i) y[i] += in[i] * (c[i - 1] - c[i]);
                if (i < N_X - 1) y[i] += out[i] * (c[i + 1] - c[i]);
            } else {
                y[i] = W_STAGE * z[i] - W_START * c[i] + D * source[part_of(i)];
            }
        }
        for (int i = 1; i < N_X; i++) y[i] += in[i] * factor[i - 1] * y[i - 1];
        z[N_X - 1] = y[N_X - 1] * factor[N_X - 1];
        for (int i = N_X - 2; i >= 0; i--) z[i] = factor[i] * (y[i] + out[i] * z[i + 1]);
    }
    for (int i = 0; i < N_X; i++) c[i] = z[i];
}

void spme_advance(const CellParameters *p, CellState *state, double current_A, double film_flux, double step_s) {
    const double discharge_A_per_m2 = -current_A / p->area_m2;
    particles_advance(p, state, outflow(p, discharge_A_per_m2, film_flux), step_s);
    electrolyte_advance(p, state, discharge_A_per_m2, step_s);
}

/* Exchange current density of an electrode where the salt has its initial concentration. */
static double exchange(const CellParameters *p, int k, const CellState *state, double x_s) {
    const double x = fmin(fmax(x_s, LEAST), 1 - LEAST);
    return FARADAY * SOLID(p, k)->rate * at_temperature(SOLID(p, k)->rate_E, state->T_K, p->T_ref_K) *
           sqrt(x * (1 - x));
}

/* Mean of asinh(j / 2 j0 sqrt c) where sqrt c has a mean and a spread. */
static double mean_asinh(double j, double j0, double root, double spread) {
    return 0.5 * (asinh(j / (2 * j0 * fmax(root - spread, LEAST))) + asinh(j / (2 * j0 * (root + spread))));
}

/* How much smaller the slope of an overpotential is at a current than at rest. */
static double flatter(double j, double j0) { return 1 / sqrt(1 + j * j / (4 * j0 * j0)); }

/* Mean of ln c, and mean and spread of sqrt c, over part of the mesh. */
static void look_at(const double *c, int n, double *log_mean, double *root, double *spread) {
    double product = 1, roots = 0, squares = 0, logs = 0;
    for (int i = 0; i < n; i++) {
        const double at = fmax(c[i], LEAST);
        product *= at;
        if (product < 1e-100 || product > 1e100) logs += log(product), product = 1;
        roots += sqrt(at), squares += at;
    }
    *log_mean = (logs + log(product)) / n, *root = roots / n;
    *spread = sqrt(fmax(squares / n - *root * *root, 0));
}

CellOutput spme_output(const CellParameters *p, const CellState *state, double current_A) {
    const Electrode *n = SOLID(p, 0), *q = SOLID(p, 1);
    const double i = -current_A / p->area_m2, *c = state->spme.c, thermal_V = GAS * state->T_K / FARADAY;
    const Pair x_s = surface(state);
    double log_n, log_p, root_n, root_p, spread_n, spread_p, mean = 0;
    look_at(c, N_N, &log_n, &root_n, &spread_n);
    look_at(c + N_N + N_S, N_P, &log_p, &root_p, &spread_p);
    for (int k = 0; k < N_X; k++)
        mean += c[k] * (k < N_N ? n->thickness_m / N_N : k < N_N + N_S ? p->separator_m / N_S : q->thickness_m / N_P);
    mean /= n->thickness_m + p->separator_m + q->thickness_m;
    const double K =
        look_up(&p->conductivity_e, mean * p->c_e0) * at_temperature(p->conductivity_e_E, state->T_K, p->T_ref_K);
    const double ohmic_m2 = n->thickness_m / (3 * K * n->transport) + p->separator_m / (K * p->separator_transport) +
                            q->thickness_m / (3 * K * q->transport) + n->thickness_m / (3 * n->conductivity) +
                            q->thickness_m / (3 * q->conductivity);
    const double j_n = i / (n->area_per_volume * n->thickness_m), j_p = -i / (q->area_per_volume * q->thickness_m);
    const double film_m2 = p->film_Ohm_m * (state->film_m - p->film_m) / (n->area_per_volume * n->thickness_m);
    const double j0_n = exchange(p, 0, state, x_s[0]), j0_p = exchange(p, 1, state, x_s[1]);
    const double eta_n = 2 * thermal_V * mean_asinh(j_n, j0_n, root_n, spread_n);
    const double eta_p = 2 * thermal_V * mean_asinh(j_p, j0_p, root_p, spread_p);
    const double eta_c = 2 * (1 - p->transference) * thermal_V * (log_p - log_n);
    const double warmer_K = state->T_K - p->T_ref_K;
    const double S_n = look_up(&n->entropic_V_per_K, x_s[0]), S_p = look_up(&q->entropic_V_per_K, x_s[1]);
    CellOutput output;
    output.open_V = look_up(&q->ocp_V, x_s[1]) + S_p * warmer_K - look_up(&n->ocp_V, x_s[0]) - S_n * warmer_K;
    output.fast_V = eta_p - eta_n - i * (ohmic_m2 + film_m2);
    output.voltage_V = output.open_V + output.fast_V + eta_c;
    output.heat_W = current_A * (output.voltage_V - output.open_V + state->T_K * (S_p - S_n));
    const double rest_n = thermal_V / (root_n * j0_n * n->area_per_volume * n->thickness_m);
    const double rest_p = thermal_V / (root_p * j0_p * q->area_per_volume * q->thickness_m);
    output.series_Ohm = (ohmic_m2 + film_m2 + rest_n + rest_p) / p->area_m2;
    output.slope_Ohm =
        (ohmic_m2 + film_m2 + rest_n * flatter(j_n, root_n * j0_n) + rest_p * flatter(j_p, root_p * j0_p)) / p->area_m2;
    return output;
}
