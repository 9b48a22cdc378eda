"""Schedules of projects keep all rules, are worth what they say, and become short."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.planning.insertion.searches import assert_keeps_rules_and_is_no_worse, improved, inserted, project
from twinbench.core.planning.insertion.improvers import improvers
from twinbench.core.planning.insertion.project import Project, is_project
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


@settings(max_examples=50)
@given(projects(largest=25), st.integers(0, 2**40))
def test_plans_keep_all_rules_and_are_worth_what_they_say(problem, seed):
    search = inserted(problem)
    before = search.value

    way = improved(Project(search), 1_000, seed)

    assert_keeps_rules_and_is_no_worse(way, problem, before)
    assert way.value[0] <= way._lengths.min()


@pytest.mark.thorough
@settings(max_examples=30)
@given(projects(largest=6))
def test_small_projects_are_planned_as_short_as_can_be(problem):
    way = improved(Project(inserted(problem)), 50_000, seed=1, chunks=1)

    proven = solve(problem, time_limit_s=20, workers=2)
    assert proven.status == "optimal"
    assert way.value[0] == proven.objective


@pytest.mark.parametrize("seed", range(3))
def test_schedules_that_inherit_are_shorter_than_those_of_greedy_insertion(seed):
    search = inserted(project(seed))
    greedy = search.value

    Project(search).improve(20_000, heat=0.0, seed=seed)

    assert search.value < greedy


def test_where_all_have_become_alike_the_search_begins_anew_with_more():
    way = improved(Project(inserted(project(1, jobs=10))), 1_000, seed=1, chunks=1)
    few, shortest = len(way._lengths), way.value

    improved(way, 50_000, seed=2, chunks=2)

    assert len(way._lengths) > few
    assert way.value <= shortest


def test_the_same_seed_gives_the_same_plan():
    found = []
    for _ in range(2):
        found.append(improved(Project(inserted(project(1))), 3_000, seed=1, chunks=4).parts())

    assert found[0] == found[1]


def test_a_better_plan_of_others_is_taken_in():
    problem = project(2)
    better, way = improved(Project(inserted(problem)), 20_000, seed=1, chunks=1), Project(inserted(problem))

    way.load(better.parts())

    assert way.value == better.value


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
