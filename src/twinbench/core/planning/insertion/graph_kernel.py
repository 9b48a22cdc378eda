"""The disjunctive graph of a shop, compiled by Numba: how long a plan is, and about how long with one job elsewhere.

A shop has benches and precedences and nothing else that holds tests up. A plan is then a sequence of jobs on each
bench. The head of a job is when it begins, its tail how long it takes from its end to that of the plan; what follows
here is due to Balas & Vazacopoulos (1998) on one bench, and to Mastrolilli & Gambardella (2000) from one to another.
The arguments ``p`` and ``g`` are the problem and the nodes of the graph, one for each job.
"""

from __future__ import annotations

import numpy as np

from twinbench.core.planning.insertion.compiling_kernel import compiled, lean

__all__ = [
    "changeover",
    "free_behind",
    "head_by_others",
    "longest_way",
    "measure",
    "move",
    "rest_before",
    "sequence",
    "tail_by_others",
]


@lean
def changeover(p, b, i, j):
    """How long it takes to change a bench over from one job (-1: as it is at first) to another."""
    table = p.benches[b].table
    if table < 0 or j < 0:
        return 0
    return p.tables[table, p.jobs[i].family if i >= 0 else p.benches[b].family, p.jobs[j].family]


@lean
def head_by_others(p, g, j):
    """When a job may begin by its release and the jobs before it."""
    head = p.jobs[j].release
    for i in range(p.jobs[j].before_first, p.jobs[j + 1].before_first):
        k = p.links[i].job
        head = max(head, g[k].head + g[k].length + p.links[i].least)
    return head


@lean
def tail_by_others(p, g, j):
    """How long it takes at least from the end of a job to that of the plan by the jobs that come after it."""
    tail = 0
    for i in range(p.jobs[j].after_first, p.jobs[j + 1].after_first):
        k = p.links[i].job
        tail = max(tail, p.links[i].least + g[k].length + g[k].tail)
    return tail


@lean
def free_behind(p, g, b, x, j):
    """When a bench is free for a job behind another one (-1: as the first)."""
    return (g[x].head + g[x].length if x >= 0 else 0) + changeover(p, b, x, j)


@lean
def rest_before(p, g, b, j, y):
    """How long it takes from the end of a job to that of the plan by what is next on the bench (-1: nothing)."""
    return changeover(p, b, j, y) + g[y].length + g[y].tail if y >= 0 else 0


@lean
def measure(p, g, order, waits_for):
    """Work out all heads and tails.

    Args:
        p: The problem.
        g: The nodes.
        order: Room for all jobs; has them in an order of the graph afterwards.
        waits_for: Room for a number for each job.

    Returns:
        The length of the plan, -1 if jobs wait for each other in a circle.
    """
    n, count, at, longest = len(g), 0, 0, 0
    for j in range(n):
        waits_for[j] = p.jobs[j + 1].before_first - p.jobs[j].before_first + (g[j].before >= 0)
        if waits_for[j] == 0:
            order[count] = j
            count += 1
    while at < count:
        j = order[at]
        at += 1
        g[j].head = max(head_by_others(p, g, j), free_behind(p, g, g[j].bench, g[j].before, j))
        longest = max(longest, g[j].head + g[j].length)
        first, stop = p.jobs[j].after_first, p.jobs[j + 1].after_first
        for i in range(first, stop + 1):
            k = p.links[i].job if i < stop else g[j].behind
            if k >= 0:
                waits_for[k] -= 1
                if waits_for[k] == 0:
                    order[count] = k
                    count += 1
    if count < n:
        return -1
    for at in range(n - 1, -1, -1):
        j = order[at]
        g[j].tail = max(tail_by_others(p, g, j), rest_before(p, g, g[j].bench, j, g[j].behind))
    return longest


@lean
def link(p, g, firsts, j, m, x):
    """Put a job that is nowhere on the bench of a mode, behind another one (-1: as the first)."""
    b = p.modes[m].bench
    y = g[x].behind if x >= 0 else firsts[b]
    g[j].mode, g[j].bench, g[j].before, g[j].behind = m, b, x, y
    g[j].length = p.modes[m].setup + p.modes[m].test + p.modes[m].teardown
    if x >= 0:
        g[x].behind = j
    else:
        firsts[b] = j
    if y >= 0:
        g[y].before = j


@lean
def move(p, g, firsts, j, m, x):
    """Take a job from where it is and put it behind another one."""
    before, behind = g[j].before, g[j].behind
    if before >= 0:
        g[before].behind = behind
    else:
        firsts[g[j].bench] = behind
    if behind >= 0:
        g[behind].before = before
    link(p, g, firsts, j, m, x)


@compiled
def sequence(p, g, firsts, keys, modes):
    """Make a plan: each job the last one on the bench of its mode, the smallest key first, those before others first.

    Args:
        p: The problem.
        g: The nodes; what is there is forgotten.
        firsts: The first job of each bench; likewise.
        keys: One for each job.
        modes: Which one each job gets.
    """
    firsts[:] = -1
    lasts, placed, left = firsts.copy(), np.zeros(len(g), np.bool_), len(g)
    order = np.argsort(keys)
    while left > 0:
        for j in order:
            ready = not placed[j]
            for i in range(p.jobs[j].before_first, p.jobs[j + 1].before_first):
                ready = ready and placed[p.links[i].job]
            if ready:
                b = p.modes[modes[j]].bench
                link(p, g, firsts, j, modes[j], lasts[b])
                lasts[b], placed[j] = j, True
                left -= 1


@lean
def longest_way(p, g, j, last, row, heads, count, following):
    """How long the longest way through some jobs is, about, if they are next to each other on a bench.

    Args:
        p: The problem.
        g: The nodes, as they are now.
        j: One of them.
        last: The job before all (-1: none).
        row: They, in their new order.
        heads: Room for a number for each.
        count: How many they are.
        following: The job behind all (-1: none).
    """
    b, longest = g[j].bench, 0
    before, free = last, g[last].head + g[last].length if last >= 0 else 0
    for i in range(count):
        k = row[i]
        heads[i] = max(head_by_others(p, g, k), free + changeover(p, b, before, k))
        before, free = k, heads[i] + g[k].length
    behind, rest = following, g[following].length + g[following].tail if following >= 0 else 0
    for i in range(count - 1, -1, -1):
        k = row[i]
        rest = max(tail_by_others(p, g, k), changeover(p, b, k, behind) + rest) + g[k].length
        longest = max(longest, heads[i] + rest)
        behind = k
    return longest
