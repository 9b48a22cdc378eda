"""Who may do what: people, their roles, and the requests that they may see.

    requester     asks for tests, sees and cancels the own requests
    partner       sees the requests that its own digital twins answer
    operator      sees all requests, retries and cancels them, takes benches out of service
    lab manager   may do what operators may, and keeps the catalogue and the inventory of units
    admin         may do everything

People may have several roles. What is decided here holds for pages, REST and whatever else lets people act.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from twinbench.core.errors import ForbiddenError

__all__ = ["Action", "Person", "RequestScope", "Role"]


class Role(StrEnum):
    """What somebody is to the lab."""

    REQUESTER = "requester"
    PARTNER = "partner"
    OPERATOR = "operator"
    LAB_MANAGER = "lab manager"
    ADMIN = "admin"


class Action(StrEnum):
    """What people do, in the words in which it is refused."""

    SUBMIT = "submit requests"
    CANCEL = "cancel this request"
    RETRY = "retry this request"
    CLOSE_BENCH = "take benches out of service"
    KEEP_CATALOGUE = "change the catalogue"
    KEEP_INVENTORY = "change the inventory of units under test"
    READ_AUDIT = "read the audit log"
    READ_BENCHES = "read what benches send"


_LAB = frozenset({Role.OPERATOR, Role.LAB_MANAGER, Role.ADMIN})
_ALLOWED: Mapping[Action, frozenset[Role]] = {
    Action.SUBMIT: _LAB | {Role.REQUESTER},
    Action.CANCEL: _LAB,
    Action.RETRY: _LAB,
    Action.CLOSE_BENCH: _LAB,
    Action.KEEP_CATALOGUE: frozenset({Role.LAB_MANAGER, Role.ADMIN}),
    Action.KEEP_INVENTORY: frozenset({Role.LAB_MANAGER, Role.ADMIN}),
    Action.READ_AUDIT: _LAB,
    Action.READ_BENCHES: _LAB,
}


@dataclass(frozen=True)
class RequestScope:
    """Which requests somebody may see.

    Attributes:
        everything: All of them.
        person: Those that this person submitted.
        twins: Those that these digital twins answer.
    """

    everything: bool = False
    person: str = ""
    twins: tuple[str, ...] = ()

    def covers(self, request: Mapping[str, Any]) -> bool:
        """Whether a request is among them, by its ``submitted_by`` and ``twin``."""
        own = bool(self.person) and request.get("submitted_by") == self.person
        return self.everything or own or request.get("twin") in self.twins


@dataclass(frozen=True)
class Person:
    """Somebody who is logged in.

    Attributes:
        id: What the login calls the person.
        name: For people.
        twins: Digital twins of a partner.
    """

    id: str
    name: str
    roles: frozenset[Role]
    twins: frozenset[str] = frozenset()

    def may(self, action: Action, request: Mapping[str, Any] | None = None) -> bool:
        """Whether the person may do this, to this request if it is about one."""
        if request is not None and not self.sees(request):
            return False
        own = request is not None and request.get("submitted_by") == self.id and Role.REQUESTER in self.roles
        return bool(self.roles & _ALLOWED[action]) or (action is Action.CANCEL and own)

    def require(self, action: Action, request: Mapping[str, Any] | None = None) -> None:
        """Refuse what the person may not do.

        Raises:
            ForbiddenError: Says who may.
        """
        if not self.may(action, request):
            who = ", ".join(sorted(_ALLOWED[action]))
            raise ForbiddenError(f"{self.name} may not {action}: ask somebody with one of the roles {who}.")

    def sees(self, request: Mapping[str, Any]) -> bool:
        """Whether the person may know of a request."""
        return self.scope.covers(request)

    @property
    def scope(self) -> RequestScope:
        """Which requests the person may see."""
        own = self.id if Role.REQUESTER in self.roles else ""
        twins = tuple(sorted(self.twins)) if Role.PARTNER in self.roles else ()
        return RequestScope(everything=bool(self.roles & _LAB), person=own, twins=twins)

    @property
    def cancels(self) -> bool:
        """Whether there are requests that the person may cancel: the own ones, or all."""
        return bool(self.roles & (_ALLOWED[Action.CANCEL] | {Role.REQUESTER}))

    @property
    def works_in_the_lab(self) -> bool:
        """Whether the person sees benches and everybody's requests."""
        return bool(self.roles & _LAB)
