"""Protocols in the field's own languages become the stages they describe, or are refused with what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.battery.experiment_text import read_experiment
from twinbench.core.battery.protocol import read_protocol
from twinbench.core.battery.stages import Mode, Stage
from twinbench.core.battery.unicycler import read_unicycler
from twinbench.core.errors import RequestError


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("Discharge at 1C for 0.5 hours", Stage(Mode.CURRENT, -5.0, duration_s=1800.0)),
        ("Discharge at C/20 for 0.5 hours", Stage(Mode.CURRENT, -0.25, duration_s=1800.0)),
        ("Charge at 0.5 C for 45 minutes", Stage(Mode.CURRENT, 2.5, duration_s=2700.0)),
        ("Discharge at 1 A for 0.5 hours", Stage(Mode.CURRENT, -1.0, duration_s=1800.0)),
        ("Charge at 200 mA for 45 minutes", Stage(Mode.CURRENT, 0.2, duration_s=2700.0)),
        ("Discharge at 1W for 0.5 hours", Stage(Mode.POWER, -1.0, duration_s=1800.0)),
        ("Charge at 200mW for 45 minutes", Stage(Mode.POWER, 0.2, duration_s=2700.0)),
        ("Rest for 10 minutes", Stage(Mode.REST, duration_s=600.0)),
        ("Hold at 1V for 20 seconds", Stage(Mode.VOLTAGE, 1.0, duration_s=20.0)),
        ("Charge at 1 C until 4.1V", Stage(Mode.CURRENT, 5.0, voltage_above_V=4.1)),
        ("Hold at 4.1 V until 50mA", Stage(Mode.VOLTAGE, 4.1, current_below_A=0.05)),
        ("Hold at 3V until C/50", Stage(Mode.VOLTAGE, 3.0, current_below_A=0.1)),
        (
            "Discharge at C/3 for 2 hours or until 2.5 V",
            Stage(Mode.CURRENT, -5 / 3, duration_s=7200.0, voltage_below_V=2.5),
        ),
        ("Discharge at 0.5 Ohm until 2.5 V (5 second period)", Stage(Mode.RESISTANCE, 0.5, voltage_below_V=2.5)),
        ("Rest for 1 hour (1 minute period)", Stage(Mode.REST, duration_s=3600.0)),
    ],
)
def test_steps_are_read_as_pybamm_reads_them(text, stage):
    assert read_experiment([text], 5.0) == (stage,)


def test_cycles_that_are_the_same_become_a_loop():
    cycle = ("Discharge at 1C until 2.5 V", "Charge at C/2 until 4.2 V")

    stages = read_experiment(["Rest for 1 hour", *[cycle] * 10, "Rest for 1 hour"], 5.0)

    assert [stage.mode for stage in stages] == [Mode.REST, Mode.CURRENT, Mode.CURRENT, Mode.LOOP, Mode.REST]
    assert (stages[3].value, stages[3].repeats) == (2, 10)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Fly at 1C for 1 hour", "'Fly at 1C for 1 hour' cannot be read"),
        ("Discharge at 1C", "has no end: add 'for' a time or 'until' a value"),
        ("Discharge at much for 1 hour", "has the value 'much'"),
        ("Hold at 1C for 1 hour", "hold a voltage"),
        ("Discharge at 3 V for 1 hour", "hold a voltage; charge or discharge at"),
        ("Rest at 1C for 1 hour", "cannot be read"),
        ("Rest for 3 moons", "lasts '3 moons'"),
        ("Rest for -3 hours", "lasts '-3 hours'"),
        ("Discharge at 1C until dawn", "ends with 'dawn'"),
        ("Discharge at C/0 for 1 hour", "divides by 0"),
        ("Charge at C/-3 for 1 hour", "divides by -3"),
        (5, "cannot be read"),
    ],
)
def test_steps_that_cannot_be_read_are_quoted(text, words):
    with pytest.raises(RequestError, match=words):
        read_experiment([text] if isinstance(text, str) else [[text]], 5.0)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    for start in ("", "Discharge at ", "Hold at 4 V until ", "Rest for "):
        try:
            stages = read_experiment([start + text], 5.0)
        except RequestError:
            continue
        assert len(stages) == 1


UNICYCLER = {
    "sample": {"name": "cell", "capacity_mAh": 5000},
    "record": {"time_s": 10},
    "safety": {"max_voltage_V": 4.5},
    "method": [
        {"step": "open_circuit_voltage", "until_time_s": 600},
        {"step": "tag", "tag": "life"},
        {"step": "constant_current", "rate_C": "C/2", "until_voltage_V": 4.2, "until_time_s": 10800},
        {"step": "constant_voltage", "voltage_V": 4.2, "until_rate_C": 0.05},
        {"step": "constant_current", "current_mA": -5000, "until_voltage_V": 2.5},
        {"step": "loop", "loop_to": "life", "cycle_count": 100},
    ],
}


def test_a_unicycler_protocol_becomes_stages():
    assert read_unicycler(UNICYCLER, 1.0) == (
        Stage(Mode.REST, duration_s=600.0),
        Stage(Mode.CURRENT, 2.5, duration_s=10800.0, voltage_above_V=4.2),
        Stage(Mode.VOLTAGE, 4.2, current_below_A=0.25),
        Stage(Mode.CURRENT, -5.0, voltage_below_V=2.5),
        Stage(Mode.LOOP, 2, repeats=100),
    )


def test_safety_limits_end_what_has_no_voltage_of_its_own():
    method = [{"step": "constant_current", "rate_C": rate, "until_time_s": 60} for rate in (0.5, -0.5)]

    charge, discharge = read_unicycler(
        {**UNICYCLER, "safety": {"max_voltage_V": 4.5, "min_voltage_V": 2.0}, "method": method}, 5.0
    )

    assert (charge.voltage_above_V, charge.voltage_below_V) == (4.5, None)
    assert (discharge.voltage_above_V, discharge.voltage_below_V) == (None, 2.0)


def test_a_loop_by_number_counts_tags_as_unicycler_does():
    method = [*UNICYCLER["method"][:-1], {"step": "loop", "loop_to": 3, "cycle_count": 2}]

    assert read_unicycler({**UNICYCLER, "method": method}, 1.0)[-1] == Stage(Mode.LOOP, 2, repeats=2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": []}, "no unicycler protocol: method"),
        ({"method": [{"step": "constant_current", "until_time_s": 5}]}, "rate_C or current_mA"),
        (
            {"method": [{"step": "voltage_scan", "start_voltage_V": 3, "end_voltage_V": 4, "scan_rate_mV_per_s": 1}]},
            "'voltage_scan' cannot be simulated",
        ),
        ({"method": [{"step": "dance"}]}, "no unicycler protocol"),
        ({"method": 3}, "no unicycler protocol"),
        ({"safety": {"max_voltage_V": 4.1}}, r"Stage 2 goes to 4\.2 V, beyond the protocol's own safety limits"),
        ({"safety": {"max_current_mA": 100}}, r"Stage 2 asks for 2\.5 A, beyond the protocol's own safety limits"),
    ],
)
def test_what_is_no_unicycler_protocol_is_refused_in_words(change, words):
    with pytest.raises(RequestError, match=words):
        read_unicycler({**UNICYCLER, **change}, 5.0)


def test_the_language_of_a_protocol_is_found_out():
    texts = ["Rest for 1 hour", ["Discharge at 1C until 2.5 V", "Rest for 1 hour"]]

    assert read_protocol(UNICYCLER, 5.0) == read_unicycler(UNICYCLER, 5.0)
    assert read_protocol(texts, 5.0) == read_experiment(texts, 5.0)
    assert read_protocol([{"mode": "rest", "duration_s": 5}], 5.0) == (Stage(Mode.REST, duration_s=5),)
    for unknown in ({}, [], 3, "Rest for 1 hour", [3], [[]]):
        with pytest.raises(RequestError, match=r"neither|cannot be read|has no steps"):
            read_protocol(unknown, 5.0)


def test_a_protocol_is_checked_as_a_whole():
    with pytest.raises(RequestError, match="65 stages, more than 64"):
        read_protocol([f"Rest for {minutes} minutes" for minutes in range(1, 66)], 5.0)
    with pytest.raises(RequestError, match="current_below_A, which cannot end it"):
        read_protocol(["Discharge at 1C until 1 A"], 5.0)
