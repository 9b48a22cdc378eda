"""Unpacks archives that strangers made: FMUs and bundles.

Nothing is written outside the target folder, nothing but regular files is made, and sizes are counted on the bytes that
really come out, since what an archive says about itself may be false.
"""

from __future__ import annotations

import hashlib
import lzma
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from twinbench.core.errors import BundleError
from twinbench.core.findings import Finding, Severity

__all__ = ["Limits", "sha256_of", "unpack"]

_CHUNK_BYTES = 1 << 16
_UNREADABLE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, OSError)


@dataclass(frozen=True)
class Limits:
    """What an archive may ask of the disk.

    Attributes:
        entries: Files and folders.
        total_bytes: All files together, unpacked.
        ratio: Unpacked bytes per packed byte, for what exceeds *free_bytes*.
    """

    entries: int = 10_000
    total_bytes: int = 1 << 30
    ratio: int = 200
    free_bytes: int = 16 << 20


class _RefusedError(Exception):
    def __init__(self, code: str, where: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.finding = Finding(code, Severity.ERROR, where, message, hint)


def sha256_of(path: Path) -> str:
    """Digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unpack(archive: Path, folder: Path, *, limits: Limits | None = None) -> list[Finding]:
    """Unpack an archive into an empty folder.

    Returns:
        Why it was refused; nothing if all is well. A refused archive may leave files in the folder.

    Raises:
        BundleError: If the archive cannot be opened as a file.
    """
    try:
        with archive.open("rb") as file, zipfile.ZipFile(file) as opened:
            _unpack_all(archive, opened, folder, limits or Limits())
    except _RefusedError as refusal:
        return [refusal.finding]
    except zipfile.BadZipFile as error:
        hint = "Upload it again; an FMU and a bundle are zip archives."
        return [Finding("BUNDLE-NOT-A-ZIP", Severity.ERROR, archive.name, f"is not a zip archive: {error}", hint)]
    except OSError as error:
        raise BundleError(f"{archive} cannot be read: {error}. Check its path and rights.") from error
    return []


def _unpack_all(archive: Path, opened: zipfile.ZipFile, folder: Path, limits: Limits) -> None:
    entries = opened.infolist()
    if len(entries) > limits.entries:
        message = f"holds {len(entries)} entries, more than {limits.entries}"
        raise _RefusedError("BUNDLE-ZIP-BOMB", archive.name, message, "Leave out what is not needed to run the model.")
    budget = min(limits.total_bytes, max(limits.free_bytes, limits.ratio * archive.stat().st_size))
    places: set[PurePosixPath] = set()
    for entry in entries:
        place = _safe_place(archive.name, entry)
        if place in places and not entry.is_dir():
            message = f"{entry.filename!r} is in the archive twice"
            raise _RefusedError("BUNDLE-ZIP-PATH", archive.name, message, "Build the archive anew.")
        places.add(place)
        try:
            budget -= _unpack_entry(opened, entry, folder.joinpath(*place.parts), budget)
        except _UNREADABLE as error:
            message = f"{entry.filename!r} cannot be unpacked: {error or type(error).__name__}"
            raise _RefusedError(
                "BUNDLE-ZIP-DAMAGED", archive.name, message, "Build and upload the archive anew."
            ) from error
        if budget < 0:
            message = (
                f"{entry.filename!r} makes it larger than {limits.total_bytes} bytes or {limits.ratio} times its size"
            )
            raise _RefusedError(
                "BUNDLE-ZIP-BOMB", archive.name, message, "Leave out what is not needed to run the model."
            )


def _safe_place(archive: str, entry: zipfile.ZipInfo) -> PurePosixPath:
    """Where an entry goes, relative to the folder."""
    name = entry.orig_filename
    place = PurePosixPath(name)
    if (
        not place.parts
        or place.is_absolute()
        or ".." in place.parts
        or any(sign in name for sign in "\\:")
        or not name.isprintable()
    ):
        message = f"the path {name!r} leads out of the archive or is not portable"
        raise _RefusedError("BUNDLE-ZIP-PATH", archive, message, "Use relative paths with forward slashes.")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        message = f"{name!r} is a link or a device"
        raise _RefusedError("BUNDLE-ZIP-LINK", archive, message, "Pack the file itself.")
    if entry.flag_bits & 0x1:
        raise _RefusedError("BUNDLE-ZIP-ENCRYPTED", archive, f"{name!r} is encrypted", "Pack it without a password.")
    return place


def _unpack_entry(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, budget: int) -> int:
    """Write one entry; stops soon after *budget* bytes. Returns how many were written."""
    if entry.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with opened.open(entry) as source, target.open("xb") as sink:
        while written <= budget and (chunk := source.read(_CHUNK_BYTES)):
            written += sink.write(chunk)
    return written
