"""In which order wired FMUs hand on their signals, so that each sees what the others say at the same point.

An output waits for those inputs it depends on directly; its FMU says which (``ModelStructure``), else all are assumed.
A feedback through an FMU whose outputs depend only on its state is no obstacle. Where outputs depend on each other in a
circle, no order exists: that is an *algebraic loop*. It is opened at the FMU with the fewest drivers inside it (the
first by name among equals), always at the same place for the same wiring.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from twinbench.core.bundle import Connection, Variable
from twinbench.core.findings import Finding, Severity

__all__ = ["Loop", "Visit", "find_loops", "loop_findings", "propagation_order"]

Models = Mapping[str, Mapping[str, Variable]]


@dataclass(frozen=True)
class Visit:
    """One FMU is given some inputs, then asked for some outputs."""

    model: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Loop:
    """An algebraic loop.

    Attributes:
        path: ``FMU.variable`` all around it, from an output to the input it drives and so on.
        visits: One round; the first has some inputs from the round before.
        feedback: Those outputs, as (FMU, variable).
    """

    path: tuple[str, ...]
    visits: tuple[Visit, ...]
    feedback: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Node:
    """Outputs of one FMU that wait for the same inputs."""

    model: str
    needs: frozenset[str]
    outputs: tuple[str, ...]


def propagation_order(
    models: Models, connections: Sequence[Connection], wanted: Mapping[str, Iterable[str]], *, when: str = "step"
) -> list[Visit | Loop]:
    """Say who is visited when.

    Args:
        models: FMU -> its variables.
        connections: The wiring; each input has one driver.
        wanted: FMU -> outputs that are asked for; all that drive something are among them.
        when: Which dependencies count: those at a communication point (``step``), those while FMUs are initialised
            (``initial``), or as if each output depended on all inputs (``always``).

    Returns:
        Visits that ask for each output once, and give each input once if an output waits for it.
    """
    return _Planner(models, connections, wanted, when).plan()


def find_loops(models: Models, connections: Sequence[Connection]) -> list[Loop]:
    """All algebraic loops of a wiring at a communication point."""
    wanted: dict[str, list[str]] = {}
    for connection in connections:
        wanted.setdefault(connection.source.model, []).append(connection.source.signal)
    order = propagation_order(models, connections, wanted)
    return [stage for stage in order if isinstance(stage, Loop)]


def loop_findings(models: Models, connections: Sequence[Connection]) -> list[Finding]:
    """The algebraic loops, for those who wire models."""
    message = "outputs depend on each other in a circle, without a state in between (an algebraic loop)"
    hint = (
        "By default it is opened with a delay of one communication step; --loops iterate solves it at each point. "
        "If an FMU on the way has no direct feed-through, its ModelStructure should say so."
    )
    return [
        Finding("BUNDLE-LOOP", Severity.WARNING, " -> ".join(loop.path), message, hint)
        for loop in find_loops(models, connections)
    ]


class _Planner:
    def __init__(
        self, models: Models, connections: Sequence[Connection], wanted: Mapping[str, Iterable[str]], when: str
    ) -> None:
        self._sources = {(c.target.model, c.target.signal): (c.source.model, c.source.signal) for c in connections}
        self._inputs: dict[str, list[str]] = {name: [] for name in models}
        for model, name in self._sources:
            self._inputs[model].append(name)
        self._nodes = [
            node for name in sorted(models) for node in self._split(name, models[name], wanted.get(name, ()), when)
        ]
        self._node_of = {(node.model, output): node for node in self._nodes for output in node.outputs}
        self._drivers = {
            node: {self._node_of[self._sources[node.model, name]] for name in node.needs} for node in self._nodes
        }
        self._done: set[_Node] = set()
        self._given: set[tuple[str, str]] = set()

    def _split(self, model: str, variables: Mapping[str, Variable], wanted: Iterable[str], when: str) -> list[_Node]:
        connected = frozenset(self._inputs[model])
        groups: dict[frozenset[str], list[str]] = {}
        for name in dict.fromkeys(wanted):
            variable = variables[name]
            depends = {"step": variable.depends_on, "initial": variable.starts_from}.get(when)
            groups.setdefault(connected if depends is None else connected & set(depends), []).append(name)
        return [_Node(model, needs, tuple(outputs)) for needs, outputs in groups.items()]

    def plan(self) -> list[Visit | Loop]:
        stages: list[Visit | Loop] = []
        waiting = list(self._nodes)
        while waiting:
            ready = [node for node in waiting if self._drivers[node] <= self._done]
            stages.append(self._visit(ready) if ready else self._loop(waiting))
            waiting = [node for node in waiting if node not in self._done]
        return stages

    def _visit(self, ready: Sequence[_Node], *, fresh: bool = True) -> Visit:
        """Visit the FMU that can be given most of its inputs and asked for most of its outputs."""

        def gain(node: _Node) -> tuple[int, int, str]:
            late = sum(not self._has_come(node.model, name) for name in self._inputs[node.model])
            outputs = sum(len(other.outputs) for other in ready if other.model == node.model)
            return (late, -outputs, node.model)

        model = min(ready, key=gain).model
        nodes = [node for node in ready if node.model == model]
        self._done.update(nodes)
        needed = frozenset().union(*(node.needs for node in nodes))
        inputs = tuple(
            name
            for name in self._inputs[model]
            if (self._has_come(model, name) or not fresh) and (name in needed) and (model, name) not in self._given
        )
        if fresh:
            self._given.update((model, name) for name in inputs)
        return Visit(model, inputs, tuple(output for node in nodes for output in node.outputs))

    def _has_come(self, model: str, name: str) -> bool:
        return self._node_of[self._sources[model, name]] in self._done

    def _loop(self, waiting: Sequence[_Node]) -> Loop:
        """Go once around a loop behind which nothing waits."""
        drivers = {node: self._drivers[node] & set(waiting) for node in waiting}
        upstream = {node: _upstream(node, drivers) for node in waiting}
        ring = [node for node in waiting if all(node in upstream[other] for other in upstream[node])]
        ring = [node for node in ring if node in upstream[ring[0]]]
        visits: list[Visit] = []
        feedback: dict[tuple[str, str], None] = {}
        left = list(ring)
        while left:
            ready = [node for node in left if self._drivers[node] <= self._done]
            if ready:
                visits.append(self._visit(ready))
            else:
                opening = min(left, key=lambda node: (len(drivers[node] & set(left)), node.model, node.outputs))
                feedback.update(dict.fromkeys(self._late(opening)))
                visits.append(self._visit([opening], fresh=False))
            left = [node for node in left if node not in self._done]
        return Loop(self._path(ring), tuple(visits), tuple(feedback))

    def _late(self, node: _Node) -> list[tuple[str, str]]:
        sources = [self._sources[node.model, name] for name in sorted(node.needs)]
        return [source for source in sources if self._node_of[source] not in self._done]

    def _path(self, ring: Sequence[_Node]) -> tuple[str, ...]:
        """Walk against the signals until a node comes again."""
        seen: list[_Node] = []
        steps: list[tuple[str, str]] = []
        node = ring[0]
        while node not in seen:
            seen.append(node)
            name = next(
                name for name in sorted(node.needs) if self._node_of[self._sources[node.model, name]] in set(ring)
            )
            output = self._sources[node.model, name]
            steps.append((f"{node.model}.{name}", ".".join(output)))
            node = self._node_of[output]
        steps = steps[seen.index(node) :]
        return tuple(part for given, output in reversed(steps) for part in (output, given))


def _upstream(node: _Node, drivers: Mapping[_Node, set[_Node]]) -> set[_Node]:
    """All that drive a node, directly or through others; the node itself if it is in a loop."""
    found: set[_Node] = set()
    edge = set(drivers[node])
    while edge:
        found |= edge
        edge = {driver for member in edge for driver in drivers[member]} - found
    return found
