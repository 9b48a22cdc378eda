"""Factors that are variables of models: whether the models have them, and in the same unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinbench.core.doe.factors import Factor
from twinbench.core.errors import DesignError
from twinbench.core.suggestion import did_you_mean

if TYPE_CHECKING:
    from twinbench.core.bundle import ModelSummary
    from twinbench.core.bundle.document import Variable

__all__ = ["check_variables"]

_SETTABLE = ("parameter", "structuralParameter")


def check_variables(factors: Sequence[Factor], models: Sequence[ModelSummary]) -> None:
    """Check factors that set a variable against the models of a bundle.

    Raises:
        DesignError: If a model or variable is not there, is no parameter, is of another type, or has another unit.
    """
    for factor in factors:
        if factor.variable:
            _check(factor, _find(factor, models))


def _find(factor: Factor, models: Sequence[ModelSummary]) -> Variable:
    fitting = [model for model in models if factor.variable.startswith(f"{model.name}.")]
    if not fitting:
        names = [f"{model.name}.…" for model in models]
        raise DesignError(
            f"Factor {factor.name} sets {factor.variable}, and no such model is in the bundle: "
            f"{did_you_mean(factor.variable, names)}"
        )
    model = max(fitting, key=lambda model: len(model.name))
    name = factor.variable.removeprefix(f"{model.name}.")
    if name not in model.variables:
        settable = [variable.name for variable in model.variables.values() if variable.causality in _SETTABLE]
        raise DesignError(
            f"Factor {factor.name} sets {factor.variable}, which the model {model.name} does not have: "
            f"{did_you_mean(name, settable)}"
        )
    return model.variables[name]


def _check(factor: Factor, variable: Variable) -> None:
    if variable.causality not in _SETTABLE or variable.variability == "constant":
        raise DesignError(
            f"Factor {factor.name} sets {factor.variable}, which is {variable.causality} and no parameter: only "
            "parameters keep a value for a whole run. Name another variable."
        )
    is_text = variable.type == "String"
    if bool(factor.categories) != is_text:
        wanted = "give categories" if is_text else "give values, or low and high"
        raise DesignError(f"Factor {factor.name} sets {factor.variable}, which is of type {variable.type}: {wanted}.")
    if not is_text and (factor.unit or "1") != (variable.unit or "1"):
        raise DesignError(
            f"Factor {factor.name} is in {factor.unit or '1'!r}, and {factor.variable} is in "
            f"{variable.unit or '1'!r}: give the factor's range in the model's unit."
        )
