"""Who asks, and what they ask: the dependencies of all routes.

The application is given a function that tells the :class:`Person` behind a request, or refuses it. It is asked before
anything else, for every route.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from twinbench.core.access import Person
from twinbench.workflow.front_desk import FrontDesk

__all__ = ["Desk", "Who", "remember_with"]


def remember_with(identify: Callable[..., Any]) -> Callable[..., Awaitable[None]]:
    """A dependency that keeps who asks; *identify* is a dependency that returns a person."""

    async def remember(request: Request, person: Annotated[Person, Depends(identify)]) -> None:
        request.state.person = person

    return remember


async def _person(request: Request) -> Person:
    person: Person = request.state.person
    return person


async def _desk(request: Request) -> FrontDesk:
    state = request.app.state
    if not hasattr(state, "desk"):
        async with state.opening:  # of several first ones, one opens it
            if not hasattr(state, "desk"):
                state.desk = await run_in_threadpool(state.open_desk)
    desk: FrontDesk = state.desk
    return desk


Who = Annotated[Person, Depends(_person)]
"""The person who asks."""

Desk = Annotated[FrontDesk, Depends(_desk)]
"""The front desk."""
