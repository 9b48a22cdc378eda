"""A requester's own profile becomes the steps it describes, or is refused with the value at fault."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.battery.custom_profile import fullest_start_pct, profile_steps
from twinbench.core.battery.procedure import Step
from twinbench.core.errors import RequestError


def profile(*samples, unit="A") -> dict:
    values = [{"timestamp": timestamp, "value": value} for timestamp, value in samples]
    return {"Name": "current", "type": "input", "unit": unit, "values": values}


def test_values_are_held_until_the_next_timestamp_and_may_be_text_in_milliamperes():
    steps = profile_steps(profile((0, "1000.0"), (10, "-500"), (15, "0"), unit="mA"))

    assert steps == (Step(1.0, 10.0), Step(-0.5, 5.0))


def test_the_battery_rests_before_the_first_timestamp():
    assert profile_steps(profile((5, 2.0), (6, 0.0))) == (Step(0.0, 5.0), Step(2.0, 1.0))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (profile((0, 1), (1, 1), unit="V"), "custom profile is in 'V': give a current in A or mA"),
        (profile((0, 1)), "needs a list of two values or more"),
        ({"unit": "A"}, "needs a list of two values or more"),
        (profile((0, "fast"), (1, 1)), "Value 1 of the custom profile is .*'fast'"),
        (profile((0, 1), (1, "nan")), "Value 2 of the custom profile"),
        (profile((0, 1), (1, 10**400)), "Value 2 of the custom profile"),
        ({"unit": "A", "values": [1, 2]}, "Value 1 of the custom profile is 1"),
        (profile((0, 1), (0, 1)), "goes from timestamp 0 to 0"),
        (profile((5, 1), (4, 1)), "goes from timestamp 5 to 4"),
        (profile((-1, 1), (4, 1)), "goes from timestamp -1 to 4: begin at 0 s or later"),
    ],
)
def test_what_is_no_profile_is_refused_in_words(document, message):
    with pytest.raises(RequestError, match=message):
        profile_steps(document)


@given(st.lists(st.builds(Step, st.floats(-5, 5), st.floats(1, 1000)), min_size=1, max_size=10))
def test_the_start_is_the_fullest_that_never_charges_beyond_full(steps):
    start_pct = fullest_start_pct(steps, 5.0)
    soc_pct, highest_pct = start_pct, start_pct

    for step in steps:
        soc_pct += step.current_A * step.duration_s / 3600 / 5.0 * 100
        highest_pct = max(highest_pct, soc_pct)
    assert start_pct == 0.0 or highest_pct == pytest.approx(100.0)


def test_a_profile_that_charges_more_than_the_capacity_starts_empty():
    assert fullest_start_pct([Step(5.0, 7200.0)], 5.0) == 0.0
