/* The virtual cycler: carries out a test procedure on a pack, or follows a current profile, and keeps the cells within
 * their limits.
 *
 * A procedure is a matrix with a row for each stage. UNSET (-1e9) in a column says that the stage has no such condition;
 * rows of zeros follow the last stage. A stage ends with the first of its conditions that is met, at the very moment it
 * is met and not at the end of a communication step; one that regulates on current also ends where a cell reaches a
 * limit. Voltages and currents are those of the whole unit, limits those of each cell. Positive current charges. */
#ifndef CYCLER_H
#define CYCLER_H

#include "pack.h"

#define UNSET (-1e9)

enum { MOST_STAGES = 64 };

/* Columns of the procedure. */
enum {
    MODE,
    VALUE,              /* A, V, W, Ohm; of a loop: the stage to go back to, counted from 1 */
    DURATION_s,
    VOLTAGE_BELOW_V,
    VOLTAGE_ABOVE_V,
    CURRENT_BELOW_A,    /* its amount */
    CHARGE_Ah,          /* that went through the stage, its amount */
    SOC_BELOW_pct,
    SOC_ABOVE_pct,
    TEMPERATURE_BELOW_degC,
    TEMPERATURE_ABOVE_degC,
    AMBIENT_degC,       /* set point of the chamber from here on */
    AMBIENT_RATE_K_PER_min, /* how fast it gets there; unset: at once */
    MOST_CURRENT_A,     /* while voltage, power or resistance is regulated */
    REPEATS,            /* of a loop: how often all its stages are done */
    SOH_BELOW_pct,      /* of a loop: it also ends then */
    N_COLUMNS
};

typedef enum { NOTHING, REST, CURRENT, VOLTAGE, POWER, RESISTANCE, PROFILE, LOOP, N_MODES } Mode;

typedef enum { REGULATE, END } OnLimit; /* what a profile does that would drive a cell beyond its limits */

typedef struct {
    double low_V, high_V;       /* of each cell */
    double low_soc, high_soc;   /* of the unit; 0 to 1 */
    double low_K, high_K;       /* of each cell; beyond them everything ends */
    double most_A;              /* of the unit */
    OnLimit on_limit;
} Limits;

typedef struct {
    int stage;                  /* row that is carried out, from 0 */
    int shown_stage, cycle;     /* as recorded: the row of the last moment, from 1; the cycle, from 1 */
    int stages_begun;
    bool is_over;
    double stage_s, stage_Ah;   /* since the stage began; charge with its sign */
    double since_s;             /* since the current changed abruptly */
    double ambient_degC;        /* set point; NaN: that of the input */
    double current_A, slope_Ohm;
    double charged_Ah, discharged_Ah, charged_Wh, discharged_Wh;
    int repeats[MOST_STAGES];
} CyclerState;

typedef struct {
    Pack pack;
    Limits limits;
    const double (*procedure)[N_COLUMNS];
    int n_stages;               /* 0: follow the profile */
    CellState *before, *trial;  /* room for the cells of the pack, twice */
    double *before_A, *trial_A;
} Cycler;

typedef struct {
    int severity; /* 0: nothing to say, 1: a note, 2: a warning, 3: it cannot go on */
    char text[240];
} Report;

/* Whether a procedure makes sense for a pack; says what does not. */
Report cycler_check(const Cycler *);
void cycler_begin(const Cycler *, CyclerState *);
/* Go on by a time; the profile and the ambient temperature are held meanwhile. */
Report cycler_advance(const Cycler *, CyclerState *, CellState *cells, double *currents_A, double profile_A,
                      double ambient_degC, double step_s);
/* The current of this very moment. */
double cycler_current(const Cycler *, const CyclerState *, const CellState *cells, double *currents_A, double profile_A);

#endif
