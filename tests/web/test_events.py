"""The event stream says what changed, at once and to all who listen, and beats while nothing does."""

import asyncio

import pytest

from tests.fake_desk import ADA, BOB, OTTO, STRANGER_TWIN, TWIN


@pytest.fixture
def listen(app):
    """Listens as a browser does, until enough has come; returns the headers and what came."""

    async def listening(path, person, enough, query):
        heard, gone, headers = [], asyncio.Event(), {}

        async def receive():
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            if message["type"] == "http.response.start":
                headers.update({name.decode(): value.decode() for name, value in message["headers"]})
                headers["status"] = message["status"]
            heard.append(message.get("body", b"").decode())
            if enough in "".join(heard):
                gone.set()

        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(b"x-person", person.id.encode()), (b"host", b"testserver")],
            "scheme": "http",
            "server": ("testserver", 80),
            "client": ("here", 1),
        }
        await asyncio.wait_for(app(scope, receive, send), 5)
        return headers, "".join(heard)

    return lambda path="/events", person=ADA, enough="alive", query="": asyncio.run(
        listening(path, person, enough, query)
    )


@pytest.mark.parametrize("path", ["/events", "/api/v1/events"])
def test_a_stream_is_one_of_events_that_nobody_stores(listen, path):
    headers, heard = listen(path)

    assert headers["status"] == 200
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    assert heard.startswith("retry: 2000\n\n")


def test_a_change_arrives_as_an_event_with_what_changed_and_nothing_more(listen, desk):
    desk.live.news = ["request TR-000001", "bench cycler-1"]

    _, heard = listen(person=OTTO, enough="cycler-1")

    assert heard == "retry: 2000\n\nevent: change\ndata: request TR-000001\n\nevent: change\ndata: bench cycler-1\n\n"


@pytest.mark.parametrize(
    ("person", "hears"),
    [(ADA, True), (TWIN, True), (BOB, False), (STRANGER_TWIN, False)],
    ids=["own", "twin", "other", "other twin"],
)
def test_of_requests_that_one_may_not_see_one_does_not_hear(listen, desk, as_, asked, person, hears):
    told = as_(ADA)("POST", "/api/v1/requests", json=asked()).json()
    desk.live.news = ["request TR-000001", f"run {told['uuid']}", "request TR-000099", "bench cycler-1"]

    _, heard = listen(person=person, enough="cycler-1", query=f"run={told['uuid']}")

    assert ("TR-000001" in heard, told["uuid"] in heard) == (hears, hears)
    assert "TR-000099" not in heard


def test_readings_are_told_to_those_who_ask_for_them_only(listen, desk, as_, asked):
    told = as_(ADA)("POST", "/api/v1/requests", json=asked()).json()
    desk.live.news = [f"run {told['uuid']}", "bench cycler-1"]

    _, heard = listen(person=OTTO, enough="cycler-1")

    assert told["uuid"] not in heard


def test_while_nothing_changes_the_line_says_that_it_is_alive(listen):
    _, heard = listen()

    assert "event: alive\n" in heard


def test_whoever_leaves_is_not_written_to_any_more(listen, desk):
    left = []

    async def changes():
        try:
            while True:
                yield "request TR-000001"
                await asyncio.sleep(0)
        finally:
            left.append(True)

    desk.live.changes = changes

    listen(person=OTTO, enough="TR-000001")

    assert left == [True]
