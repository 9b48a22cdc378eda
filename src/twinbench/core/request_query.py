"""What somebody looks for among the test requests, and the page of them that is found.

Text is looked for word by word. A word of the query has to begin a word of the request, whatever its case and accents;
a request's number is found however it is written: ``TR-000042``, ``tr42``, ``42``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from twinbench.core.access import RequestScope
from twinbench.core.errors import RequestError
from twinbench.core.request import RequestState
from twinbench.core.suggestion import did_you_mean

__all__ = ["SORTS", "RequestPage", "RequestQuery", "Word", "sought_words", "title_of", "words_of"]

SORTS = ("created", "updated", "preferred", "status", "progress")
_MOST_PER_PAGE = 200
_MOST_PAGES = 10_000
_LONGEST_TEXT = 100
_LONGEST_VALUE = 200
_LONGEST_WORD = 100
_VALUES = ("requester", "uut", "use_case", "standard", "test_name", "test_bench")
_NUMBER = re.compile(r"(?:tr)?0*([0-9]+)")
_EVERY_NUMBER = "tr"


@dataclass(frozen=True)
class RequestQuery:
    """A filter, an order and a page.

    Attributes:
        states: Only requests in one of these states; all if empty.
        requester: Name or id of who asked.
        created_from: From this moment on.
        created_to: Before this moment.
        text: Words that all occur (or begin words) in number, title, requester, unit, standard or test.
        sort: One of :data:`SORTS`; ``status`` is how far requests have come.
        page: From 1.
    """

    scope: RequestScope
    states: tuple[str, ...] = ()
    requester: str = ""
    uut: str = ""
    use_case: str = ""
    standard: str = ""
    test_name: str = ""
    test_bench: str = ""
    created_from: datetime | None = None
    created_to: datetime | None = None
    text: str = ""
    sequential: bool = False
    sort: str = "created"
    descending: bool = True
    page: int = 1
    per_page: int = 50

    def __post_init__(self) -> None:
        _check_choices("state", self.states, [str(state) for state in RequestState])
        _check_choices("order", (self.sort,), SORTS)
        _check_range("per_page", self.per_page, _MOST_PER_PAGE)
        _check_range("page", self.page, _MOST_PAGES)
        _check_text("text", self.text, _LONGEST_TEXT)
        for name in _VALUES:
            _check_text(name, getattr(self, name), _LONGEST_VALUE)
        _check_moment("created_from", self.created_from)
        _check_moment("created_to", self.created_to)


@dataclass(frozen=True)
class RequestPage:
    """Requests of one page.

    Attributes:
        rows: One mapping per request, with the columns of the table that a list shows.
        total: How many the filter finds.
        counts: How many of them are in each state, the filter's own states aside; 0 where none is.
    """

    rows: Sequence[Mapping[str, Any]]
    total: int
    page: int
    per_page: int
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def pages(self) -> int:
        """How many pages there are, one at least."""
        return max(1, -(-self.total // self.per_page))


@dataclass(frozen=True)
class Word:
    """One word that is looked for.

    Attributes:
        begins: What a word of the request begins with.
        number: The request of this number has it, too; empty if it is no number.
    """

    begins: str
    number: str = ""

    def is_in(self, words: Iterable[str], number: int) -> bool:
        """Whether a request with these words and this number has it."""
        return self.number == str(number) or any(word.startswith(self.begins) for word in words)


def words_of(*texts: str) -> tuple[str, ...]:
    """The words of texts in the form in which they are compared, each once."""
    folded = unicodedata.normalize("NFKD", " ".join(texts).casefold())
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return tuple(dict.fromkeys(word[:_LONGEST_WORD] for word in re.findall(r"[^\W_]+", plain)))


def sought_words(text: str) -> tuple[Word, ...]:
    """The words that a request must have; ``TR`` alone begins every number and is none."""
    found = words_of(re.sub(r"(?i)\b(tr)[-_ ]+(?=[0-9])", r"\1", text))
    return tuple(Word(word, _number(word)) for word in found if word != _EVERY_NUMBER)


def title_of(document: Mapping[str, Any]) -> str:
    """What a request is called for people: its own title, or its test and unit."""
    return str(document.get("title") or f"{document['test_name']} on {document['uut']}")


def _number(word: str) -> str:
    matched = _NUMBER.fullmatch(word)
    return matched[1] if matched else ""


def _check_choices(what: str, values: Iterable[str], known: Sequence[str]) -> None:
    for value in values:
        if value not in known:
            raise RequestError(f"There is no {what} {value!r}: {did_you_mean(value, known)}")


def _check_range(name: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise RequestError(f"{name} is {value}: give 1 to {most}.")


def _check_text(name: str, value: str, most: int) -> None:
    if len(value) > most:
        raise RequestError(f"{name} has {len(value)} characters: give {most} at most.")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value):
        raise RequestError(f"{name} is {value!r}, which has a character that is none to write: leave it out.")


def _check_moment(name: str, moment: datetime | None) -> None:
    if moment is not None and moment.tzinfo is None:
        raise RequestError(f"{name} {moment} has no time zone: give one such as 2026-12-01T00:00:00Z.")
