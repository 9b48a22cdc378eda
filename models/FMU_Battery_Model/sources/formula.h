/* Formulas as parameter files write them: a Python expression of x, for example "4.2 - 0.8 * x + tanh(18 * (x - 0.5))".
 *
 *     sum = product {+- product}   product = factor {* or / factor}   factor = [+-] factor | power
 *     power = atom [** factor]     atom = number | x | name(sum) | (sum)
 *
 * Names: exp, log, sqrt, tanh, cosh, sinh, tan, sin, cos, abs. */
#ifndef FORMULA_H
#define FORMULA_H

#include <stdbool.h>

/* Value of a formula at x; false, with what is wrong in problem (80 bytes), if it cannot be read. */
bool evaluate(const char *formula, double x, double *value, char *problem);

#endif
