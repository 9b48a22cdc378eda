"""In which orders tests are inserted into an empty plan: a key for each test, the smallest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from twinbench.core.planning.problem import FAR_MIN, Job

__all__ = ["drawn", "put_first", "rules", "sequence"]

_SHORTENING = (-1, -2)  # the rules by which plans become short: what has to begin first, or has most after it
_MOST_BLUR = 0.4  # of all keys of a rule

_Keys = Any  # of numpy, one per job


def rules(jobs: Sequence[Job]) -> list[_Keys]:
    """Keys of all jobs by several rules, the most promising first."""
    shortest = np.array([_shortest_min(job) for job in jobs], float)
    release = np.array([job.release_min for job in jobs], float)
    wished = np.array([job.release_min if job.preferred_min is None else job.preferred_min for job in jobs], float)
    due = np.array([1e9 if job.due_min is None else job.due_min for job in jobs], float)
    weight = np.array([job.priority for job in jobs], float)
    few = np.array([len(job.modes) for job in jobs], float)
    tails, latest = _tails_and_latest(jobs)
    return [
        wished,
        np.minimum(wished, due - shortest),
        release - shortest,
        -weight * 1e7 + wished,
        few * 1e7 + wished,
        -weight * shortest,
        due,
        -tails,
        latest,
    ]


def drawn(known: Sequence[_Keys], number: int, rng: np.random.Generator) -> _Keys:
    """Keys for one of many plans: the first ones by a rule each, the others by one that makes plans short, blurred.

    Args:
        known: All rules.
        number: Of the plan.
        rng: Draws rule and blur.
    """
    if number < len(known):
        return known[number].astype(np.float64)
    keys = known[int(rng.choice(_SHORTENING))]
    return keys + _MOST_BLUR * rng.random() * (keys.max() - keys.min() + 1.0) * rng.normal(size=len(keys))


def put_first(jobs: Sequence[Job], keys: _Keys, number: int, step: float) -> None:
    """Have a job, and all that it comes after, inserted before all others that were put first less often."""
    numbers = {job.name: place for place, job in enumerate(jobs)}
    found, waiting = {number}, [number]
    while waiting:
        before = {numbers[link.job] for link in jobs[waiting.pop()].after} - found
        found |= before
        waiting += before
    keys[sorted(found)] -= step


def _shortest_min(job: Job) -> int:
    return min(mode.length_min for mode in job.modes)


def _tails_and_latest(jobs: Sequence[Job]) -> tuple[_Keys, _Keys]:
    """How long each job and what comes after it takes, and when it has to begin at the latest."""
    numbers = {job.name: number for number, job in enumerate(jobs)}
    after = _followers(jobs)
    order = sequence(jobs)
    tails, latest = np.zeros(len(jobs)), np.full(len(jobs), float(FAR_MIN))
    for number in reversed(order):
        job, own = jobs[number], _shortest_min(jobs[number])
        ends = [FAR_MIN if job.deadline_min is None else job.deadline_min]
        ends += [latest[follower] - lag for follower, lag in after[number]]
        tails[number] = own + max((lag + tails[follower] for follower, lag in after[number]), default=0.0)
        latest[number] = min(ends) - own
    for number in order:
        job = jobs[number]
        for link in job.after:
            if link.max_lag_min is not None:
                earlier = jobs[numbers[link.job]]
                length = max(mode.length_min for mode in earlier.modes) + earlier.wait_min
                begins = earlier.locked[1] if earlier.locked else latest[numbers[link.job]]
                latest[number] = min(latest[number], begins + length + link.max_lag_min)
    return tails, latest


def sequence(jobs: Sequence[Job]) -> list[int]:
    """Every job behind all that it comes after."""
    after = _followers(jobs)
    open_links = [len(job.after) for job in jobs]
    order = [number for number, count in enumerate(open_links) if count == 0]
    for number in order:
        for follower, _ in after[number]:
            open_links[follower] -= 1
            if open_links[follower] == 0:
                order.append(follower)
    return order


def _followers(jobs: Sequence[Job]) -> list[list[tuple[int, int]]]:
    """What comes after each job, and the least lag to it."""
    numbers = {job.name: number for number, job in enumerate(jobs)}
    after: list[list[tuple[int, int]]] = [[] for _ in jobs]
    for number, job in enumerate(jobs):
        for link in job.after:
            after[numbers[link.job]].append((number, link.min_lag_min))
    return after
