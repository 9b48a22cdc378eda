"""An uploaded profile is drawn as it is held, and told in one sentence."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.web.sketch import profile_svg, profile_words

CURRENTS = st.floats(-1e6, 1e6)


def profile(*samples, unit="A"):
    return {"unit": unit, "values": [{"timestamp": time, "value": value} for time, value in samples]}


def curve(svg):
    (path,) = [one.get("d") for one in ElementTree.fromstring(str(svg)).iter("path") if one.get("class") == "curve"]
    return path


def test_a_profile_is_told_in_one_sentence():
    words = profile_words(profile((0, 3.6), (1000, -1.8), (2000, 0)))

    assert words == "3 values over 2000 s, -1.8 to 3.6 A, +0.5 Ah in all (positive charges)."


def test_milliamperes_are_told_in_amperes():
    assert "2 to 2 A" in profile_words(profile((0, 2000), (10, 0), unit="mA"))


def test_each_current_is_held_until_the_next():
    assert re.findall("[HV]", curve(profile_svg(profile((0, 1), (10, 2), (20, 0))))) == ["H", "V", "H", "V", "H"]


def test_the_picture_says_the_same_as_the_words():
    shown = profile((0, 1), (10, 0))

    assert ElementTree.fromstring(str(profile_svg(shown))).get("aria-label") == profile_words(shown)


@given(st.lists(st.tuples(st.floats(0.01, 1e4), CURRENTS), min_size=2, max_size=50))
def test_whatever_is_uploaded_the_curve_lies_within_the_picture(steps):
    times = [sum(length for length, _ in steps[:number]) for number in range(len(steps))]

    path = curve(profile_svg(profile(*zip(times, [value for _, value in steps], strict=True))))

    for letter, low, high in (("[MH]", 60, 630), ("V", 10, 154)):
        places = [float(number) for number in re.findall(rf"{letter}([-\d.e+]+)", path)]
        assert all(low - 0.1 <= place <= high + 0.1 for place in places)


@pytest.mark.parametrize("count", [2_000, 9_999])
def test_a_long_profile_is_a_short_path(count):
    svg = profile_svg(profile(*((time, time % 7) for time in range(count))))

    assert len(svg) < 60_000


@pytest.mark.parametrize("spike", [4_321, 4_322, 4_329])
def test_no_spike_of_a_long_profile_is_lost(spike):
    svg = profile_svg(profile(*((time, 100 if time == spike else 0) for time in range(9_999))))

    assert min(float(place) for place in re.findall(r"V([\d.]+)", curve(svg))) == 10
