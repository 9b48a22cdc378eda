"""Drops: models that the digital twin lays down somewhere in its pool, and not in a request's own folder.

Vocabulary:

    entry    one file or folder as the pool lists it
    drop     files that belong together: an interconnection file and the FMUs it names, a folder, or what is left over

What belongs together is told by a UUID in file or folder names, then by the models that an interconnection file names.
A drop that is alone takes what lies around it. Names that are not plain are nobody's: each is a drop with a fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from twinbench.core.bundle import parse_connections
from twinbench.core.pool_entries import Entry, plain_name, unfit, uuids_in

__all__ = ["Drop", "sort_drops"]


_UNREADABLE = "BUNDLE-CONNECTIONS-"


@dataclass(frozen=True)
class Drop:
    """Files that belong together.

    Attributes:
        label: What it is called for people.
        files: Where each file lies, and what it is to be called in the request's folder; the interconnection last.
        request_uuids: The requests that its names name.
        missing: Models that the interconnection file names and that are not there.
        fault: Why it cannot be a bundle; empty if it can.
        lacks: What it waits for; empty if it is complete.
    """

    label: str
    files: Mapping[str, str]
    request_uuids: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    fault: str = ""
    lacks: str = ""

    @property
    def models(self) -> tuple[str, ...]:
        """Names of its FMUs in a request's folder."""
        return tuple(sorted(name for name in self.files.values() if name.endswith(".fmu")))

    @property
    def is_under_way(self) -> bool:
        """Whether one of its files is being uploaded, by its name."""
        return any(name.endswith(".part") for name in self.files.values())

    def as_dict(self) -> dict[str, Any]:
        """For people and programs."""
        return {"drop": self.label, "files": sorted(self.files.values()), "lacks": self.lacks}


@dataclass
class _Heap:
    """Entries that are thought to belong together."""

    label: str
    entries: list[Entry] = field(default_factory=list)


def sort_drops(entries: Iterable[Entry], wirings: Mapping[str, bytes]) -> list[Drop]:
    """Sort what lies in the pool into drops.

    Args:
        entries: All of it, requests' own folders aside.
        wirings: Path of an interconnection file -> its content; one that was not read is not settled.
    """
    heaps: dict[str, _Heap] = {}
    flat = []
    for entry in sorted(entries, key=lambda entry: entry.path):
        if entry.folder:
            heaps.setdefault(entry.folder, _Heap(replace(entry, path=entry.folder).shown)).entries.append(entry)
        elif unfit(entry):
            heaps[entry.path] = _Heap(entry.shown, [entry])
        else:
            flat.append(entry)
    return [_drop(heap, wirings) for heap in (*heaps.values(), *_flat_heaps(flat, wirings))]


def _models_named(content: bytes | None) -> frozenset[str]:
    """The FMUs that an interconnection file names."""
    connections, _ = parse_connections(b"[]" if content is None else content, where="")
    return frozenset(end.model for each in connections for end in (each.source, each.target))


def _flat_heaps(flat: Sequence[Entry], wirings: Mapping[str, bytes]) -> list[_Heap]:
    """Each interconnection file with what it claims; then what nobody claims, by the request it names."""
    centres = [entry for entry in flat if entry.is_wiring]
    heaps = [_Heap(one.shown, [one, *_claimed(one, flat, _models_named(wirings.get(one.path)))]) for one in centres]
    if len(centres) == 1:  # it is alone: what names no other request is its
        own = uuids_in(centres[0].name) or uuids_in(" ".join(entry.name for entry in heaps[0].entries))
        heaps[0].entries += [entry for entry in flat if not uuids_in(entry.name) or uuids_in(entry.name) == own]
    taken = {entry.path for heap in heaps for entry in heap.entries}
    left: dict[str, _Heap] = {}
    for entry in flat:
        if entry.path not in taken:
            left.setdefault("".join(uuids_in(entry.name)), _Heap(entry.shown)).entries.append(entry)
    return [*_disjoint(heaps), *left.values()]


def _claimed(centre: Entry, flat: Sequence[Entry], named: frozenset[str]) -> list[Entry]:
    """What names the same request, and the models it names as far as they name no other request."""
    own = uuids_in(centre.name)
    claimed = []
    for entry in flat:
        theirs, file = uuids_in(entry.name), entry.name.removesuffix(".part")
        is_named = any(name.removesuffix(".fmu") in named for name in (file, plain_name(file)) if name.endswith(".fmu"))
        if not entry.is_wiring and (theirs == own if own and theirs else is_named):
            claimed.append(entry)
    return claimed


def _disjoint(heaps: Iterable[_Heap]) -> list[_Heap]:
    """Heaps that claim the same files are one, so that no file is in two drops."""
    kept: list[_Heap] = []
    for heap in heaps:
        paths = {entry.path for entry in heap.entries}
        meeting = [other for other in kept if paths & {entry.path for entry in other.entries}]
        merged = {entry.path: entry for each in (*meeting, heap) for entry in each.entries}
        kept = [other for other in kept if other not in meeting]
        kept.append(_Heap(", ".join(each.label for each in (*meeting, heap)), list(merged.values())))
    return kept


def _drop(heap: _Heap, wirings: Mapping[str, bytes]) -> Drop:
    files = [entry for entry in heap.entries if entry.path != entry.folder]
    centres = [entry for entry in files if entry.is_wiring]
    content = wirings.get(centres[0].path) if len(centres) == 1 else None
    named = _models_named(content)
    names = {entry.path: _name_in_bundle(entry, named) for entry in files}
    order = sorted(files, key=lambda entry: (entry.is_wiring, names[entry.path].removesuffix(".fmu") not in named))
    drop = Drop(
        label=heap.label,
        files={entry.path: names[entry.path] for entry in order},
        request_uuids=_requests_named(heap),
        missing=tuple(sorted(named - {name.removesuffix(".fmu") for name in names.values()})),
    )
    return replace(drop, fault=_fault(files, centres, drop, content), lacks=_lack(files, centres, drop, content))


def _name_in_bundle(entry: Entry, named: frozenset[str]) -> str:
    """An FMU goes by its file's name: the UUID in it is left out unless the interconnection file has it too."""
    if entry.is_wiring:
        return plain_name(entry.name).lower()  # as a request's run waits for it
    return entry.name if entry.name.removesuffix(".fmu") in named else plain_name(entry.name)


def _requests_named(heap: _Heap) -> tuple[str, ...]:
    of_folder = {uuid for entry in heap.entries for uuid in uuids_in(entry.folder)}
    return tuple(sorted(of_folder or {uuid for entry in heap.entries for uuid in uuids_in(entry.name)}))


def _fault(files: Sequence[Entry], centres: Sequence[Entry], drop: Drop, content: bytes | None) -> str:
    of_files = [fault for entry in files if (fault := unfit(entry))]
    if of_files:
        return of_files[0]
    if len(centres) > 1:
        return f"it has {len(centres)} interconnection files: {', '.join(entry.shown for entry in centres)}"
    if len(drop.request_uuids) > 1:
        return f"its names name {len(drop.request_uuids)} requests: {', '.join(drop.request_uuids)}"
    twice = [name for name, count in Counter(drop.files.values()).items() if count > 1]
    if twice:
        return f"{', '.join(twice)} would be there twice"
    _, findings = parse_connections(b"[]" if content is None else content, where=drop.label)
    return next((f"{each.where}: {each.message}" for each in findings if each.code.startswith(_UNREADABLE)), "")


def _lack(files: Sequence[Entry], centres: Sequence[Entry], drop: Drop, content: bytes | None) -> str:
    """What is not there yet."""
    under_way = [entry.shown for entry in files if entry.is_under_way]
    if under_way:
        return f"the upload of {', '.join(under_way)} is not finished"
    if not centres:
        return "it has no inter_connection.json (or connections.json)"
    if content is None:
        return "its interconnection file is being written"
    if drop.missing:
        return f"its interconnection file names {', '.join(drop.missing)}, of which there is no FMU"
    return "" if drop.models else "it has no FMU"
