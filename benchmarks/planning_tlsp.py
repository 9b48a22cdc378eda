"""Test laboratory scheduling, TLSP-S of Mischek & Musliu, from ASP facts to a problem of the planner.

    hard        a job's mode (duration, how many employees), a workbench if one is required, employees and equipment
                available to it; release and deadline; precedence(a, b): a begins after b has ended; started jobs
                begin at 0; linked jobs have the same employees
    s2          employees that are not preferred          -> cost
    s3          different employees of each project       -> people
    s4          time after due dates                      -> tardiness
    s5          from first beginning to last end, summed  -> span of projects

The planner has no demand "two of these seven", so every choice is a mode of its own: duration mode x employees x
workbench x equipment. Pieces of equipment that are available to the very same jobs are one resource with a capacity,
which loses nothing. Where that is more than ``MOST`` modes of a job or ``ALL`` of all jobs, some are tried: the
preferred employees first, and of workbenches and equipment different ones in turn, those fewest jobs want first. Linked
jobs get those employees that are preferred most often. Then better plans may be out of reach, and ``Mode.reason`` says
so; the bound is that of what is tried. Where jobs are started, all begins a minute later: in minute 0 there is
something that they follow at once.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace

from twinbench.core.planning.problem import Bench, Demand, Job, Mode, Precedence, Problem, Resource

__all__ = ["ALL", "MOST", "read_tlsp"]

MOST = 400  # modes of a job
ALL = 24_000  # modes of all jobs, as far as each keeps some
LEAST = 60
ORIGIN = "origin"

Facts = dict[str, list[tuple[int, ...]]]
Staff = tuple[int, int, tuple[int, ...]]  # cost, duration, employees
Place = tuple[str, tuple[Demand, ...]]  # workbench, equipment


@dataclass(frozen=True)
class Equipment:
    """Pieces of equipment: their group, the name of the pool they are in, and how much they are wanted."""

    group: dict[int, int]
    pool: dict[int, str]
    wanted: dict[int, float]


def read_tlsp(text: str) -> Problem:
    facts: Facts = defaultdict(list)
    for kind, body in re.findall(r"\b([a-z]\w*)\(([\d\s,-]+)\)\s*\.", re.sub(r"%.*", "", text)):
        facts[kind].append(tuple(int(word) for word in body.split(",")))
    equipment = _equipment(facts)
    shared = _shared_staff(facts)
    jobs = [_job(job, facts, equipment, shared.get(job)) for (job,) in facts["job"]]
    if facts["started"]:
        jobs = [Job(ORIGIN, (Mode("", 1),), locked=("", 0)), *map(_later, jobs)]
    employees = [Resource(f"employee {e}", person=True) for (e,) in facts["employee"]]
    return Problem(
        tuple(jobs),
        tuple(Bench(f"workbench {w}") for (w,) in facts["workbench"]),
        (*employees, *(Resource(name, n) for name, n in sorted(Counter(equipment.pool.values()).items()))),
        objective=({"cost": 1, "people": 1, "tardiness": 1, "span": 1},),
    )


def _equipment(facts: Facts) -> Equipment:
    """Pieces of one group that are available to the same jobs are a pool."""
    group, to_jobs, alike = dict(facts["group"]), defaultdict(set), defaultdict(list)
    for job, piece in facts["equipmentAvailable"]:
        to_jobs[piece].add(job)
    for piece in sorted(group):
        alike[group[piece], frozenset(to_jobs[piece])].append(piece)
    pool = {p: f"equipment {kind}:{pieces[0]}" for (kind, _), pieces in alike.items() for p in pieces}
    there = Counter((job, group[piece]) for piece, jobs in to_jobs.items() for job in jobs)
    needed = {(job, kind): count for job, kind, count in facts["requiredEquipment"]}
    wanted = {
        p: sum(needed.get((job, group[p]), 0) / there[job, group[p]] for job in jobs) for p, jobs in to_jobs.items()
    }
    for (job,) in facts["started"]:  # what is in use at the beginning comes last
        for piece in (p for p, jobs in to_jobs.items() if job in jobs):
            wanted[piece] += needed.get((job, group[piece]), 0) / there[job, group[piece]] * len(facts["job"])
    return Equipment(group, pool, wanted)


def _job(job: int, facts: Facts, equipment: Equipment, shared: tuple[int, ...] | None) -> Job:
    one = {kind: dict(facts[kind]).get(job) for kind in ("release", "due", "deadline", "projectAssignment")}
    after = tuple(Precedence(str(first)) for second, first in facts["precedence"] if second == job)
    if (job,) in facts["started"]:  # who does it and where is open, but not when it began
        after += (Precedence(ORIGIN, 0, 0),)
    return Job(
        str(job),
        _modes(job, facts, equipment, shared),
        release_min=one["release"] or 0,
        due_min=one["due"],
        deadline_min=one["deadline"],
        project="" if one["projectAssignment"] is None else str(one["projectAssignment"]),
        after=after,
    )


def _later(job: Job) -> Job:
    """The same job a minute later."""
    due, deadline = (None if time is None else time + 1 for time in (job.due_min, job.deadline_min))
    return replace(job, release_min=job.release_min + 1, due_min=due, deadline_min=deadline)


def _modes(job: int, facts: Facts, equipment: Equipment, shared: tuple[int, ...] | None) -> tuple[Mode, ...]:
    most = max(LEAST, min(MOST, ALL // max(1, len(facts["job"]))))
    staff = [one for one in _staff(job, facts) if shared is None or one[2] == shared]
    places, every = _places(job, facts, equipment, most)
    staff = staff[: max(most // len(places), most // 6)] if len(staff) * len(places) > most else staff
    share = min(len(places), max(1, most // max(1, len(staff))))
    every *= len(staff)
    said = "" if every <= len(staff) * share else f"one of {len(staff) * share} that are tried of {every}"
    return tuple(
        Mode(bench, duration, demands=(*(Demand(f"employee {e}") for e in people), *pieces), cost=cost, reason=said)
        for n, (cost, duration, people) in enumerate(staff)
        for bench, pieces in (places[(n * share + k) % len(places)] for k in range(share))
    )


# ---- employees ----


def _staff(job: int, facts: Facts) -> list[Staff]:
    """Who may do a job and how fast: few who are not preferred, then those who can do most of its project."""
    project = dict(facts["projectAssignment"])
    able = Counter(e for other, e in facts["employeeAvailable"] if project.get(other) == project.get(job))
    available = [e for one, e in facts["employeeAvailable"] if one == job]
    preferred = {e for one, e in facts["employeePreferred"] if one == job}
    durations = {mode: duration for one, mode, duration in facts["durationInMode"] if one == job}
    needed = dict(facts["requiredEmployees"])
    staff = [
        (len(set(people) - preferred), durations[mode], people)
        for one, mode in sorted(set(facts["modeAvailable"]))
        if one == job
        for people in itertools.combinations(sorted(available), needed[mode])
    ]
    return sorted(staff, key=lambda s: (s[0], -sum(able[e] for e in s[2]) / max(1, len(s[2])), s[1], s[2]))


def _shared_staff(facts: Facts) -> dict[int, tuple[int, ...]]:
    """Who does the jobs that are linked: those open to all of them, who cost least in all and have least to do."""
    crews: dict[int, set[int]] = {}
    for one, other in facts["linked"]:
        crew = crews.get(one, {one}) | crews.get(other, {other})
        crews.update(dict.fromkeys(crew, crew))
    found: dict[int, tuple[int, ...]] = {}
    busy: Counter[int] = Counter()
    for first, crew in sorted(crews.items()):
        if first in found:
            continue
        costs = [{people: cost for cost, _, people in reversed(_staff(job, facts))} for job in sorted(crew)]
        common = set(costs[0]).intersection(*costs[1:])
        if not common:
            raise ValueError(f"Jobs {sorted(crew)} are linked, but there is nobody who can do all of them.")
        best = min(common, key=lambda p: (sum(cost[p] for cost in costs), sum(busy[e] for e in p), p))
        busy.update(best)
        found |= dict.fromkeys(crew, best)
    return found


# ---- workbenches and equipment ----


def _places(job: int, facts: Facts, equipment: Equipment, most: int) -> tuple[list[Place], int]:
    """Where a job may be done and with what: at most so many places, as different as can be, and how many there are."""
    benches = [""]
    if (job,) in facts["workbenchRequired"]:
        benches = [f"workbench {w}" for one, w in facts["workbenchAvailable"] if one == job]
    available = [piece for one, piece in facts["equipmentAvailable"] if one == job]
    choices: list[list] = [benches]
    every = len(benches)
    for one, group, count in facts["requiredEquipment"]:
        if one == job and count:
            pieces = [p for p in available if equipment.group[p] == group]
            pieces.sort(key=lambda p: (equipment.wanted[p], equipment.pool[p], p))
            taken, number = _sets([equipment.pool[p] for p in pieces], count, most)
            choices.append(taken)
            every *= number
    if math.prod(map(len, choices)) <= most:
        chosen = list(itertools.product(*choices))
    else:
        chosen = list(
            dict.fromkeys(
                tuple(one[(k + k // len(one) * n) % len(one)] for n, one in enumerate(choices)) for k in range(most)
            )
        )
    return [(bench, tuple(itertools.chain(*pieces))) for bench, *pieces in chosen], every


def _sets(pools: list[str], count: int, most: int) -> tuple[list[tuple[Demand, ...]], int]:
    """So many of some pieces, given by their pools, those wanted least first; and how many choices there are."""
    every = math.comb(len(pools), count)
    if every <= most:
        found = list(itertools.combinations(pools, count))
    else:
        found = [tuple((pools + pools)[k : k + count]) for k in range(len(pools))]
    distinct = dict.fromkeys(tuple(sorted(Counter(one).items())) for one in found)
    demands = [tuple(Demand(name, n) for name, n in one) for one in distinct]
    return demands, len(demands) if every <= most else every
