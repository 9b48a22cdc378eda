"""A run follows its scheme to the letter, hands over its rows while it goes on, and says how it ended."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.cosim.conftest import Gadget, wired
from twinbench.core.bundle import Connection, Reference, Variable
from twinbench.core.cosim import Coupling, StopCondition, System, simulate
from twinbench.core.cosim.interpreter import run as interpreted
from twinbench.core.cosim.system import compiled
from twinbench.core.errors import SimulationError


def wired_one(wire: str) -> Connection:
    return wired(wire)[0]


def rows(blocks) -> np.ndarray:
    return np.concatenate([block.values for block in blocks])


def values_of(blocks) -> list[list[float]]:
    return rows(blocks).tolist()


def test_jacobi_reads_all_gives_all_steps_all(system, gadget, diary):
    made = system(gadget("B"), gadget("A"), wires=["B.y>A.u"])
    diary.clear()

    list(simulate(made, start_time=0, stop_time=2, step_size=1, record=["A.z"]))

    point = ["get A.z", "get B.y", "set A.u"]
    assert diary == [*point, "step A 0", "step B 0", *point, "step A 1", "step B 1", *point]


def test_sorted_hands_values_on_through_feed_throughs(system, gadget, diary):
    made = system(gadget("B"), gadget("A"), gadget("C"), wires=["B.y>A.u", "A.z>C.u"], scheme="sorted")
    diary.clear()

    list(simulate(made, start_time=0, stop_time=1, step_size=1, record=["C.z", "A.z"]))

    point = ["get B.y", "set A.u", "get A.z", "set C.u", "get C.z"]
    assert diary == [*point, "step A 0", "step B 0", "step C 0", *point]


def test_gauss_seidel_steps_one_after_another_with_what_was_just_computed(system, gadget, diary):
    made = system(gadget("B", u=1.0), gadget("A"), wires=["B.y>A.u"], scheme="gauss-seidel")
    diary.clear()

    values = values_of(simulate(made, start_time=0, stop_time=2, step_size=1, record=["B.y", "A.y"]))

    step = ["set B.u", "step B {0}", "get B.y", "set A.u", "step A {0}", "get A.y"]
    assert [line.format(0) for line in step[1:]] == diary[-10:-5]
    assert values == [[0, 0], [1, 1], [2, 3]]


def test_initial_values_are_handed_on_in_the_order_of_their_dependencies(system, gadget, diary):
    a, b, c = gadget("A", x=4.0), gadget("B"), gadget("C")

    system(c, b, a, wires=["A.z>B.u", "B.z>C.u"])

    assert (b.u, c.u) == (4.0, 4.0)
    assert diary == ["get A.z", "set B.u", "get B.z", "set C.u", "begin A", "begin B", "begin C"]


@pytest.mark.parametrize(("scheme", "late"), [("sorted", 0), ("jacobi", 1)])
def test_a_feed_through_shows_the_same_point_or_is_one_step_late(system, gadget, scheme, late):
    made = system(gadget("A", u=1.0), gadget("B"), wires=["A.z>B.u"], scheme=scheme)

    values = rows(simulate(made, start_time=0, stop_time=6, step_size=1, record=["A.z", "B.z", "B.y"]))

    assert values[:, 0].tolist() == [1, 2, 3, 4, 5, 6, 7]
    through = values[:, 1] - values[:, 2]
    assert through[1:].tolist() == values[1 - late : 7 - late, 0].tolist()


def test_a_recorded_input_shows_what_it_is_given_at_the_point(system, gadget):
    made = system(gadget("A", u=1.0), gadget("B"), wires=[replace(wired_one("A.y>B.u"), factor=2.0, offset=5.0)])

    values = rows(simulate(made, start_time=0, stop_time=3, step_size=1, record=["A.y", "B.u", "A.u"]))

    assert values.tolist() == [[0, 5, 1], [1, 7, 1], [2, 9, 1], [3, 11, 1]]


def test_a_feedback_through_a_state_is_no_loop_and_inputs_are_of_the_point(system, gadget):
    for scheme in ("jacobi", "sorted"):
        made = system(
            gadget("A", x=1.0), gadget("B", x=10.0), wires=["A.y>B.u", "B.y>A.u"], scheme=scheme, loops="refuse"
        )

        values = rows(simulate(made, start_time=0, stop_time=3, step_size=1, record=["A.y", "B.y"]))

        a, b, expected = 1.0, 10.0, []
        for _ in range(4):
            expected.append([a, b])
            a, b = a + b, b + a
        assert values.tolist() == expected


LOOP = ["A.z>B.u", "B.half>A.u"]
HALF = Variable("half", "output", "Float64", "V", depends_on=("u",), starts_from=("u",))


def loop_gadgets(gadget):
    """A.z = 1 + u, B.half = u / 2: settles at A.z = 2."""
    a, b = gadget("A", x=1.0), gadget("B", extra=[HALF])
    b.reacts = lambda values: values.update(half=[values["u"][0] / 2])
    a.asks = b.asks = lambda time_s: None
    return a, b


def test_an_algebraic_loop_is_refused_in_words_if_wanted(gadget, system):
    with pytest.raises(SimulationError, match=r"algebraic loop: A\.z -> B\.u -> B\.half -> A\.u"):
        system(*loop_gadgets(gadget), wires=LOOP, loops="refuse")


def test_an_algebraic_loop_is_solved_at_each_point_by_iteration(gadget, system):
    made = system(*loop_gadgets(gadget), wires=LOOP, loops="iterate", scheme="sorted")

    (block,) = simulate(made, start_time=0, stop_time=0, step_size=1, record=["A.z", "B.half"])

    np.testing.assert_allclose(block.values, [[2, 1]], rtol=1e-9)


def test_an_algebraic_loop_is_opened_by_a_delay_of_one_step(gadget, system):
    a, b = loop_gadgets(gadget)
    made = system(a, b, wires=LOOP, loops="delay", scheme="sorted")
    a.asks = lambda time_s: a.values.update(x=[1.0 - a.u])  # its state stays 1

    values = rows(simulate(made, start_time=0, stop_time=4, step_size=1, record=["A.z", "B.half"]))

    assert np.allclose(values[1:, 0], 1 + values[:-1, 1])
    assert np.allclose(values[:, 1], values[:, 0] / 2)


def test_a_loop_that_does_not_settle_is_named_with_its_time(gadget, system):
    a, b = loop_gadgets(gadget)
    made = system(a, b, wires=LOOP, loops="iterate", scheme="sorted", iterations=60)
    b.reacts = lambda values: values.update(half=[values["u"][0] * 3])

    with pytest.raises(SimulationError, match=r"did not settle in 60 rounds at t = 0 s"):
        list(simulate(made, start_time=0, stop_time=1, step_size=1, record=["A.z"]))


def test_a_slow_fmu_holds_its_inputs_and_outputs_in_between(system, gadget, diary):
    made = system(gadget("A", u=1.0), gadget("B"), wires=["A.y>B.u"], every={"B": 3})
    diary.clear()

    values = rows(simulate(made, start_time=0, stop_time=7, step_size=1, record=["A.y", "B.y"]))

    assert [line for line in diary if line.startswith("step B")] == ["step B 0 by 3", "step B 3 by 3"]
    assert values[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert values[:, 1].tolist() == [0, 0, 0, 0, 0, 0, 9, 9]


def test_a_rate_for_an_unknown_fmu_is_refused(system, gadget):
    with pytest.raises(SimulationError, match=r"'AA', no FMU here\. Did you mean A"):
        system(gadget("A"), every={"AA": 2})


def test_an_event_is_finished_by_the_fmu_and_the_run_goes_on(system, gadget, diary):
    a = gadget("A", u=1.0)
    a.asks = lambda time_s: "event" if time_s == 2 else None

    values = values_of(simulate(system(a, gadget("B")), start_time=0, stop_time=4, step_size=1, record=["A.y"]))

    assert values == [[0], [1], [2], [3], [4]]
    assert [line for line in diary if line.startswith("finish")] == ["finish A 2 to 3"]


INTEGERS = [f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)]


NUMBERS = [*INTEGERS, "Float32"]


@pytest.mark.parametrize(
    ("type_", "factor"), [("Boolean", 1.0), *((number, factor) for number in NUMBERS for factor in (1.0, 2.0))]
)
def test_values_of_all_types_are_handed_on_recorded_and_converted(system, gadget, type_, factor):
    out = Variable("out", "output", type_, depends_on=(), starts_from=(), dimensions=(3,))
    into = Variable("into", "input", type_, dimensions=(3,))
    a, b = gadget("A", extra=[out]), gadget("B", extra=[into])
    a.values["out"] = [1, 0, 1] if type_ == "Boolean" else [1, 5, 63]
    made = system(a, b, wires=[replace(wired_one("A.out>B.into"), factor=factor)])

    (block,) = simulate(made, start_time=0, stop_time=0, step_size=1, record=["A.out", "B.into"])

    assert b.values["into"] == [factor * value for value in a.values["out"]]
    assert block.values.tolist() == [[*a.values["out"], *b.values["into"]]]


def test_whole_numbers_that_no_float_holds_are_handed_on_exactly(system, gadget):
    out = Variable("out", "output", "Int64", depends_on=(), starts_from=())
    a, b = gadget("A", extra=[out]), gadget("B", extra=[Variable("into", "input", "Int64")])
    a.values["out"] = [2**53 + 1]

    system(a, b, wires=["A.out>B.into"])

    assert b.values["into"] == [2**53 + 1]


SIGNALS = st.sampled_from(["A", "B", "C"])


@given(
    st.dictionaries(st.tuples(SIGNALS, st.sampled_from("uv")), st.tuples(SIGNALS, st.sampled_from("yz")), max_size=6),
    st.sampled_from(["jacobi", "sorted", "gauss-seidel"]),
    st.fixed_dictionaries({}, optional={"A": st.integers(1, 3), "C": st.integers(1, 3)}),
    st.floats(-2, 2),
)
@settings(max_examples=60, deadline=None)
def test_the_compiled_executor_equals_the_plain_one_bit_for_bit(wiring, scheme, every, factor):
    results = []
    for executor in (compiled(), interpreted):
        gadgets = [Gadget(name, [], x=0.1 * number, u=0.3) for number, name in enumerate("ABC", 1)]
        wires = [
            Connection(Reference(a, y, y), Reference(b, u, u), factor if (a, y) < (b, u) else 1.0, 0.1)
            for (b, u), (a, y) in wiring.items()
        ]
        made = System(gadgets, wires, Coupling(scheme, every=every), executor=executor)
        made.initialise()
        blocks = list(simulate(made, start_time=0.5, stop_time=1.5, step_size=0.1, block_rows=4))
        results.append((np.concatenate([block.values for block in blocks]), [g.values for g in gadgets]))

    assert np.array_equal(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]


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
    a.asks = lambda time_s: a.values.update(u=[math.inf if time_s == 2 else 0.0])

    (block,) = simulate(system(a), start_time=0, stop_time=9, step_size=1, record=["A.u", "A.y"])

    assert block.time_s.tolist() == [0, 1, 2, 3]
    assert (block.outcome.status, block.outcome.message) == ("failed", "A.y became NaN at t = 3 s")


def test_a_run_can_be_cancelled(system, gadget):
    a = gadget("A")
    asked = []

    def cancelled() -> bool:
        return a.diary[-1] == "step A 2"

    a.asks = lambda time_s: asked.append(time_s) or time.sleep(0.03)
    (block,) = simulate(system(a), start_time=0, stop_time=9, step_size=1, cancelled=cancelled)

    assert (block.outcome.status, block.outcome.time_s) == ("cancelled", 3)
    assert block.time_s.tolist() == [0, 1, 2]


def test_a_run_is_given_up_when_its_time_is_over(system, gadget):
    a = gadget("A")
    a.asks = lambda time_s: time.sleep(0.03)

    (block,) = simulate(system(a), start_time=0, stop_time=1000, step_size=1, wall_limit_s=0.1)

    assert (block.outcome.status, block.outcome.stop_reason) == ("failed", "wall-limit")
    assert "after 0.1 s of computing" in block.outcome.message


@given(st.integers(0, 50), st.integers(1, 7), st.integers(1, 5))
def test_rows_can_be_thinned_out_and_the_last_point_stays(steps, record_every, block_rows):
    blocks = list(
        simulate(
            System([], []), start_time=0, stop_time=steps, step_size=1, record_every=record_every, block_rows=block_rows
        )
    )

    expected = sorted({*range(0, steps + 1, record_every), steps})
    assert np.concatenate([block.time_s for block in blocks]).tolist() == expected


def test_the_time_each_fmu_takes_is_estimated(gadget):
    slow, quick = gadget("slow"), gadget("quick")
    slow.asks = lambda time_s: time.sleep(0.001)
    made = System([slow, quick], [])

    *_, block = simulate(made, start_time=0, stop_time=300, step_size=1, block_rows=400)

    busy = block.outcome.busy_s
    assert 0.3 <= busy["slow"] <= block.outcome.wall_s
    assert busy["quick"] < busy["slow"] / 5


def test_a_model_may_end_the_run(system, gadget):
    a = gadget("A")
    a.asks = lambda time_s: time_s == 4

    (block,) = simulate(system(a), start_time=0, stop_time=9, step_size=1)

    assert (block.outcome.stop_reason, block.outcome.time_s, len(block.time_s)) == ("model", 5, 6)


def test_rows_before_a_failure_are_handed_over(system, gadget):
    a = gadget("A", u=1.0)
    a.asks = lambda time_s: "broken" if time_s == 4 else None
    run = simulate(system(a), start_time=0, stop_time=9, step_size=1, record=["A.y"], block_rows=3)

    assert [next(run).values[-1, 0] for _ in range(2)] == [2, 4]
    with pytest.raises(SimulationError, match="A could not step at 4"):
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
        ({"record_every": 0}, "record_every=0"),
    ],
)
def test_what_cannot_be_run_is_refused_at_once(system, gadget, options, words):
    made = system(gadget("A"))

    with pytest.raises(SimulationError, match=words):
        simulate(made, **{"start_time": 0, "stop_time": 9, "step_size": 1, **options})


@pytest.mark.thorough
def test_a_block_of_many_signals_has_fewer_rows(system, gadget):
    wide = Variable("wide", "output", "Float64", dimensions=(2**19,), depends_on=(), starts_from=())
    a = gadget("A", extra=[wide])

    first, *_ = simulate(system(a), start_time=0, stop_time=3, step_size=1, record=["A.wide"], block_s=60)

    assert first.values.nbytes <= 8 << 20
    assert len(first.time_s) == 2
