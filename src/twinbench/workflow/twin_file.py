"""The lab's digital twins: which models they have sent, what the check found, and whether they hear what is published.

    bundle   the models that a twin has sent for a request; what it holds is told by the hashes of its models
    sync     every metrics message of a run is kept until the twin has acknowledged it; what is not acknowledged for
             longer than a bench's task waits is a failure

All is told of the requests that a person may see, and of the newest ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from twinbench.core.access import Person
from twinbench.core.request import RequestState
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.lab import Area, Document
from twinbench.workflow.results import FLUSH_TIMEOUT_S

__all__ = ["Bundle", "ModelVersion", "TwinLine", "bundles_of", "sync_failures", "twin_lines", "versions_of"]

_PATIENCE = timedelta(seconds=FLUSH_TIMEOUT_S)
_MODELS, _FINDINGS = "fastest-models/models.json", "fastest-models/findings.json"


@dataclass(frozen=True)
class Bundle:
    """What a twin has sent for a request.

    Attributes:
        asked_at: When the twin took the request on.
        received_at: When the bundle had passed its check; None if it has not.
        version: Hash of its models' hashes, shortened; empty while none has arrived.
        models: ``{name, fmi_version, sha256}``.
        found: How many findings of each severity the check has.
    """

    request_number: str
    twin: str
    status: str
    asked_at: datetime
    received_at: datetime | None
    version: str
    models: Sequence[Document]
    found: Document

    @property
    def state(self) -> str:
        """In one word: passed, warning, refused, awaited or missing."""
        if self.found.get("error"):
            return "refused"
        if self.received_at or self.models:
            return "warning" if self.found.get("warning") else "passed"
        return "missing" if RequestState(self.status).is_over else "awaited"


@dataclass(frozen=True)
class ModelVersion:
    """A model as it was sent: the same name with another hash is another version.

    Attributes:
        first: Number of the oldest request among those shown that it was sent for.
        last: Likewise the newest.
    """

    name: str
    fmi_version: str
    sha256: str
    first: str
    last: str
    requests: int
    is_newest: bool


@dataclass(frozen=True)
class TwinLine:
    """One digital twin.

    Attributes:
        last_bundle: ``{request_number, fmu_ready_at}``; empty if it has sent none that passed.
        delivered: ``{request_number, stored_at, acknowledged_at}`` of its last acknowledgement; empty if there is none.
        waiting: Requests of which messages wait for it, the longest waiting first.
    """

    name: str
    last_bundle: Document
    delivered: Document
    waiting: Sequence[Document]
    now: datetime

    @property
    def backlog(self) -> int:
        """Messages that it has not acknowledged."""
        return sum(one["messages"] for one in self.waiting)

    @property
    def since(self) -> datetime | None:
        """When the oldest of them was sent."""
        return min((one["since"] for one in self.waiting), default=None)

    @property
    def published_at(self) -> datetime | None:
        """When something was published for it last."""
        sent = [one["newest"] for one in self.waiting] + [self.delivered[at] for at in ("stored_at",) if self.delivered]
        return max(sent, default=None)

    @property
    def is_failing(self) -> bool:
        """Whether it leaves messages unacknowledged for longer than a bench waits."""
        return self.since is not None and self.now - self.since > _PATIENCE

    @property
    def state(self) -> str:
        """In one word: failing, receiving, in step, or nothing sent."""
        if self.is_failing:
            return "failing"
        if self.backlog:
            return "receiving"
        return "in step" if self.delivered else "nothing sent"


def twin_lines(desk: FrontDesk, who: Person) -> list[TwinLine]:
    """The twins of the catalogue, as far as the person's requests tell."""
    scope, now = who.scope, desk.lab.now()
    bundles = {one["twin"]: one for one in desk.twins.last_bundles(scope)}
    delivered = {one["twin"]: one for one in desk.twins.deliveries(scope)}
    waiting = desk.twins.waiting(scope)
    known = dict.fromkeys(uut.twin for uut in desk.lab.catalogue.uuts if uut.twin)
    seen = dict.fromkeys([*bundles, *delivered, *(one["twin"] for one in waiting)])
    names = [name for name in {**known, **seen} if name in seen or not scope.twins or name in scope.twins]
    return [
        TwinLine(
            name,
            bundles.get(name, {}),
            delivered.get(name, {}),
            [one for one in waiting if one["twin"] == name],
            now,
        )
        for name in names
    ]


def sync_failures(desk: FrontDesk, who: Person) -> list[TwinLine]:
    """Twins that leave messages of a person's requests unacknowledged."""
    waiting, now = desk.twins.waiting(who.scope), desk.lab.now()
    names = dict.fromkeys(one["twin"] for one in waiting)
    lines = [TwinLine(name, {}, {}, [one for one in waiting if one["twin"] == name], now) for name in names]
    return [line for line in lines if line.is_failing]


def bundles_of(desk: FrontDesk, who: Person) -> list[Bundle]:
    """Bundles of the requests that twins took on last, the newest first."""
    return [_bundle(desk, row) for row in desk.twins.bundles(who.scope)]


def _bundle(desk: FrontDesk, row: Document) -> Bundle:
    area = Area(desk.lab.store, str(row["simulation_folder"]))
    models = list(area.read_json(_MODELS)) if area.exists(_MODELS) else []
    findings = area.read_json(_FINDINGS) if area.exists(_FINDINGS) else []
    severities = [finding["severity"] for finding in findings]
    lines = sorted(f"{model['name']} {model['sha256']}" for model in models)
    return Bundle(
        request_number=row["request_number"],
        twin=row["twin"],
        status=str(row["status"]),
        asked_at=row["forwarded_at"],
        received_at=row["fmu_ready_at"],
        version=hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12] if models else "",
        models=models,
        found={severity: severities.count(severity) for severity in dict.fromkeys(severities)},
    )


def versions_of(bundles: Sequence[Bundle]) -> list[ModelVersion]:
    """Every version of every model in these bundles, by name, the newest first."""
    sent: dict[tuple[str, str], list[tuple[Bundle, Document]]] = {}
    for bundle in bundles:  # the newest first
        for model in bundle.models:
            sent.setdefault((model["name"], model["sha256"]), []).append((bundle, model))
    newest = {name: sha256 for name, sha256 in reversed(sent)}
    found = [
        ModelVersion(
            name=name,
            fmi_version=str(uses[0][1].get("fmi_version", "")),
            sha256=sha256,
            first=uses[-1][0].request_number,
            last=uses[0][0].request_number,
            requests=len(uses),
            is_newest=newest[name] == sha256,
        )
        for (name, sha256), uses in sent.items()
    ]
    return sorted(found, key=lambda one: one.name)
