"""The lab starts in good order, says in words why it does not, and leaves nothing behind either way."""

import json
import os
import signal
import socket
import stat
import sys
from contextlib import closing

import pytest

from tests.broker import eventually
from twinbench.core.errors import ConfigurationError
from twinbench.stack import broker, lab, parties
from twinbench.stack.service import Service
from twinbench.stack.site import HOST, USUAL_PORTS, Site, free_port, is_free
from twinbench.stack.supervision import Supervisor

from .conftest import Notes, processes_of


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A lab that was never up, in a folder of its own; whatever a test starts there is ended."""
    monkeypatch.setenv("TWINBENCH_LAB", str(tmp_path / ".lab"))
    yield Site.find()
    lab.down()


def listening(port, words="idle"):
    """A service that listens on a port until it is told to end."""
    program = (
        f"import socket, time; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); "
        f"s.bind(({HOST!r}, {port})); s.listen(); print({words!r}, flush=True); time.sleep(600)"
    )
    return Service("listener", "A listener", (sys.executable, "-c", program), is_ready=lambda: not is_free(port))


def failing():
    program = "import sys; print('error: the tape is full'); sys.exit(3)"
    return Service("failing", "A part that fails", (sys.executable, "-c", program), is_ready=lambda: False)


def test_free_ports_are_found_when_the_usual_ones_are_taken(site):
    with closing(socket.socket()) as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]

        found = free_port(taken)

    assert found > taken


def test_ports_are_kept_for_the_next_start_and_differ_from_each_other(site):
    with site.with_ports() as claimed:
        first = claimed.ports

    with Site.find().with_ports() as claimed:
        assert claimed.ports == first
    assert set(first) == set(USUAL_PORTS)
    assert len(set(first.values())) == len(first)


def test_labs_that_start_at_the_same_time_choose_different_ports(site, tmp_path):
    with site.with_ports() as one, Site(tmp_path / "other", one.ports).with_ports() as other:
        assert set(other.ports.values()).isdisjoint(one.ports.values())
        assert all(is_free(port) for port in one.ports.values())  # for the service that will listen there


def test_secrets_are_generated_once_private_and_differ_between_labs(site, tmp_path):
    other = Site(tmp_path / "other")

    assert site.secret("mqtt-lims") == site.secret("mqtt-lims") != other.secret("mqtt-lims")
    assert len(site.secret("mqtt-lims")) >= 32
    assert stat.S_IMODE((site.root / "secrets" / "mqtt-lims").stat().st_mode) == 0o600


def test_each_party_may_only_say_and_hear_what_is_its_business(site):
    with site.with_ports() as claimed:
        broker.service(claimed, benches=["cycler-1", "cycler-2"]).prepare()

    users = json.loads((claimed.folder("broker") / "nats.conf").read_text())["authorization"]["users"]

    rights = {user["user"]: user["permissions"] for user in users}
    assert rights["bench-cycler-1"]["subscribe"]["allow"] == ["lab.v1.benches.cycler-1.commands"]
    assert not any("cycler-2" in subject for subject in rights["bench-cycler-1"]["publish"]["allow"])
    assert "lab.v1.requests.*" in rights["lims"]["publish"]["allow"]
    assert rights["twin"]["subscribe"]["allow"] == ["lab.v1.requests.*", "LIMS.metrics.veos.simulation_metrics"]
    assert len({user["password"] for user in users}) == len(users)


def test_every_physical_bench_of_the_catalogue_has_an_agent():
    assert parties.physical_benches() == ["cycler-1"]


@pytest.mark.stack
def test_a_part_that_fails_is_named_with_its_last_words_and_log_and_nothing_is_left(site, monkeypatch):
    port = free_port(20_000)
    monkeypatch.setattr(lab, "_waves", lambda site: [[listening(port)], [failing()]])

    with pytest.raises(ConfigurationError) as caught:
        lab.up(Notes())

    words = str(caught.value)
    assert "A part that fails (failing) ends as soon as it is started" in words
    assert "error: the tape is full" in words
    assert str(site.log("failing")) in words
    assert processes_of(site) == []


@pytest.mark.stack
def test_a_part_that_dies_is_started_again_and_status_shows_it(site, monkeypatch):
    port = free_port(20_000)
    monkeypatch.setattr(lab, "_waves", lambda site: [[listening(port)]])
    lab.up(Notes())
    (before,) = lab.status()

    os.kill(before.pid, signal.SIGKILL)

    eventually(lambda: [part.restarts for part in lab.status() if part.state == "RUNNING"] == [1])
    (after,) = lab.status()
    assert after.pid != before.pid
    assert (before.restarts, after.title) == (0, "A listener")


@pytest.mark.stack
def test_a_second_up_changes_nothing_and_down_leaves_no_process(site, monkeypatch):
    port = free_port(20_000)
    monkeypatch.setattr(lab, "_waves", lambda site: [[listening(port)]])
    lab.up(Notes())
    (before,) = lab.status()
    again = Notes()

    lab.up(again)
    (after,) = lab.status()

    assert (before, again.ready_parts) == (after, [])
    assert lab.down()
    assert processes_of(site) == []
    assert is_free(port)
    assert lab.status() == []
    assert not lab.down()


@pytest.mark.stack
def test_what_a_crash_of_the_supervisor_left_behind_is_ended_by_the_next_start(site, monkeypatch):
    port = free_port(20_000)
    monkeypatch.setattr(lab, "_waves", lambda site: [[listening(port)]])
    lab.up(Notes())
    (orphan,) = lab.status()
    os.kill(int((site.root / "supervisord.pid").read_text()), signal.SIGKILL)
    eventually(lambda: not Supervisor(Site.find()).is_up())

    lab.up(Notes())

    (part,) = lab.status()
    assert part.pid != orphan.pid
    assert len(processes_of(site)) == 2  # the supervisor and its part


@pytest.mark.stack
def test_ctrl_c_in_mid_start_leaves_no_process(site, monkeypatch):
    monkeypatch.setattr(lab, "_waves", lambda site: [[listening(free_port(20_000))]])

    class Impatient(Notes):
        def starting(self, service):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lab.up(Impatient())

    assert processes_of(site) == []
