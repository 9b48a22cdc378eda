"""Late or not: the lab's patience with each stage of a request, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from twinbench.core.booking import Booking
from twinbench.core.errors import ConfigurationError
from twinbench.core.request import RequestState

__all__ = ["Patience", "Stage"]


@dataclass(frozen=True)
class Stage:
    """A state a request must have come to, how long after it was queued, and what is wrong if it has not."""

    state: RequestState
    within: timedelta
    what: str

    def is_late(self, state: str) -> bool:
        """Whether a request that is in *state* when the time is over has not come so far; what is over is not late."""
        if state in (RequestState.FAILED, RequestState.CANCELLED):
            return False
        order = list(RequestState)
        return order.index(RequestState(state)) < order.index(self.state)


@dataclass(frozen=True)
class Patience:
    """``include/catalogue/lateness.json``.

    Attributes:
        stages: By their state.
        bench_grace: How far behind its plan a test may begin or end.
    """

    stages: Mapping[str, Stage]
    bench_grace: timedelta

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Patience:
        """Read the file.

        Raises:
            ConfigurationError: If something is missing or no state of a request.
        """
        try:
            stages = [
                Stage(RequestState(line["state"]), timedelta(minutes=float(line["within_min"])), str(line["what"]))
                for line in document["stages"]
            ]
            return cls({stage.state: stage for stage in stages}, timedelta(minutes=float(document["bench_grace_min"])))
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"lateness.json cannot be used ({error!r}): it needs bench_grace_min, and stages with state, "
                f"within_min and what; states are {', '.join(RequestState)}."
            ) from error

    def on_bench(self, booking: Booking, now: datetime) -> str:
        """What is late about a booking that holds its bench, in words; empty if nothing is."""
        if not booking.state.begun and booking.start + self.bench_grace < now:
            return (
                f"the test has not begun on {booking.bench}, which was planned for {booking.start:%Y-%m-%d %H:%M} UTC: "
                "see whether it waits for an approval or for a worker"
            )
        if booking.state.begun and booking.end + self.bench_grace < now:
            return f"the test on {booking.bench} takes longer than planned; it should have ended at " + (
                f"{booking.end:%Y-%m-%d %H:%M} UTC: see to the bench"
            )
        return ""
