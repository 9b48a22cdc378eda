"""A plan is told with its figures, what each test takes, what is late and why, in minutes and in moments."""

import json

from twinbench.core.planning.document import problem_from_document
from twinbench.core.planning.plan_document import plan_document
from twinbench.core.planning.solve import solve

MODE = {"bench": "b1", "duration_min": 30}


def planned(lab, **limits):
    problem = problem_from_document(lab)
    return plan_document(problem, solve(problem, **limits), lab=lab)


def test_the_plan_document_has_figures_intervals_and_what_is_late_with_its_reason():
    needs = [{"resource": "operator", "amount": 2, "during": ["setup"]}]
    jobs = [
        {"name": "first", "modes": [{**MODE, "setup_min": 5, "demands": needs, "reason": "nothing else can"}]},
        {"name": "second", "modes": [MODE], "after": ["first"], "due_min": 40},
    ]

    document = planned({"jobs": jobs, "resources": [{"name": "operator", "capacity": 2}]}, seed=4)

    assert document["status"] == "optimal"
    assert [tier["criteria"] for tier in document["objectives"]] == ["tardiness", "makespan"]
    assert document["intervals"][0] == {
        **{"job": "first", "bench": "b1", "mode": 0},
        **{"begin_min": 0, "start_min": 5, "end_min": 35, "teardown_min": 35, "free_min": 35},
        **{"resources": {"operator": 2}, "reason": "nothing else can"},
    }
    assert document["late"] == [
        {
            "job": "second",
            "late_min": 25,
            "because": ["second: it comes after first, until minute 35", "first: it may not begin before minute 0"],
        }
    ]
    assert json.loads(json.dumps(document)) == document


def test_if_the_lab_has_an_origin_times_are_moments_of_its_time_zone_too_across_a_change_of_clocks():
    job = {"name": "a", "modes": [{**MODE, "duration_min": 600}], "release_min": 60, "due_min": 600}

    document = planned({"jobs": [job], "origin": "2026-10-24T20:00:00Z", "timezone": "Europe/Berlin"})

    assert document["origin"] == "2026-10-24T22:00:00+02:00"
    assert document["intervals"][0]["begin"] == "2026-10-24T23:00:00+02:00"
    assert document["intervals"][0]["free"] == "2026-10-25T08:00:00+01:00"
    assert document["late"][0]["because"] == [
        "a: it begins as soon as it may, but takes until minute 660 (Sun 2026-10-25 08:00)"
    ]


def test_what_two_demands_take_of_a_resource_is_told_as_the_most():
    demands = [
        {"resource": "operator", "amount": 2, "during": ["setup"]},
        {"resource": "operator", "amount": 1, "during": ["teardown"]},
    ]
    job = {"name": "a", "modes": [{**MODE, "setup_min": 5, "teardown_min": 5, "demands": demands}]}

    document = planned({"jobs": [job], "resources": [{"name": "operator", "capacity": 2}]})

    assert document["intervals"][0]["resources"] == {"operator": 2}


def test_a_bench_that_may_be_misspelt_is_noted_if_others_are_described():
    jobs = [{"name": "a", "modes": [{**MODE, "bench": "cycler1"}]}]

    assert planned({"jobs": jobs, "benches": [{"name": "cycler-1"}]})["notes"] == [
        "Bench 'cycler1' is not described, so it is taken to be there all the time: did you mean 'cycler-1'?"
    ]
    assert planned({"jobs": jobs})["notes"] == []
