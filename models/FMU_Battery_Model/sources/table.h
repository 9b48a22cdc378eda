/* Functions of one variable as tables with equal spacing: linear between the points, and on with the slope at the edge
 * beyond them. A look-up costs a few nanoseconds whatever the formula was, and finds its place without searching. */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>

typedef struct {
    size_t n; /* points, two or more */
    double low, high, per_x;
    double *y;
} Table;

static inline double look_up(const Table *table, double x) {
    const double place = (x - table->low) * table->per_x;
    size_t i = 0;
    if (place > 0) {
        i = (size_t)place;
        if (i > table->n - 2) i = table->n - 2;
    }
    return table->y[i] + (place - (double)i) * (table->y[i + 1] - table->y[i]);
}

/* The integral from the table's low end on; sums are those up to each point. */
static inline double integral(const Table *table, const double *sums, double x) {
    const double place = (x - table->low) * table->per_x;
    size_t i = 0;
    if (place > 0) {
        i = (size_t)place;
        if (i > table->n - 2) i = table->n - 2;
    }
    const double share = place - (double)i, rise = table->y[i + 1] - table->y[i];
    return sums[i] + share * (table->y[i] + 0.5 * share * rise) / table->per_x;
}

#endif
