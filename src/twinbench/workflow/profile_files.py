"""A requester's own current profile from a file: CSV with ``timestamp,value``, or JSON as D6.4 has it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from twinbench.core.battery.custom_profile import profile_steps
from twinbench.core.errors import RequestError
from twinbench.workflow.lab import Document

__all__ = ["read_profile"]

_MOST_VALUES = 10_000


def read_profile(content: bytes, *, unit: str = "A") -> Document:
    """``{Name, type, unit, values: [{timestamp, value}]}``, checked.

    Args:
        content: The file.
        unit: Of the currents of a CSV file.

    Raises:
        RequestError: If it is neither, or no profile.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RequestError("The profile is no text file: give CSV with the columns timestamp,value or JSON.") from None
    profile = _from_json(text) if text.lstrip().startswith(("{", "[")) else _from_csv(text, unit)
    profile_steps(profile)
    return profile


def _from_json(text: str) -> Document:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The profile is no JSON: {error}.") from None
    if isinstance(document, list):
        document = {"Name": "current", "type": "input", "unit": "A", "values": document}
    if not isinstance(document, dict) or not isinstance(document.get("values"), list):
        raise RequestError("The profile has no list of values: give {unit, values: [{timestamp, value}]}.")
    _limit(len(document["values"]))
    return {"Name": "current", "type": "input", "unit": "A", **document}


def _from_csv(text: str, unit: str) -> Document:
    values = []
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text)), 1):
            if not row or (number == 1 and not _is_number(row[0])):
                continue  # an empty line, or the header
            if len(row) < 2 or not (_is_number(row[0]) and _is_number(row[1])):
                raise RequestError(f"Line {number} of the profile is {','.join(row)[:80]!r}: give timestamp,value.")
            values.append({"timestamp": float(row[0]), "value": float(row[1])})
            _limit(len(values))
    except csv.Error as error:
        raise RequestError(f"The profile is no CSV: {error}.") from None
    return {"Name": "current", "type": "input", "unit": unit, "values": values}


def _limit(count: int) -> None:
    if count > _MOST_VALUES:
        raise RequestError(f"The profile has more than {_MOST_VALUES} values: thin it out.")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
