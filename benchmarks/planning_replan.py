"""What the failure of a bench costs in a lab of 300 tests: seconds to plan again, and what moves."""

from __future__ import annotations

import sys
import time
from typing import Any

from planning_checks import violations
from planning_labs import generated_lab

from twinbench.core.planning.replan import Disturbance, disturbed
from twinbench.core.planning.solve import solve

__all__ = ["measured"]

TESTS = 300
DAY_min = 24 * 60
FIRST_PLAN_s = 10.0
LIMIT_s = 4.0


def measured(seed: int, *, workers: int) -> dict[str, Any]:
    """Plan a lab, let the bench that has most to do fail on its fifth day for four days, plan again."""
    problem = generated_lab(TESTS, seed)
    plan = solve(problem, time_limit_s=FIRST_PLAN_s, workers=workers, seed=1)
    now_min = 5 * DAY_min
    waiting = [part.bench for part in plan.intervals if part.free_min > now_min]
    failed = max(sorted(set(waiting)), key=waiting.count)
    begun = time.perf_counter()
    left, affected = disturbed(problem, plan.intervals, Disturbance(now_min, {failed: now_min + 4 * DAY_min}))
    again = solve(left, time_limit_s=LIMIT_s, workers=workers, seed=1)
    wall_s = time.perf_counter() - begun
    before = {part.job: (part.bench, part.begin_min) for part in plan.intervals}
    moved = {part.job for part in again.intervals if before[part.job] != (part.bench, part.begin_min)}
    row = {
        **{"tests": TESTS, "seed": seed, "left": len(left.jobs), "affected": len(affected), "moved": len(moved)},
        **{"moved unaffected": len(moved - affected), "moved_min": again.tiers[0].value, "wall_s": round(wall_s, 2)},
        **{"bound": again.tiers[0].bound, "violations": violations(left, again.intervals)},
    }
    told = f"{failed} fails: {row['left']} tests left, {row['affected']} affected, {row['moved']} moved"
    print(f"{TESTS} tests, seed {seed}: {told}, by {row['moved_min']} min in all, {wall_s:.2f} s", file=sys.stderr)
    return row
