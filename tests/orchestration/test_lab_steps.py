"""A step of the whole lab is given the run's parameters; what repeating cannot mend fails at once."""

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.fakes import NOON, make_lab
from twinbench.core.errors import UnreachableError
from twinbench.orchestration import opening
from twinbench.orchestration.lab_steps import LabStep


@pytest.fixture
def fake(tmp_path, monkeypatch):
    fake = make_lab(tmp_path)
    monkeypatch.setattr(opening, "open_lab", lambda: fake.lab)
    return fake


STEP = LabStep(task_id="replan", use_case="replanning.close_and_replan")


def test_a_bench_is_taken_out_of_service_and_the_lab_planned_again(fake):
    told = STEP.execute({"params": {"bench": "cycler-1", "reason": "relay welded", "until": None}})

    assert told["moved"] == []
    assert [one.reason for one in fake.bookings.closures(after=NOON)] == ["relay welded"]


def test_what_cannot_mend_itself_fails_at_once(fake):
    with pytest.raises(AirflowFailException, match="There is no bench 'cycler-9'"):
        STEP.execute({"params": {"bench": "cycler-9", "reason": "x"}})


def test_a_service_that_does_not_answer_is_left_to_airflow_s_retries(fake, monkeypatch):
    def away(**_):
        raise UnreachableError("The database does not answer.")

    monkeypatch.setattr(fake.bookings, "active", away)

    with pytest.raises(UnreachableError):
        STEP.execute({"params": {"bench": ""}})
