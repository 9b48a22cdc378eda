"""Stages survive their documents, become the matrix the battery model reads, and refuse what cannot be."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.battery.stages import (
    COLUMNS,
    MOST_STAGES,
    UNSET,
    Mode,
    Stage,
    check_stages,
    longest_s,
    matrix,
    matrix_text,
)
from twinbench.core.errors import RequestError

numbers = st.floats(-1e6, 1e6)
stages = st.builds(
    Stage,
    st.sampled_from(Mode),
    **{name: st.none() | numbers for name in COLUMNS[1:] if name != "repeats"},
    repeats=st.none() | st.integers(1, 1000),
)


@given(stages)
def test_a_stage_survives_its_document(stage):
    assert Stage.from_document(json.loads(json.dumps(stage.as_document()))) == stage


@given(st.lists(stages, max_size=MOST_STAGES))
def test_the_matrix_has_a_row_for_each_stage_and_zeros_below(chosen):
    rows = matrix(chosen)

    assert len(rows) == MOST_STAGES
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert all(any(row) for row in rows[: len(chosen)])
    assert not any(any(row) for row in rows[len(chosen) :])
    assert [float(part) for part in matrix_text(chosen).split()] == [value for row in rows for value in row]


def test_what_is_not_set_is_marked_as_in_the_documents():
    row = Stage(Mode.CURRENT, -5.0, voltage_below_V=2.5).row

    assert row[:5] == (2.0, -5.0, UNSET, 2.5, UNSET)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (3, "A stage is an object with a mode"),
        ({"mode": "flight"}, "no stage that holds 'flight'"),
        ({"mode": "rest", "duration": 5}, "no 'duration'.*duration_s"),
        ({"mode": "rest", "duration_s": "5"}, "duration_s '5': give a number"),
        ({"mode": "rest", "duration_s": float("nan")}, "duration_s nan"),
        ({"mode": "rest", "duration_s": 10**400}, "give a number"),
        ({"mode": "rest", "duration_s": True}, "duration_s 'True'"),
    ],
)
def test_what_is_no_stage_is_refused_in_words(document, words):
    with pytest.raises(RequestError, match=words):
        Stage.from_document(document)


REST = Stage(Mode.REST, duration_s=60.0)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ([], "has no stages"),
        ([REST] * 65, "65 stages, more than 64: repeat some with a loop"),
        ([Stage(Mode.REST)], r"Stage 1 \(rest\) has no end"),
        ([REST, Stage(Mode.CURRENT, -1.0)], r"Stage 2 \(current\) has no end"),
        ([Stage(Mode.POWER, duration_s=5.0)], "holds a power and has no value"),
        ([REST, Stage(Mode.LOOP, 1)], "a loop without an end"),
        ([REST, Stage(Mode.LOOP, 3, repeats=2)], "goes back to stage 3"),
        ([REST, Stage(Mode.LOOP, 1, repeats=0)], "repeats 0 times"),
        ([Stage(Mode.VOLTAGE, 4.5, duration_s=5.0)], r"goes to 4\.5 V, but the unit is kept between 2\.5 and 4\.2 V"),
        ([Stage(Mode.CURRENT, 1.0, voltage_above_V=3.0, voltage_below_V=3.5)], "which is always"),
        ([Stage(Mode.REST, duration_s=0.0)], "duration_s 0: give 0.001"),
        ([Stage(Mode.CURRENT, 0.0, charge_Ah=1.0)], "has no end"),
        ([Stage(Mode.CURRENT, -1.0, current_below_A=1.0, duration_s=5.0)], "current_below_A, which cannot end it"),
        ([Stage(Mode.VOLTAGE, 4.0, voltage_below_V=3.0, duration_s=5.0)], "voltage_below_V, which cannot end it"),
        ([Stage(Mode.CURRENT, -1.0, charge_Ah=-1.0)], "charge_Ah -1"),
        ([Stage(Mode.CURRENT, -1.0, soc_below_pct=80.0, soc_above_pct=20.0)], "which is always"),
        ([REST, Stage(Mode.LOOP, 1, soh_below_pct=150.0)], "150 % of health"),
        ([Stage(Mode.RESISTANCE, -1.0, duration_s=5.0)], "load of -1 Ohm"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_with_the_number_of_the_stage(chosen, words):
    with pytest.raises(RequestError, match=words):
        check_stages(chosen, 2.5, 4.2)


def test_how_long_stages_take_is_known_beforehand():
    discharge = Stage(Mode.CURRENT, -5.0, voltage_below_V=2.5)

    assert longest_s([REST], 5.0) == 60.0
    assert longest_s([discharge], 5.0) == pytest.approx(1.3 * 3600)
    assert longest_s([Stage(Mode.CURRENT, -5.0, charge_Ah=1.0)], 5.0) == pytest.approx(1.3 * 720)
    assert longest_s([REST, REST, Stage(Mode.LOOP, 1, repeats=10)], 5.0) == 1200.0
    nested = [REST, Stage(Mode.LOOP, 1, repeats=3), REST, Stage(Mode.LOOP, 1, repeats=2)]
    assert longest_s(nested, 5.0) == 2 * (3 * 60 + 60)
