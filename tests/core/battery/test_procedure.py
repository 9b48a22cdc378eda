"""A procedure survives its document, becomes stimuli that say the same, and refuses what no bench can do."""

import csv
import io
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.battery.procedure import STIMULI_COLUMNS, Procedure, Step, input_csv, stimuli_rows
from twinbench.core.errors import RequestError

EXAMPLE = {
    "initial_soc_pct": 100,
    "ambient_degC": 25,
    "steps": [{"current_A": -5.0, "duration_s": 3600}],
    "stop": {"voltage_min_V": 2.5, "voltage_max_V": 4.2},
    "step_size_s": 1.0,
}
steps = st.builds(Step, st.floats(-100, 100), st.floats(1, 1e5))
procedures = st.builds(
    Procedure,
    initial_soc_pct=st.floats(0, 100),
    ambient_degC=st.floats(-40, 85),
    steps=st.lists(steps, min_size=1, max_size=8).map(tuple),
    voltage_min_V=st.floats(0.1, 3),
    voltage_max_V=st.floats(3.1, 5),
    step_size_s=st.floats(0.01, 1),
)


@given(procedures)
def test_a_procedure_survives_its_document(procedure):
    assert Procedure.from_document(json.loads(json.dumps(procedure.as_document()))) == procedure


def test_the_agreed_document_is_read_and_written():
    assert Procedure.from_document(EXAMPLE).as_document() == EXAMPLE


@given(procedures)
def test_the_stimuli_hold_each_current_from_its_start_to_its_end(procedure):
    rows = stimuli_rows(procedure)
    begin = 0.0

    for step in procedure.steps:
        middle = begin + step.duration_s / 2
        held = [row for row in rows if row[0] <= middle][-1]
        assert held[1:] == (
            step.current_A, procedure.ambient_degC, procedure.initial_soc_pct, procedure.ambient_degC
        )  # fmt: skip
        begin += step.duration_s
    assert rows[-1][0] == procedure.duration_s
    assert all(a[0] < b[0] for a, b in pairwise(rows))


@given(procedures)
def test_the_file_gives_the_rows_back_exactly(procedure):
    header, *rows = csv.reader(io.StringIO(input_csv(procedure)))

    assert tuple(header) == STIMULI_COLUMNS
    assert [tuple(map(float, row)) for row in rows] == stimuli_rows(procedure)


def test_a_row_is_written_only_where_something_changes_and_at_the_end():
    parts = (Step(-5.0, 10.0), Step(-5.0, 5.0), Step(0.0, 20.0))

    assert input_csv(Procedure(80.0, 25.0, parts, 2.5, 4.2)) == (
        "timestamp,Current_Profile,Ambient_Temperature,Initial_SoC,Initial_Temperature\n"
        "0.0,-5.0,25.0,80.0,25.0\n"
        "15.0,0.0,25.0,80.0,25.0\n"
        "35.0,0.0,25.0,80.0,25.0\n"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"initial_soc_pct": 101}, "initial_soc_pct is 101.0: a battery starts between 0 and 100 %"),
        ({"initial_soc_pct": float("nan")}, "initial_soc_pct is nan"),
        ({"ambient_degC": 130}, "ambient_degC is 130.0: give -40 to 85 degC"),
        ({"ambient_degC": True}, "ambient_degC True: give a number"),
        ({"ambient_degC": 10**400}, "ambient_degC too large"),
        ({"steps": []}, "has no steps"),
        ({"steps": "fast"}, "an object with a list of steps"),
        ({"steps": [3]}, "lacks current_A in 3: add it"),
        ({"steps": [{"current_A": 1}]}, "lacks duration_s"),
        ({"steps": [{"current_A": float("inf"), "duration_s": 1}]}, "current_A inf: give a finite"),
        ({"steps": [{"current_A": 1, "duration_s": 0}]}, "A step lasts 0.0 s"),
        ({"steps": [{"current_A": 1, "duration_s": 1e9}]}, "A step lasts 1000000000.0 s"),
        ({"stop": None}, "lacks voltage_min_V in None"),
        ({"stop": {"voltage_min_V": 4.2, "voltage_max_V": 2.5}}, "limits are 4.2 V and 2.5 V: the lower one"),
        ({"step_size_s": 0}, "in steps of 0.0 s"),
        ({"step_size_s": 4000}, "lasts 3600.0 s in steps of 4000.0 s"),
    ],
)
def test_what_no_bench_can_do_is_refused_in_words(change, message):
    with pytest.raises(RequestError, match=message):
        Procedure.from_document({**EXAMPLE, **change})


def test_the_extremes_of_current_are_known():
    assert Procedure(50.0, 25.0, (Step(-2.0, 5.0), Step(3.0, 5.0)), 2.5, 4.2).current_range_A == (-2.0, 3.0)
