"""Fits the equivalent circuit to reference discharges, charges and pulses, and writes ``sources/parameters.h``.

    python models/FMU_Battery_Model/fit_parameters.py FOLDER_WITH_REFERENCE_CSVS

The reference files hold ``time_s, current_A (positive discharges), voltage_V, temperature_K`` of an LG M50 cell, made
with PyBaMM (single particle model with electrolyte, lumped thermal model; parameter set Chen2020). The electrical
parameters are fitted with the reference's own temperature, the thermal ones afterwards.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numba import njit
from scipy.optimize import least_squares

OCV_SOC = np.array([0, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
RC_SOC = np.array([0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1.0])
EMPTY_V = 2.5
REFERENCE_K = 298.15
GAS_J_per_molK = 8.314462618
TABLES = ("SPMe_1c_discharge_25C", "SPMe_cccv_charge_25C", "SPMe_hppc_25C")


@njit(cache=False)
def voltages(time_s, current_A, temperature_K, soc, capacity_Ah, ocv_V, r_ohm, taus_s, activation_K, ocv_soc, rc_soc):
    """Terminal voltage and open-circuit voltage at each sample; the current is held from the sample before."""
    n = len(time_s)
    terminal_V, open_V = np.empty(n), np.empty(n)
    v1 = v2 = 0.0
    for k in range(n):
        if k:
            held_s = time_s[k] - time_s[k - 1]
            parts = max(1, int(np.ceil(held_s / 10.0)))
            for _ in range(parts):
                step_s = held_s / parts
                scale = np.exp(activation_K * (1 / temperature_K[k] - 1 / 298.15))
                r1 = np.interp(soc, rc_soc, r_ohm[1]) * scale
                r2 = np.interp(soc, rc_soc, r_ohm[2]) * scale
                e1, e2 = np.exp(-step_s / taus_s[0]), np.exp(-step_s / taus_s[1])
                v1 = v1 * e1 + current_A[k - 1] * r1 * (1 - e1)
                v2 = v2 * e2 + current_A[k - 1] * r2 * (1 - e2)
                soc += current_A[k - 1] * step_s / 3600 / capacity_Ah
        scale = np.exp(activation_K * (1 / temperature_K[k] - 1 / 298.15))
        open_V[k] = np.interp(soc, ocv_soc, ocv_V)
        terminal_V[k] = open_V[k] + current_A[k] * np.interp(soc, rc_soc, r_ohm[0]) * scale + v1 + v2
    return terminal_V, open_V


@njit(cache=False)
def temperatures(time_s, heat_W, start_K, ambient_K, capacity_J_per_K, loss_W_per_K):
    """Cell temperature at each sample."""
    result = np.empty(len(time_s))
    result[0] = start_K
    for k in range(1, len(time_s)):
        target = ambient_K + heat_W[k - 1] / loss_W_per_K
        result[k] = target + (result[k - 1] - target) * np.exp(
            -loss_W_per_K / capacity_J_per_K * (time_s[k] - time_s[k - 1])
        )
    return result


def unpack(x):
    """Parameters from the vector that is searched: logarithms keep resistances positive and the OCV monotone."""
    n = len(OCV_SOC) - 1
    ocv_V = EMPTY_V + np.concatenate([[0.0], np.cumsum(np.exp(x[:n]))])
    r_ohm = np.exp(x[n : n + 3 * len(RC_SOC)]).reshape(3, -1)
    taus_s, activation_K, capacity_Ah, start_soc = np.exp(x[-5:-3]), np.exp(x[-3]), x[-2], x[-1]
    return ocv_V, r_ohm, taus_s, activation_K, capacity_Ah, start_soc


def first_guess():
    """Where the search begins."""
    ocv_V = np.interp(OCV_SOC, [0, 0.05, 0.1, 0.3, 0.6, 0.9, 1], [2.5, 3.1, 3.25, 3.55, 3.8, 4.08, 4.2])
    r_ohm = np.repeat([0.02, 0.01, 0.02], len(RC_SOC))
    return np.concatenate([np.log(np.diff(ocv_V)), np.log(r_ohm), np.log([10.0, 300.0, 2000.0]), [5.06, 0.04]])


def simulate(x, table, number):
    """Model voltages of a reference table; charging starts at a state of charge that is searched as well."""
    ocv_V, r_ohm, taus_s, activation_K, capacity_Ah, start_soc = unpack(x)
    soc = start_soc if number == 1 else 1.0
    arguments = (capacity_Ah, ocv_V, r_ohm, taus_s, activation_K, OCV_SOC, RC_SOC)
    return voltages(table[0], -table[1], table[3], soc, *arguments)


def fit(tables):
    """Electrical parameters, each table counting the same."""

    def residual(x):
        parts = [
            (simulate(x, table, number)[0] - table[2]) / np.sqrt(len(table[0])) for number, table in enumerate(tables)
        ]
        roughness = np.diff(x[len(OCV_SOC) - 1 : -5].reshape(3, -1), n=2, axis=1).ravel()
        return np.concatenate([*parts, 3e-4 * roughness])

    return least_squares(residual, first_guess(), x_scale="jac", max_nfev=60).x


def fit_thermal(x, tables):
    """Heat capacity (J/K) and loss (W/K) from the heat of the fitted circuit."""
    heats = []
    for number, table in enumerate(tables):
        terminal_V, open_V = simulate(x, table, number)
        heats.append(-table[1] * (terminal_V - open_V))

    def residual(y):
        return np.concatenate(
            [
                (temperatures(table[0], heat, table[3][0], REFERENCE_K, *np.exp(y)) - table[3]) / np.sqrt(len(heat))
                for table, heat in zip(tables, heats, strict=True)
            ]
        )

    solution = least_squares(residual, np.log([60.0, 0.1]))
    return np.exp(solution.x), residual(solution.x)


def as_c(name, values):
    """A C array."""
    return f"static const double {name}[] = {{{', '.join(f'{value:.6g}' for value in values)}}};"


def header(x, thermal):
    """The text of ``parameters.h``."""
    ocv_V, r_ohm, taus_s, activation_K, capacity_Ah, _ = unpack(x)
    lines = [
        "/* Written by fit_parameters.py: an LG M50-like cell of 5 Ah. SoC as a fraction, resistances at 25 degC. */",
        as_c("OCV_SOC", OCV_SOC),
        as_c("OCV_V", ocv_V),
        as_c("RC_SOC", RC_SOC),
        *(as_c(name, values) for name, values in zip(("R0_OHM", "R1_OHM", "R2_OHM"), r_ohm, strict=True)),
        f"static const double TAU_S[] = {{{taus_s[0]:.6g}, {taus_s[1]:.6g}}};",
        f"static const double ACTIVATION_K = {activation_K:.6g}; /* activation energy over the gas constant */",
        f"#define CAPACITY_AH {capacity_Ah:.6g}",
        f"#define HEAT_CAPACITY_J_PER_K {thermal[0]:.6g}",
        f"#define HEAT_LOSS_W_PER_K {thermal[1]:.6g}",
    ]
    return "\n".join(lines) + "\n"


def main():
    """Fit, print the residuals, write the header."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    tables = [np.loadtxt(folder / f"{name}.csv", delimiter=",", skiprows=1).T for name in TABLES]
    x = fit(tables)
    thermal, _ = fit_thermal(x, tables)
    for number, (name, table) in enumerate(zip(TABLES, tables, strict=True)):
        terminal_V, open_V = simulate(x, table, number)
        warm_K = temperatures(table[0], -table[1] * (terminal_V - open_V), table[3][0], REFERENCE_K, *thermal)
        rms_mV, rms_K = (1e3 * np.std(terminal_V - table[2]), np.sqrt(np.mean((warm_K - table[3]) ** 2)))
        rms_mV = 1e3 * np.sqrt(np.mean((terminal_V - table[2]) ** 2))
        print(f"{name}: voltage rms {rms_mV:.1f} mV, temperature rms {rms_K:.2f} K")
    activation_kJ = unpack(x)[3] * GAS_J_per_molK / 1e3
    print(f"capacity {unpack(x)[4]:.3f} Ah, activation energy {activation_kJ:.1f} kJ/mol, thermal {thermal}")
    (Path(__file__).parent / "sources" / "parameters.h").write_text(header(x, thermal))


if __name__ == "__main__":
    main()
