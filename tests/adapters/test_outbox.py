"""The SQLite outbox keeps every message until it is acknowledged, over any end of its program."""

import os
import sqlite3
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest

from twinbench.adapters.outbox import SqliteOutbox
from twinbench.core.errors import ConfigurationError


@pytest.fixture
def outbox(tmp_path):
    outbox = SqliteOutbox(tmp_path / "outbox.db")
    yield outbox
    outbox.close()


def test_messages_come_back_in_order_of_their_stream(outbox):
    for seq in (2, 0, 1):
        outbox.put("a", seq, f"topic/{seq}", {"n": seq})
    outbox.put("b", 0, "other", {})

    assert outbox.pending("a") == [(seq, f"topic/{seq}", {"n": seq}) for seq in range(3)]
    assert outbox.pending("a", after=0, limit=1) == [(1, "topic/1", {"n": 1})]
    assert (outbox.count("a"), outbox.streams()) == (3, ["a", "b"])


def test_putting_again_changes_nothing(outbox):
    outbox.put("a", 0, "topic", {"n": "first"})
    outbox.put("a", 0, "topic", {"n": "second"})

    assert outbox.pending("a") == [(0, "topic", {"n": "first"})]


def test_a_missing_value_is_not_swallowed(outbox):
    with pytest.raises(sqlite3.IntegrityError):
        outbox.put("a", 0, None, {})


def test_only_what_is_acknowledged_is_forgotten(outbox):
    for seq in range(5):
        outbox.put("a", seq, "topic", {})
        outbox.put("b", seq, "topic", {})

    outbox.acknowledge("a", 2)

    assert [seq for seq, _, _ in outbox.pending("a")] == [3, 4]
    assert outbox.count("b") == 5


def test_what_was_put_survives_the_programs_sudden_end(tmp_path):
    program = """
        import os, sys
        from pathlib import Path
        from twinbench.adapters.outbox import SqliteOutbox
        outbox = SqliteOutbox(Path(sys.argv[1]))
        for seq in range(100):
            outbox.put("a", seq, "topic", {"n": seq})
        os.kill(os.getpid(), 9)
    """
    path = tmp_path / "outbox.db"
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(program), path], check=False)

    assert ended.returncode == -9
    outbox = SqliteOutbox(path)
    assert outbox.count("a") == 100
    outbox.close()


def test_several_threads_may_use_it(outbox):
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda seq: outbox.put("a", seq, "topic", {"n": seq}), range(200)))

    assert outbox.count("a") == 200


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nowhere.*Is its folder writable"):
        SqliteOutbox(tmp_path / "nowhere" / "outbox.db")
    assert "nowhere" not in os.listdir(tmp_path)
