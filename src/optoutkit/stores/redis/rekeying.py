"""Giving identities another name. These are flows.

The two names are in different parts, so that nothing moves at once. What is under the old name is first put under the new one as
well, and taken away there only if nobody has changed it meanwhile; else all of that is done again, which does no harm. So whoever
asks for both names finds it under one of them, also if this breaks off in between.

Somebody else may be moving the same the other way. So what comes to a name bears a new stamp: else two could find what they wanted to
put there already, each where the other one is about to take it away.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from secrets import token_hex

import attrs

from optoutkit.flows import Flow
from optoutkit.optouts import SHARED
from optoutkit.stores import rules
from optoutkit.stores.redis.cards import Card
from optoutkit.stores.redis.hashes import CHUNK, Change, Hashes
from optoutkit.stores.redis.layout import address_field, card_field, history_field, is_address, orders_in
from optoutkit.stores.redis.links import Links, Order
from optoutkit.stores.redis.scripts import Pair
from optoutkit.stores.rows import identity_of

__all__ = ["Rekeying"]

Names = tuple[str, str]
"""The columns of an old and a new name."""

End = tuple[str, str, str, int]
"""A link, as seller, address, order and day."""


@attrs.frozen
class _Move:
    """What one list has under an old and a new name.

    Attributes:
        seller: Whose list.
        names: The names.
        old: What the list has under the old one.
        merged: What it is to have under the new one.
        fields: The fields of the old name's hash, those of other lists too.
        expected: Those of the new one that were read.
    """

    seller: str
    names: Names
    old: Card
    merged: Card
    fields: Mapping[bytes, bytes]
    expected: Sequence[Pair]

    def take(self, more: Iterable[Pair] = ()) -> Change:
        """Puts all under the new name."""
        (field, _), (history, there) = self.expected
        moved = self.fields.get(history, b"")
        values = [(field, self.merged.write()), (history, there if moved in there else there + moved), *more]
        linked = None if is_address(self.names[1]) else self.merged.link is not None
        return Change(self.names[1], self.expected, values, self.seller, indexed=bool(self.merged.entries), linked=linked)

    def leave(self) -> Change:
        """Takes all away from the old name."""
        fields = [card_field(self.seller), history_field(self.seller), *orders_in(self.fields, self.seller).values()]
        known = [(field, self.fields.get(field, b"")) for field in fields]
        return Change(self.names[0], known, [(field, b"") for field in fields], self.seller, indexed=False, linked=False)


class Rekeying:
    """Gives identities another name, in all lists.

    Args:
        hashes: Where they are kept.
        links: Which orders belong to which addresses.
    """

    def __init__(self, hashes: Hashes, links: Links) -> None:
        self._hashes = hashes
        self._links = links

    def rekey(self, names: Sequence[Names], now: datetime) -> Flow[None]:
        """See :class:`optoutkit.stores.Rekeyable`."""
        orders = [pair for pair in names if not is_address(pair[0])]
        addresses = [pair for pair in names if is_address(pair[0])]
        for move, all_names in ((self._move_orders, orders), (self._move_addresses, addresses)):
            for batch in _batches(all_names):
                pending = batch
                while pending:
                    pending = yield from move(pending, now)

    def _move_orders(self, names: Sequence[Names], now: datetime) -> Flow[list[Names]]:
        """Move orders; tells which ones somebody else has changed meanwhile."""
        moves = yield from self._moves(names, now)
        shared = {move.names[1] for move in moves if move.seller == SHARED and move.merged.entries}
        ends: list[End] = []
        hot: list[tuple[str, str, str]] = []
        for move in moves:
            if move.merged.link:
                address, day = move.merged.link
                ends.append((move.seller, address, move.names[1], day))
                if move.merged.entries or move.names[1] in shared:
                    hot.append((move.seller, address, move.names[1]))
        yield from self._tell(ends, hot)
        failed = yield from self._change(moves, [move.take() for move in moves])
        yield from self._tell(ends, hot)  # as somebody may have cut an older link in between
        moves = [move for move in moves if move.names not in failed]
        linked = [(move, *move.old.link) for move in moves if move.old.link]
        traces = yield from self._links.traces([(move.seller, address, move.names[0]) for move, address, _ in linked])
        left = yield from self._change(moves, [move.leave() for move in moves])
        cut = [(trace, day) for trace, (move, _, day) in zip(traces, linked, strict=True) if move.seller not in left.get(move.names, ())]
        yield from self._links.efface([trace for trace, _ in cut])
        yield from self._links.forget_days([(trace.seller, trace.order, day) for trace, day in cut])
        return [*failed, *left]

    def _move_addresses(self, names: Sequence[Names], now: datetime) -> Flow[list[Names]]:
        """The same for addresses, with the links of their orders."""
        moves = yield from self._moves(names, now)
        orders = [(move, order) for move in moves for order in orders_in(move.fields, move.seller)]
        found = yield from self._links.orders([(move.seller, order) for move, order in orders])
        linked: list[tuple[_Move, Order, int]] = []
        stamp = token_hex(4)
        for (move, _), order in zip(orders, found, strict=True):
            if order.link and order.link[0] == move.names[0]:
                linked.append((move, attrs.evolve(order, address=move.names[1]), order.link[1]))
                if _is_hot(order):
                    move.merged.hot[order.column] = stamp
        fields: dict[tuple[str, Names], list[Pair]] = {}
        for move, order, _ in linked:
            fields.setdefault((move.seller, move.names), []).append((address_field(move.seller, order.column), stamp.encode()))
        failed = yield from self._change(moves, [move.take(fields.get((move.seller, move.names), ())) for move in moves])
        linked = [one for one in linked if one[0].names not in failed]
        done = yield from self._links.put([order for _, order, _ in linked], [(order.address, day) for _, order, day in linked])
        failed |= {move.names: {move.seller} for (move, _, _), is_done in zip(linked, done, strict=True) if not is_done}
        linked = [one for one in linked if one[0].names not in failed]
        ends = [(*order.end, day) for _, order, day in linked]
        yield from self._tell(ends, [order.end for _, order, _ in linked if _is_hot(order)])
        moves = [move for move in moves if move.names not in failed]
        left = yield from self._change(moves, [move.leave() for move in moves])
        return [*failed, *left]

    def _moves(self, names: Sequence[Names], now: datetime) -> Flow[list[_Move]]:
        """What there is to move: one for each list that has anything of either name, as both may be linked to what the other has."""
        olds = yield from self._hashes.read_all(old for old, _ in names)
        there = [pair for pair in names if olds[pair[0]]]
        news = yield from self._hashes.read_all(dict.fromkeys(new for _, new in there))
        moves = []
        for pair in there:
            old, new = olds[pair[0]], news[pair[1]]
            identity = identity_of(pair[1])
            for seller in sorted(_sellers(old) | _sellers(new)):
                card = Card.read(old.get(card_field(seller)), identity, seller)
                merged = _merged(Card.read(new.get(card_field(seller)), identity, seller), card, now)
                expected = [(field, new.get(field, b"")) for field in (card_field(seller), history_field(seller))]
                moves.append(_Move(seller, pair, card, merged, old, expected))
        return moves

    def _tell(self, ends: Sequence[End], hot: Iterable[tuple[str, str, str]]) -> Flow[None]:
        """Have addresses know of orders, and of those that have entries, and days of their links."""
        yield from self._links.note(ends)
        yield from self._links.heat(hot)

    def _change(self, moves: Sequence[_Move], changes: Sequence[Change]) -> Flow[dict[Names, set[str]]]:
        """Make the changes of moves; tells for which names, and in whose lists, that failed."""
        failed: dict[Names, set[str]] = {}
        for move, is_done in zip(moves, (yield from self._hashes.change(changes)), strict=True):
            if not is_done:
                failed.setdefault(move.names, set()).add(move.seller)
        return failed


def _batches(names: Iterable[Names]) -> Iterator[Sequence[Names]]:
    """The names in batches within which the order does not matter."""
    batch: list[Names] = []
    olds: set[str] = set()
    news: set[str] = set()
    for old, new in names:
        if len(batch) == CHUNK or old in news or new in olds:
            yield batch
            batch, olds, news = [], set(), set()
        batch.append((old, new))
        olds.add(old)
        news.add(new)
    yield batch


def _sellers(fields: Iterable[bytes]) -> set[str]:
    """Whose lists have something in the fields of a hash."""
    return {field[1:].partition(b"\0")[0].decode(errors="replace") for field in fields}


def _merged(new: Card, old: Card, now: datetime) -> Card:
    """The new card with all that the old one has, as if that were told."""
    for reason, entry in old.entries.items():
        merged, _ = rules.admit(new.entries.get(reason), entry, withdrawn_at=new.withdrawn.get(reason), now=now)
        if merged is not None:
            new.entries[reason] = merged
    for reason, at in old.withdrawn.items():
        new.withdrawn[reason] = max(at, new.withdrawn.get(reason, at))
    new.link = new.link or old.link
    if old != Card():
        new.moved = token_hex(4)
    return new


def _is_hot(order: Order) -> bool:
    return any(card.entries for card in order.cards)
