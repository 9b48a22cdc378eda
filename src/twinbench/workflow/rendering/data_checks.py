"""Data checks of a run's rows with Great Expectations: may one draw conclusions from them?

    faults         too few rows, a missing column, no number, infinite, marked invalid, time that does not go on: errors
    implausible    further outside the limits than half their range: an error
    out of limits  by more than 5 mV, 0.1 degC or 0.1 % in any row but the last: a warning. A bench looks at its limits
                   once per row, so the row at which it stopped may lie beyond them.

Making a checker costs 2 s (6 s on two busy cores), nearly all of it the import of Great Expectations; each check of
3,600 rows and eight signals costs 0.2 s, of 100,000 rows 0.3 s. So one :class:`ResultChecker` serves all runs of a
request. Nothing leaves the machine: its context lives in memory and analytics are off.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twinbench.core.evaluation import INVALID
from twinbench.core.findings import Finding, Severity

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ResultChecker", "check_results"]

_TIME = "time_s"
_REQUIRED = (_TIME, "Current_Profile", "Cell_Voltage_01")
_FEWEST_ROWS = 2
_SHOWN = 3

_Range = tuple[float, float]
_Words = dict[str, str]


def check_results(
    frame: pd.DataFrame, *, run: int, voltage_limits_V: _Range, temperature_limits_degC: _Range
) -> list[Finding]:
    """Check one run as :meth:`ResultChecker.check` does; for several runs, keep a checker."""
    return ResultChecker().check(
        frame, run=run, voltage_limits_V=voltage_limits_V, temperature_limits_degC=temperature_limits_degC
    )


class ResultChecker:
    """Checks the rows of runs, one run after the other."""

    def __init__(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "False"  # releases before 1.24 report usage unless this says no
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it imports modules that Python has deprecated
            import great_expectations as gx
            from great_expectations.data_context.types.base import ProgressBarsConfig

        context = gx.get_context(mode="ephemeral")
        context.enable_analytics(False)
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("results").add_dataframe_asset("run")
        self._rows = asset.add_batch_definition_whole_dataframe("rows")
        self._gx = gx

    def check(
        self, frame: pd.DataFrame, *, run: int, voltage_limits_V: _Range, temperature_limits_degC: _Range
    ) -> list[Finding]:
        """Everything that is wrong with the rows of a run; empty if nothing is.

        Args:
            frame: ``time_s`` and the metric signals, a column of floats each.
            run: Number of the run, for the findings.
            voltage_limits_V: Lowest and highest cell voltage of its procedure, finite.
            temperature_limits_degC: Lowest and highest cell temperature, finite.
        """
        bounds = (
            _Bounds("Cell_Voltage_01", "VOLTAGE", "V", voltage_limits_V, slack=0.005),
            _Bounds("Cell_Average_Temperature_01", "TEMPERATURE", "degC", temperature_limits_degC, slack=0.1),
            _Bounds("SoC", "SOC", "%", (-1.0, 101.0), slack=0.1),
        )
        present = [bound for bound in bounds if bound.column in frame]
        rows = frame.assign(**{name: values for bound in present for name, values in bound.derived(frame).items()})
        expectations = [*self._faults(frame), *(part for bound in present for part in self._within(bound))]
        outcome = self._rows.get_batch(batch_parameters={"dataframe": rows}).validate(
            self._gx.ExpectationSuite(name=f"run {run}", expectations=expectations),
            result_format={"result_format": "SUMMARY", "partial_unexpected_count": _SHOWN},
        )
        return [_finding(result, run) for result in outcome.results if not result.success]

    def _faults(self, frame: pd.DataFrame) -> Iterator[Any]:
        expect = self._gx.expectations
        largest = sys.float_info.max
        yield expect.ExpectTableRowCountToBeBetween(min_value=_FEWEST_ROWS, meta=_TOO_SHORT)
        for column in [name for name in _REQUIRED if name not in frame]:
            yield expect.ExpectColumnToExist(column=column, meta=_MISSING)
        for column in map(str, frame):
            yield expect.ExpectColumnValuesToNotBeNull(column=column, meta=_NO_NUMBER)
            yield expect.ExpectColumnValuesToBeBetween(
                column=column, min_value=-largest, max_value=largest, meta=_INFINITE
            )
            yield expect.ExpectColumnValuesToNotBeInSet(column=column, value_set=[INVALID], meta=_MARKED_INVALID)
        if _TIME in frame:
            yield expect.ExpectColumnValuesToBeIncreasing(column=_TIME, strictly=True, meta=_TIME_ORDER)

    def _within(self, bounds: _Bounds) -> Iterator[Any]:
        between = self._gx.expectations.ExpectColumnValuesToBeBetween
        for name, (low, high), meta in (
            (bounds.plausible_name, bounds.plausible, bounds.implausible),
            (bounds.held_name, bounds.tolerated, bounds.out_of_limits),
        ):
            yield between(column=name, min_value=low, max_value=high, meta=meta)


@dataclass(frozen=True)
class _Bounds:
    """What a signal must keep to; rows that are wrong in another way are left out, so each fault is told once."""

    column: str
    code: str
    unit: str
    limits: _Range
    slack: float

    @property
    def plausible(self) -> _Range:
        half = (self.limits[1] - self.limits[0]) / 2
        return self.limits[0] - half, self.limits[1] + half

    @property
    def tolerated(self) -> _Range:
        return self.limits[0] - self.slack, self.limits[1] + self.slack

    @property
    def plausible_name(self) -> str:
        return f"{self.column} in any row"

    @property
    def held_name(self) -> str:
        return f"{self.column} before the last row"

    def derived(self, frame: pd.DataFrame) -> dict[str, pd.Series]:
        values = frame[self.column]
        numbers = values.where((values.abs() < float("inf")) & (values != INVALID))
        held = numbers.where(numbers.between(*self.plausible))
        return {self.plausible_name: numbers, self.held_name: held.where(np.arange(len(held)) < len(held) - 1)}

    @property
    def implausible(self) -> _Words:
        hint = "look for a wrong sensor, unit or model: a run ends at its limits"
        return _words(f"{self.code}-IMPLAUSIBLE", f"{{rows}} far outside {self._range}: {{values}}", hint, self.column)

    @property
    def out_of_limits(self) -> _Words:
        hint = "check that the bench stops at its limits and that the procedure suits the battery"
        says = f"{{rows}} outside {self._range}: {{values}}"
        return _words(f"{self.code}-LIMITS", says, hint, self.column, Severity.WARNING)

    @property
    def _range(self) -> str:
        return f"{self.limits[0]:g} to {self.limits[1]:g} {self.unit}"


def _words(code: str, says: str, hint: str, column: str = "", severity: Severity = Severity.ERROR) -> _Words:
    return {"code": f"RESULT-{code}", "says": says, "hint": hint, "column": column, "severity": severity.value}


_TOO_SHORT = _words(
    "TOO-SHORT", "the number of rows is {values}", "a run has two or more; look into its log and repeat it"
)
_MISSING = _words(
    "MISSING", "the column is missing", "connect the signal to FMU_Output_Handler, or have the bench send it"
)
_NO_NUMBER = _words(
    "NOT-A-NUMBER", "{rows} no number", "look into the run's log for a model that fails or lost samples"
)
_INFINITE = _words("INFINITE", "{rows} infinite: {values}", "look for a division by zero in the model")
_MARKED_INVALID = _words(
    "INVALID", "{rows} marked invalid (-1e9)", "the port was not connected all the time: check the interconnection"
)
_TIME_ORDER = _words(
    "TIME-ORDER", "{rows} not later than the row before: {values} s", "sort by time, drop repeated rows"
)


def _finding(result: Any, run: int) -> Finding:
    words, observed = result.expectation_config.meta, result.result
    column = words["column"] or result.expectation_config.kwargs.get("column")
    return Finding(
        code=words["code"],
        severity=Severity(words["severity"]),
        where=f"run {run} / {column}" if column else f"run {run}",
        message=words["says"].format(rows=_rows(observed), values=_values(observed)),
        hint=words["hint"],
    )


def _rows(observed: Mapping[str, Any]) -> str:
    count, total = observed.get("unexpected_count", 0), observed.get("element_count", 0)
    first = observed.get("partial_unexpected_index_list") or []
    where = f" (first row {first[0]})" if first else ""
    return f"{count} of {total} rows{where} {'is' if count == 1 else 'are'}"


def _values(observed: Mapping[str, Any]) -> str:
    if "observed_value" in observed:
        return str(observed["observed_value"])
    shown = ", ".join(f"{value:.6g}" for value in observed.get("partial_unexpected_list", ()))
    return f"{shown}, …" if observed.get("unexpected_count", 0) > _SHOWN else shown
