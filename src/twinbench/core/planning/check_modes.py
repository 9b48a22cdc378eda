"""Whether a mode of a job can be carried out at all: on its bench, with what it demands, in the time there is."""

from __future__ import annotations

from collections.abc import Mapping

from twinbench.core.errors import InfeasibleError
from twinbench.core.planning.openings import Openings, of_bench, of_resource
from twinbench.core.planning.problem import FAR_MIN, PHASES, Bench, Demand, Job, Mode, Problem

__all__ = ["MOST", "Lab", "obstacle"]

MOST = 10**9
"""No number that is no time is larger."""


class Lab:
    """Benches and resources by name, and when there is enough of them."""

    def __init__(self, problem: Problem) -> None:
        self.benches = {bench.name: bench for bench in problem.benches}
        self.resources = {resource.name: resource for resource in problem.resources}
        self._open = {name: of_bench(bench) for name, bench in self.benches.items()}
        self._enough: dict[tuple[str, int], Openings] = {}

    def open(self, bench: str) -> Openings:
        """When a bench is not closed."""
        return self._open[bench]

    def enough(self, resource: str, amount: int) -> Openings:
        """When there is so much of a resource."""
        key = (resource, amount)
        if key not in self._enough:
            self._enough[key] = of_resource(self.resources[resource], amount)
        return self._enough[key]


def obstacle(job: Job, mode: Mode, lab: Lab) -> str:
    """Why a mode can never be carried out; empty if it may be."""
    _check_mode(job, mode, lab.benches)
    where = f" on {mode.bench}" if mode.bench else ""
    if job.deadline_min is not None and job.release_min + mode.length_min > job.deadline_min:
        return (
            f"it takes {mode.length_min} min{where} and may begin at minute {job.release_min}, "
            f"its deadline is minute {job.deadline_min}"
        )
    since, until = _may_be_done(job)
    if mode.bench and not job.locked and not lab.open(mode.bench).have(mode.length_min, since, until):
        longest = lab.open(mode.bench).longest_min(since, until)
        return (
            f"it takes {mode.length_min} min{where}, which is open for {longest} min at a time "
            f"from minute {since} to {until}"
        )
    return next(filter(None, (_shortage(job, mode, demand, lab) for demand in mode.demands)), "")


def _may_be_done(job: Job) -> tuple[int, int]:
    return job.release_min, FAR_MIN if job.deadline_min is None else job.deadline_min


def _check_mode(job: Job, mode: Mode, benches: Mapping[str, Bench]) -> None:
    if mode.bench and mode.bench not in benches:
        raise InfeasibleError(f"Job {job.name} may be done on bench {mode.bench!r}, which is not described: add it.")
    where = f" on {mode.bench}" if mode.bench else ""
    for what, minutes, least in (
        ("takes", mode.duration_min, 1),
        ("is set up for", mode.setup_min, 0),
        ("is torn down for", mode.teardown_min, 0),
    ):
        if not least <= minutes <= FAR_MIN:
            raise InfeasibleError(f"Job {job.name} {what} {minutes} min{where}: give {least} to {FAR_MIN} minutes.")
    if not 0 <= mode.cost <= MOST:
        raise InfeasibleError(f"Job {job.name} costs {mode.cost}{where}: give 0 to {MOST}.")


def _shortage(job: Job, mode: Mode, demand: Demand, lab: Lab) -> str:
    """Why a demand can never be met; empty if it may be."""
    resource = lab.resources.get(demand.resource)
    if resource is None:
        raise InfeasibleError(f"Job {job.name} demands {demand.resource!r}, which is not described: add it.")
    if demand.amount < 0 or not set(demand.during) <= set(PHASES):
        raise InfeasibleError(
            f"Job {job.name} demands {demand.amount} of {demand.resource} during {', '.join(demand.during)}: "
            f"give 0 or more during some of {', '.join(PHASES)}."
        )
    if demand.amount > resource.capacity and any(_lengths(mode)[phase] for phase in demand.during):
        where = f" on {mode.bench}" if mode.bench else ""
        return f"it needs {demand.amount} of {resource.name}{where}, there are {resource.capacity}"
    return _longer_than_windows(job, mode, demand, lab) if demand.amount and not job.locked else ""


def _lengths(mode: Mode) -> dict[str, int]:
    return dict(zip(PHASES, (mode.setup_min, mode.duration_min, mode.teardown_min), strict=True))


def _longer_than_windows(job: Job, mode: Mode, demand: Demand, lab: Lab) -> str:
    """What a demand holds longer than there is enough of its resource at a time."""
    lengths = _lengths(mode)
    phases = [phase for phase in PHASES if phase in demand.during]
    joined = "test" in phases
    pieces = (
        {" and ".join(phases): sum(lengths[phase] for phase in phases)} if joined else {p: lengths[p] for p in phases}
    )
    enough, (since, until) = lab.enough(demand.resource, demand.amount), _may_be_done(job)
    for what, length in pieces.items():
        if length and not enough.have(length, since, until):
            on = f" on {mode.bench}" if mode.bench else ""
            longest = enough.longest_min(since, until)
            when = f" from minute {since} to {until}" if (since, until) != (0, FAR_MIN) else ""
            return f"its {what}{on} takes {length} min, the longest window of {demand.resource} is {longest} min{when}"
    return ""
