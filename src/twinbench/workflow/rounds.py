"""Rounds of a sequential design: what the results so far teach, and which runs would teach most.

    doe-output/rounds.json   per round its runs, what was learnt, and why it went on or ended

A decision is made once: whoever asks again is told the same, so every task may be cleared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twinbench.core.doe.constraints import Constraint
from twinbench.core.doe.designs import levels_of, runs_table
from twinbench.core.doe.learning.sequential import SequentialPlan, fit_surrogates, judge, next_batch
from twinbench.core.doe.quality import design_quality
from twinbench.core.doe.region import Region
from twinbench.core.doe.spec import DesignSpec
from twinbench.workflow.design import DESIGN, ROUNDS, write_runs
from twinbench.workflow.lab import Area, Document, Lab

__all__ = ["learn"]

_CANDIDATES = 2000


def learn(lab: Lab, request_uuid: str, number: int = 1) -> Document:
    """Learn from all rounds up to this one, and choose the runs of the next if more is to be learnt.

    Args:
        lab: The lab.
        request_uuid: Which request.
        number: The round whose results are new; 1 is the first.

    Returns:
        ``next_round``, None if it was the last, and the ``reason`` in words.

    Raises:
        DesignError: If too few runs have given a response to learn anything from.
    """
    area = lab.area(request_uuid)
    design = area.read_json(DESIGN)
    if "sequential" not in design:
        return {"round": number, "next_round": None, "reason": "The design was made as a whole; nothing follows."}
    decided = _decisions(area)
    if number > len(decided):
        decided = [*decided[: number - 1], _decide(lab, request_uuid, area, design, number)]
        area.write_json(ROUNDS, decided)
    decision = decided[number - 1]
    return {"round": number, "next_round": None if decision["done"] else number + 1, "reason": decision["reason"]}


def _decisions(area: Area) -> list[Document]:
    return list(area.read_json(ROUNDS)) if area.exists(ROUNDS) else []


def _decide(lab: Lab, request_uuid: str, area: Area, design: Document, number: int) -> Document:
    """Judge what is known; the next round's runs are written before the decision is."""
    plan, spec = SequentialPlan.from_document(design["sequential"]), DesignSpec.from_document(design["spec"])
    region = Region(spec.factors, tuple(Constraint.read(text, spec.factors) for text in spec.constraints))
    runs = [run for run in design["runs"] if run["round"] <= number]
    done = _shares(spec, runs)
    surrogates = fit_surrogates(plan, region.unit(done), _figures(area, runs), seed=spec.seed)
    candidates = region.candidates(_CANDIDATES, seed=spec.seed + number)
    verdict = judge(plan, surrogates, len(runs), region.unit(candidates))
    decision = {
        "round": number,
        "runs": [run["run"] for run in runs if run["round"] == number],
        "done": verdict.done,
        "reason": verdict.reason,
        "figures": dict(verdict.figures),
    }
    lab.say(f"round {number}: {verdict.reason}")
    if not verdict.done:
        chosen = next_batch(plan, surrogates, region.unit(done), region.unit(candidates))
        _add(lab, request_uuid, design, spec, region, runs, candidates[list(chosen)], number + 1)
    return decision


def _shares(spec: DesignSpec, runs: Sequence[Document]) -> NDArray[np.float64]:
    return np.array([[factor.share(run["levels"][factor.name]) for factor in spec.varying] for run in runs])


def _figures(area: Area, runs: Sequence[Document]) -> list[Document | None]:
    """What each run came down to; None where it failed."""
    known = {entry["run"]: entry for entry in area.read_json("results/evaluation.json")["runs"]}
    return [known.get(run["run"]) for run in runs]


def _add(
    lab: Lab,
    request_uuid: str,
    design: Document,
    spec: DesignSpec,
    region: Region,
    runs: Sequence[Document],
    points: NDArray[np.float64],
    number: int,
) -> None:
    """Add a round's runs to the design; the design itself is written last, so that it never names what is not there."""
    area = lab.area(request_uuid)
    first = len(runs) + 1
    new = [
        {"run": first + place, "levels": levels_of(spec.factors, point), "round": number}
        for place, point in enumerate(points.tolist())
    ]
    every = [*runs, *new]
    quality = design_quality(None, _shares(spec, every), feasible=region.is_feasible if region.constraints else None)
    write_runs(lab, request_uuid, design, new)
    area.write("doe-output/runs.csv", runs_table(spec, every))
    area.write_json(DESIGN, {**design, "runs": every, "round": number, "quality": quality, "model": []})
