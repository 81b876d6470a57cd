"""How a verb gets a connection, what becomes of it, and when to try again; free of I/O.

Connections are opened as needed, used by one verb at a time, and never across a fork or in another event loop. One on which
anything went wrong is closed: that rolls back, and the next one that is opened finds out what state the server is in.
"""

import os
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import attrs

from optoutkit.errors import StoreClosed
from optoutkit.flows import Flow, ask
from optoutkit.stores.postgresql import schema
from optoutkit.stores.postgresql.failures import COLLISIONS, NOT_PREPARED, OUTDATED, explained
from optoutkit.stores.postgresql.requests import Connect, Failure

__all__ = ["Call", "Pool", "session"]

C = TypeVar("C")
T = TypeVar("T")

_ATTEMPTS = 20
"""How often a transaction is tried while others get in its way."""

_inherited: list[Any] = []
"""Connections of a parent process, or of an event loop that is gone. Closing one here could end it there, so they are kept for good."""


@attrs.define
class Call(Generic[C]):
    """One verb under way.

    Attributes:
        connection: What its queries go to.
        answers: How many of them were answered on that connection.
    """

    connection: C | None = None
    answers: int = 0


class Pool(Generic[C]):
    """The connections that nobody uses.

    Args:
        hang_up: Closes a connection at once, without waiting for anything.

    Attributes:
        may_prepare: None if the server may prepare statements that come again and again, False if not: behind a pooler.
    """

    def __init__(self, hang_up: Callable[[C], None]) -> None:
        self.hang_up = hang_up
        self.may_prepare: bool | None = None
        self._idle: list[C] = []
        self._closed = False
        self._home: object = os.getpid()

    def check_home(self, home: object) -> bool:
        """Tell whether this is still the process, or the event loop, of the last time; if not, its connections are left to it."""
        if home == self._home:
            return True
        _inherited.extend(self._idle)
        self._idle, self._home = [], home
        return False

    def take(self) -> C | None:
        """The connection that was used last, if one is idle.

        Raises:
            StoreClosed: The store is closed.
        """
        if self._closed:
            raise StoreClosed("the store is closed")
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def give_back(self, connection: C) -> None:
        """Keep a connection for the next verb, or close it if the store was closed meanwhile."""
        self._idle.append(connection)
        if self._closed:
            self.empty()

    def empty(self) -> None:
        """Close all that are idle."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return
            self.hang_up(connection)

    def close(self) -> None:
        """Close what is idle now, and what is in use when it is given back."""
        self._closed = True
        self.empty()


def session(call: Call[C], pool: Pool[C], work: Callable[[], Flow[T]]) -> Flow[T]:
    """Do something on a connection.

    It is done again from the beginning, which is safe, as nothing of it was done: where another transaction got in the way, and where
    the connection was an old one that the server does not know any more, or knows as something else.

    Raises:
        StoreError: It cannot be done.
    """
    attempts = 0
    while True:
        attempts += 1
        call.connection, call.answers = pool.take(), 0
        reused = call.connection is not None
        try:
            if not reused and (yield from _connect()):
                pool.may_prepare = False
            result = yield from work()
        except BaseException as error:
            if call.connection is not None:
                pool.hang_up(call.connection)
            if not isinstance(error, Failure):
                raise
            if attempts == _ATTEMPTS or not _is_over(error, call, pool, reused=reused):
                raise explained(error) from None
        else:
            pool.give_back(cast("C", call.connection))
            return result


def _connect() -> Flow[bool]:
    """Open a connection; tells whether it is one to a pooler."""
    there = yield from ask(Connect())
    return (yield from schema.prepare()) != there


def _is_over(failure: Failure, call: Call[C], pool: Pool[C], *, reused: bool) -> bool:
    """Whether what went wrong may be gone at the next attempt. Connections that will fail alike are closed."""
    unprepared = failure.sqlstate in NOT_PREPARED
    if unprepared:
        pool.may_prepare = False
    if unprepared or (reused and (failure.sqlstate in OUTDATED or (failure.broken and not call.answers))):
        pool.empty()
        return True
    return failure.sqlstate in COLLISIONS
