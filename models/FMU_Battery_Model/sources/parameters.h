/* Reads what a cell is made of from a file in the Battery Parameter eXchange format (BPX 0.x and 1.x, bpxstandard.com):
 * numbers, formulas of x, or tables {"x": [...], "y": [...]}. What BPX does not have stands under "User-defined".
 * A second file beside it, NAME.circuit.json, holds the equivalent circuit that was derived from it. */
#ifndef PARAMETERS_H
#define PARAMETERS_H

#include "cell.h"

/* NULL, with the reason in problem, if the file cannot be used. */
CellParameters *parameters_read(const char *path, char *problem, size_t size);
void parameters_free(CellParameters *);

#endif
