"""What the stores that stand around another store have in common: verbs written once as flows, and two drivers for them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from optoutkit.flows import Flow, ask, run, run_async
from optoutkit.identities import Identity
from optoutkit.optouts import OptOut
from optoutkit.stores import arguments
from optoutkit.stores.base import AsyncOptOutStore, EraseReport, LinkPair, LinkReport, OptOutStore, RecordReport
from optoutkit.stores.inventory import TellsLinks, TellsSellers
from optoutkit.stores.requests import Erase, Link, Lookup, Record, Withdraw

__all__ = ["AsyncWrapper", "Verbs", "Wrapper", "asked_once"]

T = TypeVar("T")


class Verbs:
    """The verbs of a wrapper, free of I/O: by default each asks the store behind it the same. Subclasses change some of them."""

    def lookup(self, asked: tuple[Identity, ...], seller: str, at: datetime | None) -> Flow[Mapping[Identity, OptOut]]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        return (yield from ask(Lookup(asked, seller=seller, at=at)))

    def record(self, told: tuple[OptOut, ...]) -> Flow[RecordReport]:
        """See :meth:`optoutkit.OptOutStore.record`."""
        return (yield from ask(Record(told)))

    def link(self, told: tuple[LinkPair, ...], seller: str, *, replace: bool) -> Flow[LinkReport]:
        """See :meth:`optoutkit.OptOutStore.link`."""
        return (yield from ask(Link(told, seller=seller, replace=replace)))

    def withdraw(self, asked: tuple[Identity, ...], seller: str, why: str) -> Flow[int]:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        return (yield from ask(Withdraw(asked, seller=seller, why=why)))

    def erase(self, asked: tuple[Identity, ...], seller: str) -> Flow[EraseReport]:
        """See :meth:`optoutkit.OptOutStore.erase`."""
        return (yield from ask(Erase(asked, seller=seller)))

    def after(self, identity: Identity | None) -> Identity | None:
        """Where the store behind goes on with a scan."""
        return identity


class Wrapper:
    """The :class:`~optoutkit.OptOutStore` that does some :class:`Verbs` with the stores behind it, the first of which is the main one.

    It has the methods of :class:`TellsLinks` and :class:`TellsSellers` if the main store has them.
    """

    def __init__(self, verbs: Verbs, *stores: OptOutStore) -> None:
        self._verbs = verbs
        self._stores = stores
        # What not every store can tell, a wrapper tells if its main one can; it is looked for, and must not be there if that cannot.
        if isinstance(stores[0], TellsLinks):
            self.scan_links: Callable[..., Iterator[LinkPair]] = stores[0].scan_links
        if isinstance(stores[0], TellsSellers):
            self.sellers: Callable[[], Iterable[str]] = stores[0].sellers

    def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        return run(self._verbs.lookup(asked_once(identities), seller, at), self._perform)

    def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """See :meth:`optoutkit.OptOutStore.record`."""
        return run(self._verbs.record(tuple(arguments.storable(opt_outs))), self._perform)

    def link(self, pairs: Iterable[LinkPair], *, seller: str = "", replace: bool = False) -> LinkReport:
        """See :meth:`optoutkit.OptOutStore.link`."""
        return run(self._verbs.link(tuple(arguments.pairs_of(pairs)), seller, replace=replace), self._perform)

    def withdraw(self, identities: Iterable[Identity], *, seller: str = "", why: str = "") -> int:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        return run(self._verbs.withdraw(asked_once(identities), seller, why), self._perform)

    def erase(self, identities: Iterable[Identity], *, seller: str = "") -> EraseReport:
        """See :meth:`optoutkit.OptOutStore.erase`."""
        return run(self._verbs.erase(asked_once(identities), seller), self._perform)

    def scan(self, *, seller: str = "", after: Identity | None = None) -> Iterator[OptOut]:
        """See :meth:`optoutkit.OptOutStore.scan`."""
        return self._stores[0].scan(seller=seller, after=self._verbs.after(after))

    def health(self) -> None:
        """See :meth:`optoutkit.OptOutStore.health`."""
        for store in self._stores:
            store.health()

    def close(self) -> None:
        """Close the stores behind it."""
        for store in self._stores:
            store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _perform(self, request: Any) -> Any:
        return request.call(self._stores[0])


class AsyncWrapper:
    """The same for asyncio: the :class:`~optoutkit.AsyncOptOutStore` that does some :class:`Verbs` with the stores behind it."""

    def __init__(self, verbs: Verbs, *stores: AsyncOptOutStore) -> None:
        self._verbs = verbs
        self._stores = stores
        self._writes: set[asyncio.Task[Any]] = set()

    async def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        return await run_async(self._verbs.lookup(asked_once(identities), seller, at), self._perform)

    async def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """See :meth:`optoutkit.OptOutStore.record`."""
        return await self._write(self._verbs.record(tuple(arguments.storable(opt_outs))))

    async def link(self, pairs: Iterable[LinkPair], *, seller: str = "", replace: bool = False) -> LinkReport:
        """See :meth:`optoutkit.OptOutStore.link`."""
        return await self._write(self._verbs.link(tuple(arguments.pairs_of(pairs)), seller, replace=replace))

    async def withdraw(self, identities: Iterable[Identity], *, seller: str = "", why: str = "") -> int:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        return await self._write(self._verbs.withdraw(asked_once(identities), seller, why))

    async def erase(self, identities: Iterable[Identity], *, seller: str = "") -> EraseReport:
        """See :meth:`optoutkit.OptOutStore.erase`."""
        return await self._write(self._verbs.erase(asked_once(identities), seller))

    async def scan(self, *, seller: str = "", after: Identity | None = None) -> AsyncIterator[OptOut]:
        """See :meth:`optoutkit.OptOutStore.scan`."""
        async for entry in self._stores[0].scan(seller=seller, after=self._verbs.after(after)):
            yield entry

    async def health(self) -> None:
        """See :meth:`optoutkit.OptOutStore.health`."""
        for store in self._stores:
            await store.health()

    async def close(self) -> None:
        """Close the stores behind it, when writes under way are done."""
        while self._writes:
            await asyncio.wait(self._writes)
        for store in self._stores:
            await store.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def _perform(self, request: Any) -> Any:
        return await request.call(self._stores[0])

    async def _write(self, flow: Flow[T]) -> T:
        """Run a flow to its end, even if this await is cancelled."""
        task = asyncio.ensure_future(run_async(flow, self._perform))
        self._writes.add(task)
        task.add_done_callback(self._written)
        return await asyncio.shield(task)

    def _written(self, task: asyncio.Task[Any]) -> None:
        self._writes.discard(task)
        if not task.cancelled():
            task.exception()  # which nobody may be waiting for any more


def asked_once(identities: Iterable[Identity]) -> tuple[Identity, ...]:
    """The identities, each of which must be one, without repetitions."""
    asked = tuple(map(arguments.checked_identity, identities))
    return asked if len(asked) == 1 else tuple(dict.fromkeys(asked))
