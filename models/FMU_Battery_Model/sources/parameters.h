/* Written by fit_parameters.py: an LG M50-like cell of 5 Ah. SoC as a fraction, resistances at 25 degC. */
static const double OCV_SOC[] = {0, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1};
static const double OCV_V[] = {2.5, 2.84301, 3.04023, 3.19895, 3.2786, 3.42309, 3.48721, 3.53222, 3.58587, 3.66952, 3.75362, 3.83758, 3.95028, 4.03974, 4.09491, 4.13825, 4.1841};
static const double RC_SOC[] = {0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1};
static const double R0_OHM[] = {0.0482185, 0.0164729, 0.0150228, 0.0202566, 0.0178221, 0.0208068, 0.0210342, 0.0195557, 0.0278747};
static const double R1_OHM[] = {0.0238516, 0.0156171, 0.00916761, 0.00413161, 0.00423404, 0.0152668, 0.0109955, 0.014579, 0.0155006};
static const double R2_OHM[] = {0.0598382, 0.0346034, 0.0333993, 0.0171488, 0.0221864, 0.0109442, 0.0168724, 0.0149638, 0.000638802};
static const double TAU_S[] = {21.1186, 193.278};
static const double ACTIVATION_K = 529.129; /* activation energy over the gas constant */
#define CAPACITY_AH 5.13302
#define HEAT_CAPACITY_J_PER_K 65.5384
#define HEAT_LOSS_W_PER_K 0.0841406
