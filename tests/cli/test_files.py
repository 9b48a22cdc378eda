"""Each capability works alone, on files: its output, its exit code, and one JSON object that scripts can rely on."""

import json
import shutil

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from tests.fakes import INCLUDE
from twinbench.cli import main

BUNDLE = str(INCLUDE / "fmus")


@pytest.fixture
def twinbench(tmp_path, monkeypatch):
    """Run a command in a folder of its own; returns its exit code, its output, and its JSON object if it has one."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        done = CliRunner().invoke(main, list(map(str, arguments)))
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return done.exit_code, done.output, json.loads(done.stdout) if "--json" in arguments else None

    return run


def write_json(folder, document):
    file = folder / "input.json"
    file.write_text(json.dumps(document))
    return file


def test_a_good_bundle_can_be_used(twinbench):
    code, _, told = twinbench("check", BUNDLE, "--json")

    assert (code, told["ok"]) == (0, True)
    assert {model["name"] for model in told["models"]} == {
        "FMU_Battery_Model",
        "FMU_Input_Handler",
        "FMU_Output_Handler",
    }
    assert all(set(finding) == {"code", "severity", "where", "message", "hint"} for finding in told["findings"])
    assert len(told["connections"]) == 12


def test_a_bundle_with_a_broken_fmu_cannot_and_the_words_name_it(twinbench, tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(BUNDLE, folder)
    (folder / "FMU_Battery_Model.fmu").write_bytes(b"no zip")

    code, text, _ = twinbench("check", folder)

    assert code == 1
    assert "FMU_Battery_Model.fmu" in text
    assert "cannot be used" in text
    assert twinbench("check", folder, "--json")[2]["ok"] is False


def test_a_bundle_that_is_not_there_is_a_matter_of_usage(twinbench):
    assert twinbench("check", "nowhere")[0] == 2


def test_a_simulation_writes_time_and_what_was_asked_for(twinbench, tmp_path):
    signals = ["FMU_Battery_Model.Cell_Voltage_Out", "FMU_Output_Handler.SoC"]

    code, _, told = twinbench(
        *("simulate", BUNDLE, "--stop-time", 5, "--step-size", 0.5, "--record", *signals, "-o", "out.csv", "--json")
    )

    rows = (tmp_path / "out.csv").read_text().splitlines()
    assert rows[0] == ",".join(["time", *signals])
    assert (code, told["status"], told["communication_steps"], len(rows)) == (0, "completed", 10, 12)
    assert set(told) >= {"status", "communication_steps", "wall_s", "steps_per_s", "output", "findings"}


def test_values_are_set_and_stimuli_read_and_units_kept_in_parquet(twinbench, tmp_path):
    (tmp_path / "input.csv").write_text("timestamp,Current_Profile\n0,-5\n100,-5\n")

    code, _, _ = twinbench(
        *("simulate", "--set", "FMU_Battery_Model.Heat_Loss=0.5", "FMU_Battery_Model.Cell_Length=0.08", BUNDLE),
        *("--stimuli", "input.csv", "--stop-time", 100, "--step-size", 1, "-o", "out.parquet"),
    )

    table = pq.read_table(tmp_path / "out.parquet")
    assert code == 0
    assert table.column_names[0] == "time"
    assert table.schema.field("FMU_Battery_Model.Cell_Voltage_Out").metadata == {b"unit": b"V"}
    assert table["FMU_Battery_Model.Current_Out"].to_pylist()[1:] == [-5.0] * 100


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--step-size", 0, "-o", "o.csv"], 1, "step_size=0.0 s"),
        (["--step-size", 1, "-o", "o.txt"], 2, "neither in .csv nor in .parquet"),
        (["--step-size", 1, "-o", "o.csv", "--set", "Heat_Loss=1"], 1, "sets nothing"),
        (["--step-size", 1, "-o", "o.csv", "--record", "FMU_Battery_Model.Voltage"], 1, "cannot be recorded"),
    ],
)
def test_a_simulation_that_makes_no_sense_is_refused_in_words(twinbench, arguments, code, words):
    told = twinbench("simulate", BUNDLE, "--stop-time", 1, *arguments)

    assert told[0] == code
    assert words in told[1]


def test_errors_are_one_json_object_too(twinbench):
    code, _, told = twinbench("simulate", BUNDLE, "--stop-time", 1, "--step-size", -1, "-o", "o.csv", "--json")

    assert (code, told["ok"], told["status"]) == (1, False, "error")
    assert "step_size=-1.0" in told["error"]


def test_a_design_is_written_with_its_quality(twinbench, tmp_path):
    factors = [
        {"name": "rate", "unit": "1/h", "low": 0.5, "high": 2},
        {"name": "soc", "unit": "%", "low": 0, "high": 9},
    ]
    spec = write_json(tmp_path, {"factors": factors, "runs": 8, "kind": "latin-hypercube", "seed": 3})

    code, _, told = twinbench("design", spec, "-o", "runs.csv", "--json")

    rows = (tmp_path / "runs.csv").read_text().splitlines()
    assert (code, told["runs"], len(rows), rows[0]) == (0, 8, 9, "run,rate,soc")
    assert told["quality"]["minimum_distance"] > 0


def test_a_fraction_shows_what_it_confounds_and_its_document_makes_it_again(twinbench, tmp_path):
    factors = [{"name": name, "unit": "1", "low": 0, "high": 1} for name in ("rate", "soc", "rest", "warmth")]
    spec = write_json(tmp_path, {"factors": factors, "kind": "fractional-factorial", "blocks": 2, "model": "linear"})

    code, text, _ = twinbench("design", spec, "-o", "runs.csv", "--document", "design.json")

    assert code == 0
    for words in ("D=ABC", "Resolution IV", "soc:rest:warmth", "power", "block"):
        assert words in text
    document = json.loads((tmp_path / "design.json").read_text())
    first = (tmp_path / "runs.csv").read_text()
    write_json(tmp_path, document["spec"])
    twinbench("design", spec, "-o", "runs.csv")
    assert (tmp_path / "runs.csv").read_text() == first


@pytest.mark.parametrize(
    ("unit", "code", "words"),
    [("V", 0, "latin-hypercube"), ("mV", 1, "is in 'mV', and FMU_Battery_Model.Voltage_Max is in 'V'")],
)
def test_variables_of_a_bundle_are_looked_for_before_a_design_is_made(twinbench, tmp_path, unit, code, words):
    factor = {"name": "limit", "unit": unit, "low": 4.0, "high": 4.2, "variable": "FMU_Battery_Model.Voltage_Max"}
    spec = write_json(tmp_path, {"factors": [factor], "runs": 3})

    told, text, _ = twinbench("design", spec, "-o", "runs.csv", "--models", BUNDLE)

    assert told == code
    assert words in text


def test_a_design_that_cannot_be_made_says_why(twinbench, tmp_path):
    factors = [{"name": "rate", "unit": "1/h", "low": 2, "high": 1}]
    spec = write_json(tmp_path, {"factors": factors, "runs": 8, "kind": "latin-hypercube", "seed": 3})

    code, text, _ = twinbench("design", spec, "-o", "runs.csv")

    assert code == 1
    assert "rate" in text
    assert not (tmp_path / "runs.csv").exists()


def test_a_sequential_plan_that_cannot_be_is_refused_with_the_design(twinbench, tmp_path):
    factor = {"name": "rate", "unit": "1/h", "low": 1, "high": 2}
    spec = write_json(tmp_path, {"factors": [factor], "runs": 8, "sequential": {"responses": ["discharged_ah"]}})

    code, text, _ = twinbench("design", spec, "-o", "runs.csv")

    assert code == 1
    assert "initial is None: give a whole number" in text


def test_a_plan_is_written_with_its_proof(twinbench, tmp_path):
    modes = [{"bench": "a", "duration_min": 5}, {"bench": "b", "duration_min": 7}]
    lab = write_json(tmp_path, {"jobs": [{"name": name, "modes": modes} for name in "xyz"]})

    code, _, told = twinbench("plan", lab, "-o", "plan.json", "--json")

    assert (code, told["status"], told["makespan_min"], told["gap"]) == (0, "optimal", 10, 0.0)
    assert len(json.loads((tmp_path / "plan.json").read_text())["intervals"]) == 3


def test_a_plan_is_drawn(twinbench, tmp_path):
    lab = write_json(tmp_path, {"jobs": [{"name": "capacity", "modes": [{"bench": "a", "duration_min": 5}]}]})

    code, text, _ = twinbench("plan", lab, "-o", "plan.json", "--svg", "plan.svg")

    assert code == 0, text
    assert "capacity" in (tmp_path / "plan.svg").read_text()


@pytest.mark.parametrize("option", [("--time-limit", "0"), ("--workers", "0"), ("--seed", "-1")])
def test_a_plan_without_time_worker_or_seed_is_a_matter_of_usage(twinbench, tmp_path, option):
    lab = write_json(tmp_path, {"jobs": [{"name": "x", "modes": [{"bench": "a", "duration_min": 5}]}]})

    code, text, _ = twinbench("plan", lab, "-o", "plan.json", *option)

    assert code == 2
    assert option[0] in text


def test_a_bench_that_may_be_misspelt_is_told(twinbench, tmp_path):
    jobs = [{"name": "x", "modes": [{"bench": "cycler1", "duration_min": 5}]}]
    lab = write_json(tmp_path, {"jobs": jobs, "benches": [{"name": "cycler-1"}]})

    code, text, _ = twinbench("plan", lab, "-o", "plan.json")

    assert code == 0
    assert "Bench 'cycler1' is not described" in text
    assert "did you mean 'cycler-1'?" in text


def test_a_plan_that_cannot_be_is_infeasible_and_names_the_job(twinbench, tmp_path):
    lab = write_json(tmp_path, {"jobs": [{"name": "x", "modes": []}]})

    code, _, told = twinbench("plan", lab, "-o", "plan.json", "--json")

    assert (code, told["status"]) == (1, "infeasible")
    assert "job x" in told["error"]


def test_a_file_that_is_no_json_is_named(twinbench, tmp_path):
    (tmp_path / "lab.json").write_text("{")

    code, text, _ = twinbench("plan", "lab.json", "-o", "plan.json")

    assert code == 1
    assert "lab.json is no JSON" in text


@pytest.mark.parametrize("command", ["simulate", "design", "plan"])
def test_an_output_in_a_folder_that_is_not_there_is_a_matter_of_usage(twinbench, tmp_path, command):
    given = BUNDLE if command == "simulate" else write_json(tmp_path, {})
    options = ["--stop-time", 1, "--step-size", 1] if command == "simulate" else []

    code, text, _ = twinbench(command, given, *options, "-o", "nowhere/out.csv")

    assert code == 2
    assert "nowhere is no folder that can be written to" in text


def test_models_are_shown_with_whole_digests_where_nobody_watches(twinbench):
    code, text, _ = twinbench("check", BUNDLE)
    models = twinbench("check", BUNDLE, "--json")[2]["models"]

    shown = [line.split() for line in text.splitlines()]
    assert code == 0
    assert all([model["name"], model["fmi_version"], model["sha256"]] in shown for model in models)


def test_a_plan_is_shown_as_a_bar_per_bench_and_names_are_no_markup(twinbench, tmp_path):
    jobs = [
        {"name": name, "modes": [{"bench": bench, "duration_min": minutes}]}
        for name, bench, minutes in [("x", "[red]", 6), ("y", "[red]", 6), ("z", "b", 6)]
    ]

    code, text, _ = twinbench("plan", write_json(tmp_path, {"jobs": jobs}), "-o", "plan.json")

    lines = {line.split()[0]: line.split()[1:] for line in text.splitlines()}
    assert code == 0
    assert lines["[red]"] == ["█" * 24 + "▒" * 24, "2", "12"]
    assert lines["b"] == ["█" * 24, "1", "6"]


def test_what_holds_a_late_test_back_is_shown_a_line_each(twinbench, tmp_path):
    jobs = [
        {"name": name, "modes": [{"bench": "b", "duration_min": 6}], "due_min": 5, "priority": 9 - number}
        for number, name in enumerate("xy")
    ]

    code, text, _ = twinbench("plan", write_json(tmp_path, {"jobs": jobs}), "-o", "plan.json")

    lines = text.splitlines()
    at = lines.index("late by 7 min  y: b is held by x until minute 6")
    assert code == 0
    assert lines[at + 1] == "               x: it begins as soon as it may, but takes until minute 6"


def test_a_lab_without_jobs_is_refused(twinbench, tmp_path):
    code, text, _ = twinbench("plan", write_json(tmp_path, {"jobs": []}), "-o", "plan.json")

    assert code == 1
    assert "The lab has no jobs" in text
