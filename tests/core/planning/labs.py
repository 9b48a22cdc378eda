"""Small labs with everything a plan has to mind, drawn by hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from twinbench.core.planning.problem import CRITERIA, Bench, Demand, Job, Mode, Precedence, Problem, Resource

__all__ = ["demands", "labs", "objectives", "tiny_labs"]

FAMILIES = ("", "cold", "hot")
DURING = (("setup", "teardown"), ("setup",), ("teardown",), ("test",), ("setup", "test"), ("test", "teardown"))
EVERYTHING = ("setup", "test", "teardown")


@st.composite
def objectives(draw: Any) -> tuple[dict[str, int], ...]:
    """One to three tiers, no criterion twice."""
    names = draw(st.permutations(CRITERIA))[: draw(st.integers(1, 5))]
    tiers: list[dict[str, int]] = [{} for _ in range(draw(st.integers(1, min(3, len(names)))))]
    for number, name in enumerate(names):
        tiers[number % len(tiers)][name] = draw(st.integers(1, 3))
    return tuple(tiers)


@st.composite
def demands(draw: Any) -> tuple[Demand, ...]:
    """Of operators, somebody by name and chambers."""
    found = []
    if draw(st.booleans()):
        found.append(Demand("operator", draw(st.integers(0, 2)), draw(st.sampled_from(DURING[:3]))))
    if draw(st.integers(0, 3)) == 0:
        found.append(Demand("Ada", 1, draw(st.sampled_from(DURING[:3]))))
    if draw(st.booleans()):
        found.append(Demand("chamber", draw(st.integers(1, 2)), draw(st.sampled_from((*DURING, EVERYTHING)))))
    return tuple(found)


@st.composite
def _job(draw: Any, number: int, benches: tuple[str, ...], unit_min: int, strict: bool) -> Job:
    def minutes(low: int, high: int) -> int:
        return unit_min * draw(st.integers(low, high))

    def sometimes(low: int, high: int) -> int | None:
        return minutes(low, high) if draw(st.integers(0, 2)) == 0 else None

    where = draw(st.lists(st.sampled_from(benches), min_size=1, max_size=3, unique=True))
    setup, test, teardown = minutes(0, 2), minutes(1, 6), minutes(0, 2)
    needs = draw(demands())
    modes = [
        Mode(bench, test, setup, teardown, needs, 0, f"on {bench}")
        if draw(st.booleans())
        else Mode(bench, minutes(1, 6), minutes(0, 2), minutes(0, 2), draw(demands()), draw(st.integers(0, 3)))
        for bench in where
    ]
    after = []
    for earlier in range(number):
        if draw(st.integers(0, 3)) == 0:
            least = minutes(0, 4)
            most = least + minutes(0 if strict else 24, 30) if draw(st.booleans()) else None
            after.append(Precedence(f"job-{earlier}", least, most))
    return Job(
        f"job-{number}",
        tuple(modes),
        release_min=sometimes(0, 12) or 0,
        due_min=sometimes(1, 20),
        deadline_min=sometimes(12, 60) if strict else None,
        preferred_min=sometimes(0, 30),
        planned_min=sometimes(0, 30),
        priority=draw(st.integers(0, 3)),
        unit=draw(st.sampled_from(("", "", "cell-1"))),
        project=draw(st.sampled_from(("", "apollo", "gemini"))),
        family=draw(st.sampled_from(FAMILIES)),
        wait_min=minutes(0, 24) if draw(st.booleans()) else 0,
        after=tuple(after),
    )


@st.composite
def labs(draw: Any, largest: int = 6, strict: bool = False) -> Problem:
    """Up to so many jobs on three benches; with deadlines and tight lags, there may be no plan."""
    unit_min = draw(st.sampled_from((1, 1, 7, 30)))
    names = ("b1", "b2", "b3")
    jobs = tuple(
        draw(_job(number, (*names, "") if draw(st.integers(0, 5)) == 0 else names, unit_min, strict))
        for number in range(draw(st.integers(1, largest)))
    )

    def window(start: int, length: int) -> tuple[int, int]:
        return unit_min * start, unit_min * (start + length)

    closures = draw(st.lists(st.builds(window, st.integers(0, 30), st.integers(1, 8)), max_size=2))
    alike = draw(st.booleans())
    benches = tuple(
        Bench(
            name,
            closed=tuple(closures if alike or draw(st.booleans()) else ()),
            family="hot" if alike else draw(st.sampled_from(FAMILIES)),
            changeovers=draw(st.sampled_from(("", "warming"))) if not alike else "warming",
        )
        for name in names
    )
    pairs = [(a, b) for a in FAMILIES[1:] for b in FAMILIES[1:]]
    table = {pair: unit_min * draw(st.integers(0, 4)) for pair in pairs if draw(st.booleans())}
    missing = draw(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 6), st.integers(1, 3)), max_size=2))
    length = draw(st.integers(4, 8))
    day = tuple(window(12 * number + 2, length) for number in range(60))
    resources = (
        Resource("operator", draw(st.integers(1, 2)), open=day if draw(st.booleans()) else None),
        Resource("Ada", 1, person=True, open=day if draw(st.booleans()) else None),
        Resource("chamber", draw(st.integers(2, 3)), closed=tuple((*window(a, n), m) for a, n, m in missing)),
    )
    return Problem(jobs, benches, resources, {"warming": table}, draw(objectives()))


@st.composite
def tiny_labs(draw: Any) -> Problem:
    """Two or three jobs in so little time that all plans can be tried."""

    def minutes(low: int, high: int) -> int:
        return draw(st.integers(low, high))

    jobs = []
    for number in range(minutes(2, 3)):
        needs = (Demand("operator", 1, draw(st.sampled_from(DURING))),) if draw(st.booleans()) else ()
        where = draw(st.sampled_from((("b1",), ("b1", "b2"))))
        modes = [Mode(bench, minutes(1, 3), minutes(0, 1), minutes(0, 1), needs, minutes(0, 2)) for bench in where]
        most = minutes(1, 3) if draw(st.booleans()) else None
        after = (Precedence("job-0", 1, most),) if number and draw(st.booleans()) else ()
        wishes = {name: minutes(0, 5) for name in ("release_min", "due_min", "preferred_min") if draw(st.booleans())}
        shared = {"unit": draw(st.sampled_from(("", "cell"))), "project": draw(st.sampled_from(("", "apollo")))}
        family = draw(st.sampled_from(FAMILIES))
        jobs.append(
            Job(f"job-{number}", tuple(modes), after=after, family=family, wait_min=minutes(0, 1), **wishes, **shared)
        )
    benches = (Bench("b1", closed=((3, 4),), family="hot", changeovers="warming"), Bench("b2"))
    table = {("hot", "cold"): minutes(0, 2), ("cold", "hot"): minutes(0, 2)}
    operator = Resource("operator", 1, person=True, open=tuple((day, day + 3) for day in range(0, 400, 5)))
    return Problem(tuple(jobs), benches, (operator,), {"warming": table}, draw(objectives()))
