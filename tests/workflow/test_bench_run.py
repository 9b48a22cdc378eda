"""One run from files to a table: what went in is checked, what came out is written, how it ended is said."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from twinbench.core.bundle import ModelSummary, Variable
from twinbench.core.cosim import System
from twinbench.core.errors import RequestError, SimulationError
from twinbench.core.findings import Finding, Severity
from twinbench.workflow.bench_run import parse_settings, simulate_bundle, write_csv


def model(name: str, *variables: str) -> ModelSummary:
    known = {variable: Variable(variable, "parameter", "String") for variable in variables}
    return ModelSummary(name, "3.0", "0" * 64, known, True, (), name)


@dataclass
class Ramp:
    """y grows by one per step, and breaks where it is told."""

    fails_at: float = 1e9
    name: str = "Ramp"
    y: float = 0.1
    variables: dict = field(default_factory=lambda: {"y": Variable("y", "output", "Float64", "V")})

    def bind(self, inputs, given, outputs, asked):
        self._asked = asked

    def write(self):
        raise AssertionError("nothing drives it")

    def read(self):
        self._asked[:] = self.y

    def exit_initialization(self):
        pass

    def do_step(self, time_s, step_s):
        if time_s >= self.fails_at:
            raise SimulationError(f"Ramp broke at {time_s:g} s")
        self.y += 1.0
        return False


@dataclass
class Check:
    ok: bool = True
    findings: tuple = (Finding("BUNDLE-X", Severity.NOTE, "here", "something"),)
    models: tuple = (model("Ramp", "Stimuli_File"), model("Other"))


@pytest.fixture
def run(tmp_path):
    """Run the ramp from 0 to 3 s; returns the document, and keeps the start values it was opened with."""

    def run(ramp: Ramp | None = None, check: Check | None = None, **options):
        @contextmanager
        def open_system(folder, *, start_values, start_time):
            run.opened = (folder, start_values, start_time)
            system = System([ramp or Ramp()], [])
            system.initialise()
            yield system

        times = {"start_time": 0.0, "stop_time": 3.0, "step_size": 1.0}
        return simulate_bundle(
            Path("bundle"),
            check_bundle=lambda path: check or Check(),
            open_system=open_system,
            write_table=write_csv,
            output=tmp_path / "out.csv",
            **{**times, **options},
        )

    return run


def table(document) -> list[list[str]]:
    with Path(document["output"]).open(newline="") as file:
        return list(csv.reader(file))


def test_a_run_is_written_and_summed_up(run):
    document = run()

    assert table(document) == [["time", "Ramp.y"], ["0.0", "0.1"], ["1.0", "1.1"], ["2.0", "2.1"], ["3.0", "3.1"]]
    assert list(document)[:1] + list(document)[2:] == [
        "status",
        "communication_steps",
        "wall_s",
        "steps_per_s",
        "output",
        "findings",
    ]
    assert (document["status"], document["communication_steps"]) == ("completed", 3)
    assert document["steps_per_s"] == pytest.approx(3 / document["wall_s"])
    assert document["findings"][0]["code"] == "BUNDLE-X"


def test_numbers_are_read_back_exactly(run):
    assert [float(row[1]) for row in table(run(Ramp(y=1 / 3)))[1:]] == [1 / 3 + k for k in range(1)] + [
        1 / 3 + 1.0,
        1 / 3 + 1.0 + 1.0,
        1 / 3 + 1.0 + 1.0 + 1.0,
    ]


def test_a_bundle_with_errors_is_refused_and_nothing_is_written(run, tmp_path):
    document = run(check=Check(ok=False))

    assert (document["status"], document["output"], document["communication_steps"]) == ("refused", None, 0)
    assert list(tmp_path.iterdir()) == []


def test_what_was_recorded_before_a_failure_is_kept(run):
    document = run(Ramp(fails_at=2.0))

    assert (document["status"], document["reason"]) == ("failed", "Ramp broke at 2 s")
    assert document["communication_steps"] == 2
    assert len(table(document)) == 4


def test_a_run_that_cannot_begin_is_an_error(run):
    with pytest.raises(SimulationError, match="step_size"):
        run(step_size=0.0)


def test_stimuli_go_to_the_fmu_that_takes_them(run, tmp_path):
    run(stimuli=tmp_path / "a" / ".." / "input.csv", set_values=["Ramp.gain=2"])

    assert run.opened[1] == {"Ramp": {"gain": "2", "Stimuli_File": str(tmp_path / "input.csv")}}


def test_stimuli_without_a_taker_are_an_error(run, tmp_path):
    with pytest.raises(RequestError, match="none has a parameter Stimuli_File"):
        run(stimuli=tmp_path, check=Check(models=(model("Other"),)))


def test_settings_are_read_with_the_longest_fmu_name():
    models = [model("A"), model("A.b")]

    assert parse_settings(["A.x=1", "A.b.c = d=e", "A.y="], models) == {"A": {"x": "1", "y": ""}, "A.b": {"c": " d=e"}}


@pytest.mark.parametrize("setting", ["A.x", "B.x=1", "A=1", ""])
def test_an_unreadable_setting_is_refused(setting):
    with pytest.raises(RequestError, match=r"write FMU\.variable=value with one of the FMUs A"):
        parse_settings([setting], [model("A")])
