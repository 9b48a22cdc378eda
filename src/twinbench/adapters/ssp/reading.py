"""Reads SystemStructure.ssd: which FMUs there are, how they are wired across nested systems, what they start with.

Connections are followed through the connectors of systems, and their linear transformations composed, so that what
comes out is a flat wiring of components. Values of outer systems count more than those of inner ones, later bindings
more than earlier ones. Time and memory are bounded whatever the documents say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from xml.etree.ElementTree import Element

from twinbench.adapters.ssp.parameters import bindings, scaled
from twinbench.adapters.ssp.xml import (
    MOST_LEVELS,
    Documents,
    TooLargeError,
    UnusableError,
    children,
    first,
    number,
    truth,
)
from twinbench.core.bundle import Connection, Reference
from twinbench.core.findings import Finding, Severity

__all__ = ["STRUCTURE_NAME", "Component", "Structure", "read_structure"]

STRUCTURE_NAME = "SystemStructure.ssd"

_FMU_TYPES = ("application/x-fmu-sharedlibrary", "")
_NESTED_TYPES = ("application/x-ssp-definition", "application/x-ssp-package")
_OUTER_SOURCES = frozenset(["input", "parameter", "structuralParameter"])
_INNER_SOURCES = frozenset(["output", "calculatedParameter", "constant", "local"])
_PARAMETERS = frozenset(["parameter", "structuralParameter"])
_MOST_COMPONENTS = 10_000
_MOST_FINDINGS = 1_000
_MOST_DOTS = 200
_MOST_SHOWN = 5

Place = tuple[str, ...]  # names of elements, outermost first
Port = tuple[Place, str]


@dataclass(frozen=True)
class Component:
    """One FMU of a structure.

    Attributes:
        name: What it is called; within nested systems ``system.component``.
        file: The FMU.
        start_values: Variable -> value as text; the elements of an array are separated by blanks.
    """

    name: str
    file: Path
    start_values: Mapping[str, str]


@dataclass(frozen=True)
class Structure:
    """What a structure says.

    Attributes:
        connections: From component to component.
        findings: Everything that is wrong or was left out.
        start_time_s: Of the default experiment; likewise *stop_time_s*.
    """

    name: str
    components: tuple[Component, ...]
    connections: tuple[Connection, ...]
    findings: tuple[Finding, ...]
    start_time_s: float | None = None
    stop_time_s: float | None = None


def read_structure(folder: Path) -> Structure:
    """Read the structure of an unpacked archive; what cannot be read is left out and reported."""
    reader = _Reader(Documents(folder))
    path = folder.resolve() / STRUCTURE_NAME
    try:
        root = reader.documents.open(path, "SystemStructureDescription")
        reader.read_root(root, (), path)
    except (UnusableError, TooLargeError) as error:
        code = "SSP-UNREADABLE" if isinstance(error, UnusableError) else "SSP-TOO-LARGE"
        return Structure("", (), (), (Finding(code, Severity.ERROR, STRUCTURE_NAME, str(error), error.hint),))
    start_s, stop_s = reader.read_times(first(root, "DefaultExperiment"))
    connections = tuple(reader.flat_connections())
    return Structure(root.get("name", ""), reader.components(), connections, tuple(reader.findings), start_s, stop_s)


@dataclass(frozen=True)
class _Wire:
    """Drives a port, which is given ``factor * source + offset``."""

    source: Port
    factor: float = 1.0
    offset: float = 0.0
    is_converted: bool = False

    def after(self, other: _Wire) -> _Wire:
        """This wire, behind another one."""
        factor, offset = self.factor * other.factor, self.factor * other.offset + self.offset
        return _Wire(other.source, factor, offset, self.is_converted or other.is_converted)


@dataclass
class _Reader:
    documents: Documents
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._files: dict[Place, Path] = {}
        self._systems: set[Place] = set()
        self._names: dict[str, list[Place]] = {}  # joined with dots, as bindings write them
        self._refused: set[Place] = set()  # what is said of them is said
        self._kinds: dict[Port, str] = {}
        self._incoming: dict[Port, list[_Wire]] = {}
        self._outgoing: dict[Port, list[tuple[Port, _Wire]]] = {}
        self._drivers: dict[Port, _Wire | None] = {}
        self._values: dict[Place, dict[str, str]] = {}
        self._open: list[Path] = []

    # From the documents.

    def read_root(self, root: Element, place: Place, path: Path) -> None:
        """Read the system a document holds."""
        system = first(root, "System")
        if system is None:
            raise UnusableError(f"{path.name} holds no System")
        if path in self._open:
            raise UnusableError(f"{path.name} contains itself", "Remove the reference.")
        self._open.append(path)
        try:
            self._read_system(system, place, path.parent)
        finally:
            self._open.pop()

    def _read_system(self, system: Element, place: Place, base: Path) -> None:
        if len(place) > MOST_LEVELS:
            raise UnusableError(f"systems are nested more than {MOST_LEVELS} levels deep", "Flatten them.")
        self._systems.add(place)
        self._read_connectors(system, place)
        for elements in children(system, "Elements"):
            for element in elements:
                self._read_element(element, place, base)
        for connection in children(system, "Connections", "Connection"):
            self._read_connection(connection, place)
        self._bind(system, place, base)  # after what is inside: outer values count more

    def _read_element(self, element: Element, place: Place, base: Path) -> None:
        name = element.get("name", "")
        inner = (*place, name)
        others = self._names.setdefault(".".join(inner), [])
        if not name or inner in others:
            message = "there are two elements of this name" if name else "an element has no name"
            self._tell("SSP-NAME", Severity.ERROR, inner, message, "Give each element a name of its own.")
            return
        others.append(inner)
        try:
            self._read_kind(element, inner, base)
        except UnusableError as error:
            self._refused.add(inner)
            self._tell("SSP-COMPONENT", Severity.ERROR, inner, str(error), error.hint)

    def _read_kind(self, element: Element, place: Place, base: Path) -> None:
        if element.tag == "System":
            self._read_system(element, place, base)
        elif element.tag == "Component":
            self._read_component(element, place, base)
        elif element.tag == "SignalDictionaryReference":
            self._refused.add(place)
            message = "signal dictionaries are not supported; connections through it are left out"
            self._tell("SSP-LEFT-OUT", Severity.WARNING, place, message, "Wire the FMUs directly.")

    def _read_component(self, element: Element, place: Place, base: Path) -> None:
        source, type_ = element.get("source"), element.get("type", "")
        if len(self._files) >= _MOST_COMPONENTS:
            raise UnusableError(f"is one of more than {_MOST_COMPONENTS} components", "Split the structure.")
        if source is None:
            raise UnusableError("names no source", "Name the FMU.")
        if type_ in _NESTED_TYPES and source.lower().endswith(".ssd"):
            path = self.documents.place(source, base)
            self.read_root(self.documents.open(path, "SystemStructureDescription"), place, path)
            self._bind(element, place, base)
            return
        if type_ not in _FMU_TYPES:
            raise UnusableError(f"is of type {type_[:80]}, which is not supported", "Use an FMU.")
        if element.get("implementation", "any") == "ModelExchange":
            hint = "Export the FMU for Co-Simulation."
            raise UnusableError("is wanted as Model Exchange; only Co-Simulation is supported", hint)
        self._files[place] = self.documents.place(source, base)
        self._read_connectors(element, place)
        self._bind(element, place, base)

    def _read_connectors(self, element: Element, place: Place) -> None:
        for connector in children(element, "Connectors", "Connector"):
            self._kinds[place, connector.get("name", "")] = connector.get("kind", "")

    def _read_connection(self, connection: Element, place: Place) -> None:
        ends: list[Port] = []
        for end in ("start", "end"):
            element = connection.get(f"{end}Element")
            ends.append(((*place, element) if element else place, connection.get(f"{end}Connector", "")))
        where = " -> ".join(map(_written, ends))
        try:
            factor, offset = _transformation(connection)
        except UnusableError as error:
            self._tell("SSP-TRANSFORMATION", Severity.ERROR, where, str(error), error.hint)
            return
        source, target = ends
        if self._flows(target, place) > self._flows(source, place):  # the standard lets either end come first
            source, target = target, source
            message = "this connection is written from its end to its start"
            self._tell(
                "SSP-DIRECTION", Severity.NOTE, where, message, "The kinds of its connectors tell its direction."
            )
        wire = _Wire(source, factor, offset, truth(connection.get("suppressUnitConversion")))
        self._incoming.setdefault(target, []).append(wire)
        self._outgoing.setdefault(source, []).append((target, wire))

    def _flows(self, port: Port, inside: Place) -> int:
        """1 if a connector gives a value to connections of a system, -1 if it takes one, 0 if its kind says neither."""
        kind = self._kinds.get(port, "")
        is_outer = port[0] == inside
        if kind in _OUTER_SOURCES:
            return 1 if is_outer else -1
        return (-1 if is_outer else 1) if kind in _INNER_SOURCES else 0

    # Start values.

    def _bind(self, element: Element, place: Place, base: Path) -> None:
        for values in bindings(element, base, self.documents):
            if isinstance(values, UnusableError):
                self._tell("SSP-PARAMETERS", Severity.ERROR, place, f"a binding {values}", values.hint)
            else:
                self._assign_all(place, values)

    def _assign_all(self, place: Place, values: Mapping[str, str]) -> None:
        lost = []
        for name, value in values.items():
            ports = [(place, name)] if place in self._files else self._find(place, name)
            for port in ports:
                self._assign(port, value)
            if not ports:
                lost.append(name[:80])
        if lost:
            shown = ", ".join(lost[:_MOST_SHOWN]) + (", ..." if len(lost) > _MOST_SHOWN else "")
            message = f"{len(lost)} of {len(values)} values of a binding go nowhere: {shown}"
            hint = "Check the names if they were meant for a connector or element."
            self._tell("SSP-PARAMETERS", Severity.WARNING, place, message, hint)

    def _find(self, place: Place, name: str) -> list[Port]:
        """What a name means in a system: a connector of it, or what is within an element: ``element.parameter``.

        Where it can mean several, those that are connectors count, or else the element with the longest name.
        """
        found = [(place, name)] if (place, name) in self._kinds else []
        rest: list[Port] = []
        prefix = f"{'.'.join(place)}." if place else ""
        end = name.find(".")
        for _ in range(_MOST_DOTS):
            if end < 0:
                break
            inner = [e for e in self._names.get(prefix + name[:end], ()) if e[: len(place)] == place]
            rest = [(e, name[end + 1 :]) for e in inner if e in self._files] or rest
            found += [(e, name[end + 1 :]) for e in inner if (e, name[end + 1 :]) in self._kinds]
            end = name.find(".", end + 1)
        return found or rest

    def _assign(self, port: Port, value: str) -> None:
        """Give a value to a variable, or hand it on from the connector of a system along its connections."""
        seen, edge = {port}, [(port, value)]
        while edge:
            (place, name), text = edge.pop()
            if place in self._files:
                self._values.setdefault(place, {})[name] = text
                continue
            wires = () if self._kinds.get((place, name)) in _INNER_SOURCES else self._outgoing.get((place, name), ())
            self.documents.spend(1 + len(wires))
            for target, wire in wires:
                if target not in seen:
                    seen.add(target)
                    self._hand_on(target, text, wire, edge)

    def _hand_on(self, target: Port, text: str, wire: _Wire, edge: list[tuple[Port, str]]) -> None:
        try:
            edge.append((target, scaled(text, wire.factor, wire.offset)))
        except UnusableError as error:
            self._tell("SSP-PARAMETERS", Severity.ERROR, _written(target), f"a connection {error}", error.hint)

    # To a flat structure.

    def components(self) -> tuple[Component, ...]:
        """All FMUs."""
        found: dict[str, Component] = {}
        for place, file in self._files.items():
            name = ".".join(place)
            if name in found:
                message = "two elements of different systems are called the same once their names are joined"
                self._tell("SSP-NAME", Severity.ERROR, place, message, "Rename one.")
            found[name] = Component(name, file, dict(self._values.get(place, {})))
        return tuple(found.values())

    def flat_connections(self) -> Iterator[Connection]:
        """Connections from FMU to FMU."""
        for target, wires in self._incoming.items():
            if target[0] not in self._files:
                self._require_element(target[0], "there is no such element")
                self._require_one(target, wires)
                continue
            for wire in wires:
                driver = self._driver(wire.source, target)
                if driver is not None:
                    yield from self._connect(wire.after(driver), target)

    def _connect(self, driver: _Wire, target: Port) -> Iterator[Connection]:
        where = f"{_written(driver.source)} -> {_written(target)}"
        if not (isfinite(driver.factor) and isfinite(driver.offset)):
            message = "its transformations compose to no finite number"
            self._tell("SSP-TRANSFORMATION", Severity.ERROR, where, message, "Use smaller factors.")
        elif self._kinds.get(target) in _PARAMETERS:
            message = "a value that an FMU computes drives a parameter, which is not supported"
            self._tell("SSP-LEFT-OUT", Severity.ERROR, where, message, "Give the parameter a start value.")
        else:
            ends = _reference(driver.source), _reference(target)
            yield Connection(*ends, driver.factor, driver.offset, driver.is_converted)

    def _driver(self, port: Port, target: Port) -> _Wire | None:
        """Go back along connectors of systems to the FMU that drives a port; each connector is passed once."""
        trail: dict[Port, _Wire] = {}
        while port[0] in self._systems and port not in self._drivers:
            incoming = self._incoming.get(port)
            if port in trail:
                message = "connections between systems form a circle"
                self._tell("SSP-CIRCLE", Severity.ERROR, port[0], message, "Remove one of them.")
            if port in trail or not incoming:
                self._drivers[port] = None
            else:
                trail[port] = incoming[0]
                port = incoming[0].source
        if port[0] not in self._files and port[0] not in self._systems:
            self._require_element(port[0], f"there is no such element, and it drives {_written(target)}")
        driver = _Wire(port) if port[0] in self._files else self._drivers.get(port)
        for at, wire in reversed(trail.items()):
            driver = self._drivers[at] = wire.after(driver) if driver else None
        return driver

    def _require_one(self, target: Port, wires: list[_Wire]) -> None:
        if len(wires) > 1 and target[0] in self._systems:
            message = f"this connector is driven by {len(wires)} connections"
            self._tell("SSP-DRIVEN-TWICE", Severity.ERROR, _written(target), message, "Keep one of them.")

    def _require_element(self, place: Place, message: str) -> None:
        if place not in self._systems and place not in self._refused:
            self._refused.add(place)
            self._tell("SSP-UNKNOWN-ELEMENT", Severity.ERROR, place, message, "Check its name.")

    def read_times(self, experiment: Element | None) -> tuple[float | None, float | None]:
        """When the default experiment begins and ends."""
        times: list[float | None] = []
        for name in ("startTime", "stopTime"):
            is_given = experiment is not None and experiment.get(name) is not None
            try:
                times.append(number(experiment, name, 0.0) if experiment is not None and is_given else None)
            except UnusableError as error:
                times.append(None)
                self._tell("SSP-EXPERIMENT", Severity.WARNING, (), str(error), "Give the times yourself.")
        return times[0], times[1]

    def _tell(self, code: str, severity: Severity, where: Place | str, message: str, hint: str) -> None:
        if len(self.findings) < _MOST_FINDINGS:
            at = where if isinstance(where, str) else ".".join(where)
            self.findings.append(Finding(code, severity, at or STRUCTURE_NAME, message, hint))
        elif len(self.findings) == _MOST_FINDINGS:
            message, hint = f"there are more than {_MOST_FINDINGS} findings", "Mend these first."
            self.findings.append(Finding("SSP-MORE", Severity.ERROR, STRUCTURE_NAME, message, hint))


def _transformation(connection: Element) -> tuple[float, float]:
    for indices in ("startIndices", "endIndices"):
        if connection.get(indices) is not None:
            raise UnusableError(f"{indices} are not supported", "Connect whole arrays.")
    linear = first(connection, "LinearTransformation")
    if linear is not None:
        return number(linear, "factor", 1.0), number(linear, "offset", 0.0)
    other = next((child.tag for child in connection if child.tag.endswith("MappingTransformation")), "")
    if other:
        hint = "Use a LinearTransformation, or let the FMUs agree."
        raise UnusableError(f"{other[:80]} is not supported on connections", hint)
    return 1.0, 0.0


def _reference(port: Port) -> Reference:
    return Reference(".".join(port[0]), port[1], port[1])


def _written(port: Port) -> str:
    return ".".join((*port[0], port[1]))
