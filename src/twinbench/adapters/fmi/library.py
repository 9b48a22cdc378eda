"""Whether a shared library can be loaded on this machine, told from its ELF headers without running anything of it.

Loading a cut-off library does not raise an error, it kills the process; so its length is checked first. The libraries
it needs are looked for as the dynamic linker does (``man 8 ld.so``): its own run path, ``LD_LIBRARY_PATH``, the cache
of the system. Nothing is loaded for that.
"""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

__all__ = ["library_fault", "missing_libraries"]

_LEVEL_2 = re.compile(r"^\s+(\S+) \(.*x86-64.*\) => (\S+)$", re.MULTILINE)
_FOLDERS = ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib")


def library_fault(path: Path) -> str:
    """What is wrong with a shared library for 64-bit Linux on x86; nothing if it can be mapped."""
    if path.read_bytes()[:4] != b"\x7fELF":
        return "is no Linux library"
    try:
        with path.open("rb") as file:
            elf = ELFFile(file)
            kind = (elf.elfclass, elf.little_endian, elf["e_type"], elf["e_machine"])
            if kind != (64, True, "ET_DYN", "EM_X86_64"):
                return "is not for 64-bit Linux on x86"
            ends = [elf["e_phoff"] + elf["e_phentsize"] * elf["e_phnum"]]
            if ends[0] <= path.stat().st_size:
                ends += [segment["p_offset"] + segment["p_filesz"] for segment in elf.iter_segments()]
    except Exception as error:  # the parser raises whatever comes; each means that the file is damaged
        return f"is cut off or damaged: {error or type(error).__name__}"
    if max(ends) > path.stat().st_size:
        return f"is cut off: {path.stat().st_size} bytes of {max(ends)}"
    return ""


def missing_libraries(path: Path) -> list[str]:
    """The libraries it needs that are not on this machine, those that they need themselves included."""
    missing: list[str] = []
    seen: set[str] = set()
    waiting = [path]
    while waiting:
        library = waiting.pop()
        names, run_path = _needed(library)
        for name in names:
            if name in seen:
                continue
            seen.add(name)
            place = _find(name, run_path)
            if place is None:
                missing.append(name)
            elif place.parent.is_relative_to(path.parent):  # it came with the FMU; the system's own are complete
                waiting.append(place)
    return sorted(missing)


def _needed(path: Path) -> tuple[list[str], list[Path]]:
    """Names of the libraries a library needs, and the folders it says they are in."""
    try:
        with path.open("rb") as file:
            dynamic: Any = ELFFile(file).get_section_by_name(".dynamic")
            tags = list(dynamic.iter_tags()) if dynamic is not None else []
            names = [tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"]
            paths = [
                str(getattr(tag, "runpath", "") or getattr(tag, "rpath", ""))
                for tag in tags
                if tag.entry.d_tag in ("DT_RUNPATH", "DT_RPATH")
            ]
    except Exception:  # as above; what is wrong with it has been said
        return [], []
    origin = str(path.parent)
    folders = [part for entry in paths for part in entry.split(":") if part]
    return names, [Path(part.replace("$ORIGIN", origin).replace("${ORIGIN}", origin)) for part in folders]


def _find(name: str, run_path: list[Path]) -> Path | None:
    if "/" in name:
        return Path(name) if Path(name).is_file() else None
    given = [Path(part) for part in os.environ.get("LD_LIBRARY_PATH", "").split(":") if part]
    for folder in (*run_path, *given):
        if (folder / name).is_file():
            return folder / name
    if name in _cached():
        return Path(_cached()[name])
    return next((Path(folder, name) for folder in _FOLDERS if Path(folder, name).is_file()), None)


@cache
def _cached() -> dict[str, str]:
    """The linker's cache: name -> file."""
    for program in ("/sbin/ldconfig", "/usr/sbin/ldconfig"):
        if Path(program).is_file():
            told = subprocess.run([program, "-p"], capture_output=True, text=True, check=False)
            return dict(_LEVEL_2.findall(told.stdout))
    return {}
