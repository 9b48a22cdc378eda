"""What no plan can be below is known without a search, and no plan is ever below it."""

import pytest
from hypothesis import assume, given, settings

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


@pytest.mark.thorough
@settings(max_examples=30)
@given(labs(largest=7))
def test_no_plan_is_below_it(problem):
    try:
        check(problem)
    except InfeasibleError:
        assume(False)
    search = RuinRecreate(problem)
    assume(search.construct())

    assert all(bound <= value for bound, value in zip(least(problem), search.value, strict=True)) or any(
        job.locked
        for job in problem.jobs  # who is locked may take more than there is
    )
