"""Ruin-and-recreate and CP-SAT together: the first finds good plans of large labs, the second polishes and proves.

With several workers they work at the same time and exchange plans. With one they take turns, and both are limited by
effort and not by time, so the same input and seed give the same plan on any machine that is not much too slow.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from twinbench.core.planning.bounds import least
from twinbench.core.planning.cp_sat.search import Proof, building_s, search_first, search_whole
from twinbench.core.planning.insertion.improver import Improver
from twinbench.core.planning.insertion.improvers import improvers
from twinbench.core.planning.insertion.ruin_recreate import RuinRecreate
from twinbench.core.planning.plan import Interval, locked_intervals
from twinbench.core.planning.problem import Problem
from twinbench.core.planning.window import LONG_S, Windows

__all__ = ["Portfolio"]

_CHUNK = 20_000  # modes tried between two looks at the clock
_RATE = 200_000  # modes that a slow machine tries in a second
_HEAT = 1.0
_TURNS = 10  # of one worker
_FEW = 40  # jobs
_WHOLE = 20_000  # modes of all jobs
_SHORT_START_S = 0.2  # of ruin and recreate, if there are few jobs
_ALONE = 0.6  # of the time CP-SAT tries to prove, if there are few jobs
_TOGETHER = 0.4  # of the time both work side by side, if there are more and CP-SAT is given all
_NEAR = 0.97  # of the value: a bound that is no less may still be proven
_BOUND_SHARE = 0.1  # of the time
_POLISH_SHARE = 0.25
_MANY = 300  # jobs, from which on windows are not worth their time
_TRIAL = 0.1  # of the time
_SOON_S = 0.05
_REST = 0.5  # of the time is left for what follows greedy insertion


class Portfolio:
    """A search for the best plan of one problem.

    Args:
        problem: What is to be planned, free of contradictions that can be seen without solving.
        time_limit_s: Wall time.
        workers: Threads.
        seed: The same seed gives the same plan, with one worker.
        judged: How many tiers of the objective matter; those after them only choose among plans that are as good.

    Attributes:
        best: The best plan; empty if none was found.
        value: The tiers of its objective.
        stuck: A job that fits nowhere, if there is no plan.
    """

    def __init__(self, problem: Problem, *, time_limit_s: float, workers: int, seed: int, judged: int) -> None:
        self.problem, self.workers, self.seed, self.judged = problem, workers, seed, judged
        self.begin, self.limit_s = time.perf_counter(), time_limit_s
        self.proof = Proof()
        self.trace: list[tuple[float, tuple[int, ...]]] = []
        self.best: list[Interval] = []
        self.value: tuple[int, ...] = ()
        self._lock = threading.Lock()
        self._done = threading.Event()
        self.told: Callable[[float, int], None] = lambda seconds, value: None
        self.stuck = ""
        self._modes = sum(len(job.modes) for job in problem.jobs)
        self._better_way = 0
        self._windows = Windows(problem, workers=max(1, workers - 1), seed=seed)

    def left_s(self) -> float:
        """Seconds that are left."""
        return self.limit_s - (time.perf_counter() - self.begin)

    def run(self) -> bool:
        """Look for a plan until it is proven or time is over; whether there is one."""
        search = RuinRecreate(self.problem)
        if search.construct_first(is_over=lambda: self.left_s() < _REST * self.limit_s):
            self._offer(search.parts(), search.value)
            search.construct(is_over=lambda: self.left_s() < _REST * self.limit_s)
            self._offer(search.parts(), search.value)
        else:
            self.stuck = search.unplaced
            if not self._search_first():
                return False
            search.load(self.best)
        if all(job.locked for job in self.problem.jobs) or list(self.value) == least(self.problem):
            return True
        if self.workers == 1:
            self._take_turns(search)
        else:
            self._work_together(search)
        return True

    def _search_first(self) -> bool:
        """Have CP-SAT find any plan where greedy insertion has found none."""
        if self.left_s() < building_s(self.problem):
            return False
        how: Any = {"seconds": self.left_s, "workers": self.workers, "seed": self.seed}
        parts, self.proof.infeasible = search_first(self.problem, **how)
        if parts is not None:
            self._offer_unvalued(parts)
        return bool(self.best)

    def _offer(self, parts: Sequence[Interval], value: tuple[int, ...]) -> None:
        with self._lock:
            if not self.value or value < self.value:
                self.best, self.value = list(parts), value
                seconds = time.perf_counter() - self.begin
                if not self.trace or value[0] < self.trace[-1][1][0]:
                    self.trace.append((seconds, value))
                    self.told(seconds, value[0])

    def _offer_unvalued(self, parts: Sequence[Interval]) -> None:
        """What CP-SAT found: its objective is worked out as that of every other plan."""
        self._offer(parts, RuinRecreate(self.problem).load(parts))

    # ---- several workers ----

    def _work_together(self, search: RuinRecreate) -> None:
        """CP-SAT has all workers where it can be given the whole problem, else one is left to ruin and recreate."""
        whole, few = self._is_for_cp_sat(), len(self.problem.jobs) <= _FEW
        seconds = min(_SHORT_START_S, 0.1 * self.left_s()) if whole and few else self.left_s()
        helper = threading.Thread(target=self._insert, args=(search, seconds), daemon=True)
        helper.start()
        try:
            if not whole:
                self._bound_and_polish()
                return
            if few:
                helper.join()
            self._prove(_ALONE if few else _TOGETHER, workers=self.workers if few else max(1, self.workers - 1))
            if not self.proof.complete:
                self._improve(few=few)
        finally:
            self._done.set()
            helper.join()

    def _prove(self, share: float, *, workers: int) -> None:
        """Have CP-SAT look for a proof for a share of the time."""
        until = self.left_s() * (1 - share)
        self._search_whole(lambda: self.left_s() - until, workers=workers)

    def _improve(self, *, few: bool) -> None:
        """Go on from the best plan that anybody has; with CP-SAT if there are few jobs, or a proof is near."""
        bounds, sequenced = self.proof.bounds, any(bench.changeovers for bench in self.problem.benches)
        is_far = not bounds or bounds[0] < _NEAR * self.value[0]
        if is_far and not few:
            self._insert_beside(self.left_s())
            return
        workers = self.workers if few else max(1, self.workers - 1)
        only_better = is_far and not sequenced  # a plan does not give all variables of a sequence
        self._search_whole(self.left_s, workers=workers, only_better=only_better)
        known = [max(pair) for pair in zip(bounds, self.proof.bounds, strict=False)][:1]
        self.proof.bounds = [*(known or bounds[:1]), *self.proof.bounds[1:]]

    def _is_for_cp_sat(self) -> bool:
        """Whether CP-SAT does best alone: if there are few jobs, or if earlier is always better and modes are few."""
        regular = not any({"preferred", "moved"} & set(tier) for tier in self.problem.objective[: self.judged])
        return len(self.problem.jobs) <= _FEW or (regular and self._modes <= _WHOLE)

    def _bound_and_polish(self) -> None:
        """A bound first, then ruin and recreate beside the other worker, and CP-SAT's windows at the end."""
        self._prove(_BOUND_SHARE, workers=max(1, self.workers - 1))
        windows = _POLISH_SHARE if len(self.problem.jobs) <= _MANY else 0.0
        self._insert_beside(self.left_s() * (1 - windows))
        while not self.proof.complete and self.left_s() > _SOON_S:
            self._polish(min(LONG_S, self.left_s()), effort=None)

    def _insert_beside(self, seconds: float) -> None:
        """Insert anew beside the other worker, in the way that has been the better one there."""
        beside = RuinRecreate(self.problem)
        beside.load(self.best)
        way = improvers(beside)[self._better_way]
        self._insert_anew(way, self._until(seconds), seed=self.seed + 1)

    def _insert(self, search: RuinRecreate, seconds: float) -> None:
        """Ruin and recreate, and where the length of the plan is what matters a population of plans.

        Which of the two is better depends on the problem: both get a share of the time, then the better one the rest.
        """
        ways, trial_s = improvers(search), _TRIAL * seconds
        if len(ways) > 1:
            for way in ways:
                self._insert_anew(way, self._until(trial_s), seed=self.seed, alone=True)
            seconds -= trial_s * len(ways)
        self._better_way = min(range(len(ways)), key=lambda number: (ways[number].value, -number))
        self._insert_anew(ways[self._better_way], self._until(seconds), seed=self.seed + 2)

    def _until(self, seconds: float) -> Callable[[], float]:
        """How much of some seconds from now on is over: 0 to 1, and more."""
        begun = time.perf_counter()
        return lambda: (time.perf_counter() - begun) / seconds if seconds > 0 else 1.0

    def _insert_anew(
        self, search: RuinRecreate | Improver, over: Callable[[], float], *, seed: int, alone: bool = False
    ) -> None:
        """Have a search make its plan better, and take over what others find unless it is to be judged."""
        chunk = 0
        while not self._done.is_set() and (progress := over()) < 1:
            if self.value < search.value and not alone:
                search.load(self.best)
            search.improve(_CHUNK, heat=_HEAT * max(0.0, 1 - progress), seed=seed * 1_000_003 + chunk)
            chunk += 1
            if search.value < self.value:
                self._offer(search.parts(), search.value)

    # ---- one worker ----

    def _take_turns(self, search: RuinRecreate) -> None:
        search.improve(min(_CHUNK, 20 * self._modes), heat=_HEAT, seed=self.seed)
        self._offer(search.parts(), search.value)
        share = 0.6 if self._is_for_cp_sat() else _BOUND_SHARE
        self._search_whole(self.left_s, workers=1, effort=share * self.limit_s * 0.5)
        ways = improvers(search)
        for turn in range(_TURNS):
            if self.proof.complete or self.left_s() <= 0:
                return
            way = ways[turn % len(ways)]
            way.load(self.best)
            for chunk in range(max(1, int(self.limit_s * _RATE * 0.4 / _TURNS / _CHUNK))):
                if self.left_s() <= 0:
                    return
                seed = self.seed * 1_000_003 + turn * 1_000 + chunk
                way.improve(_CHUNK, heat=_HEAT * (1 - turn / _TURNS), seed=seed)
            self._offer(way.parts(), way.value)
            for _ in range(max(1, int(self.limit_s * 0.5 / _TURNS))):
                if self.left_s() > 0:
                    self._polish(self.left_s(), effort=0.4)

    # ---- CP-SAT ----

    def _search_whole(self, seconds: Callable[[], float], *, workers: int, **how: Any) -> None:
        if seconds() < building_s(self.problem):
            return
        self.proof = search_whole(
            self.problem,
            self.best or locked_intervals(self.problem),
            self.value,
            seconds=seconds,
            judged=self.judged,
            workers=workers,
            seed=self.seed,
            found=self._offer_unvalued,
            **how,
        )

    def _polish(self, seconds: float, *, effort: float | None) -> None:
        """Let CP-SAT find the best places for some jobs that are near each other."""
        better = self._windows.improved(self.best, self.value, seconds=seconds, effort=effort)
        if better is not None:
            self._offer_unvalued(better)
