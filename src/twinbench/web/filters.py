"""What a list of requests is filtered, sorted and paged by: the same query parameters on the page and in REST."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Query

from twinbench.core.errors import RequestError
from twinbench.core.request import RequestState
from twinbench.core.request_query import SORTS, RequestQuery
from twinbench.web.visitor import Who

__all__ = ["FILTERS", "Filter", "moment_of"]

FILTERS = ("requester", "uut", "use_case", "standard", "test_name", "test_bench")
_Text = Annotated[str, Query(max_length=200)]


def moment_of(text: str, name: str, *, whole_day: bool = False) -> datetime | None:
    """A day or a moment; without time zone it is UTC. A *whole day* is meant up to its end.

    Raises:
        RequestError: If it is none.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RequestError(f"{name} {text!r} is no date: write one such as 2026-12-01 or 2026-12-01T08:00Z.") from None
    if whole_day and len(text) == len("2026-12-01"):
        moment += timedelta(days=1)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _filter(
    who: Who,
    state: Annotated[
        list[str] | None, Query(description=f"One or several of {', '.join(RequestState)}.", max_length=10)
    ] = None,
    text: Annotated[str, Query(description="Words that all occur, or begin words.", max_length=100)] = "",
    requester: _Text = "",
    uut: _Text = "",
    use_case: _Text = "",
    standard: _Text = "",
    test_name: _Text = "",
    test_bench: _Text = "",
    created_from: Annotated[str, Query(description="First day or moment.", max_length=40)] = "",
    created_to: Annotated[str, Query(description="Last day or moment.", max_length=40)] = "",
    sort: Annotated[str, Query(description=f"One of {', '.join(SORTS)}.", max_length=20)] = "created",
    descending: bool = True,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    per_page: Annotated[int, Query(ge=1, le=200)] = 50,
) -> RequestQuery:
    return RequestQuery(
        scope=who.scope,
        states=tuple(one for one in state or () if one),
        requester=requester,
        uut=uut,
        use_case=use_case,
        standard=standard,
        test_name=test_name,
        test_bench=test_bench,
        created_from=moment_of(created_from, "created_from"),
        created_to=moment_of(created_to, "created_to", whole_day=True),
        text=text,
        sort=sort,
        descending=descending,
        page=page,
        per_page=per_page,
    )


Filter = Annotated[RequestQuery, Depends(_filter)]
"""The query that the parameters ask for, within what the person may see."""
