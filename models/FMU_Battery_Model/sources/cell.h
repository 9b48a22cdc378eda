/* One cell: an electrical model (SPMe or circuit), a thermal node, and the ageing of its negative electrode.
 *
 *     C dT/dt = Q - h A (T - T_ambient)                     one temperature for the whole cell
 *     dl/dt   = k exp(E/R (1/T_ref - 1/T)) / l              thickness l of the SEI film: solvent diffuses through it
 *
 * Positive current charges. A state is a plain structure, so that a step can be tried and taken back by copying it. */
#ifndef CELL_H
#define CELL_H

#include <stdbool.h>

#include "table.h"

#define KELVIN 273.15
#define FARADAY 96485.33212 /* C/mol */
#define GAS 8.314462618     /* J/(mol K) */

enum { N_R = 20, N_N = 14, N_S = 4, N_P = 14, N_X = N_N + N_S + N_P, N_LOSSES = 33 };

typedef double Pair __attribute__((vector_size(16))); /* negative, positive electrode */

typedef enum { SPME, CIRCUIT } Variant;

enum { R0_Ohm, R1_Ohm, R2_Ohm, TAU1_s, TAU2_s, N_CIRCUIT };

/* An electrode; concentrations are stoichiometries (c / c_max). */
typedef struct {
    double radius_m, thickness_m, c_max, area_per_volume, porosity, transport, conductivity;
    double rate;                  /* reaction rate constant, mol/(m2 s) */
    double rate_E, diffusivity_E; /* activation energies, J/mol */
    bool is_constant;             /* the diffusivity does not depend on the stoichiometry */
    Table ocp_V, entropic_V_per_K, diffusivity;
    double *ocp_sums; /* of the open-circuit potential: its integral */
} Electrode;

/* What a cell is made of; read from a file, never changed afterwards. */
typedef struct {
    Electrode electrodes[2];
    double area_m2; /* of all electrode pairs together */
    double separator_m, separator_porosity, separator_transport;
    double c_e0, transference, diffusivity_e_E, conductivity_e_E;
    Table diffusivity_e, conductivity_e; /* over the concentration, mol/m3 */
    double T_ref_K, heat_capacity_J_per_K, heat_loss_W_per_K;
    double low_V, high_V, nominal_Ah;
    double low_degC, high_degC;  /* beyond them the set says nothing, */
    double cool_degC, warm_degC; /* beyond these little that is sure */
    double radial_W_per_mK, length_m;
    double film_m, film_rate_m2_per_s, film_E, film_Ohm_m, film_m3_per_mol, film_z;
    /* derived: stoichiometries of the negative electrode at 0 and 100 % for equally spaced losses of lithium */
    double electrode_Ah[2], most_loss_Ah;
    double x_empty[N_LOSSES], x_full[N_LOSSES], y_empty[N_LOSSES], y_full[N_LOSSES];
    /* the circuit */
    bool has_circuit;
    double *circuit_sums; /* of the open-circuit voltage: its integral */
    Table circuit_ocv_V;  /* over the state of charge */
    size_t n_soc, n_degC; /* its grid: states of charge with equal spacing from 0 to 1, temperatures */
    double *at_degC;
    double (*circuit)[N_CIRCUIT]; /* n_degC rows of n_soc */
    double circuit_heat;          /* share of what is lost in the RC pairs that becomes heat */
} CellParameters;

typedef struct {
    double voltage_V, open_V; /* open_V: at the particles' surfaces; what is lost against it becomes heat */
    double fast_V;            /* the part of it that comes and goes with the current: reactions and conduction */
    double series_Ohm;        /* what a small impulse sees at rest */
    double slope_Ohm;         /* what a small impulse sees at this current: dV/dI */
    double heat_W;
} CellOutput;

typedef struct {
    double T_K, film_m, loss_Ah;
    double mixing_J; /* lost to differences of concentration since the beginning */
    double heat_J;   /* given off since the beginning */
    double seen_A;   /* the current that `seen` belongs to; NaN if none */
    CellOutput seen;
    double seen_mixing_W;
    union {
        struct {
            Pair x[N_R];   /* stoichiometry from the centre to the surface */
            double c[N_X]; /* salt in the electrolyte relative to its initial concentration */
        } spme;
        struct {
            double charge_Ah, u1_V, u2_V;
        } circuit;
    };
} CellState;

/* What makes one cell of a pack differ from another; and how fast all age. */
typedef struct {
    double capacity, resistance; /* factors; 1 is the cell of the parameter set */
    double ageing;               /* factor of the film's growth */
    double heat_capacity_J_per_K, heat_loss_W_per_K;
} CellTraits;

double cell_capacity_Ah(const CellParameters *, const CellTraits *, const CellState *);
/* Chemical energy, but for a constant: I U at rest, integrated over the charge. */
double cell_stored_J(const CellParameters *, const CellTraits *, Variant, const CellState *);
bool cell_is_worn_out(const CellParameters *, const CellState *); /* more lithium is lost than the tables know */
double cell_soc(const CellParameters *, const CellTraits *, Variant, const CellState *); /* 0 to 1 */
void cell_begin(const CellParameters *, const CellTraits *, Variant, CellState *, double soc, double T_K);
CellOutput cell_output(const CellParameters *, const CellTraits *, Variant, const CellState *, double current_A);
/* Hold a current for a while; its output at the end is kept in the state. */
void cell_advance(const CellParameters *, const CellTraits *, Variant, CellState *, double current_A, double ambient_K,
                  double step_s);

/* The two electrical models; current per cell of the set, charge and heat likewise. */
void spme_begin(const CellParameters *, CellState *, double x, double y);
CellOutput spme_output(const CellParameters *, const CellState *, double current_A);
void spme_advance(const CellParameters *, CellState *, double current_A, double film_flux, double step_s);
double spme_mean(const CellState *, int electrode);
double spme_stored_J(const CellParameters *, const CellState *);
double spme_mixing_W(const CellParameters *, const CellState *, double current_A);
CellOutput circuit_output(const CellParameters *, const CellState *, double soc, double current_A);
void circuit_advance(const CellParameters *, CellState *, double soc, double current_A, double step_s);

double at_temperature(double activation, double T_K, double T_ref_K); /* Arrhenius */

#endif
