"""Telemetry messages hold valid samples only, keep their order, and whoever counts them knows what is missing."""

import json
import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.errors import ResultError
from twinbench.core.telemetry import (
    INVALID,
    METRIC_SIGNALS,
    RunLabel,
    SequenceTracker,
    batches,
    is_valid,
    message_id,
    metrics_message,
    parse_metrics,
    signal_type,
)

REQUEST = "7d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a11"
RUN = "0f7a1c9e-58a5-5d3e-9c0a-4b5f1d0f7d11"
LABEL = RunLabel(REQUEST, RUN, 3, "virtual-1", "Performance - Capacity", "Gen3b - Cell", "Automotive")


def samples_of(documents, name):
    return [
        (time, value)
        for document in documents
        for series in parse_metrics(document).series
        if series.name == name
        for time, value in zip(series.time_s, series.values, strict=True)
    ]


def test_a_message_says_what_d63_says_and_what_the_lab_adds():
    message = metrics_message(LABEL, 4, [0.5], {"Current_Profile": [-5.0], "Cell_Voltage_01": [3.7]})

    assert message == {
        "message_id": f"{RUN}:4",
        "seq": 4,
        "run_uuid": RUN,
        "run": 3,
        "bench_id": "virtual-1",
        "final": False,
        "test_name": "Performance - Capacity",
        "test_type": "Cell-level",
        "test_UUID": REQUEST,
        "test_UUT": "Gen3b - Cell",
        "test_bench": "Virtual",
        "use_case": "Automotive",
        "variables": [
            {"name": "Current_Profile", "type": "Input", "unit": "A", "values": [{"timestamp": 0.5, "value": -5.0}]},
            {"name": "Cell_Voltage_01", "type": "Output", "unit": "V", "values": [{"timestamp": 0.5, "value": 3.7}]},
        ],
    }


def test_only_the_current_drives_the_battery():
    assert [name for name in METRIC_SIGNALS if signal_type(name) == "Input"] == ["Current_Profile"]


@pytest.mark.parametrize("value", [INVALID, math.nan, math.inf, -math.inf])
def test_an_invalid_value_is_left_out_and_a_signal_without_valid_ones_too(value):
    message = metrics_message(LABEL, 0, [0.0, 1.0], {"SoC": [value, 50.0], "SoH": [value, value]})

    assert not is_valid(value)
    assert [(variable["name"], variable["values"]) for variable in message["variables"]] == [
        ("SoC", [{"timestamp": 1.0, "value": 50.0}])
    ]


@given(
    rows=st.lists(st.tuples(st.floats(width=32), st.floats(width=32)), max_size=60),
    samples=st.integers(1, 30),
    first=st.integers(0, 1000),
)
def test_batches_carry_each_valid_sample_once_in_order_and_are_numbered_without_gaps(rows, samples, first):
    time_s = np.arange(len(rows), dtype=float)
    columns = np.array(rows, dtype=float).reshape(-1, 2).T
    signals = {"SoC": columns[0], "Cell_Voltage_01": columns[1]}

    documents = [json.loads(json.dumps(d)) for d in batches(LABEL, first, time_s, signals, samples=samples)]

    assert [document["seq"] for document in documents] == list(range(first, first + len(documents)))
    assert all(sum(len(v["values"]) for v in document["variables"]) <= max(2, samples) for document in documents)
    for name, values in signals.items():
        expected = [(t, v) for t, v in zip(time_s.tolist(), values.tolist(), strict=True) if is_valid(v)]
        assert samples_of(documents, name) == expected


def test_a_message_is_read_as_it_was_built():
    metrics = parse_metrics(json.loads(json.dumps(metrics_message(LABEL, 7, [1.0], {"SoC": [50.0]}, final=True))))

    assert (metrics.message_id, metrics.seq, metrics.final, metrics.label) == (message_id(RUN, 7), 7, True, LABEL)
    assert [(s.name, s.type, s.unit, s.time_s, s.values) for s in metrics.series] == [
        ("SoC", "Output", "%", (1.0,), (50.0,))
    ]


def test_a_reader_drops_invalid_values_that_a_sender_left_in():
    message = metrics_message(LABEL, 0, [0.0], {"SoC": [50.0]})
    message["variables"][0]["values"] += [{"timestamp": 1, "value": -1e9}, {"timestamp": 2, "value": math.nan}]

    assert samples_of([message], "SoC") == [(0.0, 50.0)]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"run_uuid": "../../etc"}, "run_uuid"),
        ({"test_UUID": REQUEST.upper()}, "test_UUID"),
        ({"test_UUID": None}, "test_UUID"),
        ({"test_name": "a\x00b"}, "test_name"),
        ({"bench_id": "b" * 300}, "bench_id"),
        ({"seq": True}, "seq"),
        ({"seq": 1.0}, "seq"),
        ({"seq": 2**60}, "seq"),
        ({"seq": 5}, "message_id"),
        ({"run": 0}, "run"),
        ({"final": "no"}, "final"),
        ({"variables": {}}, "variables"),
        ({"variables": [{"name": "SoC", "type": "Output", "unit": "%"}]}, "values"),
        ({"variables": [{"name": "SoC", "type": "Output", "unit": "%", "values": [4]}]}, "SoC"),
        ({"variables": [{"name": "SoC", "type": "Output", "unit": "%", "values": [{"timestamp": 1}]}]}, "SoC"),
        (
            {"variables": [{"name": "S", "type": "O", "unit": "%", "values": [{"timestamp": 10**400, "value": 1}]}]},
            "too large",
        ),
        (
            {"variables": [{"name": "S", "type": "O", "unit": "%", "values": [{"timestamp": math.nan, "value": 1}]}]},
            "timestamp",
        ),
    ],
)
def test_what_is_no_metrics_message_is_refused_by_name(change, named):
    with pytest.raises(ResultError, match=named):
        parse_metrics({**metrics_message(LABEL, 0), **change})


@pytest.mark.parametrize("document", [None, [], "text", 4])
def test_what_is_no_object_is_refused(document):
    with pytest.raises(ResultError, match="JSON object"):
        parse_metrics(document)


@given(st.lists(st.integers(0, 40)))
def test_the_tracker_knows_what_has_arrived_whatever_the_order(arrivals):
    tracker, seen = SequenceTracker(), set()

    for seq in arrivals:
        assert tracker.add(seq) == (seq not in seen)
        seen.add(seq)

    missing = [seq for seq in range(max(seen, default=-1) + 1) if seq not in seen]
    assert [seq for first, last in tracker.gaps for seq in range(first, last + 1)] == missing
    assert tracker.upto == (min(missing) if missing else max(seen, default=-1)) - (1 if missing else 0)


def test_the_tracker_closes_its_gaps():
    order = list(range(500))
    random.Random(3).shuffle(order)
    tracker = SequenceTracker(upto=-1)

    for seq in order:
        tracker.add(seq)

    assert (tracker.upto, tracker.gaps) == (499, ())
