"""What the tests of stores are driven with: a clock moved by hand, and one set of verbs for sync and async stores."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self, cast

from optoutkit.identities import Identity
from optoutkit.optouts import OptOut
from optoutkit.stores.base import AsyncOptOutStore, Clock, EraseReport, LinkPair, LinkReport, OptOutStore, RecordReport

__all__ = ["BlockingStore", "ManualClock", "StoreFactory", "all_at_once", "blocking"]

StoreFactory = Callable[[Clock], OptOutStore | AsyncOptOutStore]
"""Makes the store under test, which goes by the clock given."""


class ManualClock:
    """A clock that stands still until it is moved.

    Attributes:
        now: The time it shows (UTC); it begins at noon of 1 March 2026.
    """

    def __init__(self) -> None:
        self.now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now

    def advance(self, *, days: float = 0, seconds: float = 0) -> datetime:
        """Move on, and tell the new time."""
        self.now = self.now + timedelta(days=days, seconds=seconds)
        return self.now


class BlockingStore:
    """An async store with the verbs of a sync one, for tests: each call runs the event loop until it is done."""

    def __init__(self, store: AsyncOptOutStore) -> None:
        self._store = store
        self._runner = asyncio.Runner()

    def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        return self._runner.run(self._store.lookup(identities, seller=seller, at=at))

    def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """See :meth:`optoutkit.OptOutStore.record`."""
        return self._runner.run(self._store.record(opt_outs))

    def link(self, pairs: Iterable[LinkPair], *, seller: str = "", replace: bool = False) -> LinkReport:
        """See :meth:`optoutkit.OptOutStore.link`."""
        return self._runner.run(self._store.link(pairs, seller=seller, replace=replace))

    def withdraw(self, identities: Iterable[Identity], *, seller: str = "", why: str = "") -> int:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        return self._runner.run(self._store.withdraw(identities, seller=seller, why=why))

    def erase(self, identities: Iterable[Identity], *, seller: str = "") -> EraseReport:
        """See :meth:`optoutkit.OptOutStore.erase`."""
        return self._runner.run(self._store.erase(identities, seller=seller))

    def scan(self, *, seller: str = "", after: Identity | None = None) -> Iterator[OptOut]:
        """See :meth:`optoutkit.OptOutStore.scan`."""
        entries = self._store.scan(seller=seller, after=after)
        while (entry := self._runner.run(_next(entries))) is not None:
            yield entry

    def health(self) -> None:
        """See :meth:`optoutkit.OptOutStore.health`."""
        self._runner.run(self._store.health())

    def close(self) -> None:
        """See :meth:`optoutkit.OptOutStore.close`."""
        self._runner.run(self._store.close())

    def all_at_once(self, calls: Iterable[Callable[[Any], Awaitable[Any]]]) -> list[Any]:
        """Do something with the async store in many tasks at once."""

        async def gather() -> list[Any]:
            return await asyncio.gather(*(call(self._store) for call in calls))

        return self._runner.run(gather())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
        self._runner.close()


async def _next(entries: AsyncIterator[OptOut]) -> OptOut | None:
    return await anext(entries, None)


def blocking(store: OptOutStore | AsyncOptOutStore) -> OptOutStore:
    """The store as it is if it is a sync one, else with blocking verbs, so that one test serves both."""
    if inspect.iscoroutinefunction(store.lookup):
        return BlockingStore(cast("AsyncOptOutStore", store))
    return cast("OptOutStore", store)


def all_at_once(store: OptOutStore, calls: Sequence[Callable[[Any], Any]]) -> list[Any]:
    """Make many calls at once: from threads if the store is a sync one, from tasks if it is an async one."""
    if isinstance(store, BlockingStore):
        return store.all_at_once(calls)
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(lambda call: call(store), calls))
