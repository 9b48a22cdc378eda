"""Tabu search makes plans of shops that keep all rules, are worth what they say, and short."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.planning.insertion.searches import assert_keeps_rules_and_is_no_worse, improved, inserted
from twinbench.core.planning.insertion.improvers import improvers
from twinbench.core.planning.insertion.shop import Shop, is_shop
from twinbench.core.planning.problem import Bench, Demand, Job, Mode, Precedence, Problem, Resource
from twinbench.core.planning.solve import solve

# Fisher & Thompson 1963, six jobs on six machines: machine and time of each operation. Its shortest plan takes 55.
FT06 = """
2 1 0 3 1 6 3 7 5 3 4 6
1 8 2 5 4 10 5 10 0 10 3 4
2 5 3 4 5 8 0 9 1 1 4 7
1 5 0 5 2 5 3 3 4 8 5 9
2 9 1 3 4 5 5 4 0 3 3 1
1 3 3 3 5 9 0 10 4 4 2 1
"""
FAMILIES = ("", "cold", "warm")


def job_shop(text):
    jobs = []
    for row, line in enumerate(text.split("\n")[1:-1]):
        numbers = [int(word) for word in line.split()]
        for step, (bench, minutes) in enumerate(zip(numbers[::2], numbers[1::2], strict=True)):
            after = (Precedence(f"{row}.{step - 1}"),) if step else ()
            jobs.append(Job(f"{row}.{step}", (Mode(f"M{bench}", minutes),), after=after))
    return Problem(tuple(jobs), tuple(Bench(f"M{number}") for number in range(6)))


@st.composite
def shops(draw, largest=8):
    """Jobs with some modes, also two on one bench, some after others; benches are changed over by any table."""
    benches = tuple(
        Bench(f"B{number}", family=draw(st.sampled_from(FAMILIES)), changeovers=draw(st.sampled_from(["", "table"])))
        for number in range(draw(st.integers(1, 3)))
    )
    pairs = [(one, other) for one in FAMILIES[1:] for other in FAMILIES[1:] if one != other]
    table = {pair: draw(st.integers(0, 9)) for pair in pairs}
    mode = st.builds(
        Mode,
        st.sampled_from([bench.name for bench in benches]),
        st.integers(1, 9),
        setup_min=st.integers(0, 2),
        teardown_min=st.integers(0, 2),
    )
    jobs = []
    for number in range(draw(st.integers(1, largest))):
        before = draw(st.lists(st.integers(0, number - 1), max_size=2, unique=True)) if number else []
        after = tuple(Precedence(f"J{one}", draw(st.integers(0, 3))) for one in before)
        modes = tuple(draw(st.lists(mode, min_size=1, max_size=3)))
        family, release_min = draw(st.sampled_from(FAMILIES)), draw(st.integers(0, 9))
        jobs.append(Job(f"J{number}", modes, release_min=release_min, family=family, after=after))
    return Problem(tuple(jobs), benches, changeovers={"table": table})


@settings(max_examples=50)
@given(shops(largest=25), st.integers(0, 2**40))
def test_plans_keep_all_rules_and_are_worth_what_they_say(problem, seed):
    search = inserted(problem)
    before = search.value

    assert_keeps_rules_and_is_no_worse(improved(Shop(search), 1_000, seed), problem, before)


@pytest.mark.thorough
@settings(max_examples=30)
@given(shops(largest=6))
def test_small_shops_are_planned_as_short_as_can_be(problem):
    shop = Shop(inserted(problem))

    shop.improve(200_000, heat=0.0, seed=1)

    proven = solve(problem, time_limit_s=20, workers=2)
    assert proven.status == "optimal"
    assert shop.value[0] == proven.objective


def test_a_known_job_shop_is_planned_as_short_as_can_be():
    shop = Shop(inserted(job_shop(FT06)))

    shop.improve(50_000, heat=0.0, seed=1)

    assert shop.value == (55,)


def test_the_same_seed_gives_the_same_plan():
    found = []
    for _ in range(2):
        found.append(improved(Shop(inserted(job_shop(FT06))), 3_000, seed=1, chunks=4).parts())

    assert found[0] == found[1]


def test_a_better_plan_of_others_is_taken_in():
    problem = job_shop(FT06)
    better = Shop(inserted(problem))
    better.improve(50_000, heat=0.0, seed=1)
    shop = Shop(inserted(problem))

    shop.load(better.parts())

    assert shop.value == (55,)


JOB = Job("a", (Mode("B", 5),), after=(Precedence("b"),))
PLAIN = Problem((JOB, Job("b", (Mode("B", 3),))), (Bench("B"),))


@pytest.mark.parametrize(
    "changes",
    [
        {"objective": ({"tardiness": 1}, {"makespan": 1})},
        {"objective": ({"makespan": 1, "cost": 1},)},
        {"benches": (Bench("B", closed=((2, 4),)),)},
        {"jobs": (replace(JOB, unit="cell"), PLAIN.jobs[1])},
        {"jobs": (replace(JOB, deadline_min=90), PLAIN.jobs[1])},
        {"jobs": (replace(JOB, locked=("B", 50)), PLAIN.jobs[1])},
        {"jobs": (replace(JOB, after=(Precedence("b", 0, 60),)), PLAIN.jobs[1])},
        {"jobs": (replace(JOB, modes=(Mode("B", 5, demands=(Demand("R"),)),)), PLAIN.jobs[1])},
        {"jobs": (replace(JOB, modes=(Mode("", 5),)), PLAIN.jobs[1])},
    ],
)
def test_what_more_holds_tests_up_is_no_shop(changes):
    problem = replace(PLAIN, resources=(Resource("R"),), **changes)

    assert is_shop(PLAIN)
    assert not is_shop(problem)
    assert not any(isinstance(way, Shop) for way in improvers(inserted(problem)))
