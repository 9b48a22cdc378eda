"""The plan of a request uses the benches that were asked for and able, not before the preferred date."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.fakes import NOON, REQUEST_UUID
from twinbench.core.errors import InfeasibleError
from twinbench.workflow.planning import physical_assignments, plan_benches, virtual_assignments


def test_virtual_benches_share_the_runs(fake, planned):
    planned(runs=6)

    virtual = virtual_assignments(fake.lab, REQUEST_UUID)

    assert sorted(run for assignment in virtual for run in assignment["runs"]) == [1, 2, 3, 4, 5, 6]
    assert {assignment["bench"] for assignment in virtual} == {"virtual-1", "virtual-2"}
    assert physical_assignments(fake.lab, REQUEST_UUID) == []


def test_a_physical_request_goes_to_a_physical_bench(fake, planned):
    planned(test_bench="Physical", runs=2)

    (assignment,) = physical_assignments(fake.lab, REQUEST_UUID)

    assert (assignment["bench"], assignment["runs"]) == ("cycler-1", [1, 2])
    assert virtual_assignments(fake.lab, REQUEST_UUID) == []


def test_what_may_start_now_starts_now(fake, planned):
    area = planned()

    starts = [
        datetime.fromisoformat(part["start"]) for part in area.read_json("schedule-output/plan.json")["assignments"]
    ]

    assert min(starts) == NOON


def test_a_date_that_is_just_past_does_not_wait_for_the_next_minute(fake, planned):
    object.__setattr__(fake.lab, "now", lambda: NOON + timedelta(seconds=40))

    area = planned(preferred_date="2026-11-20T12:00:20Z")

    starts = [part["start"] for part in area.read_json("schedule-output/plan.json")["assignments"]]
    assert min(starts) == NOON.isoformat()


def test_a_bench_that_came_back_within_this_minute_is_used_from_the_next_one(fake, planned):
    """Plans begin with the minute that runs, part of which the bench was away."""
    for bench in ("virtual-1", "virtual-2"):
        fake.bookings.close(bench, NOON - timedelta(hours=1), None, reason="no licence", by="Ada", at=NOON)
        fake.bookings.reopen(bench, at=NOON + timedelta(seconds=10))
    object.__setattr__(fake.lab, "now", lambda: NOON + timedelta(seconds=40))

    area = planned()

    starts = [part["start"] for part in area.read_json("schedule-output/plan.json")["assignments"]]
    assert min(starts) == (NOON + timedelta(minutes=1)).isoformat()


def test_nothing_starts_before_the_preferred_date(fake, planned):
    area = planned(preferred_date="2026-11-21T08:30:00+00:00")

    starts = [part["start"] for part in area.read_json("schedule-output/plan.json")["assignments"]]

    assert min(starts) == "2026-11-21T08:30:00+00:00"


def test_planning_again_gives_the_same_plan(fake, planned):
    planned()
    before = virtual_assignments(fake.lab, REQUEST_UUID)

    plan_benches(fake.lab, REQUEST_UUID)

    assert virtual_assignments(fake.lab, REQUEST_UUID) == before


def test_a_run_that_no_bench_can_take_is_refused_with_each_bench_s_reason(fake, planned):
    huge = {"Name": "current", "type": "input", "unit": "A", "values": [[0, -100.0], [60, -100.0]]}
    huge["values"] = [{"timestamp": time, "value": str(current)} for time, current in huge["values"]]

    with pytest.raises(InfeasibleError, match=r"run 1 \(cycler-1: current -100 to -100 A is outside -30 to 30 A\)"):
        planned(test_bench="Physical", custom_profile=huge)


def test_any_bench_means_the_one_that_costs_least(fake, planned):
    area = planned(test_bench="Any", runs=2)

    parts = area.read_json("schedule-output/plan.json")["assignments"]
    assert {part["kind"] for part in parts} == {"virtual"}
    assert all("true enough and costs" in part["reason"] for part in parts)


def test_any_bench_means_a_real_one_if_waiting_for_a_model_is_dearer(fake, planned):
    for bench in ("virtual-1", "virtual-2"):
        back = NOON + timedelta(days=300)
        fake.bookings.close(bench, NOON, back, reason="no licence", by="Ada", at=NOON)

    area = planned(test_bench="Any", runs=2)

    parts = area.read_json("schedule-output/plan.json")["assignments"]
    assert {part["bench"] for part in parts} == {"cycler-1"}
    assert all("ends earlier, though it costs" in part["reason"] for part in parts)


def test_the_cost_that_is_told_is_the_one_that_was_planned_with(fake, planned):
    """Set-up and teardown cost as much as the test."""
    cycler = replace(fake.lab.catalogue.bench("cycler-1"), setup_min=60, teardown_min=60, demands=())
    virtual = [bench for bench in fake.lab.catalogue.benches if bench.kind == "virtual"]
    object.__setattr__(fake.lab, "catalogue", replace(fake.lab.catalogue, benches=(*virtual, cycler)))

    area = planned(test_bench="Any", runs=1)

    (part,) = area.read_json("schedule-output/plan.json")["assignments"]
    test_min = fake.lab.catalogue.choice.cost("physical", 120)
    told = float(part["reason"].split("instead of ")[1])
    assert told > test_min / 100
