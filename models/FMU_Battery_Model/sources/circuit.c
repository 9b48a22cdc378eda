/* An equivalent circuit: open-circuit voltage, a series resistance and two RC pairs.
 *
 *     U = OCV(z) + I R0(z,T) + U1 + U2        tau_i(z,T) dU_i/dt = I R_i(z,T) - U_i        positive current charges
 *
 * The current is held over a step, so both pairs follow their exact exponential, with the coefficients of its middle.
 */
#include <math.h>

#include "cell.h"

/* All coefficients, bilinear; clamped to the edges of the grid. */
static void coefficients(const CellParameters *p, double soc, double T_K, int n, double found[]) {
    const double place = fmin(fmax(soc, 0), 1) * (double)(p->n_soc - 1), T_degC = T_K - KELVIN;
    size_t k = (size_t)place, i = 0;
    if (k > p->n_soc - 2) k = p->n_soc - 2;
    while (i + 2 < p->n_degC && T_degC > p->at_degC[i + 1]) i++;
    const double x = place - (double)k;
    const double y = fmin(fmax((T_degC - p->at_degC[i]) / (p->at_degC[i + 1] - p->at_degC[i]), 0), 1);
    const double *cold = p->circuit[i * p->n_soc + k], *warm = p->circuit[(i + 1) * p->n_soc + k];
    for (int c = 0; c < n; c++)
        found[c] =
            (1 - y) * ((1 - x) * cold[c] + x * cold[c + N_CIRCUIT]) + y * ((1 - x) * warm[c] + x * warm[c + N_CIRCUIT]);
}

CellOutput circuit_output(const CellParameters *p, const CellState *state, double soc, double current_A) {
    CellOutput output;
    const double slow_V = state->circuit.u1_V + state->circuit.u2_V;
    coefficients(p, soc, state->T_K, 1, &output.series_Ohm);
    output.open_V = look_up(&p->circuit_ocv_V, soc) + (1 - p->circuit_heat) * slow_V;
    output.fast_V = current_A * output.series_Ohm, output.slope_Ohm = output.series_Ohm;
    output.voltage_V = output.open_V + output.fast_V + p->circuit_heat * slow_V;
    output.heat_W = current_A * (output.voltage_V - output.open_V);
    return output;
}

void circuit_advance(const CellParameters *p, CellState *state, double middle_soc, double current_A, double step_s) {
    double c[N_CIRCUIT];
    coefficients(p, middle_soc, state->T_K, N_CIRCUIT, c);
    const double left1 = exp(-step_s / c[TAU1_s]), left2 = exp(-step_s / c[TAU2_s]);
    state->circuit.u1_V = state->circuit.u1_V * left1 + current_A * c[R1_Ohm] * (1 - left1);
    state->circuit.u2_V = state->circuit.u2_V * left2 + current_A * c[R2_Ohm] * (1 - left2);
    state->circuit.charge_Ah += current_A * step_s / 3600;
}
