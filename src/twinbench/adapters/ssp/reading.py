"""Reads SystemStructure.ssd: which FMUs there are, how they are wired across nested systems, what they start with.

Connections are followed through the connectors of systems, and their linear transformations composed, so that what
comes out is a flat wiring of components. Values of outer systems count more than those of inner ones, later bindings
more than earlier ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from twinbench.adapters.ssp.parameters import bindings
from twinbench.adapters.ssp.xml import MOST_LEVELS, UnusableError, children, first, number, parse, place, truth
from twinbench.core.bundle import Connection, Reference
from twinbench.core.findings import Finding, Severity

__all__ = ["STRUCTURE_NAME", "Component", "Structure", "read_structure"]

STRUCTURE_NAME = "SystemStructure.ssd"

_FMU_TYPES = ("application/x-fmu-sharedlibrary", "")
_NESTED_TYPES = ("application/x-ssp-definition", "application/x-ssp-package")
_MOST_COMPONENTS = 10_000
_MOST_PATHS = 100_000

Path_ = tuple[str, ...]
Port = tuple[Path_, str]


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
    reader = _Reader(folder)
    try:
        root = parse(folder / STRUCTURE_NAME)
        if root.tag != "SystemStructureDescription":
            raise UnusableError(f"holds <{root.tag[:80]}>, not <SystemStructureDescription>")
        system = first(root, "System")
        if system is None:
            raise UnusableError("holds no System")
        reader.read_system(system, (), folder)
    except UnusableError as error:
        hint = "Export the SSP anew."
        return Structure("", (), (), (Finding("SSP-UNREADABLE", Severity.ERROR, STRUCTURE_NAME, str(error), hint),))
    start_s, stop_s = reader.read_times(first(root, "DefaultExperiment"))
    connections = reader.flat_connections()
    return Structure(root.get("name", ""), reader.components(), connections, tuple(reader.findings), start_s, stop_s)


@dataclass
class _Wire:
    """Connects ports; the target is given ``factor * source + offset``."""

    source: Port
    factor: float
    offset: float
    is_transformed: bool


@dataclass
class _Reader:
    folder: Path
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._files: dict[Path_, Path] = {}
        self._kinds: dict[Port, str] = {}
        self._systems: set[Path_] = set()
        self._refused: set[Path_] = set()  # what is said of them is said
        self._incoming: dict[Port, list[_Wire]] = {}
        self._outgoing: dict[Port, list[tuple[Port, _Wire]]] = {}
        self._values: dict[Path_, dict[str, str]] = {}

    # From the document.

    def read_system(self, system: Element, path: Path_, base: Path) -> None:
        """Read a system and all in it."""
        if len(path) > MOST_LEVELS:
            raise UnusableError(f"nests systems more than {MOST_LEVELS} levels deep")
        self._systems.add(path)
        self._read_connectors(system, path)
        for elements in children(system, "Elements"):
            for element in elements:
                self._read_element(element, path, base)
        for connection in children(system, "Connections", "Connection"):
            self._read_connection(connection, path)
        self._bind(system, path, base)  # after what is inside: outer values count more

    def _read_element(self, element: Element, path: Path_, base: Path) -> None:
        inner = (*path, element.get("name", ""))
        if inner in self._files or inner in self._systems:
            self._tell("SSP-NAME-TWICE", Severity.ERROR, inner, "there are two elements of this name", "Rename one.")
        elif element.tag == "System":
            self.read_system(element, inner, base)
        elif element.tag == "Component":
            try:
                self._read_component(element, inner, base)
            except UnusableError as error:
                self._refused.add(inner)
                self._tell("SSP-COMPONENT", Severity.ERROR, inner, str(error), "Pack the FMU into the archive.")
        elif element.tag == "SignalDictionaryReference":
            hint = "Wire the FMUs directly."
            self._tell("SSP-LEFT-OUT", Severity.WARNING, inner, "signal dictionaries are not supported", hint)

    def _read_component(self, element: Element, path: Path_, base: Path) -> None:
        if len(self._files) >= _MOST_COMPONENTS:
            raise UnusableError(f"is one of more than {_MOST_COMPONENTS} components")
        source, type_ = element.get("source"), element.get("type", "")
        if source is None:
            raise UnusableError("names no source")
        if type_ in _NESTED_TYPES and source.lower().endswith(".ssd"):
            self._read_nested(element, path, place(source, base, self.folder))
            return
        if type_ not in _FMU_TYPES:
            raise UnusableError(f"is of type {type_}, which is not supported")
        if element.get("implementation", "any") == "ModelExchange":
            raise UnusableError("is wanted as Model Exchange; only Co-Simulation is supported")
        self._files[path] = place(source, base, self.folder)
        self._read_connectors(element, path)
        self._bind(element, path, base)

    def _read_nested(self, element: Element, path: Path_, file: Path) -> None:
        system = first(parse(file), "System")
        if system is None:
            raise UnusableError(f"refers to {file.name}, which holds no System")
        self.read_system(system, path, file.parent)
        self._bind(element, path, file.parent)

    def _read_connectors(self, element: Element, path: Path_) -> None:
        for connector in children(element, "Connectors", "Connector"):
            self._kinds[path, connector.get("name", "")] = connector.get("kind", "")

    def _read_connection(self, connection: Element, path: Path_) -> None:
        ends: list[Port] = []
        for end in ("start", "end"):
            element = connection.get(f"{end}Element")
            inner = (*path, element) if element else path
            ends.append((inner, connection.get(f"{end}Connector", "")))
        where = " -> ".join(_written(port) for port in ends)
        try:
            factor, offset, is_transformed = _transformation(connection)
        except UnusableError as error:
            hint = "Use a LinearTransformation, or let the FMUs agree."
            self.findings.append(Finding("SSP-TRANSFORMATION", Severity.ERROR, where, str(error), hint))
            return
        source, target = ends
        if self._gives(target, path) and not self._gives(source, path):
            source, target = target, source
            message = "this connection is written from input to output"
            hint = "It is taken the other way round; exchange start and end."
            self.findings.append(Finding("SSP-DIRECTION", Severity.WARNING, where, message, hint))
        wire = _Wire(source, factor, offset, is_transformed or truth(connection.get("suppressUnitConversion")))
        self._incoming.setdefault(target, []).append(wire)
        self._outgoing.setdefault(source, []).append((target, wire))

    def _gives(self, port: Port, inside: Path_) -> bool:
        """Whether a connector gives a value to connections of a system, as far as its kind says."""
        outer = ("input", "parameter") if port[0] == inside else ("output", "calculatedParameter")
        return self._kinds.get(port, "") in outer

    def _bind(self, element: Element, path: Path_, base: Path) -> None:
        for values in bindings(element, base, self.folder):
            if isinstance(values, UnusableError):
                self._tell("SSP-PARAMETERS", Severity.ERROR, path, f"a binding {values}", "Mend or remove it.")
            elif path in self._files:
                self._values.setdefault(path, {}).update(values)
            else:
                for name, value in values.items():
                    self._assign(path, name, value)

    def _assign(self, path: Path_, name: str, value: str) -> None:
        """Give a value to a connector of a system, or to a parameter of what is in it: ``element.parameter``."""
        if (path, name) in self._kinds:
            self._propagate((path, name), value)
            return
        inner, rest = path, name
        while inner not in self._files:
            known = [e for e in (*self._files, *self._systems) if len(e) > len(inner) and e[: len(inner)] == inner]
            heads = {e[len(inner)] for e in known}
            head = max((head for head in heads if rest.startswith(f"{head}.")), key=len, default=None)
            if head is None:
                break
            inner, rest = (*inner, head), rest[len(head) + 1 :]
        if inner in self._files:
            self._values.setdefault(inner, {})[rest] = value
        elif (inner, rest) in self._kinds:
            self._propagate((inner, rest), value)
        else:
            message = f"the value of {name!r} goes nowhere: there is no such connector or element"
            self._tell("SSP-PARAMETERS", Severity.WARNING, path, message, "Check its name.")

    def _propagate(self, port: Port, value: str) -> None:
        """Hand a value on from the connector of a system along its connections."""
        seen, edge = {port}, [(port, value)]
        while edge:
            at, text = edge.pop()
            for target, wire in self._outgoing.get(at, ()):
                if target in seen:
                    continue
                seen.add(target)
                handed = _scaled(text, wire)
                if target[0] in self._files:
                    self._values.setdefault(target[0], {})[target[1]] = handed
                else:
                    edge.append((target, handed))

    # To a flat structure.

    def components(self) -> tuple[Component, ...]:
        """All FMUs."""
        return tuple(
            Component(".".join(path), file, dict(self._values.get(path, {}))) for path, file in self._files.items()
        )

    def flat_connections(self) -> tuple[Connection, ...]:
        """Connections from FMU to FMU."""
        found: list[Connection] = []
        for target in self._incoming:
            if target[0] in self._files and self._kinds.get(target) not in ("parameter",):
                found += self._trace(target)
            elif target[0] not in self._files:
                self._require_element(target[0], "there is no such element")
        return tuple(found)

    def _trace(self, target: Port) -> list[Connection]:
        """Go back from an input to the outputs that drive it."""
        found: list[Connection] = []
        edge = [(target, 1.0, 0.0, False, frozenset([target]))]
        while edge and len(found) < _MOST_PATHS:
            port, factor, offset, is_transformed, seen = edge.pop()
            for wire in self._incoming.get(port, ()):
                gain, shift = factor * wire.factor, factor * wire.offset + offset
                changed = is_transformed or wire.is_transformed
                if wire.source[0] in self._files:
                    found.append(Connection(_reference(wire.source), _reference(target), gain, shift, changed))
                elif wire.source in seen:
                    message, hint = "connections between systems form a circle", "Remove one of them."
                    self._tell("SSP-CIRCLE", Severity.ERROR, wire.source[0], message, hint)
                elif wire.source[0] in self._systems:
                    edge.append((wire.source, gain, shift, changed, seen | {wire.source}))
                else:
                    self._require_element(wire.source[0], f"there is no such element, and it drives {_written(target)}")
        return found

    def _require_element(self, path: Path_, message: str) -> None:
        if path not in self._systems and path not in self._refused:
            self._tell("SSP-UNKNOWN-ELEMENT", Severity.ERROR, path, message, "Check its name.")

    def read_times(self, experiment: Element | None) -> tuple[float | None, float | None]:
        """When the default experiment begins and ends."""
        times: list[float | None] = []
        for name in ("startTime", "stopTime"):
            try:
                has_it = experiment is not None and experiment.get(name) is not None
                times.append(number(experiment, name, 0.0) if experiment is not None and has_it else None)
            except UnusableError as error:
                times.append(None)
                self._tell("SSP-EXPERIMENT", Severity.WARNING, (), str(error), "Give the times yourself.")
        return times[0], times[1]

    def _tell(self, code: str, severity: Severity, path: Path_, message: str, hint: str) -> None:
        self.findings.append(Finding(code, severity, ".".join(path) or STRUCTURE_NAME, message, hint))


def _transformation(connection: Element) -> tuple[float, float, bool]:
    linear = first(connection, "LinearTransformation")
    if linear is not None:
        return number(linear, "factor", 1.0), number(linear, "offset", 0.0), True
    other = next((child.tag for child in connection if child.tag.endswith("MappingTransformation")), "")
    if other:
        raise UnusableError(f"{other} is not supported on connections")
    return 1.0, 0.0, False


def _scaled(text: str, wire: _Wire) -> str:
    if (wire.factor, wire.offset) == (1.0, 0.0):
        return text
    try:
        return " ".join(repr(wire.factor * float(part) + wire.offset) for part in text.split())
    except ValueError:
        return text


def _reference(port: Port) -> Reference:
    return Reference(".".join(port[0]), port[1], port[1])


def _written(port: Port) -> str:
    return ".".join((*port[0], port[1]))
