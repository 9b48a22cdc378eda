"""Runs from files to tables: what went in is checked, what came out is written, how it ended is said."""

from __future__ import annotations

import csv
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from twinbench.core.bundle import ModelSummary, Variable
from twinbench.core.cosim import Block, Experiment, Outcome, PointResult, Signal
from twinbench.core.errors import RequestError, SimulationError
from twinbench.core.findings import Finding, Severity
from twinbench.workflow.execution import (
    build_bundle,
    parse_settings,
    read_points,
    simulate_bundle,
    simulate_points,
)
from twinbench.workflow.tables import CsvTable, ParquetTable


def model(name: str, *variables: str) -> ModelSummary:
    known = {variable: Variable(variable, "parameter", "String") for variable in variables}
    return ModelSummary(name, "3.0", "0" * 64, known, True, (), name)


@dataclass
class Check:
    ok: bool = True
    findings: tuple = (Finding("BUNDLE-X", Severity.NOTE, "here", "something"),)
    models: tuple = (model("Ramp", "Stimuli_File"), model("Other"))
    connections: tuple = ()


EXPERIMENT = Experiment(stop_time=3.0, step_size=1.0)
SIGNALS = (Signal("Ramp.y", "V"),)


class Crew:
    """y = y0 + gain * t, one block per row; breaks at a time it is told."""

    def __init__(self, seen: list) -> None:
        self.seen = seen

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def run(self, points, *, on_block=lambda number, block: None, cancelled=lambda: False):
        for point in points:
            self.seen.append(point)
            values = {
                name: float(text) for name, text in point.start_values.get("Ramp", {}).items() if name != "Stimuli_File"
            }
            if "step" in values:
                yield PointResult(point.number, "failed", "step_size")
                continue
            for k in range(4):
                if k > values.get("fails_at", 9):
                    yield PointResult(point.number, "failed", f"Ramp broke at {k - 1} s", log=("Ramp [error] bang",))
                    break
                outcome = Outcome("completed", "end", "reached its end", 3, 3.0, 0.5, {"Ramp": 0.1}) if k == 3 else None
                y = values.get("y0", 0.1) + values.get("gain", 1.0) * k
                on_block(point.number, Block(SIGNALS, np.array([float(k)]), np.array([[y]]), outcome))
            else:
                yield PointResult(
                    point.number, "completed", "reached its end", outcome, ways_back={"Ramp": "state"}, wall_s=0.5
                )


@pytest.fixture
def bundle():
    """An opened bundle that is not there, and what was run on it."""

    @dataclass
    class Opened:
        check: Check
        seen: list
        archives: dict = field(default_factory=dict)
        start_values: dict = field(default_factory=lambda: {"Ramp": {"gain": "2", "y0": "1"}})

        def crew(self, **options):
            self.options = options
            return Crew(self.seen)

        @contextmanager
        def open(self, path):
            yield self

    return Opened(Check(), [])


@pytest.fixture
def run(tmp_path, bundle):
    """Run the ramp from 0 to 3 s."""

    def run(check: Check | None = None, **options):
        bundle.check = check or Check()
        return simulate_bundle(
            Path("bundle"),
            open_bundle=bundle.open,
            open_table=CsvTable,
            experiment=EXPERIMENT,
            output=tmp_path / "out.csv",
            **options,
        )

    return run


def table(document) -> list[list[str]]:
    with Path(document["output"]).open(newline="") as file:
        return list(csv.reader(file))


def test_a_run_is_written_and_summed_up(run):
    document = run()

    assert table(document) == [["time", "Ramp.y"], ["0.0", "0.1"], ["1.0", "1.1"], ["2.0", "2.1"], ["3.0", "3.1"]]
    assert set(document) >= {"status", "communication_steps", "wall_s", "steps_per_s", "output", "findings"}
    assert (document["real_time_factor"], document["busy_s"]) == (6.0, {"Ramp": 0.1})
    assert (document["status"], document["communication_steps"]) == ("completed", 3)
    assert document["steps_per_s"] == pytest.approx(3 / document["wall_s"])
    assert document["findings"][0]["code"] == "BUNDLE-X"


def test_numbers_are_read_back_exactly(run):
    assert [float(row[1]) for row in table(run(set_values=[f"Ramp.y0={1 / 3!r}"]))[1:]] == [1 / 3 + k for k in range(4)]


def test_a_bundle_with_errors_is_refused_and_nothing_is_written(run, tmp_path):
    document = run(check=Check(ok=False))

    assert (document["status"], document["output"], document["communication_steps"]) == ("refused", None, 0)
    assert list(tmp_path.iterdir()) == []


def test_what_was_recorded_before_a_failure_is_kept(run):
    document = run(set_values=["Ramp.fails_at=2"])

    assert (document["status"], document["reason"]) == ("failed", "Ramp broke at 2 s")
    assert document["communication_steps"] == 2
    assert document["messages"] == ["Ramp [error] bang"]
    assert len(table(document)) == 4


def test_a_run_that_cannot_begin_is_an_error(run):
    with pytest.raises(SimulationError, match="step_size"):
        run(set_values=["Ramp.step=0"])


def test_stimuli_go_to_the_fmu_that_takes_them(run, bundle, tmp_path):
    run(stimuli=tmp_path / "a" / ".." / "input.csv", set_values=["Ramp.gain=2"])

    assert bundle.seen[0].start_values == {"Ramp": {"gain": "2", "Stimuli_File": str(tmp_path / "input.csv")}}


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


MODELS = [model("Ramp", "Stimuli_File"), model("Other")]


def test_a_table_of_points_is_read_column_by_column():
    text = "run,Ramp.y0,Other.a.b\n7,1.5, x\n8,2,\n"

    assert read_points(text, MODELS) == [
        {"Ramp": {"y0": "1.5"}, "Other": {"a.b": "x"}},
        {"Ramp": {"y0": "2"}, "Other": {"a.b": ""}},
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no run"),
        ("Ramp.y0\n", "holds no run"),
        ("Rump.y0\n1\n", "Column 'Rump.y0' names no variable: write FMU.variable with one of the FMUs Other, Ramp"),
        ("Ramp.y0,Ramp.gain\n1,2\n3\n", "Line 3 of the points has 1 values, not 2"),
    ],
)
def test_an_unreadable_table_of_points_is_refused(text, words):
    with pytest.raises(RequestError, match=words):
        read_points(text, MODELS)


POINTS = "Ramp.y0,Ramp.fails_at\n1,9\n2,1\n3,9\n"


@pytest.fixture
def sweep(tmp_path, bundle):
    """Run many points into a folder."""

    def sweep(points: str = POINTS, **options):
        return simulate_points(
            Path("bundle"),
            points,
            open_bundle=bundle.open,
            open_table=ParquetTable,
            experiment=EXPERIMENT,
            output=tmp_path / "many",
            **options,
        )

    return sweep


def test_many_points_leave_a_table_and_a_summary_each(sweep, tmp_path):
    document = sweep(workers=2)

    assert {name: document[name] for name in ("status", "points", "failed", "done_before")} == {
        "status": "failed",
        "points": 3,
        "failed": 1,
        "done_before": 0,
    }
    assert pq.read_table(tmp_path / "many/run-000003.parquet")["Ramp.y"].to_pylist() == [3, 4, 5, 6]
    failed = json.loads((tmp_path / "many/run-000002.json").read_text())
    assert (failed["status"], failed["message"], failed["rows"]) == ("failed", "Ramp broke at 1 s", 2)
    assert failed["messages"] == ["Ramp [error] bang"]


def test_what_is_done_is_not_done_again_unless_its_inputs_change(sweep, bundle):
    sweep()
    bundle.seen.clear()

    document = sweep()
    again = [point.number for point in bundle.seen]
    bundle.seen.clear()
    sweep(POINTS.replace("3,9", "4,9"))

    assert (again, document["done_before"]) == ([2], 2)
    assert [point.number for point in bundle.seen] == [2, 3]


def test_the_table_counts_more_than_common_settings(sweep, bundle):
    sweep(set_values=["Ramp.gain=5", "Ramp.y0=7"])

    assert bundle.seen[0].start_values == {"Ramp": {"gain": "5", "y0": "1", "fails_at": "9"}}


def test_a_bundle_is_built_with_its_own_start_values_and_those_that_are_given(bundle, tmp_path):
    written = {}
    document = build_bundle(
        Path("cell.zip"),
        open_bundle=bundle.open,
        write_ssp=lambda output, **content: written.update(content),
        output=tmp_path / "model.ssp",
        set_values=["Ramp.gain=3"],
    )

    assert (document["ok"], document["output"]) == (True, str(tmp_path / "model.ssp"))
    assert (written["name"], written["start_values"]) == ("cell", {"Ramp": {"gain": "3", "y0": "1"}})
