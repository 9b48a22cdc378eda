"""The battery model is true to PyBaMM's, keeps charge and energy, does not depend on the step, and never gives NaN.

``reference_1c_discharge.csv`` is every twelfth row of a discharge at 1C and 25 degC that PyBaMM computed (single
particle model with electrolyte, lumped thermal model, parameter set Chen2020); its current is positive in discharge.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.battery import FMU, run
from twinbench.adapters.fmi import open_instance
from twinbench.core.battery.stages import Mode, Stage
from twinbench.core.errors import LabError

pytestmark = pytest.mark.thorough

RESOURCES = Path(__file__).resolve().parents[2] / "models" / "FMU_Battery_Model" / "resources"
DISCHARGE = Stage(Mode.CURRENT, -5.0, voltage_below_V=2.5)
CHARGE = Stage(Mode.CURRENT, 2.5, voltage_above_V=4.2)
HOLD = Stage(Mode.VOLTAGE, 4.2, current_below_A=0.25)


def root_mean_square(values):
    return float(np.sqrt(np.mean(np.square(values))))


@pytest.mark.parametrize(("model", "most_V", "most_K"), [("SPMe", 0.003, 0.2), ("circuit", 0.02, 2.0)])
def test_a_discharge_at_1c_follows_the_reference(model, most_V, most_K):
    reference = np.loadtxt(Path(__file__).parent / "reference_1c_discharge.csv", delimiter=",", skiprows=1).T
    time_s, current_A, voltage_V, temperature_K = reference

    cell = run(3600, Model=model, Current_Profile_In=-float(current_A[0]))

    errors_V = np.interp(time_s, cell["time"], cell["Voltage_Out"]) - voltage_V
    errors_K = np.interp(time_s, cell["time"], cell["Cell_Average_Temperature_Out"]) + 273.15 - temperature_K
    assert root_mean_square(errors_V) < most_V
    assert root_mean_square(errors_K) < most_K


@pytest.mark.parametrize("model", ["SPMe", "circuit"])
@pytest.mark.parametrize(("stop_s", "step_s"), [(3600, 1.0), (3600, 60.0), (3600, 3600.0), (360, 0.3)])
def test_the_charge_that_was_drawn_is_what_the_soc_loses_whatever_the_steps(model, stop_s, step_s):
    cell = run(stop_s, Model=model, Current_Profile_In=-2.5, step_s=step_s)

    drawn_Ah = 2.5 * stop_s / 3600
    assert (100.0 - cell.last("SoC_Out")) / 100 * cell.last("Capacity_Out") == pytest.approx(drawn_Ah, rel=1e-6)
    assert cell.last("Discharge_Capacity_Out") == pytest.approx(drawn_Ah, rel=1e-9)


@pytest.mark.parametrize("model", ["SPMe", "circuit"])
def test_all_heat_is_lost_voltage_and_is_found_in_the_cell_or_its_surroundings(model):
    cell = run(
        9000,
        DISCHARGE,
        Stage(Mode.REST, duration_s=900),
        CHARGE,
        step_s=0.5,
        Model=model,
        Heat_Capacity=40.0,
        Heat_Loss=0.05,
    )

    warmth_K = cell["Cell_Average_Temperature_Out"] - 25.0
    carried_J = 40.0 * warmth_K[-1] + 0.05 * np.trapezoid(warmth_K, cell["time"])
    through_J = 3600 * (cell.last("Charge_Energy_Out") + cell.last("Discharge_Energy_Out"))
    assert abs(cell.last("Heat_Total_Out") - carried_J) < 1e-6 * through_J
    discharge = cell.stage(1)
    lost_W = discharge["Current_Out"] * (discharge["Voltage_Out"] - discharge["Open_Circuit_Voltage_Out"])
    np.testing.assert_allclose(discharge["Heat_Out"], lost_W, rtol=1e-9)


@pytest.mark.parametrize("model", ["SPMe", "circuit"])
@pytest.mark.parametrize("step_s", [1.0, 10.0])
def test_the_energy_that_went_in_is_stored_given_off_as_heat_or_lost_to_mixing(model, step_s):
    stages = (
        Stage(Mode.CURRENT, -7.5, duration_s=900),
        Stage(Mode.REST, duration_s=600),
        Stage(Mode.CURRENT, 5.0, duration_s=900),
    )

    cell = run(3000, *stages, Model=model, step_s=step_s, Initial_SoC_In=70.0)

    net_J = 3600 * (cell["Charge_Energy_Out"] - cell["Discharge_Energy_Out"])
    stored_J = 3600 * (cell["Stored_Energy_Out"] - cell["Stored_Energy_Out"][0])
    through_J = 3600 * (cell.last("Charge_Energy_Out") + cell.last("Discharge_Energy_Out"))
    missing_J = net_J - stored_J - cell["Heat_Total_Out"] - cell["Mixing_Loss_Out"]
    assert np.abs(missing_J).max() < (1e-6 if step_s == 1.0 else 1e-4) * through_J
    assert cell.last("Mixing_Loss_Out") > 0.01 * cell.last("Heat_Total_Out")


@pytest.mark.parametrize("model", ["SPMe", "circuit"])
def test_half_the_step_changes_the_voltage_by_less_than_half_a_millivolt(model):
    pulses = [Stage(Mode.CURRENT, current_A, duration_s=60) for current_A in (-10.0, 5.0, -5.0, 7.5)]

    one, half = (run(240, *pulses, step_s=step_s, Model=model, Initial_SoC_In=50.0) for step_s in (1.0, 0.5))

    assert np.max(np.abs(one["Voltage_Out"] - half["Voltage_Out"][::2])) < 0.0005


def test_long_steps_agree_with_short_ones():
    def end(step_s):
        cell = run(1800, Current_Profile_In=-5.0, step_s=step_s)
        return [cell.last("Voltage_Out"), cell.last("Cell_Average_Temperature_Out")]

    assert end(600.0) == pytest.approx(end(1.0), abs=0.001)


def test_at_rest_the_voltage_relaxes_and_the_cell_cools():
    cell = run(9000, Stage(Mode.CURRENT, -5.0, duration_s=1800), Stage(Mode.REST, duration_s=7200))

    loaded, rest = cell.stage(1), cell.stage(2)
    assert rest["Voltage_Out"][-1] > loaded["Voltage_Out"][-1]
    assert 25.0 < rest["Cell_Average_Temperature_Out"][-1] < loaded["Cell_Average_Temperature_Out"][-1]
    assert np.all(np.diff(rest["Voltage_Out"]) > -1e-9)


def test_a_cold_cell_gives_less():
    charges_Ah = [
        run(3600, DISCHARGE, Ambient_Temperature_In=T, Initial_Temperature_In=T, Heat_Loss=10.0).last(
            "Discharge_Capacity_Out"
        )
        for T in (-20.0, 0.0, 25.0, 45.0)
    ]

    assert charges_Ah == sorted(charges_Ah)
    assert charges_Ah[0] < 0.995 * charges_Ah[-1]


@settings(max_examples=25, deadline=None)
@given(
    model=st.sampled_from(["SPMe", "circuit"]),
    current_A=st.floats(-60, 60),
    soc_pct=st.floats(0, 100),
    ambient_degC=st.floats(-20, 60),
    step_s=st.sampled_from([0.1, 1.0, 30.0, 600.0]),
)
def test_whatever_is_asked_a_cell_stays_within_its_limits_and_gives_numbers(
    model, current_A, soc_pct, ambient_degC, step_s
):
    temperatures = {"Ambient_Temperature_In": ambient_degC, "Initial_Temperature_In": ambient_degC}

    cell = run(
        200 * step_s, Model=model, Current_Profile_In=current_A, Initial_SoC_In=soc_pct, step_s=step_s, **temperatures
    )

    assert all(np.isfinite(values).all() for values in cell.values())
    # at its very ends a cell rests at its limits, and what it goes on relaxing is no more than a millivolt
    assert 2.5 - 0.001 <= cell["Voltage_Out"].min() <= cell["Voltage_Out"].max() <= 4.2 + 0.001


def test_what_is_no_longer_there_is_known():
    aged = run(30 * 86400, Ageing_Factor=1, step_s=3600.0, Ambient_Temperature_In=45.0, Initial_Temperature_In=45.0)

    film_m, start_m = 1e-9 * aged.last("SEI_Thickness_Out"), 5e-9
    rate_m2_per_s = 2.5e-22 * 2636 * 9.585e-5 * np.exp(38000 / 8.314462618 * (1 / 298.15 - 1 / 318.15))
    assert film_m == pytest.approx(np.sqrt(start_m**2 + 2 * rate_m2_per_s * 30 * 86400), rel=1e-6)
    assert 0 < aged.last("Lithium_Loss_Out") < 0.2
    assert aged.last("SoH_Out") < 100.0
    assert aged.last("Capacity_Out") < aged["Capacity_Out"][0]


def test_ageing_takes_capacity_from_the_next_discharge():
    days = Stage(Mode.REST, duration_s=40 * 86400.0)
    fresh = run(3700, DISCHARGE)
    old = run(40 * 86400.0 + 20000, DISCHARGE, CHARGE, HOLD, days, DISCHARGE, Ageing_Factor=100, step_s=60.0)

    discharged_Ah = old.stage(5)["Discharge_Capacity_Out"][-1] - old.stage(4)["Discharge_Capacity_Out"][-1]
    assert discharged_Ah < 0.98 * fresh.last("Discharge_Capacity_Out")


# ---- data instead of code ----


@pytest.fixture
def parameters(tmp_path):
    """Writes a parameter set that differs from the LG M50; returns its path."""

    def write(change):
        document = json.loads((RESOURCES / "LG_M50.json").read_text())
        change(document["Parameterisation"])
        path = tmp_path / "cell.json"
        path.write_text(json.dumps(document))
        return str(path)

    return write


def test_another_cell_is_a_file(parameters):
    def double(sections):
        sections["Cell"]["Electrode area [m2]"] *= 2

    cell = run(3700, Stage(Mode.CURRENT, -10.0, voltage_below_V=2.5), Parameter_Set=parameters(double), Heat_Loss=1e3)
    reference = run(3700, DISCHARGE, Heat_Loss=1e3)

    assert cell.last("Discharge_Capacity_Out") == pytest.approx(2 * reference.last("Discharge_Capacity_Out"), rel=1e-6)


def test_a_diffusivity_that_depends_on_the_stoichiometry_is_taken_as_formula_or_table(parameters):
    def formula(sections):
        sections["Negative electrode"]["Diffusivity [m2.s-1]"] = "3.3e-14 * (1 + 0 * x) ** 2"

    def table(sections):
        sections["Negative electrode"]["Diffusivity [m2.s-1]"] = {"x": [0, 0.5, 1], "y": [3.3e-14] * 3}

    def slow(sections):
        sections["Negative electrode"]["Diffusivity [m2.s-1]"] = "3.3e-14 / (1 + 8 * x)"

    given = run(600, Current_Profile_In=-5.0, Initial_SoC_In=25.0).last("Voltage_Out")
    ends_V = [
        run(600, Current_Profile_In=-5.0, Initial_SoC_In=25.0, Parameter_Set=parameters(c)).last("Voltage_Out")
        for c in (formula, table, slow)
    ]

    assert ends_V[:2] == pytest.approx([given, given], abs=1e-7)
    assert ends_V[2] < given - 0.002


@pytest.mark.parametrize(
    ("section", "key", "value", "words"),
    [
        ("Cell", "Nominal cell capacity [A.h]", -5, "is -5: give a number above 0"),
        ("Cell", "Lower voltage cut-off [V]", 4.5, r"4\.5 and 4\.2 V contradict"),
        ("Negative electrode", "OCP [V]", "0.2 + tanh(x", "closing bracket is missing"),
        ("Negative electrode", "OCP [V]", "0.2 + __import__(x)", "unknown name at '__import__"),
        ("Negative electrode", "OCP [V]", {"x": [0, 0], "y": [1, 2]}, "neither a number, a formula nor a table"),
        ("Positive electrode", "Diffusivity [m2.s-1]", "x - 0.5", "it must be above 0"),
        ("Positive electrode", "Thickness [m]", "thin", "is no number"),
        ("Electrolyte", "Conductivity [S.m-1]", "1 / (x - x)", "is .*inf at x"),
        ("Electrolyte", "Conductivity [S.m-1]", -1.0, "electrolyte's conductivity is -1 somewhere"),
        ("Electrolyte", "Diffusivity [m2.s-1]", 0.0, "electrolyte's diffusivity is 0 somewhere"),
        ("Negative electrode", "Porosity", 3.0, "is 3: give a number above 0 and up to 1"),
        ("Negative electrode", "Maximum stoichiometry", 1.5, "is 1.5: give a number above 0 and up to 1"),
        ("User-defined", "Ratio of lithium moles to SEI moles", 0.0, "is 0: give a number above 0"),
        ("User-defined", "Radial thermal conductivity [W.m-1.K-1]", 0.0, "is 0: give a number above 0"),
        ("User-defined", "Initial SEI thickness [m]", -1e-9, "give a number above 0"),
        ("Cell", "Reference temperature [K]", 0.0, "is 0: give a number above 0"),
    ],
)
def test_a_damaged_parameter_set_is_refused_with_its_place(parameters, section, key, value, words):
    def change(sections):
        sections[section][key] = value

    with pytest.raises(LabError, match=f"Parameter_Set .*{words}"):
        run(1, Parameter_Set=parameters(change))


@given(st.integers(0, 4600), st.binary(min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_any_damage_to_a_parameter_set_is_refused_or_harmless(tmp_path_factory, place, noise):
    content = bytearray((RESOURCES / "LG_M50.json").read_bytes())
    content[place : place + len(noise)] = noise
    path = tmp_path_factory.mktemp("damaged") / "cell.json"
    path.write_bytes(bytes(content))

    with suppress(LabError):
        cell = run(2, Parameter_Set=str(path), Ageing_Factor=1)

        assert np.isfinite(cell["Voltage_Out"]).all()


def test_the_shipped_resources_are_those_of_the_sources():
    with ZipFile(FMU) as archive:
        for file in RESOURCES.iterdir():
            assert archive.read(f"resources/{file.name}") == file.read_bytes()


@pytest.mark.parametrize(
    ("start_values", "words"),
    [
        ({"Initial_SoC_In": 101.0}, "Initial_SoC_In is 101 %"),
        (
            {"Ambient_Temperature_In": 90.0},
            "Ambient_Temperature_In is 90 degC: the parameter set LG_M50 holds from -40 to 85",
        ),
        ({"Initial_Temperature_In": -50.0}, "Initial_Temperature_In is -50 degC"),
        ({"Heat_Capacity": 0.0}, "Heat_Capacity is 0"),
        ({"Ageing_Factor": -1.0}, "Ageing_Factor is -1"),
        ({"Model": "DFN"}, "Model is 'DFN': give SPMe or circuit"),
        ({"Parameter_Set": "nowhere"}, "Parameter_Set nowhere: it cannot be opened"),
        ({"Voltage_Min": 4.3}, r"voltage limits 4\.3 and 4\.2 V contradict"),
        ({"SoC_Min": 60.0, "SoC_Max": 40.0}, "SoC limits 60 and 40 % contradict"),
        ({"Limit_Action": 2.0}, "Limit_Action is 2"),
        ({"Cell_Capacity_Factors": "0"}, "Cell 1 has the capacity factor 0"),
        ({"Series_Count": 500}, "Series_Count is 500: give 1 to 400"),
    ],
)
def test_a_start_beyond_reason_is_refused_with_its_value(start_values, words):
    with pytest.raises(LabError, match=words):
        run(1, **start_values)


def test_leaving_the_validity_of_the_set_is_told_once():
    cell = run(600, Current_Profile_In=-10.0, Initial_Temperature_In=59.0, Ambient_Temperature_In=59.0)

    assert cell.last("Cell_Average_Temperature_Out") > 60
    assert len([line for line in cell.log if "was made for -20 to 60 degC" in line]) == 1


# ---- modules and packs ----


@pytest.mark.parametrize("model", ["SPMe", "circuit"])
def test_a_pack_of_equal_cells_is_a_cell_many_times(model):
    cell = run(300, Model=model, Current_Profile_In=-5.0)
    pack = run(300, Model=model, Current_Profile_In=-15.0, Series_Count=4, Parallel_Count=3)

    np.testing.assert_allclose(pack["Voltage_Out"], 4 * cell["Voltage_Out"], rtol=1e-7)
    assert pack.last("Capacity_Out") == pytest.approx(3 * cell.last("Capacity_Out"))
    assert len([name for name in pack if name.startswith("Cell_Voltages[")]) == 12


def test_cells_in_parallel_share_voltage_and_current_as_their_differences_ask_for():
    spread = {"Capacity_Spread": 4.0, "Resistance_Spread": 10.0, "Initial_SoC_Spread": 2.0, "Spread_Seed": 7}
    pack = run(600, Current_Profile_In=-10.0, Series_Count=2, Parallel_Count=2, Initial_SoC_In=70.0, **spread)

    for group in (1, 2):
        voltages_V = [pack[f"Cell_Voltages[{group},{cell}]"] for cell in (1, 2)]
        currents_A = [pack[f"Cell_Currents[{group},{cell}]"] for cell in (1, 2)]
        np.testing.assert_allclose(*voltages_V, atol=1e-6)
        np.testing.assert_allclose(sum(currents_A), -10.0, atol=1e-9)
        assert abs(currents_A[0][-1] - currents_A[1][-1]) > 0.01
    assert np.ptp([pack.last(f"Cell_SoCs[{g},{c}]") for g in (1, 2) for c in (1, 2)]) > 0.1


def test_the_weakest_cell_ends_the_discharge_of_a_pack():
    pack = run(4000, Stage(Mode.CURRENT, -5.0, voltage_below_V=10.0), Series_Count=4, Cell_Capacity_Factors="1 1 0.8 1")

    assert 2.5 <= pack["Cell_Voltages[3,1]"].min() < 2.51
    assert pack["Cell_Voltages[1,1]"].min() > 3.0
    assert any("lower voltage limit ended stage 1" in line for line in pack.log)


@pytest.mark.parametrize(("current_A", "voltage_V", "soc_pct"), [(2.5, 16.8, 20.0), (-5.0, 10.0, 60.0)])
def test_no_cell_of_a_pack_leaves_its_limits_while_the_pack_is_held_at_a_voltage(current_A, voltage_V, soc_pct):
    end = {"voltage_above_V": voltage_V} if current_A > 0 else {"voltage_below_V": voltage_V}
    stages = (
        Stage(Mode.CURRENT, current_A, **end),
        Stage(Mode.VOLTAGE, voltage_V, duration_s=3600, current_below_A=0.25),
    )

    pack = run(12_000, *stages, Series_Count=4, Cell_Capacity_Factors="1 1 0.8 1", Initial_SoC_In=soc_pct)

    assert pack["Highest_Cell_Voltage_Out"].max() < 4.2 + 1e-4
    assert pack["Lowest_Cell_Voltage_Out"].min() > 2.5 - 1e-4
    assert np.abs(pack["Current_Out"]).max() <= abs(current_A) + 1e-6


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 2.0])
@pytest.mark.parametrize("ambient_degC", [-20.0, 0.0, 25.0])
def test_a_resistance_factor_scales_what_comes_and_goes_with_the_current(factor, ambient_degC):
    at = {"Current_Profile_In": -10.0, "Initial_SoC_In": 80.0, "Ambient_Temperature_In": ambient_degC}
    at |= {"Initial_Temperature_In": ambient_degC, "Heat_Loss": 1e3}

    one, other = run(60, **at), run(60, Cell_Resistance_Factors=str(factor), **at)

    lost_V = [cell["Open_Circuit_Voltage_Out"] - cell["Voltage_Out"] for cell in (one, other)]
    assert np.all(other["Heat_Out"] > 0)
    assert np.all((lost_V[1] - lost_V[0]) * (factor - 1) > 0)
    assert np.all(lost_V[1] > 0.4 * factor * lost_V[0])
    assert np.all(lost_V[1] < 1.05 * max(factor, 1.0) * lost_V[0])


@pytest.mark.parametrize("model", ["SPMe", "circuit"])
@pytest.mark.parametrize("ambient_degC", [-20.0, 0.0, 25.0])
def test_cells_in_parallel_have_one_voltage_in_the_cold_too(model, ambient_degC):
    at = {"Ambient_Temperature_In": ambient_degC, "Initial_Temperature_In": ambient_degC, "Initial_SoC_In": 70.0}
    pack = run(
        300,
        Model=model,
        Current_Profile_In=-20.0,
        Parallel_Count=4,
        Resistance_Spread=10.0,
        Initial_SoC_Spread=3.0,
        **at,
    )

    voltages_V = np.array([pack[f"Cell_Voltages[1,{cell}]"] for cell in range(1, 5)])
    assert np.ptp(voltages_V, axis=0).max() < 1e-6
    assert np.isfinite(voltages_V).all()


def test_charge_and_capacity_of_an_uneven_pack_agree():
    pack = run(
        2000, Current_Profile_In=-5.0, Series_Count=4, Cell_Capacity_Factors="1 1 0.8 1", Cell_SoC_Offsets="0 -4 0 0"
    )

    drawn_Ah = pack.last("Discharge_Capacity_Out")
    assert (100 - pack.last("SoC_Out")) / 100 * pack.last("Capacity_Out") == pytest.approx(drawn_Ah, rel=0.05)
    middle = len(pack["time"]) // 2
    moved_Ah = drawn_Ah - pack["Discharge_Capacity_Out"][middle]
    lost_pct = pack["SoC_Out"][middle] - pack.last("SoC_Out")
    assert lost_pct / 100 * pack.last("Capacity_Out") == pytest.approx(moved_Ah, rel=1e-6)


def test_a_cell_that_has_lost_all_it_can_lose_is_at_its_end():
    with pytest.raises(LabError, match="come to the end of its life"):
        collect_steps(Ageing_Factor=1e7)


def test_an_ambient_beyond_the_set_is_refused_at_any_time():
    with open_instance(FMU, instance_name="cell", start_values={}) as cell:
        cell.do_step(0.0, 1.0)
        cell.set({"Ambient_Temperature_In": 90.0})
        with pytest.raises(LabError, match="Ambient_Temperature_In is 90 degC at t = 1 s"):
            cell.do_step(1.0, 1.0)


def collect_steps(**start_values):
    with open_instance(FMU, instance_name="cell", start_values=start_values) as cell:
        for step in range(100):
            cell.do_step(3600.0 * step, 3600.0)


def test_a_cell_without_a_loss_of_heat_keeps_it_all():
    cell = run(600, Current_Profile_In=-5.0, Heat_Loss=0.0, Heat_Capacity=50.0)

    assert 50.0 * (cell.last("Cell_Average_Temperature_Out") - 25.0) == pytest.approx(
        cell.last("Heat_Total_Out"), rel=1e-9
    )
