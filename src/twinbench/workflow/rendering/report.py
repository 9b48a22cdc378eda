"""The report of a request: one HTML file that needs nothing else, for the screen in light and dark and for paper.

What is in it comes from the request's documents alone, so the same documents give the same file, byte for byte. All
text in them is escaped: a requester's name is a name, whatever it contains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinbench.core.findings import Severity
from twinbench.workflow.rendering import labels
from twinbench.workflow.rendering.analysis import analysis_views, response_curves
from twinbench.workflow.rendering.plots import MOST_POINTS, Line, plan_svg, response_svg, signals_svg
from twinbench.workflow.rendering.svg import LINE_STYLES, line_style
from twinbench.workflow.rendering.tables import Factors, first_response, levels_table, results_table

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

__all__ = ["ReportFacts", "RunResult", "render_report"]

Document = Mapping[str, Any]

_SEVERITIES = [severity.value for severity in Severity]  # the worst first
_SIGNAL_TO_NOISE = 2.0  # of a design that does not say for which effect its power is told
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class RunResult:
    """What one run has left behind.

    Attributes:
        summary: ``results/run-0001.json``.
        time_s: Shape (n,); empty if there are no rows.
        signals: The metric signals that are valid, each of shape (n,).
    """

    summary: Document
    time_s: NDArray[np.float64]
    signals: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class ReportFacts:
    """Everything the report is made from, as it lies in the request's area.

    Attributes:
        request: ``request.json``.
        state: How far the request has come.
        models: ``fastest-models/models.json``; ``size_bytes`` of a model is shown if it is there.
        findings: ``fastest-models/findings.json``.
        design: ``doe-output/design.json``; empty if there is none.
        plan: ``schedule-output/plan.json``; empty if there is none.
        runs: In order of their numbers.
        evaluation: ``results/evaluation.json``.
        analysis: ``results/analysis.json``; empty if there is none.
        rounds: ``doe-output/rounds.json``; empty unless the design is sequential.
        provenance: ``provenance.json``.
        messages: What became of the metrics messages, for example how many were published and collected.
        notes: What a reader must know to judge the results, for example that a model is a stand-in.
    """

    request: Document
    state: str
    models: Sequence[Document] = ()
    findings: Sequence[Document] = ()
    design: Document = field(default_factory=dict)
    plan: Document = field(default_factory=dict)
    runs: Sequence[RunResult] = ()
    evaluation: Document = field(default_factory=dict)
    analysis: Document = field(default_factory=dict)
    rounds: Sequence[Document] = ()
    provenance: Document = field(default_factory=dict)
    messages: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()


def render_report(facts: ReportFacts) -> str:
    """The report as the text of ``report.html``."""
    return _template().render(_view(facts))


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(
        fixed=labels.fixed, compact=labels.compact, moment=labels.moment, unit=labels.unit_sign, words=_words
    )
    return environment.get_template("report.html.jinja")


def _view(facts: ReportFacts) -> dict[str, Any]:
    """What the template shows, ready to be shown."""
    factors = Factors.from_document(facts.design)
    drawn = _drawn(facts.runs)
    styles = {int(run.summary["run"]): style for style, run in enumerate(drawn)}
    figures = list(facts.evaluation.get("runs", ()))
    findings = sorted(facts.evaluation.get("findings", ()), key=lambda finding: _SEVERITIES.index(finding["severity"]))
    summaries = [run.summary for run in facts.runs]
    designed = list(facts.design.get("runs", ()))
    return {
        "facts": facts,
        "asked": _asked(facts.request),
        "factors": factors,
        "design_rows": list(
            zip((run["run"] for run in designed), levels_table(designed, list(factors.titles), digits=6), strict=True)
        ),
        "failed": [summary for summary in summaries if summary.get("status") != "completed"],
        "talkative": [summary for summary in summaries if summary.get("messages")],
        "findings": findings,
        "severities": _severities(findings),
        "checked": len(figures),
        "results": results_table(summaries, figures, factors),
        "legend": [_legend_entry(run.summary, style, factors) for style, run in enumerate(drawn)],
        "signals_figure": _signals_figure(drawn),
        "design_figures": [(name, value) for name, value in _quality(facts).items() if _is_number(value)],
        "design_terms": _design_terms(facts),
        "signal_to_noise": facts.design.get("spec", {}).get("signal_to_noise", _SIGNAL_TO_NOISE),
        "with_rows": sum(len(run.time_s) > 0 for run in facts.runs),
        "most_points": MOST_POINTS,
        "plan_figure": _plan_figure(facts.plan),
        **_response(facts, factors, styles),
        "analyses": analysis_views(facts.analysis, factors),
        "analysis_remarks": list(facts.analysis.get("remarks", ())),
        "provenance": list(_flat(facts.provenance)),
    }


def _quality(facts: ReportFacts) -> Document:
    return dict(facts.design.get("quality", {}))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _design_terms(facts: ReportFacts) -> list[tuple[str, str, str, str]]:
    """What the design can tell of each term: power in percent, variance inflation, and what it is confounded with."""
    quality, aliases = _quality(facts), facts.design.get("aliases", {})
    power, inflation = quality.get("power") or {}, quality.get("vif") or {}
    return [
        (
            term,
            labels.fixed(None if power.get(term) is None else 100 * power[term], 0),
            labels.fixed(inflation.get(term), 2),
            _listed(aliases.get(term, ())) or labels.MISSING,
        )
        for term in power
    ]


def _drawn(runs: Sequence[RunResult]) -> list[RunResult]:
    """The runs that are drawn: all with rows, or as many of them, evenly chosen, as can be told apart."""
    candidates = [run for run in runs if len(run.time_s)]
    if len(candidates) <= LINE_STYLES:
        return candidates
    return [candidates[index] for index in np.linspace(0, len(candidates) - 1, LINE_STYLES).round().astype(int)]


def _legend_entry(summary: Document, style: int, factors: Factors) -> dict[str, Any]:
    hue, dashes = line_style(style)
    pattern = "" if dashes == "solid" else " ".join(f"{length * 1.5:g}" for length in dashes[1])
    return {"run": summary["run"], "hue": hue, "dashes": pattern, "levels": factors.described(summary)}


def _signals_figure(drawn: Sequence[RunResult]) -> Markup | None:
    lines = [Line(style, run.time_s, run.signals) for style, run in enumerate(drawn)]
    label = f"Voltage, current, temperature and state of charge over time of {len(lines)} runs"
    return _markup(signals_svg(lines, name="signals", label=label)) if lines else None


def _plan_figure(plan: Document) -> Markup | None:
    if not plan.get("assignments"):
        return None
    benches = ", ".join(f"{part['bench']}: runs {_listed(part['runs'])}" for part in plan["assignments"])
    return _markup(plan_svg(plan, name="plan", label=f"Bench plan. {benches}"))


def _response(facts: ReportFacts, factors: Factors, styles: Mapping[int, int]) -> dict[str, Any]:
    figures = list(facts.evaluation.get("runs", ()))
    response = first_response([run.summary for run in facts.runs], figures, factors, styles)
    if response is None:
        return {"response": None, "response_figure": None}
    response = replace(response, curves=response_curves(facts.analysis, response.figure, factors))
    label = f"{response.title} of {len(response.values)} runs over {', '.join(response.factors)}"
    return {
        "response": response,
        "response_figure": _markup(response_svg(response, name="response", label=label)),
    }


def _markup(svg: str) -> Markup:
    from markupsafe import Markup

    return Markup(svg)  # made here; every text in it is escaped


_ASKED = {
    "requester_name": "Requester",
    "requester_id": "Requester id",
    "uut": "Unit under test",
    "test_name": "Test",
    "standard": "Standard",
    "use_case": "Use case",
    "test_bench": "Bench",
    "preferred_date": "Not before",
    "registered_at": "Registered",
    "runs": "Runs asked for",
    "seed": "Seed",
}


def _asked(request: Document) -> list[tuple[str, str]]:
    rows = [(title, request[key]) for key, title in _ASKED.items() if request.get(key) not in (None, "")]
    asked = [(title, labels.moment(value) if isinstance(value, str) else str(value)) for title, value in rows]
    profile = request.get("custom_profile")
    return [*asked, ("Custom profile", f"{len(profile.get('values', ()))} samples")] if profile else asked


def _severities(findings: Sequence[Document]) -> list[tuple[str, int]]:
    """How many findings there are of each severity, the worst first; none of those that do not occur."""
    counts = [(name, sum(finding["severity"] == name for finding in findings)) for name in _SEVERITIES]
    return [(name, count) for name, count in counts if count]


def _flat(document: Document, above: str = "") -> list[tuple[str, str]]:
    """A document as rows of name and value; lists of objects, like the models, have tables of their own."""
    rows: list[tuple[str, str]] = []
    for key, value in document.items():
        name = f"{above} · {key}" if above else str(key)
        if isinstance(value, Mapping):
            rows += _flat(value, name)
        elif not (isinstance(value, list | tuple) and any(isinstance(part, Mapping) for part in value)):
            rows.append((name, _listed(value) if isinstance(value, list | tuple) else str(value)))
    return rows


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values))


def _words(name: str) -> str:
    """An identifier as words: ``minimum_distance`` as minimum distance."""
    return name.replace("_", " ")
