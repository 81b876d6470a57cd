"""The wish to stop, and mails that wait."""

import socket
import threading

from optoutkit.sources import Stop
from optoutkit.sources.later import Later

from .imap.conftest import DEADLINE


def test_whoever_waits_wakes_up() -> None:
    """From another thread, and for good."""
    stop = Stop()
    waiter = threading.Thread(target=stop.wait, args=(3600,))
    waiter.start()
    assert not stop.is_set()
    stop.set()
    stop.set()
    waiter.join(DEADLINE)
    assert not waiter.is_alive()
    assert stop.is_set()
    assert stop.wait(3600) == frozenset()


def test_what_is_to_be_read_wakes_up() -> None:
    """And is told; time that is over is no time."""
    stop = Stop()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert stop.wait(-1, [ours]) == frozenset()
        theirs.send(b"x")
        assert stop.wait(3600, [ours, theirs]) == {ours}


def test_mails_wait_longer_each_time() -> None:
    """A minute at first, and never more than a quarter of an hour; what is gone is forgotten."""
    now = 0.0
    later: Later[str] = Later(clock=lambda: now)
    assert (later.is_due("a"), later.seconds) == (True, float("inf"))
    for wait in (60, 120, 240, 480, 900, 900):
        later.put_off("a")
        assert (later.is_due("a"), later.seconds) == (False, wait)
        now += wait
        assert (later.is_due("a"), later.seconds) == (True, 0.0)
    later.put_off("b")
    later.keep({"b", "c"})
    assert (later.is_due("a"), later.is_due("b"), later.seconds) == (True, False, 60)
    assert Later(first=5000, clock=lambda: 0.0).seconds == float("inf")
