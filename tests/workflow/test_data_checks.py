"""Rows that one may not draw conclusions from do not pass the data checks; good rows do, without a word."""

from __future__ import annotations

import socket

import numpy as np
import pandas as pd
import pytest

from tests.workflow.made_up_results import discharge
from twinbench.core.findings import Finding
from twinbench.workflow.rendering.data_checks import ResultChecker, check_results

pytestmark = pytest.mark.thorough

LIMITS = {"voltage_limits_V": (2.5, 4.2), "temperature_limits_degC": (-20.0, 70.0)}
LAST = -1


@pytest.fixture(scope="module")
def checker() -> ResultChecker:
    return ResultChecker()


@pytest.fixture
def rows() -> pd.DataFrame:
    time_s, signals = discharge(2.0, 25.0)
    return pd.DataFrame({"time_s": time_s, **signals})


def told(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(finding.severity.value, finding.code, finding.where) for finding in findings]


def test_a_run_that_stopped_at_its_limit_passes(checker, rows):
    assert rows["Cell_Voltage_01"].iloc[LAST] < 2.5
    assert checker.check(rows, run=3, **LIMITS) == []


@pytest.mark.parametrize(
    ("column", "row", "value", "severity", "code"),
    [
        ("Cell_Voltage_01", 7, np.nan, "error", "RESULT-NOT-A-NUMBER"),
        ("time_s", 7, np.nan, "error", "RESULT-NOT-A-NUMBER"),
        ("SoC", 7, np.inf, "error", "RESULT-INFINITE"),
        ("Cell_Average_Temperature_01", 7, -np.inf, "error", "RESULT-INFINITE"),
        ("Internal_Resistance", 7, -1e9, "error", "RESULT-INVALID"),
        ("Cell_Voltage_01", 7, -1e9, "error", "RESULT-INVALID"),
        ("time_s", 7, 6.0, "error", "RESULT-TIME-ORDER"),
        ("time_s", 7, 3.0, "error", "RESULT-TIME-ORDER"),
        ("Cell_Voltage_01", 7, 4.3, "warning", "RESULT-VOLTAGE-LIMITS"),
        ("Cell_Voltage_01", LAST, 5.1, "error", "RESULT-VOLTAGE-IMPLAUSIBLE"),
        ("Cell_Average_Temperature_01", 7, 71.0, "warning", "RESULT-TEMPERATURE-LIMITS"),
        ("Cell_Average_Temperature_01", 7, 300.0, "error", "RESULT-TEMPERATURE-IMPLAUSIBLE"),
        ("SoC", 7, 102.0, "warning", "RESULT-SOC-LIMITS"),
        ("SoC", 7, -60.0, "error", "RESULT-SOC-IMPLAUSIBLE"),
    ],
)
def test_each_fault_is_told_once(checker, rows, column, row, value, severity, code):
    rows.loc[rows.index[row], column] = value

    assert told(checker.check(rows, run=3, **LIMITS)) == [(severity, code, f"run 3 / {column}")]


def test_the_row_at_which_a_bench_stopped_may_overshoot(checker, rows):
    rows.loc[rows.index[LAST], "Cell_Voltage_01"] = 1.8

    assert checker.check(rows, run=3, **LIMITS) == []


def test_a_finding_says_how_many_rows_where_and_what(checker, rows):
    rows.loc[10:15, "Cell_Voltage_01"] = [4.31, 4.32, 4.33, 4.34, 4.35, 4.36]

    [finding] = checker.check(rows, run=3, **LIMITS)

    expected = f"6 of {len(rows)} rows (first row 10) are outside 2.5 to 4.2 V: 4.31, 4.32, 4.33, …"
    assert finding.message == expected
    assert "procedure" in finding.hint


@pytest.mark.parametrize("column", ["time_s", "Current_Profile", "Cell_Voltage_01"])
def test_a_missing_column_is_named(checker, rows, column):
    findings = checker.check(rows.drop(columns=column), run=3, **LIMITS)

    assert told(findings) == [("error", "RESULT-MISSING", f"run 3 / {column}")]


def test_other_signals_may_be_missing(checker, rows):
    assert checker.check(rows[["time_s", "Current_Profile", "Cell_Voltage_01"]], run=3, **LIMITS) == []


@pytest.mark.parametrize("count", [0, 1])
def test_a_run_needs_two_rows(checker, rows, count):
    [finding] = checker.check(rows.head(count), run=3, **LIMITS)

    assert (finding.code, finding.where) == ("RESULT-TOO-SHORT", "run 3")
    assert finding.message == f"the number of rows is {count}"


def test_one_run_does_not_colour_the_next(checker, rows):
    wrong = rows.assign(SoC=np.nan)

    assert checker.check(wrong, run=1, **LIMITS)
    assert checker.check(rows, run=2, **LIMITS) == []


def test_rows_are_left_as_they_are(checker, rows):
    before = rows.copy()
    checker.check(rows, run=3, **LIMITS)

    pd.testing.assert_frame_equal(rows, before)


def test_nothing_is_sent_or_printed(rows, monkeypatch, capfd):
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError(f"The data checks reach for the network: {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    assert check_results(rows, run=3, **LIMITS) == []
    assert capfd.readouterr() == ("", "")
