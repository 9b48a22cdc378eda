"""The tables of the report: the design's factors, figures of each run, the response over the factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twinbench.core.evaluation import RESPONSES
from twinbench.workflow.analysis import differs
from twinbench.workflow.rendering.labels import (
    aligned,
    compact,
    factor_title,
    fixed,
    level_text,
    unit_sign,
    with_unit,
)
from twinbench.workflow.rendering.plots import Response

__all__ = ["Factors", "ResultsTable", "figure_title", "first_response", "levels_table", "results_table"]

Document = Mapping[str, Any]

_MOST_FACTORS = 4
_DIGITS = 3  # of levels, where they only tell runs apart


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


@dataclass(frozen=True)
class Factors:
    """The factors of the design, by their names in it.

    Attributes:
        titles: Name of each factor for people.
        units: Sign of its unit; empty if it has none.
        ranges: What each can be set to: a value, ``0 to 45``, or all of a few values or categories.
        varying: Names of those that differ between runs.
    """

    titles: Mapping[str, str]
    units: Mapping[str, str]
    ranges: Mapping[str, str]
    varying: tuple[str, ...]

    @classmethod
    def from_document(cls, design: Document) -> Factors:
        """Read ``design.json``; no factors if it is empty."""
        documents = list(design.get("factors", ()))
        return cls(
            titles={factor["name"]: factor_title(factor["name"], factor["unit"]) for factor in documents},
            units={factor["name"]: unit_sign(factor["unit"]) for factor in documents},
            ranges={factor["name"]: _range(factor) for factor in documents},
            varying=tuple(factor["name"] for factor in documents if _varies(factor)),
        )

    def label(self, name: str) -> str:
        """A factor's title and unit."""
        return with_unit(self.titles[name], self.units[name])

    def described(self, summary: Document) -> str:
        """Levels of a run in a line, for example ``0.5 C, 25 °C``; empty if nothing varies."""
        levels = summary.get("levels") or {}
        return ", ".join(self.level(name, levels[name]) for name in self.varying if name in levels)

    def level(self, name: str, level: float | str) -> str:
        """A level with its unit: ``25 °C``; of a factor without one with its title; a category as it is."""
        if isinstance(level, str):
            return level
        return f"{compact(level, _DIGITS)}\u00a0{self.units[name] or self.titles[name]}"


def _varies(factor: Document) -> bool:
    if factor.get("categories"):
        return len(factor["categories"]) > 1
    return bool(factor["low"] < factor["high"])


def _range(factor: Document) -> str:
    few = factor.get("categories") or factor.get("values")
    if few:
        return ", ".join(level_text(level) for level in few)
    low, high = compact(factor["low"]), compact(factor["high"])
    return f"{low} to {high}" if _varies(factor) else low


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


def figure_title(figure: str) -> tuple[str, str]:
    """Title and unit of a figure of ``RunFigures``; its name if it has no column."""
    found = [(column.title, column.unit) for column in _COLUMNS if column.figure == figure]
    return found[0] if found else (figure, "")


def first_response(
    summaries: Sequence[Document], figures: Sequence[Document], factors: Factors, styles: Mapping[int, int]
) -> Response | None:
    """The first figure that differs between three completed runs or more; None if there is none or nothing varies."""
    names = factors.varying[:_MOST_FACTORS]
    by_run = {figure["run"]: figure for figure in figures}
    completed = [summary for summary in summaries if _is_comparable(summary, names)]
    for column in (column for key in RESPONSES for column in _COLUMNS if column.figure == key and names):
        answers = [(run, by_run.get(run["run"], {}).get(column.figure)) for run in completed]
        known = [(run, float(value)) for run, value in answers if value is not None]
        values = [value for _, value in known]
        if differs(values):
            return Response(
                figure=column.figure,
                title=with_unit(column.title, column.unit),
                values=values,
                factors={factors.label(name): [run["levels"][name] for run, _ in known] for name in names},
                runs=[(run["run"], styles.get(run["run"], 0)) for run, _ in known],
            )
    return None


def _is_comparable(summary: Document, names: Sequence[str]) -> bool:
    return summary.get("status") == "completed" and set(names) <= set(summary.get("levels") or {})
