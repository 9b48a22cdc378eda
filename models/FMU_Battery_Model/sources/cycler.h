/* The virtual cycler: carries out a test procedure on a pack, or follows a current profile, and keeps the cells within
 * their limits.
 *
 * A stage ends at the very moment its condition is met and not at the end of a communication step. One that regulates
 * on current, power or a load also ends where a cell reaches a limit; one that holds a voltage gives way to the limit.
 */
#ifndef CYCLER_H
#define CYCLER_H

#include "pack.h"
#include "procedure.h"

typedef enum { REGULATE, END } OnLimit; /* what a profile does that would drive a cell beyond its limits */

typedef struct {
    double low_V, high_V;     /* of each cell */
    double low_soc, high_soc; /* of the unit; 0 to 1 */
    double low_K, high_K;     /* of each cell; beyond them everything ends */
    double most_A;            /* of the unit */
    OnLimit on_limit;
} Limits;

typedef enum { GOES_ON, DONE, AT_LIMIT, TOO_HOT_OR_COLD } Reason; /* why no current flows any more */

typedef struct {
    int stage;              /* row that is carried out, from 0 */
    int shown_stage, cycle; /* as recorded: the row of the last moment, from 1; the cycle, from 1 */
    int stages_begun;
    Reason reason;
    bool is_restricted;                        /* limits have kept the current from that of the profile */
    double stage_s, stage_Ah;                  /* since the stage began; charge with its sign */
    double since_s;                            /* since the current changed abruptly */
    double ambient_degC;                       /* of the chamber; NaN: that of the input */
    double ambient_goal_degC, ambient_K_per_s; /* where it goes, and how fast */
    double current_A, slope_Ohm;
    double charged_Ah, discharged_Ah, charged_Wh, discharged_Wh;
    int repeats[MOST_STAGES];
} CyclerState;

typedef struct {
    Pack pack;
    Limits limits;
    const double (*procedure)[N_COLUMNS];
    int n_stages;              /* 0: follow the profile */
    CellState *before, *trial; /* room for the cells of the pack, twice */
    double *before_A, *trial_A;
} Cycler;

/* Whether limits and procedure make sense for a pack; says what does not. */
Report cycler_check(const Cycler *);
void cycler_begin(const Cycler *, CyclerState *);
/* Go on by a time; the profile and the ambient temperature are held meanwhile. */
Report cycler_advance(const Cycler *, CyclerState *, CellState *cells, double *currents_A, double profile_A,
                      double ambient_degC, double step_s);
/* The current of this very moment. */
double cycler_current(const Cycler *, const CyclerState *, const CellState *cells, double *currents_A,
                      double profile_A);

#endif
