"""A request as a form: what is typed becomes a document, a document fills the form, what is wrong stands at its field.

What is empty is left out of the document, so that the schema names it as missing.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from twinbench.core.errors import LabError, RequestError
from twinbench.core.findings import Finding, Severity
from twinbench.workflow.profile_files import read_profile

__all__ = ["document_of", "errors_at_fields", "values_of"]

_TEXTS = ("requester_name", "requester_id", "uut", "use_case", "standard", "test_name", "test_bench")
_NUMBERS = ("runs", "seed")
_FIELDS = {"design": "aim", "custom_profile": "profile_file"}  # where the form has a part of the document


def document_of(values: Mapping[str, str], content: bytes, zone: str) -> dict[str, Any]:
    """The request as the form says it.

    Args:
        values: What was typed and chosen, by field.
        content: An uploaded profile.
        zone: The lab's time zone: what a browser sends as a time has none.

    Raises:
        RequestError: If the profile is none, at its field.
    """
    document: dict[str, Any] = {name: values[name] for name in _TEXTS if values.get(name, "").strip()}
    if values.get("preferred_date"):
        document["preferred_date"] = _moment(values["preferred_date"], zone)
    document |= {name: _number(values[name]) for name in _NUMBERS if values.get(name, "").strip()}
    design = _design(values, document.get("runs"))
    if design:
        document["design"] = design
    if content or values.get("profile"):
        document["custom_profile"] = _profile(content or values["profile"].encode())
    return document


def values_of(document: Mapping[str, Any], zone: str) -> dict[str, str]:
    """What the form shows to ask for the same again."""
    values = {name: str(document[name]) for name in (*_TEXTS, *_NUMBERS) if name in document}
    moment = datetime.fromisoformat(document["preferred_date"]).astimezone(ZoneInfo(zone))
    design = dict(document.get("design") or {})
    aim, _ = str(design.pop("aim", None) or ""), design.pop("runs", None)
    profile = document.get("custom_profile")
    values |= {"preferred_date": f"{moment:%Y-%m-%dT%H:%M}", "aim": aim}
    values["design"] = json.dumps(design) if design else ""
    return values | {"profile": json.dumps(profile) if profile else ""}


def errors_at_fields(error: LabError, schema: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The field at fault and what is wrong with it, in REST's words below the field's title."""
    if not error.findings:
        return [("", str(error))]
    found = []
    for finding in error.findings:
        name, _, below = finding.where.partition("/")
        title = schema["properties"].get(name, {}).get("title", name.replace("_", " ").capitalize())
        if finding.severity is Severity.ERROR:
            where = f"{title} ({below})" if below else title
            hint = f" ({finding.hint})" if finding.hint else ""
            found.append((_field(name), f"{where}: {finding.message}{hint}"))
    return found


def _field(name: str) -> str:
    """The field of the form that has a part of the document; empty if none has."""
    known = _FIELDS.get(name, name)
    return known if known in (*_TEXTS, *_NUMBERS, *_FIELDS.values(), "preferred_date") else ""


def _design(values: Mapping[str, str], runs: Any) -> dict[str, Any]:
    """The aim and its budget; of a copied request, what else its design had."""
    kept: Any = {}
    with suppress(ValueError, RecursionError):
        kept = json.loads(values.get("design") or "{}")
    design = dict(kept) if isinstance(kept, dict) else {}
    if values.get("aim"):
        design["aim"] = values["aim"]
    return {**design, "runs": runs} if design and runs is not None else design


def _profile(content: bytes) -> dict[str, Any]:
    try:
        return read_profile(content)
    except RequestError as error:
        finding = Finding("REQUEST-PROFILE", Severity.ERROR, "custom_profile", str(error))
        raise RequestError(str(error), findings=[finding]) from error


def _moment(text: str, zone: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).isoformat()


def _number(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text
