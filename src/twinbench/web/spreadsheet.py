"""Rows as CSV for spreadsheets: what a cell would compute is text, whoever has written it."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

__all__ = ["as_csv"]

_COMPUTES = ("=", "+", "-", "@", "\t", "\r")


def as_csv(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> bytes:
    """A line of names, then a line for each row; what a row lacks is empty, what is not among the names is left out."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_COMPUTES):
        return f"'{value}"
    return value.isoformat() if isinstance(value, datetime) else value
