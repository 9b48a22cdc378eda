"""A run's note says what the run is about; if it cannot be written, the work goes on."""

import pytest

from tests.fakes import REQUEST_UUID
from twinbench.adapters.airflow_api import AirflowApi
from twinbench.core.errors import UnreachableError
from twinbench.orchestration.run_notes import note_run


@pytest.fixture
def written(monkeypatch):
    notes = []
    for name, value in {"URL": "http://127.0.0.1:1", "USER": "lims", "PASSWORD": "x"}.items():
        monkeypatch.setenv(f"TWINBENCH_AIRFLOW_{name}", value)
    monkeypatch.setattr(AirflowApi, "note", lambda self, run_id, line, *, dag: notes.append((dag, run_id, line)))
    return notes


def test_a_line_is_written_through_airflows_own_api(written):
    note_run(REQUEST_UUID, "TR-000001: Performance - Power")

    assert written == [("carry_out_request", REQUEST_UUID, "TR-000001: Performance - Power")]


def test_without_an_account_nothing_is_written_and_nothing_breaks(written, monkeypatch, caplog):
    monkeypatch.delenv("TWINBENCH_AIRFLOW_PASSWORD")

    note_run(REQUEST_UUID, "TR-000001")

    assert written == []
    assert "TWINBENCH_AIRFLOW_PASSWORD is not set" in caplog.text


def test_an_airflow_that_does_not_answer_breaks_nothing(written, monkeypatch, caplog):
    def away(*_, **__):
        raise UnreachableError("Airflow does not answer.")

    monkeypatch.setattr(AirflowApi, "note", away)

    note_run(REQUEST_UUID, "TR-000001")

    assert f"The note of run {REQUEST_UUID} is not written" in caplog.text
