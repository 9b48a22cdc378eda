"""The greedy plan is a plan, and putting shorter jobs first costs no bench any time."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.planning.greedy import greedy_plan, makespan, shortest_first
from twinbench.core.planning.model import Interval, Job, Mode, Resource

BENCHES = {"b1": Resource("b1", 15, 5), "b2": Resource("b2")}
job_lists = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 100)), max_size=12).map(
    lambda drawn: [Job(f"j{n}", (Mode("b1", d), Mode("b2", 2 * d)), r) for n, (d, r) in enumerate(drawn)]
)


@given(job_lists)
def test_every_job_has_its_own_interval_after_set_up_and_release(jobs):
    plan = greedy_plan(jobs, BENCHES)

    assert sorted(part.job for part in plan) == sorted(job.name for job in jobs)
    for bench in BENCHES.values():
        parts = [part for part in plan if part.bench == bench.name]
        assert all(a.end_min <= b.start_min for a, b in pairwise(parts))
        assert all(part.start_min >= bench.setup_min for part in parts)
    releases = {job.name: job.release_min for job in jobs}
    assert all(part.start_min >= releases[part.job] for part in plan)


@given(job_lists)
def test_putting_shorter_jobs_first_never_lengthens_a_plan(jobs):
    one_after_the_other, free_min = [], BENCHES["b1"].setup_min
    for job in jobs:
        start_min = max(free_min, job.release_min)
        free_min = start_min + job.modes[0].duration_min
        one_after_the_other.append(Interval(job.name, "b1", start_min, free_min))

    better = shortest_first(one_after_the_other, jobs, BENCHES)

    assert makespan(better, BENCHES) <= makespan(one_after_the_other, BENCHES)


def test_what_waits_is_done_shortest_first_and_equals_in_their_order():
    jobs = [Job(name, (Mode("b2", d),), r) for name, d, r in (("a", 9, 0), ("b", 3, 0), ("c", 3, 0), ("d", 1, 4))]

    assert [part.job for part in greedy_plan(jobs, BENCHES)] == ["b", "c", "d", "a"]


def test_a_job_goes_where_it_ends_earliest_teardown_included():
    slow_to_clear = {"b1": Resource("b1", 0, 30), "b2": Resource("b2")}

    (part,) = greedy_plan([Job("a", (Mode("b1", 10), Mode("b2", 20)))], slow_to_clear)

    assert part.bench == "b2"
