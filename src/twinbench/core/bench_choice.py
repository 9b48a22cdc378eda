"""Virtual or physical: the lab's rule as data, and the words for what it decides.

A rule says how true the answer of a test must be (its fidelity) and what an hour on each kind of bench costs. Of the
kinds that are true enough the bench plan takes what costs least, a later end counted as a cost as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twinbench.core.catalogue_entries import CatalogueTest
from twinbench.core.errors import ConfigurationError

__all__ = ["BenchChoice"]

_SCALE = 100  # costs are kept in hundredths


@dataclass(frozen=True)
class BenchChoice:
    """The rule of ``include/catalogue/bench_choice.json``.

    Attributes:
        fidelity: How true each kind of bench is: the larger, the truer.
        required: Lines ``{categories?, standards?, virtual_capable?, fidelity, reason}``; the first that fits counts.
        cost_per_h: What an hour on each kind of bench costs.
        cost_of_a_day: What it costs to have the results a day later.
        approval: Lines ``{categories?, standards?, reason}``: a test that one of them fits begins on a physical bench
            only after a person has agreed.
    """

    fidelity: Mapping[str, float]
    required: Sequence[Mapping[str, Any]]
    cost_per_h: Mapping[str, float]
    cost_of_a_day: float
    approval: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> BenchChoice:
        """Read the rule.

        Raises:
            ConfigurationError: If it does not say something for each kind of bench.
        """
        try:
            rule = cls(
                dict(document["fidelity"]),
                tuple(document["required"]),
                dict(document["cost_per_h"]),
                float(document["cost_of_a_day"]),
                tuple(document.get("approval", ())),
            )
            for kind in ("virtual", "physical"):
                float(rule.fidelity[kind] + rule.cost_per_h[kind])
            for line in rule.required:
                str(line["reason"] + " ")
                float(line["fidelity"])
            for line in rule.approval:
                str(line["reason"] + " ")
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"bench_choice.json cannot be used ({error!r}): it needs fidelity and cost_per_h of virtual and "
                "physical, required with fidelity and reason, and cost_of_a_day; approval, if it is there, with reason."
            ) from error
        return rule

    def needed(self, test: CatalogueTest | None) -> tuple[float, str]:
        """How true the answer of a test must be, and why; a profile of the requester's own has no test."""
        for line in self.required:
            if test is None and set(line) & {"categories", "standards", "virtual_capable"}:
                continue
            fits = test is None or (
                (test.category in line.get("categories", (test.category,)))
                and (test.standard in line.get("standards", (test.standard,)))
                and (test.virtual_capable == line.get("virtual_capable", test.virtual_capable))
            )
            if fits:
                return float(line["fidelity"]), str(line["reason"])
        return 0.0, "no rule asks for more"

    def needs_approval(self, test: CatalogueTest) -> str:
        """Why a person has to agree before a physical bench begins this test; empty if nobody has to."""
        for line in self.approval:
            if test.category in line.get("categories", (test.category,)) and test.standard in line.get(
                "standards", (test.standard,)
            ):
                return str(line["reason"])
        return ""

    def true_enough(self, kind: str, test: CatalogueTest | None) -> str:
        """Why a kind of bench is not true enough for a test; empty if it is."""
        least, reason = self.needed(test)
        return "" if self.fidelity[kind] >= least else reason

    def cost(self, kind: str, duration_min: float) -> int:
        """What a test costs on a kind of bench, in hundredths."""
        return math.ceil(_SCALE * self.cost_per_h[kind] * duration_min / 60)

    def weights(self) -> dict[str, int]:
        """Weights of cost and makespan (in minutes) in the objective of a plan that may choose."""
        return {"cost": 1440, "makespan": max(1, round(_SCALE * self.cost_of_a_day))}

    def reason(self, kind: str, costs: Mapping[str, int], excluded: Mapping[str, str], *, asked: str) -> str:
        """Why a test is done on this kind of bench.

        Args:
            kind: The kind that was chosen.
            costs: What it would cost on each kind that is open to it, in hundredths.
            excluded: Why other kinds are not.
            asked: The kind that was asked for, or ``Any``.
        """
        if asked.lower() == kind:
            return f"{kind}, as asked for"
        other = "physical" if kind == "virtual" else "virtual"
        if other in excluded:
            return f"{kind}, since {excluded[other]}"
        if costs[kind] <= costs[other]:
            return f"{kind}, since it is true enough and costs {_told(costs[kind])} instead of {_told(costs[other])}"
        return f"{kind}, since it ends earlier, though it costs {_told(costs[kind])} instead of {_told(costs[other])}"


def _told(cost: int) -> str:
    return f"{cost / _SCALE:.2f}"
