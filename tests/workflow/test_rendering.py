"""The report shows what happened, to everybody who opens the file, and nothing else."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflow.made_up_results import LEVELS, REQUEST, completed, facts_of, failed
from twinbench.core.evaluation import Limits, evaluate_run
from twinbench.workflow.analysis import analyse_responses
from twinbench.workflow.rendering import labels
from twinbench.workflow.rendering.decimation import decimate
from twinbench.workflow.rendering.report import ReportFacts, RunResult, render_report


@pytest.fixture(scope="module")
def runs() -> list[RunResult]:
    return [completed(number, levels) for number, levels in enumerate(LEVELS, 1)]


@pytest.fixture(scope="module")
def html(runs) -> str:
    return render_report(facts_of(runs))


def text_of(runs: list[RunResult], **changes: object) -> str:
    """The words of a report on some runs, with other facts and without figures, which take most of the time."""
    return _Page(render_report(dataclasses.replace(facts_of(runs), runs=(), plan={}, **changes))).text


class _Page(HTMLParser):
    """Ids, addresses and element names of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.elements: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.addresses += [value for name, value in attrs if name in ("href", "src", "xlink:href")]

    def handle_data(self, data):
        self.text += data


def test_the_report_needs_nothing_but_itself(html):
    page = _Page(html)

    assert html.startswith("<!doctype html>")
    assert not re.search(r"https?:|//[a-z]|@import", html)
    assert {"script", "link", "img", "iframe"}.isdisjoint(page.elements)
    assert [address for address in page.addresses if not address.startswith("#")] == []


def test_every_reference_meets_exactly_one_id(html):
    page = _Page(html)
    referenced = {address[1:] for address in page.addresses} | set(re.findall(r"url\(#([^)]+)\)", html))

    assert len(page.ids) == len(set(page.ids))
    assert referenced <= set(page.ids)
    assert any(name.startswith("signals-") for name in referenced)
    assert any(name.startswith("response-") for name in referenced)


def test_figures_and_tables_can_be_read_without_seeing_them(html):
    assert html.count('<svg viewBox="') == html.count('role="img" aria-label="') + html.count('aria-hidden="true"')
    assert html.count("<figure>") == html.count("<figcaption>") == 3
    assert html.count("<table") == html.count("<caption>")
    assert not re.search(r"<th(?! scope=)[ >]", html)
    assert '<html lang="en">' in html


def test_the_same_facts_give_the_same_bytes(runs, html):
    assert render_report(facts_of(runs)) == html


def test_figures_take_the_colours_of_the_page(html):
    assert not re.search(r"(fill|stroke): #", html)
    assert html.count("stroke: var(--series-6)") >= 4


def test_figures_of_every_run_are_told(runs, html):
    text = _Page(html).text

    for run in runs:
        figures = evaluate_run(run.time_s, run.signals, limits=Limits())
        assert f"{figures.discharged_Ah:.3f}" in text
        assert f"{figures.voltage_min_V:.3f}" in text
    for fact in (REQUEST, "TR-000007", "2026-12-01 10:00 UTC", "cd" * 32, "OR-Tools CP-SAT", "3.11.7", "stand-in"):
        assert fact in text


def test_what_the_requester_writes_stays_text(runs):
    hostile = '<script>alert("1")</script>'
    facts = facts_of(runs[:1])
    factors = [{**factor, "name": hostile} for factor in facts.design["factors"][:1]]
    request = {**facts.request, "requester_name": hostile, "test_name": hostile}
    plan = {**facts.plan, "assignments": [{**facts.plan["assignments"][0], "bench": hostile + "$\\frac$"}]}
    design = {**facts.design, "factors": factors, "runs": [{"run": 1, "levels": {hostile: 1.0}}]}
    finding = dict.fromkeys(("code", "where", "message", "hint"), hostile) | {"severity": "error"}
    evaluation = {**facts.evaluation, "findings": [finding]}

    html = render_report(
        dataclasses.replace(
            facts, request=request, state='"><script>', plan=plan, design=design, evaluation=evaluation, notes=[hostile]
        )
    )

    page = _Page(html)
    assert "script" not in page.elements
    assert page.text.count(hostile) >= 10


def analysed(runs, **design) -> ReportFacts:
    """Facts with an analysis of what the made-up runs gave."""
    facts = facts_of(runs)
    facts = dataclasses.replace(facts, design={**facts.design, **design})
    summaries = [run.summary for run in runs]
    analysis = analyse_responses(facts.design, summaries, facts.evaluation["runs"])
    return dataclasses.replace(facts, analysis=analysis)


@pytest.mark.thorough
def test_effects_variance_surface_and_residuals_are_told_and_drawn(runs):
    html = render_report(analysed(runs))
    page = _Page(html)

    for words in ("Effects on", "Analysis of variance of", "as the model has it", "studentised", "may be believed"):
        assert words in page.text
    assert render_report(analysed(runs)) == html


def test_what_only_seems_to_follow_is_not_analysed(runs):
    text = _Page(render_report(analysed(runs[:2]))).text

    assert "The runs cannot tell how the results follow the factors" in text
    assert "Analysis of variance" not in text


@pytest.mark.thorough
def test_categories_and_hostile_names_are_told_as_they_are(runs):
    hostile = "<b>A</b>"
    factors = [*facts_of(runs).design["factors"], {"name": "supplier", "unit": "", "categories": [hostile, "B"]}]
    shared = [
        dataclasses.replace(run, summary={**run.summary, "levels": {**run.summary["levels"], "supplier": level}})
        for run, level in zip(runs, [hostile, "B"] * 9, strict=False)
    ]
    page = _Page(render_report(analysed(shared, factors=factors)))

    assert "b" not in page.elements
    assert f"{hostile}, B" in page.text or f"{hostile}/B" in page.text


def test_a_sequential_design_says_why_it_went_on_and_why_it_ended(runs):
    rounds = [
        {"round": 1, "runs": [1, 2], "done": False, "reason": "Goes on: the error is 3 %."},
        {"round": 2, "runs": [3], "done": True, "reason": "It is known well enough."},
    ]
    text = text_of(runs, rounds=rounds)

    assert "Goes on: the error is 3 %." in text
    assert "It is known well enough." in text


def test_a_design_tells_power_aliases_and_generators(runs):
    quality = {"d_efficiency_pct": 100.0, "power": {"a": 0.81, "b": None}, "vif": {"a": 1.0, "b": None}}
    more = {"quality": quality, "aliases": {"a": ["b:c"]}, "generators": ["C=AB"], "notes": ["Resolution III."]}
    text = text_of(runs, design={**facts_of(runs).design, **more})

    for words in ("81", "b:c", "C=AB", "Resolution III.", "D efficiency pct"):
        assert words in text


def test_a_failed_run_is_shown_as_failed(runs):
    html = render_report(facts_of([runs[0], failed(7)]))

    assert "1 of 2 runs completed, 1 did not." in html
    assert "Initial_SoC_In is NaN" in html
    assert 'class="badge failed">failed</span>' in html


def test_a_run_of_which_little_is_known_does_not_spoil_the_report(runs):
    unknown = RunResult({"run": 7, "status": "failed"}, np.array([]), {})
    facts = facts_of(runs[:1])

    text = _Page(render_report(dataclasses.replace(facts, runs=[runs[0], unknown]))).text

    assert "Run 7: no reason was given (no rows)" in text


def test_nothing_is_claimed_of_runs_that_left_no_rows():
    text = _Page(render_report(facts_of([failed(1)]))).text

    assert "0 of 1 run completed, 1 did not." in text
    assert "No run has rows to draw." in text
    assert "No run has been checked." in text
    assert "The checks found nothing." not in text


def test_a_request_that_failed_early_has_a_report():
    text = _Page(render_report(ReportFacts(request=facts_of([]).request, state="failed"))).text

    for sentence in ("No run has been carried out.", "No models were received.", "No design was made.", "No plan was"):
        assert sentence in text


def test_the_worst_findings_come_first(runs):
    findings = [
        {"code": f"RESULT-{severity}", "severity": severity, "where": "run 1", "message": "m", "hint": ""}
        for severity in ("note", "error", "warning")
    ]

    text = text_of(runs, evaluation={**facts_of(runs).evaluation, "findings": findings})

    assert "The checks found 1 error, 1 warning, 1 note." in text
    assert text.index("RESULT-error") < text.index("RESULT-warning") < text.index("RESULT-note")


@pytest.mark.thorough
def test_many_runs_fit_into_a_small_file(runs):
    many = [
        RunResult({**runs[n % 6].summary, "run": n + 1}, runs[n % 6].time_s, noisy(runs[n % 6].signals, seed=n))
        for n in range(30)
    ]
    twelve, thirty = render_report(facts_of(many[:12])), render_report(facts_of(many))

    assert len(twelve.encode()) < 2_000_000
    assert len(thirty.encode()) < 2_000_000
    assert "24 of 30 runs, evenly chosen" in thirty


def noisy(signals: dict[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """As a sensor would have it: no line can be simplified."""
    random = np.random.default_rng(seed)
    return {name: values + random.normal(0, 0.01, len(values)) for name, values in signals.items()}


@given(
    values=st.lists(st.floats(allow_nan=True, allow_infinity=False, width=32), min_size=1, max_size=400),
    most=st.integers(4, 60),
)
def test_decimation_keeps_ends_and_extremes(values, most):
    values = np.array(values, dtype=float)
    kept = decimate(values, most)

    assert len(kept) <= max(most, 1)
    assert (np.diff(kept) > 0).all()
    assert kept[0] == 0
    assert kept[-1] == len(values) - 1
    if np.isfinite(values).any():
        assert np.nanmin(values[kept]) == np.nanmin(values)
        assert np.nanmax(values[kept]) == np.nanmax(values)


def test_quantities_are_written_for_people():
    assert labels.factor_title("discharge_c_rate", "C-rate") == "Discharge rate"
    assert labels.factor_title("temperature_degC", "degC") == "Temperature"
    assert labels.with_unit("Temperature", labels.unit_sign("degC")) == "Temperature [°C]"
    assert labels.aligned([0.33, 2.0, None]) == ["0.33", "2.00", "–"]
    assert labels.fixed(-1234.5, 1) == "−1\u202f234.5"
    assert labels.fixed(-0.001) == "0.00"
    assert labels.moment("2026-12-01T11:00:00+01:00") == "2026-12-01 10:00 UTC"
    assert labels.moment("some day") == "some day"
