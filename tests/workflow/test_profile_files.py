"""A profile is read from CSV or JSON as it was meant, and whatever else is uploaded is refused in words."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twinbench.core.battery.custom_profile import profile_steps
from twinbench.core.errors import RequestError
from twinbench.workflow.profile_files import read_profile

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
SAMPLES = st.lists(st.tuples(st.integers(0, 10_000_000), NUMBERS), min_size=2, unique_by=lambda sample: sample[0])


def values(profile):
    return [(entry["timestamp"], entry["value"]) for entry in profile["values"]]


@given(SAMPLES.map(sorted), st.sampled_from(["", "timestamp,value\n", "t [s],I [A]\r\n"]), st.sampled_from("\n\r"))
def test_what_is_written_as_csv_is_read_back(samples, header, end):
    newline = "\r\n" if end == "\r" else "\n"
    text = header + "".join(f"{time},{value!r}{newline}" for time, value in samples)

    assert values(read_profile(text.encode())) == samples


@given(SAMPLES.map(sorted), st.sampled_from(["A", "mA"]))
def test_what_is_written_as_json_is_read_back(samples, unit):
    entries = [{"timestamp": time, "value": value} for time, value in samples]

    whole = read_profile(json.dumps({"unit": unit, "values": entries}).encode())

    assert (values(whole), whole["unit"]) == (samples, unit)
    assert values(read_profile(json.dumps(entries).encode())) == samples


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["unit", "values", "timestamp", "value"]), inner)
    ),
)


@given(
    st.binary(max_size=200)
    | st.text().map(lambda text: text.encode("utf-8", "replace"))
    | JSONS.map(json.dumps).map(str.encode)
)
@example(b"[" * 100_000)
@example(b'{"values": [{"timestamp": 1' + b"0" * 5_000 + b', "value": 1}]}')
@example(b'{"values": [{"timestamp": 0, "value": 1e400}, {"timestamp": 1, "value": 0}]}')
@example(b'0,"' + b"x" * 200_000)
@example(b"0,1\r1,2\r")
@example(b"\xef\xbb\xbf")
def test_whatever_is_uploaded_is_a_profile_or_refused_in_words(content):
    try:
        profile = read_profile(content)
    except RequestError as error:
        words = str(error)
    else:
        words = f"{len(profile_steps(profile))} steps"
    assert 0 < len(words) < 500


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"0;1\n1;2\n", "Line 2"),
        (b"0,1\nnoon,2\n", "Line 2 of the profile is 'noon,2'"),
        (b"0,1\n", "two values or more"),
        (b"5,1\n3,2\n", "goes from timestamp 5 to 3"),
        (b"0,nan\n1,2\n", "finite number"),
        ("0,1\n1,2\n".encode("utf-16"), "no text file"),
        (b"0,1\n" * 10_001, "more than 10000 values"),
    ],
)
def test_what_is_wrong_is_named(content, words):
    with pytest.raises(RequestError, match=words):
        read_profile(content)


def test_currents_of_a_csv_file_may_be_milliamperes():
    assert [step.current_A for step in profile_steps(read_profile(b"0,1500\n10,0\n", unit="mA"))] == [1.5]
