"""What somebody looks for among requests, in terms of the tables.

Words and filters are looked up among subjects and people first, of which there are few, and become numbers that the
indexes of the requests hold. Numbers are written into the statement: only an array that is a constant is looked up by
hashing, and only a query whose numbers are known is planned well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from twinbench.core.access import RequestScope
from twinbench.core.request_query import RequestQuery, Word, sought_words

__all__ = ["EVERYTHING", "NOTHING", "Condition", "Search", "searches_for"]

_OF_SUBJECTS = ("uut", "use_case", "standard", "test_name", "test_bench")
_Numbers = Sequence[int] | None  # None stands for all


@dataclass(frozen=True)
class Condition:
    """A condition on requests, and its values."""

    sql: str = "TRUE"
    values: tuple[Any, ...] = ()

    def __and__(self, other: Condition) -> Condition:
        if EVERYTHING in (self, other):
            return other if self == EVERYTHING else self
        return Condition(f"{self.sql} AND {other.sql}", self.values + other.values)

    def __or__(self, other: Condition) -> Condition:
        if EVERYTHING in (self, other):
            return EVERYTHING
        return Condition(f"({self.sql} OR {other.sql})", self.values + other.values)

    def __invert__(self) -> Condition:
        return Condition(f"NOT ({self.sql})", self.values)


EVERYTHING = Condition()
NOTHING = Condition("FALSE")


@dataclass(frozen=True)
class Search:
    """A query in three parts that have no request in common.

    Attributes:
        base: What neither subjects nor words say, and holds for all parts: who submitted it, who asked, when.
        subjects: Numbers of subjects that answer filters and words by themselves; None if all do.
        by_people: What answers since its people have some of the words; None if nobody has.
        by_itself: What answers since the request itself has some of the words: its number, or a title of its own.
        standing: The first two parts as one condition.
    """

    base: Condition = EVERYTHING
    subjects: _Numbers = None
    by_people: Condition | None = None
    by_itself: Condition | None = None
    standing: Condition = field(default=EVERYTHING)

    @property
    def by_subjects(self) -> Condition:
        """The first part."""
        return _among("r.subject_id", self.subjects)


def searches_for(cursor: Any, query: RequestQuery) -> list[Search]:
    """Look up what the query asks for: one search, or two that have no request in common."""
    scope = query.scope
    if scope.everything or not (scope.person and scope.twins):
        return [_search(cursor, query)]
    of_twins = _search(cursor, replace(query, scope=replace(scope, person="")))
    own = _search(cursor, replace(query, scope=replace(scope, twins=())))
    twins = _among("r.subject_id", _only(cursor, "request_subjects", _of_twins(scope)))
    return [of_twins, replace(own, base=own.base & ~twins)]


def _search(cursor: Any, query: RequestQuery) -> Search:
    words, base = sought_words(query.text), _base(cursor, query)
    filters = {f"{name} = %s": getattr(query, name) for name in _OF_SUBJECTS if getattr(query, name)}
    if query.scope.twins and not query.scope.everything:
        filters |= _of_twins(query.scope)
    if not (words or filters):
        return Search(base)
    filtered, *subjects = _numbers(cursor, "request_subjects", filters, words)
    asked = _among("r.subject_id", filtered)
    if not words:
        return Search(base, filtered, standing=asked)
    _, *people = _numbers(cursor, "request_people", {}, words)
    answering = sorted(set.intersection(*(set(found or ()) for found in subjects)))
    each = [_of_either(*found) for found in zip(subjects, people, strict=True)]
    standing = asked & _all(each)
    somebody = sorted(set().union(*(found or () for found in people)))
    by_people = _among("r.person_id", somebody) & standing & ~_among("r.subject_id", answering)
    itself = [Condition("r.search @@ %s::tsquery", (_of_itself(word),)) for word in words]
    any_word = Condition("r.search @@ %s::tsquery", (" | ".join(map(_of_itself, words)),))
    by_itself = any_word & asked & _all(map(Condition.__or__, each, itself)) & ~_all(each)
    return Search(base, answering, by_people if somebody else None, by_itself, standing)


def _base(cursor: Any, query: RequestQuery) -> Condition:
    base, scope = EVERYTHING, query.scope
    if scope.person and not scope.everything:
        base = _among("r.person_id", _only(cursor, "request_people", {"submitted_by = %s": scope.person}))
    elif not (scope.everything or scope.twins):
        base = NOTHING
    if query.requester:
        named = {"%s IN (requester_id, requester_name)": query.requester}
        base &= _among("r.person_id", _only(cursor, "request_people", named))
    if query.created_from:
        base &= Condition("r.created_at >= %s", (query.created_from,))
    if query.created_to:
        base &= Condition("r.created_at < %s", (query.created_to,))
    if query.sequential:
        base &= Condition("r.document -> 'design' ? 'sequential'")
    return base


def _of_twins(scope: RequestScope) -> dict[str, Any]:
    return {"twin = ANY(%s)": list(scope.twins)}


def _only(cursor: Any, table: str, filters: Mapping[str, Any]) -> _Numbers:
    return _numbers(cursor, table, filters, ())[0]


def _numbers(cursor: Any, table: str, filters: Mapping[str, Any], words: Sequence[Word]) -> list[_Numbers]:
    """Numbers in a table of what passes the filters (None if that is all), then for each word of those that have it."""
    chosen = [f"CASE WHEN count(*) < (SELECT count(*) FROM {table}) THEN coalesce(array_agg(id), '{{}}') END AS a0"]
    chosen += [f"array_agg(id) FILTER (WHERE words @@ %s::tsquery) AS a{n}" for n in range(1, len(words) + 1)]
    cursor.execute(
        f"SELECT {', '.join(chosen)} FROM {table} WHERE {' AND '.join(filters) or 'TRUE'}",
        [*map(_beginning, words), *filters.values()],
    )
    row = cursor.fetchall()[0]
    return [row["a0"], *(row[f"a{n}"] or [] for n in range(1, len(chosen)))]


def _among(column: str, numbers: _Numbers) -> Condition:
    if numbers is None:
        return EVERYTHING
    return Condition(f"{column} = ANY('{{{','.join(map(str, numbers))}}}'::integer[])")


def _of_either(subjects: _Numbers, people: _Numbers) -> Condition:
    asked = _among("r.subject_id", subjects)
    return asked | _among("r.person_id", people) if people else asked


def _all(conditions: Iterable[Condition]) -> Condition:
    return reduce(Condition.__and__, conditions)


def _beginning(word: Word) -> str:
    return f"'{word.begins}':*"


def _of_itself(word: Word) -> str:
    return f"({_beginning(word)} | '#{word.number}')" if word.number else _beginning(word)
