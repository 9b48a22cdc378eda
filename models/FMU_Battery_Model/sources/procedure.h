/* A test procedure: a matrix with a row for each stage.
 *
 * UNSET (-1e9) in a column says that the stage has no such condition; rows of zeros follow the last stage. A stage ends
 * with the first of its conditions that is met. Voltages and currents are those of the whole unit, limits those of each
 * cell. Positive current charges. */
#ifndef PROCEDURE_H
#define PROCEDURE_H

#include <stddef.h>

#define UNSET (-1e9)
#define IS_SET(x) ((x) > 0.5 * UNSET)
#define SHORTEST_s 1e-3 /* a stage lasts at least, and moments are found this closely */

enum { MOST_STAGES = 64 };

/* Columns. */
enum {
    MODE,
    VALUE, /* A, V, W, Ohm; of a loop: the stage to go back to, counted from 1 */
    DURATION_s,
    VOLTAGE_BELOW_V,
    VOLTAGE_ABOVE_V,
    CURRENT_BELOW_A, /* its amount */
    CHARGE_Ah,       /* that went through the stage, its amount */
    SOC_BELOW_pct,
    SOC_ABOVE_pct,
    TEMPERATURE_BELOW_degC, /* of the coldest cell */
    TEMPERATURE_ABOVE_degC, /* of the hottest */
    AMBIENT_degC,           /* set point of the chamber from here on */
    AMBIENT_RATE_K_PER_min, /* how fast it gets there; unset: at once */
    MOST_CURRENT_A,         /* while voltage, power or resistance is regulated */
    REPEATS,                /* of a loop: how often all its stages are done */
    SOH_BELOW_pct,          /* of a loop: it also ends then */
    N_COLUMNS
};

typedef enum { NOTHING, REST, CURRENT, VOLTAGE, POWER, RESISTANCE, PROFILE, LOOP, N_MODES } Mode;

typedef struct {
    int severity; /* 0: nothing to say, 1: a note, 2: a warning, 3: it cannot go on */
    char text[240];
} Report;

Report report(int severity, const char *format, ...) __attribute__((format(printf, 2, 3)));

int procedure_length(const double (*)[N_COLUMNS]);
/* Whether a procedure makes sense within voltage limits of the unit and for a cycler that gives so much current. */
Report procedure_check(const double (*)[N_COLUMNS], double low_V, double high_V, double most_A);

#endif
