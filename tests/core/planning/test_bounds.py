"""What no plan can be below is known without a search, and no plan is ever below it."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.core.planning.labs import labs
from twinbench.core.errors import InfeasibleError
from twinbench.core.planning.bounds import least
from twinbench.core.planning.check import check
from twinbench.core.planning.insertion.ruin_recreate import RuinRecreate
from twinbench.core.planning.problem import Bench, Demand, Job, Mode, Precedence, Problem, Resource

BENCHES = (Bench("b1"), Bench("b2"))


@pytest.mark.parametrize(
    ("jobs", "minutes"),
    [
        pytest.param([Job("a", (Mode("b1", 30),), release_min=10)], 40, id="a job alone"),
        pytest.param(
            [Job("a", (Mode("b1", 30),)), Job("b", (Mode("b2", 20),), after=(Precedence("a", 5),))], 55, id="a chain"
        ),
        pytest.param([Job(name, (Mode("b1", 30),)) for name in "abc"], 90, id="jobs of one bench"),
        pytest.param(
            [Job(name, (Mode("b1", 30, demands=(Demand("power", 2),)), Mode("b2", 40))) for name in "ab"],
            30,
            id="a resource that they may do without",
        ),
        pytest.param(
            [Job(name, (Mode("b1", 30, demands=(Demand("power", 2),)), Mode("b2", 40, demands=(Demand("power", 2),))))
             for name in "abcd"],
            80,
            id="a resource that all need",
        ),
    ],
)  # fmt: skip
def test_the_makespan_cannot_be_below_what_must_be_done(jobs, minutes):
    assert least(Problem(tuple(jobs), BENCHES, (Resource("power", 3),))) == [minutes]


def test_a_locked_job_is_where_it_is_and_costs_what_it_costs_there():
    wishes = {"due_min": 50, "preferred_min": 60, "planned_min": 0, "priority": 2}
    modes = (Mode("b1", 40, cost=9), Mode("b2", 10, cost=1))
    job = Job("a", modes, locked=("b1", 30), **wishes)
    criteria = ("makespan", "tardiness", "preferred", "moved", "start", "cost")

    problem = Problem((job,), BENCHES, objective=tuple({name: 1} for name in criteria))

    assert least(problem) == [70, 40, 60, 60, 30, 9]


def test_a_job_that_may_not_begin_when_it_is_wanted_is_away_from_there():
    job = Job("a", (Mode("b1", 40),), release_min=30, preferred_min=10, planned_min=50, priority=3)

    assert least(Problem((job,), BENCHES, objective=({"preferred": 2}, {"moved": 1}))) == [120, 0]


@settings(max_examples=60)
@given(labs(largest=4), st.data())
def test_no_plan_around_what_is_locked_is_below_it(problem, data):
    search = RuinRecreate(problem)
    assume(passes(problem) and search.construct())
    settled = data.draw(st.sets(st.sampled_from([job.name for job in problem.jobs])))
    parts = {part.job: part for part in search.parts()}
    locks = {name: (parts[name].bench, parts[name].begin_min) for name in settled}
    jobs = tuple(
        replace(job, modes=(job.modes[parts[job.name].mode],), locked=locks[job.name]) if job.name in locks else job
        for job in problem.jobs
    )

    assert all(bound <= value for bound, value in zip(least(replace(problem, jobs=jobs)), search.value, strict=True))


def passes(problem):
    try:
        check(problem)
    except InfeasibleError:
        return False
    return True


@pytest.mark.thorough
@settings(max_examples=30)
@given(labs(largest=7))
def test_no_plan_is_below_it(problem):
    search = RuinRecreate(problem)
    assume(passes(problem) and search.construct())

    assert all(bound <= value for bound, value in zip(least(problem), search.value, strict=True))
