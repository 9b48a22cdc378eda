"""What a bench does in one go is one assignment, in order and in UTC; it says when the bench is held."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from twinbench.core.errors import PlanError
from twinbench.core.planning.assignments import assignments
from twinbench.core.planning.problem import Bench, Demand, Job, Mode, Problem, Resource
from twinbench.core.planning.solve import solve

ORIGIN = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
BENCHES = (Bench("b1"), Bench("b2"))
KINDS = {"b1": "physical", "b2": "virtual"}


def one_after_the_other(*lengths, **mode):
    """Jobs run-1, run-2, ... on one bench, in this order."""
    jobs = tuple(
        Job(f"run-{n}", (Mode("b1", minutes, **mode),), preferred_min=n) for n, minutes in enumerate(lengths, 1)
    )
    return Problem(jobs, BENCHES, objective=({"preferred": 1},))


def runs_of(problem):
    return {job.name: [(int(job.name.removeprefix("run-")), job.modes[0].duration_min)] for job in problem.jobs}


def test_jobs_without_set_up_that_follow_each_other_at_once_are_one_go():
    problem = Problem(tuple(Job(f"run-{n}", (Mode("b1", 10 * n),), release_min=60) for n in (3, 1, 2)), BENCHES)
    here = ORIGIN.astimezone(timezone(timedelta(hours=2)))

    document = assignments(solve(problem), here, kinds=KINDS, runs=runs_of(problem))

    assert document["origin"] == "2026-12-01T08:00:00+00:00"
    assert (document["makespan_min"], document["status"]) == (120, "optimal")
    assert document["assignments"] == [
        {
            "bench": "b1",
            "kind": "physical",
            "runs": [1, 2, 3],
            "start": "2026-12-01T09:00:00+00:00",
            "end": "2026-12-01T10:00:00+00:00",
            "held_from": "2026-12-01T09:00:00+00:00",
            "held_until": "2026-12-01T10:00:00+00:00",
            "intervals": [
                {"run": 1, "start_min": 60, "end_min": 70},
                {"run": 2, "start_min": 70, "end_min": 90},
                {"run": 3, "start_min": 90, "end_min": 120},
            ],
            "reason": "",
        }
    ]


@pytest.mark.parametrize("mode", [{"setup_min": 5}, {"teardown_min": 5}])
def test_what_is_set_up_or_torn_down_between_is_a_go_of_its_own(mode):
    problem = one_after_the_other(10, 20, **mode)

    first, second = assignments(solve(problem), ORIGIN, kinds=KINDS, runs=runs_of(problem))["assignments"]

    assert (first["runs"], second["runs"]) == ([1], [2])
    assert first["held_until"] == second["held_from"]


def test_a_bench_is_held_for_set_up_waiting_and_teardown_but_runs_are_told_by_the_test():
    needs = (Demand("operator", 1, ("setup", "teardown")),)
    job = Job("run-1", (Mode("b1", 60, 15, 10, needs),), wait_min=600)
    problem = Problem((job,), BENCHES, (Resource("operator", open=((0, 30), (300, 400))),))

    (entry,) = assignments(solve(problem), ORIGIN, kinds=KINDS, runs={"run-1": [(7, 20), (8, 40)]})["assignments"]

    assert (entry["held_from"][11:16], entry["start"][11:16]) == ("08:00", "08:15")
    assert (entry["end"][11:16], entry["held_until"][11:16]) == ("09:15", "13:10")
    assert entry["intervals"] == [
        {"run": 7, "start_min": 15, "end_min": 35},
        {"run": 8, "start_min": 35, "end_min": 75},
    ]


def test_jobs_of_other_requests_are_left_out_and_reasons_are_told_once():
    problem = one_after_the_other(10, 20, 30)
    runs = {name: entry for name, entry in runs_of(problem).items() if name != "run-3"}
    reasons = {"run-1": "a real unit is asked for", "run-2": "a real unit is asked for", "run-3": "not ours"}

    (entry,) = assignments(solve(problem), ORIGIN, kinds=KINDS, runs=runs, reasons=reasons)["assignments"]

    assert (entry["runs"], entry["reason"]) == ([1, 2], "a real unit is asked for")


@pytest.mark.parametrize(
    ("origin", "kinds", "message"),
    [
        (ORIGIN.replace(tzinfo=None), KINDS, "The plan's origin 2026-12-01T08:00:00 has no time zone: give it in UTC"),
        (ORIGIN, {}, "Bench b1 is planned but has no kind: add it to the catalogue's benches"),
    ],
)
def test_a_plan_without_time_zone_or_kinds_is_refused(origin, kinds, message):
    problem = one_after_the_other(10)

    with pytest.raises(PlanError, match=message):
        assignments(solve(problem), origin, kinds=kinds, runs=runs_of(problem))
