"""How Numba compiles the kernels of this package."""

from __future__ import annotations

import numba

__all__ = ["compiled", "lean"]

compiled = numba.njit(cache=True)
"""For functions that make arrays."""

lean = numba.njit(cache=True, _nrt=False)
"""For functions that make none: nobody has to count who uses an array.

Numba else does so in each call for each of the nineteen arrays of a problem and a plan, and a search takes three to
twelve times as long. It refuses to compile what makes an array after all.
"""
