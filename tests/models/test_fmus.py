"""The shipped FMUs are those of the sources and keep to FMI 3.0; the handlers do what their pages say."""

import json
import shutil
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from fmpy import read_model_description
from fmpy.validation import validate_fmu

from twinbench.adapters.fmi import open_instance
from twinbench.core.errors import LabError

PROJECT = Path(__file__).resolve().parents[2]
FMUS = sorted((PROJECT / "include" / "fmus").glob("*.fmu"))
INPUT, OUTPUT = (PROJECT / "include" / "fmus" / f"FMU_{name}.fmu" for name in ("Input_Handler", "Output_Handler"))

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


@pytest.mark.thorough
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
