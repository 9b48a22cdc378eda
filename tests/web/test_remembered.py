"""What many ask at once is made once, and anew as soon as something has changed."""

import asyncio
import gzip
from types import SimpleNamespace

import pytest
from fastapi import Request, Response

from tests.fake_desk import ADA, BOB
from twinbench.web.remembered import remembered


class Asked:
    """An application with a live lab, whose answers are counted."""

    def __init__(self):
        self.version, self.hears, self.made, self.length = 1, True, 0, 0
        self.app = SimpleNamespace(state=SimpleNamespace(writes=0))
        live = SimpleNamespace(version=lambda: self.version, connected=lambda: {"database": self.hears})
        self.desk = SimpleNamespace(live=live)

    def make(self):
        self.made += 1
        return Response(f"answer {self.made}" + self.length * ".", headers={"x-more": "kept"}, media_type="text/plain")

    async def answer(self, who=ADA, path="/requests", query=b"", headers=()):
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query,
            "headers": headers,
            "app": self.app,
        }
        scope |= {"server": ("lab", 80), "scheme": "http", "root_path": ""}
        answer = await remembered(Request(scope), self.desk, who, self.make)
        assert answer.headers["x-more"] == "kept"
        return answer

    async def ask(self, **options):
        return (await self.answer(**options)).body.decode()


@pytest.fixture
def asked():
    return Asked()


def test_many_who_ask_at_once_get_one_answer(asked):
    async def together():
        return await asyncio.gather(*(asked.ask() for _ in range(20)))

    assert set(asyncio.run(together())) == {"answer 1"}
    assert asked.made == 1


def test_it_is_made_anew_when_something_changed_or_was_written(asked):
    async def one_after_another():
        found = [await asked.ask()]
        asked.version += 1
        found.append(await asked.ask())
        asked.app.state.writes += 1
        found.append(await asked.ask())
        return [*found, await asked.ask()]

    assert asyncio.run(one_after_another()) == ["answer 1", "answer 2", "answer 3", "answer 3"]


def test_a_long_answer_comes_packed_to_those_who_unpack_it_and_plain_to_others(asked):
    asked.length = 50_000

    packed = asyncio.run(asked.answer(headers=[(b"accept-encoding", b"gzip, deflate")]))
    plain = asyncio.run(asked.answer())

    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < 1000
    assert gzip.decompress(packed.body).startswith(b"answer 1.")
    assert "content-encoding" not in plain.headers
    assert plain.body.startswith(b"answer 2.")  # another loop asks, so it was made anew


def test_a_short_answer_is_not_packed(asked):
    answer = asyncio.run(asked.answer(headers=[(b"accept-encoding", b"gzip")]))

    assert answer.body == b"answer 1"


def test_nobody_gets_what_was_made_for_somebody_else_or_for_another_address(asked):
    async def different():
        return [
            await asked.ask(),
            await asked.ask(who=BOB),
            await asked.ask(path="/"),
            await asked.ask(query=b"page=2"),
        ]

    assert len(set(asyncio.run(different()))) == 4


def test_a_failure_is_not_kept(asked):
    async def twice():
        good, asked.make = asked.make, broken
        with pytest.raises(KeyError):
            await asked.ask()
        asked.make = good
        return await asked.ask()

    def broken():
        raise KeyError("once")

    assert asyncio.run(twice()) == "answer 1"
