"""Whoever listens hears each change once it is kept, knows when nothing can be heard, and slows nobody down."""

import asyncio
import queue
import signal
import threading
import time
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from tests.fakes import REQUEST_UUID, request_document
from twinbench.adapters.postgres import Bookings, CatalogueTables, ChangeFeed, Changes, Inventory, Requests

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def heard(lims_url):
    """What a listener hears."""
    news = queue.Queue()
    listener = Changes(lims_url, news.put).start()
    time.sleep(0.3)  # until it listens
    yield news
    listener.close()


def all_of(news, number):
    return [news.get(timeout=10) for _ in range(number)]


def save(lims):
    return Requests(lims).save(REQUEST_UUID, request_document(), folder="f", status="submitted", at=NOON)


def test_each_change_of_a_request_is_heard_and_none_where_nothing_changed(lims, heard):
    requests = Requests(lims)
    number = save(lims)
    save(lims)
    requests.set_status(REQUEST_UUID, "running", at=NOON)
    requests.set_status(REQUEST_UUID, "running", at=NOON)
    requests.set_progress(REQUEST_UUID, 5)
    requests.set_progress(REQUEST_UUID, 5)

    assert all_of(heard, 3) == [f"request {number}"] * 3
    time.sleep(0.2)
    assert heard.empty()


def test_benches_and_units_are_heard_of(lims, heard, catalogue):
    save(lims)
    bookings = Bookings(lims)
    booking = {"bench": "cycler-1", "start": NOON, "end": NOON + timedelta(hours=1), "round": 1, "document": {}}
    bookings.book(REQUEST_UUID, [booking], at=NOON)
    (row,) = bookings.of_request(REQUEST_UUID)
    bookings.move([(row.id, "cycler-2", row.start, row.end, {})], at=NOON)
    bookings.close("cycler-3", NOON, None, reason="broken", by="Ada", at=NOON)
    CatalogueTables(lims).load(catalogue)
    Inventory(lims).save({"serial": "SN-17", "uut": "Gen3b - Cell", "state": "available"}, at=NOON)

    news = all_of(heard, 7)
    assert news[1:5] == ["bench cycler-1", "bench cycler-1", "bench cycler-2", "bench cycler-3"]
    assert [line for line in news if not line.startswith("bench")] == [
        "request TR-000001",
        "request TR-000001",  # the catalogue's tables know its codes now
        "unit SN-17",
    ]


def test_what_is_not_kept_is_not_heard(lims, heard):
    def change_and_fail():
        with lims.transaction() as cursor:
            cursor.execute("INSERT INTO bench_closures (bench, during, reason, made_by, made_at) "
                           "VALUES ('a', '[2026-01-01,2026-01-02)', 'broken', 'Ada', now())")  # fmt: skip
            raise LookupError

    with pytest.raises(LookupError):
        change_and_fail()
    time.sleep(0.2)
    assert heard.empty()


def test_a_server_that_goes_away_is_told_and_heard_again_when_it_is_back(lims, heard, postgres):
    postgres.end(signal.SIGINT)
    try:
        assert all_of(heard, 1) == ["lost"]
    finally:
        postgres.start()

    assert all_of(heard, 1) == ["back"]
    assert f"request {save(lims)}" == all_of(heard, 1)[0]


def test_a_listener_that_fails_is_told_the_next_change_all_the_same(lims, lims_url, caplog):
    news = queue.Queue()

    def fail_once(line):
        news.put(line)
        if news.qsize() == 1:
            raise LookupError(line)

    listener = Changes(lims_url, fail_once).start()
    time.sleep(0.3)
    save(lims)
    Requests(lims).set_progress(REQUEST_UUID, 1)

    assert len(all_of(news, 2)) == 2
    listener.close()
    assert "could not be told" in caplog.text


@pytest.mark.parametrize("is_there", [True, False])
def test_listening_ends_at_once_whether_anybody_answers_or_not(lims_url, is_there):
    url = lims_url if is_there else lims_url.replace("/lims", "/nowhere")
    news = []
    listener = Changes(url, news.append).start()
    time.sleep(0.5)
    begin = time.monotonic()
    listener.close()

    assert time.monotonic() - begin < 2
    assert not any(thread.name == "lims-changes" for thread in threading.enumerate())
    assert news == ([] if is_there else ["lost"])


def test_waiting_takes_no_processor_time(heard):
    process = psutil.Process()
    before = sum(process.cpu_times()[:2])
    time.sleep(1.0)

    assert sum(process.cpu_times()[:2]) - before < 0.2


async def next_of(viewer, number=1):
    return [await asyncio.wait_for(anext(viewer), 5) for _ in range(number)]


def test_every_viewer_is_told_from_when_they_began_to_look():
    async def look():
        feed = ChangeFeed()
        feed.tell("before")
        first, second = feed.changes(), feed.changes()
        await asyncio.to_thread(feed.tell, "a")
        await asyncio.to_thread(feed.tell, "b")
        return await next_of(first, 2), await next_of(second, 2), feed.viewers

    assert asyncio.run(look()) == (["a", "b"], ["a", "b"], 2)


def test_news_that_wait_are_told_once_and_too_many_mean_to_read_anew():
    async def look():
        feed = ChangeFeed(most=3)
        slow = feed.changes()
        for news in ("a", "b", "a"):
            feed.tell(news)
        few = await next_of(slow, 2)
        for number in range(8):
            feed.tell(str(number))
        return few, await next_of(slow, 2)

    few, many = asyncio.run(look())
    assert few == ["a", "b"]
    assert many == ["back", "7"]


def test_who_waits_is_roused_by_another_thread_and_by_the_end():
    async def look():
        feed = ChangeFeed()
        viewer = feed.changes()
        timer = threading.Timer(0.2, feed.tell, ["a"])
        timer.start()
        found = await next_of(viewer)
        threading.Timer(0.2, feed.close).start()
        async for news in viewer:
            found.append(news)
        return found, feed.viewers

    assert asyncio.run(look()) == (["a"], 0)


def test_a_silent_time_is_told_if_wished():
    async def look():
        feed = ChangeFeed()
        viewer = feed.changes(beat_s=0.05)
        silence = await next_of(viewer, 2)
        feed.tell("a")
        return [*silence, *await next_of(viewer)]

    assert asyncio.run(look()) == ["", "", "a"]


def test_who_has_gone_costs_nothing():
    feed = ChangeFeed()

    async def look():
        viewers = [feed.changes() for _ in range(50)]
        await viewers[0].aclose()
        return feed.viewers

    assert asyncio.run(look()) == 49
    feed.tell("nobody hears")
    assert feed.viewers == 0
