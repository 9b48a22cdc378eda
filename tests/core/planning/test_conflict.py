"""If there is no plan, what is named is enough for that, and all of it is needed."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings

from tests.core.planning.labs import labs
from twinbench.core.errors import InfeasibleError, PlanError
from twinbench.core.planning import conflict as module
from twinbench.core.planning.check import check
from twinbench.core.planning.cp_sat.search import search_first
from twinbench.core.planning.problem import Bench, Demand, Job, Mode, Precedence, Problem, Resource
from twinbench.core.planning.solve import solve

BENCHES = (Bench("b1"), Bench("b2"))
HOUR = (Mode("b1", 60),)
EARLIER = Job("a", (Mode("b2", 80),))
OPERATOR = (Mode("b1", 60, 10, demands=(Demand("operator", 1, ("setup",)),)),)


def why_not(problem):
    """What is said of a lab that has no plan."""
    with pytest.raises(InfeasibleError) as refused:
        solve(problem, time_limit_s=5)
    return str(refused.value)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        pytest.param(
            Problem((Job("a", HOUR, deadline_min=90), Job("b", HOUR, deadline_min=90), Job("c", HOUR)), BENCHES),
            "There is no plan for a, b: a must be done by minute 90; b must be done by minute 90; "
            "b1 does one job at a time.",
            id="two of three compete for a bench",
        ),
        pytest.param(
            Problem((Job("a", HOUR, locked=("b1", 0)), Job("b", HOUR, deadline_min=100)), BENCHES),
            "no plan for a, b: a is locked on b1 at minute 0; b must be done by minute 100; b1 does one job at a time.",
            id="a running test",
        ),
        pytest.param(
            Problem(
                (
                    Job("a", HOUR, unit="cell-1", deadline_min=60),
                    Job("b", (Mode("b2", 60),), unit="cell-1", deadline_min=60),
                ),
                BENCHES,
            ),
            "no plan for a, b: a must be done by minute 60; a is done on cell-1, which is in one place at a time; "
            "b must be done by minute 60; b is done on cell-1",
            id="one unit under test in two places",
        ),
        pytest.param(
            Problem(
                (EARLIER, Job("b", HOUR, deadline_min=150, after=(Precedence("a"),))),
                (Bench("b1", closed=((90, 100),)), Bench("b2")),
            ),
            "no plan for a, b: b must be done by minute 150; b comes 0 min after a; "
            "bench b1 is closed from minute 90 to 100.",
            id="a closed bench",
        ),
        pytest.param(
            Problem(
                (EARLIER, Job("b", OPERATOR, deadline_min=200, after=(Precedence("a"),))),
                BENCHES,
                (Resource("operator", open=((0, 85), (480, 960))),),
            ),
            "no plan for a, b: b must be done by minute 200; b comes 0 min after a; operator is not always there.",
            id="nobody is there in time",
        ),
        pytest.param(
            Problem(
                tuple(
                    Job(name, (Mode(bench, 60, demands=(Demand("chamber"),)),), deadline_min=100)
                    for name, bench in (("a", "b1"), ("b", "b2"))
                ),
                BENCHES,
                (Resource("chamber"),),
            ),
            "no plan for a, b: a must be done by minute 100; b must be done by minute 100; there are 1 of chamber.",
            id="one chamber for two",
        ),
        pytest.param(
            Problem((Job("a", HOUR), Job("b", HOUR, after=(Precedence("a", 30),), deadline_min=140)), BENCHES),
            "no plan for a, b: b must be done by minute 140; b comes 30 min after a.",
            id="a rest that is too long",
        ),
        pytest.param(
            Problem(
                (Job("a", HOUR, deadline_min=60), Job("b", HOUR, release_min=100, after=(Precedence("a", 0, 30),))),
                BENCHES,
            ),
            "no plan for a, b: a must be done by minute 60; b may not begin before minute 100; "
            "b begins at most 30 min after a.",
            id="a rest that may not be long enough",
        ),
    ],
)
def test_what_conflicts_is_said_and_nothing_else(problem, words):
    message = why_not(problem)

    assert words in message
    assert message.endswith("These demands cannot be met together: loosen one of them.")


def has_plan(problem):
    parts, is_proven = search_first(problem, seconds=lambda: 20.0, workers=1, seed=1)
    assert is_proven or parts is not None
    return parts is not None


def hurried(problem):
    """Every job has to be done nearly at once."""
    return replace(
        problem,
        jobs=tuple(
            replace(job, deadline_min=job.release_min + 2 * min(mode.length_min for mode in job.modes))
            for job in problem.jobs
        ),
    )


def assert_is_smallest_conflict(problem):
    try:
        check(problem)
        solve(problem, time_limit_s=10)
        assume(False)
    except PlanError as error:
        message = str(error)
    assume(message.startswith("There is no plan for "))
    names = message.removeprefix("There is no plan for ").split(":")[0].split(", ")
    few = module._with_jobs(problem, names)
    demands = list(module._demands(few))
    named = [step for word, step in demands if f" {word}; " in f" {body(message)}; "]
    loose = few
    for word, step in demands:
        loose = loose if f" {word}; " in f" {body(message)}; " else step(loose)

    assert not has_plan(loose)
    assert all(has_plan(step(loose)) for step in named)
    for name in names if len(names) > 1 else ():
        assert has_plan(module._with_jobs(problem, [other for other in names if other != name]))


def body(message):
    return message.split(": ", 1)[1].split(". These demands")[0]


@pytest.mark.thorough
@settings(max_examples=6)
@given(labs(largest=4, strict=True).map(hurried))
def test_without_any_one_of_the_named_jobs_or_demands_there_is_a_plan(problem):
    assert_is_smallest_conflict(problem)


@pytest.mark.thorough
@settings(max_examples=70)
@given(labs(largest=6, strict=True).map(hurried))
def test_conflicts_in_larger_labs_are_as_small_as_can_be_too(problem):
    assert_is_smallest_conflict(problem)
