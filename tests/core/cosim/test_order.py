"""FMUs come after those that drive them; loops are opened where they are, always at the same place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.bundle import Connection, Reference
from twinbench.core.cosim import propagation_order
from twinbench.core.findings import Severity

NAMES = "ABCDEF"
edges = st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)))


def connect(pairs) -> list[Connection]:
    return [Connection(Reference(a, "y", "y"), Reference(b, "u", "u")) for a, b in sorted(pairs)]


def test_a_chain_is_followed_whatever_the_names(wires):
    order = propagation_order("ABC", wires("C.y>A.u", "A.y>B.u"))

    assert order.names == ("C", "A", "B")
    assert order.closing == ()


def test_without_wires_names_decide():
    assert propagation_order("CAB", []).names == ("A", "B", "C")


def test_a_loop_is_opened_where_it_is_and_not_behind_it(wires):
    order = propagation_order("ABXY", wires("X.y>Y.u", "Y.y>X.u", "Y.y>A.u", "A.y>B.u"))

    assert order.names == ("X", "Y", "A", "B")
    assert order.closing == tuple(wires("Y.y>X.u"))
    (finding,) = order.findings()
    assert (finding.code, finding.severity) == ("BUNDLE-LOOP", Severity.WARNING)


def test_a_loop_of_one_is_a_loop(wires):
    assert propagation_order("A", wires("A.y>A.u")).closing == tuple(wires("A.y>A.u"))


@given(edges)
def test_each_comes_once_and_only_closing_connections_run_backwards(pairs):
    order = propagation_order(NAMES, connect(pairs))

    assert sorted(order.names) == list(NAMES)
    place = order.names.index
    assert [c for c in connect(pairs) if place(c.source.model) >= place(c.target.model)] == list(order.closing)


@given(edges)
def test_a_closing_connection_lies_on_a_loop(pairs):
    for connection in propagation_order(NAMES, connect(pairs)).closing:
        reached, edge = set(), {connection.target.model}
        while edge:
            reached |= edge
            edge = {b for a, b in pairs if a in edge} - reached
        assert connection.source.model in reached


@given(edges, st.randoms())
def test_the_order_of_the_file_does_not_matter(pairs, random):
    shuffled = connect(pairs)
    random.shuffle(shuffled)

    assert propagation_order(NAMES, shuffled).names == propagation_order(NAMES, connect(pairs)).names
