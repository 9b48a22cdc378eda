"""What a run begins with, from what people write: settings, stimuli, a procedure, a table of runs.

settings    ``FMU.variable=value``
stimuli     a file of signals over time, for each FMU that has a parameter ``Stimuli_File``
procedure   stages of a test protocol, for each FMU that has a parameter ``Test_Procedure``
points      a table with a run in each row and a column ``FMU.variable`` for each value that differs
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from twinbench.core.battery.stages import Stage, matrix_text
from twinbench.core.bundle import ModelSummary
from twinbench.core.cosim import Experiment, StopCondition
from twinbench.core.errors import RequestError

__all__ = [
    "PROCEDURE_OVER",
    "PROCEDURE_PARAMETER",
    "STIMULI_PARAMETER",
    "StartValues",
    "parse_settings",
    "read_points",
    "with_procedure",
    "with_stimuli",
]

STIMULI_PARAMETER = "Stimuli_File"
PROCEDURE_PARAMETER, PROCEDURE_OVER = "Test_Procedure", "Procedure_Over_Out"

StartValues = dict[str, dict[str, str]]
"""FMU -> variable -> value as text."""


def parse_settings(settings: Sequence[str], models: Sequence[ModelSummary]) -> StartValues:
    """Read ``FMU.variable=value`` texts; the longest FMU name that fits counts, since names may hold dots.

    Raises:
        RequestError: If one of them has another form or no such FMU is there.
    """
    values: StartValues = {}
    for setting in settings:
        path, equals, value = setting.partition("=")
        model, variable = _split(path.strip(), models)
        if not equals or not model:
            known = ", ".join(sorted(model.name for model in models))
            raise RequestError(f"{setting!r} sets nothing: write FMU.variable=value with one of the FMUs {known}.")
        values.setdefault(model, {})[variable] = value
    return values


def _split(path: str, models: Sequence[ModelSummary]) -> tuple[str, str]:
    names = sorted((model.name for model in models), key=len, reverse=True)
    name = next((name for name in names if path.startswith(f"{name}.")), "")
    return name, path.removeprefix(f"{name}.")


def with_stimuli(values: StartValues, stimuli: Path | None, models: Sequence[ModelSummary]) -> StartValues:
    """The values, and a file of stimuli for those that take one.

    Raises:
        RequestError: If there is a file and no FMU takes it.
    """
    if stimuli is None:
        return values
    takers = [model.name for model in models if STIMULI_PARAMETER in model.variables]
    if not takers:
        raise RequestError(f"No FMU of the bundle takes {stimuli}: none has a parameter {STIMULI_PARAMETER}.")
    for name in takers:
        values.setdefault(name, {})[STIMULI_PARAMETER] = str(stimuli.resolve())
    return values


def with_procedure(
    values: StartValues, experiment: Experiment, procedure: Sequence[Stage], models: Sequence[ModelSummary]
) -> tuple[StartValues, Experiment]:
    """The values with a procedure for those that carry one out, and the experiment, which ends when it is over.

    Raises:
        RequestError: If there is a procedure and no FMU carries it out.
    """
    if not procedure:
        return values, experiment
    takers = [model for model in models if PROCEDURE_PARAMETER in model.variables]
    if not takers:
        raise RequestError(f"No FMU of the bundle carries out a procedure: none has a parameter {PROCEDURE_PARAMETER}.")
    for model in takers:
        values.setdefault(model.name, {}).setdefault(PROCEDURE_PARAMETER, matrix_text(procedure))
    over = [f"{model.name}.{PROCEDURE_OVER}" for model in takers if PROCEDURE_OVER in model.variables]
    record = (
        (*experiment.record, *(name for name in over if name not in experiment.record)) if experiment.record else ()
    )
    ends = tuple(StopCondition(name, high=0.5) for name in over)
    return values, replace(experiment, record=record, stop_conditions=(*experiment.stop_conditions, *ends))


def read_points(text: str, models: Sequence[ModelSummary]) -> list[StartValues]:
    """Read a table of runs: one row each, columns ``FMU.variable``; a column ``run`` is left out.

    Raises:
        RequestError: If a column names no FMU, or a row is too short or too long.
    """
    rows = list(csv.reader(text.splitlines()))
    if len(rows) < 2:
        raise RequestError("The table of points holds no run: give it a line of names and one line for each run.")
    head = [name.strip() for name in rows[0]]
    places = [(number, *_split(name, models)) for number, name in enumerate(head) if name != "run"]
    if wrong := [head[number] for number, model, _ in places if not model]:
        known = ", ".join(sorted(model.name for model in models))
        raise RequestError(f"Column {wrong[0]!r} names no variable: write FMU.variable with one of the FMUs {known}.")
    points = []
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(head):
            raise RequestError(f"Line {line} of the points has {len(row)} values, not {len(head)}: complete it.")
        values: StartValues = {}
        for number, model, variable in places:
            values.setdefault(model, {})[variable] = row[number].strip()
        points.append(values)
    return points
