"""Signals are thinned out without losing an extreme; what is under way is told as it was last heard."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_desk import ADA, carry_out, make_desk
from tests.fakes import request_document
from twinbench.core.errors import UnknownError
from twinbench.core.telemetry import INVALID
from twinbench.workflow.request_file import open_file
from twinbench.workflow.requesting import submit
from twinbench.workflow.trends import trend

VALUES = st.floats(-1e3, 1e3) | st.just(float("nan")) | st.just(INVALID)


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    desk, fake = make_desk(tmp_path_factory.mktemp("lab"))
    made = submit(desk, ADA, request_document(runs=2))
    carry_out(desk, fake, made.uuid, until="planned")
    return desk, open_file(desk, desk.register.get(made.uuid)), made.uuid


@given(
    rows=st.lists(st.tuples(VALUES, VALUES), max_size=300),
    points=st.integers(10, 200),
)
def test_whatever_is_heard_extremes_stay_gaps_stay_and_it_is_short(planned, rows, points):
    desk, file, uuid = planned
    desk.live.rows[uuid] = {1: [{"time_s": float(n), "voltage_V": a, "current_A": b} for n, (a, b) in enumerate(rows)]}

    told = trend(desk, file, 1, points=points)

    assert (told["run"], told["status"], told["of"]) == (1, "planned", len(rows))
    assert told["shown"] == len(told["time_s"]) <= max(points, 8)
    assert told["time_s"] == sorted(set(told["time_s"]))
    for column, name in enumerate(("voltage_V", "current_A")):
        heard = np.array([row[column] for row in rows])
        valid = heard[np.isfinite(heard) & (heard != INVALID)]
        series = [one for one in told["series"] if one["name"] == name]
        assert len(series) == bool(len(valid))
        for one in series:
            assert len(one["values"]) == told["shown"]
            shown = [value for value in one["values"] if value is not None]
            assert (min(shown), max(shown)) == (valid.min(), valid.max())


def test_what_nobody_has_heard_of_is_empty(planned):
    desk, file, uuid = planned
    desk.live.rows.pop(uuid, None)

    told = trend(desk, file, 2, points=100)

    assert (told["time_s"], told["series"], told["shown"], told["of"]) == ([], [], 0, 0)


def test_a_run_that_is_none_is_refused_with_those_that_are(planned):
    desk, file, _ = planned

    with pytest.raises(UnknownError, match="no run 3: its runs are 1 to 2"):
        trend(desk, file, 3, points=100)


def test_of_a_request_without_a_design_there_are_no_runs(tmp_path):
    desk, _ = make_desk(tmp_path)
    made = submit(desk, ADA, request_document())

    with pytest.raises(UnknownError, match="not designed yet"):
        trend(desk, open_file(desk, desk.register.get(made.uuid)), 1, points=100)
