"""A run follows its scheme to the letter, hands over its rows while it goes on, and says how it ended."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.cosim import StopCondition, System, simulate
from twinbench.core.errors import SimulationError


def rows(blocks) -> np.ndarray:
    return np.concatenate([block.values for block in blocks])


def test_signals_are_handed_on_in_order_then_all_step(system, gadget, diary):
    made = system(gadget("B"), gadget("A"), wires=["B.y>A.u"])
    diary.clear()

    list(simulate(made, start_time=0, stop_time=2, step_size=1, record=["A.z"]))

    point = ["read B", "write A", "read A"]
    assert diary[2:] == [*point, "step B 0", "step A 0", *point, "step B 1", "step A 1", *point]


def test_initial_values_are_handed_on_before_initialization_ends(system, gadget, diary):
    a, b, c = gadget("A", x=4.0), gadget("B"), gadget("C")

    system(c, b, a, wires=["A.z>B.u", "B.z>C.u"])

    assert (b.u, c.u) == (4.0, 4.0)
    assert diary == ["read A", "write B", "read B", "write C", "begin A", "begin B", "begin C"]


def test_a_feed_through_shows_the_same_point(system, gadget):
    made = system(gadget("A", u=1.0), gadget("B"), gadget("C"), wires=["A.z>B.u", "B.u>C.u"])

    values = rows(simulate(made, start_time=0, stop_time=5, step_size=1, record=["A.z", "B.u", "C.u"]))

    assert values[:, 0].tolist() == [1, 2, 3, 4, 5, 6]
    assert (values == values[:, :1]).all()


def test_in_a_loop_inputs_are_of_the_point_and_direct_outputs_one_step_old(system, gadget):
    made = system(gadget("A", x=1.0), gadget("B", x=10.0), wires=["A.y>B.u", "B.y>A.u"])

    values = rows(simulate(made, start_time=0, stop_time=3, step_size=1, record=["A.y", "B.y", "A.z"]))

    a, b, expected, old = 1.0, 10.0, [], 10.0
    for _ in range(4):
        expected.append([a, b, a + old])
        a, b, old = a + b, b + a, b
    assert values.tolist() == expected


def test_arrays_give_a_signal_per_element_with_its_unit(system, gadget):
    (block,) = simulate(system(gadget("A", x=3.0)), start_time=0, stop_time=0, step_size=1, record=["A.pair", "A.y"])

    assert [(signal.name, signal.unit) for signal in block.signals] == [
        ("A.pair[1,1]", None),
        ("A.pair[1,2]", None),
        ("A.y", "V"),
    ]
    assert block.values.tolist() == [[3.0, -3.0, 3.0]]


def test_all_outputs_are_recorded_unless_said_otherwise(system, gadget):
    (block,) = simulate(system(gadget("B"), gadget("A")), start_time=0, stop_time=0, step_size=1)

    names = [signal.name for signal in block.signals]
    assert names == [f"{n}.{v}" for n in "AB" for v in ("y", "z", "pair[1,1]", "pair[1,2]")]


def test_a_name_with_a_dot_is_found(gadget, system):
    (block,) = simulate(
        system(gadget("A"), gadget("A.y", x=5)), start_time=0, stop_time=0, step_size=1, record=["A.y.y"]
    )

    assert block.values.tolist() == [[5.0]]


@given(st.integers(0, 5000), st.floats(-1e3, 1e3), st.sampled_from([0.01, 0.1, 1 / 3, 1.0, 7.3]))
def test_time_is_computed_and_the_end_is_reached(steps, start, step):
    made = System([], [])

    blocks = list(simulate(made, start_time=start, stop_time=start + steps * step, step_size=step))

    time_s = np.concatenate([block.time_s for block in blocks])
    assert np.array_equal(time_s, start + np.arange(steps + 1) * step)
    assert blocks[-1].outcome.steps == steps


def test_no_point_lies_after_the_stop_time(system, gadget):
    (block,) = simulate(system(gadget("A")), start_time=0, stop_time=10, step_size=3)

    assert block.time_s.tolist() == [0, 3, 6, 9]
    assert (block.outcome.status, block.outcome.stop_reason, block.outcome.time_s) == ("completed", "end", 9)


@given(st.integers(0, 40), st.integers(1, 10))
def test_blocks_are_full_and_only_the_last_has_the_outcome(steps, block_rows):
    blocks = list(simulate(System([], []), start_time=0, stop_time=steps, step_size=1, block_rows=block_rows))

    assert [len(block.time_s) for block in blocks[:-1]] == [block_rows] * (len(blocks) - 1)
    assert 1 <= len(blocks[-1].time_s) <= block_rows
    assert [block.outcome is not None for block in blocks] == [False] * (len(blocks) - 1) + [True]


def test_blocks_come_while_the_run_goes_on_and_stay_as_they_are(system, gadget, diary):
    run = simulate(system(gadget("A", u=1.0)), start_time=0, stop_time=100, step_size=1, record=["A.y"], block_rows=3)

    first = next(run)
    steps_so_far = sum(line.startswith("step") for line in diary)
    list(run)

    assert steps_so_far == 2
    assert first.values.tolist() == [[0], [1], [2]]


@pytest.mark.parametrize(
    ("condition", "row", "words"),
    [
        (StopCondition("A.y", high=3.5), 4, "A.y = 4 is above 3.5 at t = 4 s"),
        (StopCondition("A.y", low=-1.0, high=4.0), 5, "A.y = 5 is above 4 at t = 5 s"),
        (StopCondition("A.y", low=0.5), 0, "A.y = 0 is below 0.5 at t = 0 s"),
        (StopCondition("A.y", low=0.5, high=3.5, current="A.y"), 4, "A.y = 4 is above 3.5 at t = 4 s"),
    ],
)
def test_a_limit_ends_the_run_at_the_point_where_it_is_passed(system, gadget, condition, row, words):
    run = simulate(
        system(gadget("A", u=1.0)), start_time=0, stop_time=9, step_size=1, record=["A.y"], stop_conditions=[condition]
    )
    (block,) = run

    assert len(block.time_s) == row + 1
    assert (block.outcome.status, block.outcome.stop_reason) == ("completed", "limit")
    assert block.outcome.message == words


def test_nan_fails_the_run_and_infinity_does_not(system, gadget):
    a = gadget("A", x=-math.inf)
    a.before_step = lambda time_s: setattr(a, "u", math.inf if time_s == 2 else 0.0)

    (block,) = simulate(system(a), start_time=0, stop_time=9, step_size=1, record=["A.u", "A.y"])

    assert block.time_s.tolist() == [0, 1, 2, 3]
    assert (block.outcome.status, block.outcome.message) == ("failed", "A.y became NaN at t = 3 s")


def test_a_run_can_be_cancelled(system, gadget):
    asked = iter([False, False, True])

    (block,) = simulate(system(gadget("A")), start_time=0, stop_time=9, step_size=1, cancelled=lambda: next(asked))

    assert (block.outcome.status, block.outcome.time_s) == ("cancelled", 2)


def test_a_model_may_end_the_run(system, gadget):
    a = gadget("A")
    a.before_step = lambda time_s: time_s == 4

    (block,) = simulate(system(a), start_time=0, stop_time=9, step_size=1)

    assert (block.outcome.stop_reason, block.outcome.time_s, len(block.time_s)) == ("model", 4, 5)


def test_rows_before_a_failure_are_handed_over(system, gadget):
    a = gadget("A", u=1.0)
    a.before_step = lambda time_s: SimulationError("broken") if time_s == 4 else False
    run = simulate(system(a), start_time=0, stop_time=9, step_size=1, record=["A.y"], block_rows=3)

    assert [next(run).values[-1, 0] for _ in range(2)] == [2, 4]
    with pytest.raises(SimulationError, match="broken"):
        next(run)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"step_size": 0}, "step_size=0 s"),
        ({"step_size": math.nan}, "step_size=nan s"),
        ({"stop_time": -1}, "from 0 s to -1 s"),
        ({"stop_time": math.inf}, "to inf s"),
        ({"record": ["A.yy"]}, r"'A\.yy' cannot be recorded.*Did you mean A\.y\?"),
        ({"stop_conditions": [StopCondition("A.x")]}, r"'A\.x' needs that signal"),
        ({"block_rows": 0}, "block_rows=0"),
    ],
)
def test_what_cannot_be_run_is_refused_at_once(system, gadget, options, words):
    made = system(gadget("A"))

    with pytest.raises(SimulationError, match=words):
        simulate(made, **{"start_time": 0, "stop_time": 9, "step_size": 1, **options})
