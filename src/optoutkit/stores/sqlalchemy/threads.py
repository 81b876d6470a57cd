"""The store for any database, for asyncio: the blocking one, on threads of its own."""

import asyncio
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import cast

from optoutkit.errors import StoreClosed
from optoutkit.identities import Digest
from optoutkit.stores.asynchronous import AsyncStore, T, Verb, outliving
from optoutkit.stores.base import DEFAULT_LINK_DAYS, Clock, utc_now
from optoutkit.stores.pooled import DEFAULT_POOL_SIZE, DEFAULT_TIMEOUT
from optoutkit.stores.sqlalchemy.store import SqlAlchemyStore

__all__ = ["AsyncSqlAlchemyStore"]


class AsyncSqlAlchemyStore(AsyncStore):
    """The :class:`~optoutkit.AsyncOptOutStore` in a database that SQLAlchemy knows, by its blocking drivers.

    Making one waits for nothing; the first verb connects, and if that fails, the next one tries again. There are as many threads as
    there may be connections. A verb that is called is done, even if its ``await`` is cancelled.

    Args:
        url: See :class:`SqlAlchemyStore`, as for the others.
        link_days: For how many days a link that leads to no opt-out is kept.
        timeout: How many seconds to wait.
        pool_size: How many connections to have at most.
        clock: Tells the time; for tests.

    Raises:
        InvalidUri: There is no such dialect, its driver is not installed, or the URL cannot be read.
        ValueError: An option is out of its range.
    """

    def __init__(
        self,
        url: str,
        *,
        link_days: int = DEFAULT_LINK_DAYS,
        timeout: float = DEFAULT_TIMEOUT,
        pool_size: int = DEFAULT_POOL_SIZE,
        clock: Clock = utc_now,
    ) -> None:
        self._store = _Unconnected(url, link_days=link_days, timeout=timeout, pool_size=pool_size, clock=clock)
        self._threads = _Threads(pool_size)
        self._size = pool_size
        self._pid = os.getpid()
        self._closed = False

    async def rekey(self, pairs: Iterable[tuple[Digest, Digest]]) -> None:
        """See :class:`optoutkit.stores.Rekeyable`."""
        told = tuple(pairs)
        await self._run(lambda store: cast("SqlAlchemyStore", store).rekey(told))

    async def close(self) -> None:
        """See :meth:`optoutkit.OptOutStore.close`. What was called before is done first."""
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._threads.shutdown)
            self._store.close()

    async def _run(self, verb: Verb[T]) -> T:
        if self._closed:
            raise StoreClosed("the store is closed")
        if self._pid != os.getpid():  # threads do not survive a fork
            self._threads, self._pid = _Threads(self._size), os.getpid()
        return await outliving(self._threads.submit(verb, self._store))


class _Unconnected(SqlAlchemyStore):
    """The blocking store, which its first verb connects."""

    def _connect(self) -> None:
        """Not yet."""


_Threads = partial(ThreadPoolExecutor, thread_name_prefix="optoutkit-sqlalchemy")
"""As many threads as there may be connections, started as they are needed."""
