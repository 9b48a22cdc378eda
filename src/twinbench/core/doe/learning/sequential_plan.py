"""What is asked of a sequential design: which responses, what for, how many runs, and when it ends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from twinbench.core.doe.spec import MAX_RUNS
from twinbench.core.errors import DesignError
from twinbench.core.evaluation import RunFigures
from twinbench.core.suggestion import did_you_mean

__all__ = ["FEWEST_RUNS", "Aim", "SequentialPlan"]

FEWEST_RUNS = 3
"""Fewer runs tell nothing about how a response changes."""

_DEFAULTS = {"aim": "learn", "batch": 4}


class Aim(StrEnum):
    """What the runs are for."""

    LEARN = "learn"
    MAXIMISE = "maximise"
    MINIMISE = "minimise"

    @property
    def sign(self) -> float:
        """1 if larger is better, -1 if smaller is."""
        return -1.0 if self is Aim.MINIMISE else 1.0


@dataclass(frozen=True)
class SequentialPlan:
    """How a sequential design goes on and when it ends.

    Attributes:
        responses: Figures of a run; one of them where it is to be largest or smallest.
        initial: Runs before anything is learnt from them.
        batch: Runs between two decisions.
        budget: Most runs altogether, failed ones included.
        error_pct: It ends when the error is below this, in percent of each response's range: to learn, that of the
            prediction; to optimise, the improvement that is still expected. None: this does not end it.
        credible_width: It ends when the 95 % interval is nowhere wider, response -> width in its unit; to optimise, at
            the best point. Where both are given both must be met.
    """

    responses: tuple[str, ...]
    aim: Aim
    initial: int
    batch: int
    budget: int
    error_pct: float | None = None
    credible_width: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = [figure.name for figure in fields(RunFigures)]
        for name in (*self.responses, *self.credible_width):
            if name not in known:
                raise DesignError(f"There is no response {name!r} to design for: {did_you_mean(name, known)}")
        if not self.responses or len(set(self.responses)) < len(self.responses):
            raise DesignError(f"responses are {list(self.responses)}: name one or more, each once.")
        if self.aim is not Aim.LEARN and len(self.responses) > 1:
            raise DesignError(f"aim is {self.aim} of {', '.join(self.responses)}: name one response, or aim to learn.")
        self._check_counts()
        self._check_stop()

    def _check_counts(self) -> None:
        if self.initial < FEWEST_RUNS:
            raise DesignError(f"initial is {self.initial}: begin with {FEWEST_RUNS} runs or more, best 2 per factor.")
        if self.batch < 1:
            raise DesignError(f"batch is {self.batch}: add one run or more at a time.")
        if not self.initial <= self.budget <= MAX_RUNS:
            raise DesignError(f"budget is {self.budget}: allow {self.initial} (initial) to {MAX_RUNS} runs.")

    def _check_stop(self) -> None:
        if self.error_pct is not None and not 0 < self.error_pct < math.inf:
            raise DesignError(f"error_pct is {self.error_pct}: give a positive percentage of the range, such as 1.")
        for name, width in self.credible_width.items():
            if name not in self.responses:
                raise DesignError(f"credible_width names {name}, which is none of the responses: add it to them.")
            if not 0 < width < math.inf:
                raise DesignError(f"credible_width of {name} is {width}: give a positive width in its unit.")

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> SequentialPlan:
        """Read ``{responses, initial, budget}``, and ``aim``, ``batch``, ``error_pct``, ``credible_width`` if given.

        Raises:
            DesignError: If a field is missing, unknown or not what it should be.
        """
        if not isinstance(document, Mapping):
            raise DesignError(f"A sequential plan is an object with responses, initial and budget, not {document!r}.")
        known = [member.name for member in fields(cls)]
        for name in document:
            if name not in known:
                raise DesignError(f"A sequential plan has no {name!r}: {did_you_mean(str(name), known)}")
        given = {**_DEFAULTS, **document}
        responses, widths = given.get("responses"), given.get("credible_width") or {}
        if not isinstance(responses, Sequence) or isinstance(responses, str):
            raise DesignError(f"responses are {responses!r}: give a list of figures, such as ['discharged_Ah'].")
        if not isinstance(widths, Mapping):
            raise DesignError(f"credible_width is {widths!r}: give an object of response and width in its unit.")
        error = given.get("error_pct")
        return cls(
            tuple(map(str, responses)),
            _aim(str(given["aim"])),
            _whole(given, "initial"),
            _whole(given, "batch"),
            _whole(given, "budget"),
            None if error is None else _real(error, "error_pct"),
            {str(name): _real(width, f"credible_width of {name}") for name, width in widths.items()},
        )

    def as_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "responses": list(self.responses),
            "aim": self.aim.value,
            "initial": self.initial,
            "batch": self.batch,
            "budget": self.budget,
            "error_pct": self.error_pct,
            "credible_width": dict(self.credible_width),
        }


def _aim(name: str) -> Aim:
    try:
        return Aim(name)
    except ValueError:
        raise DesignError(f"There is no aim {name!r}: {did_you_mean(name, Aim)}") from None


def _whole(document: Mapping[str, Any], name: str) -> int:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise DesignError(f"{name} is {value!r}: give a whole number.")
    return value


def _real(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DesignError(f"{name} is {value!r}: give a number.")
    try:
        return float(value)
    except OverflowError:
        raise DesignError(f"{name} is too large for a number: give one below 1e308.") from None
