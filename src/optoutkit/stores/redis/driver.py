"""All that touches redis-py: connections to servers, blocking ones and those of asyncio, and the meaning of its errors.

A connection is used by one caller at a time and kept for the next one, which finds out by using it whether the server has closed
it meanwhile: then the commands are sent again, once, over a new one. Connections are never used across a fork or, with asyncio, by
another event loop.
"""

import asyncio
import contextlib
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from optoutkit.errors import MissingExtra, StoreClosed
from optoutkit.stores.forks import in_each_child
from optoutkit.stores.redis.exchanges import Answer, Command, Failure, Refusal, Reply, Talk
from optoutkit.stores.redis.settings import Node, Settings

try:
    import redis
    import redis.asyncio
    from redis import exceptions
except ImportError:
    raise MissingExtra("the store in Redis", "redis") from None

__all__ = ["AsyncConnections", "Connections"]

_MOST_AT_ONCE = 50
"""How many exchanges an asyncio store has at once; others wait their turn, as each needs connections of its own."""

# Whatever redis-py or a socket raises; ValueError is that of a host name that cannot be encoded.
_ERRORS = (redis.RedisError, OSError, ValueError)

_CODE = re.compile(r"[A-Z]+")  # the first word of an error that redis-py has no class for

_CODES = {
    exceptions.AskError: "ASK",
    exceptions.ClusterDownError: "CLUSTERDOWN",
    exceptions.MasterDownError: "MASTERDOWN",
    exceptions.MovedError: "MOVED",
    exceptions.NoPermissionError: "NOPERM",
    exceptions.NoScriptError: "NOSCRIPT",
    exceptions.OutOfMemoryError: "OOM",
    exceptions.ReadOnlyError: "READONLY",
    exceptions.TryAgainError: "TRYAGAIN",
}


class _Idle:
    """The connections that nobody uses now, and how more are made."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._idle: dict[Node, list[Any]] = defaultdict(list)
        self._closed = False

    def _take(self, node: Node, kinds: Any) -> Any:
        """One that is idle, or a new one, which connects when it is first used; ``kinds`` is redis or redis.asyncio."""
        if self._closed:
            raise StoreClosed("the store is closed")
        try:
            return self._idle[node].pop()
        except IndexError:
            return self._made(node, kinds)

    def _made(self, node: Node, kinds: Any) -> Any:
        settings = self._settings
        host, port = node
        options = {
            "db": settings.db,
            "username": settings.username,
            "password": settings.password,
            "socket_timeout": settings.timeout,
            "socket_connect_timeout": settings.timeout,
            "protocol": 2,
        }
        if settings.unix:
            return kinds.UnixDomainSocketConnection(path=host, **options)
        options |= {"host": host, "port": port, "socket_keepalive": True}
        if settings.tls is None:
            return kinds.Connection(**options)
        return kinds.SSLConnection(ssl_check_hostname=True, **settings.tls, **options)

    def _drain(self) -> Iterator[Any]:
        """All that are idle, which are so no more."""
        for connections in list(self._idle.values()):
            while connections:
                with contextlib.suppress(IndexError):  # as another thread may have been faster
                    yield connections.pop()

    def _failure(self, error: Exception) -> Failure:
        """What an error of the driver means, without what may be secret in it."""
        if isinstance(error, redis.AuthenticationError):
            return Failure("it does not know this user and password, or wants one: correct the URI")
        if isinstance(error, redis.BusyLoadingError):
            return Failure("it is starting, and still loads its data: try again")
        if isinstance(error, redis.TimeoutError):
            return Failure(f"it does not answer within {self._settings.timeout:g} seconds: see that it runs and is not overloaded")
        if isinstance(error, redis.ResponseError):
            return Failure("it refuses the user or the database that the URI names: correct the URI")
        return Failure(f"it cannot be reached, or has closed the connection{_detail(error.__context__)}: see that it runs, and try again")


class Connections(_Idle):
    """Blocking connections, for any number of threads.

    Args:
        settings: How to reach the servers.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        in_each_child(self)

    def start_afresh(self) -> None:
        """In a forked child: what is open is the parent's, and redis-py leaves it alone there."""
        self._idle = defaultdict(list)

    def perform(self, exchange: Any) -> list[Answer]:
        """Have an :class:`Exchange`: everything is sent before the first reply is waited for."""
        begun = [(talk, self._begin(talk)) for talk in exchange.talks]
        return [self._finish(talk, connection) for talk, connection in begun]

    def close(self) -> None:
        """Close what is idle now, and what is in use when it is given back."""
        self._closed = True
        self._close_idle()

    def _begin(self, talk: Talk) -> Any:
        """Send the commands of a talk; the answer is the connection, or why it cannot be, or None if another try is worth it."""
        connection = self._take(talk.node, redis)
        try:
            connection.send_packed_command([_packed(talk.commands)])
        except _ERRORS as error:
            connection.disconnect()
            return None if _is_stale(error) else self._failure(error)
        return connection

    def _finish(self, talk: Talk, connection: Any) -> Answer:
        if isinstance(connection, Failure):
            return connection
        try:
            if connection is not None:
                return self._replies(talk, connection)
        except _ERRORS as error:
            if not _is_stale(error):
                return self._failure(error)
        connection = self._made(talk.node, redis)
        try:
            connection.send_packed_command([_packed(talk.commands)])
            return self._replies(talk, connection)
        except _ERRORS as error:
            return self._failure(error)

    def _replies(self, talk: Talk, connection: Any) -> list[Reply]:
        replies: list[Reply] = []
        is_replica = False
        try:
            for _ in talk.commands:
                try:
                    replies.append(connection.read_response())
                except redis.ResponseError as error:
                    refusal = _refusal(error)
                    replies.append(refusal)
                    is_replica |= refusal.code == "READONLY"
        except BaseException:
            connection.disconnect()  # there may be replies in it that nobody waits for
            raise
        if is_replica:
            connection.disconnect()  # and those that are idle: the name of the server may have gone to another
            self._close_idle()
        else:
            self._idle[talk.node].append(connection)
        if self._closed:
            self._close_idle()
        return replies

    def _close_idle(self) -> None:
        for connection in self._drain():
            connection.disconnect()


class AsyncConnections(_Idle):
    """Connections of asyncio, for any number of tasks of one event loop at a time.

    Args:
        settings: How to reach the servers.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turns = asyncio.Semaphore()

    async def perform(self, exchange: Any) -> list[Answer]:
        """Have an :class:`Exchange`, with all servers at once."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            await self._close_idle()
            self._loop, self._turns = loop, asyncio.Semaphore(_MOST_AT_ONCE)
        async with self._turns:
            if len(exchange.talks) == 1:
                return [await self._talk(exchange.talks[0])]
            return await asyncio.gather(*map(self._talk, exchange.talks))

    async def close(self) -> None:
        """Close what is idle now, and what is in use when it is given back."""
        self._closed = True
        await self._close_idle()

    async def _talk(self, talk: Talk) -> Answer:
        connection = self._take(talk.node, redis.asyncio)
        try:
            return await self._replies(talk, connection)
        except _ERRORS as error:
            if not _is_stale(error):
                return self._failure(error)
        try:
            return await self._replies(talk, self._made(talk.node, redis.asyncio))
        except _ERRORS as error:
            return self._failure(error)

    async def _replies(self, talk: Talk, connection: Any) -> list[Reply]:
        replies: list[Reply] = []
        is_replica = False
        try:
            await connection.send_packed_command([_packed(talk.commands)])
            for _ in talk.commands:
                try:
                    replies.append(await connection.read_response())
                except redis.ResponseError as error:
                    refusal = _refusal(error)
                    replies.append(refusal)
                    is_replica |= refusal.code == "READONLY"
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        if is_replica:
            await connection.disconnect(nowait=True)
            await self._close_idle()
        else:
            self._idle[talk.node].append(connection)
        if self._closed:
            await self._close_idle()
        return replies

    async def _close_idle(self) -> None:
        for connection in self._drain():
            with contextlib.suppress(*_ERRORS, RuntimeError):  # it is gone either way; the latter if its loop is no more
                await connection.disconnect()


def _packed(commands: Sequence[Command]) -> bytes:
    """The commands as they go over the wire."""
    parts = []
    for words in commands:
        parts.append(b"*%d\r\n" % len(words))
        parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"".join(parts)


def _refusal(error: Exception) -> Refusal:
    """An error that the server replied with."""
    code = _CODES.get(type(error))
    if code in ("ASK", "MOVED"):
        return Refusal(code, (error.host, error.port))  # type: ignore[attr-defined]  # the library sets them, untyped
    match = _CODE.match(str(error))
    return Refusal(code or (match[0] if match else "ERR"))


def _detail(cause: BaseException | None) -> str:
    """What the system said, in brackets; asyncio puts words of its own over that of a connection that was refused."""
    if isinstance(cause, ConnectionError) and cause.errno:
        return f" ({os.strerror(cause.errno)})"
    return f" ({cause.strerror})" if isinstance(cause, OSError) and cause.strerror else ""


def _is_stale(error: Exception) -> bool:
    """Whether a connection may just have been idle for too long: the server restarted, or closed it."""
    return isinstance(error, redis.ConnectionError) and not isinstance(error, redis.AuthenticationError | redis.BusyLoadingError)
