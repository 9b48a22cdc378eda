"""Operators that have benches carry out their runs: one mapped task per bench assignment, not per run.

Until the planned start, and while a physical bench works, the task is deferred: it waits in the triggerer and holds no
worker slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from airflow.sdk import BaseOperator, Context

__all__ = ["PhysicalBenchRuns", "VirtualBenchRuns"]


class _BenchRuns(BaseOperator):
    """Waits for the planned start, then lets the bench begin.

    Args:
        assignment: ``{bench, kind, runs, start}`` of the bench plan.
    """

    template_fields: Sequence[str] = ("assignment",)

    def __init__(self, *, assignment: dict[str, Any], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.assignment = assignment

    def execute(self, context: Context) -> Any:
        """Begin now, or defer until the planned start; the lab may have planned again while this waited."""
        from twinbench.orchestration.steps import perform
        from twinbench.workflow.booked_benches import begin_assignment

        self.assignment = perform(begin_assignment, self.assignment)
        if not self.assignment["begun"]:
            from airflow.providers.standard.triggers.temporal import DateTimeTrigger

            start = datetime.fromisoformat(self.assignment["start"])
            self.log.info("The plan starts this on %s at %s; waiting.", self.assignment["bench"], start)
            self.defer(trigger=DateTimeTrigger(moment=start), method_name="resume")
        return self.begin(context)

    def resume(self, context: Context, event: Any = None) -> Any:
        """The planned start has come, or what it was when this began to wait."""
        return self.execute(context)

    def begin(self, context: Context) -> Any:
        """Carry out the assignment."""
        raise NotImplementedError

    def end(self, result: dict[str, Any]) -> dict[str, Any]:
        """Give the bench back."""
        from twinbench.orchestration.steps import perform
        from twinbench.workflow.booked_benches import end_assignment

        perform(end_assignment, self.assignment)
        return result


class VirtualBenchRuns(_BenchRuns):
    """Simulates the runs of one assignment, streaming their results."""

    def begin(self, context: Context) -> dict[str, Any]:
        """Simulate here and now."""
        from twinbench.orchestration.steps import perform
        from twinbench.workflow.virtual_bench import run_virtual

        return self.end(perform(run_virtual, self.assignment))


class PhysicalBenchRuns(_BenchRuns):
    """Commands a physical bench and waits for its results in the triggerer."""

    def begin(self, context: Context) -> Any:
        """Send the start command, then wait for the bench without a worker slot."""
        from twinbench.orchestration.bench_trigger import BenchTrigger
        from twinbench.orchestration.steps import perform
        from twinbench.workflow.physical_bench import start_physical

        order = perform(start_physical, self.assignment)
        if order is None:
            return self.collect(context)
        self.defer(trigger=BenchTrigger(**order), method_name="collect")

    def collect(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Turn what the bench has measured into results."""
        from twinbench.orchestration.steps import perform
        from twinbench.workflow.booked_benches import planned_assignment
        from twinbench.workflow.physical_bench import collect_physical

        self.assignment = perform(planned_assignment, self.assignment)
        return self.end(perform(collect_physical, self.assignment, event))
