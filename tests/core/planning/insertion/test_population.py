"""A population's plans keep all rules, are worth what they say, and become better than what greedy insertion finds."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.core.planning.checker import value, violations
from tests.core.planning.insertion.searches import inserted, project
from tests.core.planning.labs import labs
from twinbench.core.errors import InfeasibleError
from twinbench.core.planning.check import check
from twinbench.core.planning.insertion.improvers import improvers
from twinbench.core.planning.insertion.population import Population
from twinbench.core.planning.insertion.ruin_recreate import RuinRecreate
from twinbench.core.planning.problem import Bench, Job, Mode, Problem
from twinbench.core.planning.scaling import in_units, time_unit_min

SHORT = ({"makespan": 1}, {"start": 1})


def planned(problem):
    """A search with the plan of greedy insertion; None if there is none."""
    try:
        check(problem)
    except InfeasibleError:
        return None
    search = RuinRecreate(in_units(problem, time_unit_min(problem)))
    return search if search.construct() else None


@settings(max_examples=25)
@given(labs(largest=7), st.integers(0, 2**40))
def test_every_plan_keeps_all_rules_and_is_worth_what_it_says(problem, seed):
    search = planned(replace(problem, objective=SHORT))
    assume(search is not None)
    population, before = Population(search), search.value

    population.improve(2_000, heat=0.0, seed=seed)

    assert violations(search.problem, population.parts()) == []
    assert population.value == value(search.problem, population.parts()) <= before
    for places, worth in zip(population._plans[: min(4, population._count)], population._worth, strict=False):
        other = RuinRecreate(search.problem)
        other.keep(places, worth)
        assert violations(search.problem, other.parts()) == []
        assert tuple(worth) == value(search.problem, other.parts())


@pytest.mark.parametrize("seed", range(3))
def test_plans_that_inherit_are_shorter_than_those_of_greedy_insertion(seed):
    search = inserted(project(seed, objective=SHORT))
    greedy = search.value

    Population(search).improve(200_000, heat=0.0, seed=seed)

    assert search.value[0] < greedy[0]


def test_the_same_seed_gives_the_same_plan():
    found = []
    for _ in range(2):
        search = inserted(project(1, objective=SHORT))
        population = Population(search)
        for seed in range(4):
            population.improve(20_000, heat=0.0, seed=seed)
        found.append(population.parts())

    assert found[0] == found[1]


def test_a_better_plan_that_others_have_found_is_taken_in():
    ours, theirs = inserted(project(2, objective=SHORT)), inserted(project(2, objective=SHORT))
    Population(theirs).improve(200_000, heat=0.0, seed=1)
    population = Population(ours)
    assert theirs.value < population.value

    population.load(theirs.parts())
    population.improve(10_000, heat=0.0, seed=1)

    assert population.value <= theirs.value


@pytest.mark.thorough
def test_it_begins_anew_with_more_plans_when_all_have_become_alike():
    search = inserted(project(3, jobs=8, objective=SHORT))
    population = Population(search)
    first = len(population._plans)

    for seed in range(30):
        population.improve(20_000, heat=0.0, seed=seed)

    assert len(population._plans) > first
    assert violations(search.problem, population.parts()) == []


def test_what_is_locked_stays_where_it_is():
    jobs = [Job(f"T{n}", tuple(Mode(b, 3 + n % 4) for b in ("a", "b"))) for n in range(8)]
    jobs[2] = replace(jobs[2], locked=("b", 7))
    search = inserted(Problem(tuple(jobs), (Bench("a"), Bench("b")), objective=SHORT))

    Population(search).improve(50_000, heat=0.0, seed=1)

    part = next(part for part in search.parts() if part.job == "T2")
    assert (part.bench, part.begin_min) == ("b", 7)


@pytest.mark.timeout(120)
def test_where_hardly_any_order_gives_a_plan_the_known_one_stays_and_the_search_ends():
    jobs = [Job("T0", (Mode("a", 4),), deadline_min=4), Job("T1", (Mode("a", 3),), release_min=4, deadline_min=7)]
    jobs += [Job(f"T{n}", (Mode("a", 2),), deadline_min=7 + 2 * (n - 1)) for n in range(2, 12)]
    search = inserted(Problem(tuple(jobs), (Bench("a"),), objective=SHORT))
    before = search.value

    Population(search).improve(100_000, heat=0.0, seed=1)

    assert search.value == before
    assert violations(search.problem, search.parts()) == []


def test_where_dates_are_wished_for_there_is_no_population():
    jobs = (Job("T1", (Mode("a", 3),), preferred_min=5), Job("T2", (Mode("a", 3),)))
    search = inserted(Problem(jobs, (Bench("a"),), objective=({"preferred": 1}, {"start": 1})))

    assert improvers(search) == [search]
