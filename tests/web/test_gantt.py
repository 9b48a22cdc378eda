"""A timetable shows every bar where it belongs, for any span of time, and says the same in words."""

import re
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.web.gantt import Bar, Lane, gantt_svg

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
moments = st.timedeltas(timedelta(days=-9_000), timedelta(days=350_000)).map(lambda since: NOON + since)
letters = st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"]), max_size=20)


def drawn(*lanes, **more):
    svg = gantt_svg(lanes, **{"now": NOON, "label": "What benches do", "zone": "Europe/Berlin", **more})
    return ElementTree.fromstring(str(svg))  # ours


def lane(name, *hours, state="planned"):
    return Lane(name, [Bar(NOON + start * HOUR, end and NOON + end * HOUR, state, "TR-000001") for start, end in hours])


def bars(svg):
    found = [one for one in svg.iter("rect") if "bar " in one.get("class")]
    return [(float(one.get("x")), float(one.get("x")) + float(one.get("width"))) for one in found]


def ticks(svg):
    return [one.text for one in svg.iter("text") if one.get("text-anchor") == "middle" and one.get("y") == "12"]


def test_bars_stand_in_time_order_on_their_lane():
    svg = drawn(lane("virtual-1", (0, 1), (1, 2)), lane("cycler-1", (1, 3)))

    (first, second, other), names = bars(svg), [one.text for one in svg.iter("text")]
    assert first[1] == pytest.approx(second[0], abs=0.2)
    assert other[0] == pytest.approx(second[0], abs=0.2)
    assert {"virtual-1", "cycler-1"} <= set(names)
    assert svg.get("aria-label") == "What benches do"


def test_a_bar_without_an_end_goes_on_to_the_edge():
    ((left, right),) = bars(drawn(lane("cycler-1", (-2, None), state="running")))

    assert left == 110
    assert right == pytest.approx(948, abs=0.2)


def test_the_line_of_now_is_there_if_now_is():
    assert "now" in [one.text for one in drawn(lane("a", (-1, 1))).iter("text")]
    assert "now" not in [one.text for one in drawn(lane("a", (1, 2))).iter("text")]
    assert "now" in [one.text for one in drawn(lane("a", (1, 2)), least=8 * HOUR).iter("text")]


@pytest.mark.parametrize(("zone", "first"), [("Europe/Berlin", "13:30"), ("UTC", "12:30"), ("Asia/Kolkata", "18:00")])
def test_times_are_those_of_the_lab(zone, first):
    assert ticks(drawn(lane("a", (0, 4)), zone=zone))[0] == first


@pytest.mark.parametrize(("hours", "first"), [(48, "20 Nov 16:00"), (24 * 6, "21 Nov"), (24 * 3000, "Nov 2028")])
def test_a_long_time_is_told_in_days_or_years(hours, first):
    assert ticks(drawn(lane("a", (0, hours))))[0] == first


def test_nothing_at_all_can_be_drawn():
    assert bars(drawn()) == bars(drawn(Lane("a", []))) == []


@given(st.lists(st.tuples(moments, st.none() | moments)), moments, st.sampled_from([None, 8 * HOUR]))
def test_whatever_is_planned_every_bar_lies_within_and_the_axis_stays_short(spans, now, least):
    of_time = [Bar(start, end and max(start, end), "planned") for start, end in spans]

    svg = drawn(Lane("a", of_time), now=now, least=least)

    assert len(bars(svg)) == len(spans)
    assert all(110 <= left < right <= 950.1 for left, right in bars(svg))
    assert len(ticks(svg)) <= 10


@given(letters, letters, letters)
def test_whatever_a_bar_says_is_text(name, text, title):
    bar = Bar(NOON, NOON + 9 * HOUR, "planned", text, title, f"/requests/{title}")

    svg = drawn(Lane(name, [bar]), label=title)

    (link,) = svg.iter("a")
    assert link.get("href") == f"/requests/{title}"
    assert svg.get("aria-label") == title
    assert next(svg.iter("title")).text in (title or text or None, title or text)
    assert {one.tag for one in svg.iter()} <= {"svg", "path", "text", "rect", "a", "title"}


def test_the_hour_that_comes_twice_does_not_stop_the_axis():
    back = datetime(2026, 10, 24, 20, tzinfo=UTC)
    bar = Bar(back, back + 10 * HOUR, "planned")

    told = ticks(drawn(Lane("a", [bar]), now=back))

    assert 4 <= len(told) <= 9
    assert all(re.fullmatch(r"\d\d:\d\d", text) for text in told)


def test_what_goes_on_ends_where_it_has_come_to_and_has_no_right_edge():
    bar = Bar(NOON - HOUR, NOON, "running", "run 1", goes_on=True)

    svg = drawn(Lane("a", [bar]), lane("b", (-1, 2)))

    (path,) = [one for one in svg.iter("path") if "bar-running" in one.get("class")]
    assert re.fullmatch(r"M[\d.]+ 29H110\.0v20h[\d.]+", path.get("d"))


def test_what_was_stands_under_what_was_planned():
    planned, was, other = (Lane(name, [], under=name == "as it was") for name in ("a", "as it was", "b"))

    tops = [float(one.get("y")) for one in drawn(planned, was, other).iter("rect") if one.get("class") == "lane"]

    assert tops[1] - tops[0] < tops[2] - tops[1]


def test_the_word_now_stays_within_the_picture():
    (now,) = [one for one in drawn(lane("a", (-1, 0))).iter("text") if one.text == "now"]

    assert now.get("text-anchor") == "end"
