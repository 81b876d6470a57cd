"""The SQLite store for asyncio: the blocking one, on a worker thread of its own."""

import os
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import cast

from optoutkit.errors import StoreClosed
from optoutkit.identities import Digest
from optoutkit.stores import arguments
from optoutkit.stores.asynchronous import AsyncStore, T, Verb, outliving
from optoutkit.stores.base import DEFAULT_LINK_DAYS, Clock, utc_now
from optoutkit.stores.forks import in_each_child
from optoutkit.stores.sqlite.store import DEFAULT_TIMEOUT, SqliteStore

__all__ = ["AsyncSqliteStore"]


class AsyncSqliteStore(AsyncStore):
    """The :class:`~optoutkit.AsyncOptOutStore` in one SQLite file.

    Making one waits for nothing; the first verb opens the file, and if that fails, the next one tries again. Verbs are done one
    after another, in the order in which they are called. One that is called is done, even if its ``await`` is cancelled.

    Args:
        path: See :class:`SqliteStore`, as for the others.
        link_days: For how many days a link that leads to no opt-out is kept.
        timeout: How many seconds to wait for a lock.
        clock: Tells the time; for tests.

    Raises:
        ValueError: ``link_days`` is less than 1.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        link_days: int = DEFAULT_LINK_DAYS,
        timeout: float = DEFAULT_TIMEOUT,
        clock: Clock = utc_now,
    ) -> None:
        arguments.checked_link_days(link_days)
        # As in Connections: the working directory may change before the file is opened.
        self._open = partial(SqliteStore, os.path.abspath(path), link_days=link_days, timeout=timeout, clock=clock)  # noqa: PTH100 - .. stays as it is
        self._store: SqliteStore | None = None
        self._closed = False
        self.start_afresh()
        in_each_child(self)

    def start_afresh(self) -> None:
        """Have a thread; it does not survive a fork."""
        self._worker = _new_worker()

    async def rekey(self, pairs: Iterable[tuple[Digest, Digest]]) -> None:
        """See :class:`optoutkit.stores.hashed.Rekeyable`."""
        told = tuple(pairs)
        await self._run(lambda store: cast("SqliteStore", store).rekey(told))

    async def close(self) -> None:
        """See :meth:`optoutkit.OptOutStore.close`. What was called before is done first."""
        if not self._closed:
            self._closed = True
            closing = self._submit(self._close_store)
            self._worker.shutdown(wait=False)
            await closing

    async def _run(self, verb: Verb[T]) -> T:
        if self._closed:
            raise StoreClosed("the store is closed")
        return await self._submit(lambda: verb(self._opened()))

    def _submit(self, work: Callable[[], T]) -> Awaitable[T]:
        return outliving(self._worker.submit(work))

    def _opened(self) -> SqliteStore:
        if self._store is None:
            self._store = self._open()
        return self._store

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()


def _new_worker() -> ThreadPoolExecutor:
    """One thread, started by the first work it is given."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="optoutkit-sqlite")
