"""Being asked to end: SIGTERM and SIGINT as an event that a program waits for.

Two traps of Python are avoided. An event must not be set by the signal's handler itself, because that runs in the main
thread, which may hold the event's lock while it waits. And a handler runs only when the main thread does something: it
must wake now and then, since the signal may have been given to another thread.
"""

from __future__ import annotations

import signal
import threading

__all__ = ["asked_to_end", "wait_for"]

_WAKE_EVERY_S = 0.5


def asked_to_end() -> threading.Event:
    """An event that is set when this program is asked to end; to be called in the main thread."""
    event = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=event.set).start())
    return event


def wait_for(event: threading.Event) -> None:
    """Wait, in the main thread, without missing a signal."""
    while not event.wait(_WAKE_EVERY_S):
        pass
