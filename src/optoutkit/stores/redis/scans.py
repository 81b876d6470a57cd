"""The pages of a walk through a list, as flows: its entries, or its links."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from heapq import heapify, heappop, heapreplace
from typing import Generic, TypeVar, cast

import attrs

from optoutkit.flows import Flow
from optoutkit.identities import Identity
from optoutkit.optouts import OptOut
from optoutkit.stores.base import LinkPair
from optoutkit.stores.redis.cards import Card
from optoutkit.stores.redis.hashes import Hashes
from optoutkit.stores.redis.layout import card_field
from optoutkit.stores.rows import column_of, identity_of

__all__ = ["Scan", "scan_entries", "scan_links"]

T = TypeVar("T")

_PAGE = 500
"""Identities in a page."""

_RUN = 64
"""How many identities of one part are fetched ahead."""


@attrs.define
class _Run:
    """The identities of one part, in order, as far as they have been fetched ahead."""

    slot: int
    index: bytes
    last: bytes
    ahead: deque[bytes] = attrs.field(factory=deque)
    done: bool = False


class Scan(Generic[T]):
    """A walk in the order of the keys: the parts are merged, each of which is in order.

    Args:
        hashes: Where to look.
        seller: Whose list.
        indexes: Slots and keys of the sorted sets of its parts.
        after: Where to go on.
        take: What is wanted of a card.
    """

    def __init__(
        self,
        hashes: Hashes,
        seller: str,
        indexes: Iterable[tuple[int, bytes]],
        after: Identity | None,
        take: Callable[[Identity, Card], Iterator[T]],
    ) -> None:
        self._hashes = hashes
        self._seller = seller
        self._take = take
        last = b"-" if after is None else b"(" + column_of(after).encode()
        self._runs = [_Run(slot, index, last) for slot, index in indexes]

    def page(self) -> Flow[list[T]]:
        """The next ones; none at the end."""
        found: list[T] = []
        while not found:
            columns = yield from self._columns()
            if not columns:
                break
            field = card_field(self._seller)
            replies = yield from self._hashes.read((column, (field,)) for column in columns)
            for column, (raw,) in zip(columns, replies, strict=True):
                identity = identity_of(column)
                found += self._take(identity, Card.read(raw, identity, self._seller))
        return found

    def _columns(self) -> Flow[list[str]]:
        """The next identities, as many as are certain to be the next ones."""
        if any(not run.ahead and not run.done for run in self._runs):
            yield from self._fetch([run for run in self._runs if len(run.ahead) < _RUN // 2 and not run.done])
        merged: list[str] = []
        heads = [(run.ahead[0], number) for number, run in enumerate(self._runs) if run.ahead]
        heapify(heads)
        while heads and len(merged) < _PAGE:
            column, number = heads[0]
            merged.append(column.decode(errors="replace"))
            run = self._runs[number]
            run.ahead.popleft()
            if run.ahead:
                heapreplace(heads, (run.ahead[0], number))
            elif run.done:
                heappop(heads)
            else:
                break
        return merged

    def _fetch(self, runs: Iterable[_Run]) -> Flow[None]:
        asked = list(runs)
        ask = [(run.slot, (b"ZRANGEBYLEX", run.index, run.last, b"+", b"LIMIT", b"0", b"%d" % _RUN)) for run in asked]
        for run, columns in zip(asked, (yield from self._hashes.send(ask)), strict=True):
            run.ahead.extend(columns)
            run.done = len(columns) < _RUN
            if columns:
                run.last = b"(" + columns[-1]


def scan_entries(hashes: Hashes, seller: str, after: Identity | None) -> Scan[OptOut]:
    """A walk through the entries of a list."""
    return Scan(hashes, seller, hashes.layout.indexes(seller), after, _entries)


def scan_links(hashes: Hashes, seller: str) -> Scan[LinkPair]:
    """A walk through its links."""
    return Scan(hashes, seller, hashes.layout.link_indexes(seller), None, _link)


def _entries(_: Identity, card: Card) -> Iterator[OptOut]:
    return (card.entries[reason] for reason in sorted(card.entries))


def _link(order: Identity, card: Card) -> Iterator[LinkPair]:
    if card.link:
        yield cast("LinkPair", (order, identity_of(card.link[0])))
