#include "pack.h"

#include <math.h>

enum { MOST_ROUNDS = 40 };
#define CLOSE_V 1e-7

/* Let the cells of a group share its current: Newton's method for the voltage that all have; NaN if there is none. */
static double share(const Pack *pack, const CellState *cells, const CellTraits *traits, double *currents_A,
                    double current_A) {
    const size_t n = pack->parallel;
    if (n == 1) {
        currents_A[0] = current_A;
        return cell_output(pack->parameters, traits, pack->variant, cells, current_A).voltage_V;
    }
    double sum_A = 0;
    for (size_t k = 0; k < n; k++) sum_A += currents_A[k];
    for (size_t k = 0; k < n; k++) currents_A[k] += (current_A - sum_A) / (double)n;
    for (int round = 0; round < MOST_ROUNDS; round++) {
        double conductance = 0, short_A = 0, low_V = INFINITY, high_V = -INFINITY;
        CellOutput outputs[n];
        for (size_t k = 0; k < n; k++) {
            outputs[k] = cell_output(pack->parameters, traits + k, pack->variant, cells + k, currents_A[k]);
            conductance += 1 / outputs[k].slope_Ohm;
            short_A += outputs[k].voltage_V / outputs[k].slope_Ohm - currents_A[k];
            low_V = fmin(low_V, outputs[k].voltage_V), high_V = fmax(high_V, outputs[k].voltage_V);
        }
        const double common_V = (current_A + short_A) / conductance;
        if (high_V - low_V < CLOSE_V) return common_V;
        for (size_t k = 0; k < n; k++) currents_A[k] += (common_V - outputs[k].voltage_V) / outputs[k].slope_Ohm;
    }
    return NAN;
}

double pack_voltage(const Pack *pack, const CellState *cells, double *currents_A, double current_A, double *low_V,
                    double *high_V) {
    double voltage_V = 0;
    *low_V = INFINITY, *high_V = -INFINITY;
    for (size_t g = 0; g < pack->series; g++) {
        const size_t first = g * pack->parallel;
        const double group_V = share(pack, cells + first, pack->traits + first, currents_A + first, current_A);
        voltage_V += group_V, *low_V = fmin(*low_V, group_V), *high_V = fmax(*high_V, group_V);
        if (isnan(group_V)) *low_V = *high_V = NAN;
    }
    return voltage_V;
}

PackOutput pack_output(const Pack *pack, const CellState *cells, double *currents_A, double current_A) {
    PackOutput out = {.voltage_V = pack_voltage(pack, cells, currents_A, current_A, &out.low_V, &out.high_V)};
    const size_t n = pack->series * pack->parallel;
    out.low_K = pack_coldest_K(pack, cells), out.high_K = pack_hottest_K(pack, cells);
    for (size_t g = 0; g < pack->series; g++) {
        double conductance = 0;
        for (size_t k = g * pack->parallel; k < (g + 1) * pack->parallel; k++) {
            const CellOutput cell =
                cell_output(pack->parameters, pack->traits + k, pack->variant, cells + k, currents_A[k]);
            conductance += 1 / cell.series_Ohm;
            out.open_V += cell.open_V / (double)pack->parallel, out.heat_W += cell.heat_W,
                out.heat_J += cells[k].heat_J;
            out.mean_K += cells[k].T_K / (double)n, out.mixing_J += cells[k].mixing_J;
            out.stored_J += cell_stored_J(pack->parameters, pack->traits + k, pack->variant, cells + k);
        }
        out.series_Ohm += 1 / conductance;
    }
    const PackCharge charge = pack_charge(pack, cells);
    out.soc = charge.left_Ah / (charge.left_Ah + charge.room_Ah), out.capacity_Ah = charge.left_Ah + charge.room_Ah;
    out.soh = charge.soh;
    return out;
}

PackCharge pack_charge(const Pack *pack, const CellState *cells) {
    PackCharge charge = {INFINITY, INFINITY, 0};
    double least_Ah = INFINITY, least_new_Ah = INFINITY;
    const CellState fresh = {.loss_Ah = 0};
    for (size_t g = 0; g < pack->series; g++) {
        double left_Ah = 0, group_Ah = 0, new_Ah = 0;
        for (size_t k = g * pack->parallel; k < (g + 1) * pack->parallel; k++) {
            const double cell_Ah = cell_capacity_Ah(pack->parameters, pack->traits + k, cells + k);
            left_Ah += cell_Ah * cell_soc(pack->parameters, pack->traits + k, pack->variant, cells + k),
                group_Ah += cell_Ah;
            new_Ah += cell_capacity_Ah(pack->parameters, pack->traits + k, &fresh);
        }
        charge.left_Ah = fmin(charge.left_Ah, left_Ah), charge.room_Ah = fmin(charge.room_Ah, group_Ah - left_Ah);
        least_Ah = fmin(least_Ah, group_Ah), least_new_Ah = fmin(least_new_Ah, new_Ah);
    }
    charge.soh = least_Ah / least_new_Ah;
    return charge;
}

double pack_soc(const Pack *pack, const CellState *cells) {
    const PackCharge charge = pack_charge(pack, cells);
    return charge.left_Ah / (charge.left_Ah + charge.room_Ah);
}

double pack_hottest_K(const Pack *pack, const CellState *cells) {
    double hottest_K = -INFINITY;
    for (size_t k = 0; k < pack->series * pack->parallel; k++) hottest_K = fmax(hottest_K, cells[k].T_K);
    return hottest_K;
}

double pack_coldest_K(const Pack *pack, const CellState *cells) {
    double coldest_K = INFINITY;
    for (size_t k = 0; k < pack->series * pack->parallel; k++) coldest_K = fmin(coldest_K, cells[k].T_K);
    return coldest_K;
}

void pack_advance(const Pack *pack, CellState *cells, double *currents_A, double current_A, double ambient_K,
                  double step_s) {
    double low_V, high_V;
    if (pack->parallel > 1) pack_voltage(pack, cells, currents_A, current_A, &low_V, &high_V);
    for (size_t k = 0; k < pack->series * pack->parallel; k++) {
        if (pack->parallel == 1) currents_A[k] = current_A;
        cell_advance(pack->parameters, pack->traits + k, pack->variant, cells + k, currents_A[k], ambient_K, step_s);
    }
}
