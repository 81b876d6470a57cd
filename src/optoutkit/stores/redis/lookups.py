"""Reading: what a lookup finds, and the pages of a scan. These are flows; no I/O is done here."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import heapify, heappop, heapreplace

import attrs

from optoutkit.flows import Flow
from optoutkit.identities import Identity
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores import rules
from optoutkit.stores.redis.cards import Card
from optoutkit.stores.redis.hashes import Hashes
from optoutkit.stores.redis.layout import card_field, is_address
from optoutkit.stores.rows import column_of, identity_of

__all__ = ["Scan", "look_up"]

_PAGE = 500
"""Identities in a page of a scan."""

_RUN = 64
"""How many identities of one part are fetched ahead."""

_NOTHING = Card()


def look_up(hashes: Hashes, asked: Mapping[str, Identity], seller: str, at: Callable[[], datetime]) -> Flow[dict[Identity, OptOut]]:
    """Tell which of the identities are opted out, in one to three round trips.

    The first one is enough, unless an order is linked to an address that was not asked for, or the orders of an address may have
    entries. Links are believed as they stand at the order; what stands at the address only says where to look.

    Args:
        hashes: Where to look.
        asked: The identities by their columns.
        seller: Whose list, beside the shared one.
        at: Tells the time that an entry must not have expired at; called only if it matters.
    """
    lists = (seller,) if seller == SHARED else (seller, SHARED)
    fields = tuple(map(card_field, lists))
    columns = list(asked)
    replies = yield from hashes.read((column, fields) for column in columns)
    if replies.count([None] * len(lists)) == len(replies):
        return {}
    desk = _Desk(lists, asked)
    desk.lay_out(columns, replies)
    there = list(desk.cards)
    for step in (desk.next_to, desk.beyond) if desk.is_linked else ():
        columns = sorted({further for column in there for further in step(column)} - desk.seen)
        if columns:
            desk.lay_out(columns, (yield from hashes.read((column, fields) for column in columns)))
    found = {}
    now = None
    for column in there:
        in_force = []
        for entry in desk.entries(column):
            if entry.expires_at is not None:
                now = now or at()
                if not entry.in_force(now):
                    continue
            in_force.append(entry)
        if in_force:
            found[asked[column]] = in_force[0] if len(in_force) == 1 else rules.best(in_force, asked[column])
    return found


class _Desk:
    """The cards of one or two lists, the first of which is the seller's own, as far as they have been fetched."""

    def __init__(self, lists: tuple[str, ...], asked: Mapping[str, Identity]) -> None:
        self._lists = lists
        self._asked = asked
        self.seen: set[str] = set()
        self.cards: dict[str, list[Card]] = {}
        self.is_linked = False  # whether anything leads anywhere

    def lay_out(self, columns: Sequence[str], replies: Sequence[Sequence[bytes | None]]) -> None:
        """Add what was fetched."""
        self.seen.update(columns)
        for column, values in zip(columns, replies, strict=True):
            if any(values):
                identity = self._asked.get(column) or identity_of(column)
                cards = []
                for raw, seller in zip(values, self._lists, strict=True):
                    card = _NOTHING if raw is None else Card.read(raw, identity, seller)
                    self.is_linked = self.is_linked or card.link is not None or bool(card.hot)
                    cards.append(card)
                self.cards[column] = cards

    def next_to(self, column: str) -> Iterator[str]:
        """The address of an order; the hot orders of an address."""
        for card in self.cards[column]:
            if card.link:
                yield card.link[0]
            yield from card.hot

    def beyond(self, column: str) -> Iterator[str]:
        """The hot orders of an order's address."""
        for number, card in enumerate(self.cards[column]):
            if card.link:
                yield from self._card(card.link[0], number).hot

    def entries(self, column: str) -> Iterable[OptOut]:
        """All entries that hold for an identity, expired ones too."""
        if self.is_linked:
            return self._linked_entries(column)
        return [entry for card in self.cards[column] for entry in card.entries.values()]

    def _linked_entries(self, column: str) -> Iterator[OptOut]:
        cluster: set[str] = set()
        for number in range(len(self._lists)):
            cluster |= self._cluster(column, number)  # links of the seller's list lead on to shared entries
            for member in cluster:
                yield from self._card(member, number).entries.values()

    def _cluster(self, column: str, number: int) -> set[str]:
        link = self._card(column, number).link
        address = column if is_address(column) else link and link[0]
        if not address:
            return {column}
        return {column, address, *(order for order in self._card(address, number).hot if self._is_linked(order, address, number))}

    def _is_linked(self, order: str, address: str, number: int) -> bool:
        link = self._card(order, number).link
        return link is not None and link[0] == address

    def _card(self, column: str, number: int) -> Card:
        cards = self.cards.get(column)
        return cards[number] if cards else _NOTHING


@attrs.define
class _Run:
    """The identities of one part, in order, as far as they have been fetched ahead."""

    slot: int
    index: bytes
    last: bytes
    ahead: deque[bytes] = attrs.field(factory=deque)
    done: bool = False


class Scan:
    """A walk through one list, in the order of the keys: the parts are merged, each of which is in order.

    Args:
        hashes: Where to look.
        seller: Whose list.
        after: Where to go on.
    """

    def __init__(self, hashes: Hashes, seller: str, after: Identity | None) -> None:
        self._hashes = hashes
        self._seller = seller
        last = b"-" if after is None else b"(" + column_of(after).encode()
        self._runs = [_Run(slot, index, last) for slot, index in hashes.layout.indexes(seller)]

    def page(self) -> Flow[list[OptOut]]:
        """The next entries; none at the end."""
        entries: list[OptOut] = []
        while not entries:
            columns = yield from self._columns()
            if not columns:
                break
            field = card_field(self._seller)
            replies = yield from self._hashes.read((column, (field,)) for column in columns)
            for column, (raw,) in zip(columns, replies, strict=True):
                card = Card.read(raw, identity_of(column), self._seller)
                entries += (card.entries[reason] for reason in sorted(card.entries))
        return entries

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
