"""Locks that contradict each other, or what the lab has, are refused with the names and the reason."""

from dataclasses import replace
from time import perf_counter

import pytest

from twinbench.core.errors import InfeasibleError
from twinbench.core.planning.check import check
from twinbench.core.planning.problem import Bench, Demand, Job, Mode, Precedence, Problem, Resource

BENCHES = (Bench("b1"), Bench("b2", closed=((500, 600),)))
CHAMBER = Resource("chamber", closed=((300, 400, 1),))
DAY = Resource("operator", 2, open=((0, 480),))


def locked(name, bench, begin_min, *demands, **rest):
    return Job(name, (Mode(bench, 60, demands=demands),), locked=(bench, begin_min), **rest)


def lab(*jobs):
    return Problem(jobs, BENCHES, (CHAMBER, DAY))


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        pytest.param(
            lab(locked("A", "b1", 0), locked("B", "b1", 30)),
            "Jobs A and B are both locked on bench b1 at minute 30: move one of them",
            id="two on a bench",
        ),
        pytest.param(
            lab(locked("A", "b1", 0, unit="cell"), locked("B", "b2", 30, unit="cell")),
            "Jobs A and B are both locked on unit cell at minute 30: move one of them",
            id="one unit in two places",
        ),
        pytest.param(
            lab(locked("A", "b1", 0, Demand("chamber")), locked("B", "b2", 10, Demand("chamber"))),
            "Jobs A and B are locked and need 2 of chamber at minute 10, when there are 1",
            id="more of a resource than there is",
        ),
        pytest.param(
            lab(locked("A", "b1", 250, Demand("chamber"))),
            "Job A is locked and needs 1 of chamber at minute 300, when there are 0",
            id="a resource that is away meanwhile",
        ),
        pytest.param(
            lab(locked("A", "b1", 450, Demand("operator"))),
            "Job A is locked and needs 1 of operator at minute 480, when there are 0",
            id="after hours",
        ),
        pytest.param(
            lab(locked("A", "b2", 450)),
            "Job A is locked on bench b2 from minute 450 to 510, which is closed from minute 500 to 600",
            id="a closed bench",
        ),
        pytest.param(lab(locked("A", "b1", -90)), "Job A is locked .*over before the plan begins", id="long over"),
        pytest.param(lab(locked("A", "b1", 10**9)), "Job A is locked .*which is no time", id="never"),
        pytest.param(
            lab(locked("A", "b1", 0, deadline_min=60), locked("B", "b1", 100, deadline_min=120)),
            "Job B is locked from minute 100 to 160, but must be done by minute 120",
            id="after its deadline",
        ),
        pytest.param(
            lab(locked("A", "b1", 5, release_min=10)),
            "Job A is locked from minute 5 to 65, but may not begin before minute 10",
            id="before its release",
        ),
        pytest.param(
            lab(locked("A", "b1", 0), locked("B", "b2", 70, after=(Precedence("A", 20, 30),))),
            "Job B is locked 10 min after A, .* at least 20 min and at most 30 min after it",
            id="too soon after another one",
        ),
    ],
)
def test_a_contradiction_of_locks_is_refused_with_the_names_and_the_reason(problem, message):
    with pytest.raises(InfeasibleError, match=message):
        check(problem)


@pytest.mark.parametrize(
    "problem",
    [
        pytest.param(lab(locked("A", "b1", -30)), id="it runs already"),
        pytest.param(lab(locked("A", "b1", 0), locked("B", "b1", 60)), id="one at once after the other"),
        pytest.param(
            lab(locked("A", "b1", 0, Demand("operator")), locked("B", "b2", 0, Demand("operator"))),
            id="as many as there are",
        ),
        pytest.param(
            lab(
                locked("A", "b1", 0, Demand("chamber"), locked_teardown_min=60),
                locked("B", "b2", 0, Demand("chamber"), locked_teardown_min=60),
            ),
            id="what is under way is not questioned",
        ),
    ],
)
def test_locks_that_can_be_kept_are_not_refused(problem):
    check(problem)


def test_a_calendar_of_very_many_windows_takes_no_time_to_check():
    nights = Resource("operator", closed=tuple((day + 300, day + 400, 1) for day in range(0, 5_000_000, 400)))
    locked_job = locked("A", "b1", 400, Demand("operator"))

    begin = perf_counter()
    check(replace(lab(locked_job), resources=(nights,)))

    assert perf_counter() - begin < 1
