"""A bench plan keeps its promises, whatever the lab: no rule broken, worth what it says, as good as can be."""

from dataclasses import replace
from itertools import count, pairwise
from time import perf_counter

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.core.planning.checker import value, violations
from tests.core.planning.labs import labs, tiny_labs
from twinbench.core.errors import InfeasibleError, PlanError
from twinbench.core.planning import solve as module
from twinbench.core.planning.plan import Interval, Plan, Tier
from twinbench.core.planning.problem import Bench, Demand, Job, Mode, Precedence, Problem, Resource
from twinbench.core.planning.solve import solve

BENCHES = (Bench("b1"), Bench("b2"), Bench("b3"))
TWO = (Mode("b1", 10), Mode("b2", 10))


def planned(problem, **limits):
    """A plan, if there is one."""
    try:
        return solve(problem, **{"time_limit_s": 0.1, **limits})
    except PlanError:  # there is none, or it was not found so soon
        assume(False)


def assert_keeps_its_promises(problem, plan):
    assert violations(problem, plan.intervals) == []
    assert tuple(tier.value for tier in plan.tiers) == value(problem, plan.intervals)
    assert all(tier.bound <= tier.value and 0 <= tier.gap <= 1 for tier in plan.tiers)
    assert plan.makespan_min == max(part.free_min for part in plan.intervals)


@settings(max_examples=12)
@given(labs(largest=4))
def test_a_plan_breaks_no_rule_and_is_worth_what_it_says(problem):
    assert_keeps_its_promises(problem, planned(problem))


@pytest.mark.thorough
@settings(max_examples=50)
@given(labs(largest=8))
def test_a_plan_of_a_larger_lab_breaks_no_rule_either(problem):
    assert_keeps_its_promises(problem, planned(problem, time_limit_s=0.5))


@pytest.mark.thorough
@settings(max_examples=60)
@given(labs(largest=8))
def test_two_workers_find_plans_that_break_no_rule(problem):
    assert_keeps_its_promises(problem, planned(problem, workers=2))


@pytest.mark.thorough
@settings(max_examples=50)
@given(labs(strict=True))
def test_with_deadlines_and_tight_lags_there_is_a_good_plan_or_none(problem):
    assert_keeps_its_promises(problem, planned(problem, time_limit_s=1))


# ---- the best there is ----


def a_better_plan(problem: Problem, known: tuple[int, ...], within_min: int) -> list[Interval] | None:
    """By trying all modes, beginnings and waits; what is worse already is not gone on with."""
    without_changes = tuple(
        {name: weight for name, weight in tier.items() if name != "changeovers"} for tier in problem.objective
    )

    def tried(parts: list[Interval]) -> list[Interval] | None:
        some = replace(problem, jobs=problem.jobs[: len(parts)], objective=without_changes)
        if value(some, parts) >= known:  # other jobs only add to that
            return None
        if len(parts) == len(problem.jobs):
            return parts if value(problem, parts) < known and not violations(problem, parts) else None
        return next(filter(None, (tried([*parts, way]) for way in ways(problem.jobs[len(parts)], within_min))), None)

    return tried([])


def used(problem: Problem) -> set[str]:
    return {name for tier in problem.objective for name in tier}


def ways(job: Job, within_min: int) -> list[Interval]:
    longest_wait_min = job.wait_min if any(mode.teardown_min for mode in job.modes) else 0
    return [
        Interval(job.name, number, mode.bench, begin, start, end, end + wait, end + wait + mode.teardown_min)
        for number, mode in enumerate(job.modes)
        for begin in range(job.release_min, within_min - mode.length_min + 1)
        for start in [begin + mode.setup_min]
        for end in [start + mode.duration_min]
        for wait in range(longest_wait_min + 1)
    ]


@pytest.mark.thorough
@settings(max_examples=10)
@given(tiny_labs())
def test_no_plan_is_better_than_one_that_is_called_optimal(problem):
    plan = planned(problem, time_limit_s=3)
    assume(plan.status == "optimal" or "span" not in used(problem))  # of spans there are no good bounds

    assert plan.status == "optimal"
    assert a_better_plan(problem, tuple(tier.value for tier in plan.tiers), 12) is None


@pytest.mark.thorough
@settings(max_examples=50)
@given(tiny_labs())
def test_no_plan_of_many_tiny_labs_is_better_than_the_optimal_one(problem):
    plan = planned(problem, time_limit_s=5)
    assume(plan.status == "optimal" or "span" not in used(problem))

    assert plan.status == "optimal"
    assert a_better_plan(problem, tuple(tier.value for tier in plan.tiers), 14) is None


@pytest.mark.thorough
@settings(max_examples=8)
@given(labs(largest=4))
def test_a_plan_is_found_in_any_time_and_no_bound_is_too_high(problem):
    patient = planned(problem)
    hasty = solve(problem, time_limit_s=1e-6)

    assert hasty.bound <= patient.objective <= hasty.objective
    assert patient.bound <= patient.objective


def test_two_workers_without_time_still_find_a_plan():
    assert solve(Problem((Job("a", TWO),), BENCHES), time_limit_s=1e-6, workers=2).makespan_min == 10


def test_jobs_that_need_not_be_kept_waiting_start_early_and_fill_the_benches():
    long = Job("long", (Mode("b1", 100),))
    short = [Job(f"run-{n}", (Mode("b2", 10), Mode("b3", 10))) for n in range(6)]

    plan = solve(Problem((long, *short), BENCHES))

    assert (plan.status, plan.makespan_min) == ("optimal", 100)
    assert sorted(part.start_min for part in plan.intervals) == [0, 0, 0, 10, 10, 20, 20]


def test_the_first_tier_counts_before_the_second():
    jobs = (Job("late", (Mode("b1", 10),), due_min=10), Job("cheap", (Mode("b1", 10, cost=1), Mode("b2", 10, cost=5))))
    problem = Problem(jobs, BENCHES)

    hurried = solve(replace(problem, objective=({"makespan": 1}, {"cost": 1})))
    thrifty = solve(replace(problem, objective=({"cost": 1}, {"makespan": 1})))

    assert [tier.value for tier in hurried.tiers] == [10, 5]
    assert [tier.value for tier in thrifty.tiers] == [1, 20]
    assert [tier.criteria for tier in thrifty.tiers] == ["cost", "makespan"]


@pytest.mark.thorough
def test_two_hundred_runs_on_a_first_lab_are_planned_within_the_limit():
    modes = (Mode("b1", 2), Mode("b2", 2), Mode("b3", 200))

    plan = solve(Problem(tuple(Job(f"run-{n}", modes) for n in range(200)), BENCHES), time_limit_s=20)

    assert (plan.status, plan.makespan_min) == ("optimal", 200)


# ---- the same again ----


def assert_is_the_same_again(problem, seed):
    first, second = (planned(problem, time_limit_s=4, seed=seed) for _ in range(2))

    assert (first.intervals, first.tiers) == (second.intervals, second.tiers)


@settings(max_examples=6)
@given(tiny_labs(), st.integers(0, 2**40))
def test_the_same_seed_gives_the_same_plan(problem, seed):
    assert_is_the_same_again(problem, seed)


@pytest.mark.thorough
@settings(max_examples=40)
@given(labs(), st.integers(0, 2**40))
def test_the_same_seed_gives_the_same_plan_of_a_larger_lab(problem, seed):
    assert_is_the_same_again(problem, seed)


@settings(max_examples=8)
@given(labs(largest=4), st.data())
def test_locked_jobs_stay_where_they_are(problem, data):
    parts = {part.job: part for part in planned(problem).intervals}
    settled = data.draw(st.sets(st.sampled_from(sorted(parts))))
    jobs = tuple(locked(job, parts[job.name]) if job.name in settled else job for job in problem.jobs)
    held = replace(problem, jobs=jobs)

    again = planned(held)

    assert violations(held, again.intervals) == []
    assert {part for part in again.intervals if part.job in settled} == {
        replace(parts[name], mode=0) for name in settled
    }


def locked(job: Job, part: Interval) -> Job:
    return replace(
        job,
        modes=(job.modes[part.mode],),
        locked=(part.bench, part.begin_min),
        locked_teardown_min=part.teardown_min,
    )


def test_a_test_that_began_before_the_plan_holds_its_bench_until_it_is_over():
    running = Job("running", (Mode("b1", 30),), locked=("b1", -10))

    plan = solve(Problem((running, Job("next", (Mode("b1", 5),))), BENCHES))

    assert [(part.job, part.begin_min, part.free_min) for part in plan.intervals] == [
        ("running", -10, 20),
        ("next", 20, 25),
    ]


def test_a_plan_of_locked_jobs_alone_is_the_best_there_is():
    jobs = tuple(Job(name, TWO, project="apollo", locked=(bench, 0)) for name, bench in (("a", "b1"), ("b", "b2")))

    plan = solve(Problem(jobs, BENCHES, objective=({"span": 1},)))

    assert (plan.status, plan.objective, plan.bound) == ("optimal", 10, 10)


# ---- what once went wrong ----

NIGHTS = Resource("operator", open=((0, 10), (50, 60)))


@pytest.mark.parametrize(
    ("problem", "best"),
    [
        pytest.param(
            Problem(
                (Job("a", (Mode("b1", 20, 0, 5, (Demand("operator", 1, ("teardown",)),)),)),),
                BENCHES,
                (NIGHTS,),
                objective=({"start": 1},),
            ),
            30,
            id="a teardown that cannot wait waits for its operator all the same",
        ),
        pytest.param(
            Problem(
                (Job("a", (Mode("b1", 5, demands=(Demand("operator", 2),)), Mode("b2", 9))),),
                BENCHES,
                (Resource("operator"),),
            ),
            9,
            id="a mode that demands more than there is is not chosen",
        ),
        pytest.param(
            Problem((*(Job(name, (Mode("b1", 10), Mode("b2", 10))) for name in "abc"),), BENCHES),
            20,
            id="identical benches",
        ),
        pytest.param(
            Problem(
                (*(Job(name, (Mode("b1", 10, reason="near"), Mode("b2", 10, reason="far"))) for name in "abc"),),
                BENCHES,
            ),
            20,
            id="benches that only reasons tell apart",
        ),
        pytest.param(
            Problem(
                (*(Job(name, TWO, family="hot") for name in "ab"),),
                (Bench("b1", family="cold", changeovers="t"), Bench("b2", family="cold", changeovers="t")),
                changeovers={"t": {("cold", "hot"): 7}},
            ),
            17,
            id="identical benches are changed over to their first job",
        ),
        pytest.param(
            Problem(
                (*(Job(name, TWO, family="hot") for name in "ab"),),
                (Bench("b1", family="hot", changeovers="t"), Bench("b2", family="hot", changeovers="t")),
                changeovers={"t": {("hot", "hot"): 7}},
            ),
            17,
            id="the same family again takes what the table says",
        ),
        pytest.param(
            Problem((Job("a", (Mode("b1", 10),)),), (Bench("b1", closed=((5, 20), (10, 30), (30, 40))),)),
            50,
            id="closures that overlap or touch",
        ),
        pytest.param(
            Problem(
                (Job("running", (Mode("b1", 30),), locked=("b1", 0)), Job("next", (Mode("b1", 10),))),
                (Bench("b1", closed=((10, 15), (20, 50))),),
            ),
            60,
            id="a test that runs while its bench is closed",
        ),
        pytest.param(
            Problem(
                (Job("a", TWO[:1], due_min=3, priority=0), Job("b", TWO[:1], due_min=10, priority=2)),
                BENCHES,
                objective=({"tardiness": 1},),
            ),
            0,
            id="a job without priority may be as late as it likes",
        ),
        pytest.param(
            Problem(
                (*(Job(family or "any", TWO[:1], family=family) for family in ("hot", "cold", "")),),
                (Bench("b1", family="hot", changeovers="t"),),
                changeovers={"t": {}},
                objective=({"changeovers": 1},),
            ),
            0,
            id="after a job of no family there is nothing to change over from",
        ),
        pytest.param(
            Problem(
                (
                    Job("running", (Mode("b1", 10),), family="hot", locked=("b1", 0)),
                    Job("next", (Mode("b1", 10),), family="hot"),
                ),
                (Bench("b1", family="cold", changeovers="t"),),
                changeovers={"t": {("cold", "hot"): 60, ("hot", "cold"): 60}},
            ),
            20,
            id="the first changeover is that of the test that runs",
        ),
    ],
)
def test_the_best_plan_is_found(problem, best):
    plan = solve(problem)

    assert violations(problem, plan.intervals) == []
    assert (plan.status, plan.objective) == ("optimal", best)


def test_a_job_cannot_begin_at_once_after_one_job_and_long_after_another():
    """The most lag after the first is over before the least lag after the second is."""
    last = Job("last", (Mode("b3", 5),), after=(Precedence("early", 0, 10), Precedence("late", 5)))
    jobs = (Job("early", (Mode("b1", 5),), deadline_min=5), Job("late", (Mode("b2", 5),), release_min=40), last)

    with pytest.raises(InfeasibleError, match="last begins at most 10 min after early"):
        solve(Problem(jobs, BENCHES))


# ---- edges ----


@pytest.mark.parametrize("workers", [1, 2])
def test_what_greedy_insertion_plans_as_well_as_can_be_needs_no_search(monkeypatch, workers):
    monkeypatch.setattr("twinbench.core.planning.portfolio.search_whole", None)
    jobs = tuple(Job(f"T{number}", (Mode(f"B{number}", 30),), release_min=60) for number in range(3))
    problem = Problem(jobs, tuple(Bench(f"B{number}") for number in range(3)))

    plan = solve(problem, time_limit_s=5, workers=workers)

    assert (plan.status, [part.begin_min for part in plan.intervals]) == ("optimal", [60, 60, 60])


def test_a_lab_without_jobs_has_an_empty_plan():
    plan = solve(Problem((), ()))

    assert (plan.status, plan.makespan_min, plan.gap, plan.intervals) == ("optimal", 0, 0.0, ())


@pytest.mark.parametrize(
    "limits", [{"time_limit_s": 0}, {"time_limit_s": -1}, {"time_limit_s": float("nan")}, {"workers": 0}]
)
def test_a_search_without_time_or_worker_is_refused(limits):
    with pytest.raises(PlanError, match="needs time and a worker"):
        solve(Problem((Job("a", TWO),), BENCHES), **limits)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"seed": -1}, "A plan cannot have seed -1: give 0 or more"),
        ({"workers": 100_000}, "A plan cannot have 100000 workers: give at most 1000"),
    ],
)
def test_numbers_that_the_searches_cannot_work_with_are_refused(limits, message):
    with pytest.raises(PlanError, match=message):
        solve(Problem((Job("a", TWO),), BENCHES), **limits)


@pytest.mark.parametrize(("loading_s", "left_s"), [(0.0, 1.0), (0.3, 0.7), (0.8, 0.5)])
def test_loading_counts_but_leaves_the_searches_half_of_the_time(monkeypatch, loading_s, left_s):
    over, left = perf_counter() + loading_s, []
    monkeypatch.setattr(module, "_load", lambda: next(tick for tick in count() if perf_counter() >= over))
    monkeypatch.setattr(module.Portfolio, "run", lambda search: left.append(search.left_s()))

    with pytest.raises(PlanError, match="No plan was found"):
        solve(Problem((Job("a", TWO),), BENCHES), time_limit_s=1.0)
    assert left_s - 0.2 < left[0] <= left_s


@settings(max_examples=6)
@given(labs(largest=4))
@example(Problem(tuple(Job(name, TWO) for name in "abcde"), BENCHES[:2]))
def test_whoever_watches_is_told_of_better_and_better_plans(problem):
    told = []
    plan = planned(problem, told=lambda seconds, value: told.append((seconds, value)))

    assert told == list(plan.trace)
    assert all(a[0] <= b[0] and a[1] > b[1] for a, b in pairwise(told))
    assert told[-1][1] == plan.objective


def test_a_plan_says_whether_its_search_had_the_time_that_its_effort_takes():
    jobs = tuple(Job(f"{n}", (Mode("b1", 7 + n % 5),), preferred_min=3 * n, family="hot" * (n % 2)) for n in range(60))
    hard = Problem(jobs, BENCHES, objective=({"preferred": 1},))

    assert solve(hard, time_limit_s=0.01).ended == "time"


@pytest.mark.parametrize(
    ("bound", "in_time", "ended"), [(5, True, "proven"), (5, False, "proven"), (4, True, "effort"), (4, False, "time")]
)
def test_a_proof_ends_a_search_or_its_effort_or_its_time(bound, in_time, ended):
    assert Plan((Tier("makespan", 5, bound),), (), 5, 0.0, "", {}, in_time=in_time).ended == ended


def test_figures_say_how_good_a_plan_is_and_how_it_was_found():
    figures = solve(Problem((Job("a", TWO),), BENCHES), seed=4).figures()

    assert figures["ended"] == "proven"
    assert figures["solver"].startswith("ruin and recreate, OR-Tools CP-SAT 9.")
    assert figures | {"status": "optimal", "objective": 10, "bound": 10, "gap": 0.0, "makespan_min": 10} == figures
    assert figures | {"seed": 4, "workers": 1, "time_limit_s": 10.0} == figures
    assert figures["objectives"] == [{"criteria": "makespan", "value": 10, "bound": 10, "gap": 0.0}]
