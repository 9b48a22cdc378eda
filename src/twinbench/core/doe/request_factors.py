"""Factors of a request: the test's own, as the request has them.

A request may narrow a factor of its test or hold it, and may add others that the test's procedure knows or that are
variables of the models. What it says of a factor counts more than the catalogue; what it leaves out is the catalogue's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from twinbench.core.doe.factors import Factor
from twinbench.core.errors import DesignError
from twinbench.core.suggestion import did_you_mean
from twinbench.core.units_of_names import unit_of

__all__ = ["chosen_factors"]

_RANGE = ("low", "high", "value", "values", "categories")


def chosen_factors(
    asked: Sequence[Mapping[str, Any]], of_test: Sequence[Factor], known: Collection[str]
) -> tuple[Factor, ...]:
    """The factors of a request's design, the test's own first.

    Args:
        asked: What the request says, each like :meth:`Factor.from_document`; without a range it has the catalogue's.
        of_test: Those of the catalogue.
        known: Levels that the test's procedure reads.

    Raises:
        DesignError: If the procedure does not know a factor, or knows it in another unit.
    """
    if not isinstance(asked, list | tuple):
        raise DesignError(f"The design has factors {asked!r}: give a list.")
    own = {factor.name: factor for factor in of_test}
    said = {}
    for document in asked:
        if not isinstance(document, Mapping):
            raise DesignError(f"A factor must be an object with name, unit, low and high, not {document!r}.")
        factor = _completed(document, own)
        if factor.name in said:
            raise DesignError(f"Factor {factor.name} is given more than once: keep one of each name.")
        said[factor.name] = factor
        if not factor.variable:
            _check(factor, own, known)
    return (*(said.get(name, factor) for name, factor in own.items()), *(f for n, f in said.items() if n not in own))


def _completed(document: Mapping[str, Any], own: Mapping[str, Factor]) -> Factor:
    """With the catalogue's unit and range where the request says none."""
    name = str(document.get("name", ""))
    filled = dict(document)
    if not document.get("variable"):
        filled.setdefault("unit", own[name].unit if name in own else unit_of(name))
    if name in own and not any(key in document for key in _RANGE):
        filled |= {"low": own[name].low, "high": own[name].high}
    return Factor.from_document(filled)


def _check(factor: Factor, own: Mapping[str, Factor], known: Collection[str]) -> None:
    if factor.name not in known:
        raise DesignError(
            f"Factor {factor.name} is nothing that the test's procedure sets: "
            f"{did_you_mean(factor.name, sorted(known))} Or name the variable of a model that it sets (variable: "
            "FMU.variable)."
        )
    if factor.categories:
        raise DesignError(
            f"Factor {factor.name} is a number for the test's procedure, and has categories: give values, or low and "
            "high."
        )
    unit = own[factor.name].unit if factor.name in own else unit_of(factor.name)
    if unit and factor.unit != unit:
        raise DesignError(
            f"Factor {factor.name} is in {factor.unit or '1'!r}, and the test has it in {unit!r}: give it so."
        )
