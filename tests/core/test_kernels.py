"""Compiled functions are found again by the next process, and never an old one of code that has changed."""

import os
import subprocess
import sys
import textwrap

import pytest

_BELOW = "import numba\n@numba.njit(cache=True)\ndef value():\n    return {number}\n"
_ABOVE = """
import numba
from below_kernel import value
@numba.njit(cache=True)
def twice():
    return 2 * value()
"""
_LOAD = """
from twinbench.core.kernels import load_kernel
kernel = load_kernel("above_kernel", upon=("below_kernel",))
print(kernel.twice(), sum(kernel.twice.stats.cache_hits.values()))
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "below_kernel.py").write_text(_BELOW.format(number=4))
    (tmp_path / "above_kernel.py").write_text(_ABOVE)
    return tmp_path


def loaded(folder):
    """What a new process gets of the kernel, and how often it found it compiled."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "cache")}
    environment.pop("NUMBA_DISABLE_JIT", None)
    script = textwrap.dedent(_LOAD)
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    return tuple(map(int, done.stdout.split()))


@pytest.mark.thorough
def test_the_next_process_finds_what_was_compiled(folder):
    assert [loaded(folder), loaded(folder)] == [(8, 0), (8, 1)]


@pytest.mark.thorough
def test_what_is_built_upon_changed_code_is_compiled_again(folder):
    loaded(folder)
    (folder / "below_kernel.py").write_text(_BELOW.format(number=5))

    assert loaded(folder) == (10, 0)
    assert loaded(folder) == (10, 1)


@pytest.mark.thorough
def test_a_kernel_is_compiled_where_its_cache_can_be_written_nowhere(folder, monkeypatch):
    blocked = folder / "no-folder"
    blocked.write_text("a file where a folder should be")
    script = textwrap.dedent(_LOAD)
    environment = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(blocked), "HOME": str(blocked)}
    environment |= {"XDG_CACHE_HOME": str(blocked), "TMPDIR": str(folder)}

    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["8", "0"]
    assert not list(folder.glob("twinbench-kernel-*"))
