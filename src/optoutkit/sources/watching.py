"""Mailboxes that are read as mail comes in: where a server tells of new mail, at once, else by looking again from time to time."""

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Protocol

import attrs

from optoutkit.errors import InvalidInput, SourceUnavailable
from optoutkit.sources.item import Item
from optoutkit.sources.stopping import Stop

__all__ = ["INTERVAL", "Mailbox", "watch"]

INTERVAL = 60.0
"""Seconds after which a mailbox is looked at again that tells of nothing by itself."""

_LONGEST_WAIT = 300.0


class Mailbox(Protocol):
    """What can be looked at again and again."""

    name: str
    """What to call it, without any secret."""

    def open(self) -> None:
        """Make sure that it can be used; InvalidInput if not, SourceUnavailable if that cannot be told at the moment."""
        ...

    def look(self) -> Iterator[Item]:
        """The mails that wait and are due; InvalidInput where some cannot be read, SourceUnavailable where it does not answer."""
        ...

    def listen(self) -> tuple[socket.socket | None, float | None]:
        """A socket that becomes readable when there is something new, and when to look in any case; None where it does not matter."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@attrs.define(eq=False)
class _Watched:
    """A mailbox, and when to look at it next.

    Attributes:
        mailbox: The mailbox.
        due: When, by the monotonic clock.
        bell: Where news of it comes in.
        failures: How often in a row it did not answer.
        trouble: What is wrong with it, as last told.
    """

    mailbox: Mailbox
    due: float = 0.0
    bell: socket.socket | None = None
    failures: int = 0
    trouble: str = ""

    def wait(self, seconds: float) -> None:
        """Let it be looked at after so many seconds."""
        self.due = time.monotonic() + seconds


def watch(
    mailboxes: Iterable[Mailbox],
    *,
    stop: Stop,
    tell: Callable[[str], object],
    interval: float = INTERVAL,
) -> Iterator[Item]:
    """Read mailboxes for as long as nobody asks for an end.

    A server that cannot be reached is waited for, a second at first and five minutes at most, while the others are read. What is wrong
    with a mailbox is told once, and again when it works again.

    Args:
        mailboxes: Which; they are closed at the end.
        stop: Asks for an end.
        tell: Is told in a line what is wrong.
        interval: Seconds after which to look again at what tells of nothing by itself.

    Raises:
        InvalidInput: A mailbox cannot be used right from the beginning.
    """
    with ExitStack() as stack:
        watched = [_Watched(mailbox) for mailbox in mailboxes]
        for one in watched:
            stack.callback(one.mailbox.close)
        for one in watched:
            try:
                one.mailbox.open()
            except SourceUnavailable as error:
                _failed(one, error, tell)
        while not stop.is_set():
            for one in watched:
                if one.due <= time.monotonic():
                    yield from _round(one, stop, tell, interval)
            bells = {one.bell: one for one in watched if one.bell is not None}
            for bell in stop.wait(min(one.due for one in watched) - time.monotonic(), bells):
                bells[bell].due = 0.0


def _round(one: _Watched, stop: Stop, tell: Callable[[str], object], interval: float) -> Iterator[Item]:
    """Look at a mailbox once, and say when to look at it next."""
    one.bell, seconds = None, None
    trouble = ""
    try:
        for item in one.mailbox.look():
            yield item
            if stop.is_set():
                return
        one.bell, seconds = one.mailbox.listen()
    except SourceUnavailable as error:
        _failed(one, error, tell)
        return
    except InvalidInput as error:
        trouble = str(error)
    one.failures = 0
    one.wait(interval if seconds is None else seconds)
    _tell(one, trouble, tell)


def _failed(one: _Watched, error: SourceUnavailable, tell: Callable[[str], object]) -> None:
    one.wait(min(2.0**one.failures, _LONGEST_WAIT))
    one.failures = min(one.failures + 1, 10)
    _tell(one, str(error), tell)


def _tell(one: _Watched, trouble: str, tell: Callable[[str], object]) -> None:
    if trouble != one.trouble:
        tell(f"{trouble}; trying again" if trouble else f"{one.mailbox.name} works again")
        one.trouble = trouble
