"""Plans again after something went wrong, moving as little as possible.

What has begun stays, unless its bench failed: then it has to be done again. What was promised and is not affected stays
to the minute. Only what the disturbance touches moves, and what comes after that: first of all as little as it can.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from twinbench.core.planning.plan import Interval, pieces_of
from twinbench.core.planning.problem import FAR_MIN, Bench, Job, Problem

__all__ = ["Disturbance", "disturbed"]


@dataclass(frozen=True)
class Disturbance:
    """What went wrong.

    Attributes:
        now_min: When.
        failed: Benches that are out of service from now on, and until when.
        closures: Benches that will be out of service: which, from when, until when.
        ends: Tests that take longer: when they will leave their bench, as far as one knows.
    """

    now_min: int
    failed: Mapping[str, int] = field(default_factory=dict)
    closures: Sequence[tuple[str, int, int]] = ()
    ends: Mapping[str, int] = field(default_factory=dict)

    def windows(self, bench: str) -> list[tuple[int, int]]:
        """When a bench is out of service."""
        now = [(self.now_min, self.failed[bench])] if bench in self.failed else []
        return now + [(start, end) for name, start, end in self.closures if name == bench]


def disturbed(
    problem: Problem,
    parts: Sequence[Interval],
    what: Disturbance,
    *,
    promised: Collection[str] | None = None,
    forward: bool = True,
) -> tuple[Problem, set[str]]:
    """The problem that is left: all that has to be planned again, and what stays where it was.

    Args:
        problem: What was planned.
        parts: Its plan.
        what: The disturbance.
        promised: Jobs whose beginnings were promised; all if None. The others may move if that helps.
        forward: Whether a job that moves may begin earlier than it was planned.

    Returns:
        The problem, whose first aim is that little moves, and the names of the jobs that are affected.
    """
    plan = {part.job: part for part in parts}
    over = {name for name, part in plan.items() if part.free_min <= what.now_min and name not in what.ends}
    affected = _affected(problem, plan, what, over)
    jobs = []
    for job in problem.jobs:
        if job.name in over:
            continue
        part = plan[job.name]
        settled = _without(job, over, plan)
        if job.name in affected or (
            promised is not None and job.name not in promised and part.begin_min > what.now_min
        ):
            least = max(job.release_min, what.now_min, 0 if forward else part.begin_min)
            settled = replace(
                settled, release_min=max(settled.release_min, least), planned_min=max(0, part.begin_min), locked=None
            )
        else:
            settled = _kept(settled, part, what.ends.get(job.name))
        jobs.append(settled)
    benches = tuple(_closed(bench, what) for bench in problem.benches)
    others = ({name: weight for name, weight in tier.items() if name != "moved"} for tier in problem.objective)
    objective = ({"moved": 1}, *filter(None, others))
    return replace(problem, jobs=tuple(jobs), benches=benches, objective=objective), affected


def _affected(problem: Problem, plan: Mapping[str, Interval], what: Disturbance, over: set[str]) -> set[str]:
    """What cannot stay where it is, and whatever comes after it."""
    there = {name: part for name, part in plan.items() if name not in over}
    affected = {
        name
        for name, part in there.items()
        if any(start < part.free_min and part.begin_min < end for start, end in what.windows(part.bench))
    }
    jobs = {job.name: job for job in problem.jobs}
    for other, end in what.ends.items():
        for name in there.keys() - {other}:
            since = end + _gap_min(problem, plan, jobs[other], jobs[name])
            if plan[other].begin_min <= plan[name].begin_min < since:
                affected.add(name)
    affected |= _crowded(problem, there, what, affected)
    waiting = [job for job in problem.jobs if job.name in there and plan[job.name].begin_min > what.now_min]
    return (affected | _followers(waiting, affected | set(what.ends))) - set(what.ends)


def _gap_min(problem: Problem, plan: Mapping[str, Interval], one: Job, other: Job) -> int:
    """How long after one job has ended another one may begin; any time, if they have nothing to do with each other."""
    if plan[one.name].bench and plan[one.name].bench == plan[other.name].bench:
        bench = next(bench for bench in problem.benches if bench.name == plan[one.name].bench)
        return problem.changeovers.get(bench.changeovers, {}).get((one.family, other.family), 0)
    return 0 if one.unit and one.unit == other.unit else -FAR_MIN


def _crowded(problem: Problem, there: Mapping[str, Interval], what: Disturbance, gone: set[str]) -> set[str]:
    """Waiting tests for which an overrun leaves too little of a resource: those that begin last, as few as can be."""
    if not what.ends:
        return set()
    modes = {job.name: job.modes[there[job.name].mode] for job in problem.jobs if job.name in there}
    kept = [_until(part, what.ends.get(name)) for name, part in there.items() if name not in gone]
    kept.sort(key=lambda part: (part.begin_min, part.job))
    found: set[str] = set()
    for resource in problem.resources:
        takes = [
            (start, end, demand.amount, part)
            for part in kept
            for demand in modes[part.job].demands
            for start, end in pieces_of(part, demand)
            if demand.resource == resource.name and part.job not in found
        ]
        for at in sorted({start for start, *_ in takes}):
            now = [take for take in takes if take[0] <= at < take[1] and take[3].job not in found]
            over = sum(amount for *_, amount, _ in now) - resource.left(at)
            for *_, amount, part in reversed(now):
                if over > 0 and part.begin_min > what.now_min:
                    found.add(part.job)
                    over -= amount
    return found


def _until(part: Interval, end: int | None) -> Interval:
    """Where a test is if it leaves its bench later."""
    late = 0 if end is None else max(0, end - part.free_min)
    teardown = part.teardown_min + late
    return replace(part, end_min=teardown, teardown_min=teardown, free_min=part.free_min + late) if late else part


def _followers(waiting: Sequence[Job], of: set[str]) -> set[str]:
    """The waiting jobs that come after some others, however many are in between."""
    late, before = set(of), -1
    while len(late) > before:
        before = len(late)
        late |= {job.name for job in waiting if any(link.job in late for link in job.after)}
    return late - of


def _without(job: Job, over: set[str], plan: Mapping[str, Interval]) -> Job:
    """A job that no longer waits for what is over, except for the rest that follows it."""
    rests = [plan[link.job].free_min + link.min_lag_min for link in job.after if link.job in over]
    links = tuple(link for link in job.after if link.job not in over)
    return replace(job, after=links, release_min=max([job.release_min, *rests]))


def _kept(job: Job, part: Interval, end: int | None) -> Job:
    """A job that stays where it is; one that overruns holds its bench longer."""
    mode = job.modes[part.mode]
    teardown = part.teardown_min
    if end is not None:
        teardown = max(part.teardown_min, end - mode.teardown_min)
        mode = replace(mode, duration_min=max(1, teardown - part.start_min))
    return replace(
        job,
        modes=(mode,),
        locked=(part.bench, part.begin_min),
        locked_teardown_min=teardown,
        release_min=min(job.release_min, max(0, part.begin_min)),
        deadline_min=None,
    )


def _closed(bench: Bench, what: Disturbance) -> Bench:
    return replace(bench, closed=(*bench.closed, *what.windows(bench.name)))
