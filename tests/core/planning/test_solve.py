"""A bench plan keeps its promises, whatever the jobs: all done once, nothing overlaps, as short as it says."""

import json
from datetime import UTC, datetime, timedelta, timezone
from itertools import combinations, permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbench.core.errors import InfeasibleError, PlanError
from twinbench.core.planning.greedy import greedy_plan, makespan
from twinbench.core.planning.model import Job, Mode, Resource
from twinbench.core.planning.solve import assignments, solve

ORIGIN = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
BENCHES = ("b1", "b2", "b3")


@st.composite
def labs(draw, largest: int = 7) -> tuple[list[Job], list[Resource]]:
    durations = st.dictionaries(st.sampled_from(BENCHES), st.integers(1, 60), min_size=1)
    jobs = [
        Job(f"run-{n}", tuple(Mode(b, d) for b, d in draw(durations).items()), draw(st.integers(0, 40)))
        for n in range(1, draw(st.integers(1, largest)) + 1)
    ]
    return jobs, [Resource(bench, draw(st.integers(0, 20)), draw(st.integers(0, 20))) for bench in BENCHES]


@settings(max_examples=40, deadline=None)
@given(labs())
def test_every_job_is_done_once_in_one_of_its_modes_after_its_release(lab):
    jobs, resources = lab
    plan = solve(jobs, resources=resources)

    assert sorted(part.job for part in plan.intervals) == sorted(job.name for job in jobs)
    for part in plan.intervals:
        job = next(job for job in jobs if job.name == part.job)
        assert Mode(part.bench, part.end_min - part.start_min) in job.modes
        assert part.start_min >= job.release_min


@settings(max_examples=40, deadline=None)
@given(labs())
def test_no_two_intervals_overlap_on_a_bench_and_set_up_and_teardown_have_their_time(lab):
    jobs, resources = lab
    plan = solve(jobs, resources=resources)

    for a, b in combinations(plan.intervals, 2):
        assert a.bench != b.bench or a.end_min <= b.start_min or b.end_min <= a.start_min
    for part in plan.intervals:
        bench = plan.resources[part.bench]
        assert part.start_min >= bench.setup_min
        assert part.end_min + bench.teardown_min <= plan.makespan_min


def best_makespan(jobs, resources) -> int:
    """By trying every choice of modes; on one bench, first come first served ends earliest."""
    by_name = {resource.name: resource for resource in resources}
    results = []
    for modes in product(*(job.modes for job in jobs)):
        free = {name: resource.setup_min for name, resource in by_name.items()}
        for job, mode in sorted(zip(jobs, modes, strict=True), key=lambda pair: pair[0].release_min):
            free[mode.bench] = max(free[mode.bench], job.release_min) + mode.duration_min
        used = {mode.bench for mode in modes}
        results.append(max(free[name] + by_name[name].teardown_min for name in used))
    return min(results)


@settings(max_examples=40, deadline=None)
@given(labs(largest=5))
def test_the_makespan_is_the_smallest_there_is_and_the_bound_says_so(lab):
    jobs, resources = lab
    plan = solve(jobs, resources=resources)

    assert plan.status == "optimal"
    assert plan.makespan_min == plan.bound == best_makespan(jobs, resources)
    assert plan.gap == 0.0


def earliest_starts(jobs, resources, within_min: int) -> int:
    """Smallest total of all starts, by trying every order and every choice of modes."""
    by_name = {resource.name: resource for resource in resources}
    totals = []
    for order in permutations(jobs):
        for modes in product(*(job.modes for job in order)):
            free = {name: resource.setup_min for name, resource in by_name.items()}
            total = end = 0
            for job, mode in zip(order, modes, strict=True):
                start = max(free[mode.bench], job.release_min)
                free[mode.bench], total = start + mode.duration_min, total + start
                end = max(end, free[mode.bench] + by_name[mode.bench].teardown_min)
            totals += [total] if end <= within_min else []
    return min(totals)


@settings(max_examples=30, deadline=None)
@given(labs(largest=4))
def test_no_plan_of_that_makespan_starts_earlier_in_total(lab):
    jobs, resources = lab
    plan = solve(jobs, resources=resources)

    assert sum(part.start_min for part in plan.intervals) == earliest_starts(jobs, resources, plan.makespan_min)


@settings(max_examples=25, deadline=None)
@given(labs(largest=12), st.floats(1e-6, 0.05))
def test_a_plan_is_found_in_any_time_and_its_bound_is_none_too_high(lab, time_limit_s):
    jobs, resources = lab
    hasty, patient = solve(jobs, resources=resources, time_limit_s=time_limit_s), solve(jobs, resources=resources)
    greedy = makespan(greedy_plan(jobs, patient.resources), patient.resources)

    assert hasty.bound <= patient.makespan_min <= hasty.makespan_min <= greedy
    assert 0 <= hasty.gap < 1


@settings(max_examples=15, deadline=None)
@given(labs(largest=10), st.integers(0, 2**40))
def test_the_same_seed_gives_the_same_plan(lab, seed):
    jobs, resources = lab

    assert (
        solve(jobs, resources=resources, seed=seed).intervals == solve(jobs, resources=resources, seed=seed).intervals
    )


def test_among_equal_makespans_jobs_start_early_and_in_their_order():
    long = Job("run-1", (Mode("b1", 100),))
    short = [Job(f"run-{n}", (Mode("b2", 10), Mode("b3", 10))) for n in range(2, 8)]

    plan = solve([long, *short])

    assert plan.makespan_min == 100
    assert sorted(part.start_min for part in plan.intervals) == [0, 0, 0, 10, 10, 20, 20]
    for bench in BENCHES:
        runs = [int(part.job.removeprefix("run-")) for part in plan.intervals if part.bench == bench]
        assert runs == sorted(runs)


def test_a_lab_without_jobs_has_an_empty_plan():
    plan = solve([])

    assert (plan.status, plan.makespan_min, plan.gap, plan.intervals) == ("optimal", 0, 0.0, ())


@pytest.mark.thorough
def test_two_hundred_runs_on_a_first_lab_are_planned_within_the_limit():
    modes = (Mode("b1", 2), Mode("b2", 2), Mode("b3", 200))

    plan = solve([Job(f"run-{n}", modes) for n in range(1, 201)], time_limit_s=20)

    assert (plan.status, plan.makespan_min) == ("optimal", 200)


GOOD = Job("run-1", (Mode("b1", 5),))


@pytest.mark.parametrize(
    ("jobs", "resources", "message"),
    [
        ([Job("run-9", ())], (), "No bench can take job run-9: widen its limits or free a bench"),
        ([GOOD, GOOD], (), "Job run-1 is given more than once"),
        ([Job("run-2", (Mode("b1", -5),))], (), "Job run-2 takes -5 min on b1: give 1 to"),
        ([Job("run-2", (Mode("b1", 0),))], (), "Job run-2 takes 0 min on b1"),
        ([Job("run-2", (Mode("b1", 10**9),))], (), "Job run-2 takes 1000000000 min"),
        ([Job("run-2", (Mode("b1", 5), Mode("b1", 6)))], (), "Job run-2: bench b1 is given more than once"),
        ([Job("run-2", (Mode("b1", 5),), -1)], (), "Job run-2 has release_min -1"),
        ([GOOD], (Resource("b1"), Resource("b1")), "Bench b1 is given more than once"),
        ([GOOD], (Resource("b1", -1),), "Bench b1 has setup_min -1"),
        ([GOOD], (Resource("b1", 0, -2),), "Bench b1 has teardown_min -2"),
    ],
)
def test_contradictions_are_named_before_anything_is_solved(jobs, resources, message):
    with pytest.raises(InfeasibleError, match=message):
        solve(jobs, resources=resources)


@pytest.mark.parametrize("limits", [{"time_limit_s": 0}, {"workers": 0}])
def test_a_search_without_time_or_worker_is_refused(limits):
    with pytest.raises(PlanError, match="needs time and a worker"):
        solve([GOOD], **limits)


def test_the_plan_document_has_figures_and_intervals():
    document = solve([GOOD], seed=4).as_document()

    assert {"status", "objective", "bound", "gap", "makespan_min", "wall_s", "solver", "seed"} < set(document)
    assert document["solver"].startswith("OR-Tools CP-SAT 9.")
    assert document["intervals"] == [{"job": "run-1", "bench": "b1", "start_min": 0, "end_min": 5}]
    assert json.loads(json.dumps(document)) == document


def test_assignments_group_runs_by_bench_in_order_and_in_utc():
    jobs = [Job(f"run-{n}", (Mode("b1", 10 * n),), release_min=60) for n in (3, 1, 2)]
    plan = solve(jobs, resources=[Resource("b1", 15, 5)])
    here = ORIGIN.astimezone(timezone(timedelta(hours=2)))

    document = assignments(plan, here, kinds={"b1": "physical", "b2": "virtual"})

    assert document["origin"] == "2026-12-01T08:00:00+00:00"
    assert document["makespan_min"] == 125
    assert document["assignments"] == [
        {
            "bench": "b1",
            "kind": "physical",
            "runs": [1, 2, 3],
            "start": "2026-12-01T09:00:00+00:00",
            "end": "2026-12-01T10:00:00+00:00",
            "held_from": "2026-12-01T08:45:00+00:00",
            "held_until": "2026-12-01T10:05:00+00:00",
            "intervals": [
                {"run": 1, "start_min": 60, "end_min": 70},
                {"run": 2, "start_min": 70, "end_min": 90},
                {"run": 3, "start_min": 90, "end_min": 120},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("job", "origin", "kinds", "message"),
    [
        ("run-1", ORIGIN.replace(tzinfo=None), {"b1": "virtual"}, "has no time zone"),
        ("run-1", ORIGIN, {}, "Bench b1 is planned but has no kind"),
        ("warm-up", ORIGIN, {"b1": "virtual"}, "Job warm-up is no run of a request"),
    ],
)
def test_assignments_refuse_what_is_no_request(job, origin, kinds, message):
    with pytest.raises(PlanError, match=message):
        assignments(solve([Job(job, (Mode("b1", 5),))]), origin, kinds=kinds)
