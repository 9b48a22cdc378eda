"""The document of a lab is read as it is, or refused naming who is at fault; its plan is a document again."""

import pytest

from twinbench.core.errors import PlanError
from twinbench.core.planning.document import (
    demands_from_document,
    problem_from_document,
    resources_from_document,
)
from twinbench.core.planning.problem import Bench, Demand, Job, Mode, Precedence, Problem, Resource

ORIGIN = "2026-12-01T08:00:00+01:00"
MODE = {"bench": "b1", "duration_min": 30}
JOB = {"name": "a", "modes": [MODE]}
HOURS = {"days": ["Mon", "Tue"], "from": "08:00", "to": "18:00"}


def lab(job=(), **rest):
    """A lab with one job, and what it has besides."""
    return {"jobs": [{**JOB, **dict(job)}], **rest}


def read(job=(), **rest):
    return problem_from_document(lab(job, **rest))


# ---- what is read ----


def test_a_lab_may_have_jobs_alone():
    problem = problem_from_document({"jobs": [JOB, {**JOB, "name": "b", "release_min": 60}]})

    assert problem == Problem(
        (Job("a", (Mode("b1", 30),)), Job("b", (Mode("b1", 30),), release_min=60)), (Bench("b1"),)
    )


def test_a_job_has_all_that_is_said_of_it():
    said = {
        "modes": [
            {
                **MODE,
                "setup_min": 5,
                "teardown_min": 6,
                "demands": [{"resource": "power", "amount": 3, "during": ["test"]}],
                "cost": 7,
                "reason": "a real unit is asked for",
            }
        ],
        **{f"{name}_min": 100 for name in ("release", "due", "deadline", "preferred", "planned", "wait")},
        **{"priority": 2, "unit": "cell", "project": "P", "family": "hot"},
        "after": ["b", {"job": "c", "min_lag_min": 5, "max_lag_min": 9}],
        "locked": {"bench": "b1", "begin_min": -5},
    }

    (job,) = read(said).jobs

    assert job == Job(
        "a",
        (Mode("b1", 30, 5, 6, (Demand("power", 3, ("test",)),), 7, "a real unit is asked for"),),
        *(100, 100, 100, 100, 100, 2, "cell", "P", "hot", 100),
        after=(Precedence("b"), Precedence("c", 5, 9)),
        locked=("b1", -5),
    )


def test_set_up_and_teardown_are_those_of_the_bench_unless_the_mode_says_otherwise():
    bench = {"name": "b1", "setup_min": 20, "teardown_min": 10}

    (job,) = read({"modes": [MODE, {**MODE, "setup_min": 0}]}, benches=[bench]).jobs

    assert [(mode.setup_min, mode.teardown_min) for mode in job.modes] == [(20, 10), (0, 10)]


def test_benches_and_changeovers_are_read_and_other_benches_are_there_all_the_time():
    closed = [{"start_min": 5, "end_min": 9}, {"start_min": -3, "end_min": 4}]
    bench = {"name": "b2", "kind": "virtual", "closed": closed, "family": "hot", "changeovers": "t"}

    problem = read(benches=[bench], changeovers={"t": [{"from": "hot", "to": "cold", "min": 5}]})

    assert problem.benches == (Bench("b2", "virtual", ((5, 9), (-3, 4)), "hot", "t"), Bench("b1"))
    assert problem.changeovers == {"t": {("hot", "cold"): 5}}


def test_moments_are_minutes_after_the_origin():
    moments = {name: "2026-12-01T08:30:00Z" for name in ("release", "due", "deadline", "preferred", "planned")}
    lock = {"bench": "b1", "begin": "2026-12-01T07:50:00+01:00"}
    closed = [{"start": "2026-12-01T09:00:00+01:00", "end_min": 90}]

    problem = read({**moments, "locked": lock}, origin=ORIGIN, benches=[{"name": "b1", "closed": closed}])

    job = problem.jobs[0]
    assert {job.release_min, job.due_min, job.deadline_min, job.preferred_min, job.planned_min} == {90}
    assert job.locked == ("b1", -10)
    assert problem.benches[0].closed == ((60, 90),)


def test_what_is_null_is_left_out():
    dates = {f"{name}_min": None for name in ("release", "due", "deadline", "preferred", "planned")}

    assert read({**dates, "locked": None, "after": [{"job": "b", "max_lag_min": None}]}) == read({"after": ["b"]})


def test_hours_are_windows_in_the_labs_time_zone_without_its_holidays_and_ones_own():
    document = {
        "origin": "2026-12-21T00:00:00+01:00",
        "timezone": "Europe/Berlin",
        "holidays": ["2026-12-22"],
        "calendar_days": 8,
        "resources": [
            {"name": "operator", "capacity": 2, "hours": [HOURS]},
            {"name": "Ada", "person": True, "hours": [HOURS], "holidays": ["2026-12-28"]},
        ],
    }

    operator, ada = resources_from_document(document)

    day = 24 * 60
    assert operator == Resource("operator", 2, open=tuple((d * day + 480, d * day + 1080) for d in (0, 7, 8)))
    assert ada == Resource("Ada", 1, True, open=tuple((d * day + 480, d * day + 1080) for d in (0, 8)))


def test_open_windows_may_be_in_any_order_and_touch():
    window = {"start_min": 50, "end_min": 60}
    others = [{"start_min": 20, "end_min": 30}, {"start_min": 10, "end_min": 20}]

    (resource,) = read(resources=[{"name": "r", "open": [window, *others]}]).resources

    assert resource.open == ((10, 30), (50, 60))


def test_what_is_closed_is_all_missing_unless_it_is_said_how_much():
    closed = [{"start_min": 0, "end_min": 5}, {"start_min": 7, "end_min": 9, "missing": 1}]

    (resource,) = read(resources=[{"name": "r", "capacity": 4, "closed": closed}]).resources

    assert resource == Resource("r", 4, closed=((0, 5, 4), (7, 9, 1)))


def test_demands_can_be_read_alone():
    assert demands_from_document(
        [{"resource": "r"}, {"resource": "s", "amount": 2, "during": ["setup"]}], "A bench"
    ) == (
        Demand("r"),
        Demand("s", 2, ("setup",)),
    )


@pytest.mark.parametrize(
    ("job", "objective"),
    [
        ({}, ["makespan"]),
        ({"due_min": 90}, ["tardiness", "makespan"]),
        ({"preferred_min": 90, "planned_min": 80}, ["moved", "preferred", "makespan"]),
        ({"modes": [{**MODE, "cost": 4}]}, ["cost", "makespan"]),
    ],
)
def test_without_an_objective_a_lab_wants_what_its_jobs_have(job, objective):
    assert read(job).objective == tuple({name: 1} for name in objective)


def test_different_families_make_changeovers_matter():
    jobs = [{**JOB, "family": "hot"}, {**JOB, "name": "b", "family": "cold"}]

    assert problem_from_document({"jobs": jobs}).objective == ({"makespan": 1}, {"changeovers": 1})


def test_an_objective_is_taken_as_it_is():
    assert read(objective=[{"cost": 2, "makespan": 1}, {"start": 1}]).objective == (
        {"cost": 2, "makespan": 1},
        {"start": 1},
    )


def test_a_whole_number_may_be_written_with_a_point_as_the_schema_has_it():
    assert read({"release_min": 60.0}) == read({"release_min": 60})


# ---- what is refused ----


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "The lab has jobs None: give a list"),
        ([], "The lab has jobs None: give a list"),
        ({"jobs": [3]}, "Job 1 has name None: give a name"),
        ({"jobs": [{"name": ""}]}, "Job 1 has name '': give a name"),
        ({"jobs": [{"name": "half a character: \ud800"}]}, "Job 1 has name 'half .*: give a name"),
        (lab({"unit": "\udfff"}), "Job a has unit '.*: give a text"),
        ({"jobs": [{"name": "a"}]}, "Job a has modes None: give a list"),
        (lab({"modes": [{}]}), "A mode of job a has bench None: give a name"),
        (lab({"modes": [{"bench": "b1"}]}), "Job a has duration_min None: give whole minutes"),
        (lab({"release_min": 1.5}), "Job a has release_min 1.5: give whole minutes"),
        (lab({"release_min": True}), "Job a has release_min True"),
        (lab({"priority": "high"}), "Job a has priority 'high': give a whole number"),
        (lab({"unit": 7}), "Job a has unit 7: give a text"),
        (lab({"after": "b"}), "Job a has after 'b': give a list"),
        (lab({"after": [7]}), "Job a, after, has job None: give a name"),
        (lab({"locked": "b1"}), "Job a, locked, has bench None: give a name"),
        (lab({"locked": {"bench": "b1"}}), "Job a is locked without begin_min: give the minute at which it begins"),
        (lab({"modes": [{**MODE, "demands": [{"amount": 1}]}]}), "A demand of job a has resource None: give a name"),
        (
            lab({"modes": [{**MODE, "demands": [{"resource": "r", "during": ["lunch"]}]}]}),
            r"Job a demands r during \['lunch'\]: give some of setup, test, teardown",
        ),
        (
            lab({"modes": [{**MODE, "demands": [{"resource": "r", "during": [["test"]]}]}]}),
            r"Job a demands r during \[\['test'\]\]",
        ),
        (lab(benches=[{"name": "b1", "setup_min": "long"}]), "Bench b1 has setup_min 'long': give whole minutes"),
        (lab(benches=[{"name": "b1", "kind": "robot"}]), "Bench b1 has kind 'robot': give physical or virtual"),
        (lab(benches=[{"name": "b1", "closed": [7]}]), "Bench b1 is closed 7: give {start_min, end_min}"),
        (
            lab(benches=[{"name": "b1", "closed": [{"start_min": 7}]}]),
            "Bench b1 is closed without start_min or end_min: give both",
        ),
        (
            lab(benches=[{"name": "b1", "closed": [{"start_min": 7, "end_min": 7}]}]),
            "Bench b1 is closed from minute 7 to 7: give an end after the start",
        ),
        (lab(resources=[{"name": "r", "person": 1}]), "Resource r has person 1: give true or false"),
        (lab(resources=[{"name": "r", "hours": [HOURS]}]), "Resource r has hours, but the lab has no origin: add one"),
        (
            lab(resources=[{"name": "r", "hours": [HOURS], "open": []}]),
            "Resource r has open and hours: give one of them",
        ),
        (
            lab(resources=[{"name": "r", "hours": [{"days": ["Mon"]}]}], origin=ORIGIN),
            r"Resource r has hours {'days': \['Mon'\]}: give {'days'",
        ),
        (
            lab(resources=[{"name": "r", "hours": [{**HOURS, "to": "18:00+01:00"}]}], origin=ORIGIN),
            "Resource r has hours .*18:00.01:00",
        ),
        (
            lab(resources=[{"name": "r", "hours": [HOURS], "holidays": ["Easter"]}], origin=ORIGIN),
            "Resource r has holiday 'Easter': give a day such as 2026-12-25",
        ),
        (
            lab(resources=[{"name": "r", "hours": [HOURS]}], origin=ORIGIN, calendar_days=0),
            "The lab has calendar_days 0: give 1 to",
        ),
        (lab({"due": ORIGIN}), "Job a has due '2026-12-01T08:00:00.01:00', but the lab has no origin: add one"),
        (lab({"due": ORIGIN, "due_min": 5}, origin=ORIGIN), "Job a has due and due_min: give one of them"),
        (lab({"due": "soon"}, origin=ORIGIN), "Job a: due 'soon' is no moment: give one such as 2026-12-01T08:00:00Z"),
        (lab({"due": "2026-12-01T08:00:00"}, origin=ORIGIN), "Job a: due .* has no time zone"),
        (lab(origin=5), "The lab's origin 5 is no moment"),
        (lab(origin="0001-01-01T00:00:00+14:00"), "The lab's origin '0001-.*' is no moment"),
        (lab(origin="0001-01-01T00:00:00Z"), "The lab's origin is in the year 1: give one from 1900 to 9000"),
        (lab(origin="9999-12-31T00:00:00Z"), "The lab's origin is in the year 9999: give one from 1900 to 9000"),
        (lab({"release_min": float("nan")}), "Job a has release_min nan: give whole minutes"),
        (lab({"release_min": float("inf")}), "Job a has release_min inf: give whole minutes"),
        (lab(timezone="Europe/Atlantis"), "The lab has timezone 'Europe/Atlantis': give a name such as Europe/Berlin"),
        (lab(timezone=7), "The lab has timezone 7"),
        (lab(changeovers=[]), r"The lab has changeovers \[\]: give"),
        (lab(changeovers={"t": [5]}), "Table t has a line 5: give {from, to, min}"),
        (lab(changeovers={"t": [{"from": "a", "min": 3}]}), "Table t has to None: give a name"),
        (lab(objective="makespan"), "The lab has objective 'makespan': give a list of tiers"),
        (lab(objective=[{"makespan": "much"}]), "The objective has makespan 'much': give a whole number"),
    ],
)
def test_what_is_wrong_is_named(document, message):
    with pytest.raises(PlanError, match=message):
        problem_from_document(document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (lab(job=JOB) | {"job": []}, "The lab has 'job', which is no field of it: did you mean 'jobs'?"),
        (lab({"deu_min": 5}), "Job a has 'deu_min', which is no field of it: did you mean 'due_min'?"),
        (lab({"priorty": 5}), "Job a has 'priorty', which is no field of it: did you mean 'priority'?"),
        (lab({"modes": [{**MODE, "duration": 5}]}), "Job a on b1 has 'duration', .* did you mean 'duration_min'?"),
        (
            lab({"modes": [{**MODE, "demands": [{"resource": "r", "amonut": 1}]}]}),
            "Job a, r, has 'amonut', which is no field of it: did you mean 'amount'?",
        ),
        (lab({"after": [{"job": "b", "min_lag": 1}]}), "Job a, after b, has 'min_lag', .* did you mean 'min_lag_min'?"),
        (lab({"locked": {"bench": "b1", "start_min": 1}}), "Job a, locked, has 'start_min', which is no field of it"),
        (lab(benches=[{"name": "b1", "famly": "hot"}]), "Bench b1 has 'famly', .* did you mean 'family'?"),
        (
            lab(benches=[{"name": "b1", "closed": [{"start_min": 1, "end_min": 5, "missing": 1}]}]),
            "Bench b1, closed, has 'missing', which is no field of it",
        ),
        (lab(resources=[{"name": "r", "capcity": 1}]), "Resource r has 'capcity', .* did you mean 'capacity'?"),
        (
            lab(resources=[{"name": "r", "hours": [{**HOURS, "day": []}]}], origin=ORIGIN),
            "Resource r, hours, has 'day', .* did you mean 'days'?",
        ),
        (
            lab(changeovers={"t": [{"from": "a", "to": "b", "min": 1, "max": 2}]}),
            "Table t has 'max', which is no field of it",
        ),
    ],
)
def test_a_misspelt_field_is_named_with_what_was_probably_meant(document, message):
    with pytest.raises(PlanError, match=message):
        problem_from_document(document)
