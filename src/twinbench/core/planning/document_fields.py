"""Fields of a lab's document as what they must be; what is not is refused with its owner's name and what to give."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any

from twinbench.core.errors import PlanError
from twinbench.core.suggestion import did_you_mean

__all__ = [
    "a_day",
    "a_list",
    "a_moment",
    "a_name",
    "a_text",
    "a_whole",
    "optional_list",
    "refuse_unknown",
]


def a_day(value: Any, owner: str) -> date:
    """A holiday."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise PlanError(f"{owner} has holiday {value!r}: give a day such as 2026-12-25.") from None


def a_moment(value: Any, owner: str) -> datetime:
    """A moment with time zone, in UTC."""
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise PlanError(f"{owner} {value!r} has no time zone: give one such as 2026-12-01T08:00:00Z.")
        return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise PlanError(f"{owner} {value!r} is no moment: give one such as 2026-12-01T08:00:00Z.") from None


def refuse_unknown(entry: Mapping[str, Any], fields: Collection[str], owner: str) -> None:
    """Refuse a field that an entry does not have, telling which one may be meant."""
    for name in entry:
        if name not in fields:
            raise PlanError(f"{owner} has {name!r}, which is no field of it: {did_you_mean(str(name), fields)}")


def optional_list(document: Mapping[str, Any], key: str, owner: str) -> list[Any]:
    """A list that may be left out."""
    return a_list(document, key, owner) if key in document else []


def a_list(document: Any, key: str, owner: str) -> list[Any]:
    """A list."""
    value = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(value, list):
        raise PlanError(f"{owner} has {key} {value!r}: give a list.")
    return value


def a_name(document: Any, owner: str, key: str = "name") -> str:
    """A text that is not empty."""
    value = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(value, str) or not value or not _can_be_written(value):
        raise PlanError(f"{owner} has {key} {value!r}: give a name.")
    return value


def a_text(document: Mapping[str, Any], key: str, owner: str) -> str:
    """A text; empty if left out."""
    value = document.get(key, "")
    if not isinstance(value, str) or not _can_be_written(value):
        raise PlanError(f"{owner} has {key} {value!r}: give a text.")
    return value


def _can_be_written(text: str) -> bool:
    """Whether a text is one: JSON may name half a character, as an escaped surrogate."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def a_whole(document: Mapping[str, Any], key: str, owner: str, *, default: int | None = None) -> int:
    """A whole number, which may be written as 60.0; the default if left out, unless that is None."""
    value = document.get(key, default) if isinstance(document, Mapping) else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        what = "whole minutes" if key.endswith("min") else "a whole number"
        raise PlanError(f"{owner} has {key} {value!r}: give {what}.")
    return value
