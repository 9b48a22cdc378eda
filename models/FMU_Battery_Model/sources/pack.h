/* A module or pack: groups in series, each of cells in parallel. A single cell is a pack of one.
 *
 * The cells of a group share its current so that their voltages are the same. */
#ifndef PACK_H
#define PACK_H

#include "cell.h"

typedef struct {
    const CellParameters *parameters;
    const CellTraits *traits; /* of each cell, group by group */
    Variant variant;
    size_t series, parallel;
} Pack;

/* What the unit shows; voltages and temperatures of the extreme cells beside. */
typedef struct {
    double voltage_V, open_V, series_Ohm, heat_W;
    double low_V, high_V, low_K, high_K, mean_K;
    double soc, capacity_Ah, soh;
    double heat_J, mixing_J, stored_J;
} PackOutput;

/* What a unit can give until its first group is empty, and take until its first one is full. */
typedef struct {
    double left_Ah, room_Ah;
    double soh; /* capacity of the weakest group relative to that of the weakest when new */
} PackCharge;

/* Cells are series * parallel states, currents as many numbers: a first guess before, how they share it after. */
PackOutput pack_output(const Pack *, const CellState *cells, double *currents_A, double current_A);
double pack_voltage(const Pack *, const CellState *cells, double *currents_A, double current_A, double *low_V,
                    double *high_V);
void pack_advance(const Pack *, CellState *cells, double *currents_A, double current_A, double ambient_K,
                  double step_s);
PackCharge pack_charge(const Pack *, const CellState *cells);
double pack_soc(const Pack *, const CellState *cells); /* left / (left + room) */
double pack_hottest_K(const Pack *, const CellState *cells);
double pack_coldest_K(const Pack *, const CellState *cells);

#endif
