#include "parameters.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formula.h"
#include "json.h"

enum { N_FINE = 2049, N_COARSE = 1025 };
#define BARRIER_V                                                                                                      \
    1e-6 /* an electrode that is nearly full or empty stops the current: a term of BARRIER (1/x + 1/(x-1)) */
#define EDGE 1e-5

typedef struct {
    char *problem;
    size_t size;
} Report;

static void refuse(Report *report, const char *format, ...) {
    if (*report->problem) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(report->problem, report->size, format, arguments);
    va_end(arguments);
}

static double number(Report *report, const Json *section, const char *key, double otherwise) {
    const Json *member = json_member(section, key);
    if (!member && !isnan(otherwise)) return otherwise;
    if (!member || member->kind != JSON_NUMBER || !isfinite(member->number)) {
        refuse(report, "\"%s\" is %s", key, member ? "no number" : "missing");
        return NAN;
    }
    return member->number;
}

static double above_zero(Report *report, const Json *section, const char *key, double otherwise) {
    const double value = number(report, section, key, otherwise);
    if (!(value > 0)) refuse(report, "\"%s\" is %g: give a number above 0", key, value);
    return value;
}

static double positive(Report *report, const Json *section, const char *key) {
    return above_zero(report, section, key, NAN);
}

static double at_least_zero(Report *report, const Json *section, const char *key, double otherwise) {
    const double value = number(report, section, key, otherwise);
    if (!(value >= 0)) refuse(report, "\"%s\" is %g: give 0 or more", key, value);
    return value;
}

/* A part of a whole. */
static double share(Report *report, const Json *section, const char *key) {
    const double value = positive(report, section, key);
    if (!(value <= 1)) refuse(report, "\"%s\" is %g: give a number above 0 and up to 1", key, value);
    return value;
}

/* ---- tables ---- */

static bool make_table(Report *report, Table *table, double low, double high, size_t n) {
    free(table->y);
    *table = (Table){n, low, high, (double)(n - 1) / (high - low), malloc(n * sizeof(double))};
    if (!table->y) refuse(report, "out of memory");
    return table->y != NULL;
}

/* The integral of a table up to each of its points. */
static double *sums_of(Report *report, const Table *table) {
    double *sums = table->y ? malloc(table->n * sizeof(double)) : NULL;
    if (!sums) return refuse(report, "out of memory"), NULL;
    sums[0] = 0;
    for (size_t i = 1; i < table->n; i++) sums[i] = sums[i - 1] + 0.5 * (table->y[i - 1] + table->y[i]) / table->per_x;
    return sums;
}

static bool is_numbers(const Json *list, size_t least) {
    if (!list || list->kind != JSON_LIST || list->n < least) return false;
    for (const Json *item = list->first; item; item = item->next)
        if (item->kind != JSON_NUMBER) return false;
    return true;
}

/* Value at x of {"x": [...], "y": [...]}, linear between the points and level beyond them. */
static double interpolate(const Json *xs, const Json *ys, double at) {
    const Json *x = xs->first, *y = ys->first;
    if (at <= x->number) return y->number;
    while (x->next && at > x->next->number) x = x->next, y = y->next;
    if (!x->next) return y->number;
    return y->number + (at - x->number) / (x->next->number - x->number) * (y->next->number - y->number);
}

static bool is_increasing(const Json *list) {
    for (const Json *item = list->first; item->next; item = item->next)
        if (!(item->number < item->next->number)) return false;
    return true;
}

/* A function of x as a table; one that does not depend on x is the same everywhere. */
static void read_function(Report *report, const Json *section, const char *key, Table *table, double low, double high,
                          size_t n, double otherwise) {
    const Json *member = json_member(section, key);
    const Json *xs = json_member(member, "x"), *ys = json_member(member, "y");
    const bool is_table = is_numbers(xs, 2) && is_numbers(ys, 2) && xs->n == ys->n && is_increasing(xs);
    double constant = otherwise;
    if (member && member->kind == JSON_NUMBER)
        constant = member->number;
    else if (member && member->kind != JSON_TEXT && !is_table)
        return refuse(report, "\"%s\" is neither a number, a formula nor a table of increasing x", key);
    else if (!member && isnan(otherwise))
        return refuse(report, "\"%s\" is missing", key);
    const bool is_constant = !member || member->kind == JSON_NUMBER;
    if (!make_table(report, table, low, high, is_constant ? 2 : n)) return;
    for (size_t i = 0; i < table->n; i++) {
        const double x = low + (high - low) * (double)i / (double)(table->n - 1);
        char problem[80];
        table->y[i] = constant;
        if (is_table)
            table->y[i] = interpolate(xs, ys, x);
        else if (!is_constant && !evaluate(member->text, x, &table->y[i], problem))
            return refuse(report, "\"%s\" cannot be read: %s", key, problem);
        if (!isfinite(table->y[i])) return refuse(report, "\"%s\" is %g at x = %g", key, table->y[i], x);
    }
}

static void check_above_zero(Report *report, const char *what, const Table *table) {
    for (size_t i = 0; table->y && i < table->n; i++)
        if (!(table->y[i] > 0)) return refuse(report, "%s is %g somewhere: it must be above 0", what, table->y[i]);
}

/* ---- sections ---- */

static void read_electrode(Report *report, const Json *section, Electrode *e) {
    e->thickness_m = positive(report, section, "Thickness [m]");
    e->porosity = share(report, section, "Porosity");
    e->transport = share(report, section, "Transport efficiency");
    e->conductivity = positive(report, section, "Conductivity [S.m-1]");
    e->c_max = positive(report, section, "Maximum concentration [mol.m-3]");
    e->radius_m = positive(report, section, "Particle radius [m]");
    e->area_per_volume = positive(report, section, "Surface area per unit volume [m-1]");
    e->rate = positive(report, section, "Reaction rate constant [mol.m-2.s-1]");
    e->rate_E = number(report, section, "Reaction rate constant activation energy [J.mol-1]", 0);
    e->diffusivity_E = number(report, section, "Diffusivity activation energy [J.mol-1]", 0);
    read_function(report, section, "OCP [V]", &e->ocp_V, EDGE, 1 - EDGE, N_FINE, NAN);
    read_function(report, section, "Diffusivity [m2.s-1]", &e->diffusivity, EDGE, 1 - EDGE, N_COARSE, NAN);
    read_function(report, section, "Entropic change coefficient [V.K-1]", &e->entropic_V_per_K, EDGE, 1 - EDGE,
                  N_COARSE, 0);
    check_above_zero(report, "Diffusivity", &e->diffusivity);
    e->is_constant = e->diffusivity.n == 2;
    for (size_t i = 0; e->ocp_V.y && i < e->ocp_V.n; i++) {
        const double x = EDGE + (1 - 2 * EDGE) * (double)i / (double)(e->ocp_V.n - 1);
        e->ocp_V.y[i] += BARRIER_V * (1 / x + 1 / (x - 1));
    }
    e->ocp_sums = *report->problem ? NULL : sums_of(report, &e->ocp_V);
}

static void read_cell(Report *report, const Json *root, CellParameters *p) {
    const Json *all = json_member(root, "Parameterisation"), *cell = json_member(all, "Cell");
    const Json *electrolyte = json_member(all, "Electrolyte"), *separator = json_member(all, "Separator");
    const Json *own = json_member(all, "User-defined"), *state = json_member(root, "State");
    const Json *begin = json_member(state, "Initial conditions"), *around = json_member(state, "Thermal environment");
    p->area_m2 = positive(report, cell, "Electrode area [m2]") *
                 positive(report, cell, "Number of electrode pairs connected in parallel to make a cell");
    p->low_V = positive(report, cell, "Lower voltage cut-off [V]");
    p->high_V = positive(report, cell, "Upper voltage cut-off [V]");
    p->nominal_Ah = positive(report, cell, "Nominal cell capacity [A.h]");
    p->T_ref_K =
        json_member(cell, "Reference temperature [K]") ? positive(report, cell, "Reference temperature [K]") : 298.15;
    p->heat_capacity_J_per_K = positive(report, cell, "Density [kg.m-3]") * positive(report, cell, "Volume [m3]") *
                               positive(report, cell, "Specific heat capacity [J.K-1.kg-1]");
    p->heat_loss_W_per_K = at_least_zero(report, around, "Heat transfer coefficient [W.m-2.K-1]", 10) *
                           positive(report, cell, "External surface area [m2]");
    p->c_e0 = json_member(begin, "Initial electrolyte concentration [mol.m-3]")
                  ? positive(report, begin, "Initial electrolyte concentration [mol.m-3]")
                  : positive(report, electrolyte, "Initial concentration [mol.m-3]");
    p->transference = number(report, electrolyte, "Cation transference number", NAN);
    p->diffusivity_e_E = number(report, electrolyte, "Diffusivity activation energy [J.mol-1]", 0);
    p->conductivity_e_E = number(report, electrolyte, "Conductivity activation energy [J.mol-1]", 0);
    if (*report->problem) return;
    read_function(report, electrolyte, "Diffusivity [m2.s-1]", &p->diffusivity_e, 1e-3 * p->c_e0, 4 * p->c_e0, N_COARSE,
                  NAN);
    read_function(report, electrolyte, "Conductivity [S.m-1]", &p->conductivity_e, 1e-3 * p->c_e0, 4 * p->c_e0,
                  N_COARSE, NAN);
    check_above_zero(report, "the electrolyte's diffusivity", &p->diffusivity_e);
    check_above_zero(report, "the electrolyte's conductivity", &p->conductivity_e);
    p->separator_m = positive(report, separator, "Thickness [m]");
    p->separator_porosity = share(report, separator, "Porosity");
    p->separator_transport = share(report, separator, "Transport efficiency");
    p->low_degC = number(report, own, "Lowest temperature [K]", 273.15) - KELVIN;
    p->high_degC = number(report, own, "Highest temperature [K]", 333.15) - KELVIN;
    p->cool_degC = number(report, own, "Lowest temperature of operation [K]", p->low_degC + KELVIN) - KELVIN;
    p->warm_degC = number(report, own, "Highest temperature of operation [K]", p->high_degC + KELVIN) - KELVIN;
    p->radial_W_per_mK = above_zero(report, own, "Radial thermal conductivity [W.m-1.K-1]", 0.9);
    p->length_m = above_zero(report, own, "Length [m]", 0.07);
    p->film_m = above_zero(report, own, "Initial SEI thickness [m]", 5e-9);
    p->film_m3_per_mol = above_zero(report, own, "SEI partial molar volume [m3.mol-1]", 9.585e-5);
    p->film_z = above_zero(report, own, "Ratio of lithium moles to SEI moles", 1);
    p->film_rate_m2_per_s = at_least_zero(report, own, "SEI solvent diffusivity [m2.s-1]", 0) *
                            above_zero(report, own, "Bulk solvent concentration [mol.m-3]", 2636) * p->film_m3_per_mol /
                            p->film_z;
    p->film_E = number(report, own, "SEI growth activation energy [J.mol-1]", 0);
    p->film_Ohm_m = at_least_zero(report, own, "SEI resistivity [Ohm.m]", 0);
    if (!(p->low_degC < p->high_degC)) refuse(report, "it holds from %g to %g degC", p->low_degC, p->high_degC);
    if (!(p->low_V < p->high_V))
        refuse(report, "the voltage cut-offs %g and %g V contradict each other", p->low_V, p->high_V);
    if (!(p->transference >= 0 && p->transference < 1))
        refuse(report, "the transference number is %g", p->transference);
}

/* ---- what follows from them ---- */

static double open_circuit(const CellParameters *p, double x, double y) {
    return look_up(&p->electrodes[1].ocp_V, y) - look_up(&p->electrodes[0].ocp_V, x);
}

/* The stoichiometry of the negative electrode at which a cell with so much lithium (in Ah) has a voltage. */
static double balance(const CellParameters *p, double lithium_Ah, double voltage_V) {
    double low = fmax(0, (lithium_Ah - p->electrode_Ah[1]) / p->electrode_Ah[0]);
    double high = fmin(1, lithium_Ah / p->electrode_Ah[0]);
    for (int i = 0; i < 60; i++) {
        const double x = 0.5 * (low + high), y = (lithium_Ah - x * p->electrode_Ah[0]) / p->electrode_Ah[1];
        if (open_circuit(p, x, y) < voltage_V)
            low = x;
        else
            high = x;
    }
    return 0.5 * (low + high);
}

static void balance_electrodes(Report *report, const Json *all, CellParameters *p) {
    const Json *sections[2] = {json_member(all, "Negative electrode"), json_member(all, "Positive electrode")};
    const double x_full = share(report, sections[0], "Maximum stoichiometry");
    const double y_full = share(report, sections[1], "Minimum stoichiometry");
    for (int k = 0; k < 2; k++) {
        const Electrode *e = &p->electrodes[k];
        const double share = e->area_per_volume * e->radius_m / 3; /* of active material */
        p->electrode_Ah[k] = FARADAY / 3600 * share * e->thickness_m * p->area_m2 * e->c_max;
    }
    const double lithium_Ah = x_full * p->electrode_Ah[0] + y_full * p->electrode_Ah[1];
    p->most_loss_Ah = 0.8 * p->nominal_Ah;
    for (int i = 0; i < N_LOSSES; i++) {
        const double left_Ah = lithium_Ah - p->most_loss_Ah * i / (N_LOSSES - 1);
        p->x_empty[i] = balance(p, left_Ah, p->low_V), p->x_full[i] = balance(p, left_Ah, p->high_V);
        p->y_empty[i] = (left_Ah - p->x_empty[i] * p->electrode_Ah[0]) / p->electrode_Ah[1];
        p->y_full[i] = (left_Ah - p->x_full[i] * p->electrode_Ah[0]) / p->electrode_Ah[1];
    }
    if (!(p->x_full[0] - p->x_empty[0] > 0.01))
        refuse(report, "the electrodes hold no charge between %g and %g V", p->low_V, p->high_V);
}

/* ---- the circuit ---- */

static void read_column(Report *report, const Json *root, const char *key, CellParameters *p, int column) {
    const Json *rows = json_member(root, key);
    if (!rows || rows->kind != JSON_LIST || rows->n != p->n_degC)
        return refuse(report, "\"%s\" does not have a row for each temperature", key);
    double (*to)[N_CIRCUIT] = p->circuit;
    for (const Json *row = rows->first; row; row = row->next) {
        if (!is_numbers(row, 2) || row->n != p->n_soc)
            return refuse(report, "a row of \"%s\" does not have %zu numbers", key, p->n_soc);
        for (const Json *item = row->first; item; item = item->next, to++) {
            if (!(item->number > 0 && isfinite(item->number)))
                return refuse(report, "\"%s\" is %g somewhere: it must be above 0", key, item->number);
            (*to)[column] = item->number;
        }
    }
}

static void read_circuit(Report *report, const char *path, CellParameters *p) {
    static const char *const COLUMNS[N_CIRCUIT] = {"R0 [Ohm]", "R1 [Ohm]", "R2 [Ohm]", "tau1 [s]", "tau2 [s]"};
    JsonDocument document = json_read(path);
    const Json *ocv = json_member(document.root, "OCV [V]"),
               *temperatures = json_member(document.root, "Temperature [degC]");
    const double n_soc = document.root ? number(report, document.root, "Number of states of charge", NAN) : 0;
    if (!document.root)
        refuse(report, "%s: %s", path, document.problem);
    else if (!is_numbers(ocv, 2) || !is_numbers(temperatures, 2) || !is_increasing(temperatures) ||
             !(n_soc >= 2 && n_soc <= 10000))
        refuse(report, "%s lacks \"OCV [V]\", increasing \"Temperature [degC]\", or states of charge", path);
    else if (make_table(report, &p->circuit_ocv_V, 0, 1, ocv->n)) {
        const Json *item = ocv->first;
        for (size_t i = 0; i < ocv->n; i++, item = item->next) {
            p->circuit_ocv_V.y[i] = item->number;
            if (!isfinite(item->number)) refuse(report, "\"OCV [V]\" holds %g", item->number);
        }
        p->circuit_sums = sums_of(report, &p->circuit_ocv_V);
        p->n_soc = (size_t)n_soc, p->n_degC = temperatures->n;
        p->at_degC = malloc(p->n_degC * sizeof *p->at_degC),
        p->circuit = calloc(p->n_soc * p->n_degC, sizeof *p->circuit);
        if (!p->at_degC || !p->circuit)
            refuse(report, "out of memory");
        else {
            item = temperatures->first;
            for (size_t i = 0; i < p->n_degC; i++, item = item->next) p->at_degC[i] = item->number;
            for (int c = 0; c < N_CIRCUIT; c++) read_column(report, document.root, COLUMNS[c], p, c);
            p->circuit_heat = number(report, document.root, "Heat share of the RC pairs", 1);
        }
        p->has_circuit = !*report->problem;
    }
    json_free(&document);
}

static bool exists(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file != NULL;
}

CellParameters *parameters_read(const char *path, char *problem, size_t size) {
    Report report = {problem, size};
    *problem = 0;
    JsonDocument document = json_read(path);
    CellParameters *p = calloc(1, sizeof *p);
    if (!p || !document.root) refuse(&report, "%s", p ? document.problem : "out of memory");
    const Json *all = json_member(document.root, "Parameterisation");
    if (!*problem) read_cell(&report, document.root, p);
    if (!*problem) read_electrode(&report, json_member(all, "Negative electrode"), &p->electrodes[0]);
    if (!*problem) read_electrode(&report, json_member(all, "Positive electrode"), &p->electrodes[1]);
    if (!*problem) balance_electrodes(&report, all, p);
    char beside[4096];
    const size_t stem = strlen(path) > 5 && !strcmp(path + strlen(path) - 5, ".json") ? strlen(path) - 5 : strlen(path);
    snprintf(beside, sizeof beside, "%.*s.circuit.json", (int)stem, path);
    if (!*problem && exists(beside)) read_circuit(&report, beside, p);
    json_free(&document);
    if (*problem) parameters_free(p), p = NULL;
    return p;
}

void parameters_free(CellParameters *p) {
    if (!p) return;
    for (int k = 0; k < 2; k++) {
        free(p->electrodes[k].ocp_V.y);
        free(p->electrodes[k].ocp_sums);
        free(p->electrodes[k].entropic_V_per_K.y);
        free(p->electrodes[k].diffusivity.y);
    }
    free(p->diffusivity_e.y);
    free(p->conductivity_e.y);
    free(p->circuit_ocv_V.y);
    free(p->circuit_sums);
    free(p->at_degC);
    free(p->circuit);
    free(p);
}
