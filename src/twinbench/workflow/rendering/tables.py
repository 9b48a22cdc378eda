"""The tables of the report: figures of each run, the response over the factors, what a linear fit says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twinbench.core.evaluation import linear_effects
from twinbench.workflow.rendering.labels import aligned, compact, factor_title, fixed, unit_sign, with_unit
from twinbench.workflow.rendering.plots import Response

__all__ = [
    "EffectsTable",
    "Factors",
    "ResultsTable",
    "effects_table",
    "first_response",
    "levels_table",
    "results_table",
]

Document = Mapping[str, Any]

_MOST_FACTORS = 4
_DIGITS = 3  # of levels, where they only tell runs apart
_FEWEST_RUNS = 3
_SMALLEST_SPREAD = 1e-9


@dataclass(frozen=True)
class _Column:
    """A figure as it is printed: its name, unit, number of decimals, and by what it is multiplied."""

    figure: str
    title: str
    unit: str
    digits: int
    scale: float = 1.0


_COLUMNS = (
    _Column("duration_s", "Duration", "min", 1, 1 / 60),
    _Column("discharged_Ah", "Discharged", "Ah", 3),
    _Column("discharged_Wh", "Discharged", "Wh", 2),
    _Column("charged_Ah", "Charged", "Ah", 3),
    _Column("charged_Wh", "Charged", "Wh", 2),
    _Column("energy_efficiency", "Efficiency", "%", 1, 100),
    _Column("voltage_min_V", "Voltage min", "V", 3),
    _Column("voltage_max_V", "Voltage max", "V", 3),
    _Column("temperature_max_degC", "Temp. max", "°C", 1),
    _Column("temperature_rise_degC", "Temp. rise", "K", 1),
    _Column("mean_resistance_mOhm", "Resistance mean", "mΩ", 1),
    _Column("discharge_resistance_mOhm", "Pulse, discharge", "mΩ", 1),
    _Column("charge_resistance_mOhm", "Pulse, charge", "mΩ", 1),
    _Column("soc_start_pct", "SoC start", "%", 1),
    _Column("soc_end_pct", "SoC end", "%", 1),
    _Column("soh_end_pct", "SoH end", "%", 3),
    _Column("charge_balance_pct", "Charge balance", "pp", 2),
    _Column("outside_limits_s", "Outside limits", "s", 0),
)
_ONLY_IF_NOT_ZERO = {"discharged_Ah", "discharged_Wh", "charged_Ah", "charged_Wh", "outside_limits_s"}
_PULSES = ("discharge_resistance_mOhm", "charge_resistance_mOhm")
_RESPONSES = (*_PULSES, "soh_end_pct", "discharged_Ah", "charged_Ah", "mean_resistance_mOhm", "temperature_rise_degC")


@dataclass(frozen=True)
class Factors:
    """The factors of the design, by their names in it.

    Attributes:
        titles: Name of each factor for people.
        units: Sign of its unit; empty if it has none.
        varying: Names of those that differ between runs.
    """

    titles: Mapping[str, str]
    units: Mapping[str, str]
    varying: tuple[str, ...]

    @classmethod
    def from_document(cls, design: Document) -> Factors:
        """Read ``design.json``; no factors if it is empty."""
        documents = list(design.get("factors", ()))
        return cls(
            titles={factor["name"]: factor_title(factor["name"], factor["unit"]) for factor in documents},
            units={factor["name"]: unit_sign(factor["unit"]) for factor in documents},
            varying=tuple(factor["name"] for factor in documents if factor["low"] < factor["high"]),
        )

    def label(self, name: str) -> str:
        """A factor's title and unit."""
        return with_unit(self.titles[name], self.units[name])

    def described(self, summary: Document) -> str:
        """Levels of a run in a line, for example ``0.5 C, 25 °C``; empty if nothing varies."""
        levels = summary.get("levels") or {}
        parts = [
            (compact(levels[name], _DIGITS), self.units[name] or self.titles[name])
            for name in self.varying
            if name in levels
        ]
        return ", ".join(f"{value}\u00a0{unit}" for value, unit in parts)


@dataclass(frozen=True)
class ResultsTable:
    """Figures of all runs.

    Attributes:
        heads: Title and unit of each column of figures; a column in which no run has anything to say is left out.
        rows: Per run its summary, its levels and its cells, as text.
    """

    heads: Sequence[tuple[str, str]]
    rows: Sequence[Mapping[str, Any]]


def results_table(summaries: Sequence[Document], figures: Sequence[Document], factors: Factors) -> ResultsTable:
    """Join what became of each run with its figures."""
    by_run = {figure["run"]: figure for figure in figures}
    columns = [column for column in _COLUMNS if any(_says_something(column, figure) for figure in figures)]
    levels = levels_table(summaries, factors.varying, digits=_DIGITS)
    rows = [
        {
            "summary": summary,
            "levels": levels[place],
            "cells": [_cell(column, by_run.get(summary["run"], {})) for column in columns],
        }
        for place, summary in enumerate(summaries)
    ]
    return ResultsTable([(column.title, column.unit) for column in columns], rows)


def levels_table(runs: Sequence[Document], names: Sequence[str], *, digits: int) -> list[list[str]]:
    """Levels of each run, each factor's with equal decimals; *digits* are significant."""
    columns = [aligned([(run.get("levels") or {}).get(name) for run in runs], digits) for name in names]
    return [[column[place] for column in columns] for place in range(len(runs))]


def _says_something(column: _Column, figure: Document) -> bool:
    value = figure.get(column.figure)
    return bool(value) if column.figure in _ONLY_IF_NOT_ZERO else value is not None


def _cell(column: _Column, figure: Document) -> str:
    value = figure.get(column.figure)
    return fixed(None if value is None else value * column.scale, column.digits)


def first_response(
    summaries: Sequence[Document], figures: Sequence[Document], factors: Factors, styles: Mapping[int, int]
) -> Response | None:
    """The first figure that differs between three completed runs or more; None if there is none or nothing varies."""
    names = factors.varying[:_MOST_FACTORS]
    by_run = {figure["run"]: figure for figure in figures}
    completed = [summary for summary in summaries if _is_comparable(summary, names)]
    for column in (column for key in _RESPONSES for column in _COLUMNS if column.figure == key and names):
        answers = [(run, by_run.get(run["run"], {}).get(column.figure)) for run in completed]
        known = [(run, float(value)) for run, value in answers if value is not None]
        values = [value for _, value in known]
        if len(values) >= _FEWEST_RUNS and max(values) - min(values) > _SMALLEST_SPREAD:
            return Response(
                title=with_unit(column.title, column.unit),
                values=values,
                factors={factors.label(name): [run["levels"][name] for run, _ in known] for name in names},
                runs=[(run["run"], styles.get(run["run"], 0)) for run, _ in known],
            )
    return None


def _is_comparable(summary: Document, names: Sequence[str]) -> bool:
    return summary.get("status") == "completed" and set(names) <= set(summary.get("levels") or {})


@dataclass(frozen=True)
class EffectsTable:
    """What a linear fit says of a response.

    Attributes:
        rows: Factor, the lowest and highest level tried, and the change of the response between them.
        explained_pct: Share of the variance that the fit explains.
    """

    rows: Sequence[tuple[str, str, str, str]]
    explained_pct: str


def effects_table(response: Response) -> EffectsTable | None:
    """The linear effects of the factors on the response; None if the runs cannot tell."""
    count = len(response.values)
    levels = [{name: values[index] for name, values in response.factors.items()} for index in range(count)]
    effects = linear_effects(levels, response.values)
    if effects is None:
        return None
    rows = []
    for name, change in effects.by_factor.items():
        tried = response.factors[name]
        rows.append((name, compact(min(tried), _DIGITS), compact(max(tried), _DIGITS), fixed(change, 3)))
    return EffectsTable(rows, fixed(100 * effects.explained, 1))
