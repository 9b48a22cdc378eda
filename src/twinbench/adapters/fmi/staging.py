"""From a folder, zip or SSP to checked, unpacked FMUs.

Each FMU is unpacked once into ``<cache>/<sha256>``; a cache is trusted, so it belongs to one user. Without a cache a
temporary folder is used and removed.
"""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from twinbench.adapters.fmi.archive import sha256_of, unpack
from twinbench.adapters.fmi.crew import Crew
from twinbench.adapters.fmi.description import describe, validation_findings
from twinbench.adapters.fmi.session import ModelSet
from twinbench.adapters.fmi.trial import TRIAL_DEADLINE_S, try_models
from twinbench.adapters.ssp import STRUCTURE_NAME, read_structure
from twinbench.core.bundle import (
    Connection,
    ModelSummary,
    is_interconnection_name,
    parse_connections,
    resolve_connections,
)
from twinbench.core.cosim import Coupling, loop_findings
from twinbench.core.errors import BundleError
from twinbench.core.findings import Finding, Severity, blocking

__all__ = [
    "BundleCheck",
    "StagedBundle",
    "StagedModel",
    "check_bundle",
    "inspect_archive",
    "open_bundle",
    "refusal",
    "stage_model",
]

_INTERCONNECTION_LIMIT_BYTES = 16 << 20


@dataclass(frozen=True)
class BundleCheck:
    """What the check of a bundle found."""

    findings: tuple[Finding, ...]
    models: tuple[ModelSummary, ...]
    connections: tuple[Connection, ...]

    @property
    def ok(self) -> bool:
        """Whether the bundle can be simulated."""
        return not blocking(self.findings)

    def as_document(self) -> dict[str, Any]:
        """As ``twinbench check --json`` prints it."""
        return {
            "ok": self.ok,
            "findings": [finding.as_dict() for finding in self.findings],
            "models": [
                {"name": m.name, "fmi_version": m.fmi_version, "sha256": m.sha256, "description": m.description}
                for m in self.models
            ],
            "connections": [
                {"OutSignalReference": str(c.source), "InSignalReference": str(c.target)} for c in self.connections
            ],
        }


@dataclass(frozen=True)
class StagedModel:
    """An FMU that was unpacked; no summary if it cannot be used."""

    folder: Path
    summary: ModelSummary | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class StagedBundle:
    """A bundle whose FMUs are unpacked.

    Attributes:
        path: Where it came from.
        folders: FMU -> where it is unpacked.
        archives: FMU -> its file.
        start_values: FMU -> variable -> value, of an SSP.
    """

    path: Path
    check: BundleCheck
    folders: Mapping[str, Path]
    archives: Mapping[str, Path] = field(default_factory=dict)
    start_values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def require(self) -> None:
        """Refuse what has errors.

        Raises:
            BundleError: With every finding.
        """
        if not self.check.ok:
            raise refusal(self.path, self.check.findings)

    def models(self, coupling: Coupling | None = None) -> ModelSet:
        """What a process needs to load the FMUs."""
        check = self.check
        return ModelSet(check.models, self.folders, check.connections, coupling or Coupling(), self.start_values)

    def crew(self, *, coupling: Coupling | None = None, workers: int = 1, deadline_s: float = math.inf) -> Crew:
        """Processes that run many points of it.

        Args:
            coupling: How the FMUs exchange their signals.
            workers: Processes.
            deadline_s: Time a point may take before its process is killed.

        Raises:
            BundleError: If the bundle has errors.
        """
        self.require()
        return Crew(self.models(coupling), workers=workers, deadline_s=deadline_s)


def refusal(path: Path, findings: Sequence[Finding]) -> BundleError:
    """Why something cannot be used."""
    errors = "; ".join(map(str, blocking(findings)))
    return BundleError(f"{path.name} cannot be used: {errors}", findings=findings)


def inspect_archive(path: Path) -> tuple[ModelSummary | None, list[Finding]]:
    """Look into one FMU: its summary, unless it cannot be used, and all findings.

    Raises:
        BundleError: If the file cannot be read at all.
    """
    with tempfile.TemporaryDirectory(prefix="twinbench-fmu-") as scratch:
        model = stage_model(path, Path(scratch))
        warnings = validation_findings(model.summary, model.folder) if model.summary else []
    return model.summary, [*model.findings, *warnings]


def check_bundle(path: Path, *, cache: Path | None = None, deadline_s: float = TRIAL_DEADLINE_S) -> BundleCheck:
    """Check a folder or zip with FMUs and an interconnection file; each FMU is tried in a process of its own.

    Args:
        path: The folder, zip or SSP.
        cache: Folder in which FMUs stay unpacked, one user's own; temporary unless said.
        deadline_s: Time an FMU has for its trial.

    Raises:
        BundleError: If a file cannot be read at all.
    """
    with open_bundle(path, cache=cache) as bundle:
        check = bundle.check
        found = [
            finding for model in check.models for finding in validation_findings(model, bundle.folders[model.name])
        ]
        broken = {finding.where for finding in blocking(check.findings)}
        sound = tuple(model for model in check.models if f"{model.name}.fmu" not in broken)
        found += try_models(replace(bundle.models(), models=sound), deadline_s=deadline_s)
    return BundleCheck((*check.findings, *found), check.models, check.connections)


def stage_model(path: Path, cache: Path, *, name: str = "") -> StagedModel:
    """Unpack an FMU, once for the same content, and read what it says about itself.

    Args:
        path: The FMU.
        cache: Where it is unpacked.
        name: What it is called; by its file unless said.
    """
    sha256 = sha256_of(path) if path.is_file() else ""
    folder = cache / sha256
    if not (sha256 and folder.is_dir()):
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(prefix="unpacking-", dir=cache) as scratch:
            target = Path(scratch) / "fmu"
            target.mkdir()
            findings = unpack(path, target)
            if findings:
                return StagedModel(folder, None, tuple(findings))
            _move_into_place(target, folder)
    summary, described = describe(name or path.stem, sha256, folder)
    return StagedModel(folder, summary, tuple(described))


def _move_into_place(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError:
        if not target.is_dir():  # else another process was faster, with the same content
            raise


@contextmanager
def open_bundle(path: Path, *, cache: Path | None = None) -> Iterator[StagedBundle]:
    """Unpack and check a bundle; what is temporary is there until the block ends."""
    with ExitStack() as stack:

        def scratch() -> Path:
            return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twinbench-bundle-")))

        folder, refused = path, list[Finding]()
        if path.is_file() and path.suffix.lower() == ".fmu":
            yield _stage(path, {path.stem: path}, [], {}, [], cache or scratch())
            return
        if path.is_file():
            folder = scratch()
            refused = unpack(path, folder)
        elif not path.is_dir():
            refused = [_error("BUNDLE-NOT-FOUND", str(path), "there is no such folder or file", "Check the path.")]
        if refused:
            yield StagedBundle(path, BundleCheck(tuple(refused), (), ()), {})
            return
        yield _stage_folder(path, folder, cache or scratch())


def _stage_folder(path: Path, folder: Path, cache: Path) -> StagedBundle:
    if (folder / STRUCTURE_NAME).is_file():
        structure = read_structure(folder)
        archives = {component.name: component.file for component in structure.components}
        start_values = {component.name: component.start_values for component in structure.components}
        connections, findings = list(structure.connections), list(structure.findings)
        if not archives:
            findings += [_error("BUNDLE-NO-FMU", path.name, "holds no FMU that can be used", "Add at least one.")]
    else:
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        found = [file for file in files if file.suffix.lower() == ".fmu"]
        archives, start_values = {file.stem: file for file in found}, {}
        documents = [file for file in files if is_interconnection_name(file.name)]
        connections, wiring = _read_wiring(documents, len(found))
        findings = [*_check_archives(folder, found, files), *wiring]
    return _stage(path, archives, connections, start_values, findings, cache)


def _stage(
    path: Path,
    archives: Mapping[str, Path],
    connections: Sequence[Connection],
    start_values: Mapping[str, Mapping[str, str]],
    found: Sequence[Finding],
    cache: Path,
) -> StagedBundle:
    """Unpack the FMUs, look at each, then at how they are wired."""
    findings = list(found)
    staged = {name: stage_model(file, cache, name=name) for name, file in archives.items()}
    findings += [finding for model in staged.values() for finding in model.findings]
    models = [model.summary for model in staged.values() if model.summary]
    resolved: list[Connection] = []
    if len(models) == len(archives):  # else each reference to a refused FMU would be a finding of its own
        resolved, faults = resolve_connections(models, connections)
        findings += [*faults, *loop_findings({model.name: model.variables for model in models}, resolved)]
    known, unknown = _known_starts(start_values, models)
    check = BundleCheck((*findings, *unknown), tuple(models), tuple(resolved))
    folders = {name: model.folder for name, model in staged.items()}
    return StagedBundle(path, check, folders, archives, known)


def _known_starts(
    start_values: Mapping[str, Mapping[str, str]], models: Sequence[ModelSummary]
) -> tuple[dict[str, dict[str, str]], list[Finding]]:
    """Start values of variables that are there: an SSP may bring more."""
    variables = {model.name: model.variables for model in models}
    known, findings = dict[str, dict[str, str]](), list[Finding]()
    for name, values in start_values.items():
        known[name] = {key: value for key, value in values.items() if key in variables.get(name, {})}
        if lost := sorted(set(values) - set(known[name])):
            message = f"{len(lost)} start values are for variables it does not have: {', '.join(lost[:5])}"
            hint = "They are left out; check their names if they were meant for it."
            findings.append(Finding("BUNDLE-UNKNOWN-START", Severity.WARNING, f"{name}.fmu", message, hint))
    return known, findings


def _check_archives(folder: Path, archives: list[Path], files: list[Path]) -> list[Finding]:
    if not archives:
        alone = (folder / "modelDescription.xml").is_file()
        hint = "Put this FMU into a folder, beside inter_connection.json." if alone else "Add at least one .fmu file."
        return [_error("BUNDLE-NO-FMU", folder.name, f"holds {len(files)} files but no .fmu", hint)]
    names = Counter(path.stem for path in archives)
    twice = sorted({path.name for path in archives if names[path.stem] > 1})
    hint = "Keep one: references name an FMU by its file."
    return [_error("BUNDLE-FMU-TWICE", name, "there are two FMUs of this name", hint) for name in twice]


def _read_wiring(documents: list[Path], models: int) -> tuple[list[Connection], list[Finding]]:
    if not documents:
        hint = "Add inter_connection.json; for a single FMU it may hold an empty list: []."
        return [], [_error("BUNDLE-NO-CONNECTIONS-FILE", "inter_connection.json", "is missing", hint)]
    if len(documents) > 1:
        names = ", ".join(path.name for path in documents)
        return [], [_error("BUNDLE-TWO-CONNECTIONS-FILES", names, "only one of them can be right", "Keep one.")]
    path = documents[0]
    if path.stat().st_size > _INTERCONNECTION_LIMIT_BYTES:
        message = f"is larger than {_INTERCONNECTION_LIMIT_BYTES} bytes"
        return [], [_error("BUNDLE-CONNECTIONS-MALFORMED", path.name, message, "List each connection once.")]
    connections, findings = parse_connections(path.read_bytes(), where=path.name)
    if not (connections or findings) and models > 1:
        message = f"connects nothing, though there are {models} FMUs"
        hint = "Add the connections, unless the FMUs are meant to run side by side."
        findings = [Finding("BUNDLE-NO-CONNECTIONS", Severity.WARNING, path.name, message, hint)]
    return connections, findings


def _error(code: str, where: str, message: str, hint: str) -> Finding:
    return Finding(code, Severity.ERROR, where, message, hint)
