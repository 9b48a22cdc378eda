"""The LIMS's end of the wire to a bench: commands it sends, and all it hears."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jsonschema import Draft202012Validator

from tests.broker import BENCH
from twinbench.adapters.mqtt import MqttClient
from twinbench.core import topics
from twinbench.core.telemetry import SequenceTracker

REQUEST = "7d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a11"
RUNS = ["0f7a1c9e-58a5-5d3e-9c0a-4b5f1d0f7d11", "1f7a1c9e-58a5-5d3e-9c0a-4b5f1d0f7d22"]
ROOT = Path(__file__).parents[2]


def validator(name):
    return Draft202012Validator(json.loads((ROOT / "include" / "schemas" / f"{name}.schema.json").read_text()))


def at(seconds):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def start(command_id="c-1", *, runs=1, duration_s=100.0, **changes):
    """A start command for so many runs."""
    procedure = {
        "initial_soc_pct": 50,
        "ambient_degC": 25,
        "steps": [{"current_A": -0.1, "duration_s": duration_s}],
        "stop": {"voltage_min_V": 2.5, "voltage_max_V": 4.4},
        "step_size_s": 1.0,
    }
    return {
        "command_id": command_id,
        "verb": "start",
        "request_uuid": REQUEST,
        "issued_at": at(0),
        "not_after": at(30),
        "runs": [
            {"run": n + 1, "run_uuid": RUNS[n], "levels": {"current_A": -0.1}, "procedure": procedure}
            for n in range(runs)
        ],
        **changes,
    }


def abort(command_id="c-2", request_uuid=REQUEST):
    return {
        "command_id": command_id,
        "verb": "abort",
        "request_uuid": request_uuid,
        "issued_at": at(0),
        "not_after": at(30),
    }


class Lims:
    """Keeps all it hears, checks it against the schemas, acknowledges telemetry."""

    def __init__(self, url):
        self.events, self.states, self.rows, self.finals = [], [], defaultdict(dict), defaultdict(set)
        self.acknowledges, self._trackers = True, defaultdict(SequenceTracker)
        self.schemas = {name: validator(f"bench_{name}") for name in ("event", "status", "telemetry")}
        self.client = MqttClient(url, ca=None, client_id="lims", clean_session=False)
        self.client.subscribe(topics.bench_events(), self._heard("event", self.events.append))
        self.client.subscribe(topics.bench_status(), self._heard("status", self.states.append))
        self.client.subscribe(topics.bench_telemetry(), self._heard("telemetry", self._measured))
        self.client.open()

    def _heard(self, name, note):
        def take(message):
            document = message.document()
            self.schemas[name].validate(document)
            note(document)

        return take

    def _measured(self, message):
        run_uuid = message["run_uuid"]
        self.rows[run_uuid].setdefault(message["seq"], message["rows"])
        if message["final"]:
            self.finals[run_uuid].add(message["seq"])
        self._trackers[run_uuid].add(message["seq"])
        if self.acknowledges:
            upto = self._trackers[run_uuid].upto
            acknowledge = {"verb": "acknowledge", "run_uuid": run_uuid, "upto": upto}
            self.client.post(topics.bench_commands(BENCH), acknowledge)

    def command(self, document):
        self.client.publish(topics.bench_commands(BENCH), document)

    def heard(self, command_id="c-1"):
        return [event["event"] for event in self.events if event["command_id"] == command_id]

    def reason(self, event, command_id="c-1"):
        return next(e["reason"] for e in self.events if (e["event"], e["command_id"]) == (event, command_id))

    def times(self, run_uuid):
        return [row[0] for seq in sorted(self.rows[run_uuid]) for row in self.rows[run_uuid][seq]]
