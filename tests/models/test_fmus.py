"""The shipped FMUs are those of the sources, keep to FMI 3.0, and do what their pages say.

``reference_1c_discharge.csv`` is every twelfth row of a discharge at 1C and 25 degC that PyBaMM computed (single
particle model with electrolyte, lumped thermal model, parameter set Chen2020); its current is positive in discharge.
"""

import json
import shutil
import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from fmpy import read_model_description, simulate_fmu
from fmpy.validation import validate_fmu

from twinbench.adapters.fmi import open_instance
from twinbench.core.errors import LabError

PROJECT = Path(__file__).resolve().parents[2]
FMUS = sorted((PROJECT / "include" / "fmus").glob("*.fmu"))
BATTERY, INPUT, OUTPUT = (
    PROJECT / "include" / "fmus" / f"FMU_{name}.fmu" for name in ("Battery_Model", "Input_Handler", "Output_Handler")
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:fmpy")


@pytest.fixture(scope="module")
def builder():
    sys.path.insert(0, str(PROJECT / "models"))
    import build_fmus

    yield build_fmus
    sys.path.remove(str(PROJECT / "models"))


@pytest.mark.parametrize("fmu", FMUS, ids=lambda fmu: fmu.stem)
def test_a_shipped_fmu_is_of_the_sources_here(fmu, builder):
    model = PROJECT / "models" / fmu.stem
    description = (model / "modelDescription.xml").read_text()

    with ZipFile(fmu) as archive:
        shipped = archive.read("modelDescription.xml").decode()
        binary = archive.read(f"binaries/x86_64-linux/{fmu.stem}.so")

    assert shipped == description.replace(builder.TOKEN, builder.instantiation_token(model))
    assert builder.instantiation_token(model).encode() in binary


@pytest.mark.skipif(not shutil.which("gcc"), reason="no gcc here: the FMUs are built where there is one")
def test_the_same_sources_give_the_same_fmu(builder, tmp_path):
    (tmp_path / "b").mkdir()

    first = builder.build(PROJECT / "models" / "FMU_Output_Handler", tmp_path)
    second = builder.build(PROJECT / "models" / "FMU_Output_Handler", tmp_path / "b")

    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("fmu", FMUS, ids=lambda fmu: fmu.stem)
def test_fmpy_finds_nothing_wrong(fmu):
    assert validate_fmu(str(fmu)) == []
    assert read_model_description(str(fmu)).fmiVersion == "3.0"


def test_the_wiring_is_that_of_the_documents():
    wiring = json.loads((PROJECT / "include" / "fmus" / "inter_connection.json").read_text())

    assert {
        "InSignalReference": "/FMU_Battery_Model/Initial_SoC_In/Initial_SoC_In",
        "OutSignalReference": "/FMU_Input_Handler/Initial_SoC_Out/Initial_SoC_Out",
    } in wiring
    assert len(wiring) == 12


def battery(**start_values):
    return open_instance(BATTERY, instance_name="cell", start_values=start_values)


VOLTAGE = "Cell_Voltage_Out"


def test_a_discharge_at_1c_follows_the_reference():
    reference = np.loadtxt(Path(__file__).parent / "reference_1c_discharge.csv", delimiter=",", skiprows=1).T
    time_s, current_A, voltage_V, temperature_K = reference

    result = simulate_fmu(
        str(BATTERY), stop_time=3600, step_size=1, output_interval=1, start_values={"Current_Profile_In": -current_A[0]}
    )

    errors_V = np.interp(time_s, result["time"], result[VOLTAGE]) - voltage_V
    errors_K = np.interp(time_s, result["time"], result["Cell_Average_Temperature_Out"]) + 273.15 - temperature_K
    assert np.sqrt(np.mean(errors_V**2)) < 0.006
    assert np.sqrt(np.mean(errors_K**2)) < 0.7


@pytest.mark.parametrize("steps", [[1.0] * 3600, [60.0] * 60, [3600.0], [0.3] * 12000])
def test_the_charge_that_was_drawn_is_what_the_soc_loses_whatever_the_steps(steps):
    with battery(Current_Profile_In=-2.5) as cell:
        time_s = 0.0
        for step_s in steps:
            cell.do_step(time_s, step_s)
            time_s += step_s
        soc_pct, capacity_Ah = cell.get(["SoC_Out", "Capacity_Out"])

    assert (100.0 - soc_pct) / 100 * capacity_Ah == pytest.approx(2.5, abs=1e-9)


def test_long_steps_agree_with_short_ones():
    def after_half_an_hour(step_s):
        with battery(Current_Profile_In=-5.0) as cell:
            for step in range(round(1800 / step_s)):
                cell.do_step(step * step_s, step_s)
            return cell.get([VOLTAGE, "Cell_Average_Temperature_Out"])

    assert after_half_an_hour(600.0) == pytest.approx(after_half_an_hour(1.0), abs=0.02)


def test_at_rest_the_voltage_relaxes_and_the_cell_cools():
    with battery(Current_Profile_In=-5.0) as cell:
        cell.do_step(0.0, 1800.0)
        loaded_V, warm_degC = cell.get([VOLTAGE, "Cell_Average_Temperature_Out"])
        cell.set({"Current_Profile_In": 0.0})
        cell.do_step(1800.0, 7200.0)
        rested_V, cool_degC = cell.get([VOLTAGE, "Cell_Average_Temperature_Out"])

    assert rested_V > loaded_V
    assert 25.0 < cool_degC < warm_degC


@pytest.mark.parametrize(
    ("start_values", "words"),
    [
        ({"Initial_SoC_In": 101.0}, "Initial_SoC_In is 101 %"),
        ({"Ambient_Temperature_In": 90.0}, "Ambient_Temperature_In is 90 degC"),
        ({"Initial_Temperature_In": -50.0}, "Initial_Temperature_In is -50 degC"),
        ({"Heat_Capacity": 0.0}, "Heat_Capacity is 0"),
    ],
)
def test_a_start_beyond_reason_is_refused_with_its_value(start_values, words):
    with pytest.raises(LabError, match=words), battery(**start_values):
        pass


def test_no_number_is_no_input():
    with battery() as cell:
        cell.set({"Current_Profile_In": float("nan")})
        with pytest.raises(LabError, match=r"Current_Profile_In is -?nan"):
            cell.do_step(0.0, 1.0)


def test_leaving_the_range_of_the_model_is_told_once_per_excursion():
    told = []
    with open_instance(BATTERY, instance_name="cell", start_values={}, on_log=told.append) as cell:
        for step, current_A in enumerate([-12.0, -12.0, 0.0, -12.0]):
            cell.set({"Current_Profile_In": current_A})
            cell.do_step(float(step), 1.0)

    assert len([line for line in told if "outside the -10 to 10" in line]) == 2


def test_two_cells_do_not_disturb_each_other():
    with battery(Current_Profile_In=-5.0) as first, battery(Current_Profile_In=0.0) as second:
        first.do_step(0.0, 600.0)
        second.do_step(0.0, 600.0)

        assert second.get(["SoC_Out"]) == [100.0]
        assert first.get(["SoC_Out"])[0] < 90.0


def stimuli(tmp_path, text, name="input.csv"):
    file = tmp_path / name
    file.write_text(text)
    return open_instance(INPUT, instance_name="stimuli", start_values={"Stimuli_File": str(file)})


def currents(handler, times_s):
    read = []
    for now_s, next_s in zip(times_s, [*times_s[1:], times_s[-1] + 1], strict=True):
        read.append(handler.get(["Current_Profile_Out"])[0])
        handler.do_step(now_s, next_s - now_s)
    return read


def test_stimuli_are_held_from_row_to_row(tmp_path):
    text = "timestamp,Current_Profile,Ambient_Temperature\n0,1.5,20\n0.7,-2,20\n2,0,21\n"

    with stimuli(tmp_path, text) as handler:
        assert currents(handler, [0.1 * k for k in range(7)] + [0.1 * 7, 1.9, 2.0, 9.0]) == [1.5] * 7 + [-2, -2, 0, 0]
        assert handler.get(["Ambient_Temperature_Out", "Initial_SoC_Out"]) == [21.0, 100.0]


def test_a_custom_profile_is_read_in_its_units_and_forms(tmp_path):
    values = [{"timestamp": 0, "value": "1.0"}, {"timestamp": 1, "value": 2.5e2}]
    profile = {"Name": "current", "type": "input", "unit": "mA", "values": values, "more": [{"x": [None, True]}]}

    with stimuli(tmp_path, json.dumps([profile], indent=1), "profile.json") as handler:
        assert currents(handler, [0.0, 0.5, 1.0]) == [0.001, 0.001, 0.25]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("timestamp\n0\n", "has no signal"),
        ("timestamp,Current\n0,1\n", "column 2 of the header is 'Current'"),
        ("timestamp,Current_Profile\n0,ten\n", "line 2: 'ten' in column 2 is no number"),
        ("timestamp,Current_Profile\n0,1\n0,2\n", "line 3: timestamp 0 is not after 0"),
        ("timestamp,Current_Profile\n0,1,2\n", "line 2: there are more than 2 columns"),
        ("timestamp,Current_Profile\n0,nan\n", "not finite"),
        ("timestamp,Current_Profile\n", "has no rows"),
        ('{"Name": "current", "unit": "V", "values": [{"timestamp": 0, "value": 1}]}', "unit does not fit"),
        ('{"Name": "speed", "values": [{"timestamp": 0, "value": 1}]}', "Name is no signal"),
        ('{"Name": "current", "values": [{"timestamp": 0}]}', "lacks its timestamp or value"),
        ('{"Name": "current", "values": [', "an object with timestamp"),
        ("[" * 500, "an object with Name"),
        ('{"x": ' + "[" * 500, "nested too deeply"),
    ],
)
def test_stimuli_that_cannot_be_read_are_refused_with_place_and_value(tmp_path, text, words):
    with pytest.raises(LabError, match=words.replace("[", r"\[")), stimuli(tmp_path, text):
        pass


def test_a_missing_file_is_named(tmp_path):
    start_values = {"Stimuli_File": str(tmp_path / "nowhere.csv")}

    with (
        pytest.raises(LabError, match=r"nowhere\.csv cannot be opened"),
        open_instance(INPUT, instance_name="stimuli", start_values=start_values),
    ):
        pass


def test_the_output_handler_shows_its_inputs_at_once_and_says_what_is_not_connected():
    with open_instance(OUTPUT, instance_name="out", start_values={}) as handler:
        handler.set({"Cell_Voltage_In": 3.7})

        assert handler.get(["Cell_Voltage_01", "Cell_Voltage_02"]) == [3.7, -1e9]
