"""Loads modules whose functions Numba compiles.

What is compiled is kept beside the code or in the user's cache, and found there by the next process; where neither can
be written to (a container with read-only code and no home) it is compiled for this process alone. ``NUMBA_CACHE_DIR``
names another place. `make install` has everything compiled once.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType

__all__ = ["load_kernel"]


def load_kernel(name: str, *, upon: Sequence[str] = ()) -> ModuleType:
    """Import a module of compiled functions.

    Args:
        name: Its full name.
        upon: The modules whose functions it calls, each after those that it calls itself. If one of them has changed,
            what is built upon it is compiled again: Numba by itself looks at the code of one module only.
    """
    kernel = _imported(name)
    _forget_outdated([*map(import_module, upon), kernel])
    return kernel


def _imported(name: str) -> ModuleType:
    try:
        return import_module(name)
    except RuntimeError:  # Numba finds no place for its cache
        import numba

        folder = tempfile.mkdtemp(prefix="twinbench-kernel-")  # nobody else can put a kernel there
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        numba.config.CACHE_DIR = folder  # type: ignore[attr-defined]
        return import_module(name)


def _forget_outdated(modules: Sequence[ModuleType]) -> None:
    """Remove the indices of what was compiled from each module if the modules before it were others then."""
    code = hashlib.sha256()
    for number, module in enumerate(modules):
        if number > 0:
            for folder in _cache_folders(module):
                with suppress(OSError):  # where nothing can be written nothing is outdated either
                    _forget_unless(folder, module.__name__.rpartition(".")[2], code.hexdigest())
        code.update(Path(str(module.__file__)).read_bytes())


def _cache_folders(module: ModuleType) -> set[Path]:
    statistics = [value.stats for value in vars(module).values() if hasattr(value, "stats")]
    return {Path(entry.cache_path) for entry in statistics if getattr(entry, "cache_path", None)}


def _forget_unless(folder: Path, module: str, code: str) -> None:
    stamp = folder / f"{module}.upon"
    if not stamp.exists() or stamp.read_text() != code:
        for index in folder.glob(f"{module}.*.nbi"):
            index.unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        stamp.write_text(code)
