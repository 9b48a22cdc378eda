"""REST: runs, figures and signals of a request are the same in every form they are sent in."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from tests.fake_desk import ADA, OTTO
from tests.web.every_state import READINGS
from twinbench.core.telemetry import INVALID
from twinbench.workflow.results import read_signals


@pytest.fixture
def lab(every_state):
    return every_state.desk, every_state.fake


@pytest.fixture
def of(as_, every_state):
    """A caller for what belongs to the request in a state."""
    return lambda state, path, **more: as_(ADA)("GET", f"/api/v1/requests/{every_state.numbers[state]}{path}", **more)


def test_runs_are_told_with_levels_bench_status_and_figures(of):
    first, second = of("completed", "/runs").json()

    assert (first["run"], second["run"]) == (1, 2)
    assert first["status"] == "completed"
    assert first["bench"].startswith("virtual-")
    assert first["has_data"]
    assert first["levels"]
    assert first["figures"]


@pytest.mark.parametrize(("state", "statuses"), [("submitted", []), ("planned", ["planned", "planned"])])
def test_before_they_are_over_runs_are_told_as_far_as_they_are(of, state, statuses):
    assert [run["status"] for run in of(state, "/runs").json()] == statuses


def test_results_are_the_same_as_json_csv_and_parquet(of, every_state):
    answers = {form: of("completed", f"/results?form={form}") for form in ("json", "csv", "parquet")}

    rows = pd.DataFrame(answers["json"].json())
    assert len(rows) == 2
    for form, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        table = read(io.BytesIO(answers[form].content))
        pd.testing.assert_frame_equal(table.astype(object).fillna(0), rows.astype(object).fillna(0), rtol=1e-12)
    number = every_state.numbers["completed"]
    assert answers["csv"].headers["content-disposition"] == f'attachment; filename="{number}-results.csv"'
    assert answers["parquet"].headers["content-type"] == "application/vnd.apache.parquet"


@pytest.mark.parametrize("form", ["json", "csv", "parquet"])
@pytest.mark.parametrize("state", ["submitted", "planned", "running", "failed", "cancelled"])
def test_results_that_are_not_there_yet_are_no_error(of, state, form):
    answer = of(state, f"/results?form={form}")

    assert answer.status_code == 200


def test_a_form_that_is_none_is_refused(of):
    answer = of("completed", "/results?form=xlsx")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "form"


def test_rows_of_a_run_are_the_same_as_json_csv_and_parquet(of):
    forms = {form: of("completed", f"/runs/1/data?form={form}").content for form in ("json", "csv", "parquet")}

    parquet = pd.read_parquet(io.BytesIO(forms["parquet"]))
    assert len(parquet) > 100
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(forms["csv"])), parquet, check_dtype=False)
    json_rows = pd.DataFrame(json.loads(forms["json"])).reset_index(drop=True)
    pd.testing.assert_frame_equal(json_rows, parquet, check_dtype=False, rtol=1e-9)


def test_signals_are_thinned_out_and_lose_no_extreme(of, every_state):
    whole = of("completed", "/runs/1/signals?points=5000").json()
    thin = of("completed", "/runs/1/signals?points=50").json()

    area = every_state.fake.lab.area(every_state.uuids["completed"])
    kept = read_signals(area, 1)
    assert whole["of"] == thin["of"] == len(kept["time_s"])
    assert thin["shown"] == len(thin["time_s"]) <= 60 < thin["of"]
    assert thin["time_s"] == sorted(thin["time_s"])
    assert (thin["time_s"][0], thin["time_s"][-1]) == (kept["time_s"][0], kept["time_s"][-1])
    for series in thin["series"]:
        values = [value for value in series["values"] if value is not None]
        assert (min(values), max(values)) == (np.nanmin(kept[series["name"]]), np.nanmax(kept[series["name"]]))
        assert series["unit"]


def test_while_a_run_is_under_way_its_newest_readings_are_told(of):
    live = of("running", "/runs/1/signals").json()

    assert live["time_s"] == [reading["time_s"] for reading in READINGS]
    (voltage,) = [one for one in live["series"] if one["name"] == "voltage_V"]
    assert voltage["values"] == [reading["voltage_V"] for reading in READINGS]


def test_a_run_that_has_said_nothing_yet_has_no_signals(of):
    live = of("running", "/runs/2/signals").json()

    assert (live["time_s"], live["series"], live["of"]) == ([], [], 0)


@pytest.mark.parametrize("gap", [{}, {"voltage_V": INVALID}, {"voltage_V": float("nan")}], ids=str)
def test_what_a_reading_lacks_is_a_gap(of, every_state, monkeypatch, gap):
    readings = [*READINGS, {"time_s": 20.0, "current_A": 1.0, **gap}]
    monkeypatch.setitem(every_state.desk.live.rows, every_state.uuids["running"], {1: readings})

    told = of("running", "/runs/1/signals").json()

    last = {series["name"]: series["values"][-1] for series in told["series"]}
    assert (told["time_s"][-1], last["current_A"], last["voltage_V"]) == (20.0, 1.0, None)


def test_the_bench_plan_tells_benches_and_times(of):
    told = of("planned", "/gantt").json()

    assert {part["bench"] for part in told["assignments"]} <= {"virtual-1", "virtual-2"}
    assert sorted(run for part in told["assignments"] for run in part["runs"]) == [1, 2]
    assert of("submitted", "/gantt").json()["assignments"] == []


def test_findings_say_what_about_and_what_to_do(of):
    worst = of("failed", "/findings").json()[0]

    assert (worst["about"], worst["severity"], worst["hint"]) == ("request", "error", "upload it again")
    assert of("submitted", "/findings").json() == []


@pytest.mark.parametrize(
    "path", ["/runs/99/signals", "/runs/99/data", "/runs/0/signals", "/runs/x/signals", "/runs/1/nothing"]
)
def test_what_is_not_there_is_not_found(of, path):
    assert of("completed", path).status_code in (404, 422)


def test_rows_that_are_not_recorded_yet_are_not_found(of):
    answer = of("planned", "/runs/1/data")

    assert answer.status_code == 404
    assert "has no rows yet" in answer.json()["detail"]


def test_operators_see_the_same(as_, every_state):
    assert as_(OTTO)("GET", f"/api/v1/requests/{every_state.numbers['completed']}/results").json()
