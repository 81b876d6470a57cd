"""An opt-out store in one JSON file: an example of a backend, small enough to read, and held to the whole contract by the tests.

It reads and writes the whole file each time, under a lock, so it is for short lists.
"""

import asyncio
import contextlib
import fcntl
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from optoutkit import SHARED, Identity, OptOut, Reason
from optoutkit.errors import StoreClosed, StoreCorrupt, StoreUnavailable
from optoutkit.identities import identity_from_key
from optoutkit.stores import AsyncOptOutStore, EraseReport, LinkReport, OptOutStore, RecordReport, arguments, rules
from optoutkit.stores.asynchronous import AsyncStore, T, Verb
from optoutkit.stores.base import DEFAULT_LINK_DAYS, Clock, LinkPair, utc_now
from optoutkit.stores.uris import StoreUri

# What is kept for one seller: {"entries": {key: {reason: [since, expires_at, verified, source]}},
# "withdrawn": {key: {reason: [[at, why], …]}}, "links": {order key: [address key, day]}}
List = dict[str, dict[str, Any]]


class JsonStore:
    """An :class:`optoutkit.OptOutStore` in a JSON file."""

    def __init__(self, path: str | os.PathLike[str], *, link_days: int = DEFAULT_LINK_DAYS, clock: Clock = utc_now) -> None:
        self._path = Path(path).absolute()
        self._link_days = arguments.checked_link_days(link_days)
        self._clock = clock
        self._closed = False

    # The verbs

    def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        asked = dict.fromkeys(map(arguments.checked_identity, identities))
        at = arguments.aware(at or self._clock())
        found = {}
        with self._open() as lists:
            own, shared = _list(lists, seller), _list(lists, SHARED)
            for identity in asked:
                cluster = _cluster(own, identity)  # links of the seller's list lead to entries of both lists
                entries = [*_entries(own, seller, cluster), *_entries(shared, SHARED, cluster | _cluster(shared, identity))]
                if in_force := [entry for entry in entries if entry.in_force(at)]:
                    found[identity] = rules.best(in_force, identity)
        return found

    def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """See :meth:`optoutkit.OptOutStore.record`."""
        told = arguments.storable(opt_outs)
        now = self._clock()
        new = 0
        with self._open(write=True) as lists:
            for opt_out in told:
                kept = _list(lists, opt_out.seller)
                key, reason = opt_out.identity.key, opt_out.reason.value
                known = next((entry for entry in _entries(kept, opt_out.seller, [opt_out.identity]) if entry.reason == reason), None)
                withdrawals = kept["withdrawn"].get(key, {}).get(reason, [])
                withdrawn_at = max((datetime.fromisoformat(at) for at, _ in withdrawals), default=None)
                entry, is_new = rules.admit(known, opt_out, withdrawn_at=withdrawn_at, now=now)
                new += is_new
                if entry is not None:
                    row = [_text(entry.since), _text(entry.expires_at), entry.verified, entry.source]
                    kept["entries"].setdefault(key, {})[reason] = row
            self._review_links(lists, now, len(told))
        return RecordReport(new=new, known=len(told) - new)

    def link(self, pairs: Iterable[LinkPair], *, seller: str = "", replace: bool = False) -> LinkReport:
        """See :meth:`optoutkit.OptOutStore.link`."""
        told = arguments.pairs_of(pairs)
        arguments.checked_seller(seller)
        now = self._clock()
        outcomes: Counter[str] = Counter()
        contradicted = []
        with self._open(write=True) as lists:
            links = _list(lists, seller)["links"]
            for order, address in told:
                outcome = rules.judge_link(links.get(order.key, [None])[0], address.key, replace=replace)
                outcomes[outcome] += 1
                if outcome == "contradicted":
                    contradicted.append(order)
                else:
                    links[order.key] = [address.key, rules.link_day(now)]
            self._review_links(lists, now, len(told))
        return LinkReport(new=outcomes["new"], known=outcomes["known"], contradicted=tuple(contradicted))

    def withdraw(self, identities: Iterable[Identity], *, seller: str = "", why: str = "") -> int:
        """See :meth:`optoutkit.OptOutStore.withdraw`."""
        asked = list(map(arguments.checked_identity, identities))
        now = self._clock()
        count = 0
        with self._open(write=True) as lists:
            kept = _list(lists, seller)
            for identity in _clusters(kept, asked):
                for reason in kept["entries"].pop(identity.key, {}):
                    history = kept["withdrawn"].setdefault(identity.key, {}).setdefault(reason, [])
                    history.append([_text(now), arguments.clean(why)])
                    count += 1
            self._review_links(lists, now, len(asked))
        return count

    def erase(self, identities: Iterable[Identity], *, seller: str = "") -> EraseReport:
        """See :meth:`optoutkit.OptOutStore.erase`."""
        asked = list(map(arguments.checked_identity, identities))
        count = 0
        with self._open(write=True) as lists:
            kept = _list(lists, seller)
            for identity in _clusters(kept, asked):
                count += len(kept["entries"].pop(identity.key, {}).keys() | kept["withdrawn"].pop(identity.key, {}).keys())
                kept["links"].pop(identity.key, None)
            self._review_links(lists, self._clock(), len(asked))
        return EraseReport(erased=count)

    def scan(self, *, seller: str = "", after: Identity | None = None) -> Iterator[OptOut]:
        """See :meth:`optoutkit.OptOutStore.scan`."""
        with self._open() as lists:
            kept = _list(lists, seller)
        for key in sorted(kept["entries"]):
            if after is None or key > after.key:
                yield from sorted(_entries(kept, seller, [identity_from_key(key)]), key=lambda entry: -entry.reason.strength)

    def health(self) -> None:
        """See :meth:`optoutkit.OptOutStore.health`."""
        with self._open(write=True):
            pass

    def close(self) -> None:
        """See :meth:`optoutkit.OptOutStore.close`."""
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # The file

    @contextlib.contextmanager
    def _open(self, *, write: bool = False) -> Iterator[dict[str, List]]:
        """The lists by seller, under a lock; written when the block ends, if they are to be."""
        if self._closed:
            raise StoreClosed(f"{self._path}: the store is closed")
        try:
            with self._path.with_suffix(".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX if write else fcntl.LOCK_SH)
                lists = self._read()
                yield lists
                if write:
                    self._replace(json.dumps(lists).encode())
        except OSError as error:  # no driver's own error leaves a store
            raise StoreUnavailable(f"{self._path}: {error.strerror}") from error

    def _read(self) -> dict[str, List]:
        try:
            return json.loads(self._path.read_bytes()) if self._path.exists() else {}
        except ValueError as error:
            raise StoreCorrupt(f"{self._path}: it is damaged: restore it from a backup") from error

    def _replace(self, content: bytes) -> None:
        """All of it or nothing, and on the disk when this returns."""
        temporary = self._path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def _review_links(self, lists: dict[str, List], now: datetime, written: int) -> None:
        """Forget links that have led to no opt-out for long; a bounded number of them."""
        due = [
            (day, seller, order, address)
            for seller, kept in lists.items()
            for order, (address, day) in kept["links"].items()
            if day < rules.oldest_day_kept(now, self._link_days)
        ]
        for _, seller, order, address in sorted(due)[: rules.links_to_review(written)]:
            ends = [identity_from_key(order), identity_from_key(address)]
            entries = [*_entries(lists[seller], seller, ends), *_entries(_list(lists, SHARED), SHARED, ends)]
            if any(entry.in_force(now) for entry in entries):
                lists[seller]["links"][order] = [address, rules.link_day(now)]
            else:
                del lists[seller]["links"][order]


def _list(lists: dict[str, List], seller: str) -> List:
    return lists.setdefault(arguments.checked_seller(seller), {"entries": {}, "withdrawn": {}, "links": {}})


def _cluster(kept: List, identity: Identity) -> frozenset[Identity]:
    def address_of(order: Identity) -> Identity | None:
        link = kept["links"].get(order.key)
        return identity_from_key(link[0]) if link else None

    def orders_of(address: Identity) -> list[Identity]:
        return [identity_from_key(order) for order, (linked, _) in kept["links"].items() if linked == address.key]

    return rules.cluster(identity, address_of, orders_of)


def _clusters(kept: List, identities: Iterable[Identity]) -> set[Identity]:
    return {member for identity in identities for member in _cluster(kept, identity)}


def _entries(kept: List, seller: str, identities: Iterable[Identity]) -> Iterator[OptOut]:
    for identity in identities:
        for reason, (since, expires_at, verified, source) in kept["entries"].get(identity.key, {}).items():
            yield OptOut(
                identity, seller, reason=Reason(reason), since=_time(since), expires_at=_time(expires_at), verified=verified, source=source
            )


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


class AsyncJsonStore(AsyncStore):
    """The same for asyncio: the blocking store, in a thread."""

    def __init__(self, path: str | os.PathLike[str], *, link_days: int = DEFAULT_LINK_DAYS, clock: Clock = utc_now) -> None:
        self._store = JsonStore(path, link_days=link_days, clock=clock)

    async def _run(self, verb: Verb[T]) -> T:
        # The write goes on if the await is cancelled: a thread cannot be stopped.
        return await asyncio.to_thread(verb, self._store)


class _Backend:
    """``json:///relative.json`` and ``json:////absolute.json``."""

    def open(self, uri: str) -> OptOutStore:
        """See :class:`optoutkit.stores.Backend`."""
        return _made(JsonStore, uri)

    def open_async(self, uri: str) -> AsyncOptOutStore:
        """See :class:`optoutkit.stores.Backend`."""
        return _made(AsyncJsonStore, uri)


def _made(kind: Callable[..., T], uri: str) -> T:
    parsed = StoreUri.parse(uri)
    return kind(parsed.path, **parsed.keywords(link_days=arguments.read_link_days))


BACKEND = _Backend()
