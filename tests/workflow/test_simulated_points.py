"""Many runs of a bundle leave a table and a summary each, and are not done twice."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.fake_bundle import EXPERIMENT, FakeBundle
from twinbench.workflow.simulated_points import simulate_points
from twinbench.workflow.tables import ParquetTable

POINTS = "Ramp.y0,Ramp.fails_at\n1,9\n2,1\n3,9\n"


@pytest.fixture
def bundle():
    return FakeBundle()


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
