"""What can be refused before anything is solved: contradictions in the words of whoever wrote the problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise

from twinbench.core.errors import InfeasibleError
from twinbench.core.planning.changeovers import Table
from twinbench.core.planning.check_locks import check_locks
from twinbench.core.planning.check_modes import MOST, Lab, obstacle
from twinbench.core.planning.problem import CRITERIA, FAR_MIN, Bench, Job, Problem, Resource

__all__ = ["MOST", "check"]

_COUNTABLE = 2**62


def check(problem: Problem) -> None:
    """Refuse a problem that no plan can solve, as far as one can see that.

    Raises:
        InfeasibleError: Names the job, bench or resource at fault, the value and what to do.
    """
    _refuse_duplicates("Job", (job.name for job in problem.jobs))
    _refuse_duplicates("Bench", (bench.name for bench in problem.benches))
    _refuse_duplicates("Resource", (resource.name for resource in problem.resources))
    for name, table in problem.changeovers.items():
        _check_table(name, table)
    for bench in problem.benches:
        _check_bench(bench, problem)
    for resource in problem.resources:
        _check_resource(resource)
    lab = Lab(problem)
    for job in problem.jobs:
        _check_job(job, lab)
    _check_precedences(problem.jobs)
    check_locks(problem)
    _check_objective(problem)


def _check_bench(bench: Bench, problem: Problem) -> None:
    for start, end in bench.closed:
        if start >= end:
            raise InfeasibleError(f"Bench {bench.name} is closed from {start} to {end}: give an end after the start.")
        _refuse_far(f"Bench {bench.name} is closed", start, end)
    if bench.changeovers and bench.changeovers not in problem.changeovers:
        known = ", ".join(problem.changeovers) or "none"
        raise InfeasibleError(f"Bench {bench.name} has changeovers {bench.changeovers!r}: the tables are {known}.")


def _check_table(name: str, table: Table) -> None:
    for (old, new), minutes in table.items():
        if not 0 <= minutes <= FAR_MIN:
            raise InfeasibleError(f"The changeover from {old!r} to {new!r} takes {minutes} min: give 0 or more.")
        if not (old and new):
            raise InfeasibleError(
                f"Table {name} has a changeover from {old!r} to {new!r}: name both, no family needs none."
            )


def _check_resource(resource: Resource) -> None:
    if not 0 <= resource.capacity <= MOST:
        raise InfeasibleError(f"Resource {resource.name} has capacity {resource.capacity}: give 0 to {MOST}.")
    for window in [*(resource.open or ()), *((start, end) for start, end, _ in resource.closed)]:
        if window[0] >= window[1]:
            raise InfeasibleError(
                f"Resource {resource.name} has a window from {window[0]} to {window[1]}: give an end after the start."
            )
        _refuse_far(f"Resource {resource.name} has a window", *window)
    for (_, end), (start, _) in pairwise(resource.open or ()):
        if start <= end:
            raise InfeasibleError(
                f"Resource {resource.name} is open until {end} and again from {start}: give windows in order and apart."
            )
    for start, end, missing in resource.closed:
        if not 0 <= missing <= MOST:
            raise InfeasibleError(
                f"Of resource {resource.name}, {missing} are missing from {start} to {end}: give 0 to {MOST}."
            )


def _refuse_far(what: str, start: int, end: int) -> None:
    if start < -FAR_MIN or end > 2 * FAR_MIN:
        raise InfeasibleError(
            f"{what} from {start} to {end}: nothing is planned beyond minute {FAR_MIN}, end it there."
        )


def _check_job(job: Job, lab: Lab) -> None:
    if not job.modes:
        raise InfeasibleError(f"No bench can take job {job.name}: widen its limits or free a bench.")
    if not 0 <= job.priority <= MOST:
        raise InfeasibleError(f"Job {job.name} has priority {job.priority}: give 0 to {MOST}.")
    dates = ("release_min", "due_min", "deadline_min", "preferred_min", "planned_min", "wait_min")
    for name in dates:
        value = getattr(job, name)
        if value is not None and not 0 <= value <= FAR_MIN:
            past = "that is before the plan begins" if value < 0 and name != "wait_min" else "that is no time"
            raise InfeasibleError(f"Job {job.name} has {name} {value}: {past}; give 0 to {FAR_MIN}.")
    reasons = [obstacle(job, mode, lab) for mode in job.modes]
    if all(reasons):
        why = "; ".join(dict.fromkeys(filter(None, reasons)))
        raise InfeasibleError(f"No bench can take job {job.name}: {why}. Change the job or the lab.")


def _check_precedences(jobs: Iterable[Job]) -> None:
    jobs = list(jobs)
    names = {job.name for job in jobs}
    for job in jobs:
        for link in job.after:
            if link.job not in names:
                raise InfeasibleError(f"Job {job.name} comes after {link.job!r}, which is not described: add it.")
            if link.min_lag_min < 0 or (link.max_lag_min is not None and link.max_lag_min < link.min_lag_min):
                most = "any time" if link.max_lag_min is None else f"{link.max_lag_min} min"
                raise InfeasibleError(
                    f"Job {job.name} comes {link.min_lag_min} min to {most} after {link.job}: "
                    "give a least lag of 0 or more and a most lag that is no less."
                )
            if max(link.min_lag_min, link.max_lag_min or 0) > FAR_MIN:
                lag = max(link.min_lag_min, link.max_lag_min or 0)
                raise InfeasibleError(f"Job {job.name} has a lag of {lag} min after {link.job}: give 0 to {FAR_MIN}.")
    cycle = _cycle({job.name: [link.job for link in job.after] for job in jobs})
    if cycle:
        raise InfeasibleError(
            f"Jobs wait for each other: {' after '.join(cycle)}. Take out one of these precedences of {cycle[0]}."
        )


def _cycle(after: Mapping[str, Iterable[str]]) -> list[str]:
    """Jobs that wait for each other, the first one again at the end; empty if there are none."""
    done: set[str] = set()
    for name in after:
        path: list[str] = []
        waiting = [(name, iter(after[name]))] if name not in done else []
        path += [name] if waiting else []
        while waiting:
            current, rest = waiting[-1]
            nearest = next((other for other in rest if other not in done), None)
            if nearest is None:
                done.add(current)
                waiting.pop()
                path.pop()
            elif nearest in path:
                return [*path[path.index(nearest) :], nearest]
            else:
                path.append(nearest)
                waiting.append((nearest, iter(after[nearest])))
    return []


def _check_objective(problem: Problem) -> None:
    _refuse_duplicates("Criterion", (name for tier in problem.objective for name in tier))
    for tier in problem.objective:
        for name, weight in tier.items():
            if name not in CRITERIA or not 0 <= weight <= MOST:
                raise InfeasibleError(
                    f"The objective weighs {name!r} with {weight}: give 0 to {MOST} to some of {', '.join(CRITERIA)}."
                )
        weight, priority = sum(tier.values()), max([1, *(job.priority for job in problem.jobs)])
        if weight * priority * FAR_MIN * max(1, len(problem.jobs)) > _COUNTABLE:
            raise InfeasibleError(
                f"The objective's weights add up to {weight} in a tier and priorities are up to {priority}: "
                "that is too much to be counted, give smaller ones."
            )


def _refuse_duplicates(what: str, names: Iterable[str]) -> None:
    duplicates = [name for name, count in Counter(names).items() if count > 1]
    if duplicates:
        raise InfeasibleError(f"{what} {', '.join(duplicates)} is given more than once: keep one of each name.")
