"""The lab's rule for virtual or physical: the first line that fits says how true, then what costs least."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.bench_choice import BenchChoice
from twinbench.core.errors import ConfigurationError
from twinbench.stack.site import PROJECT

RULE = json.loads((PROJECT / "include" / "catalogue" / "bench_choice.json").read_text())


@pytest.fixture
def rule():
    return BenchChoice.from_document(RULE)


def test_a_simulation_is_true_enough_for_a_capacity(rule, catalogue):
    test = catalogue.test("IEC62660", "Performance - Capacity")

    assert rule.true_enough("virtual", test) == ""
    assert rule.true_enough("physical", test) == ""


def test_a_verdict_on_safety_needs_a_real_unit(rule, catalogue):
    tests = [test for test in catalogue.tests if test.category == "safety-electrical" and test.virtual_capable]

    assert tests
    assert all("verdict on safety" in rule.true_enough("virtual", test) for test in tests)


def test_what_no_simulation_can_do_is_physical_whatever_it_is(rule, catalogue):
    tests = [test for test in catalogue.tests if not test.virtual_capable]

    assert tests
    assert {rule.true_enough("virtual", test) for test in tests} == {"no simulation can carry out this test"}


def test_a_profile_of_ones_own_is_judged_by_the_lines_for_every_test(rule):
    assert rule.true_enough("virtual", None) == ""


def test_without_a_line_that_fits_nothing_is_asked_for():
    rule = BenchChoice.from_document({**RULE, "required": []})

    assert rule.needed(None) == (0.0, "no rule asks for more")


@given(minutes=st.integers(1, 10**6), more=st.integers(1, 10**4))
def test_longer_never_costs_less(minutes, more):
    rule = BenchChoice.from_document(RULE)

    for kind in ("virtual", "physical"):
        assert rule.cost(kind, minutes) <= rule.cost(kind, minutes + more)


@pytest.mark.parametrize(
    ("kind", "costs", "excluded", "asked", "words"),
    [
        ("virtual", {"virtual": 100}, {}, "Virtual", "virtual, as asked for"),
        ("physical", {"physical": 4000}, {"virtual": "it lies"}, "Any", "physical, since it lies"),
        ("virtual", {"virtual": 100, "physical": 4000}, {}, "Any", "costs 1.00 instead of 40.00"),
        ("physical", {"virtual": 100, "physical": 4000}, {}, "Any", "ends earlier, though it costs 40.00"),
    ],
)
def test_the_reason_is_told(rule, kind, costs, excluded, asked, words):
    assert words in rule.reason(kind, costs, excluded, asked=asked)


@pytest.mark.parametrize(
    "damage",
    [
        lambda rule: rule.pop("fidelity"),
        lambda rule: rule["fidelity"].pop("virtual"),
        lambda rule: rule["cost_per_h"].update(physical="dear"),
        lambda rule: rule.update(required=[{"fidelity": 1}]),
        lambda rule: rule.update(cost_of_a_day=None),
    ],
)
def test_a_rule_that_does_not_say_everything_is_refused(damage):
    rule = json.loads(json.dumps(RULE))
    damage(rule)

    with pytest.raises(ConfigurationError, match=r"bench_choice\.json"):
        BenchChoice.from_document(rule)


def test_a_person_has_to_agree_to_abuse_and_to_nothing_else(rule, catalogue):
    asked = {test.category for test in catalogue.tests if rule.needs_approval(test)}

    assert {"safety-electrical", "safety-thermal", "safety-mechanical", "safety-fire"} < asked
    assert "performance" not in asked
    assert "ageing" not in asked


def test_an_approval_may_be_asked_for_by_standard_and_says_why(catalogue):
    line = {"standards": ["UN38.3"], "reason": "the lab wants to know"}
    rule = BenchChoice.from_document({**RULE, "approval": [line]})

    assert rule.needs_approval(catalogue.test("UN38.3", "Mechanical - Vibration")) == "the lab wants to know"
    assert rule.needs_approval(catalogue.test("IEC62660", "Performance - Power")) == ""
    with pytest.raises(ConfigurationError, match="approval"):
        BenchChoice.from_document({**RULE, "approval": [{"standards": ["UN38.3"]}]})
