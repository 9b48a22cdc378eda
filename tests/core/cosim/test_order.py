"""Outputs come after the inputs they depend on; algebraic loops are found, named and opened at one place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.bundle import Connection, Reference, Variable
from twinbench.core.cosim import find_loops, loop_findings, propagation_order
from twinbench.core.cosim.order import Loop, Visit
from twinbench.core.findings import Severity

NAMES = "ABCDE"
wirings = st.dictionaries(
    st.tuples(st.sampled_from(NAMES), st.sampled_from("uv")),
    st.tuples(st.sampled_from(NAMES), st.sampled_from("yz")),
)
DEPENDENCIES = st.sampled_from([None, (), ("u",), ("v",), ("u", "v")])
dependencies = st.dictionaries(st.tuples(st.sampled_from(NAMES), st.sampled_from("yz")), DEPENDENCIES)


def models(depends, names=NAMES) -> dict[str, dict[str, Variable]]:
    return {
        name: {
            "u": Variable("u", "input", "Float64"),
            "v": Variable("v", "input", "Float64"),
            **{y: Variable(y, "output", "Float64", depends_on=depends.get((name, y))) for y in "yz"},
        }
        for name in names
    }


def connect(wiring) -> list[Connection]:
    return [Connection(Reference(a, y, y), Reference(b, u, u)) for (b, u), (a, y) in wiring.items()]


def needs(wiring, depends, node) -> set:
    """Outputs that must be known before an output is."""
    given = depends.get(node)
    inputs = ("u", "v") if given is None else given
    return {wiring[node[0], name] for name in inputs if (node[0], name) in wiring}


ALL = {name: ["y", "z"] for name in NAMES}


@given(wirings, dependencies)
def test_each_output_is_asked_once_and_after_what_it_waits_for(wiring, depends):
    done: set = set()
    for stage in propagation_order(models(depends), connect(wiring), ALL):
        visits = stage.visits if isinstance(stage, Loop) else (stage,)
        ring = {(visit.model, name) for visit in visits for name in visit.outputs}
        assert not ring & done
        late = ring if isinstance(stage, Loop) else set()
        assert all(needs(wiring, depends, node) <= done | late for node in ring)
        done |= ring
    assert done == {(name, y) for name in NAMES for y in "yz"}


@given(wirings, dependencies)
def test_what_is_called_a_loop_is_one_and_each_loop_is_found(wiring, depends):
    found = {tuple(part.split(".")) for loop in find_loops(models(depends), connect(wiring)) for part in loop.path[::2]}

    def reached(node) -> set:
        seen, edge = set(), needs(wiring, depends, node)
        while edge:
            seen |= edge
            edge = {other for member in edge for other in needs(wiring, depends, member)} - seen
        return seen

    circular = {node for node in set(wiring.values()) if node in reached(node)}
    assert found <= circular
    assert bool(found) == bool(circular)


@given(wirings, dependencies, st.randoms())
def test_the_order_of_the_file_does_not_matter_for_who_waits(wiring, depends, random):
    shuffled = connect(wiring)
    random.shuffle(shuffled)

    def outputs(connections):
        stages = propagation_order(models(depends), connections, ALL)
        visits = [v for stage in stages for v in (stage.visits if isinstance(stage, Loop) else (stage,))]
        return [(visit.model, visit.outputs) for visit in visits]

    assert outputs(shuffled) == outputs(connect(wiring))


def test_a_chain_of_feed_throughs_is_followed_whatever_the_names(wires):
    order = propagation_order(models({}), wires("C.y>A.u", "A.y>B.u"), {"A": ["y"], "B": ["y"], "C": ["y"]})

    assert order == [Visit("C", (), ("y",)), Visit("A", ("u",), ("y",)), Visit("B", ("u",), ("y",))]


def test_a_feedback_through_a_state_is_no_loop(wires):
    assert find_loops(models({("A", "y"): ()}), wires("A.y>B.u", "B.y>A.u")) == []


def test_an_fmu_that_does_not_say_what_its_outputs_depend_on_may_close_a_loop(wires):
    (finding,) = loop_findings(models({}), wires("A.y>B.u", "B.y>A.u"))

    assert (finding.code, finding.severity) == ("BUNDLE-LOOP", Severity.WARNING)
    assert finding.where == "A.y -> B.u -> B.y -> A.u"


def test_a_loop_of_one_is_a_loop(wires):
    (loop,) = find_loops(models({}), wires("A.y>A.u"))

    assert loop.path == ("A.y", "A.u")
    assert loop.feedback == (("A", "y"),)


def test_in_gauss_seidel_drivers_come_first_even_without_a_feed_through(wires):
    depends = {(name, y): () for name in NAMES for y in "yz"}
    order = propagation_order(models(depends), wires("C.y>A.u"), {"A": ["y"], "C": ["y"]}, when="always")

    assert [visit.model for visit in order] == ["C", "A"]
