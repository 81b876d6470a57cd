"""The async verbs, written once for every backend whose work is done by a blocking store."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import Future
from datetime import datetime
from itertools import islice
from types import TracebackType
from typing import Self, TypeVar

from optoutkit.identities import Identity
from optoutkit.optouts import OptOut
from optoutkit.stores.base import EraseReport, LinkPair, LinkReport, OptOutStore, RecordReport

__all__ = ["AsyncStore", "T", "Verb", "outliving"]

T = TypeVar("T")

Verb = Callable[[OptOutStore], T]
"""Something to do with a blocking store."""

_PAGE = 500  # entries of a scan that are fetched in one go


class AsyncStore(ABC):
    """An :class:`~optoutkit.AsyncOptOutStore` over a blocking store.

    A subclass says in :meth:`_run` where the blocking work is done.
    """

    @abstractmethod
    async def _run(self, verb: Verb[T]) -> T:
        """Do something with the blocking store, without blocking the event loop for long."""

    async def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        asked = tuple(identities)
        return await self._run(lambda store: store.lookup(asked, seller=seller, at=at))

    async def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """See :meth:`optoutkit.OptOutStore.record`."""
        told = tuple(opt_outs)
        return await self._run(lambda store: store.record(told))

    async def link(self, pairs: Iterable[LinkPair], *, seller: str = "", replace: bool = False) -> LinkReport:
        """See :meth:`optoutkit.OptOutStore.link`."""
        told = tuple(pairs)
        return await self._run(lambda store: store.link(told, seller=seller, replace=replace))

    async def withdraw(self, identities: Iterable[Identity], *, seller: str = "", why: str = "") -> int:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        asked = tuple(identities)
        return await self._run(lambda store: store.withdraw(asked, seller=seller, why=why))

    async def erase(self, identities: Iterable[Identity], *, seller: str = "") -> EraseReport:
        """See :meth:`optoutkit.OptOutStore.erase`."""
        asked = tuple(identities)
        return await self._run(lambda store: store.erase(asked, seller=seller))

    async def scan(self, *, seller: str = "", after: Identity | None = None) -> AsyncIterator[OptOut]:
        """See :meth:`optoutkit.OptOutStore.scan`."""
        entries = await self._run(lambda store: store.scan(seller=seller, after=after))
        while page := await self._run(lambda _: list(islice(entries, _PAGE))):
            for entry in page:
                yield entry

    async def health(self) -> None:
        """See :meth:`optoutkit.OptOutStore.health`."""
        await self._run(lambda store: store.health())

    async def close(self) -> None:
        """See :meth:`optoutkit.OptOutStore.close`."""
        await self._run(lambda store: store.close())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()


def outliving(work: "Future[T] | asyncio.Future[T]") -> "asyncio.Future[T]":
    """Await work of another thread or task, which goes on if the ``await`` is cancelled; if it fails then, asyncio logs nothing."""
    future = asyncio.wrap_future(work)
    future.add_done_callback(_take_error)
    return asyncio.shield(future)


def _take_error(future: "asyncio.Future[T]") -> None:
    if not future.cancelled():
        future.exception()
