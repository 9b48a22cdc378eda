"""From the command line, requests of the running lab are cancelled and campaigns are carried out."""

import json

import pytest
from click.testing import CliRunner

from tests.broker import eventually
from tests.fakes import request_document
from twinbench.adapters.postgres import Bookings, Database
from twinbench.cli import main
from twinbench.stack.database import database_url

from .outside import another_twin

pytestmark = pytest.mark.timeout(600)


def twinbench(*arguments):
    done = CliRunner().invoke(main, arguments)
    return done.exit_code, done.output


def test_what_waits_for_models_is_cancelled_from_the_command_line_once(requester):
    with another_twin(requester.site, lambda *_: None):
        waiting = requester.ask(request_document(runs=1)).json()["dag_run_id"]
        eventually(lambda: requester.awaits_models(waiting), timeout_s=60, every_s=0.5)
        number = requester.row(waiting)["request_number"]
        first, again = (twinbench("request", "cancel", number, "--reason", "no cell") for _ in range(2))

    assert first == (0, f"{number} is cancelled; it was forwarded. What it has stored stays.\n")
    assert again == (1, f"error: {number} is cancelled: it cannot be cancelled any more.\n")
    assert (requester.row(waiting)["failure"], requester.api.run(waiting)["state"]) == ("no cell", "failed")


@pytest.fixture(scope="module")
def campaign(requester, tmp_path_factory):
    """A campaign of two members that has begun; its UUID."""
    document = {"name": "winter", "template": request_document(), "grid": {"runs": [1, 2]}, "most_open": 1}
    file = tmp_path_factory.mktemp("campaign") / "campaign.json"
    file.write_text(json.dumps(document))
    code, text = twinbench("campaign", "submit", str(file))
    assert code == 0, text
    return text.split()[0]


def test_what_a_bench_works_on_is_cancelled_and_the_bench_aborts_while_a_campaign_goes_on(requester, campaign):
    document = request_document(runs=6, test_name="Performance - Capacity", test_bench="Physical")
    log = requester.site.log("bench-cycler-1")
    commands = log.read_text().count(" accepted")
    physical = requester.ask(document).json()["dag_run_id"]
    eventually(lambda: log.read_text().count(" accepted") > commands, timeout_s=180)

    code, text = twinbench("request", "cancel", physical)

    assert code == 0, text
    assert "it was running" in text
    eventually(lambda: "failed aborted by command" in log.read_text(), timeout_s=30)
    bookings = Bookings(Database(database_url(requester.site, "lims"))).of_request(physical)
    assert (requester.row(physical)["status"], [one.state for one in bookings]) == ("cancelled", ["released"])


def test_a_campaign_carries_out_its_members_one_after_another_and_tells_what_came_of_each(requester, campaign):
    run = f"/api/v2/dags/run_campaign/dagRuns/{campaign}"
    eventually(lambda: requester.http.get(run).json()["state"] in ("success", "failed"), timeout_s=240, every_s=1)

    assert requester.http.get(run).json()["state"] == "success"
    folder = requester.site.folder("storage") / "campaigns" / campaign
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["counts"], summary["is_over"]) == ({"completed": 2}, True)
    assert all(member["figures"]["evaluated"] == member["differs"]["runs"] for member in summary["members"])
    first, second = (requester.row(member["uuid"]) for member in summary["members"])
    assert first["completed_at"] <= second["created_at"]
    assert len((folder / "summary.csv").read_text().splitlines()) == 3
