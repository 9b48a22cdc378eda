"""What lies in the pool is sorted into drops: each file into one, by the request or the models that names tell."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.drops import sort_drops
from twinbench.core.pool_entries import LARGEST_FILE_BYTES, Entry, plain_name

ONE, TWO = "5b1c5a52-5c0e-4f3e-9d0a-2f6a0c7a1e11", "9d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a99"


def wiring(*models):
    pairs = zip(models, models[1:] or models, strict=False)
    return json.dumps(
        [{"InSignalReference": f"/{a}/p/s", "OutSignalReference": f"/{b}/q/t"} for a, b in pairs]
    ).encode()


def sort(*paths, **contents):
    """Sort files; *contents* are those of the interconnection files, by their number among the paths."""
    centres = [path for path in paths if Entry(path).is_wiring]
    given = dict(zip(centres, contents.get("wirings", [wiring("A", "B")] * len(centres)), strict=True))
    return sort_drops(map(Entry, paths), given)


def test_files_without_a_request_in_their_names_are_one_drop_with_the_interconnection_last():
    (drop,) = sort("connections.json", "A.fmu", "B.fmu", "README.txt")

    assert list(drop.files.values()) == ["A.fmu", "B.fmu", "README.txt", "connections.json"]
    assert (drop.request_uuids, drop.fault, drop.lacks) == ((), "", "")
    assert drop.models == ("A.fmu", "B.fmu")


@pytest.mark.parametrize("name", ["Connections.json", "INTER_CONNECTION.JSON"])
def test_an_interconnection_file_is_known_by_its_name_in_any_case_and_given_the_usual_one(name):
    (drop,) = sort("A.fmu", "B.fmu", name)

    assert (list(drop.files.values())[-1], drop.lacks) == (name.lower(), "")


@pytest.mark.parametrize("form", ["{name}_{uuid}{suffix}", "{uuid}-{name}{suffix}", "{name}.{uuid}{suffix}"])
def test_a_request_s_uuid_in_file_names_says_whose_they_are_and_is_left_out_of_the_bundle(form):
    parts = [("A", ".fmu"), ("B", ".fmu"), ("inter_connection", ".json")]
    names = [form.format(name=name, suffix=suffix, uuid=uuid) for uuid in (ONE, TWO.upper()) for name, suffix in parts]

    first, second = sort(*names)

    assert (first.request_uuids, second.request_uuids) == ((ONE,), (TWO,))
    assert list(first.files.values()) == list(second.files.values()) == ["A.fmu", "B.fmu", "inter_connection.json"]
    assert first.lacks == second.lacks == ""


def test_a_uuid_that_the_interconnection_file_has_too_stays():
    (drop,) = sort(f"A_{ONE}.fmu", "inter_connection.json", wirings=[wiring(f"A_{ONE}")])

    assert drop.models == (f"A_{ONE}.fmu",)
    assert drop.request_uuids == (ONE,)


def test_a_folder_is_a_drop_and_its_name_may_say_whose_it_is():
    folder = f"fastest_simulation_20261129_{ONE}"

    (drop,) = sort(f"{folder}/A.fmu", f"{folder}/inter_connection.json", wirings=[wiring("A")])

    assert (drop.request_uuids, drop.lacks) == ((ONE,), "")


def test_two_drops_at_once_are_told_apart_by_the_models_they_name():
    first, second = sort(
        *("A.fmu", "B.fmu", "C.fmu", "D.fmu", "connections.json", "inter_connection.json"),
        wirings=[wiring("A", "B"), wiring("C", "D")],
    )

    assert (first.models, second.models) == (("A.fmu", "B.fmu"), ("C.fmu", "D.fmu"))
    assert first.fault == second.fault == ""


def test_two_drops_that_share_a_model_cannot_be_told_apart():
    (drop,) = sort(
        *("A.fmu", "B.fmu", "C.fmu", "connections.json", "inter_connection.json"),
        wirings=[wiring("A", "B"), wiring("B", "C")],
    )

    assert drop.fault == "it has 2 interconnection files: connections.json, inter_connection.json"


@pytest.mark.parametrize(
    ("paths", "lacks"),
    [
        (["A.fmu", "B.fmu"], "no inter_connection.json"),
        (["A.fmu", "inter_connection.json"], "names B, of which there is no FMU"),
        (["A.fmu", "B.fmu.part", "inter_connection.json"], "the upload of B.fmu.part is not finished"),
        (["A.fmu", "B.fmu", "inter_connection.json.part"], "the upload of inter_connection.json.part is not finished"),
    ],
)
def test_what_a_half_drop_lacks_is_told(paths, lacks):
    (drop,) = sort(*paths)

    assert lacks in drop.lacks


def test_an_interconnection_file_that_is_still_written_is_waited_for():
    (drop,) = sort_drops(map(Entry, ["A.fmu", "inter_connection.json"]), {})

    assert "is being written" in drop.lacks


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff", b"[" * 5000])
def test_an_interconnection_file_that_cannot_be_read_is_a_fault(content):
    (drop,) = sort("A.fmu", "inter_connection.json", wirings=[content])

    assert drop.fault


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (Entry("-rf.fmu"), "is not plain"),
        (Entry("A\n.fmu"), r"A\n.fmu is not plain"),
        (Entry("A\udcff.fmu"), "is not plain"),
        (Entry("..\\A.fmu"), "is not plain"),
        (Entry("Batterie-Modell-für-Zelle.fmu"), "is not plain"),
        (Entry("A" * 151 + ".fmu"), "is not plain"),
        (Entry("link.fmu", "other"), "is no plain file"),
        (Entry("A.fmu", size=LARGEST_FILE_BYTES + 1), "at most 1073741824 are taken"),
        (Entry("connections.json", size=1 << 23), "4194304 at most"),
    ],
    ids=str,
)
def test_what_is_unfit_is_a_drop_of_its_own_and_spoils_no_other(entry, fault):
    good = [Entry("A.fmu"), Entry("B.fmu"), Entry("inter_connection.json")]

    unfit, fit = sort_drops(
        [*good, entry] if entry.path != "A.fmu" else [*good[1:], entry], {good[2].path: wiring("B")}
    )

    assert fault in unfit.fault
    assert (fit.fault, fit.lacks) == ("", "")


def test_names_of_two_requests_in_one_folder_are_a_fault():
    (drop,) = sort(f"x/A_{ONE}.fmu", f"x/B_{TWO}.fmu", "x/inter_connection.json")

    assert "name 2 requests" in drop.fault


def test_two_files_that_would_have_one_name_are_a_fault():
    (drop,) = sort(f"A_{ONE}.fmu", f"{ONE}_A.fmu", f"B_{ONE}.fmu", f"inter_connection_{ONE}.json")

    assert drop.fault == "A.fmu would be there twice"


NAMES = st.sampled_from([
    *("A.fmu", "B.fmu", "C.fmu", "A.fmu.part", "connections.json", "inter_connection.json", "x/A.fmu", "x/y", "é.fmu"),
    *(f"{name}_{uuid}.fmu" for name in "AB" for uuid in (ONE, TWO)),
    *(f"inter_connection_{uuid}.json" for uuid in (ONE, TWO)), f"{ONE}-x/connections.json", "notes.txt",
])  # fmt: skip
WIRINGS = st.sampled_from([wiring("A", "B"), wiring("A"), wiring("B", "C"), b"[]", b"{"])


@given(st.dictionaries(NAMES, WIRINGS))
def test_every_file_is_in_exactly_one_drop_and_the_interconnection_comes_last(files):
    drops = sort_drops(map(Entry, files), {path: content for path, content in files.items() if Entry(path).is_wiring})

    assert sorted(path for drop in drops for path in drop.files) == sorted(files)
    for drop in drops:
        centres = [Entry(path).is_wiring for path in drop.files]
        assert centres == sorted(centres)
        if not drop.fault and not drop.lacks:
            assert sum(centres) == 1
            assert len(set(drop.files.values())) == len(drop.files)


@given(st.sampled_from(["A", "FMU _04", "x-y", ""]), st.sampled_from([".fmu", ".json"]))
def test_a_name_without_a_uuid_is_as_it_was(stem, suffix):
    assert plain_name(stem + suffix) == stem + suffix
    assert plain_name(f"{stem}_{ONE}{suffix}") == stem.rstrip() + suffix
