"""A store that remembers for a while what the store behind it answered."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import Any

import attrs
from cachetools import LRUCache

from optoutkit.flows import Flow, Request, ask, run, run_async
from optoutkit.identities import Identity
from optoutkit.optouts import OptOut
from optoutkit.stores.asynchronous import outliving
from optoutkit.stores.base import AsyncOptOutStore, Clock, EraseReport, LinkPair, LinkReport, OptOutStore, RecordReport, utc_now
from optoutkit.stores.forks import in_each_child
from optoutkit.stores.requests import Lookup
from optoutkit.stores.wrapping import AsyncWrapper, Verbs, Wrapper, asked_once

__all__ = ["DEFAULT_SIZE", "AsyncCachedStore", "CachedStore"]

DEFAULT_SIZE = 100_000
"""How many answers of each kind are kept."""

_Name = tuple[str, str]  # a seller and the key of an identity


@attrs.define(eq=False)
class _Flight:
    """One question under way to the store behind, in which whoever wants to know the same joins."""

    began: int
    began_at: float
    version: int = 0
    landed: "Future[Mapping[str, OptOut] | None]" = attrs.field(factory=Future)


@attrs.frozen
class _Landing(Request[Mapping[str, OptOut] | None]):
    """What a flight of somebody else's brings, by key; None if it was abandoned."""

    landed: "Future[Mapping[str, OptOut] | None]"


class _CachingVerbs(Verbs):
    """What is known, and who is just being asked about.

    A lookup that begins after a write has returned must not get an answer from before. So a write drops the flights that are under
    way, and moves the version, without which what they bring is not kept.
    """

    def __init__(self, *, ttl: float, negative_ttl: float, size: int, clock: Clock, timer: Callable[[], float]) -> None:
        if not (ttl > 0 and negative_ttl >= 0 and size > 0):
            raise ValueError("a cache needs a ttl and a size above 0, and a negative_ttl of at least 0")
        self._ttl = ttl
        self._negative_ttl = negative_ttl
        self._size = size
        self._clock = clock
        self._timer = timer
        self.start_afresh()
        in_each_child(self)

    def start_afresh(self) -> None:
        """Know nothing, and wait for nobody."""
        self._lock = threading.Lock()
        self._hits: LRUCache[_Name, tuple[OptOut, float]] = LRUCache(self._size)
        self._misses: LRUCache[_Name, float] = LRUCache(self._size)
        self._flights: dict[_Name, _Flight] = {}
        self._beginnings = 0
        self._version = 0

    def known(self, asked: Iterable[Identity], seller: str) -> tuple[dict[Identity, OptOut], list[Identity]]:
        """Answer from memory as far as that goes; the rest is the second value."""
        found: dict[Identity, OptOut] = {}
        unknown: list[Identity] = []
        hits, misses = self._hits, self._misses
        now = self._timer()
        with self._lock:
            for identity in asked:
                name = (seller, identity.key)
                if name not in hits:  # asked before, as an error takes longer than the rest
                    if name not in misses or misses[name] <= now:
                        unknown.append(identity)
                    continue
                entry, until = hits[name]
                if until > now and (entry.expires_at is None or entry.in_force(self._clock())):
                    found[identity] = entry
                else:
                    unknown.append(identity)
        return found, unknown

    def find_out(self, found: dict[Identity, OptOut], unknown: list[Identity], seller: str) -> Flow[Mapping[Identity, OptOut]]:
        """Complete what is known."""
        began = self._begin()
        while unknown:
            flight, mine, others = self._board(unknown, seller)
            if mine:
                found.update((yield from self._fly(flight, mine, seller)))
            again: list[Identity] = []
            for other, passengers in others.items():
                landed = yield from ask(_Landing(other.landed))
                for identity in passengers:
                    entry = None if landed is None else landed.get(identity.key)
                    if entry is not None:
                        found[identity] = entry
                    elif landed is None or not self._is_fresh(other, began):
                        again.append(identity)
            known, unknown = self.known(again, seller)  # somebody may have been faster
            found.update(known)
        return found

    def record(self, told: tuple[OptOut, ...]) -> Flow[RecordReport]:
        """See :meth:`optoutkit.OptOutStore.record`."""
        try:
            return (yield from super().record(told))
        finally:
            self._forget((opt_out.seller, opt_out.identity) for opt_out in told)

    def link(self, told: tuple[LinkPair, ...], seller: str, *, replace: bool) -> Flow[LinkReport]:
        """See :meth:`optoutkit.OptOutStore.link`."""
        try:
            return (yield from super().link(told, seller, replace=replace))
        finally:
            self._forget((seller, identity) for pair in told for identity in pair)

    def withdraw(self, asked: tuple[Identity, ...], seller: str, why: str) -> Flow[int]:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        try:
            return (yield from super().withdraw(asked, seller, why))
        finally:
            self.forget_all()

    def erase(self, asked: tuple[Identity, ...], seller: str) -> Flow[EraseReport]:
        """See :meth:`optoutkit.OptOutStore.erase`."""
        try:
            return (yield from super().erase(asked, seller))
        finally:
            self.forget_all()

    def forget_all(self) -> None:
        """Ask anew about everybody."""
        with self._lock:
            self._hits.clear()
            self._start_version()

    def _forget(self, told: Iterable[tuple[str, Identity]]) -> None:
        """Ask anew about whoever is not known to be opted out, and about those who were named, so that their entries are the latest."""
        with self._lock:
            self._start_version()
            for seller, identity in told:
                self._hits.pop((seller, identity.key), None)

    def _start_version(self) -> None:
        self._version += 1
        self._flights.clear()
        self._misses.clear()

    def _begin(self) -> int:
        with self._lock:
            self._beginnings += 1
            return self._beginnings

    def _board(self, unknown: list[Identity], seller: str) -> tuple[_Flight, list[Identity], dict[_Flight, list[Identity]]]:
        """Join the flights that are under way; whoever nobody asks about goes into a new one."""
        flight = _Flight(began=self._begin(), began_at=self._timer())
        mine: list[Identity] = []
        others: dict[_Flight, list[Identity]] = defaultdict(list)
        with self._lock:
            flight.version = self._version
            for identity in unknown:
                other = self._flights.setdefault((seller, identity.key), flight)
                (mine if other is flight else others[other]).append(identity)
        return flight, mine, others

    def _fly(self, flight: _Flight, mine: list[Identity], seller: str) -> Flow[Mapping[Identity, OptOut]]:
        """Ask the store behind, and tell those who joined, who ask again themselves if it is broken off."""
        brought: dict[str, OptOut] | None = None
        problem: Exception | None = None
        try:
            answer = yield from ask(Lookup(tuple(mine), seller=seller))
        except Exception as error:
            problem = error
            raise
        else:
            brought = {identity.key: entry for identity, entry in answer.items()}
            return answer
        finally:
            self._land(flight, [(seller, identity.key) for identity in mine], brought)
            if problem is None:
                flight.landed.set_result(brought)
            else:
                flight.landed.set_exception(problem)

    def _land(self, flight: _Flight, names: list[_Name], brought: Mapping[str, OptOut] | None) -> None:
        with self._lock:
            for name in names:
                if self._flights.get(name) is flight:
                    del self._flights[name]
            if brought is None or flight.version != self._version:
                return
            for name in names:
                entry = brought.get(name[1])
                if entry is not None:
                    self._hits[name] = (entry, flight.began_at + self._ttl)
                    continue
                self._hits.pop(name, None)
                if self._negative_ttl:
                    self._misses[name] = flight.began_at + self._negative_ttl

    def _is_fresh(self, flight: _Flight, began: int) -> bool:
        """Whether a miss that a flight brought is an answer for a lookup that began then: if it is from later, or not too old."""
        return flight.began > began or flight.began_at + self._negative_ttl > self._timer()


class CachedStore(Wrapper):
    """An :class:`~optoutkit.OptOutStore` that remembers for a while what another one answered.

    What it keeps can be stale in one direction only: an opt-out that was taken back elsewhere withholds mail until it is
    forgotten. That somebody is *not* opted out is kept for ``negative_ttl`` seconds at most, from the time at which the store
    behind was asked; so long another process's new opt-out can go unseen, and by default not at all. What is written through this
    store counts at once: ``record`` and ``link`` drop all that says "not opted out", ``withdraw`` and ``erase`` drop everything.

    Threads that ask about the same buyer at the same time share one question to the store behind. A lookup with ``at`` is passed on.

    Args:
        store: The store behind; it is closed with this one.
        ttl: For how many seconds an opt-out is kept.
        negative_ttl: For how many seconds it is kept that there is none.
        size: How many answers of each of the two kinds are kept; those that were not asked for the longest go first.
        clock: Tells the time by which opt-outs expire; for tests.
        timer: Tells seconds for ``ttl`` and ``negative_ttl``; for tests.

    Raises:
        ValueError: ``ttl`` or ``size`` is not above 0, or ``negative_ttl`` is below.

    Example:
        >>> store = CachedStore(open_store("memory://"), ttl=300, negative_ttl=5)
        >>> store.record([OptOut(Address("buyer@example.com"))]).new
        1
    """

    _verbs: _CachingVerbs

    def __init__(
        self,
        store: OptOutStore,
        ttl: float,
        negative_ttl: float = 0,
        *,
        size: int = DEFAULT_SIZE,
        clock: Clock = utc_now,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(_CachingVerbs(ttl=ttl, negative_ttl=negative_ttl, size=size, clock=clock, timer=timer), store)

    def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        asked = asked_once(identities)
        if at is not None or not asked:
            return self._stores[0].lookup(asked, seller=seller, at=at)
        found, unknown = self._verbs.known(asked, seller)
        return run(self._verbs.find_out(found, unknown, seller), self._perform) if unknown else found

    def close(self) -> None:
        """Close the store behind it, and forget all."""
        super().close()
        self._verbs.forget_all()

    def _perform(self, request: Any) -> Any:
        return request.landed.result() if isinstance(request, _Landing) else super()._perform(request)


class AsyncCachedStore(AsyncWrapper):
    """The same for asyncio, around an :class:`~optoutkit.AsyncOptOutStore`: see :class:`CachedStore`."""

    _verbs: _CachingVerbs

    def __init__(
        self,
        store: AsyncOptOutStore,
        ttl: float,
        negative_ttl: float = 0,
        *,
        size: int = DEFAULT_SIZE,
        clock: Clock = utc_now,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(_CachingVerbs(ttl=ttl, negative_ttl=negative_ttl, size=size, clock=clock, timer=timer), store)

    async def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        asked = asked_once(identities)
        if at is not None or not asked:
            return await self._stores[0].lookup(asked, seller=seller, at=at)
        found, unknown = self._verbs.known(asked, seller)
        return await run_async(self._verbs.find_out(found, unknown, seller), self._perform) if unknown else found

    async def close(self) -> None:
        """Close the store behind it, and forget all."""
        await super().close()
        self._verbs.forget_all()

    async def _perform(self, request: Any) -> Any:
        if isinstance(request, _Landing):
            return await outliving(request.landed)  # others wait for it as well
        return await super()._perform(request)
