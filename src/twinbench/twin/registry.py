"""The twin's models: which there are, and which fits a request.

Folders are those of the models exchange interface (D5.3):

    <category>/<level>/<chemistry>/<kind>/<test>/<FMU name>_<version>.fmu
    <category>/<level>/<chemistry>/<kind>/<test>/inter_connection_<version>.json

    category   ``Performance and ageing`` or ``Safety and reliability``
    level      ``Cell``, ``Module`` or ``Pack``
    chemistry  ``Gen3b`` or ``Solid-state``
    kind       ``Physics-based`` (preferred) or ``Data-driven``
    test       name of a test, or ``default`` for every test without a folder of its own

A test needs several FMUs, so each test has a folder; of each FMU in it the newest version counts, 1.10 being newer than
1.9. A test without a folder and without a default in its category gets the default of the other category.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from twinbench.core.errors import ConfigurationError, RequestError

__all__ = ["Bundle", "ModelFile", "Registry", "seed_registry"]

INTERCONNECTION = "inter_connection"

_VERSIONED = re.compile(r"(?P<name>.+)_(?P<version>\d+(\.\d+)*)\.(?P<type>fmu|json)", re.ASCII)
_CHEMISTRIES = {"gen4": "solid-state"}
_AGEING = {"performance", "ageing"}
_SEEDED = tuple(
    Path("Performance and ageing", level, "Gen3b", "Physics-based", "default") for level in ("Cell", "Module", "Pack")
)
_SEEDED_VERSION = "1.0"


@dataclass(frozen=True)
class ModelFile:
    """One version of one file.

    Attributes:
        name: What it is called in a bundle, without version.
    """

    path: Path
    name: str
    version: str

    @property
    def sha256(self) -> str:
        """Checksum of its content."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def _order(self) -> tuple[int, ...]:
        numbers = [int(number) for number in self.version.split(".")]
        while numbers and not numbers[-1]:  # 1.0 is 1
            numbers.pop()
        return tuple(numbers)


@dataclass(frozen=True)
class Bundle:
    """What is uploaded for a request: FMUs and how they are wired."""

    models: tuple[ModelFile, ...]
    wiring: ModelFile

    def described(self) -> list[dict[str, str]]:
        """The models as an acknowledgement lists them."""
        return [{"file": model.name, "version": model.version, "sha256": model.sha256} for model in self.models]


@dataclass(frozen=True)
class _Shelf:
    """One folder with the models of one test, or the default ones."""

    folder: Path
    category: str
    level: str
    chemistry: str
    kind: str
    test: str

    @property
    def unit(self) -> str:
        return f"{self.chemistry} - {self.level}"

    def bundle(self) -> Bundle | None:
        """Its newest files; None if they are no bundle."""
        newest: dict[str, ModelFile] = {}
        for file in _files(self.folder):
            if file.name not in newest or newest[file.name]._order < file._order:
                newest[file.name] = file
        wiring = newest.pop(f"{INTERCONNECTION}.json", None)
        models = tuple(newest[name] for name in sorted(newest) if name.endswith(".fmu"))
        return Bundle(models, wiring) if models and wiring else None


def _files(folder: Path) -> Iterator[ModelFile]:
    for path in folder.iterdir():
        match = _VERSIONED.fullmatch(path.name)
        if match and path.is_file():
            yield ModelFile(path, f"{match['name']}.{match['type']}", match["version"])


class Registry:
    """The models below one folder; it is read at each question, so a new version counts at once."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def choose(self, *, test_name: str, uut: str) -> Bundle:
        """The newest models for a test on a unit, ``<chemistry> - <level>``.

        Raises:
            RequestError: If nothing fits; says what there is.
        """
        chemistry, _, level = (part.strip().lower() for part in uut.partition(" - "))
        chemistry = _CHEMISTRIES.get(chemistry, chemistry)
        shelves = list(self._shelves())
        fitting = [shelf for shelf in shelves if (shelf.chemistry.lower(), shelf.level.lower()) == (chemistry, level)]
        if not fitting:
            raise RequestError(f"No model for {uut!r}: the registry has {_listed(shelf.unit for shelf in shelves)}.")
        for shelf in sorted(fitting, key=lambda shelf: _preference(shelf, test_name)):
            is_meant = _plain(shelf.test) in (_plain(test_name), "default")
            bundle = shelf.bundle() if is_meant else None
            if bundle:
                return bundle
        tests = _listed(shelf.test for shelf in fitting)
        raise RequestError(f"No model for test {test_name!r} on {uut!r}: the registry has models for {tests}.")

    def _shelves(self) -> Iterator[_Shelf]:
        for folder in sorted(self._root.glob("*/*/*/*/*")):
            if folder.is_dir():
                yield _Shelf(folder, *folder.relative_to(self._root).parts)


def _preference(shelf: _Shelf, test_name: str) -> tuple[bool, bool, bool, str]:
    """Order of shelves: the test's own first, then its category's, then physics."""
    is_ageing = _plain(test_name.partition(" - ")[0]) in _AGEING
    category = "performance-and-ageing" if is_ageing else "safety-and-reliability"
    return (
        _plain(shelf.test) != _plain(test_name),
        _plain(shelf.category) != category,
        _plain(shelf.kind) != "physics-based",
        str(shelf.folder),
    )


def _plain(name: str) -> str:
    """A name as folders can have it: no slashes, no case."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names))) or "no models at all"


def seed_registry(include_fmus: Path, registry: Path) -> None:
    """Lay out the shipped FMUs as version 1.0 of the default models for Gen3b units; what is there is renewed.

    They are the same at each level: a module or pack is so many cells, which the lab says when it runs them.

    Raises:
        ConfigurationError: If there are no FMUs.
    """
    fmus = sorted(include_fmus.glob("*.fmu"))
    wiring = include_fmus / f"{INTERCONNECTION}.json"
    if not fmus or not wiring.exists():
        raise ConfigurationError(f"{include_fmus} lacks FMUs or {wiring.name}: build them with `make fmus`.")
    for shelf in (registry / place for place in _SEEDED):
        shelf.mkdir(parents=True, exist_ok=True)
        for file in (*fmus, wiring):
            target = shelf / f"{file.stem}_{_SEEDED_VERSION}{file.suffix}"
            shutil.copyfile(file, target.with_name(f".{target.name}"))
            target.with_name(f".{target.name}").replace(target)
