"""Whether FMUs can be wired as their interconnection file says: everything that is wrong, at once.

Names are taken as written or, failing that, apart from blanks: ``FMU _04/Port_C`` (D6.4) finds ``FMU_04``. The variable
is named by the signal of a reference, or by ``port.signal``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from twinbench.core.bundle.document import Connection, ModelSummary, Reference, Variable, error, suggestion
from twinbench.core.findings import Finding, Severity, blocking

__all__ = ["check_wiring", "resolve_connections"]


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
    by_name = {model.name: model for model in models}
    findings: list[Finding] = []
    drivers: dict[Reference, Reference] = {}
    attempted: set[Reference] = set()
    for connection in connections:
        output = _find(by_name, connection.source, findings)
        input_ = _find(by_name, connection.target, findings)
        if input_:
            attempted.add(input_[0])
        if not output or not input_:
            continue
        where = str(connection)
        faults = [*_compare(where, output[1], input_[1]), *_check_driver(where, drivers, output[0], input_[0])]
        findings += faults
        if not blocking(faults):
            drivers[input_[0]] = output[0]
    findings += _unconnected(models, attempted)
    return [Connection(source, target) for target, source in drivers.items()], findings


def _find(
    models: Mapping[str, ModelSummary], reference: Reference, findings: list[Finding]
) -> tuple[Reference, Variable] | None:
    name = _match((reference.model,), models)
    if name is None:
        hint = suggestion(reference.model, models) + " An FMU is named by its file, without .fmu."
        findings.append(error("BUNDLE-UNKNOWN-MODEL", str(reference), f"no FMU {reference.model} in the bundle", hint))
        return None
    variables = models[name].variables
    variable = _match((reference.signal, f"{reference.port}.{reference.signal}"), variables)
    if variable is None:
        message = f"{name} has no variable {reference.signal}"
        hint = suggestion(reference.signal, _connectable(variables))
        findings.append(error("BUNDLE-UNKNOWN-VARIABLE", str(reference), message, hint))
        return None
    return Reference(name, variable, variable), variables[variable]


def _match(wanted: tuple[str, ...], known: Iterable[str]) -> str | None:
    """The known name that is wanted: as written, or else apart from blanks (``FMU _04``, as in D6.4)."""
    names = list(known)
    exact = next((name for name in wanted if name in names), None)
    if exact is not None:
        return exact
    loose = {"".join(name.split()): name for name in names}
    return next((loose[key] for key in ("".join(name.split()) for name in wanted) if key in loose), None)


def _connectable(variables: Mapping[str, Variable]) -> list[str]:
    return [variable.name for variable in variables.values() if variable.causality in ("input", "output")]


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
    elif output.type != "Float64":
        message = f"carries {output.type}"
        findings.append(error("BUNDLE-TYPE-UNSUPPORTED", where, message, "The lab connects Float64 (FMI 2.0: Real)."))
    if output.dimensions != input_.dimensions:
        message = f"shape {list(output.dimensions)} drives shape {list(input_.dimensions)}"
        findings.append(error("BUNDLE-SHAPE-MISMATCH", where, message, "Give both variables the same dimensions."))
    if output.unit and input_.unit and output.unit != input_.unit:
        message = f"{output.unit} drives {input_.unit}, without conversion"
        hint = "Give both variables the same unit, or be sure that the numbers agree."
        findings.append(Finding("BUNDLE-UNIT-MISMATCH", Severity.WARNING, where, message, hint))
    return findings


def _check_driver(
    where: str, drivers: Mapping[Reference, Reference], source: Reference, target: Reference
) -> list[Finding]:
    driver = drivers.get(target)
    if driver is None:
        return []
    if driver == source:
        message = "this connection is there twice"
        return [Finding("BUNDLE-CONNECTED-TWICE", Severity.WARNING, where, message, "Remove one of the entries.")]
    message = f"{target} is also driven by {driver}"
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
