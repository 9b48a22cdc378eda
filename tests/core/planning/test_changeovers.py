"""Where a detour over another family is shorter than the direct changeover, taking a job out can break what is left."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.planning.checker import violations
from twinbench.core.planning.changeovers import is_metric
from twinbench.core.planning.cp_sat.search import improve_window
from twinbench.core.planning.insertion.ruin_recreate import RuinRecreate
from twinbench.core.planning.plan import Interval
from twinbench.core.planning.problem import Bench, Job, Mode, Problem

ON_IT = (Mode("chamber", 1),)
DETOUR = {"warming": {("cold", "cold"): 5, ("cold", "hot"): 5}}


def lab(*jobs, objective):
    bench = Bench("chamber", family="cold", changeovers="warming")
    return Problem(jobs, (bench, Bench("cycler")), changeovers=DETOUR, objective=objective)


@pytest.fixture
def problem():
    """After a job without a family no changeover is needed."""
    jobs = (Job("neutral", ON_IT), Job("one", ON_IT, family="cold"), Job("other", ON_IT, family="hot"))
    return lab(*jobs, objective=({"makespan": 1}, {"start": 1}))


@pytest.mark.parametrize("seed", range(10))
def test_ruin_and_recreate_keeps_every_changeover(seed):
    """The job that lets a cold one begin at once would itself rather begin later."""
    others = [Job(f"other-{n}", (Mode("cycler", 1),)) for n in range(8)]
    jobs = (Job("cold", ON_IT, family="cold"), Job("neutral", ON_IT, preferred_min=10), *others)
    problem = lab(*jobs, objective=({"preferred": 1}, {"start": 1}))
    search = RuinRecreate(problem)
    elsewhere = [replace(part_of(job.name, n), bench="cycler") for n, job in enumerate(others)]
    search.load([part_of("neutral", 0), part_of("cold", 1), *elsewhere])

    search.improve(300, heat=1.0, seed=seed)

    assert violations(problem, search.parts()) == []


def part_of(name, begin_min):
    return Interval(name, 0, "chamber", begin_min, begin_min, begin_min + 1, begin_min + 1, begin_min + 1)


@pytest.mark.parametrize("moving", ["neutral", "one", "other"])
def test_a_window_keeps_the_changeovers_between_the_jobs_that_stay(problem, moving):
    """The job without a family is what lets the others begin so early."""
    known = [part_of("neutral", 0), part_of("one", 1), part_of("other", 7)]
    value = RuinRecreate(problem).load(known)

    better = improve_window(problem, known, value, [moving], seconds=2.0, workers=1, seed=1)

    assert better is not None
    assert violations(problem, better) == []


@given(st.dictionaries(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), st.integers(0, 9)))
def test_a_table_is_metric_if_every_detour_takes_as_long(table):
    def minutes(old, new):
        return table.get((old, new), 0)

    detours = [(minutes(a, b) + minutes(b, c), minutes(a, c)) for a in "abc" for b in "abc" for c in "abc"]

    assert is_metric(table, "abc") == all(direct <= detour for detour, direct in detours)
