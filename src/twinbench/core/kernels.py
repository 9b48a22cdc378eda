"""Loads modules whose functions Numba compiles.

What is compiled is kept beside the code or in the user's cache, and found there by the next process; where neither can
be written to (a container with read-only code and no home) it is compiled for this process alone. ``NUMBA_CACHE_DIR``
names another place. `make install` has everything compiled once.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

__all__ = ["load_kernel"]


def load_kernel(name: str, *, calls: str = "") -> ModuleType:
    """Import a module of compiled functions.

    Args:
        name: Its full name.
        calls: Another such module whose functions it calls: if that has changed since, this one is compiled again.
            Numba by itself looks at the time of one file only.
    """
    if calls:
        _renew(name, calls)
    try:
        return import_module(name)
    except RuntimeError:  # Numba finds no place for its cache
        import numba

        folder = tempfile.mkdtemp(prefix="twinbench-kernel-")  # nobody else can put a kernel there
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        numba.config.CACHE_DIR = folder  # type: ignore[attr-defined]
        return import_module(name)


def _renew(name: str, calls: str) -> None:
    """Make a module's file as new as another one's."""
    files = [spec.origin for spec in map(find_spec, (name, calls)) if spec is not None and spec.origin]
    times = [os.stat(file).st_mtime_ns for file in files]
    if len(times) == 2 and times[1] > times[0]:
        with suppress(OSError):  # what may not be written to does not change either
            os.utime(files[0], ns=(times[1], times[1]))
