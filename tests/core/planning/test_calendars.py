"""Working hours become windows of minutes: at the lab's wall time, whatever its clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.errors import PlanError
from twinbench.core.planning.calendars import WEEKDAYS, Hours, joined, minutes_after, open_windows

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = 60, 24 * 60
WORK = Hours(WEEKDAYS[:5], time(8), time(18))


def windows(*hours, origin, days=7, zone=BERLIN, holidays=()):
    return open_windows(hours, origin=origin, days=days, zone=zone, holidays=holidays)


def at(day, hour=0, minute=0):
    return datetime.fromisoformat(day).replace(hour=hour, minute=minute, tzinfo=BERLIN)


def test_a_week_has_five_working_days():
    monday = at("2026-11-30")

    assert windows(WORK, origin=monday)[:5] == tuple((n * DAY + 8 * HOUR, n * DAY + 18 * HOUR) for n in range(5))


def test_windows_begin_at_the_origin_if_that_is_in_working_hours():
    assert windows(WORK, origin=at("2026-11-30", 10), days=0)[0] == (0, 8 * HOUR)


def test_an_origin_in_another_time_zone_means_the_same_moment():
    here = at("2026-11-30", 7)

    assert windows(WORK, origin=here) == windows(WORK, origin=here.astimezone(UTC))


def test_the_day_on_which_clocks_go_forward_is_an_hour_shorter_and_its_hours_stay_wall_time():
    saturday = at("2027-03-27")
    weekend = Hours(("Sat", "Sun", "Mon"), time(8), time(18))

    first, second, third = windows(weekend, origin=saturday, days=2)

    assert first == (8 * HOUR, 18 * HOUR)
    assert second == (DAY + 7 * HOUR, DAY + 17 * HOUR)
    assert third == (2 * DAY + 7 * HOUR, 2 * DAY + 17 * HOUR)


def test_the_night_in_which_clocks_go_back_is_an_hour_longer():
    (night,) = windows(Hours(("Sun",), time(0), time(6)), origin=at("2026-10-25"), days=0)

    assert night == (0, 7 * HOUR)


@pytest.mark.parametrize(("start", "end"), [(time(2), time(3)), (time(2, 30), time(3))])
def test_an_hour_that_the_clocks_leave_out_is_no_window(start, end):
    assert windows(Hours(("Sun",), start, end), origin=at("2027-03-27"), days=2) == ()


def test_nobody_is_there_on_holidays_of_the_labs_own_time_zone():
    wednesday = at("2026-12-23")

    found = windows(WORK, origin=wednesday, days=5, holidays={date(2026, 12, 24), date(2026, 12, 25)})

    assert found == ((8 * HOUR, 18 * HOUR), (5 * DAY + 8 * HOUR, 5 * DAY + 18 * HOUR))


def test_an_end_at_midnight_is_the_end_of_the_day_and_joins_the_next():
    late, early = Hours(("Mon",), time(22), time(0)), Hours(("Tue",), time(0), time(6))

    assert windows(late, early, origin=at("2026-11-30"), days=2) == ((22 * HOUR, 30 * HOUR),)


def test_hours_that_overlap_are_one_window():
    morning, day = Hours(("Mon",), time(6), time(12)), Hours(("Mon",), time(10), time(18))

    assert windows(morning, day, origin=at("2026-11-30"), days=1) == ((6 * HOUR, 18 * HOUR),)


@given(
    st.integers(0, 2 * 365 * DAY).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
    st.sampled_from(("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")),
    st.sets(st.sampled_from(WEEKDAYS), min_size=1),
    st.integers(0, 23),
    st.data(),
)
def test_it_is_open_in_working_hours_and_at_no_other_time(origin, name, days, first, data):
    zone = ZoneInfo(name)
    hours = Hours(tuple(sorted(days)), time(first), time(data.draw(st.integers(first + 1, 24)) % 24))
    last = time(23, 59, 59) if hours.end == time(0) else hours.end

    found = windows(hours, origin=origin, days=9, zone=zone)

    assert all(a[1] < b[0] for a, b in pairwise(found))
    for minute in data.draw(st.lists(st.integers(0, 9 * DAY), max_size=20)):
        wall = (origin + timedelta(minutes=minute)).astimezone(zone)
        is_open = any(start <= minute < end for start, end in found)
        on_a_skipped_or_repeated_hour = wall.utcoffset() != (wall - timedelta(hours=2)).astimezone(zone).utcoffset()
        if not on_a_skipped_or_repeated_hour and not wall.fold:
            in_hours = WEEKDAYS[wall.weekday()] in hours.days and hours.start <= wall.time() < last
            assert is_open == in_hours, wall


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)).map(lambda pair: (pair[0], sum(pair)))))
def test_joined_windows_are_in_order_and_apart_and_open_at_the_same_minutes(drawn):
    found = joined(drawn)

    assert all(a[1] < b[0] for a, b in pairwise(found))
    assert minutes_of(found) == minutes_of(drawn)


def minutes_of(pairs):
    return {minute for start, end in pairs for minute in range(start, end)}


@pytest.mark.parametrize(
    ("moment", "minutes"),
    [
        (datetime(2026, 12, 1, 8, 0, tzinfo=UTC), 0),
        (datetime(2026, 12, 1, 8, 0, 1, tzinfo=UTC), 1),
        (datetime(2026, 12, 1, 7, 59, 1, tzinfo=UTC), 0),
        (datetime(2026, 12, 1, 7, 59, tzinfo=UTC), -1),
        (datetime(2026, 12, 1, 10, 0, tzinfo=BERLIN), 60),
    ],
)
def test_a_begun_minute_counts(moment, minutes):
    assert minutes_after(datetime(2026, 12, 1, 8, 0, tzinfo=UTC), moment) == minutes


@pytest.mark.parametrize(
    ("days", "start", "end", "message"),
    [
        (("Mon", "Sundae"), 8, 18, "Working hours have days Sundae: give some of Mon, Tue"),
        ((), 8, 18, "Working hours have days none"),
        (("Mon",), 18, 8, "Working hours from 18:00 to 08:00: give an end after the start"),
        (("Mon",), 8, 8, "Working hours from 08:00 to 08:00"),
    ],
)
def test_hours_that_make_no_sense_are_refused(days, start, end, message):
    with pytest.raises(PlanError, match=message):
        Hours(days, time(start), time(end))
