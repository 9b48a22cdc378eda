"""Runs from files to tables: what went in is checked, what came out is written, how it ended is said."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.fake_bundle import EXPERIMENT, Check, FakeBundle, model
from twinbench.core.errors import RequestError, SimulationError
from twinbench.workflow.execution import build_bundle, simulate_bundle
from twinbench.workflow.tables import CsvTable


@pytest.fixture
def bundle():
    return FakeBundle()


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
