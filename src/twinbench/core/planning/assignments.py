"""The plan of a request as ``plan.json``: what each bench does in one go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from twinbench.core.errors import PlanError
from twinbench.core.planning.plan import Interval, Plan

__all__ = ["assignments", "run_intervals"]


def assignments(
    plan: Plan,
    origin: datetime,
    *,
    kinds: Mapping[str, str],
    runs: Mapping[str, Sequence[tuple[int, int]]],
    reasons: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What each bench does, in order; jobs that follow each other at once on a bench without set-up are one go.

    ``start`` is when the first run begins; the bench is held from ``held_from`` to ``held_until``, set-up, waiting and
    teardown included.

    Args:
        plan: The plan.
        origin: The moment of minute 0.
        kinds: ``virtual`` or ``physical`` for every bench.
        runs: The runs of each job of this request in their order, and how many minutes each takes; jobs that are not
            in it belong to others and are left out.
        reasons: Why a job is done where it is.

    Raises:
        PlanError: If the origin has no time zone, or a bench has no kind.
    """
    if origin.tzinfo is None:
        raise PlanError(f"The plan's origin {origin.isoformat()} has no time zone: give it in UTC.")
    by_bench: dict[str, list[Interval]] = {}
    for part in sorted(plan.intervals, key=lambda part: (part.bench, part.begin_min)):
        if part.job in runs:
            by_bench.setdefault(part.bench, []).append(part)
    unknown = sorted(set(by_bench) - set(kinds))
    if unknown:
        raise PlanError(f"Bench {', '.join(unknown)} is planned but has no kind: add it to the catalogue's benches.")
    entries = []
    for bench, parts in by_bench.items():
        for group in _goes(parts):
            entries.append(_assignment(bench, kinds[bench], group, origin.astimezone(UTC), runs))
            why = dict.fromkeys((reasons or {}).get(part.job, "") for part in group)
            entries[-1]["reason"] = "; ".join(filter(None, why))
    return {**plan.figures(), "origin": origin.astimezone(UTC).isoformat(), "assignments": entries}


def run_intervals(start_min: int, runs: Iterable[tuple[int, int]]) -> list[dict[str, int]]:
    """When runs are done that follow each other on a bench, each given with how many minutes it takes."""
    intervals = []
    for run, minutes in runs:
        intervals.append({"run": run, "start_min": start_min, "end_min": start_min + minutes})
        start_min += minutes
    return intervals


def _goes(parts: Sequence[Interval]) -> list[list[Interval]]:
    """Jobs that follow each other at once, without set-up or teardown between."""
    groups: list[list[Interval]] = []
    for part in parts:
        last = groups[-1][-1] if groups else None
        joined = last is not None and last.free_min == part.begin_min and last.end_min == last.free_min
        if joined and part.start_min == part.begin_min:
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups


def _assignment(
    bench: str,
    kind: str,
    parts: Sequence[Interval],
    origin: datetime,
    runs: Mapping[str, Sequence[tuple[int, int]]],
) -> dict[str, Any]:
    def moment(minutes: int) -> str:
        return (origin + timedelta(minutes=minutes)).isoformat()

    intervals = [entry for part in parts for entry in run_intervals(part.start_min, runs[part.job])]
    return {
        "bench": bench,
        "kind": kind,
        "runs": [interval["run"] for interval in intervals],
        "start": moment(parts[0].start_min),
        "end": moment(parts[-1].end_min),
        "held_from": moment(parts[0].begin_min),
        "held_until": moment(parts[-1].free_min),
        "intervals": intervals,
    }
