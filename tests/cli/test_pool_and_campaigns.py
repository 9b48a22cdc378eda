"""What people see of the pool and of campaigns: what lies there and why, how far a campaign is, and what to do."""

import json

import pytest
from click.testing import CliRunner

from tests.airflow_server import served
from tests.fake_desk import FakeAirflow
from tests.fakes import INCLUDE, REQUEST_UUID, make_lab, request_document
from twinbench.cli import main
from twinbench.workflow.campaign import begin_campaign, submit_next
from twinbench.workflow.intake import forward_to_twin, register
from twinbench.workflow.receiving import receive_drops

BUNDLE = {file.name: file.read_bytes() for file in sorted((INCLUDE / "fmus").iterdir())}
OTHER = "9d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a99"
CAMPAIGN = {"name": "winter", "template": request_document(), "grid": {"runs": [1, 2]}}


@pytest.fixture
def fake(tmp_path, monkeypatch):
    fake = make_lab(tmp_path)
    for module in ("pool", "campaigns"):
        monkeypatch.setattr(f"twinbench.cli.{module}.open_this_lab", lambda: fake.lab)
    return fake


@pytest.fixture
def kept(fake):
    """A drop that may be for two requests."""
    for uuid in (REQUEST_UUID, OTHER):
        register(fake.lab, uuid, request_document(), uuid)
        forward_to_twin(fake.lab, uuid)
    fake.drops.files = dict(BUNDLE)
    return receive_drops(fake.lab, dict.fromkeys(BUNDLE, 9.0), patience_s=60)["quarantined"][0]["drop"]


def twinbench(*arguments, given=""):
    done = CliRunner().invoke(main, arguments, input=given)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_the_quarantine_is_shown_with_reason_requests_files_and_remedy(fake, kept):
    code, text = twinbench("pool", "list")

    assert code == 0
    assert text.splitlines()[0] == kept
    assert "  reason    2 requests wait" in text
    assert f"  may be    TR-000001 ({REQUEST_UUID})" in text
    assert f"            TR-000002 ({OTHER})" in text
    assert "  files     FMU_Battery_Model.fmu" in text
    assert "  remedy    Mend what is wrong" in text
    assert json.loads(twinbench("pool", "list", "--json")[1])["quarantined"][0]["drop"] == kept


def test_a_drop_is_given_to_a_request_by_its_number(fake, kept):
    code, text = twinbench("pool", "assign", kept, "tr-000002")

    assert (code, text.startswith("TR-000002 has FMU_")) == (0, True)
    assert fake.pool.files[OTHER] == BUNDLE
    assert twinbench("pool", "list") == (0, "Nothing lies in the pool but what requests wait for.\n")
    assert twinbench("pool", "assign", kept, "TR-000001")[0] == 1


def test_what_is_not_dealt_with_yet_or_left_over_is_named(fake):
    fake.drops.files = {"A.fmu": b""}
    fake.pool.upload(OTHER, {"B.fmu": b""})

    assert twinbench("pool", "list")[1].splitlines() == [
        "Not dealt with yet: A.fmu",
        f"Left over: folder {OTHER}, since the lab does not know this request. Remove it, or take what is needed.",
    ]


def test_a_campaign_is_shown_with_the_state_of_each_member(fake):
    begin_campaign(fake.lab, REQUEST_UUID, {**CAMPAIGN, "most_open": 1})
    submit_next(fake.lab, FakeAirflow(), REQUEST_UUID)

    code, text = twinbench("campaign", "show", REQUEST_UUID)

    assert code == 0
    assert text.splitlines()[0] == "winter: 1 to come, 1 submitted"
    assert [line.split() for line in text.splitlines()[2:]] == [
        ["TR-000001", "submitted", "runs", "1"],
        ["–", "to", "come", "runs", "2"],
    ]
    assert twinbench("campaign", "show", REQUEST_UUID, "--csv")[1].count("\n") == 3
    assert "winter" in twinbench("campaign", "list")[1]
    assert twinbench("campaign", "show", OTHER) == (
        1,
        f"error: There is no campaign {OTHER}: see the runs of run_campaign in Airflow.\n",
    )


def test_a_campaign_is_submitted_under_a_uuid_of_its_own(monkeypatch):
    with served() as server:
        monkeypatch.setenv("TWINBENCH_AIRFLOW_URL", server.url)
        monkeypatch.setenv("TWINBENCH_AIRFLOW_PASSWORD", server.password)
        server.answers["POST /api/v2/dags/run_campaign/dagRuns"] = (200, {"state": "queued"})

        code, text = twinbench("campaign", "submit", "-", given=json.dumps(CAMPAIGN))

        ((_, _, _, body),) = server.asked
    assert code == 0
    assert text.startswith(f"{body['dag_run_id']} queued, 2 members\n")
    assert body["conf"] == CAMPAIGN


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"name": "x"}, "template         is missing"),
        ({**CAMPAIGN, "grid": {"runs": [1, 1]}}, "Several members ask for the same: runs 1"),
    ],
)
def test_a_campaign_that_cannot_be_is_refused_before_anybody_is_asked(document, words):
    code, text = twinbench("campaign", "submit", "-", given=json.dumps(document))

    assert code == 1
    assert words in text
