"""A bench that does with a start command what a test says, in the messages a real agent would send."""

from twinbench.core.telemetry import message_id

COLUMNS = ["time_s", "Current_Profile", "Cell_Voltage_01", "Cell_Average_Temperature_01"]


class ScriptedBench:
    """Call it like a bench of :class:`tests.fakes.FakeWire`.

    Args:
        ends_with: The last event, ``finished`` or ``failed`` or ``refused``; none if it never ends.
        state: What it is doing when somebody begins to listen.
        loses: Sequence numbers of telemetry that never arrive.
    """

    def __init__(self, name="cycler-1", *, ends_with="finished", state="idle", loses=()):
        self.name, self.ends_with, self.state, self.loses = name, ends_with, state, loses
        self.last_events = {}

    def __call__(self, command, handlers):
        if command is None:
            self._say_status(handlers)
        elif command["verb"] == "start" and command["command_id"] in self.last_events:
            handlers["event"](self._event(command, "duplicate"))
            handlers["event"](self.last_events[command["command_id"]])
        elif command["verb"] == "start":
            self._carry_out(command, handlers)

    def _say_status(self, handlers):
        status = {"bench": self.name, "state": self.state, "epoch": "e", "driver": "test", "at": "2026-11-20T12:00:00Z"}
        handlers["status"](status)

    def _carry_out(self, command, handlers):
        if self.ends_with == "refused":
            handlers["event"](self._event(command, "refused", reason="The bench is busy."))
            return
        handlers["event"](self._event(command, "accepted"))
        runs = []
        for number, run in enumerate(command["runs"], 1):
            runs.append(self._measure(command, run, handlers))
            handlers["event"](self._event(command, "run-finished", at=f"2026-11-20T12:0{number}:00Z", runs=runs[-1:]))
        if self.ends_with:
            done = runs if self.ends_with == "finished" else runs[:1]
            reason = {} if self.ends_with == "finished" else {"reason": "the fuse blew"}
            event = self._event(command, self.ends_with, runs=done, **reason)
            self.last_events[command["command_id"]] = event
            handlers["event"](event)

    def _measure(self, command, run, handlers):
        for seq in (1, 0, 2):  # out of order, as brokers may deliver
            if seq in self.loses:
                continue
            rows = [[10.0 * seq + second, -5.0, 3.9, 25.5] for second in range(10)] if seq < 2 else []
            handlers["telemetry"](
                {
                    "message_id": message_id(run["run_uuid"], seq),
                    "seq": seq,
                    "run_uuid": run["run_uuid"],
                    "run": run["run"],
                    "command_id": command["command_id"],
                    "bench": self.name,
                    "final": seq == 2,
                    "columns": COLUMNS,
                    "rows": rows,
                }
            )
        return {"run": run["run"], "run_uuid": run["run_uuid"], "last_seq": 2, "rows": 20, "stop_reason": "limit"}

    def _event(self, command, event, **more):
        told = {"command_id": command["command_id"], "event": event, "bench": self.name, "at": "2026-11-20T12:00:01Z"}
        return {**told, **more}
