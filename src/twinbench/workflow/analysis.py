"""How the figures of a request's runs follow its factors: the document ``results/analysis.json``.

``responses``   one after the other: ``figure``, a name of ``RunFigures``, and its ``analysis``
``remarks``     what a reader must know of all of them, in words
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twinbench.workflow.lab import Document

__all__ = ["analyse_responses", "differs"]

_MOST_RESPONSES = 3
_FEWEST_RUNS = 3
_SMALLEST_SPREAD = 1e-4  # of the figure: less, and nobody would measure it

_SIMULATED = (
    "All runs are simulated. A simulation repeats itself exactly, so p-values and intervals compare with what the "
    "model leaves unexplained, not with the scatter of measurements."
)
_CANNOT_TELL = (
    "The runs cannot tell how the results follow the factors: there are too few of them, no result differs between "
    "them, or factors only vary together."
)


def analyse_responses(
    design: Mapping[str, Any], summaries: Sequence[Mapping[str, Any]], figures: Sequence[Mapping[str, Any]]
) -> Document:
    """Analyse the first few responses that differ between completed runs.

    Args:
        design: ``doe-output/design.json``.
        summaries: ``results/run-0001.json`` of each run.
        figures: Figures of each run that has any, ``run`` and the fields of ``RunFigures``.
    """
    from twinbench.core.doe.analysis.analyse import analyse
    from twinbench.core.doe.factors import Factor
    from twinbench.core.evaluation import RESPONSES

    factors = [Factor.from_document(factor) for factor in design["factors"]]
    if not any(factor.varies for factor in factors):
        return {"responses": [], "remarks": []}
    completed = {int(run["run"]) for run in summaries if run.get("status") == "completed"}
    by_run = {int(figure["run"]): figure for figure in figures if int(figure["run"]) in completed}
    runs = list(design["runs"])
    responses: list[Document] = []
    for figure in RESPONSES:
        values = [by_run.get(int(run["run"]), {}).get(figure) for run in runs]
        if len(responses) == _MOST_RESPONSES or not differs(values):
            continue
        analysis = analyse(
            factors,
            [run["levels"] for run in runs],
            values,
            model=design.get("spec", {}).get("model"),
            blocks=_of_all(runs, "block"),
            whole_plots=_of_all(runs, "whole_plot"),
            numbers=[int(run["run"]) for run in runs],
        )
        if analysis:
            responses.append({"figure": figure, "analysis": analysis.as_document()})
    is_simulated = all(run.get("kind") == "virtual" for run in summaries if run.get("status") == "completed")
    remarks = [_SIMULATED] if responses and is_simulated else [] if responses else [_CANNOT_TELL]
    return {"responses": responses, "remarks": remarks}


def differs(values: Sequence[float | None]) -> bool:
    """Whether three runs or more have a figure, and not all the same."""
    known = [value for value in values if value is not None]
    return len(known) >= _FEWEST_RUNS and max(known) - min(known) > _SMALLEST_SPREAD * max(map(abs, known))


def _of_all(runs: Sequence[Mapping[str, Any]], key: str) -> list[Any] | None:
    """What is said of each run; None unless it is said of all."""
    told = [run.get(key) for run in runs]
    return None if None in told else told
