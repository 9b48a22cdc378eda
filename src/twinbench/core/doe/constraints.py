"""Constraints between factors: which combinations of levels may be run at all.

A constraint is a condition in the factors' names and units, linear or not: ``discharge_c_rate * 20 - temperature_degC
<= 40``, ``abs(soc_low_pct - soc_high_pct) >= 10``, ``chemistry != 'NMC' or voltage_V <= 4.2``. It is read as Python's
grammar has it, and only arithmetic, comparisons, ``and``, ``or``, ``not`` and a few functions are understood: nothing
that stands in it is ever executed.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbench.core.doe.factors import Factor
from twinbench.core.errors import DesignError
from twinbench.core.suggestion import did_you_mean

__all__ = ["Constraint"]

Columns = Mapping[str, NDArray[Any]]

_LONGEST, _DEEPEST = 500, 50
_TOLERANCE = 1e-9
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{"abs": np.abs, "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos},
    **{"min": np.minimum, "max": np.maximum},
}
_TWO_ARGUMENTS = ("min", "max")
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    **{ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul},
    **{ast.Div: np.true_divide, ast.Pow: np.float_power},
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: np.less,
    ast.Gt: np.greater,
    ast.LtE: lambda left, right: left <= right + _slack(left, right),
    ast.GtE: lambda left, right: left + _slack(left, right) >= right,
    ast.Eq: lambda left, right: left == right if _is_text(left) else np.abs(left - right) <= _slack(left, right),
    ast.NotEq: lambda left, right: left != right if _is_text(left) else np.abs(left - right) > _slack(left, right),
}


@dataclass(frozen=True)
class Constraint:
    """A condition that every run must meet.

    Attributes:
        text: As it was given.
        names: The factors it is about.
    """

    text: str
    names: tuple[str, ...]
    _tree: ast.expr = field(repr=False, compare=False)

    @classmethod
    def read(cls, text: object, factors: Sequence[Factor]) -> Constraint:
        """Read a condition.

        Raises:
            DesignError: If it is none, or names what is no factor.
        """
        if not isinstance(text, str) or not text.strip():
            raise DesignError(f"A constraint is a text such as 'rate * 20 - temperature <= 40', not {text!r}.")
        if len(text) > _LONGEST:
            raise DesignError(f"A constraint has {len(text)} characters, more than {_LONGEST}: say it in several.")
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            odd = [factor.name for factor in factors if not factor.name.isidentifier() and factor.name in text]
            why = f"{odd[0]!r} is no single word, so rename the factor" if odd else getattr(error, "msg", error)
            raise DesignError(f"The constraint {text!r} cannot be read: {why}.") from None
        known = {factor.name: factor for factor in factors}
        _check(tree, text, known, is_condition=True)
        named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & set(known)
        return cls(text.strip(), tuple(sorted(named)), tree)

    def is_met(self, columns: Columns) -> NDArray[np.bool_]:
        """Whether runs meet it; a run for which it has no value, such as a root of -1, does not.

        Args:
            columns: Levels of each factor, shape (n,).
        """
        count = len(next(iter(columns.values())))
        with np.errstate(all="ignore"):
            met = _evaluate(self._tree, columns)
        return np.broadcast_to(np.asarray(met, dtype=bool), (count,))


def _check(node: ast.expr, text: str, known: Mapping[str, Factor], *, is_condition: bool, depth: int = 0) -> None:
    """Refuse whatever is not understood, before anything is computed."""
    if depth > _DEEPEST:
        raise DesignError(f"The constraint {text!r} is nested more than {_DEEPEST} deep: say it in several.")
    if isinstance(node, ast.BoolOp) and is_condition:
        parts, of_conditions = node.values, True
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and is_condition:
        parts, of_conditions = [node.operand], True
    elif isinstance(node, ast.Compare) and is_condition and all(type(op) in _COMPARISONS for op in node.ops):
        _check_kinds(node, text, known)
        parts, of_conditions = [node.left, *node.comparators], False
    elif is_condition:
        raise DesignError(f"The constraint {text!r} compares nothing: write a condition with <=, >=, <, >, == or !=.")
    else:
        parts, of_conditions = _operands(node, text, known), False
    for part in parts:
        _check(part, text, known, is_condition=of_conditions, depth=depth + 1)


def _check_kinds(node: ast.Compare, text: str, known: Mapping[str, Factor]) -> None:
    """A category is compared with a text, by == or != alone."""
    sides = [node.left, *node.comparators]
    texts = [isinstance(side, ast.Constant) and isinstance(side.value, str) for side in sides]
    categories = [isinstance(side, ast.Name) and side.id in known and known[side.id].categories for side in sides]
    if not any(texts) and not any(categories):
        return
    if len(sides) == 2 and sorted(map(bool, texts)) == [False, True] and any(categories):
        factor = next(known[side.id] for side in sides if isinstance(side, ast.Name))
        value = next(str(side.value) for side in sides if isinstance(side, ast.Constant))
        if value not in factor.categories:
            hint = did_you_mean(value, factor.categories)
            raise DesignError(f"The constraint {text!r} names a category {value!r} of {factor.name}: {hint}")
        if isinstance(node.ops[0], ast.Eq | ast.NotEq):
            return
    raise DesignError(f"The constraint {text!r} does more with a category than compare it: write name == 'category'.")


def _operands(node: ast.expr, text: str, known: Mapping[str, Factor]) -> list[ast.expr]:
    """The parts of an expression; refuses those that are not understood."""
    if isinstance(node, ast.Name):
        if node.id not in known:
            raise DesignError(f"The constraint {text!r} names {node.id!r}, no factor: {did_you_mean(node.id, known)}")
        return []
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str) and node.value is not True:
        return []
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return [node.operand]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        wanted = 2 if node.func.id in _TWO_ARGUMENTS else 1
        if len(node.args) == wanted and not node.keywords:
            return list(node.args)
        raise DesignError(f"The constraint {text!r} gives {node.func.id} other than {wanted} arguments.")
    shown = ast.unparse(node)
    functions = ", ".join(_FUNCTIONS)
    raise DesignError(
        f"The constraint {text!r} has {shown!r}, which is not understood: use factors, numbers, + - * / **, and "
        f"the functions {functions}."
    )


def _evaluate(node: ast.expr, columns: Columns) -> Any:
    if isinstance(node, ast.Name):
        return columns[node.id]
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else np.float64(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.BinOp):
        return _ARITHMETIC[type(node.op)](_evaluate(node.left, columns), _evaluate(node.right, columns))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _FUNCTIONS[node.func.id](*(_evaluate(part, columns) for part in node.args))
    if isinstance(node, ast.BoolOp):
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        return join.reduce(np.broadcast_arrays(*(_evaluate(part, columns) for part in node.values)))
    if isinstance(node, ast.Compare):
        sides = [_evaluate(side, columns) for side in (node.left, *node.comparators)]
        met = [_COMPARISONS[type(op)](left, right) for op, left, right in zip(node.ops, sides, sides[1:], strict=False)]
        return np.logical_and.reduce(np.broadcast_arrays(*met))
    assert isinstance(node, ast.UnaryOp)  # noqa: S101 (nothing else has passed the check)
    inner = _evaluate(node.operand, columns)
    if isinstance(node.op, ast.Not):
        return np.logical_not(inner)
    return -inner if isinstance(node.op, ast.USub) else inner


def _is_text(side: Any) -> bool:
    return isinstance(side, str) or np.asarray(side).dtype.kind in "UO"


def _slack(left: Any, right: Any) -> Any:
    return _TOLERANCE * (1 + np.maximum(np.abs(left), np.abs(right)))
