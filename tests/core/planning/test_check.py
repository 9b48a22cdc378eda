"""What no plan can do is refused before anything is solved, in the words of whoever asked for it."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.core.planning.labs import labs
from twinbench.core.errors import InfeasibleError
from twinbench.core.planning.check import check
from twinbench.core.planning.problem import FAR_MIN, Bench, Demand, Job, Mode, Precedence, Problem, Resource
from twinbench.core.planning.solve import solve

BENCHES = (Bench("b1"), Bench("b2"))
MODE = Mode("b1", 60)
DAYS = Resource("operator", 2, open=((480, 1080), (1920, 2520)))


def lab(*jobs, benches=BENCHES, resources=(DAYS,), **rest):
    return Problem(jobs, benches, resources, **rest)


def demanding(*demands, **lengths):
    return Job("T1", (Mode("b1", **{"duration_min": 60, **lengths}, demands=demands),))


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        pytest.param(
            lab(Job("T1", ())),
            "No bench can take job T1: widen its limits or free a bench",
            id="a test no bench can run",
        ),
        pytest.param(
            lab(demanding(Demand("operator", 3))),
            "No bench can take job T1: it needs 3 of operator on b1, there are 2. Change the job or the lab",
            id="a test that needs more than there is",
        ),
        pytest.param(
            lab(demanding(Demand("operator"), duration_min=700)),
            "No bench can take job T1: its setup and test and teardown on b1 takes 700 min, "
            "the longest window of operator is 600 min",
            id="a test longer than any window",
        ),
        pytest.param(
            lab(demanding(Demand("operator", during=("setup",)), setup_min=601)),
            "No bench can take job T1: its setup on b1 takes 601 min, the longest window of operator is 600 min",
            id="a set-up longer than any window",
        ),
        pytest.param(
            lab(demanding(Demand("power", 3)), resources=(Resource("power", 4, closed=((50, FAR_MIN, 2),)),)),
            "No bench can take job T1: its setup and test and teardown on b1 takes 60 min, "
            "the longest window of power is 50 min",
            id="a test longer than the time for which there is enough",
        ),
        pytest.param(
            lab(replace(demanding(Demand("operator")), release_min=2470)),
            "T1: its .* takes 60 min, the longest window of operator is 50 min from minute 2470 to",
            id="a test after the last window",
        ),
        pytest.param(
            lab(Job("T1", (MODE,), deadline_min=140), benches=(Bench("b1", closed=((50, 70), (110, 130))),)),
            "No bench can take job T1: it takes 60 min on b1, which is open for 50 min at a time "
            "from minute 0 to 140. Change the job or the lab",
            id="a bench that is never open for so long in time",
        ),
        pytest.param(
            lab(Job("T1", (MODE,)), benches=(Bench("b1", closed=((0, FAR_MIN),)),)),
            "T1: it takes 60 min on b1, which is open for 0 min at a time from minute 0 to",
            id="a bench that is closed for good",
        ),
        pytest.param(
            lab(demanding(Demand("operator")), resources=(Resource("operator", open=()),)),
            "T1.*the longest window of operator is 0 min",
            id="nobody is ever there",
        ),
        pytest.param(
            lab(Job("T1", (MODE, Mode("b2", 90)), release_min=100, deadline_min=120)),
            "No bench can take job T1: it takes 60 min on b1 and may begin at minute 100, its deadline is minute 120; "
            "it takes 90 min on b2",
            id="a deadline before the end, whatever the bench",
        ),
        pytest.param(
            lab(
                Job("T1", (MODE,), after=(Precedence("T3"),)),
                Job("T2", (MODE,), after=(Precedence("T1"),)),
                Job("T3", (MODE,), after=(Precedence("T2"),)),
            ),
            "Jobs wait for each other: T1 after T3 after T2 after T1. Take out one of these precedences of T1",
            id="a cycle in the precedences",
        ),
        pytest.param(
            lab(Job("T1", (MODE,), after=(Precedence("T1"),))), "T1 after T1", id="a job that waits for itself"
        ),
        pytest.param(
            lab(Job("T1", (MODE,), after=(Precedence("T9"),))),
            "Job T1 comes after 'T9', which is not described: add it",
            id="an unknown earlier job",
        ),
        pytest.param(
            lab(Job("T1", (MODE,)), Job("T2", (MODE,), after=(Precedence("T1", 30, 10),))),
            "Job T2 comes 30 min to 10 min after T1: give a least lag of 0 or more and a most lag that is no less",
            id="lags that exclude each other",
        ),
        pytest.param(
            lab(Job("T1", (MODE,)), Job("T2", (MODE,), after=(Precedence("T1", -1),))),
            "Job T2 comes -1 min to any time after T1",
            id="a negative lag",
        ),
        *(
            pytest.param(
                lab(Job("T1", (MODE,), **{name: -5})),
                f"Job T1 has {name} -5: that is before the plan begins; give 0 to {FAR_MIN}",
                id=f"a past {name}",
            )
            for name in ("release_min", "due_min", "deadline_min", "preferred_min", "planned_min")
        ),
        pytest.param(
            lab(Job("T1", (MODE,), wait_min=-1)), "Job T1 has wait_min -1: that is no time", id="a negative wait"
        ),
        pytest.param(lab(Job("T1", (MODE,), due_min=FAR_MIN + 1)), "Job T1 has due_min", id="a date too far away"),
        pytest.param(lab(Job("T1", (MODE,), priority=-1)), "Job T1 has priority -1: give 0 to", id="priority"),
        pytest.param(lab(Job("T1", (Mode("b1", -60),))), "Job T1 takes -60 min on b1: give 1 to", id="duration"),
        pytest.param(lab(Job("T1", (Mode("b1", 0),))), "Job T1 takes 0 min on b1", id="no duration"),
        pytest.param(lab(Job("T1", (Mode("", FAR_MIN + 1),))), "Job T1 takes 5270401 min: give", id="too long"),
        pytest.param(lab(Job("T1", (Mode("b1", 1, -2),))), "Job T1 is set up for -2 min on b1", id="set-up"),
        pytest.param(lab(Job("T1", (Mode("b1", 1, 0, -2),))), "Job T1 is torn down for -2 min on b1", id="teardown"),
        pytest.param(lab(Job("T1", (Mode("b1", 1, cost=-2),))), "Job T1 costs -2 on b1: give 0 to", id="cost"),
        pytest.param(
            lab(Job("T1", (Mode("b9", 1),))), "Job T1 may be done on bench 'b9', which is not described", id="bench"
        ),
        pytest.param(
            lab(demanding(Demand("crane"))), "Job T1 demands 'crane', which is not described: add it", id="resource"
        ),
        pytest.param(
            lab(demanding(Demand("operator", -1))), "Job T1 demands -1 of operator during setup, test", id="amount"
        ),
        pytest.param(
            lab(demanding(Demand("operator", 1, ("lunch",)))),
            "Job T1 demands 1 of operator during lunch: give 0 or more during some of setup, test, teardown",
            id="phase",
        ),
        pytest.param(
            lab(Job("T1", (MODE,)), Job("T2", (MODE,)), Job("T1", (MODE,))),
            "Job T1 is given more than once: keep one of each name",
            id="a job twice",
        ),
        pytest.param(lab(benches=(*BENCHES, BENCHES[0])), "Bench b1 is given more than once", id="a bench twice"),
        pytest.param(lab(resources=(DAYS, DAYS)), "Resource operator is given more than once", id="a resource twice"),
        pytest.param(
            lab(benches=(Bench("b1", closed=((9, 5),)),)),
            "Bench b1 is closed from 9 to 5: give an end after the start",
            id="a closure that ends before it begins",
        ),
        pytest.param(
            lab(benches=(Bench("b1", changeovers="hot"),), changeovers={"cold": {}}),
            "Bench b1 has changeovers 'hot': the tables are cold",
            id="an unknown table",
        ),
        pytest.param(
            lab(benches=(Bench("b1", changeovers="t"),), changeovers={"t": {("a", "b"): -3}}),
            "The changeover from 'a' to 'b' takes -3 min: give 0 or more",
            id="a negative changeover",
        ),
        pytest.param(
            lab(benches=(Bench("b1", changeovers="t"),), changeovers={"t": {("", "b"): 3}}),
            "Table t has a changeover from '' to 'b': name both",
            id="a changeover from no family",
        ),
        pytest.param(
            lab(resources=(Resource("power", -4),)), "Resource power has capacity -4: give 0 to", id="capacity"
        ),
        pytest.param(
            lab(resources=(Resource("power", open=((5, 5),)),)), "Resource power has a window from 5 to 5", id="window"
        ),
        pytest.param(
            lab(resources=(Resource("power", closed=((7, 5, 1),)),)),
            "Resource power has a window from 7 to 5",
            id="missing for no time",
        ),
        pytest.param(
            lab(resources=(Resource("power", open=((0, 10), (10, 20))),)),
            "Resource power is open until 10 and again from 10: give windows in order and apart",
            id="windows that touch",
        ),
        pytest.param(
            lab(resources=(Resource("power", closed=((5, 7, -1),)),)),
            "Of resource power, -1 are missing from 5 to 7: give 0 to",
            id="more than there is",
        ),
        pytest.param(
            lab(Job("T1", (MODE,), locked=("b2", 0))),
            "Job T1 is locked on bench 'b2', where it has no mode: add one",
            id="locked where it cannot be done",
        ),
        pytest.param(
            lab(Job("T1", (MODE,), locked=("b1", 0)), Job("T2", (MODE,), locked=("b1", 59))),
            "Jobs T1 and T2 are both locked on bench b1 at minute 59: move one of them",
            id="two locked in one place",
        ),
        pytest.param(
            lab(objective=({"beauty": 1},)),
            "The objective weighs 'beauty' with 1: give 0 to 1000000000 to some of makespan, tardiness",
            id="an unknown criterion",
        ),
        pytest.param(lab(objective=({"makespan": -1},)), "The objective weighs 'makespan' with -1", id="weight"),
        pytest.param(
            lab(objective=({"makespan": 1}, {"cost": 1, "makespan": 2})),
            "Criterion makespan is given more than once",
            id="a criterion in two tiers",
        ),
    ],
)
def test_a_contradiction_is_refused_with_the_name_and_the_reason(problem, message):
    with pytest.raises(InfeasibleError, match=message):
        solve(problem)


@settings(max_examples=12)
@given(labs(), st.data())
def test_a_test_that_cannot_end_in_time_is_named_wherever_it_is(problem, data):
    assume(passes(problem))
    hurried = data.draw(st.sampled_from(problem.jobs))
    jobs = tuple(replace(job, release_min=5, deadline_min=5) if job is hurried else job for job in problem.jobs)

    with pytest.raises(InfeasibleError, match=f"No bench can take job {hurried.name}: .* deadline is minute 5"):
        check(replace(problem, jobs=jobs))


def passes(problem):
    """A drawn job may demand more than there is."""
    try:
        check(problem)
    except InfeasibleError:
        return False
    return True


@pytest.mark.parametrize(
    "problem",
    [
        pytest.param(lab(demanding(Demand("operator", 3, ("setup",)))), id="no set-up needs nobody"),
        pytest.param(lab(demanding(Demand("operator", 0), duration_min=900)), id="none of it at any time"),
        pytest.param(lab(Job("T1", (Mode("b1", 9999, demands=(Demand("operator"),)), MODE))), id="one mode is enough"),
        pytest.param(lab(Job("T1", (MODE,), locked=("b1", -30))), id="what began before the plan"),
        pytest.param(
            lab(Job("T1", (MODE,), locked=("b1", -30)), benches=(Bench("b1", closed=((0, FAR_MIN),)),)),
            id="what runs on a bench that has been closed",
        ),
        pytest.param(
            lab(
                Job("T1", (MODE,), release_min=70, deadline_min=130),
                benches=(Bench("b1", closed=((50, 70), (130, 140))),),
            ),
            id="just long enough",
        ),
        pytest.param(lab(objective=()), id="no wishes"),
    ],
)
def test_what_can_be_planned_is_not_refused(problem):
    assert len(solve(problem).intervals) == len(problem.jobs)


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        pytest.param(lab(Job("T1", (MODE,), priority=10**30)), "Job T1 has priority 1000", id="priority"),
        pytest.param(lab(Job("T1", (Mode("b1", 5, cost=10**25),))), "Job T1 costs 1000", id="cost"),
        pytest.param(lab(resources=(Resource("op", 10**25),)), "Resource op has capacity 1000", id="capacity"),
        pytest.param(lab(objective=({"makespan": 10**30},)), "weighs 'makespan' with 1000", id="weight"),
        pytest.param(
            lab(Job("T1", (MODE,), priority=10**8), objective=({"tardiness": 10**8},)),
            "too much to be counted",
            id="weight times priority",
        ),
        pytest.param(
            lab(Job("T1", (MODE,)), Job("T2", (MODE,), after=(Precedence("T1", 10**12),))),
            "Job T2 has a lag of 1000000000000 min after T1",
            id="lag",
        ),
        pytest.param(lab(benches=(Bench("b1", closed=((0, 10**12),)),)), "Bench b1 is closed from 0 to", id="closure"),
        pytest.param(
            lab(changeovers={"unused": {("hot", "cold"): -1}}), "from 'hot' to 'cold' takes -1", id="an unused table"
        ),
    ],
)
def test_a_number_that_cannot_be_counted_with_is_refused(problem, message):
    with pytest.raises(InfeasibleError, match=message):
        check(problem)
