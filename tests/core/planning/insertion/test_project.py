"""Schedules of projects keep all rules, are worth what they say, and become short."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.planning.checker import value, violations
from twinbench.core.planning.insertion.improvers import improvers
from twinbench.core.planning.insertion.project import Project, is_project
from twinbench.core.planning.insertion.ruin_recreate import RuinRecreate
from twinbench.core.planning.problem import Bench, Demand, Job, Mode, Precedence, Problem, Resource
from twinbench.core.planning.solve import solve


@st.composite
def projects(draw, largest=8):
    """Jobs that need some of a few resources, some after others and not at once."""
    resources = tuple(Resource(f"R{number}", draw(st.integers(1, 6))) for number in range(draw(st.integers(0, 3))))
    jobs = []
    for number in range(draw(st.integers(1, largest))):
        before = draw(st.lists(st.integers(0, number - 1), max_size=2, unique=True)) if number else []
        after = tuple(Precedence(f"J{one}", draw(st.integers(0, 3))) for one in before)
        needs = tuple(Demand(one.name, draw(st.integers(1, one.capacity))) for one in resources if draw(st.booleans()))
        mode = Mode("", draw(st.integers(1, 9)), demands=needs)
        jobs.append(Job(f"J{number}", (mode,), release_min=draw(st.integers(0, 9)), after=after))
    return Problem(tuple(jobs), (), resources)


def inserted(problem):
    search = RuinRecreate(problem)
    assert search.construct()
    return search


def large(seed, jobs=40):
    rng = np.random.default_rng(seed)
    found = []
    for number in range(jobs):
        needs = tuple(Demand(f"R{r}", int(rng.integers(1, 7))) for r in range(3) if rng.random() < 0.7)
        after = tuple(Precedence(f"J{k}") for k in range(max(0, number - 6), number) if rng.random() < 0.25)
        found.append(Job(f"J{number}", (Mode("", int(rng.integers(1, 11)), demands=needs),), after=after))
    return Problem(tuple(found), (), tuple(Resource(f"R{r}", 10) for r in range(3)))


@settings(max_examples=50)
@given(projects(largest=25), st.integers(0, 2**40))
def test_plans_keep_all_rules_and_are_worth_what_they_say(problem, seed):
    search = inserted(problem)
    project, before = Project(search), search.value

    for chunk in range(3):
        project.improve(1_000, heat=0.0, seed=seed + chunk)

    assert violations(problem, project.parts()) == []
    assert project.value == value(problem, project.parts()) <= before
    assert project.value[0] <= project._lengths.min()


@pytest.mark.thorough
@settings(max_examples=30)
@given(projects(largest=6))
def test_small_projects_are_planned_as_short_as_can_be(problem):
    project = Project(inserted(problem))

    project.improve(50_000, heat=0.0, seed=1)

    proven = solve(problem, time_limit_s=20, workers=2)
    assert proven.status == "optimal"
    assert project.value[0] == proven.objective


@pytest.mark.parametrize("seed", range(3))
def test_schedules_that_inherit_are_shorter_than_those_of_greedy_insertion(seed):
    search = inserted(large(seed))
    greedy = search.value

    Project(search).improve(20_000, heat=0.0, seed=seed)

    assert search.value < greedy


def test_where_all_have_become_alike_the_search_begins_anew_with_more():
    project = Project(inserted(large(1, jobs=10)))

    project.improve(1_000, heat=0.0, seed=1)
    few, shortest = len(project._lengths), project.value
    project.improve(50_000, heat=0.0, seed=2)
    project.improve(1_000, heat=0.0, seed=3)

    assert len(project._lengths) > few
    assert project.value <= shortest


def test_the_same_seed_gives_the_same_plan():
    found = []
    for _ in range(2):
        project = Project(inserted(large(1)))
        for seed in range(4):
            project.improve(3_000, heat=0.0, seed=seed)
        found.append(project.parts())

    assert found[0] == found[1]


def test_a_better_plan_of_others_is_taken_in():
    problem = large(2)
    better, project = Project(inserted(problem)), Project(inserted(problem))
    better.improve(20_000, heat=0.0, seed=1)

    project.load(better.parts())

    assert project.value == better.value


JOB = Job("a", (Mode("", 5, demands=(Demand("R"),)),), after=(Precedence("b"),))
PLAIN = Problem((JOB, Job("b", (Mode("", 3),))), (Bench("B"),), (Resource("R"),))


@pytest.mark.parametrize(
    "changes",
    [
        {"objective": ({"tardiness": 1}, {"makespan": 1})},
        {"resources": (Resource("R", closed=((2, 4, 1),)),)},
        {"resources": (Resource("R", open=((0, 400),)),)},
        {"jobs": (replace(JOB, unit="cell"), PLAIN.jobs[1])},
        {"jobs": (replace(JOB, deadline_min=90), PLAIN.jobs[1])},
        {"jobs": (replace(JOB, modes=(Mode("B", 5),)), PLAIN.jobs[1])},
        {"jobs": (replace(JOB, modes=(Mode("", 5), Mode("", 4))), PLAIN.jobs[1])},
        {"jobs": (replace(JOB, modes=(Mode("", 5, demands=(Demand("R", during=("setup",)),)),)), PLAIN.jobs[1])},
        {"jobs": (replace(JOB, after=(Precedence("b", 0, 60),)), PLAIN.jobs[1])},
        {"jobs": (replace(JOB, release_min=4_000_000), PLAIN.jobs[1])},
    ],
)
def test_what_else_holds_tests_up_is_no_project_of_this_kind(changes):
    search = inserted(replace(PLAIN, **changes))

    assert is_project(inserted(PLAIN))
    assert not is_project(search)
    assert not any(isinstance(way, Project) for way in improvers(search))
