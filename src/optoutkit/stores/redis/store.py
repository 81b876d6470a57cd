"""The stores in Redis: the verbs, blocking and for asyncio, over one set of flows."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from optoutkit.errors import StoreClosed
from optoutkit.flows import Flow, run, run_async
from optoutkit.identities import Digest, Identity
from optoutkit.optouts import OptOut
from optoutkit.stores.asynchronous import outliving
from optoutkit.stores.base import Clock, EraseReport, LinkPair, LinkReport, RecordReport, utc_now
from optoutkit.stores.redis.driver import AsyncConnections, Connections
from optoutkit.stores.redis.durability import DurabilityWarning
from optoutkit.stores.redis.settings import Settings
from optoutkit.stores.redis.verbs import Verbs

__all__ = ["AsyncRedisStore", "RedisStore"]

T = TypeVar("T")


class RedisStore:
    """An :class:`~optoutkit.OptOutStore` in Redis or Valkey, for any number of threads, processes and machines.

    A verb takes a number of round trips that does not grow with the batch, beyond pieces of 1,000. Each identity's entries in one
    list change as a whole, a batch does not. What has been acknowledged is as safe as the servers are told to keep it: see
    :class:`DurabilityWarning`.

    Args:
        uri: Such as ``redis://localhost:6379/0`` or ``redis+cluster://node1,node2``.
        clock: Tells the time; for tests.

    Raises:
        InvalidUri: The URI lacks a part, or one is wrong.
        StoreUnavailable: A server does not answer, or refuses; the text says why.
        StoreCorrupt: There is something else under the store's prefix.
        StoreVersionError: The store was written by a newer optoutkit.
    """

    def __init__(self, uri: str, *, clock: Clock = utc_now) -> None:
        settings = Settings.parse(uri)
        self._connections = Connections(settings)
        self._verbs = Verbs(settings, clock)
        self._closed = False
        try:
            advice = self._run(self._verbs.open())
        except BaseException:
            self.close()
            raise
        _warn(advice)

    def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        return self._run(self._verbs.lookup(identities, seller, at))

    def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """See :meth:`optoutkit.OptOutStore.record`."""
        return self._run(self._verbs.record(opt_outs))

    def link(self, pairs: Iterable[LinkPair], *, seller: str = "", replace: bool = False) -> LinkReport:
        """See :meth:`optoutkit.OptOutStore.link`."""
        return self._run(self._verbs.link(pairs, seller, replace=replace))

    def withdraw(self, identities: Iterable[Identity], *, seller: str = "", why: str = "") -> int:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        return self._run(self._verbs.withdraw(identities, seller, why))

    def erase(self, identities: Iterable[Identity], *, seller: str = "") -> EraseReport:
        """See :meth:`optoutkit.OptOutStore.erase`."""
        return self._run(self._verbs.erase(identities, seller))

    def scan(self, *, seller: str = "", after: Identity | None = None) -> Iterator[OptOut]:
        """See :meth:`optoutkit.OptOutStore.scan`."""
        scan = self._verbs.scan(seller, after)
        while page := self._run(scan.page()):
            yield from page

    def scan_links(self, *, seller: str = "") -> Iterator[LinkPair]:
        """See :class:`optoutkit.stores.TellsLinks`."""
        scan = self._verbs.scan_links(seller)
        while page := self._run(scan.page()):
            yield from page

    def sellers(self) -> list[str]:
        """See :class:`optoutkit.stores.TellsSellers`."""
        return self._run(self._verbs.sellers())

    def rekey(self, pairs: Iterable[tuple[Digest, Digest]]) -> None:
        """See :class:`optoutkit.stores.Rekeyable`. What is interrupted is found under either name, and goes on when it is called again."""
        self._run(self._verbs.rekey(pairs))

    def health(self) -> None:
        """See :meth:`optoutkit.OptOutStore.health`."""
        self._run(self._verbs.health())

    def close(self) -> None:
        """See :meth:`optoutkit.OptOutStore.close`."""
        self._closed = True
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _run(self, flow: Flow[T]) -> T:
        if self._closed:
            raise StoreClosed("the store is closed")
        return run(flow, self._connections.perform)


class AsyncRedisStore:
    """The :class:`~optoutkit.AsyncOptOutStore` in Redis or Valkey, on asyncio's own connections: no thread waits.

    Making one waits for nothing; the first verb connects, and if that fails, the next one tries again. One event loop uses it at a
    time. A verb that writes is done even if its ``await`` is cancelled.

    Args:
        uri: See :class:`RedisStore`.
        clock: See :class:`RedisStore`.

    Raises:
        InvalidUri: The URI lacks a part, or one is wrong.
    """

    def __init__(self, uri: str, *, clock: Clock = utc_now) -> None:
        settings = Settings.parse(uri)
        self._connections = AsyncConnections(settings)
        self._verbs = Verbs(settings, clock)
        self._writes: set[asyncio.Task[Any]] = set()
        self._opening: asyncio.Task[list[str]] | None = None
        self._opened = False
        self._closed = False

    async def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        return await self._run(self._verbs.lookup(identities, seller, at))

    async def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """See :meth:`optoutkit.OptOutStore.record`."""
        return await self._write(self._verbs.record(opt_outs))

    async def link(self, pairs: Iterable[LinkPair], *, seller: str = "", replace: bool = False) -> LinkReport:
        """See :meth:`optoutkit.OptOutStore.link`."""
        return await self._write(self._verbs.link(pairs, seller, replace=replace))

    async def withdraw(self, identities: Iterable[Identity], *, seller: str = "", why: str = "") -> int:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        return await self._write(self._verbs.withdraw(identities, seller, why))

    async def erase(self, identities: Iterable[Identity], *, seller: str = "") -> EraseReport:
        """See :meth:`optoutkit.OptOutStore.erase`."""
        return await self._write(self._verbs.erase(identities, seller))

    async def scan(self, *, seller: str = "", after: Identity | None = None) -> AsyncIterator[OptOut]:
        """See :meth:`optoutkit.OptOutStore.scan`."""
        scan = self._verbs.scan(seller, after)
        while page := await self._run(scan.page()):
            for entry in page:
                yield entry

    async def rekey(self, pairs: Iterable[tuple[Digest, Digest]]) -> None:
        """See :meth:`RedisStore.rekey`."""
        await self._write(self._verbs.rekey(pairs))

    async def health(self) -> None:
        """See :meth:`optoutkit.OptOutStore.health`."""
        await self._run(self._verbs.health())

    async def close(self) -> None:
        """See :meth:`optoutkit.OptOutStore.close`. Writes that were called before are done first."""
        self._closed = True
        await asyncio.gather(*self._writes, return_exceptions=True)
        await self._connections.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def _run(self, flow: Flow[T]) -> T:
        self._check_open()
        return await self._drive(flow)

    async def _write(self, flow: Flow[T]) -> T:
        self._check_open()
        writing = asyncio.ensure_future(self._drive(flow))
        self._writes.add(writing)
        writing.add_done_callback(self._writes.discard)
        return await outliving(writing)

    async def _drive(self, flow: Flow[T]) -> T:
        if not self._opened:
            await self._open()
        return await run_async(flow, self._connections.perform)

    async def _open(self) -> None:
        """Open the store once, however many verbs wait for it; if that fails, the next verb tries again."""
        opening = self._opening
        if opening is None or opening.done() or opening.get_loop() is not asyncio.get_running_loop():
            opening = self._opening = asyncio.ensure_future(run_async(self._verbs.open(), self._connections.perform))
        advice = await outliving(opening)
        if not self._opened:
            self._opened = True
            _warn(advice)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed("the store is closed")


def _warn(advice: Iterable[str]) -> None:
    for text in advice:
        warnings.warn(text, DurabilityWarning, stacklevel=3)
