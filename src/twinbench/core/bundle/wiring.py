"""Whether FMUs can be wired as their interconnection file says: everything that is wrong, at once.

Names are taken as written or, failing that, apart from blanks: ``FMU _04/Port_C`` (D6.4) finds ``FMU_04``. The variable
is named by the signal of a reference, or by ``port.signal``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from twinbench.core.bundle.document import (
    NUMERIC_TYPES,
    Connection,
    ModelSummary,
    Reference,
    Variable,
    error,
    suggestion,
)
from twinbench.core.bundle.units import conversion
from twinbench.core.findings import Finding, Severity, blocking

__all__ = ["check_wiring", "resolve_connections"]

_MOST_SUGGESTIONS = 100  # finding a similar name takes a while, and a file may be all wrong


def check_wiring(models: Sequence[ModelSummary], connections: Sequence[Connection]) -> list[Finding]:
    """All findings about how these FMUs are wired."""
    return resolve_connections(models, connections)[1]


def resolve_connections(
    models: Sequence[ModelSummary], connections: Sequence[Connection]
) -> tuple[list[Connection], list[Finding]]:
    """Find the variables that connections mean.

    Returns:
        The connections that can be made, with the names as the FMUs write them, and the findings about all.
    """
    names = _Names({model.name: model for model in models})
    findings: list[Finding] = []
    drivers: dict[Reference, Connection] = {}
    attempted: set[Reference] = set()
    for connection in connections:
        output = _find(names, connection.source, findings)
        input_ = _find(names, connection.target, findings)
        if input_:
            attempted.add(input_[0])
        if not output or not input_:
            continue
        where = str(connection)
        found = replace(connection, source=output[0], target=input_[0])
        faults = [*_compare(where, output[1], input_[1]), *_check_driver(where, drivers, found)]
        found, notes = _convert(where, found, output[1], input_[1])
        findings += [*faults, *notes]
        if not blocking([*faults, *notes]):
            drivers[input_[0]] = found
    findings += _unconnected(models, attempted)
    return list(drivers.values()), findings


@dataclass
class _Names:
    """Names of FMUs and variables: as written or, failing that, apart from blanks (``FMU _04``, as in D6.4)."""

    models: Mapping[str, ModelSummary]

    def __post_init__(self) -> None:
        self._loose: dict[str, dict[str, str]] = {}

    def match(self, wanted: tuple[str, ...], known: Mapping[str, object], key: str) -> str | None:
        """The known name that is wanted; *key* tells one set of known names from another."""
        exact = next((name for name in wanted if name in known), None)
        if exact is not None:
            return exact
        if key not in self._loose:
            self._loose[key] = {"".join(name.split()): name for name in known}
        found = (self._loose[key].get("".join(name.split())) for name in wanted)
        return next((name for name in found if name is not None), None)


def _find(names: _Names, reference: Reference, findings: list[Finding]) -> tuple[Reference, Variable] | None:
    name = names.match((reference.model,), names.models, "")
    if name is None:
        hint = _suggestion(reference.model, names.models, findings) + " An FMU is named by its file, without .fmu."
        findings.append(error("BUNDLE-UNKNOWN-MODEL", str(reference), f"no FMU {reference.model} in the bundle", hint))
        return None
    variables = names.models[name].variables
    variable = names.match((reference.signal, f"{reference.port}.{reference.signal}"), variables, name)
    if variable is None:
        message = f"{name} has no variable {reference.signal}"
        hint = _suggestion(reference.signal, _connectable(variables), findings)
        findings.append(error("BUNDLE-UNKNOWN-VARIABLE", str(reference), message, hint))
        return None
    return Reference(name, variable, variable), variables[variable]


def _suggestion(name: str, known: Iterable[str], findings: Sequence[Finding]) -> str:
    return suggestion(name, known) if len(findings) < _MOST_SUGGESTIONS else "Check the name."


def _connectable(variables: Mapping[str, Variable]) -> Iterator[str]:
    return (variable.name for variable in variables.values() if variable.causality in ("input", "output"))


def _compare(where: str, output: Variable, input_: Variable) -> list[Finding]:
    """What stands against this output driving this input."""
    if (output.causality, input_.causality) == ("input", "output"):
        message = f"{output.name} is an input and {input_.name} an output"
        return [error("BUNDLE-DIRECTION", where, message, "Exchange InSignalReference and OutSignalReference.")]
    findings = []
    for code, variable, wanted in (
        ("BUNDLE-NOT-AN-OUTPUT", output, "output"),
        ("BUNDLE-NOT-AN-INPUT", input_, "input"),
    ):
        if variable.causality != wanted:
            message = f"{variable.name} has causality {variable.causality}, not {wanted}"
            findings.append(error(code, where, message, "Connect an output of one FMU to an input of another."))
    if output.type != input_.type:
        message = f"{output.type} drives {input_.type}"
        findings.append(error("BUNDLE-TYPE-MISMATCH", where, message, "Give both variables the same type."))
    elif output.type not in NUMERIC_TYPES:
        message = f"carries {output.type}"
        hint = "The lab connects numbers, booleans and enumerations; set texts as start values."
        findings.append(error("BUNDLE-TYPE-UNSUPPORTED", where, message, hint))
    if output.dimensions != input_.dimensions:
        message = f"shape {list(output.dimensions)} drives shape {list(input_.dimensions)}"
        findings.append(error("BUNDLE-SHAPE-MISMATCH", where, message, "Give both variables the same dimensions."))
    return findings


def _convert(
    where: str, connection: Connection, output: Variable, input_: Variable
) -> tuple[Connection, list[Finding]]:
    """Convert between the units of the two ends, before what the wiring transforms; compare their start values."""
    findings: list[Finding] = []
    if not connection.is_converted and output.unit and input_.unit:
        connection, findings = _convert_unit(where, connection, output, input_)
    if not blocking(findings):
        findings += _compare_starts(where, connection, output, input_)
    return connection, findings


def _convert_unit(
    where: str, connection: Connection, output: Variable, input_: Variable
) -> tuple[Connection, list[Finding]]:
    one, other = output.unit_definition, input_.unit_definition
    if one is None or other is None:
        if output.unit == input_.unit:
            return connection, []
        message = f"{output.unit} drives {input_.unit}, without conversion, since one of them is not defined by its FMU"
        hint = "Give both variables the same unit, or be sure that the numbers agree."
        return connection, [Finding("BUNDLE-UNIT-MISMATCH", Severity.WARNING, where, message, hint)]
    converted = conversion(one, other, relative=output.is_relative or input_.is_relative)
    if converted is None:
        message = f"{output.unit} drives {input_.unit}: they measure different things"
        hint = "Connect variables of one kind, or mend the unit definitions of the FMUs."
        return connection, [error("BUNDLE-UNIT-DIMENSION", where, message, hint)]
    if converted == (1.0, 0.0):
        return connection, []
    factor, offset = converted
    gain, shift = connection.factor * factor, connection.factor * offset + connection.offset
    message = f"{output.unit} drives {input_.unit}: the value is converted, times {factor:g} plus {offset:g}"
    note = Finding("BUNDLE-UNIT-CONVERTED", Severity.NOTE, where, message, "Nothing has to be done.")
    return replace(connection, factor=gain, offset=shift, is_converted=True), [note]


def _compare_starts(where: str, connection: Connection, output: Variable, input_: Variable) -> list[Finding]:
    """Whether the output begins with another value than the one the input says it begins with."""
    try:
        given = [connection.factor * float(part) + connection.offset for part in (output.start or "").split()]
        expected = [float(part) for part in (input_.start or "").split()]
    except ValueError:  # booleans
        return []
    if not given or not expected or given == expected or _is_close(given, expected):
        return []
    message = f"the output starts at {output.start}, the input at {input_.start}"
    hint = "The output's value is used. Change one of them if the model was tuned for the other."
    return [Finding("BUNDLE-START-DIFFERS", Severity.WARNING, where, message, hint)]


def _is_close(given: Sequence[float], expected: Sequence[float]) -> bool:
    return len(given) == len(expected) and all(
        abs(a - b) <= 1e-9 * max(abs(a), abs(b)) for a, b in zip(given, expected, strict=True)
    )


def _check_driver(where: str, drivers: Mapping[Reference, Connection], found: Connection) -> list[Finding]:
    driver = drivers.get(found.target)
    if driver is None:
        return []
    if driver.source == found.source:
        message = "this connection is there twice"
        return [Finding("BUNDLE-CONNECTED-TWICE", Severity.WARNING, where, message, "Remove one of the entries.")]
    message = f"{found.target} is also driven by {driver.source}"
    return [error("BUNDLE-DRIVEN-TWICE", where, message, "Keep one of the two connections.")]


def _unconnected(models: Sequence[ModelSummary], attempted: set[Reference]) -> list[Finding]:
    findings = []
    for model in models:
        for name, variable in model.variables.items():
            if variable.causality == "input" and Reference(model.name, name, name) not in attempted:
                message = f"this input is not connected and keeps its start value {variable.start}"
                hint = "Connect it if the model needs it."
                findings.append(
                    Finding("BUNDLE-UNCONNECTED-INPUT", Severity.NOTE, f"/{model.name}/{name}/{name}", message, hint)
                )
    return findings
