"""The store that keeps everything in this process's memory: for tests, for trying out, for a cache that is filled at each start."""

import threading
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from types import TracebackType
from typing import Any, Self, cast

import attrs

from optoutkit.errors import InvalidUri, StoreClosed
from optoutkit.identities import Digest, Identity
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores import arguments, rules
from optoutkit.stores.asynchronous import AsyncStore, T, Verb
from optoutkit.stores.base import DEFAULT_LINK_DAYS, Clock, EraseReport, LinkPair, LinkReport, RecordReport, utc_now
from optoutkit.stores.uris import StoreUri

__all__ = ["MEMORY", "AsyncMemoryStore", "MemoryStore"]


@attrs.frozen
class _Withdrawal:
    """One chapter of an entry's history."""

    entry: OptOut
    at: datetime
    why: str


@attrs.frozen
class _List:
    """What is kept for one seller."""

    entries: dict[Identity, dict[Reason, OptOut]] = attrs.field(factory=dict)
    withdrawals: dict[Identity, dict[Reason, list[_Withdrawal]]] = attrs.field(factory=dict)
    addresses: dict[Identity, Identity] = attrs.field(factory=dict)  # of orders
    orders: dict[Identity, set[Identity]] = attrs.field(factory=lambda: defaultdict(set))  # of addresses

    def cluster(self, identity: Identity) -> frozenset[Identity]:
        return rules.cluster(identity, self.addresses.get, lambda address: self.orders.get(address, ()))

    def clusters(self, identities: Iterable[Identity]) -> set[Identity]:
        return {member for identity in identities for member in self.cluster(identity)}

    def entries_of(self, identities: Iterable[Identity]) -> Iterator[OptOut]:
        for identity in identities:
            yield from self.entries.get(identity, {}).values()

    def withdrawn_at(self, identity: Identity, reason: Reason) -> datetime | None:
        history = self.withdrawals.get(identity, {}).get(reason)
        return max(withdrawal.at for withdrawal in history) if history else None

    def rekey(self, old: Identity, new: Identity, now: datetime) -> None:
        for reason, entry in self.entries.pop(old, {}).items():
            told = attrs.evolve(entry, identity=new)
            known = self.entries.get(new, {}).get(reason)
            merged, _ = rules.admit(known, told, withdrawn_at=self.withdrawn_at(new, reason), now=now)
            if merged is not None:
                self.entries.setdefault(new, {})[reason] = merged
        for reason, history in self.withdrawals.pop(old, {}).items():
            self.withdrawals.setdefault(new, {}).setdefault(reason, []).extend(history)
        for order in self.orders.pop(old, ()):
            self.addresses[order] = new
            self.orders[new].add(order)
        if old in self.addresses:
            address = self.addresses[old]
            self.unlink(old)
            self.addresses.setdefault(new, address)
            self.orders[self.addresses[new]].add(new)

    def unlink(self, order: Identity) -> None:
        address = self.addresses.pop(order)
        self.orders[address].discard(order)
        if not self.orders[address]:
            del self.orders[address]


class MemoryStore:
    """An :class:`~optoutkit.OptOutStore` in memory: safe with many threads, and gone with the process.

    Args:
        link_days: For how many days a link that leads to no opt-out is kept after it was last learnt.
        clock: Tells the time; for tests.

    Raises:
        ValueError: ``link_days`` is less than 1.
    """

    def __init__(self, *, link_days: int = DEFAULT_LINK_DAYS, clock: Clock = utc_now) -> None:
        self._link_days = arguments.checked_link_days(link_days)
        self._clock = clock
        self._lock = threading.Lock()
        self._lists: dict[str, _List] = {}
        self._link_days_learnt: dict[tuple[str, Identity], int] = {}  # by seller and order, the longest ago first
        self._closed = False

    def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        asked = dict.fromkeys(map(arguments.checked_identity, identities))
        at = arguments.aware(at or self._clock())
        with self._lock:
            own, shared = self._list(seller), self._list(SHARED)
            found = {}
            for identity in asked:
                cluster = own.cluster(identity)
                entries = [*own.entries_of(cluster), *shared.entries_of(cluster | shared.cluster(identity))]
                in_force = [entry for entry in entries if entry.in_force(at)]
                if in_force:
                    found[identity] = rules.best(in_force, identity)
            return found

    def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """See :meth:`optoutkit.OptOutStore.record`."""
        told = arguments.storable(opt_outs)
        now = self._clock()
        new = 0
        with self._lock:
            for opt_out in told:
                kept = self._list(opt_out.seller, create=True)
                known = kept.entries.get(opt_out.identity, {}).get(opt_out.reason)
                withdrawn_at = kept.withdrawn_at(opt_out.identity, opt_out.reason)
                entry, is_new = rules.admit(known, opt_out, withdrawn_at=withdrawn_at, now=now)
                new += is_new
                if entry is not None:
                    kept.entries.setdefault(entry.identity, {})[entry.reason] = entry
            self._forget_links(now, len(told))
        return RecordReport(new=new, known=len(told) - new)

    def link(self, pairs: Iterable[LinkPair], *, seller: str = "", replace: bool = False) -> LinkReport:
        """See :meth:`optoutkit.OptOutStore.link`."""
        told = arguments.pairs_of(pairs)
        now = self._clock()
        today = rules.link_day(now)
        outcomes: Counter[str] = Counter()
        contradicted = []
        with self._lock:
            kept = self._list(seller, create=True)
            for order, address in told:
                known = kept.addresses.get(order)
                outcome = rules.judge_link(known, address, replace=replace)
                outcomes[outcome] += 1
                if outcome == "contradicted":
                    contradicted.append(order)
                    continue
                if known is not None:
                    kept.unlink(order)
                kept.addresses[order] = address
                kept.orders[address].add(order)
                self._link_days_learnt.pop((seller, order), None)
                self._link_days_learnt[seller, order] = today
            self._forget_links(now, len(told))
        return LinkReport(new=outcomes["new"], known=outcomes["known"], contradicted=tuple(contradicted))

    def withdraw(self, identities: Iterable[Identity], *, seller: str = "", why: str = "") -> int:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        asked = dict.fromkeys(map(arguments.checked_identity, identities))
        why = arguments.clean(why)
        now = self._clock()
        count = 0
        with self._lock:
            kept = self._list(seller)
            for identity in kept.clusters(asked):
                for entry in kept.entries.pop(identity, {}).values():
                    history = kept.withdrawals.setdefault(identity, {}).setdefault(entry.reason, [])
                    history.append(_Withdrawal(entry, now, why))
                    count += 1
            self._forget_links(now, len(asked))
        return count

    def erase(self, identities: Iterable[Identity], *, seller: str = "") -> EraseReport:
        """See :meth:`optoutkit.OptOutStore.erase`."""
        asked = dict.fromkeys(map(arguments.checked_identity, identities))
        count = 0
        with self._lock:
            kept = self._list(seller)
            for identity in kept.clusters(asked):
                count += len(kept.entries.pop(identity, {}).keys() | kept.withdrawals.pop(identity, {}).keys())
                if identity in kept.addresses:
                    kept.unlink(identity)
                    del self._link_days_learnt[seller, identity]
            self._forget_links(self._clock(), len(asked))
        return EraseReport(erased=count)

    def scan(self, *, seller: str = "", after: Identity | None = None) -> Iterator[OptOut]:
        """See :meth:`optoutkit.OptOutStore.scan`."""
        with self._lock:
            there = sorted(self._list(seller).entries, key=lambda identity: identity.key)
        start = 0 if after is None else bisect_right(there, after.key, key=lambda identity: identity.key)
        for identity in islice(there, start, None):
            with self._lock:
                entries = list(self._list(seller).entries_of([identity]))
            yield from sorted(entries, key=lambda entry: -entry.reason.strength)

    def scan_links(self, *, seller: str = "") -> Iterator[LinkPair]:
        """See :class:`optoutkit.stores.TellsLinks`."""
        with self._lock:
            links = list(self._list(seller).addresses.items())
        yield from cast("list[LinkPair]", links)

    def sellers(self) -> list[str]:
        """See :class:`optoutkit.stores.TellsSellers`."""
        with self._lock:
            self._list(SHARED)
            return sorted(self._lists)

    def rekey(self, pairs: Iterable[tuple[Digest, Digest]]) -> None:
        """See :class:`optoutkit.stores.hashed.Rekeyable`."""
        names = arguments.rekey_pairs(pairs)
        now = self._clock()
        with self._lock:
            self._list(SHARED)
            for old, new in names:
                for kept in self._lists.values():
                    kept.rekey(old, new, now)
            renamed: dict[Identity, Identity] = dict(names)
            days: dict[tuple[str, Identity], int] = {}
            for (seller, order), day in self._link_days_learnt.items():
                days.setdefault((seller, renamed.get(order, order)), day)
            self._link_days_learnt = days

    def health(self) -> None:
        """See :meth:`optoutkit.OptOutStore.health`."""
        with self._lock:
            self._list(SHARED)

    def close(self) -> None:
        """See :meth:`optoutkit.OptOutStore.close`."""
        with self._lock:
            self._closed = True
            self._lists.clear()
            self._link_days_learnt.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _list(self, seller: str, *, create: bool = False) -> _List:
        if self._closed:
            raise StoreClosed("the store is closed")
        kept = self._lists.get(arguments.checked_seller(seller)) or _List()
        if create:
            self._lists[seller] = kept
        return kept

    def _forget_links(self, now: datetime, written: int) -> None:
        """Look at the oldest links that are due; see :func:`rules.oldest_day_kept`."""
        due_before = rules.oldest_day_kept(now, self._link_days)
        for (seller, order), day in list(islice(self._link_days_learnt.items(), rules.links_to_review(written))):
            if day >= due_before:
                break
            del self._link_days_learnt[seller, order]
            kept = self._lists[seller]
            ends = (order, kept.addresses[order])
            if any(entry.in_force(now) for entries in (kept, self._list(SHARED)) for entry in entries.entries_of(ends)):
                self._link_days_learnt[seller, order] = rules.link_day(now)
            else:
                kept.unlink(order)


class AsyncMemoryStore(AsyncStore):
    """The :class:`~optoutkit.AsyncOptOutStore` in memory; nothing in it waits.

    Args:
        link_days: See :class:`MemoryStore`.
        clock: See :class:`MemoryStore`.
    """

    def __init__(self, *, link_days: int = DEFAULT_LINK_DAYS, clock: Clock = utc_now) -> None:
        self._store = MemoryStore(link_days=link_days, clock=clock)

    async def rekey(self, pairs: Iterable[tuple[Digest, Digest]]) -> None:
        """See :class:`optoutkit.stores.hashed.Rekeyable`."""
        self._store.rekey(pairs)

    async def _run(self, verb: Verb[T]) -> T:
        return verb(self._store)


class _Memory:
    """The backend of ``memory://``; each store that is opened is a new one."""

    def open(self, uri: str) -> MemoryStore:
        return MemoryStore(**_options(uri))

    def open_async(self, uri: str) -> AsyncMemoryStore:
        return AsyncMemoryStore(**_options(uri))


def _options(uri: str) -> dict[str, Any]:
    parsed = StoreUri.parse(uri)
    if parsed.host or parsed.path:
        raise InvalidUri("a store in memory has no name: write memory://")
    return parsed.keywords(link_days=arguments.read_link_days)


MEMORY = _Memory()
"""What the entry point ``memory`` names."""
