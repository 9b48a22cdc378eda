"""Reads metrics messages, whoever sent them: nothing in one is trusted."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from twinbench.core.errors import ResultError
from twinbench.core.telemetry.messages import RunLabel, is_valid
from twinbench.core.telemetry.streams import LARGEST_SEQ, Document, message_id

__all__ = ["Metrics", "Series", "parse_metrics"]

_TEXTS = ("test_name", "test_type", "test_UUT", "test_bench", "use_case", "bench_id")
_UUIDS = ("test_UUID", "run_uuid")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONGEST_TEXT = 200


@dataclass(frozen=True)
class Series:
    """Valid samples of one signal: equally many times and values."""

    name: str
    type: str
    unit: str
    time_s: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Metrics:
    """A metrics message as it was received."""

    message_id: str
    label: RunLabel
    seq: int
    final: bool
    series: tuple[Series, ...]


def parse_metrics(document: object) -> Metrics:
    """Read a metrics message; invalid values are dropped here too, should a sender have left them in.

    Raises:
        ResultError: If it is not one, naming the field at fault.
    """
    if not isinstance(document, dict):
        raise ResultError(f"A metrics message is a JSON object, not {type(document).__name__}.")
    texts = {name: _text(document, name) for name in (*_TEXTS, *_UUIDS)}
    for name in _UUIDS:
        if not _UUID.fullmatch(texts[name]):
            raise ResultError(f"{name} is {texts[name]!r}: a UUID in lower case is needed.")
    seq, run = _whole(document, "seq", 0), _whole(document, "run", 1)
    if document.get("message_id") != message_id(texts["run_uuid"], seq):
        raise ResultError(f"message_id is {document.get('message_id')!r}: it must be <run_uuid>:<seq>.")
    final, variables = document.get("final"), document.get("variables")
    if not isinstance(final, bool) or not isinstance(variables, list):
        raise ResultError("A metrics message has final (true or false) and a list of variables.")
    series = tuple(_series(variable) for variable in variables)
    label = RunLabel(
        request_uuid=texts["test_UUID"],
        run_uuid=texts["run_uuid"],
        run=run,
        bench_id=texts["bench_id"],
        test_name=texts["test_name"],
        test_uut=texts["test_UUT"],
        use_case=texts["use_case"],
        test_bench=texts["test_bench"],
        test_type=texts["test_type"],
    )
    return Metrics(message_id(label.run_uuid, seq), label, seq, final, series)


def _text(document: Document, name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT or not value.isprintable():
        raise ResultError(
            f"{name} is {str(value)[:80]!r}: a text of 1 to {_LONGEST_TEXT} printable characters is needed."
        )
    return value


def _whole(document: Document, name: str, least: int) -> int:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LARGEST_SEQ:
        raise ResultError(f"{name} is {str(value)[:80]!r}: a whole number from {least} on is needed.")
    return value


def _series(variable: object) -> Series:
    if not isinstance(variable, dict) or not isinstance(variable.get("values"), list):
        raise ResultError("A variable has name, type, unit and a list of values.")
    name = _text(variable, "name")
    try:
        samples = [_sample(name, sample) for sample in variable["values"]]
    except OverflowError:
        raise ResultError(f"A sample of {name} is a whole number too large for a measurement.") from None
    valid = [(time, value) for time, value in samples if is_valid(value)]
    times, values = (tuple(column) for column in zip(*valid, strict=True)) if valid else ((), ())
    return Series(name, _text(variable, "type"), _text(variable, "unit"), times, values)


def _sample(name: str, sample: object) -> tuple[float, float]:
    pair = (sample.get("timestamp"), sample.get("value")) if isinstance(sample, dict) else ()
    numbers = [float(number) for number in pair if isinstance(number, float) or type(number) is int]
    if len(numbers) != 2 or not math.isfinite(numbers[0]):
        raise ResultError(f"A sample of {name} is {str(sample)[:80]}: it needs timestamp and value, both numbers.")
    return numbers[0], numbers[1]
