"""Loads modules whose functions Numba compiles.

What is compiled is kept beside the code or in the user's cache, and found there by the next process; where neither can
be written to (a container with read-only code and no home) it is compiled for this process alone. ``NUMBA_CACHE_DIR``
names another place. `make install` has everything compiled once.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from importlib import import_module
from types import ModuleType

__all__ = ["load_kernel"]


def load_kernel(name: str) -> ModuleType:
    """Import a module of compiled functions.

    Args:
        name: Its full name.
    """
    try:
        return import_module(name)
    except RuntimeError:  # Numba finds no place for its cache
        import numba

        folder = tempfile.mkdtemp(prefix="twinbench-kernel-")  # nobody else can put a kernel there
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        numba.config.CACHE_DIR = folder  # type: ignore[attr-defined]
        return import_module(name)
