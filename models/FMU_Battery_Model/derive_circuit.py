"""Derives the equivalent circuit of a parameter set from its SPMe, and writes ``resources/NAME.circuit.json``.

    python models/FMU_Battery_Model/derive_circuit.py [NAME]

The SPMe, held at one temperature after the other, is discharged, charged and pulsed; the open-circuit voltage is its
own at rest. R0, R1 and R2 over the state of charge, and one time constant each, are then searched for so that the
circuit shows the same voltages (least squares, resistances as logarithms, roughness over the state of charge is
penalised). Prints the residual for each temperature.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numba import njit
from scipy.optimize import least_squares

from twinbench.adapters.fmi import open_system
from twinbench.core.cosim import simulate

HERE = Path(__file__).resolve().parent
FMU = HERE.parents[1] / "include" / "fmus" / "FMU_Battery_Model.fmu"
TEMPERATURES_degC = [-20.0, -10.0, 0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
N_SOC, N_OCV = 41, 401
KEPT_s = 5.0
ROUGHNESS_V = 2e-4
UNSET = -1e9


def main() -> None:
    """Derive the circuit of one parameter set."""
    name = sys.argv[1] if len(sys.argv) > 1 else "LG_M50"
    capacity_Ah, ocv_V = rest(name)
    rows = []
    guess = np.concatenate([np.log(np.repeat([0.02, 0.01, 0.02], N_SOC)), np.log([10.0, 300.0])])
    for temperature_degC in TEMPERATURES_degC:
        runs = [run for run in experiments(name, capacity_Ah, temperature_degC) if len(run[0]) > 10]
        guess = fit(runs, capacity_Ah, ocv_V, guess)
        error_V = residual(guess, runs, capacity_Ah, ocv_V)
        print(
            f"{temperature_degC:5g} degC  {1e3 * np.sqrt(np.mean(error_V**2)):6.2f} mV rms over {len(runs)} runs",
            flush=True,
        )
        rows.append(np.exp(guess))
    table = np.array(rows)
    share = heat_share(name, np.array(rows), capacity_Ah, ocv_V)
    print(f"{share:.3f} of what the RC pairs take becomes heat")
    document = {
        "description": f"Derived from the SPMe of {name} by derive_circuit.py; rows belong to temperatures, "
        "columns to states of charge from 0 to 1 with equal spacing",
        "Temperature [degC]": TEMPERATURES_degC,
        "Number of states of charge": N_SOC,
        "Heat share of the RC pairs": round(share, 4),
        "OCV [V]": rounded(ocv_V),
        **{f"R{i} [Ohm]": [rounded(row[i * N_SOC : (i + 1) * N_SOC]) for row in table] for i in range(3)},
        **{f"tau{i} [s]": [[round(float(row[-3 + i]), 4)] * N_SOC for row in table] for i in (1, 2)},
    }
    (HERE / "resources" / f"{name}.circuit.json").write_text(json.dumps(document, indent=1) + "\n")


def rounded(values):
    """Six digits are more than it is worth."""
    return [float(f"{value:.6g}") for value in values]


def spme(stop_s, step_s=1.0, **values):
    """Run the SPMe; returns time, current, voltage, state of charge and capacity."""
    record = ["Current_Out", "Voltage_Out", "SoC_Out", "Capacity_Out", "Procedure_Over_Out", "Heat_Out"]
    values = {"Ageing_Factor": 0, "Temperature_Max": 1e6, **values}
    parts = []
    with open_system(FMU, start_values={"FMU_Battery_Model": values}) as system:
        blocks = simulate(
            system,
            start_time=0.0,
            stop_time=stop_s,
            step_size=step_s,
            record=[f"FMU_Battery_Model.{n}" for n in record],
        )
        for block in blocks:
            parts.append(np.column_stack([block.time_s, block.values]))
    return np.concatenate(parts).T


def rest(name):
    """Capacity, and the open-circuit voltage over the state of charge."""
    ocv_V = [spme(1.0, Parameter_Set=name, Initial_SoC_In=100 * soc)[2][0] for soc in np.linspace(0, 1, N_OCV)]
    return spme(1.0, Parameter_Set=name)[4][0], np.array(ocv_V)


def heat_share(name, rows, capacity_Ah, ocv_V):
    """The share of U1 + U2 that makes the circuit as warm as the SPMe, over a discharge at 1C and 20 degC."""
    row = rows[TEMPERATURES_degC.index(20.0)]
    procedure = np.zeros((64, 16))
    procedure[0] = stage(2, -capacity_Ah, below_V=2.5)
    run = spme(
        3600,
        Parameter_Set=name,
        Test_Procedure=" ".join(map(repr, procedure.ravel().tolist())),
        Ambient_Temperature_In=20.0,
        Initial_Temperature_In=20.0,
        Heat_Loss=1e6,
    )
    current_A, voltage_V, soc, heat_W = run[1], run[2], run[3] / 100, run[6]
    rest_V = np.interp(soc, np.linspace(0, 1, N_OCV), ocv_V)
    series_V = current_A * np.interp(soc, np.linspace(0, 1, N_SOC), row[:N_SOC])
    slow_W = current_A * (voltage_V - rest_V - series_V)
    return float(np.sum(slow_W * (heat_W - current_A * series_V)) / np.sum(slow_W**2))


def stage(mode, value=UNSET, duration_s=UNSET, below_V=UNSET, above_V=UNSET):
    """A row of the procedure."""
    return [mode, value, duration_s, below_V, above_V, *[UNSET] * 11]


def experiments(name, capacity_Ah, temperature_degC):
    """Discharges, charges and pulses at one temperature: (current_A, voltage_V, soc at the start) each."""
    pulse = [
        stage(2, -capacity_Ah, 20),
        stage(1, duration_s=120),
        stage(2, 0.75 * capacity_Ah, 20),
        stage(1, duration_s=120),
    ]
    step = [stage(2, -capacity_Ah / 2, 640), stage(1, duration_s=900)]
    procedures = [
        ([stage(2, -rate * capacity_Ah, below_V=2.5)], 100, 3600 / rate) for rate in (0.1, 1 / 3, 0.5, 0.75, 1.0)
    ]
    procedures += [([stage(2, rate * capacity_Ah, above_V=4.2)], 0, 3600 / rate) for rate in (1 / 3, 0.75)]
    procedures += [([*pulse, *step] * 10, 100, 19_000)]
    for stages, soc_pct, stop_s in procedures:
        matrix = np.zeros((64, 16))
        matrix[: len(stages)] = stages
        _, current_A, voltage_V, soc_percent, _, over, _ = spme(
            stop_s,
            Parameter_Set=name,
            Test_Procedure=" ".join(map(repr, matrix.ravel().tolist())),
            Initial_SoC_In=soc_pct,
            Ambient_Temperature_In=temperature_degC,
            Initial_Temperature_In=temperature_degC,
            Heat_Loss=1e6,
        )
        n = int(np.argmax(over > 0)) if over.any() else len(over)
        yield current_A[:n], voltage_V[:n], soc_percent[0] / 100


@njit(cache=False)
def circuit(current_A, soc, capacity_Ah, ocv_V, r_ohm, taus_s):
    """Voltages of the circuit; the current of a row has been held since the row before."""
    n, m = len(current_A), r_ohm.shape[1] - 1
    voltage_V = np.empty(n)
    e1, e2 = np.exp(-1 / taus_s[0]), np.exp(-1 / taus_s[1])
    v1 = v2 = 0.0
    for k in range(n):
        at = min(max(soc, 0.0), 1.0) * m
        i = min(int(at), m - 1)
        w = at - i
        r0 = (1 - w) * r_ohm[0, i] + w * r_ohm[0, i + 1]
        r1 = (1 - w) * r_ohm[1, i] + w * r_ohm[1, i + 1]
        r2 = (1 - w) * r_ohm[2, i] + w * r_ohm[2, i + 1]
        if k:
            v1 = v1 * e1 + current_A[k] * r1 * (1 - e1)
            v2 = v2 * e2 + current_A[k] * r2 * (1 - e2)
            soc += current_A[k] / 3600 / capacity_Ah
        place = soc * (len(ocv_V) - 1)
        j = min(max(int(place), 0), len(ocv_V) - 2)
        voltage_V[k] = ocv_V[j] + (place - j) * (ocv_V[j + 1] - ocv_V[j]) + current_A[k] * r0 + v1 + v2
    return voltage_V


def residual(x, runs, capacity_Ah, ocv_V):
    """Errors of all rows, in V."""
    r_ohm, taus_s = np.exp(x[:-2]).reshape(3, N_SOC), np.exp(x[-2:])
    return np.concatenate([circuit(i, soc, capacity_Ah, ocv_V, r_ohm, taus_s) - v for i, v, soc in runs])


def fit(runs, capacity_Ah, ocv_V, guess):
    """Tables and time constants at one temperature; long runs are thinned out where little happens."""

    def thinned(x):
        r_ohm, taus_s = np.exp(x[:-2]).reshape(3, N_SOC), np.exp(x[-2:])
        parts = []
        for i, v, soc in runs:
            error = (circuit(i, soc, capacity_Ah, ocv_V, r_ohm, taus_s) - v)[:: int(KEPT_s)]
            parts.append(error / np.sqrt(len(error)))
        rough = np.diff(x[:-2].reshape(3, N_SOC), n=2, axis=1).ravel()
        return np.concatenate([*parts, ROUGHNESS_V * rough])

    low = np.concatenate([np.full(len(guess) - 2, np.log(1e-4)), np.log([2.0, 60.0])])
    high = np.concatenate([np.full(len(guess) - 2, np.log(3.0)), np.log([60.0, 3000.0])])
    return least_squares(
        thinned, np.clip(guess, low + 1e-6, high - 1e-6), bounds=(low, high), x_scale="jac", max_nfev=40
    ).x


if __name__ == "__main__":
    main()
