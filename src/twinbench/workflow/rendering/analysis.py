"""The analysis of an experiment as the report shows it: effects, variance, surface, interactions and residuals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twinbench.core.doe.analysis.fitted_model import FittedModel, main_effect_curves
from twinbench.workflow.rendering.analysis_figures import (
    effects_figure,
    interactions_figure,
    residuals_figure,
    surface_figure,
)
from twinbench.workflow.rendering.labels import MISSING, compact, fixed, p_value, with_unit
from twinbench.workflow.rendering.tables import Factors, figure_title

__all__ = ["AnalysisView", "analysis_views", "response_curves"]

Document = Mapping[str, Any]

_POWERS = {2: "²", 3: "³", 4: "⁴"}


@dataclass(frozen=True)
class AnalysisView:
    """One response's analysis, ready to be shown.

    Attributes:
        name: Of its ids in the page.
        title: The response with its unit.
        why: Which model, and why.
        facts: Name and value of the figures of the fit.
        effects: Term, change, interval and p-value.
        anova: Source, degrees of freedom, sum of squares, mean square, F and p-value.
        checks: Severity, what was checked, and what came out.
        effects_figure: As SVG.
        surface_figure: As SVG; empty if there are no two numbers to draw it over.
        surface_caption: Which factors are held, and where.
        interactions_figure: As SVG; empty if factors do not interact.
        residuals_figure: As SVG; empty if nothing is left over.
    """

    name: str
    title: str
    why: str
    facts: Sequence[tuple[str, str]]
    effects: Sequence[tuple[str, str, str, str]]
    anova: Sequence[tuple[str, ...]]
    checks: Sequence[Document]
    effects_figure: str
    surface_figure: str
    surface_caption: str
    interactions_figure: str
    residuals_figure: str


def analysis_views(document: Document, factors: Factors) -> list[AnalysisView]:
    """The analyses of ``results/analysis.json``; none if it is empty."""
    return [
        _view(f"analysis-{number}", with_unit(*figure_title(part["figure"])), part["analysis"], factors)
        for number, part in enumerate(document.get("responses", ()), 1)
    ]


def response_curves(
    document: Document, figure: str, factors: Factors
) -> dict[str, tuple[Sequence[float | str], Sequence[float]]]:
    """What the model of a figure says over each factor, by the factor's name and unit; empty if it has none."""
    models = [part["analysis"]["fitted"] for part in document.get("responses", ()) if part["figure"] == figure]
    curves = main_effect_curves(FittedModel.from_document(models[0])) if models else ()
    return {factors.label(curve.factor): (curve.levels, curve.values) for curve in curves}


def _view(name: str, title: str, analysis: Document, factors: Factors) -> AnalysisView:
    fitted = FittedModel.from_document(analysis["fitted"])
    titles = _titles(fitted, factors)
    effects = [(_effect_title(effect, titles), effect) for effect in analysis["effects"]]
    surface_svg, held = surface_figure(name, title, fitted, analysis["residuals"], factors)
    return AnalysisView(
        name=name,
        title=title,
        why=analysis["why"],
        facts=_facts(analysis["fit"]),
        effects=_effect_rows(effects),
        anova=_anova_rows(analysis["anova"], titles),
        checks=analysis["checks"],
        effects_figure=effects_figure(name, title, effects),
        surface_figure=surface_svg,
        surface_caption=held,
        interactions_figure=interactions_figure(name, title, fitted, factors),
        residuals_figure=residuals_figure(name, title, analysis["residuals"]),
    )


def _titles(fitted: FittedModel, factors: Factors) -> dict[str, str]:
    """Each term for people: Temperature × Discharge rate, Temperature²."""
    titles = {}
    for label, powers in zip(fitted.terms.labels, fitted.terms.powers, strict=True):
        parts = [
            factors.titles[factor.name] + _POWERS.get(power, "")
            for factor, power in zip(fitted.factors, powers, strict=True)
            if power
        ]
        titles[label] = " × ".join(parts)
    return titles


def _effect_title(effect: Document, titles: Mapping[str, str]) -> str:
    title = titles[effect["term"]]
    return f"{title} ({', '.join(effect['categories'])})" if effect["categories"] else title


def _facts(fit: Document) -> list[tuple[str, str]]:
    facts = [
        ("Runs", f"{fit['runs']}, {fit['left_out']} left out" if fit["left_out"] else str(fit["runs"])),
        ("Coefficients", str(fit["coefficients"])),
        ("R²", fixed(fit["r2"], 3)),
        ("R², adjusted", fixed(fit["r2_adjusted"], 3)),
        ("R², predicted", fixed(fit["r2_predicted"], 3)),
        ("Residual standard deviation", compact(fit["residual_sd"], 3)),
    ]
    between = fit["whole_plot_sd"]
    return facts if between is None else [*facts, ("Standard deviation between whole plots", compact(between, 3))]


def _effect_rows(effects: Sequence[tuple[str, Document]]) -> list[tuple[str, str, str, str]]:
    digits = _decimals([effect["change"] for _, effect in effects])
    return [
        (
            title,
            fixed(effect["change"], digits),
            MISSING if effect["low"] is None else f"{fixed(effect['low'], digits)} to {fixed(effect['high'], digits)}",
            p_value(effect["p"]),
        )
        for title, effect in effects
    ]


def _decimals(values: Sequence[float]) -> int:
    """So many that the largest has four significant digits."""
    largest = max(map(abs, values), default=0.0)
    return max(0, 3 - math.floor(math.log10(largest))) if largest else 0


def _anova_rows(rows: Sequence[Document], titles: Mapping[str, str]) -> list[tuple[str, ...]]:
    return [
        (
            titles[row["source"]] if row["kind"] == "term" else row["source"].capitalize(),
            str(row["df"]),
            compact(row["sum_of_squares"], 4),
            compact(row["mean_square"], 4),
            compact(row["f"], 4),
            p_value(row["p"]) if row["f"] is not None else "",
        )
        for row in rows
    ]
