"""When there is enough of something is known to the minute."""

from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.planning.openings import of_bench, of_resource
from twinbench.core.planning.problem import Bench, Resource

WINDOWS = st.lists(st.tuples(st.integers(-5, 40), st.integers(1, 15)), max_size=4)


@given(WINDOWS, st.none() | WINDOWS, st.integers(1, 3), st.integers(1, 12), st.integers(0, 20), st.integers(1, 30))
def test_a_window_is_long_enough_if_there_is_enough_in_each_of_its_minutes(
    closures, openings, amount, length, since, lasts
):
    closed = tuple((start, start + minutes, 1 + minutes % 2) for start, minutes in closures)
    open_ = None if openings is None else disjoint(openings)
    resource = Resource("chamber", 3, open=open_, closed=closed)
    until = since + lasts
    runs = [
        minutes
        for start in range(since, until)
        for minutes in range(until - start + 1)
        if all(resource.left(minute) >= amount for minute in range(start, start + minutes))
    ]

    assert of_resource(resource, amount).longest_min(since, until) == max(runs)
    assert of_resource(resource, amount).have(length, since, until) == (max(runs) >= length)


def disjoint(windows):
    minutes = sorted({minute for start, length in windows for minute in range(start, start + length)})
    starts = [minute for minute in minutes if minute - 1 not in minutes]
    ends = [minute + 1 for minute in minutes if minute + 1 not in minutes]
    return tuple(zip(starts, ends, strict=True))


def test_a_bench_is_open_between_its_closures():
    bench = of_bench(Bench("b1", closed=((10, 20), (15, 30), (50, 60))))

    assert bench.longest_min(0, 60) == 20
    assert bench.have(20, 0, 60)
    assert not bench.have(21, 0, 60)
    assert not bench.have(20, 31, 60)
