"""Public scheduling instances, read as problems of the planner: is it good at what others have measured, too?

    family     files        what it is
    FJSP       .fjs         flexible job shop (Brandimarte): an operation is a job, its machines are modes
    RCPSP      .sm .mm      project with renewable resources (PSPLIB): nobody holds a bench, so the bench is ""
    UPMSP-ST   SSD in it    unrelated machines, set-up by sequence and machine (Vallada & Ruiz): a job is its own family
    CSPLib073  .pl          test scheduling: machines any or some, global resources
    TLSP-S     .lp          test laboratory scheduling (Mischek & Musliu), see benchmarks/planning_tlsp.py

A unit of time of an instance is a minute here. The first job on a machine of UPMSP-ST needs no set-up: in the authors'
model a dummy job goes before it with set-up time 0, and the diagonal of their matrices is 0 as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from planning_tlsp import read_tlsp

from twinbench.core.planning.problem import Bench, Demand, Job, Mode, Precedence, Problem, Resource

__all__ = ["best_known", "read_csplib", "read_fjsp", "read_instance", "read_rcpsp", "read_tlsp", "read_upmsp"]

Known = tuple[int | None, int | None, str]


def read_instance(path: Path) -> tuple[str, Problem]:
    """Family and problem of a file, recognised by what is in it, or else by its name."""
    path = Path(path)
    text = path.read_text(encoding="utf-8", errors="replace")
    for family, (pattern, suffixes, read) in FAMILIES.items():
        if re.search(pattern, text, re.IGNORECASE | re.MULTILINE) or path.suffix.lower() in suffixes:
            return family, read(text)
    raise ValueError(f"{path} is of no family that is known; these are: {', '.join(FAMILIES)}.")


# ---- flexible job shop ----


def read_fjsp(text: str) -> Problem:
    """``jobs machines [mean]``, then per job its operations: how many machines, then machine and time of each."""
    lines = _lines(text)
    count, machines = (int(float(word)) for word in lines[0].split()[:2])
    numbers = _numbers(" ".join(lines[1:]))
    jobs: list[Job] = []
    for job in range(1, count + 1):
        for operation in range(1, next(numbers) + 1):
            modes = tuple(Mode(f"M{next(numbers)}", next(numbers)) for _ in range(next(numbers)))
            after = (Precedence(f"{job}.{operation - 1}"),) if operation > 1 else ()
            jobs.append(Job(f"{job}.{operation}", modes, after=after, project=str(job)))
    names = sorted({mode.bench for job in jobs for mode in job.modes}, key=lambda name: int(name[1:]))
    if len(names) > machines:
        raise ValueError(f"The instance speaks of {machines} machines, but uses {len(names)}.")
    return Problem(tuple(jobs), tuple(Bench(name) for name in names))


# ---- projects with renewable resources ----


def read_rcpsp(text: str) -> Problem:
    """PSPLIB: precedence relations, requests, availabilities; source and sink are left out if they take no time."""
    renewable, scarce, doubly = (
        int(re.search(rf"{kind}\s*:\s*(\d+)", text, re.IGNORECASE)[1])
        for kind in (r"-\s*renewable", "nonrenewable", "doubly constrained")
    )
    followers, counts = _relations(_numbers(_section(text, "PRECEDENCE RELATIONS")))
    rows = _numbers(_section(text, "REQUESTS/DURATIONS"))
    modes = {}
    for _ in counts:
        name = next(rows)
        modes[name] = [[next(rows) for _ in range(2 + renewable + scarce + doubly)] for _ in range(counts[name])]
    if any(any(row[2 + renewable :]) for table in modes.values() for row in table):
        raise ValueError("Non-renewable resources are not read: the planner knows only what comes back after a job.")
    capacities = list(_numbers(_section(text, "RESOURCEAVAILABILITIES")))[:renewable]
    dummies = {min(counts), max(counts)} & {name for name, table in modes.items() if not any(row[1] for row in table)}
    jobs = tuple(
        Job(
            str(name),
            tuple(Mode("", row[1], demands=_demands(row[2:], renewable)) for row in table),
            after=tuple(Precedence(str(one)) for one, then in followers.items() if name in then and one not in dummies),
        )
        for name, table in modes.items()
        if name not in dummies
    )
    return Problem(jobs, (), tuple(Resource(f"R{n}", capacity) for n, capacity in enumerate(capacities, 1)))


def _relations(numbers: Iterator[int]) -> tuple[dict[int, list[int]], dict[int, int]]:
    """Followers of each job, and how many modes it has."""
    followers, counts = {}, {}
    for name in numbers:
        counts[name] = next(numbers)
        followers[name] = [next(numbers) for _ in range(next(numbers))]
    return followers, counts


def _demands(amounts: Sequence[int], renewable: int) -> tuple[Demand, ...]:
    return tuple(Demand(f"R{n}", amount) for n, amount in enumerate(amounts[:renewable], 1) if amount)


def _section(text: str, title: str) -> str:
    """What follows a title: lines of numbers, up to the next line of stars."""
    after = re.split(rf"^\s*{title}.*$", text, maxsplit=1, flags=re.IGNORECASE | re.MULTILINE)[1]
    body = re.split(r"^\s*\*+\s*$", after, maxsplit=1, flags=re.MULTILINE)[0]
    return "\n".join(line for line in body.splitlines() if re.fullmatch(r"[\s\d]+", line))


# ---- machines with set-up times ----


def read_upmsp(text: str) -> Problem:
    """``jobs machines ...``, pairs of machine and time per job, ``SSD``, then a matrix per machine."""
    head, _, tail = text.partition("SSD")
    first, *others = _lines(head)
    count, machines = (int(word) for word in first.split()[:2])
    pairs = list(_numbers(" ".join(others)))[-2 * count * machines :]
    names = [f"J{job + 1}" for job in range(count)]
    modes: list[list[Mode]] = [[] for _ in names]
    for place in range(count * machines):
        machine, duration = pairs[2 * place : 2 * place + 2]
        modes[place // machines].append(Mode(f"M{machine}", duration))
    tables = {}
    blocks = re.split(r"\bM\s*(\d+)\b", tail)
    for machine, block in zip(blocks[1::2], blocks[2::2], strict=True):
        matrix = list(_numbers(block))
        if len(matrix) != count * count:
            raise ValueError(f"The matrix of machine {machine} has {len(matrix)} numbers, not {count * count}.")
        times = ((names[n // count], names[n % count], matrix[n]) for n in range(count * count))
        tables[f"M{machine}"] = {(before, after): time for before, after, time in times if before != after}
    benches = tuple(Bench(name, changeovers=name) for name in tables)
    jobs = tuple(Job(name, tuple(ways), family=name) for name, ways in zip(names, modes, strict=True))
    return Problem(jobs, benches, changeovers=tables)


# ---- CSPLib 73 ----


def read_csplib(text: str) -> Problem:
    """Facts ``test(name, duration, machines or [], resources, family, 1)`` and what there is."""
    facts = [
        _arguments(body) for body in re.findall(r"^\s*(\w+\s*\(.*?\))\s*\.", _bare(text), re.MULTILINE | re.DOTALL)
    ]
    boards = [args[0] for kind, args in facts if kind == "embedded_board"]
    if any(int(args[1]) for kind, args in facts if kind == "testsetup"):
        raise ValueError("Set-up times of families of tests are not read: no published instance has any.")
    jobs = [
        Job(args[0], tuple(Mode(b, int(args[1]), demands=tuple(map(Demand, args[3]))) for b in args[2] or boards))
        for kind, args in facts
        if kind == "test"
    ]
    resources = [Resource(args[0], int(args[1])) for kind, args in facts if kind == "resource"]
    return Problem(tuple(jobs), tuple(Bench(name) for name in boards), tuple(resources))


def _arguments(fact: str) -> tuple[str, list]:
    kind, _, body = fact.partition("(")
    words = re.findall(r"\[[^\]]*\]|'[^']*'|[\w.+-]+", body)
    return kind.strip(), [re.findall(r"[\w.+-]+", w) if w.startswith("[") else w.strip("'") for w in words]


# ---- what is known of them ----


def best_known(folder: Path) -> dict[str, Known]:
    """Lower bound, best known value and status of every file of a folder, from the table in its ``README.md``."""
    rows = []
    for line in (Path(folder) / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.strip().startswith("|") and len(cells) >= 8 and set(line) - set("|- :"):
            rows.append(cells)
    known = {}
    for path in sorted(Path(folder).iterdir()):
        row = next((cells for cells in rows[1:] if _is_of(path.name, cells)), None)
        if row:
            known[path.name] = (_whole(row[5]), _whole(row[6]), row[7])
    return known


def _is_of(name: str, cells: Sequence[str]) -> bool:
    if cells[2] and "*" not in cells[2]:
        return name == cells[2]
    return Path(name).stem == cells[1] and Path(name).match(cells[2] or "*")


def _whole(cell: str) -> int | None:
    return int(float(cell)) if re.fullmatch(r"\d+(\.0*)?", cell) else None


# ---- words and numbers ----


def _bare(text: str) -> str:
    return re.sub(r"%.*", "", text)


def _lines(text: str) -> list[str]:
    """Lines that say something: no comments, no empty ones."""
    return [line for line in re.sub(r"(#|//|%).*", "", text).splitlines() if line.strip()]


def _numbers(text: str) -> Iterator[int]:
    return (int(float(word)) for word in re.findall(r"-?\d+(?:\.\d+)?", text))


FAMILIES = {
    "TLSP-S": (r"^\s*durationInMode\(", (), read_tlsp),
    "CSPLib073": (r"^\s*test\s*\(", (".pl",), read_csplib),
    "RCPSP": (r"^\s*REQUESTS/DURATIONS", (".sm", ".mm"), read_rcpsp),
    "UPMSP-ST": (r"^\s*SSD\s*$", (), read_upmsp),
    "FJSP": (r"\A(\s|#.*)*\d+\s+\d+(\s+[\d.]+)?\s*\n", (".fjs",), read_fjsp),
}
"""What a family's text looks like, how else its files are named, and who reads them."""
