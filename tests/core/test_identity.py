"""Identifiers follow from what they belong to: the same in, the same out, and no two alike."""

from datetime import date
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.request import request_uuid, run_uuid, simulation_folder

ANY_UUID = "c61da39a-ace5-4f92-ad76-9a64516dc84d"


def test_a_run_id_which_is_a_uuid_is_the_requests_uuid():
    assert request_uuid(ANY_UUID.upper()) == ANY_UUID


@given(st.text())
def test_any_other_run_id_gives_one_uuid_and_always_the_same(run_id):
    assert str(UUID(request_uuid(run_id))) == request_uuid(run_id)


def test_a_run_repeated_with_the_same_inputs_keeps_its_uuid_and_no_other_run_has_it():
    uuids = [run_uuid(ANY_UUID, run, inputs) for run in range(1, 101) for inputs in ("ab", "cd")]

    assert run_uuid(ANY_UUID, 3, "ab") == str(uuid5(UUID(ANY_UUID), "run-3 ab"))
    assert len(set(uuids)) == 200


def test_the_simulation_folder_carries_day_and_uuid():
    assert simulation_folder(ANY_UUID, date(2026, 3, 9)) == f"fastest_simulation_20260309_{ANY_UUID}"
