"""After a failure or an overrun only what is touched moves; what runs stays, and nothing begins in the past."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.core.planning.checker import violations
from tests.core.planning.labs import labs
from twinbench.core.errors import PlanError
from twinbench.core.planning.problem import Bench, Demand, Job, Mode, Precedence, Problem, Resource
from twinbench.core.planning.replan import Disturbance, disturbed
from twinbench.core.planning.solve import solve

BENCHES = (Bench("b1"), Bench("b2"))
HOUR = (Mode("b1", 60),)
ANYWHERE = (Mode("b1", 60), Mode("b2", 60))


def again(problem, what, **how):
    """Plan, disturb and plan again: beginnings before and after, and the names of what is affected."""
    before = solve(problem)
    left, affected = disturbed(problem, before.intervals, what, **how)
    after = solve(left)
    assert violations(left, after.intervals) == []
    return begins(before), begins(after), affected


def begins(plan):
    return {part.job: (part.bench, part.begin_min) for part in plan.intervals}


def queue(*names, modes=HOUR, **rest):
    """Jobs one after the other."""
    return [
        Job(name, modes, after=(Precedence(before),) if before else (), **rest)
        for before, name in zip(("", *names), names, strict=False)
    ]


# ---- whatever the lab ----


@st.composite
def disturbances(draw, problem, plan):
    now = draw(st.integers(0, plan.makespan_min))
    failed = {bench.name: now + draw(st.integers(1, 40)) for bench in problem.benches if draw(st.integers(0, 2)) == 0}
    running = [part for part in plan.intervals if part.begin_min <= now < part.free_min and part.bench not in failed]
    ends = {part.job: part.free_min + draw(st.integers(1, 20)) for part in running if draw(st.booleans())}
    return Disturbance(now, failed=failed, ends=ends)


def assert_moves_only_what_is_affected(problem, data):
    try:
        plan = solve(problem, time_limit_s=0.1)
        what = data.draw(disturbances(problem, plan))
        left, affected = disturbed(problem, plan.intervals, what)
        new = solve(left, time_limit_s=0.1)
    except PlanError:
        assume(False)
    old = {part.job: part for part in plan.intervals}

    assert violations(unlocked_after(left, what.now_min), new.intervals) == []
    for part in new.intervals:
        if part.job in affected:
            assert part.begin_min >= what.now_min
        else:
            assert (part.bench, part.begin_min) == (old[part.job].bench, old[part.job].begin_min)
        if part.job in what.ends:
            assert part.free_min == what.ends[part.job]
    over = {part.job for part in plan.intervals if part.free_min <= what.now_min}
    assert {part.job for part in new.intervals} == old.keys() - over


def unlocked_after(problem, now_min):
    """The same problem with no more facts in it than there are: what runs. What was promised has to keep the rules."""
    promised = {job.name for job in problem.jobs if job.locked and job.locked[1] > now_min}
    jobs = [
        replace(job, locked=None, locked_teardown_min=None, wait_min=10**6) if job.name in promised else job
        for job in problem.jobs
    ]
    return replace(problem, jobs=tuple(jobs))


@pytest.mark.thorough
@settings(max_examples=12)
@given(labs(largest=4), st.data())
def test_only_what_is_affected_moves_and_no_rule_is_broken(problem, data):
    assert_moves_only_what_is_affected(problem, data)


@pytest.mark.thorough
@settings(max_examples=70)
@given(labs(largest=8), st.data())
def test_in_larger_labs_only_what_is_affected_moves_too(problem, data):
    assert_moves_only_what_is_affected(problem, data)


@settings(max_examples=6)
@given(labs(largest=4))
def test_without_a_disturbance_nothing_moves(problem):
    try:
        plan = solve(problem, time_limit_s=0.1)
    except PlanError:
        assume(False)
    left, affected = disturbed(problem, plan.intervals, Disturbance(0))

    assert affected == set()
    assert solve(left, time_limit_s=0.1).intervals == tuple(replace(part, mode=0) for part in plan.intervals)


# ---- one thing at a time ----


def test_a_test_on_a_bench_that_fails_is_done_again_elsewhere():
    before, after, affected = again(Problem((Job("a", ANYWHERE),), BENCHES), Disturbance(30, failed={"b1": 500}))

    assert before == {"a": ("b1", 0)}
    assert (after, affected) == ({"a": ("b2", 30)}, {"a"})


def test_a_test_that_can_be_done_nowhere_else_waits_for_the_repair_and_what_comes_later_with_it():
    problem = Problem((*queue("a", "b"), Job("other", (Mode("b2", 60),), release_min=50)), BENCHES)

    before, after, affected = again(problem, Disturbance(30, failed={"b1": 500}))

    assert affected == {"a", "b"}
    assert after == {"a": ("b1", 500), "b": ("b1", 560), "other": before["other"]}


def test_what_waits_on_a_bench_until_it_is_repaired_anyway_is_not_affected():
    problem = Problem((Job("early", HOUR), Job("late", HOUR, release_min=600)), BENCHES)

    before, after, affected = again(problem, Disturbance(60, failed={"b1": 600}))

    assert affected == set()
    assert after == {"late": before["late"]}


def test_a_closure_in_some_days_touches_only_what_is_planned_then():
    problem = Problem((Job("running", HOUR), Job("next", HOUR, release_min=100)), BENCHES)

    _, after, affected = again(problem, Disturbance(10, closures=(("b1", 90, 150),)))

    assert affected == {"next"}
    assert after == {"running": ("b1", 0), "next": ("b1", 150)}


def test_an_overrun_pushes_what_is_next_on_its_bench_and_no_more_than_it_must():
    jobs = (Job("running", HOUR), Job("next", HOUR, release_min=60), Job("later", HOUR, release_min=200))

    before, after, affected = again(Problem(jobs, BENCHES), Disturbance(30, ends={"running": 90}))

    assert affected == {"next"}
    assert after == {"running": ("b1", 0), "next": ("b1", 90), "later": before["later"]}


def test_an_overrun_pushes_whoever_waits_for_its_unit():
    jobs = (Job("running", HOUR, unit="cell-1"), Job("next", (Mode("b2", 60),), unit="cell-1", release_min=60))

    _, after, affected = again(Problem(jobs, BENCHES), Disturbance(30, ends={"running": 90}))

    assert (after["next"], affected) == (("b2", 90), {"next"})


def test_an_overrun_pushes_whoever_waits_for_its_chamber():
    needs = (Demand("chamber"),)
    jobs = tuple(
        Job(name, (Mode(bench, 60, demands=needs),), release_min=release)
        for name, bench, release in (("running", "b1", 0), ("next", "b2", 60), ("later", "b2", 150))
    )
    problem = Problem(jobs, BENCHES, (Resource("chamber"),))

    before, after, affected = again(problem, Disturbance(30, ends={"running": 90}))

    assert affected == {"next"}
    assert after == {"running": ("b1", 0), "next": ("b2", 90), "later": before["later"]}


def test_an_overrun_leaves_time_for_the_changeover_after_it():
    jobs = (Job("running", HOUR, family="hot"), Job("next", HOUR, family="cold", release_min=90))
    problem = Problem(jobs, (Bench("b1", changeovers="t"),), changeovers={"t": {("hot", "cold"): 30}})

    _, after, affected = again(problem, Disturbance(30, ends={"running": 80}))

    assert (after["next"], affected) == (("b1", 110), {"next"})


def test_a_rest_counts_from_the_end_of_a_test_that_is_over():
    jobs = (Job("over", HOUR), Job("next", (Mode("b2", 60),), after=(Precedence("over", 100),)))

    _, after, affected = again(Problem(jobs, BENCHES), Disturbance(70, failed={"b2": 120}))

    assert (after, affected) == ({"next": ("b2", 160)}, set())


def test_what_was_not_promised_moves_if_that_helps_and_what_was_stays():
    jobs = (Job("promised", HOUR, preferred_min=120), Job("free", HOUR, preferred_min=300))
    problem = Problem(jobs, BENCHES, objective=({"preferred": 1},))
    plan = solve(problem)
    wanted = replace(problem, jobs=tuple(replace(job, preferred_min=240) for job in jobs))

    left, _ = disturbed(wanted, plan.intervals, Disturbance(0), promised={"promised"})
    left = replace(left, objective=problem.objective)

    assert begins(solve(left)) == {"promised": ("b1", 120), "free": ("b1", 240)}


def test_what_moves_may_be_kept_from_moving_forward():
    problem = Problem((Job("a", (Mode("b1", 60), Mode("b2", 60, cost=1)), preferred_min=200),), BENCHES)
    problem = replace(problem, objective=({"preferred": 1}, {"cost": 1}))
    what = Disturbance(0, closures=(("b1", 190, 400), ("b2", 190, 300)))

    _, forward, _ = again(problem, what)
    _, later, _ = again(problem, what, forward=False)

    assert forward == {"a": ("b1", 130)}
    assert later == {"a": ("b2", 300)}


def test_the_first_aim_is_that_little_moves():
    problem = Problem((Job("a", HOUR),), BENCHES, objective=({"makespan": 1}, {"moved": 3, "cost": 1}))

    left, _ = disturbed(problem, solve(problem).intervals, Disturbance(0))

    assert left.objective == ({"moved": 1}, {"makespan": 1}, {"cost": 1})
