"""A plan as a document: ``plan.json``, for whoever reads it and for programs.

If the lab's document names its origin, all times are told as moments in the lab's time zone as well as in minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from twinbench.core.planning.explain import Cause, late_causes
from twinbench.core.planning.plan import Interval, Plan
from twinbench.core.planning.problem import Mode, Problem
from twinbench.core.suggestion import did_you_mean

__all__ = ["plan_document"]

_TIMES = ("begin", "start", "end", "teardown", "free")


def plan_document(problem: Problem, plan: Plan, *, lab: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A plan as JSON: its figures, every interval with what it takes, and what holds back the jobs that are late.

    Args:
        problem: What was planned.
        plan: Its plan.
        lab: The document that the problem was read from.
    """
    lab = lab or {}
    moment, jobs = _moments(lab), {job.name: job for job in problem.jobs}
    return {
        **plan.figures(),
        **({"origin": moment(0).isoformat()} if moment else {}),
        "notes": _notes(problem, lab),
        "intervals": [_interval(part, jobs[part.job].modes[part.mode], moment) for part in plan.intervals],
        "late": [
            {"job": name, "late_min": minutes, "because": [_words(cause, moment) for cause in causes]}
            for name, minutes, causes in late_causes(problem, plan)
        ],
    }


def _interval(part: Interval, mode: Mode, moment: Callable[[int], datetime] | None) -> dict[str, Any]:
    minutes = {f"{name}_min": getattr(part, f"{name}_min") for name in _TIMES}
    moments = {name: moment(minutes[f"{name}_min"]).isoformat() for name in _TIMES} if moment else {}
    takes: dict[str, int] = {}
    for demand in mode.demands:
        takes[demand.resource] = max(demand.amount, takes.get(demand.resource, 0))
    named = {"job": part.job, "bench": part.bench, "mode": part.mode}
    return {**named, **minutes, **moments, "resources": takes, "reason": mode.reason}


def _moments(lab: Mapping[str, Any]) -> Callable[[int], datetime] | None:
    """How minutes become moments, if the lab has an origin."""
    if "origin" not in lab:
        return None
    origin, zone = datetime.fromisoformat(lab["origin"]), ZoneInfo(lab.get("timezone", "UTC"))
    utc = origin.astimezone(ZoneInfo("UTC"))
    return lambda minutes: (utc + timedelta(minutes=minutes)).astimezone(zone)


def _words(cause: Cause, moment: Callable[[int], datetime] | None) -> str:
    return f"{cause} ({moment(cause.until_min):%a %Y-%m-%d %H:%M})" if moment else str(cause)


def _notes(problem: Problem, lab: Mapping[str, Any]) -> list[str]:
    """Benches that jobs name and the lab does not describe, although it describes others: perhaps misspelt."""
    described = [bench["name"] for bench in lab.get("benches", ())]
    others = [bench.name for bench in problem.benches if described and bench.name not in described]
    return [
        f"Bench {name!r} is not described, so it is taken to be there all the time: {did_you_mean(name, described)}"
        for name in others
    ]
