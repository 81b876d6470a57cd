"""The ledgers that callers hold, blocking and for asyncio, over any backend."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from optoutkit.errors import StoreClosed, StoreError
from optoutkit.identities import OrderId
from optoutkit.ledgers.base import Reservation, Standing
from optoutkit.ledgers.book import AsyncBackend, Backend, Book, Claim, Row

__all__ = ["AsyncioLedger", "BlockingLedger", "OnThreads"]

T = TypeVar("T")

_PROBE = OrderId("000-0000000-0000000")


class BlockingLedger:
    """A :class:`~optoutkit.ledgers.Ledger`. :func:`~optoutkit.ledgers.open_ledger` makes it.

    Args:
        backend: Where requests are written down.
        book: The rules.
    """

    def __init__(self, backend: Backend, book: Book) -> None:
        self._backend = backend
        self._book = book
        try:
            backend.prepare()
        except BaseException:
            backend.close()
            raise

    def lookup(self, order_ids: Iterable[OrderId], *, seller: str = "") -> Mapping[OrderId, Standing]:
        """See :meth:`optoutkit.ledgers.Ledger.lookup`."""
        keys, now = self._book.keys(order_ids, seller), self._book.now()
        return self._book.standings(keys, self._backend.read(list(keys), now), now)

    def reserve(self, order_ids: Iterable[OrderId], *, seller: str = "") -> Reservation:
        """See :meth:`optoutkit.ledgers.Ledger.reserve`."""
        keys, claim = self._book.keys(order_ids, seller), self._book.claim()
        return self._book.reservation(keys, self._backend.take(list(keys), claim), claim, seller)

    def confirm(self, reservation: Reservation) -> None:
        """See :meth:`optoutkit.ledgers.Ledger.confirm`."""
        self._backend.mark(self._granted(reservation), reservation.token)

    def release(self, reservation: Reservation) -> None:
        """See :meth:`optoutkit.ledgers.Ledger.release`."""
        self._backend.drop(self._granted(reservation), reservation.token)

    def health(self) -> None:
        """See :meth:`optoutkit.ledgers.Ledger.health`."""
        self.release(self.reserve([_PROBE]))

    def close(self) -> None:
        """See :meth:`optoutkit.ledgers.Ledger.close`."""
        self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _granted(self, reservation: Reservation) -> list[bytes]:
        return list(self._book.keys(reservation.granted, reservation.seller))


class AsyncioLedger:
    """An :class:`~optoutkit.ledgers.AsyncLedger`. :func:`~optoutkit.ledgers.open_async_ledger` makes it; its first verb connects.

    Args:
        backend: Where requests are written down.
        book: The rules.
    """

    def __init__(self, backend: AsyncBackend, book: Book) -> None:
        self._backend = backend
        self._book = book
        self._prepared = False

    async def lookup(self, order_ids: Iterable[OrderId], *, seller: str = "") -> Mapping[OrderId, Standing]:
        """See :meth:`optoutkit.ledgers.Ledger.lookup`."""
        keys, now = self._book.keys(order_ids, seller), self._book.now()
        await self._prepare()
        return self._book.standings(keys, await self._backend.read(list(keys), now), now)

    async def reserve(self, order_ids: Iterable[OrderId], *, seller: str = "") -> Reservation:
        """See :meth:`optoutkit.ledgers.Ledger.reserve`."""
        keys, claim = self._book.keys(order_ids, seller), self._book.claim()
        await self._prepare()
        try:
            rows = await _finished(self._backend.take(list(keys), claim))
        except asyncio.CancelledError:
            with contextlib.suppress(StoreError, OSError):  # then it counts as sent in the end
                await _finished(self._backend.drop(list(keys), claim.token))
            raise
        return self._book.reservation(keys, rows, claim, seller)

    async def confirm(self, reservation: Reservation) -> None:
        """See :meth:`optoutkit.ledgers.Ledger.confirm`."""
        await self._prepare()
        await _finished(self._backend.mark(self._granted(reservation), reservation.token))

    async def release(self, reservation: Reservation) -> None:
        """See :meth:`optoutkit.ledgers.Ledger.release`."""
        await self._prepare()
        await _finished(self._backend.drop(self._granted(reservation), reservation.token))

    async def health(self) -> None:
        """See :meth:`optoutkit.ledgers.Ledger.health`."""
        await self.release(await self.reserve([_PROBE]))

    async def close(self) -> None:
        """See :meth:`optoutkit.ledgers.Ledger.close`."""
        await self._backend.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def _prepare(self) -> None:
        if not self._prepared:  # several may get here, which does no harm
            await self._backend.prepare()
            self._prepared = True

    def _granted(self, reservation: Reservation) -> list[bytes]:
        return list(self._book.keys(reservation.granted, reservation.seller))


class OnThreads:
    """A blocking backend for asyncio: what it does, it does on threads of the event loop's pool.

    Args:
        open_backend: Opens it, when it is first needed.
    """

    def __init__(self, open_backend: Callable[[], Backend]) -> None:
        self._open = open_backend
        self._opening = threading.Lock()
        self._backend: Backend | None = None
        self._closed = False

    async def prepare(self) -> None:
        """See :meth:`Backend.prepare`."""
        await self._do(lambda backend: backend.prepare())

    async def read(self, keys: Sequence[bytes], now: int) -> Mapping[bytes, Row]:
        """See :meth:`Backend.read`."""
        return await self._do(lambda backend: backend.read(keys, now))

    async def take(self, keys: Sequence[bytes], claim: Claim) -> Mapping[bytes, Row | None]:
        """See :meth:`Backend.take`."""
        return await self._do(lambda backend: backend.take(keys, claim))

    async def mark(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.mark`."""
        await self._do(lambda backend: backend.mark(keys, token))

    async def drop(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.drop`."""
        await self._do(lambda backend: backend.drop(keys, token))

    async def close(self) -> None:
        """See :meth:`Backend.close`."""
        self._closed = True
        if self._backend is not None:
            await asyncio.to_thread(self._backend.close)

    async def _do(self, verb: Callable[[Backend], T]) -> T:
        return await asyncio.to_thread(lambda: verb(self._opened()))

    def _opened(self) -> Backend:
        with self._opening:
            if self._closed:
                raise StoreClosed("the ledger is closed")
            if self._backend is None:
                self._backend = self._open()
            return self._backend


async def _finished(work: Coroutine[Any, Any, T]) -> T:
    """Do something to its end: if who awaits it is cancelled meanwhile, the cancellation comes through when it is done."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(_seen)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _seen(task: "asyncio.Task[Any]") -> None:
    """Look at an error that nobody may be waiting for any more."""
    if not task.cancelled():
        task.exception()
