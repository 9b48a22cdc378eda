#include "pack.h"

#include <math.h>

enum { MOST_ROUNDS = 8 };
#define CLOSE_V 1e-7

/* Let the cells of a group share its current: Newton's method with each cell's series resistance as slope. */
static double share(const Pack *pack, const CellState *cells, const CellTraits *traits, double *currents_A, double current_A) {
    const size_t n = pack->parallel;
    if (n == 1) {
        currents_A[0] = current_A;
        return cell_output(pack->parameters, traits, pack->variant, cells, current_A).voltage_V;
    }
    double common_V = 0, sum_A = 0;
    for (size_t k = 0; k < n; k++) sum_A += currents_A[k];
    for (size_t k = 0; k < n; k++) currents_A[k] += (current_A - sum_A) / (double)n;
    for (int round = 0; round < MOST_ROUNDS; round++) {
        double conductance = 0, short_A = 0, apart_V = 0;
        CellOutput outputs[n];
        for (size_t k = 0; k < n; k++) {
            outputs[k] = cell_output(pack->parameters, traits + k, pack->variant, cells + k, currents_A[k]);
            conductance += 1 / outputs[k].series_Ohm;
            short_A += outputs[k].voltage_V / outputs[k].series_Ohm - currents_A[k];
        }
        common_V = (current_A + short_A) / conductance;
        for (size_t k = 0; k < n; k++) {
            apart_V = fmax(apart_V, fabs(outputs[k].voltage_V - common_V));
            currents_A[k] += (common_V - outputs[k].voltage_V) / outputs[k].series_Ohm;
        }
        if (apart_V < CLOSE_V) break;
    }
    return common_V;
}

double pack_voltage(const Pack *pack, const CellState *cells, double *currents_A, double current_A, double *low_V, double *high_V) {
    double voltage_V = 0;
    *low_V = INFINITY, *high_V = -INFINITY;
    for (size_t g = 0; g < pack->series; g++) {
        const size_t first = g * pack->parallel;
        const double group_V = share(pack, cells + first, pack->traits + first, currents_A + first, current_A);
        voltage_V += group_V, *low_V = fmin(*low_V, group_V), *high_V = fmax(*high_V, group_V);
    }
    return voltage_V;
}

PackOutput pack_output(const Pack *pack, const CellState *cells, double *currents_A, double current_A) {
    PackOutput out = {.low_K = INFINITY, .high_K = -INFINITY};
    const size_t n = pack->series * pack->parallel;
    out.voltage_V = pack_voltage(pack, cells, currents_A, current_A, &out.low_V, &out.high_V);
    double smallest_Ah = INFINITY, smallest_new_Ah = INFINITY;
    for (size_t g = 0; g < pack->series; g++) {
        double group_Ah = 0, new_Ah = 0, conductance = 0;
        for (size_t k = g * pack->parallel; k < (g + 1) * pack->parallel; k++) {
            const CellOutput cell = cell_output(pack->parameters, pack->traits + k, pack->variant, cells + k, currents_A[k]);
            const CellState fresh = {.loss_Ah = 0};
            group_Ah += cell_capacity_Ah(pack->parameters, pack->traits + k, cells + k);
            new_Ah += cell_capacity_Ah(pack->parameters, pack->traits + k, &fresh);
            conductance += 1 / cell.series_Ohm;
            out.open_V += cell.open_V / (double)pack->parallel, out.heat_W += cell.heat_W, out.heat_J += cells[k].heat_J;
            out.low_K = fmin(out.low_K, cells[k].T_K), out.high_K = fmax(out.high_K, cells[k].T_K);
            out.mean_K += cells[k].T_K / (double)n;
        }
        out.series_Ohm += 1 / conductance;
        smallest_Ah = fmin(smallest_Ah, group_Ah), smallest_new_Ah = fmin(smallest_new_Ah, new_Ah);
    }
    out.capacity_Ah = smallest_Ah, out.whole_Ah = smallest_new_Ah, out.soc = pack_soc(pack, cells);
    return out;
}

double pack_soc(const Pack *pack, const CellState *cells) {
    const size_t n = pack->series * pack->parallel;
    double sum = 0;
    for (size_t k = 0; k < n; k++) sum += cell_soc(pack->parameters, pack->traits + k, pack->variant, cells + k);
    return sum / (double)n;
}

double pack_hottest_K(const Pack *pack, const CellState *cells) {
    double hottest_K = 0;
    for (size_t k = 0; k < pack->series * pack->parallel; k++) hottest_K = fmax(hottest_K, cells[k].T_K);
    return hottest_K;
}

void pack_advance(const Pack *pack, CellState *cells, double *currents_A, double current_A, double ambient_K, double step_s) {
    double low_V, high_V;
    if (pack->parallel > 1) pack_voltage(pack, cells, currents_A, current_A, &low_V, &high_V);
    for (size_t k = 0; k < pack->series * pack->parallel; k++) {
        if (pack->parallel == 1) currents_A[k] = current_A;
        cell_advance(pack->parameters, pack->traits + k, pack->variant, cells + k, currents_A[k], ambient_K, step_s);
    }
}
