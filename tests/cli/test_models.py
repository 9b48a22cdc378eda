"""What a digital twin sends is built into one file and simulated, once or many times, as the options say."""

from __future__ import annotations

import csv
import json
import shutil

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from tests.fakes import INCLUDE
from twinbench.cli import main

BUNDLE = str(INCLUDE / "fmus")
BATTERY = "FMU_Battery_Model"
TIMES = ["--stop-time", "60", "--step-size", "1"]


@pytest.fixture
def twinbench(tmp_path, monkeypatch):
    """Run a command in a folder of its own; returns its exit code and its output."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input.csv").write_text(
        "timestamp,Current_Profile,Ambient_Temperature,Initial_SoC,Initial_Temperature\n0,-5,25,90,25\n600,-5,25,90,25\n"
    )

    def run(*arguments):
        done = CliRunner().invoke(main, list(map(str, arguments)))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    return run


def rows(path) -> list[list[float]]:
    with path.open(newline="") as file:
        return [list(map(float, row)) for row in list(csv.reader(file))[1:]]


@pytest.mark.thorough
def test_one_file_is_built_that_runs_as_the_bundle_does(twinbench, tmp_path):
    code, told = twinbench("build", BUNDLE, "-o", "model.ssp", "--json")
    assert (code, json.loads(told)["connections"]) == (0, 12)

    twinbench("simulate", BUNDLE, *TIMES, "--stimuli", "input.csv", "-o", "a.csv")
    twinbench("simulate", "model.ssp", *TIMES, "--stimuli", "input.csv", "-o", "b.csv")

    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert len(rows(tmp_path / "a.csv")) == 61
    assert twinbench("check", "model.ssp")[0] == 0


def test_start_values_can_be_built_in(twinbench, tmp_path):
    twinbench("build", BUNDLE, "--set", f"FMU_Input_Handler.Stimuli_File={tmp_path / 'input.csv'}", "-o", "m.ssp")

    code, text = twinbench("simulate", "m.ssp", *TIMES, "-o", "a.csv", "--json")

    assert (code, json.loads(text)["status"]) == (0, "completed")


def test_a_bundle_with_errors_is_not_built(twinbench, tmp_path):
    (tmp_path / "empty").mkdir()

    code, text = twinbench("build", "empty", "-o", "m.ssp")

    assert code == 1
    assert "BUNDLE-NO-FMU" in text
    assert not (tmp_path / "m.ssp").exists()


def test_a_scheme_and_the_rows_are_chosen(twinbench, tmp_path):
    (tmp_path / "step.csv").write_text("timestamp,Current_Profile\n0,0\n25,-5\n")
    options = [*TIMES, "--stimuli", "step.csv", "--record", "FMU_Output_Handler.Current_Profile"]

    twinbench("simulate", BUNDLE, *options, "-o", "jacobi.csv")
    twinbench("simulate", BUNDLE, *options, "--scheme", "sorted", "--record-every", 25, "-o", "sorted.csv")

    assert rows(tmp_path / "sorted.csv") == [[0, 0], [25, -5], [50, -5], [60, -5]]
    assert [row[1] for row in rows(tmp_path / "jacobi.csv")[24:28]] == [0, 0, 0, -5]


CYCLE = ("Discharge at 1C for 60 seconds or until 2.5 V", "Rest for 10 seconds", "Charge at C/20 for 30 seconds")


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(CYCLE) + "\n",
        json.dumps(CYCLE),
        json.dumps({"record": {"time_s": 1}, "method": [
            {"step": "constant_current", "rate_C": -1, "until_time_s": 60, "until_voltage_V": 2.5},
            {"step": "open_circuit_voltage", "until_time_s": 10},
            {"step": "constant_current", "rate_C": 0.05, "until_time_s": 30},
        ]}),
    ],
    ids=["lines", "strings", "unicycler"],
)  # fmt: skip
def test_a_protocol_in_the_fields_languages_is_carried_out_and_ends_the_run(twinbench, tmp_path, text):
    (tmp_path / "protocol.json").write_text(text)

    code, _ = twinbench(
        "simulate", BUNDLE, "--procedure", "protocol.json", "--stop-time", 1000, "--step-size", 1,
        "--record", f"{BATTERY}.Current_Out", "-o", "out.csv",
    )  # fmt: skip

    assert code == 0
    assert [row[1] for row in rows(tmp_path / "out.csv")] == [-5.0] * 61 + [0.0] * 10 + [0.25] * 30


@pytest.mark.parametrize(
    ("text", "words", "wanted"),
    [("[", "is no JSON", 2), ('["Fly"]', "'Fly' cannot be read", 1), ("{}", "neither an aurora-unicycler protocol", 1)],
)
def test_a_protocol_that_cannot_be_read_is_refused_in_words(twinbench, tmp_path, text, words, wanted):
    (tmp_path / "protocol.json").write_text(text)

    code, told = twinbench("simulate", BUNDLE, "--procedure", "protocol.json", *TIMES, "-o", "out.csv")

    assert code == wanted
    assert words in told


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scheme", "newton"], "'newton' is not one of"),
        (["--every", "A"], "'A' is not FMU=N"),
        (["--every", "A=0"], "'A=0' is not FMU=N"),
        (["--record-every", "0"], "0 is not in the range"),
        (["--points", "nowhere.csv"], "does not exist"),
    ],
)
def test_options_that_make_no_sense_are_a_matter_of_usage(twinbench, options, words):
    code, text = twinbench("simulate", BUNDLE, *TIMES, *options, "-o", "a.csv")

    assert code == 2
    assert words in text


def test_many_points_are_run_and_resumed(twinbench, tmp_path):
    (tmp_path / "points.csv").write_text(
        f"run,FMU_Input_Handler.Stimuli_File,{BATTERY}.Initial_SoC_In\n"
        f"1,{tmp_path}/input.csv,90\n2,nowhere.csv,90\n3,{tmp_path}/input.csv,80\n"
    )
    command = ["simulate", BUNDLE, *TIMES, "--points", "points.csv", "--workers", 2, "-o", "many"]

    code, text = twinbench(*command)
    again = json.loads(twinbench(*command, "--json")[1])

    assert code == 1
    assert "run 2: failed" in text
    assert (again["points"], again["done_before"], again["failed"]) == (3, 2, 1)
    assert pq.read_table(tmp_path / "many/run-000001.parquet").num_rows == 61
    summary = json.loads((tmp_path / "many/run-000002.json").read_text())
    assert "nowhere.csv" in summary["message"]


def test_the_time_of_each_fmu_is_shown(twinbench):
    options = ["--stop-time", "600", "--step-size", "0.1", "--stimuli", "input.csv", "-o", "a.csv"]

    _, text = twinbench("simulate", BUNDLE, *options)

    assert "real_time_factor" in text
    assert BATTERY in text
    assert "%" in text


def test_the_worst_findings_are_shown_first(twinbench, tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(BUNDLE, folder)
    wires = json.loads((folder / "inter_connection.json").read_text())
    wires.append({"OutSignalReference": "FMU_Battery_Model/Nothing", "InSignalReference": "FMU_Output_Handler/SoC_In"})
    (folder / "inter_connection.json").write_text(json.dumps(wires))

    code, text = twinbench("check", folder)

    shown = [line.split()[0] for line in text.splitlines() if line.startswith(("error", "warning", "note"))]
    assert code == 1
    assert shown == sorted(shown, key=["error", "warning", "note"].index)
    assert shown[0] == "error"
