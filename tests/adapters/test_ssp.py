"""SSP archives are read whoever wrote them, written so that other tools open them, and never trusted."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinbench.adapters.ssp import read_structure, write_ssp
from twinbench.core.bundle import Connection, ModelSummary, Reference, Variable
from twinbench.core.errors import BundleError
from twinbench.core.findings import Severity

SPACES = " ".join(
    f'xmlns:{prefix}="http://ssp-standard.org/SSP1/SystemStructure{name}"'
    for prefix, name in (
        ("ssc", "Common"),
        ("ssd", "Description"),
        ("ssv", "ParameterValues"),
        ("ssm", "ParameterMapping"),
    )
)


def component(name: str, *, inside: str = "", source: str = "resources/lag.fmu", more: str = "") -> str:
    connectors = "".join(
        f'<ssd:Connector name="{port}" kind="{kind}"><ssc:Real/></ssd:Connector>'
        for port, kind in (("u", "input"), ("y", "output"))
    )
    start = f'<ssd:Component name="{name}" source="{source}" {more}><ssd:Connectors>{connectors}</ssd:Connectors>'
    return f"{start}{inside}</ssd:Component>"


def connection(start: str, end: str, inside: str = "", more: str = "") -> str:
    attributes = ""
    for side, text in (("start", start), ("end", end)):
        element, dot, connector = text.rpartition(".")
        attributes += (f'{side}Element="{element}" ' if dot else "") + f'{side}Connector="{connector}" '
    return f"<ssd:Connection {attributes} {more}>{inside}</ssd:Connection>"


def system(
    name: str, *elements: str, wires: str = "", connectors: dict[str, str] | None = None, inside: str = ""
) -> str:
    made = "".join(
        f'<ssd:Connector name="{port}" kind="{kind}"><ssc:Real/></ssd:Connector>'
        for port, kind in (connectors or {}).items()
    )
    return (
        f'<ssd:System name="{name}"><ssd:Connectors>{made}</ssd:Connectors>{inside}'
        f"<ssd:Elements>{''.join(elements)}</ssd:Elements><ssd:Connections>{wires}</ssd:Connections></ssd:System>"
    )


def values(inline: dict[str, str], *, kind: str = "Real", mapping: str = "", more: str = "") -> str:
    parameters = "".join(
        f'<ssv:Parameter name="{name}"><ssv:{kind} value="{value}"/></ssv:Parameter>' for name, value in inline.items()
    )
    held = f'<ssv:ParameterSet version="1.0" name="p"><ssv:Parameters>{parameters}</ssv:Parameters></ssv:ParameterSet>'
    return (
        f"<ssd:ParameterBindings><ssd:ParameterBinding {more}><ssd:ParameterValues>{held}</ssd:ParameterValues>"
        f"{mapping}</ssd:ParameterBinding></ssd:ParameterBindings>"
    )


@pytest.fixture
def read(tmp_path):
    """Read a system from a folder with one FMU and perhaps other files."""

    def read(root: str, files: dict[str, str] | None = None, *, head: str = ""):
        (tmp_path / "resources").mkdir(exist_ok=True)
        (tmp_path / "resources/lag.fmu").write_bytes(b"PK")
        for name, text in (files or {}).items():
            (tmp_path / name).write_text(text)
        (tmp_path / "SystemStructure.ssd").write_text(
            f'{head}<ssd:SystemStructureDescription name="s" version="1.0" {SPACES}>{root}'
            '<ssd:DefaultExperiment startTime="1" stopTime="2.5"/></ssd:SystemStructureDescription>'
        )
        return read_structure(tmp_path)

    return read


def wired(structure) -> dict[str, tuple[str, float, float]]:
    return {
        f"{c.target.model}.{c.target.signal}": (f"{c.source.model}.{c.source.signal}", c.factor, c.offset)
        for c in structure.connections
    }


def starts(structure) -> dict[str, dict[str, str]]:
    return {c.name: dict(c.start_values) for c in structure.components}


def test_components_and_connections_are_read_with_their_transformation(read, tmp_path):
    linear = '<ssc:LinearTransformation factor="1.3" offset="50"/>'
    wires = connection("A.y", "B.u", linear) + connection("B.y", "A.u", more='suppressUnitConversion="true"')

    structure = read(system("root", component("A"), component("B"), wires=wires))

    assert structure.findings == ()
    assert wired(structure) == {"B.u": ("A.y", 1.3, 50.0), "A.u": ("B.y", 1.0, 0.0)}
    assert [c.is_converted for c in structure.connections] == [False, True]
    assert [c.file for c in structure.components] == [tmp_path / "resources/lag.fmu"] * 2
    assert (structure.name, structure.start_time_s, structure.stop_time_s) == ("s", 1.0, 2.5)


def test_connections_are_followed_through_nested_systems_and_transformations_composed(read):
    def linear(factor: float, offset: float) -> str:
        return f'<ssc:LinearTransformation factor="{factor}" offset="{offset}"/>'

    inner = system(
        "drive",
        component("motor"),
        connectors={"in": "input", "out": "output"},
        wires=connection("in", "motor.u", linear(2, 1)) + connection("motor.y", "out"),
    )
    wires = connection("A.y", "drive.in", linear(3, 5)) + connection("drive.out", "A.u")

    structure = read(system("root", component("A"), inner, wires=wires))

    assert structure.findings == ()
    assert wired(structure) == {"drive.motor.u": ("A.y", 6.0, 11.0), "A.u": ("drive.motor.y", 1.0, 0.0)}


def test_start_values_come_from_bindings_with_prefix_mapping_and_transformation(read):
    mapping = (
        '<ssd:ParameterMapping><ssm:ParameterMapping version="1.0">'
        '<ssm:MappingEntry source="p.a" target="T"><ssc:LinearTransformation factor="2" offset="1"/></ssm:MappingEntry>'
        '<ssm:MappingEntry source="p.a" target="k"/></ssm:ParameterMapping></ssd:ParameterMapping>'
    )

    structure = read(
        system("root", component("A", inside=values({"a": "3", "unmapped": "7"}, mapping=mapping, more='prefix="p."')))
    )

    assert starts(structure) == {"A": {"T": "7.0", "k": "3"}}


def test_external_values_and_mappings_are_read_and_booleans_mapped(read):
    binding = (
        '<ssd:ParameterBindings><ssd:ParameterBinding source="a%20b.ssv">'
        '<ssd:ParameterMapping source="m.ssm"/></ssd:ParameterBinding></ssd:ParameterBindings>'
    )
    ssv = (
        f'<ssv:ParameterSet {SPACES} version="1.0" name="p"><ssv:Parameters><ssv:Parameter name="on">'
        '<ssv:Boolean value="true"/></ssv:Parameter></ssv:Parameters></ssv:ParameterSet>'
    )
    ssm = (
        f'<ssm:ParameterMapping {SPACES} version="1.0"><ssm:MappingEntry source="on" target="off">'
        '<ssc:BooleanMappingTransformation><ssc:MapEntry source="true" target="false"/>'
        "</ssc:BooleanMappingTransformation></ssm:MappingEntry></ssm:ParameterMapping>"
    )

    structure = read(system("root", component("A", inside=binding)), {"a b.ssv": ssv, "m.ssm": ssm})

    assert (structure.findings, starts(structure)) == ((), {"A": {"off": "false"}})


def test_values_of_a_system_reach_its_elements_by_name_and_by_connector_and_count_more(read):
    inner = system(
        "drive",
        component("motor", inside=values({"T": "1", "k": "1", "x": "1"})),
        connectors={"gain": "parameter"},
        wires=connection("gain", "motor.k"),
    )

    structure = read(system("root", inner, inside=values({"drive.motor.T": "2", "drive.gain": "3", "nowhere": "4"})))

    assert starts(structure) == {"drive.motor": {"T": "2", "k": "3", "x": "1"}}
    assert [finding.code for finding in structure.findings] == ["SSP-PARAMETERS"]
    assert "1 of 3 values of a binding go nowhere: nowhere" in structure.findings[0].message


def test_types_and_arrays_of_fmi_3_are_read(read):
    array = values({"v": "1.5 2.5"}, kind="Float64")
    texts = '<ssv:String><ssv:Value value="a"/><ssv:Value value="b"/></ssv:String><ssc:Dimension size="2"/>'
    array = array.replace("</ssv:Parameters>", f'<ssv:Parameter name="t">{texts}</ssv:Parameter></ssv:Parameters>')

    assert starts(read(system("root", component("A", inside=array)))) == {"A": {"v": "1.5 2.5", "t": "a b"}}


def test_booleans_are_told_as_true_and_false_and_items_of_enumerations_by_their_value(read):
    items = '<ssc:Enumeration name="E"><ssc:Item name="red" value="7"/></ssc:Enumeration>'
    enumeration = values({"e": "red"}, kind="Enumeration").replace('value="red"', 'value="red" name="E"')
    enumeration = enumeration.replace(
        "</ssv:Parameters>", f"</ssv:Parameters><ssv:Enumerations>{items}</ssv:Enumerations>"
    )

    structure = read(
        system("r", component("A", inside=values({"on": "1"}, kind="Boolean")), component("B", inside=enumeration))
    )

    assert starts(structure) == {"A": {"on": "true"}, "B": {"e": "7"}}


def test_what_a_mapping_of_values_does_not_list_stays_as_it_is(read):
    mapping = (
        '<ssd:ParameterMapping><ssm:ParameterMapping version="1.0"><ssm:MappingEntry source="n" target="n">'
        '<ssc:IntegerMappingTransformation><ssc:MapEntry source="1" target="2"/></ssc:IntegerMappingTransformation>'
        "</ssm:MappingEntry></ssm:ParameterMapping></ssd:ParameterMapping>"
    )

    structure = read(system("r", component("A", inside=values({"n": "1 5"}, kind="Integer", mapping=mapping))))

    assert (structure.findings, starts(structure)) == ((), {"A": {"n": "2 5"}})


def test_values_without_a_declared_namespace_are_read(read):
    binding = '<ssd:ParameterBindings><ssd:ParameterBinding source="x.ssv"/></ssd:ParameterBindings>'
    parameters = '<ssv:Parameters><ssv:Parameter name="T"><ssv:Real value="4"/></ssv:Parameter></ssv:Parameters>'
    ssv = f"<ssv:ParameterSet>{parameters}</ssv:ParameterSet>"

    assert starts(read(system("r", component("A", inside=binding)), {"x.ssv": ssv})) == {"A": {"T": "4"}}


def test_a_structure_in_the_archive_is_read_as_a_system(read):
    nested = (
        f'<ssd:SystemStructureDescription name="n" version="1.0" {SPACES}>'
        f"{system('n', component('motor'), connectors={'out': 'output'}, wires=connection('motor.y', 'out'))}"
        "</ssd:SystemStructureDescription>"
    )
    part = '<ssd:Component name="drive" source="drive.ssd" type="application/x-ssp-definition"/>'

    structure = read(system("root", component("A"), part, wires=connection("drive.out", "A.u")), {"drive.ssd": nested})

    assert (structure.findings, wired(structure)) == ((), {"A.u": ("drive.motor.y", 1.0, 0.0)})


def test_a_connection_may_be_written_from_end_to_start(read):
    structure = read(system("root", component("A"), component("B"), wires=connection("A.u", "B.y")))

    assert wired(structure) == {"A.u": ("B.y", 1.0, 0.0)}
    assert [(f.code, f.severity) for f in structure.findings] == [("SSP-DIRECTION", Severity.NOTE)]


BINDING = "<ssd:ParameterBindings><ssd:ParameterBinding {}/></ssd:ParameterBindings>"
LOOP = system("s", connectors={"in": "input", "out": "output"}, wires=connection("in", "out"))


@pytest.mark.parametrize(
    ("root", "code", "words"),
    [
        (system("r", component("A", source="../evil.fmu")), "SSP-COMPONENT", "outside of the archive"),
        (system("r", component("A", source="/etc/passwd")), "SSP-COMPONENT", "outside of the archive"),
        (system("r", component("A", source="file:///etc/passwd")), "SSP-COMPONENT", "outside of the archive"),
        (system("r", component("A", source="%2e%2e/%2e%2e/etc/passwd")), "SSP-COMPONENT", "outside of the archive"),
        (system("r", component("A", source="resources/none.fmu")), "SSP-COMPONENT", "not in the archive"),
        (system("r", component("A", more='type="text/plain"')), "SSP-COMPONENT", "of type text/plain"),
        (system("r", component("A", more='implementation="ModelExchange"')), "SSP-COMPONENT", "Model Exchange"),
        (system("r", component("A"), component("A")), "SSP-NAME", "two elements"),
        (system("r", component("a.b"), system("a", component("b"))), "SSP-NAME", "once their names are joined"),
        (system("r", component("")), "SSP-NAME", "has no name"),
        (system("r", component("A", source="http://[")), "SSP-COMPONENT", "no usable path"),
        (system("r", component("A", source="a" * 300)), "SSP-COMPONENT", "no usable path"),
        (
            system("r", component("A"), wires=connection("A.y", "A.u", '<ssc:LinearTransformation factor="nan"/>')),
            "SSP-TRANSFORMATION",
            "factor='nan'",
        ),
        (
            system("r", component("A"), wires=connection("A.y", "A.u", more='endIndices="1"')),
            "SSP-TRANSFORMATION",
            "endIndices are not supported",
        ),
        (
            system(
                "r", component("A"), component("B").replace('"input"', '"parameter"'), wires=connection("A.y", "B.u")
            ),
            "SSP-LEFT-OUT",
            "drives a parameter",
        ),
        (
            system("r", component("A", inside=BINDING.format('source="x" sourceBase="component"'))),
            "SSP-PARAMETERS",
            "within the FMU",
        ),
        (
            system("r", component("A", inside=BINDING.format('source="SystemStructure.ssd"'))),
            "SSP-PARAMETERS",
            "not <ParameterSet>",
        ),
        (
            system("r", '<ssd:Component name="c" source="SystemStructure.ssd" type="application/x-ssp-definition"/>'),
            "SSP-COMPONENT",
            "contains itself",
        ),
        (system("r", component("A"), wires=connection("B.y", "A.u")), "SSP-UNKNOWN-ELEMENT", "it drives A.u"),
        (system("r", component("A"), wires=connection("A.y", "B.u")), "SSP-UNKNOWN-ELEMENT", "no such element"),
        (
            system("r", component("A"), wires=connection("A.y", "A.u", '<ssc:LinearTransformation factor="x"/>')),
            "SSP-TRANSFORMATION",
            "factor='x'",
        ),
        (
            system("r", component("A"), wires=connection("A.y", "A.u", "<ssc:BooleanMappingTransformation/>")),
            "SSP-TRANSFORMATION",
            "not supported on connections",
        ),
        (
            system("r", component("A"), LOOP, wires=connection("s.out", "s.in") + connection("s.out", "A.u")),
            "SSP-CIRCLE",
            "form a circle",
        ),
        (
            system("r", component("A", inside=values({"T": "1"}, more='source="../x.ssv"'))),
            "SSP-PARAMETERS",
            "outside of the archive",
        ),
        ("", "SSP-UNREADABLE", "holds no System"),
        ("<", "SSP-UNREADABLE", "no well-formed XML"),
    ],
)
def test_what_is_wrong_is_said_with_a_code(read, root, code, words):
    structure = read(root)

    errors = [finding for finding in structure.findings if finding.severity == Severity.ERROR]
    assert [finding.code for finding in errors] == [code], structure.findings
    assert words in errors[0].message
    assert errors[0].hint


def test_entities_are_refused_and_a_missing_structure_is_told(read, tmp_path):
    assert read_structure(tmp_path / "nothing").findings[0].code == "SSP-UNREADABLE"

    (finding,) = read("<x>&a;</x>", head='<!DOCTYPE a [<!ENTITY a "b">]>').findings

    assert "declares a document type" in finding.message


def test_systems_that_nest_deeply_without_elements_are_refused(read):
    root = ""
    for _ in range(70):
        root = f'<ssd:System name="s"><ssd:Elements>{root}</ssd:Elements></ssd:System>'

    (finding,) = read(root).findings

    assert "levels deep" in finding.message


def test_a_binding_of_a_nested_structure_is_relative_to_the_one_that_names_it(read, tmp_path):
    (tmp_path / "part").mkdir()
    motor = system("n", component("motor", source="../resources/lag.fmu"))
    inner = f'<ssd:SystemStructureDescription name="n" version="1.0" {SPACES}>{motor}'
    part = '<ssd:Component name="drive" source="part/n.ssd" type="application/x-ssp-definition">'
    binding = BINDING.format('source="x.ssv"')
    ssv = (
        '<ParameterSet><Parameters><Parameter name="motor.T"><Real value="4"/></Parameter></Parameters></ParameterSet>'
    )
    files = {"part/n.ssd": f"{inner}</ssd:SystemStructureDescription>", "x.ssv": ssv}

    structure = read(system("root", f"{part}{binding}</ssd:Component>"), files)

    assert (structure.findings, starts(structure)) == ((), {"drive.motor": {"T": "4"}})


def passing(count: int) -> list[str]:
    return [
        system(f"s{n}", connectors={"in": "input", "out": "output"}, wires=connection("in", "out"))
        for n in range(count)
    ]


@pytest.mark.timeout(20)
def test_wires_that_branch_again_and_again_are_refused_in_no_time(read):
    wires = "".join(2 * connection(f"s{n}.out", f"s{n + 1}.in") for n in range(39)) + connection("s39.out", "A.u")

    structure = read(system("r", component("A"), *passing(40), wires=wires))

    assert {finding.code for finding in structure.findings} == {"SSP-DRIVEN-TWICE"}


@pytest.mark.timeout(20)
def test_long_ways_through_systems_are_gone_once(read):
    wires = connection("A.y", "s0.in") + "".join(connection(f"s{n}.out", f"s{n + 1}.in") for n in range(999))
    wires += "".join(connection("s999.out", f"A.u{n}") for n in range(3000))

    assert len(read(system("r", component("A"), *passing(1000), wires=wires)).connections) == 3000


@pytest.mark.timeout(20)
def test_many_names_are_found_without_searching_all(read):
    given_values = {f"c{n}.T{m}": "1" for n in range(1000) for m in range(10)}

    structure = read(system("r", *(component(f"c{n}") for n in range(1000)), inside=values(given_values)))

    assert sum(len(part) for part in starts(structure).values()) == 10_000


@pytest.mark.thorough
@pytest.mark.timeout(60)
def test_a_file_that_is_read_for_every_component_is_counted_every_time(read):
    parameter = '<Parameter name="T{}"><Real value="1"/></Parameter>'
    ssv = "".join(["<ParameterSet><Parameters>", *map(parameter.format, range(10_000)), "</Parameters></ParameterSet>"])
    many = (component(f"c{n}", inside=BINDING.format('source="x.ssv"')) for n in range(200))

    (finding,) = read(system("r", *many), {"x.ssv": ssv}).findings

    assert finding.code == "SSP-TOO-LARGE"


names = st.text(st.characters(codec="utf-8", exclude_characters="./\\\0", exclude_categories=["C", "Z"]), min_size=1)
finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def models(draw) -> tuple[list[ModelSummary], list[Connection], dict[str, dict[str, str]]]:
    made = []
    for name in draw(st.lists(names, min_size=1, max_size=4, unique=True)):
        variables = {
            "u": Variable("u", "input", "Float64", "V"),
            "y": Variable("y", "output", draw(st.sampled_from(["Float64", "Int32", "UInt8", "Boolean"])), "V"),
            "T": Variable("T", "parameter", "Float64", dimensions=draw(st.sampled_from([(), (2,)]))),
        }
        made.append(ModelSummary(name, "3.0", "0" * 64, variables, True, (), "m"))
    chosen = st.sampled_from([model.name for model in made])
    wires = [
        Connection(Reference(draw(chosen), "y", "y"), Reference(target, "u", "u"), factor, offset, True)
        for target, factor, offset in draw(st.lists(st.tuples(chosen, finite, finite), unique_by=lambda t: t[0]))
    ]
    values = {name: {"T": repr(value)} for name, value in draw(st.dictionaries(chosen, finite)).items()}
    return made, wires, values


@pytest.mark.thorough
@given(models())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_what_was_written_is_read_back_and_the_same_content_gives_the_same_bytes(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("ssp")
    made, wires, given_values = content
    (folder / "m.fmu").write_bytes(b"an FMU")
    files = dict.fromkeys((model.name for model in made), folder / "m.fmu")
    for name in ("one.ssp", "two.ssp"):
        write_ssp(folder / name, name="n", models=made, files=files, connections=wires, start_values=given_values)
    with zipfile.ZipFile(folder / "one.ssp") as archive:
        archive.extractall(folder / "out")

    structure = read_structure(folder / "out")

    assert structure.findings == ()
    assert sorted(structure.connections, key=str) == sorted(wires, key=str)
    assert {name: part for name, part in starts(structure).items() if part} == given_values
    assert {c.name: c.file.read_bytes() for c in structure.components} == dict.fromkeys(files, b"an FMU")
    assert (folder / "one.ssp").read_bytes() == (folder / "two.ssp").read_bytes()


def test_fmpy_opens_what_was_written(tmp_path):
    from fmpy.ssp.ssd import read_ssd

    (tmp_path / "m.fmu").write_bytes(b"an FMU")
    variables = {"u": Variable("u", "input", "Float64", "V"), "y": Variable("y", "output", "Float64", "V")}
    made = [ModelSummary(name, "2.0", "0" * 64, variables, True, (), "m") for name in ("A", "B c")]
    wires = [Connection(Reference("A", "y", "y"), Reference("B c", "u", "u"), 1000.0, 0.5)]
    write_ssp(
        tmp_path / "m.ssp",
        name="pair",
        models=made,
        files=dict.fromkeys(["A", "B c"], tmp_path / "m.fmu"),
        connections=wires,
        start_values={"A": {"u": "2.5"}},
    )

    document = read_ssd(str(tmp_path / "m.ssp"))

    assert document.version == "1.0"
    assert [element.name for element in document.system.elements] == ["A", "B c"]
    (wire,) = document.system.connections
    assert (wire.startElement, wire.endElement) == ("A", "B c")
    assert [unit.name for unit in document.units] == ["V"]


def pair(tmp_path, variables: dict[str, Variable], names: tuple[str, str] = ("A", "B"), **more) -> Path:
    """An archive of two FMUs, unpacked."""
    (tmp_path / "m.fmu").write_bytes(b"an FMU")
    made = [ModelSummary(name, "3.0", "0" * 64, variables, True, (), "m") for name in names]
    files = dict.fromkeys(names, tmp_path / "m.fmu")
    write_ssp(tmp_path / "m.ssp", name="pair", models=made, files=files, **{"connections": [], **more})
    with zipfile.ZipFile(tmp_path / "m.ssp") as archive:
        archive.extractall(tmp_path / "out")
    return tmp_path / "out"


def test_other_tools_are_told_not_to_convert_what_is_converted(tmp_path):
    wires = [Connection(Reference("A", "y", "y"), Reference("B", "u", "u"), 1000.0)]

    folder = pair(tmp_path, {"y": Variable("y", "output", "Float64", "V")}, connections=wires)

    assert 'suppressUnitConversion="true"' in (folder / "SystemStructure.ssd").read_text()


def test_names_that_are_no_file_names_stay_within_the_archive(tmp_path):
    names = ("../../evil", "..:..:EVIL")

    structure = read_structure(pair(tmp_path, {}, names))

    assert structure.findings == ()
    assert {c.name for c in structure.components} == set(names)
    assert len({str(c.file).casefold() for c in structure.components}) == 2


def test_names_that_xml_cannot_hold_are_refused(tmp_path):
    with pytest.raises(BundleError, match="Rename it"):
        pair(tmp_path, {}, ("A", "B\x01"))


def test_values_of_every_kind_are_read_back(tmp_path):
    variables = {
        "on": Variable("on", "parameter", "Boolean"),
        "v": Variable("v", "structuralParameter", "UInt64", dimensions=(2,)),
        "t": Variable("t", "parameter", "String", dimensions=(2,)),
        "x": Variable("x", "local", "Float64"),
    }

    folder = pair(tmp_path, variables, start_values={"A": {"on": "1.0", "v": "1 2", "t": "a b", "x": "-1e-3"}})

    assert starts(read_structure(folder))["A"] == {"on": "true", "v": "1 2", "t": "a b", "x": "-1e-3"}


SEED = (
    f'<ssd:SystemStructureDescription name="s" version="1.0" {SPACES}>'
    + system("r", component("A", inside=values({"T": "1"})), component("B"), wires=connection("A.y", "B.u"))
    + "</ssd:SystemStructureDescription>"
).encode()


@pytest.mark.thorough
@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_damaged_structure_never_breaks_the_reader(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("fuzz")
    content = bytearray(SEED)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 30))
        content[place : place + length] = data.draw(st.binary(max_size=12) | st.just(bytes(content[:length])))
    (folder / "SystemStructure.ssd").write_bytes(bytes(content))

    read_structure(folder)

    assert [path.name for path in Path(folder).iterdir()] == ["SystemStructure.ssd"]
