"""An interconnection file is read in all its forms, and everything wrong with a wiring is said at once."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.bundle import (
    Connection,
    ModelSummary,
    Reference,
    Unit,
    Variable,
    check_wiring,
    conversion,
    is_interconnection_name,
    parse_connections,
    resolve_connections,
)
from twinbench.core.findings import Severity


def model(name: str, *variables: Variable) -> ModelSummary:
    return ModelSummary(
        name=name,
        fmi_version="3.0",
        sha256="0" * 64,
        variables={variable.name: variable for variable in variables},
        co_simulation=True,
        platforms=("x86_64-linux",),
        model_identifier=name,
    )


def output(name: str, type_: str = "Float64", unit: str | None = "V", dimensions: tuple[int, ...] = ()) -> Variable:
    return Variable(name, "output", type_, unit, dimensions)


def input_(name: str, type_: str = "Float64", unit: str | None = "V", dimensions: tuple[int, ...] = ()) -> Variable:
    return Variable(name, "input", type_, unit, dimensions, start="0")


SOURCE = model(
    "Source",
    output("volt"),
    output("count", "Int32"),
    output("array", dimensions=(3,)),
    output("amp", unit="A"),
    output("text", "String", None),
)
SINK = model(
    "Sink", input_("u"), input_("n", "Int32"), input_("list", dimensions=(4,)), input_("text", "String"), output("y")
)


def wire(source: str, target: str) -> Connection:
    return Connection(Reference.parse(source), Reference.parse(target))


def errors(*wires: Connection) -> list[str]:
    found = check_wiring([SOURCE, SINK], wires)
    return [finding.code for finding in found if finding.severity is not Severity.NOTE]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("/FMU/port/signal", ("FMU", "port", "signal")),
        ("FMU/port/signal", ("FMU", "port", "signal")),
        ("/FMU/port", ("FMU", "port", "port")),
        ("FMU/port", ("FMU", "port", "port")),
        (" / FMU_1 / port ", ("FMU_1", "port", "port")),
        ("FMU _04/Port_C", ("FMU _04", "Port_C", "Port_C")),
    ],
)
def test_both_forms_of_a_reference_are_read(text, parts):
    reference = Reference.parse(text)

    assert (reference.model, reference.port, reference.signal) == parts


@pytest.mark.parametrize("text", ["", "/", "FMU", "/FMU/", "a//b", "/a/b/c/d", "//a/b"])
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(ValueError, match="neither /FMU/port/signal nor FMU/port"):
        Reference.parse(text)


names = st.text(st.characters(blacklist_characters="/", blacklist_categories=["Cs"]), min_size=1).filter(
    lambda text: text == text.strip()
)


@given(names, names, names)
def test_a_reference_survives_being_written(model_name, port, signal):
    reference = Reference(model_name, port, signal)

    assert Reference.parse(str(reference)) == reference


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("inter_connection.json", True),
        ("connections.json", True),
        ("pool/uuid/Connections.JSON", True),
        ("inter_connection.json.part", False),
        ("findings.json", False),
        ("my_connections.json", False),
    ],
)
def test_interconnection_files_are_known_by_name(name, expected):
    assert is_interconnection_name(name) is expected


def test_connections_are_read_with_or_without_byte_order_mark():
    entry = {"InSignalReference": "FMU _04/Port_C", "OutSignalReference": "/A/y/y"}

    for text in (json.dumps([entry]), b"\xef\xbb\xbf" + json.dumps([entry]).encode()):
        connections, findings = parse_connections(text, where="connections.json")

        assert findings == []
        assert connections == [wire("A/y", "FMU _04/Port_C")]


@pytest.mark.parametrize("text", ["", "{", "\ufeff[", b"\xff\xfe[]", "[" * 100_000])
def test_what_is_no_json_is_one_finding(text):
    connections, (finding,) = parse_connections(text, where="connections.json")

    assert connections == []
    assert (finding.code, finding.where) == ("BUNDLE-CONNECTIONS-NOT-JSON", "connections.json")


def test_a_document_of_another_shape_is_one_finding():
    _, (finding,) = parse_connections('{"a": 1}', where="c.json")

    assert finding.code == "BUNDLE-CONNECTIONS-MALFORMED"
    assert "a JSON dict" in finding.message


def test_each_malformed_entry_is_named_and_the_others_are_kept():
    good = {"InSignalReference": "B/u", "OutSignalReference": "A/y"}
    entries = [
        good,
        5,
        {"InSignalReference": "B/u"},
        {**good, "OutSignalReference": 7},
        {**good, "InSignalReference": "B"},
    ]

    connections, findings = parse_connections(json.dumps(entries), where="c.json")

    assert connections == [wire("A/y", "B/u")]
    assert {finding.code for finding in findings} == {"BUNDLE-CONNECTION-MALFORMED"}
    assert [finding.where for finding in findings] == [f"c.json entry {n}" for n in (2, 3, 4, 5)]
    assert [finding.message.split(" ")[0] for finding in findings] == [
        "'5'",
        "OutSignalReference",
        "OutSignalReference",
        "'B'",
    ]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_no_document_raises(document):
    connections, findings = parse_connections(json.dumps(document), where="c.json")

    assert connections == []
    assert bool(findings) == (document != [])


def test_a_right_wiring_has_notes_only():
    findings = check_wiring([SOURCE, SINK], [wire("Source/volt", "Sink/u")])

    assert [(f.code, f.severity, f.where) for f in findings] == [
        ("BUNDLE-UNCONNECTED-INPUT", Severity.NOTE, "/Sink/n/n"),
        ("BUNDLE-UNCONNECTED-INPUT", Severity.NOTE, "/Sink/list/list"),
        ("BUNDLE-UNCONNECTED-INPUT", Severity.NOTE, "/Sink/text/text"),
    ]


@pytest.mark.parametrize(
    ("code", "source", "target"),
    [
        ("BUNDLE-UNKNOWN-MODEL", "Sorce/volt", "Sink/u"),
        ("BUNDLE-UNKNOWN-VARIABLE", "Source/vlot", "Sink/u"),
        ("BUNDLE-NOT-AN-OUTPUT", "Sink/u", "Sink/u"),
        ("BUNDLE-NOT-AN-INPUT", "Source/volt", "Sink/y"),
        ("BUNDLE-DIRECTION", "Sink/u", "Source/volt"),
        ("BUNDLE-TYPE-MISMATCH", "Source/count", "Sink/u"),
        ("BUNDLE-TYPE-UNSUPPORTED", "Source/text", "Sink/text"),
        ("BUNDLE-SHAPE-MISMATCH", "Source/array", "Sink/list"),
        ("BUNDLE-UNIT-MISMATCH", "Source/amp", "Sink/u"),
    ],
)
def test_each_fault_has_its_code_and_a_hint(code, source, target):
    assert errors(wire(source, target)) == [code]

    (finding,) = (f for f in check_wiring([SOURCE, SINK], [wire(source, target)]) if f.code == code)
    assert finding.hint


def test_all_faults_come_at_once():
    assert errors(wire("A/volt", "B/u"), wire("Source/array", "Sink/u"), wire("Source/volt", "Sink/y")) == [
        "BUNDLE-UNKNOWN-MODEL",
        "BUNDLE-UNKNOWN-MODEL",
        "BUNDLE-SHAPE-MISMATCH",
        "BUNDLE-NOT-AN-INPUT",
    ]


def test_an_input_is_driven_once():
    driven = wire("Source/volt", "Sink/u")

    assert errors(driven, wire("Source/amp", "Sink/u")) == ["BUNDLE-DRIVEN-TWICE", "BUNDLE-UNIT-MISMATCH"]
    assert errors(driven, wire("/Source/p/volt", "/Sink/q/u")) == ["BUNDLE-CONNECTED-TWICE"]


def test_a_misspelt_name_gets_the_right_one_as_hint():
    findings = check_wiring([SOURCE, SINK], [wire("Sorce/volt", "Sink/u"), wire("Source/vlot", "Sink/u")])

    assert "Did you mean Source?" in findings[0].hint
    assert findings[1].hint == "Did you mean volt?"


def test_names_are_found_apart_from_blanks_and_by_port():
    wired = [wire("FMU _03 / Port_E", "FMU_04/Port_C/in")]
    models = [model("FMU_03", output("Port_E")), model("FMU_04", input_("Port_C.in"))]

    connections, findings = resolve_connections(models, wired)

    assert findings == []
    assert connections == [wire("FMU_03/Port_E", "FMU_04/Port_C.in")]


def test_only_connections_without_errors_are_made():
    wires = [wire("Source/volt", "Sink/u"), wire("Source/volt", "Sink/y")]

    connections, _ = resolve_connections([SOURCE, SINK], wires)

    assert connections == wires[:1]


VOLT = Unit((1, 2, -3, -1, 0, 0, 0, 0))
MILLIVOLT = Unit(VOLT.exponents, factor=1e-3)
KELVIN = Unit((0, 0, 0, 0, 1, 0, 0, 0))
CELSIUS = Unit(KELVIN.exponents, offset=273.15)


def quantity(kind, unit, definition, **more) -> Variable:
    return Variable("x", kind, "Float64", unit, unit_definition=definition, **more)


def wired_quantities(output_, input_, connection=None):
    models = [model("A", output_), model("B", input_)]
    return resolve_connections(models, [connection or wire("A/x", "B/x")])


@pytest.mark.parametrize(
    ("source", "target", "relative", "factor", "offset"),
    [
        (("V", VOLT), ("mV", MILLIVOLT), False, 1000.0, 0.0),
        (("degC", CELSIUS), ("K", KELVIN), False, 1.0, 273.15),
        (("degC", CELSIUS), ("K", KELVIN), True, 1.0, 0.0),
        (("V", VOLT), ("volt", VOLT), False, 1.0, 0.0),
    ],
)
def test_units_are_converted_by_the_definitions_of_the_fmus(source, target, relative, factor, offset):
    (connection,), findings = wired_quantities(
        quantity("output", *source, is_relative=relative), quantity("input", *target)
    )

    assert (connection.factor, connection.offset) == (pytest.approx(factor), offset)
    converted = (factor, offset) != (1.0, 0.0)
    assert [finding.code for finding in findings] == ["BUNDLE-UNIT-CONVERTED"] * converted


def test_different_quantities_are_not_connected():
    connections, (finding,) = wired_quantities(quantity("output", "V", VOLT), quantity("input", "K", KELVIN))

    assert connections == []
    assert (finding.code, finding.severity) == ("BUNDLE-UNIT-DIMENSION", Severity.ERROR)


def test_units_are_converted_before_what_the_wiring_transforms():
    given = replace(wire("A/x", "B/x"), factor=7.0, offset=1.0)

    (connection,), _ = wired_quantities(quantity("output", "degC", CELSIUS), quantity("input", "K", KELVIN), given)

    assert (connection.factor, connection.offset) == (7.0, 7.0 * 273.15 + 1.0)


def test_what_is_converted_already_is_not_converted_again():
    given = replace(wire("A/x", "B/x"), factor=7.0, is_converted=True)

    connections, findings = wired_quantities(quantity("output", "V", VOLT), quantity("input", "mV", MILLIVOLT), given)

    assert (connections[0].factor, findings) == (7.0, [])


@given(st.floats(-1e6, 1e6), st.sampled_from([VOLT, MILLIVOLT]), st.sampled_from([VOLT, MILLIVOLT]))
def test_a_conversion_and_its_inverse_give_the_value_back(value, one, other):
    there, back = conversion(one, other), conversion(other, one)

    assert back[0] * (there[0] * value + there[1]) + back[1] == pytest.approx(value, abs=1e-9)


def test_start_values_that_contradict_each_other_are_told_after_conversion():
    volt = quantity("output", "V", VOLT, start="3.7")

    assert wired_quantities(volt, quantity("input", "mV", MILLIVOLT, start="3700"))[1][1:] == []
    _, findings = wired_quantities(volt, quantity("input", "V", VOLT, start="0"))
    assert [(f.code, f.message) for f in findings] == [
        ("BUNDLE-START-DIFFERS", "the output starts at 3.7, the input at 0")
    ]


@pytest.mark.thorough
def test_a_file_with_a_hundred_thousand_wrong_names_is_checked_in_time():
    large = model("Large", *(output(f"signal_{number}") for number in range(3000)))
    wires = [wire(f"Large/wrong_{number}", "Large/u") for number in range(20_000)]

    begun = time.process_time()
    findings = check_wiring([large], wires)

    assert len(findings) >= 40_000
    assert time.process_time() - begun < 10
