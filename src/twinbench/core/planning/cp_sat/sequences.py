"""What follows what on a bench with changeovers, in a CP-SAT model.

Where no detour over another family is shorter than the direct changeover, it is enough that of any two jobs one comes
first by that much. Else, or if changeovers are counted, a circuit goes through the jobs of the bench.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from twinbench.core.planning.changeovers import Table
from twinbench.core.planning.problem import FAR_MIN, Bench

__all__ = ["Stop", "add_circuit", "add_orders"]


@dataclass(frozen=True)
class Stop:
    """A job on a bench; of a job that is fixed there, ``chosen`` is None and times are numbers.

    Attributes:
        locked: It is where people have put it, whatever changeover that leaves no time for.
        leads: It may be the first of the stops although the bench's own changeover to it would take longer.
    """

    begin: Any
    free: Any
    family: str
    chosen: Any
    locked: bool = False
    leads: bool = False


def add_orders(model: Any, bench: Bench, table: Table, stops: Sequence[Stop], horizon: int) -> None:
    """Of any two jobs with a changeover between, one comes first.

    Beginnings and ends are bounded by helpers: presolve takes long for sums of variables with calendars.
    """
    around = [_around(model, stop, horizon) for stop in stops]
    for stop, (begin, _) in zip(stops, around, strict=True):
        gap = table.get((bench.family, stop.family), 0)
        if gap and stop.chosen is not None:
            model.add(begin >= gap).only_enforce_if(stop.chosen)
    for i, k in combinations(range(len(stops)), 2):
        one, other = stops[i], stops[k]
        there, back = table.get((one.family, other.family), 0), table.get((other.family, one.family), 0)
        if not (there or back) or (one.chosen is None and other.chosen is None):
            continue
        here = [literal for literal in (one.chosen, other.chosen) if literal is not None]
        first = model.new_bool_var("")
        model.add(around[k][0] >= around[i][1] + there).only_enforce_if(*here, first)
        model.add(around[i][0] >= around[k][1] + back).only_enforce_if(*here, ~first)


def _around(model: Any, stop: Stop, horizon: int) -> tuple[Any, Any]:
    if stop.chosen is None:
        return stop.begin, stop.free
    low, high = model.new_int_var(-horizon, horizon, ""), model.new_int_var(-horizon, horizon, "")
    model.add(low <= stop.begin)
    model.add(high >= stop.free)
    return low, high


def add_circuit(model: Any, bench: Bench, table: Table, stops: Sequence[Stop]) -> list[Any]:
    """A circuit through the jobs of a bench; those that are fixed keep their order.

    Returns:
        Literals of which as many are true as there are changeovers.
    """
    empty = model.new_bool_var("")
    arcs: list[tuple[int, int, Any]] = [(0, 0, empty)]
    changes = []
    for i, stop in enumerate(stops, 1):
        first, last = model.new_bool_var(""), model.new_bool_var("")
        arcs += [(0, i, first), (i, 0, last)]
        gap = table.get((bench.family, stop.family), 0)
        if stop.chosen is None:
            model.add(empty == 0)
            if stop.begin < gap and not stop.leads:  # it needs somebody before it
                model.add(first == 0)
        else:
            arcs.append((i, i, ~stop.chosen))
            model.add_implication(stop.chosen, ~empty)
            model.add(stop.begin >= (gap or -FAR_MIN)).only_enforce_if(first)
        changes += [first] if _is_change(bench.family, stop.family) else []
        for k, other in enumerate(stops, 1):
            settled = stop.chosen is None and other.chosen is None
            if i == k or (settled and k != i + 1):
                continue
            follows = model.new_bool_var("")
            arcs.append((i, k, follows))
            changes += [follows] if _is_change(stop.family, other.family) else []
            gap = table.get((stop.family, other.family), 0)
            if not settled:
                model.add(other.begin >= stop.free + gap).only_enforce_if(follows)
            elif other.begin < stop.free + gap and not (stop.locked and other.locked):  # or between them
                model.add(follows == 0)
    model.add_circuit(arcs)
    return changes


def _is_change(old: str, new: str) -> bool:
    return bool(old and new and old != new)
