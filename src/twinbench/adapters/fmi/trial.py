"""Tries each FMU of a bundle: twenty steps with its own start values, alone, in a process of its own.

What kills or stops that process would do the same to a test; what an FMU merely refuses may be mended by start values,
so it is a warning.
"""

from __future__ import annotations

import tempfile
from collections import deque
from multiprocessing.connection import wait
from pathlib import Path

from twinbench.adapters.fmi.session import ModelSet
from twinbench.adapters.fmi.slots import Slot
from twinbench.core.bundle import ModelSummary
from twinbench.core.findings import Finding, Severity

__all__ = ["TRIAL_DEADLINE_S", "try_models"]

TRIAL_DEADLINE_S = 20.0
_STEP_S = 0.01
_POLL_S = 0.05
_LAST_WORDS = 3


def try_models(models: ModelSet, *, deadline_s: float = TRIAL_DEADLINE_S) -> list[Finding]:
    """Try all FMUs; returns what went wrong."""
    findings = []
    with tempfile.TemporaryDirectory(prefix="twinbench-trial-") as scratch:
        for model in models.models:
            findings += _try(Slot(Path(scratch)), models, model, deadline_s)
    return findings


def _try(slot: Slot, models: ModelSet, model: ModelSummary, deadline_s: float) -> list[Finding]:
    slot.send("attempt", models, model, model.step_size_s or _STEP_S, within_s=deadline_s)
    stage, words = "load", deque[str](maxlen=_LAST_WORDS)
    try:
        while not slot.is_late:
            if not wait([slot.line], _POLL_S):
                continue
            match slot.receive():
                case None:
                    return [_crash(model, stage, slot.stop(), words)]
                case ("stage", name):
                    stage = name
                case ("log", line):
                    words.append(line)
                case ("end", "completed", *_):
                    return []
                case ("end", _, message, *_):
                    return [_failure(model, stage, message)]
    finally:
        slot.stop()
    message = f"does not come to an end: it was stopped after {deadline_s:g} s in the stage {stage!r}"
    hint = "Look for an endless loop, or a licence or a window it waits for."
    return [Finding("BUNDLE-TRIAL-HANGS", Severity.ERROR, f"{model.name}.fmu", message, hint)]


def _crash(model: ModelSummary, stage: str, how: str, words: deque[str]) -> Finding:
    said = f". It logged: {'; '.join(words)}" if words else ""
    message = f"takes its process along ({how or 'no exit code'}) in the stage {stage!r}{said}"
    severity = Severity.WARNING if stage == "free" else Severity.ERROR
    return Finding("BUNDLE-TRIAL-CRASHED", severity, f"{model.name}.fmu", message, "Send this to its author.")


def _failure(model: ModelSummary, stage: str, message: str) -> Finding:
    where = f"{model.name}.fmu"
    if stage == "load":
        hint = "Export it anew for Linux x86_64, with all functions of its FMI version."
        return Finding("BUNDLE-LOAD-FAILED", Severity.ERROR, where, message, hint)
    if stage == "instantiate":
        hint = "Its token (GUID) may not match its binary, or its resources or a licence may be missing."
        return Finding("BUNDLE-INSTANTIATION-FAILED", Severity.ERROR, where, message, hint)
    hint = "Fine if it needs start values of the test, such as a file; else tell its author."
    return Finding("BUNDLE-TRIAL-FAILED", Severity.WARNING, where, f"with its own start values: {message}", hint)
