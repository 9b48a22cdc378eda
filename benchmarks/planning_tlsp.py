"""Test laboratory scheduling, TLSP-S of Mischek & Musliu, from ASP facts to a problem of the planner.

    hard        a job's mode (duration, how many employees), a workbench if one is required, employees and equipment
                available to it; release and deadline; precedence(a, b): a begins after b has ended; started jobs
                begin at 0
    s2          employees that are not preferred          -> cost
    s3          different employees of each project       -> people
    s4          time after due dates                      -> tardiness
    s5          from first beginning to last end, summed  -> span of projects

The planner has no demand "two of these seven", so every choice is a mode of its own: duration mode x employees x
workbench x equipment. Pieces of equipment that are available to the very same jobs are one resource with a capacity,
which loses nothing. Where a job still has more than ``MOST`` modes, each choice of employees (at most ``MOST``, the
preferred ones first) keeps some workbenches and equipment, taken in turn: then better plans may be out of reach, and
``Mode.reason`` says so.

What the planner cannot say is refused: linked jobs (the same employees for two jobs).
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict

from twinbench.core.planning.problem import Bench, Demand, Job, Mode, Precedence, Problem, Resource

__all__ = ["MOST", "read_tlsp"]

MOST = 400  # modes of a job
ORIGIN = "origin"

Facts = dict[str, list[tuple[int, ...]]]
Staff = tuple[int, int, tuple[int, ...]]  # cost, duration, employees
Place = tuple[str, tuple[Demand, ...]]  # workbench, equipment


def read_tlsp(text: str) -> Problem:
    facts: Facts = defaultdict(list)
    for kind, body in re.findall(r"\b([a-z]\w*)\(([\d\s,-]+)\)\s*\.", re.sub(r"%.*", "", text)):
        facts[kind].append(tuple(int(word) for word in body.split(",")))
    if facts["linked"]:
        raise ValueError(f"Jobs {facts['linked'][0]} are linked to the same employees: the planner has no word for it.")
    pools = _pools(facts)
    jobs = [_job(job, facts, pools) for (job,) in facts["job"]]
    if any(precedence.job == ORIGIN for job in jobs for precedence in job.after):
        jobs.insert(0, Job(ORIGIN, (Mode("", 0),), locked=("", 0)))
    employees = [Resource(f"employee {e}", person=True) for (e,) in facts["employee"]]
    return Problem(
        tuple(jobs),
        tuple(Bench(f"workbench {w}") for (w,) in facts["workbench"]),
        (*employees, *(Resource(name, len(pieces)) for name, pieces in sorted(pools.items()))),
        objective=({"cost": 1, "people": 1, "tardiness": 1, "span": 1},),
    )


def _pools(facts: Facts) -> dict[str, set[int]]:
    """Equipment of one group that is available to the same jobs, by the name of the pool."""
    to_jobs = defaultdict(set)
    for job, piece in facts["equipmentAvailable"]:
        to_jobs[piece].add(job)
    alike = defaultdict(set)
    for piece, group in facts["group"]:
        alike[group, frozenset(to_jobs[piece])].add(piece)
    names = {key: f"equipment {group}:{min(pieces)}" for key, pieces in alike.items() for group in key[:1]}
    return {names[key]: pieces for key, pieces in alike.items()}


def _job(job: int, facts: Facts, pools: dict[str, set[int]]) -> Job:
    one = {kind: dict(facts[kind]).get(job) for kind in ("release", "due", "deadline", "projectAssignment")}
    modes = _modes(job, facts, pools)
    after = tuple(Precedence(str(first)) for second, first in facts["precedence"] if second == job)
    started = (job,) in facts["started"]
    benches = {mode.bench for mode in modes}
    locked = (min(benches), 0) if started and len(benches) == 1 else None
    if started and locked is None:  # where it stands is open, but not when it began
        after += (Precedence(ORIGIN, 0, 0),)
    return Job(
        str(job),
        modes,
        release_min=one["release"] or 0,
        due_min=one["due"],
        deadline_min=one["deadline"],
        project="" if one["projectAssignment"] is None else str(one["projectAssignment"]),
        after=after,
        locked=locked,
    )


def _modes(job: int, facts: Facts, pools: dict[str, set[int]]) -> tuple[Mode, ...]:
    staff, places = _staff(job, facts), _places(job, facts, pools)
    every = len(staff) * len(places)
    share = len(places) if every <= MOST else max(1, MOST // len(staff))
    said = "" if every <= MOST else f"one of {MOST} at most that are tried of {every}"
    return tuple(
        Mode(bench, duration, demands=(*(Demand(f"employee {e}") for e in people), *pieces), cost=cost, reason=said)
        for n, (cost, duration, people) in enumerate(staff[:MOST])
        for bench, pieces in (places[(n * share + k) % len(places)] for k in range(share))
    )


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


def _places(job: int, facts: Facts, pools: dict[str, set[int]]) -> list[Place]:
    benches = [""]
    if (job,) in facts["workbenchRequired"]:
        benches = [f"workbench {w}" for one, w in facts["workbenchAvailable"] if one == job]
    available = {piece for one, piece in facts["equipmentAvailable"] if one == job}
    group_of = dict(facts["group"])
    choices = []
    for one, group, count in facts["requiredEquipment"]:
        if one == job and count:
            pieces = [name for name, pool in pools.items() for p in pool & available if group_of[p] == group]
            taken = {tuple(sorted(chosen)) for chosen in itertools.combinations(sorted(pieces), count)}
            choices.append([tuple(Demand(name, n) for name, n in Counter(names).items()) for names in sorted(taken)])
    equipment = [tuple(itertools.chain(*chosen)) for chosen in itertools.product(*choices)]
    return list(itertools.product(benches, equipment))
