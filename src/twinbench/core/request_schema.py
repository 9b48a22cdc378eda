"""What is wrong with a request's document, in words a person can act on: every error at once, not only the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twinbench.core.findings import Finding, Severity
from twinbench.core.suggestion import did_you_mean

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

__all__ = ["validate_document"]

_MOST_FINDINGS = 20
_LONGEST_VALUE = 80

_Words = list[tuple[str, str, str]]  # where, message, hint


def validate_document(document: object, schema: Mapping[str, Any]) -> list[Finding]:
    """Everything in which the document breaks the schema, in the order of its fields; empty if it keeps to it."""
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    errors = sorted(validator.iter_errors(document), key=lambda error: [str(step) for step in error.absolute_path])
    findings = [finding for error in errors[:_MOST_FINDINGS] for finding in _findings(error)]
    if len(errors) > _MOST_FINDINGS:
        rest = len(errors) - _MOST_FINDINGS
        findings.append(
            Finding("REQUEST-MORE", Severity.ERROR, "request", f"{rest} more errors are not listed", "mend these first")
        )
    return findings


def _findings(error: ValidationError) -> list[Finding]:
    where = "/".join(map(str, error.absolute_path)) or "request"
    rule = str(error.validator)
    describe = {
        "required": _missing,
        "additionalProperties": _unknown,
        "enum": _not_a_choice,
        "format": _no_moment,
    }.get(rule, _breaks_rule)
    code = f"REQUEST-{rule.upper()}"
    return [Finding(code, Severity.ERROR, at, message, hint) for at, message, hint in describe(error, where)]


def _missing(error: ValidationError, where: str) -> _Words:
    # jsonschema reports each missing field as an error of its own and names it only in its message.
    name = error.message.split("'")[1]
    about = _schema(error)["properties"].get(name, {}).get("description", "")
    return [(_below(where, name), "is missing", about or "fill it in")]


def _unknown(error: ValidationError, where: str) -> _Words:
    known = _schema(error)["properties"]
    document: Any = error.instance
    extra = [name for name in document if name not in known]
    return [(_below(where, name), "is no field of a request", did_you_mean(name, known)) for name in extra]


def _not_a_choice(error: ValidationError, where: str) -> _Words:
    choices = [str(choice) for choice in _schema(error)["enum"]]
    return [(where, f"{_shown(error.instance)} is not one of the choices", did_you_mean(str(error.instance), choices))]


def _no_moment(error: ValidationError, where: str) -> _Words:
    hint = "write date, time and zone as in 2026-12-01T10:00:00Z"
    return [(where, f"{_shown(error.instance)} is no {error.validator_value}", hint)]


_RULES = {
    "type": ("is not of type {}", "give a value of that type"),
    "minimum": ("is below {}", "give that or more"),
    "maximum": ("is above {}", "give that or less"),
    "minLength": ("is shorter than {} characters", "fill it in"),
    "maxLength": ("is longer than {} characters", "shorten it"),
    "minItems": ("has fewer than {} entries", "add what is missing"),
    "maxItems": ("has more than {} entries", "thin it out"),
    "pattern": ("does not look as it should", "{}"),
}


def _breaks_rule(error: ValidationError, where: str) -> _Words:
    limit = error.validator_value
    limit = " or ".join(limit) if isinstance(limit, list) else limit
    message, hint = _RULES.get(str(error.validator), (f"breaks {error.validator} {{}}", "see the schema"))
    about = _schema(error).get("description", "see the schema") if error.validator == "pattern" else limit
    return [(where, f"{_shown(error.instance)} {message.format(limit)}", hint.format(about))]


def _schema(error: ValidationError) -> dict[str, Any]:
    """The part of the schema that was broken."""
    schema: Any = error.schema
    return dict(schema)


def _below(where: str, name: str) -> str:
    return name if where == "request" else f"{where}/{name}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
