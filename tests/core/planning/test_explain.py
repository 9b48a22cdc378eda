"""What holds a test back is found, and is true: a chain from the test to something that people can change."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings

from tests.core.planning.checker import violations
from tests.core.planning.labs import labs
from twinbench.core.errors import PlanError
from twinbench.core.planning.explain import causes, late_jobs
from twinbench.core.planning.plan import Interval, Plan
from twinbench.core.planning.problem import Bench, Demand, Job, Mode, Precedence, Problem, Resource
from twinbench.core.planning.scaling import time_unit_min
from twinbench.core.planning.solve import solve

BENCHES = (Bench("b1"), Bench("b2"))
HOUR, ELSEWHERE = (Mode("b1", 60),), (Mode("b2", 60),)
CHAMBER = (Demand("chamber"),)
SETUP = (Demand("operator", 1, ("setup",)),)
WARM = Bench("b1", family="hot", changeovers="t")


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        pytest.param(
            Problem((Job("a", HOUR, release_min=30),), BENCHES),
            ["a: it may not begin before minute 30"],
            id="release",
        ),
        pytest.param(
            Problem((Job("a", HOUR, preferred_min=45),), BENCHES, objective=({"preferred": 1},)),
            ["a: it is wanted at minute 45"],
            id="wish",
        ),
        pytest.param(
            Problem((Job("a", HOUR), Job("b", ELSEWHERE, after=(Precedence("a", 15),))), BENCHES),
            ["b: it comes after a, until minute 75", "a: it may not begin before minute 0"],
            id="after",
        ),
        pytest.param(
            Problem((Job("a", HOUR, locked=("b1", 0)), Job("b", HOUR)), BENCHES),
            ["b: b1 is held by a until minute 60", "a: it is locked at minute 0"],
            id="bench",
        ),
        pytest.param(
            Problem(
                (Job("a", HOUR, locked=("b1", 0), family="hot"), Job("b", HOUR, family="cold")),
                (Bench("b1", changeovers="t"),),
                changeovers={"t": {("hot", "cold"): 30}},
            ),
            ["b: b1 is changed over after a until minute 90", "a: it is locked at minute 0"],
            id="bench that is changed over",
        ),
        pytest.param(
            Problem((Job("b", HOUR),), (Bench("b1", closed=((0, 20),)),)),
            ["b: b1 is closed until minute 20"],
            id="closed",
        ),
        pytest.param(
            Problem((Job("a", HOUR, locked=("b1", 0), unit="cell-1"), Job("b", ELSEWHERE, unit="cell-1")), BENCHES),
            ["b: cell-1 is under test in a until minute 60", "a: it is locked at minute 0"],
            id="unit",
        ),
        pytest.param(
            Problem(
                (
                    Job("a", (Mode("b1", 60, demands=CHAMBER),), locked=("b1", 0)),
                    Job("b", (Mode("b2", 60, demands=CHAMBER),)),
                ),
                BENCHES,
                (Resource("chamber"),),
            ),
            ["b: chamber is taken by a and others until minute 60", "a: it is locked at minute 0"],
            id="resource",
        ),
        pytest.param(
            Problem(
                (Job("b", (Mode("b1", 60, 10, demands=SETUP),)),), BENCHES, (Resource("operator", open=((480, 960),)),)
            ),
            ["b: operator is not there until minute 480"],
            id="calendar",
        ),
        pytest.param(
            Problem(
                (Job("b", (Mode("b1", 60, demands=CHAMBER),)),), BENCHES, (Resource("chamber", closed=((0, 9, 1),)),)
            ),
            ["b: chamber is not there until minute 9"],
            id="closed resource",
        ),
        pytest.param(
            Problem((Job("b", HOUR, due_min=50),), BENCHES),
            ["b: it begins as soon as it may, but takes until minute 60"],
            id="it cannot be in time",
        ),
        pytest.param(
            Problem((Job("b", HOUR, family="cold"),), (WARM,), changeovers={"t": {("hot", "cold"): 30}}),
            ["b: b1 is changed over until minute 30"],
            id="bench that is changed over to its first job",
        ),
        pytest.param(
            Problem(
                (Job("b", (Mode("b1", 60, 0, 5, (Demand("operator", 1, ("teardown",)),)),), wait_min=500),),
                BENCHES,
                (Resource("operator", open=((0, 60), (480, 960))),),
            ),
            [
                "b: its teardown waits for operator, which is not there until minute 480",
                "b: it may not begin before minute 0",
            ],
            id="a weekend before the teardown",
        ),
    ],
)
def test_every_kind_of_cause_is_said(problem, words):
    last = problem.jobs[-1].name

    assert [str(cause) for cause in causes(problem, solve(problem), last)] == words


def plan_of(*intervals):
    return Plan((), intervals, max(part.free_min for part in intervals), 0.0, "", {})


def test_a_job_that_others_have_to_follow_in_time_is_held_back_by_what_holds_them_back():
    jobs = (Job("a", HOUR), Job("b", ELSEWHERE, after=(Precedence("a", 0, 10),)), Job("c", ELSEWHERE))
    plan = plan_of(
        Interval("c", 0, "b2", 0, 0, 200, 200, 200),
        Interval("a", 0, "b1", 130, 130, 190, 190, 190),
        Interval("b", 0, "b2", 200, 200, 260, 260, 260),
    )

    assert [str(cause) for cause in causes(Problem(jobs, BENCHES), plan, "a")] == [
        "a: b has to follow in time, and does not begin before minute 200",
        "b: b2 is held by c until minute 200",
        "c: it may not begin before minute 0",
    ]


def test_a_teardown_may_wait_for_an_operator_who_is_busy_elsewhere():
    by_hand = (Demand("operator", 1, ("teardown",)),)
    jobs = (Job("a", (Mode("b1", 60, 0, 30, by_hand),)), Job("b", (Mode("b2", 60, 0, 5, by_hand),), wait_min=50))
    plan = plan_of(Interval("a", 0, "b1", 0, 0, 60, 60, 90), Interval("b", 0, "b2", 0, 0, 60, 90, 95))

    assert [str(cause) for cause in causes(Problem(jobs, BENCHES, (Resource("operator"),)), plan, "b")] == [
        "b: its teardown waits for operator, which is taken by a and others until minute 90",
        "b: it may not begin before minute 0",
    ]


def test_a_job_that_nothing_holds_back_makes_room_for_others():
    plan = plan_of(Interval("a", 0, "b1", 40, 40, 100, 100, 100))

    assert [str(cause) for cause in causes(Problem((Job("a", HOUR),), BENCHES), plan, "a")] == [
        "a: other jobs are served first, until minute 40"
    ]


def test_late_jobs_are_told_the_latest_first():
    jobs = (Job("fine", ELSEWHERE, due_min=60), Job("a", HOUR, due_min=50), Job("b", HOUR, due_min=50), Job("c", HOUR))
    problem = Problem(jobs, BENCHES, objective=({"tardiness": 1},))

    assert late_jobs(problem, solve(problem)) in ([("b", 70), ("a", 10)], [("a", 70), ("b", 10)])


@given(labs(largest=5))
def test_a_chain_goes_back_in_time_from_job_to_job_and_every_cause_is_true(problem):
    try:
        plan = solve(problem, time_limit_s=0.1)
    except PlanError:
        assume(False)
    parts = {part.job: part for part in plan.intervals}
    jobs = {job.name: job for job in problem.jobs}

    for name in parts:
        chain = [cause for cause in causes(problem, plan, name) if cause.what not in ("teardown", "weekend")]
        assert [cause.job for cause in chain] == [name, *(cause.by for cause in chain[:-1])]
        assert len({cause.job for cause in chain}) == len(chain)
        assert all(is_true(cause, jobs, parts, problem) for cause in causes(problem, plan, name)), chain


def is_true(cause, jobs, parts, problem):
    """Whether a cause says what is so."""
    job, held, by = jobs[cause.job], parts[cause.job], parts.get(cause.by)
    bench = next((bench for bench in problem.benches if bench.name == held.bench), None)
    there = {
        "length": lambda: held.begin_min == job.release_min and job.due_min < held.end_min,
        "release": lambda: held.begin_min == job.release_min,
        "wish": lambda: held.begin_min <= cause.until_min in (job.preferred_min, job.planned_min),
        "after": lambda: cause.by in {link.job for link in job.after} and by.free_min <= held.begin_min,
        "before": lambda: cause.job in {link.job for link in jobs[cause.by].after if link.max_lag_min is not None},
        "bench": lambda: by.bench == held.bench and by.free_min == cause.until_min <= held.begin_min,
        "changeover": lambda: (by.free_min if by else 0) < cause.until_min <= held.begin_min,
        "closed": lambda: cause.until_min in {end for _, end in bench.closed},
        "unit": lambda: jobs[cause.by].unit == job.unit == cause.name and by.free_min == held.begin_min,
        "resource": lambda: demands(job, held, cause.name) and demands(jobs[cause.by], by, cause.name),
        "teardown": lambda: demands(job, held, cause.name) and demands(jobs[cause.by], by, cause.name),
        "calendar": lambda: is_short(problem, cause, demands(job, held, cause.name)),
        "weekend": lambda: is_short(problem, cause, demands(job, held, cause.name)),
        "choice": lambda: not violations(problem, [*(parts | {cause.job: a_bit_earlier(problem, job, held)}).values()]),
    }
    return there[cause.what]()


def is_short(problem, cause, needed):
    """Whether there is too little of a resource just before it is there."""
    resource = next(one for one in problem.resources if one.name == cause.name)
    return needed > 0 and resource.left(cause.until_min - 1) < needed


def a_bit_earlier(problem, job, part):
    """A job that begins one unit of time earlier; its teardown waits as much longer if it may."""
    unit = time_unit_min(problem)
    waits = part.teardown_min - part.end_min + unit <= job.wait_min
    times = ("begin_min", "start_min", "end_min", *(() if waits else ("teardown_min", "free_min")))
    return replace(part, **{name: getattr(part, name) - unit for name in times})


def demands(job, part, resource):
    """How much of a resource a job takes at most."""
    return max((demand.amount for demand in job.modes[part.mode].demands if demand.resource == resource), default=0)


@settings(max_examples=8)
@given(labs(largest=4))
def test_late_is_what_ends_after_it_is_due(problem):
    problem = replace(problem, jobs=tuple(replace(job, due_min=5) for job in problem.jobs))
    try:
        plan = solve(problem, time_limit_s=0.1)
    except PlanError:
        assume(False)

    late = late_jobs(problem, plan)

    assert dict(late) == {part.job: part.free_min - 5 for part in plan.intervals if part.free_min > 5}
    assert [minutes for _, minutes in late] == sorted((minutes for _, minutes in late), reverse=True)
