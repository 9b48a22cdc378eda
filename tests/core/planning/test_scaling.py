"""Counted in a larger unit of time a problem is the same: what is a plan of one is a plan of the other, and as good."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.planning.checker import value, violations
from tests.core.planning.labs import labs
from twinbench.core.planning.plan import Interval
from twinbench.core.planning.problem import Bench, Job, Mode, Precedence, Problem, Resource
from twinbench.core.planning.scaling import factors, in_minutes, in_units, time_unit_min

EVERYTHING = Problem(
    (
        Job(
            "a",
            (Mode("b1", 60, 30, 90),),
            release_min=120,
            due_min=300,
            deadline_min=600,
            preferred_min=150,
            planned_min=180,
            wait_min=30,
        ),
        Job("b", (Mode("b1", 90),), after=(Precedence("a", 30, 60),)),
        Job("c", (Mode("b1", 90),), locked=("b1", -30), locked_teardown_min=60),
    ),
    (Bench("b1", closed=((900, 960),)),),
    (Resource("operator", 2, open=((0, 1200),), closed=((30, 60, 1),)),),
    {"t": {("hot", "cold"): 30}},
    ({"makespan": 2}, {"tardiness": 1, "cost": 3}, {"changeovers": 1}),
)


def test_the_unit_divides_all_times_there_are():
    assert time_unit_min(EVERYTHING) == 30
    assert time_unit_min(Problem((), ())) == 1


def test_one_odd_minute_anywhere_makes_the_unit_a_minute():
    job, *others = EVERYTHING.jobs
    odd = [
        replace(EVERYTHING, jobs=(replace(job, **{name: 7}), *others))
        for name in ("release_min", "due_min", "deadline_min", "preferred_min", "planned_min", "wait_min")
    ]
    odd += [
        replace(EVERYTHING, jobs=(replace(job, modes=(replace(job.modes[0], **{name: 7}),)), *others))
        for name in ("duration_min", "setup_min", "teardown_min")
    ]
    odd += [
        replace(EVERYTHING, jobs=(job, replace(others[0], after=(Precedence("a", 7, 60),)), others[1])),
        replace(EVERYTHING, jobs=(job, replace(others[0], after=(Precedence("a", 30, 61),)), others[1])),
        replace(EVERYTHING, jobs=(job, others[0], replace(others[1], locked=("b1", -29)))),
        replace(EVERYTHING, jobs=(job, others[0], replace(others[1], locked_teardown_min=61))),
        replace(EVERYTHING, benches=(Bench("b1", closed=((900, 961),)),)),
        replace(EVERYTHING, resources=(Resource("operator", open=((1, 1200),)),)),
        replace(EVERYTHING, resources=(Resource("operator", closed=((30, 61, 1),)),)),
        replace(EVERYTHING, changeovers={"t": {("hot", "cold"): 31}}),
    ]

    assert [time_unit_min(problem) for problem in odd] == [1] * len(odd)


def test_all_times_are_counted_in_units_and_nothing_else_is():
    short = in_units(EVERYTHING, 30)

    assert time_unit_min(short) == 1
    assert short.jobs[0] == Job(
        "a",
        (Mode("b1", 2, 1, 3),),
        release_min=4,
        due_min=10,
        deadline_min=20,
        preferred_min=5,
        planned_min=6,
        wait_min=1,
    )
    assert short.jobs[1].after == (Precedence("a", 1, 2),)
    assert (short.jobs[2].locked, short.jobs[2].locked_teardown_min) == (("b1", -1), 2)
    assert short.benches == (Bench("b1", closed=((30, 32),)),)
    assert short.resources == (Resource("operator", 2, open=((0, 40),), closed=((1, 2, 1),)),)
    assert short.changeovers == {"t": {("hot", "cold"): 1}}


@st.composite
def guesses(draw, problem):
    """Intervals of about the right kind; they need not be a plan."""
    parts = []
    for job in problem.jobs:
        number = draw(st.integers(0, len(job.modes) - 1))
        mode, begin = job.modes[number], draw(st.integers(0, 30))
        end = begin + mode.setup_min + mode.duration_min
        wait = draw(st.integers(0, 3))
        times = (begin, begin + mode.setup_min, end, end + wait, end + wait + mode.teardown_min)
        parts.append(Interval(job.name, number, mode.bench, *times))
    return parts


@settings(max_examples=20)
@given(labs(largest=4), st.data())
def test_a_plan_in_units_breaks_the_same_rules_and_has_the_same_value_in_minutes(problem, data):
    unit = time_unit_min(problem)
    short = in_units(problem, unit)
    parts = data.draw(guesses(short))

    assert len(violations(short, parts)) == len(violations(problem, in_minutes(parts, unit)))
    values = zip(value(short, parts), factors(problem, unit), strict=True)
    assert tuple(number * factor for number, factor in values) == value(problem, in_minutes(parts, unit))
