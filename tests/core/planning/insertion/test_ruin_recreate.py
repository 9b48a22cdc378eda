"""However often tests are taken out and put back, the compiled search knows exactly what its plan holds and costs."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.core.planning.checker import value, violations
from tests.core.planning.labs import labs
from twinbench.core.errors import InfeasibleError
from twinbench.core.planning.check import check
from twinbench.core.planning.insertion.arrays import empty_state
from twinbench.core.planning.insertion.ruin_recreate import RuinRecreate
from twinbench.core.planning.problem import CRITERIA, Bench, Job, Mode, Precedence, Problem
from twinbench.core.planning.scaling import in_units, time_unit_min


def built(problem):
    """A search that has a plan."""
    try:
        check(problem)
    except InfeasibleError:
        assume(False)
    search = RuinRecreate(in_units(problem, time_unit_min(problem)))
    assume(search.construct())
    return search


def held(state):
    """What each bench and resource holds, as far as it counts."""
    lines = [state.lines[b.first : b.first + b.count].tolist() for b in state.benches]
    steps = [state.steps[r.first : r.first + r.count].tolist() for r in state.resources]
    return lines, steps, state.people.tolist(), state.span.tolist(), state.total.tolist()


def assert_is_exact(search):
    """What the search holds is what it would hold if its plan were put into an empty lab."""
    fresh = empty_state(search.problem, search._fixed)
    for number, at in enumerate(search._state.places):
        search._placing.place(search._fixed, fresh, number, at.mode, at.begin, at.teardown, at.free)

    assert held(search._state) == held(fresh)


def assert_its_plan_is_worth_what_it_says(search):
    parts = search.parts()

    assert violations(search.problem, parts) == []
    assert search.value == value(search.problem, parts)
    assert search.load(parts) == search.value
    counted = zip(CRITERIA, map(int, search._state.total), strict=True)
    every = {name: number for name, number in counted if name in used(search.problem)}
    assert every == {name: value(with_only(search.problem, name), parts)[0] for name in every}


def used(problem):
    return {name for tier in problem.objective for name in tier}


def with_only(problem, name):
    return Problem(problem.jobs, problem.benches, problem.resources, problem.changeovers, ({name: 1},))


def assert_stays_exact(problem, rounds, effort, seed):
    search = built(problem)
    assert_its_plan_is_worth_what_it_says(search)
    best = search.value
    for number in range(rounds):
        search.improve(effort, heat=1.0, seed=seed + number)
        assert_is_exact(search)
        assert search.value <= best
        best = search.value
    assert_its_plan_is_worth_what_it_says(search)


@pytest.mark.thorough
@settings(max_examples=25)
@given(labs(largest=7), st.integers(0, 2**40))
def test_after_many_rounds_resources_benches_and_totals_are_exact(problem, seed):
    assert_stays_exact(problem, rounds=5, effort=300, seed=seed)


@pytest.mark.thorough
@settings(max_examples=50)
@given(labs(largest=12), st.integers(0, 2**40))
def test_after_very_many_rounds_in_larger_labs_too(problem, seed):
    assert_stays_exact(problem, rounds=20, effort=2_000, seed=seed)


@settings(max_examples=15)
@given(labs(largest=7))
def test_the_same_seed_finds_the_same_plan(problem):
    found = []
    for _ in range(2):
        search = built(problem)
        search.improve(500, heat=1.0, seed=7)
        found.append(search.parts())

    assert found[0] == found[1]


@settings(max_examples=15)
@given(labs(largest=7))
def test_what_does_not_move_is_never_worse_than_the_first_plan(problem):
    search = built(problem)
    first = RuinRecreate(search.problem)
    first.construct_first()

    assert search.value <= first.value


@given(labs(largest=7), st.integers(0, 2**40))
@settings(max_examples=10)
def test_a_plan_can_be_taken_over_by_another_search(problem, seed):
    search = built(problem)
    search.improve(300, heat=1.0, seed=seed)
    other = RuinRecreate(search.problem)

    assert other.value == ()
    assert other.load(search.parts()) == search.value == other.value
    assert other.parts() == search.parts()


def test_chains_with_rests_that_must_not_be_long_are_put_together_again():
    jobs = [Job("a0", (Mode("b1", 5), Mode("b2", 5)))]
    jobs += [Job(f"a{n}", (Mode("b1", 5), Mode("b2", 5)), after=(Precedence(f"a{n - 1}", 2, 3),)) for n in range(1, 6)]
    jobs += [Job(f"free{n}", (Mode("b1", 4), Mode("b2", 4))) for n in range(6)]
    search = RuinRecreate(Problem(tuple(jobs), (Bench("b1"), Bench("b2"))))
    search.construct()

    search.improve(20_000, heat=1.0, seed=1)

    assert search.value == (40,)
    assert_is_exact(search)
    assert_its_plan_is_worth_what_it_says(search)


def test_a_job_that_fits_nowhere_is_named():
    closed = Bench("b1", closed=((5, 100),))
    search = RuinRecreate(Problem((Job("late", (Mode("b1", 10),), deadline_min=50),), (closed,)))

    assert not search.construct()
    assert (search.unplaced, search.value) == ("late", ())


def test_all_criteria_are_known_to_the_kernel():
    search = RuinRecreate(Problem((Job("a", (Mode("b1", 1),)),), (Bench("b1"),)))

    assert np.array_equal(search._state.total, np.zeros(len(CRITERIA)))


def test_what_fits_nowhere_goes_first():
    urgent = Job("urgent", (Mode("b1", 10),), release_min=3, deadline_min=13)
    others = [Job(f"any{n}", (Mode("b1", 5),), deadline_min=24) for n in range(2)]
    search = RuinRecreate(Problem((*others, urgent), (Bench("b1"),)))

    assert search.construct_first()
    assert next(part.begin_min for part in search.parts() if part.job == "urgent") == 3
