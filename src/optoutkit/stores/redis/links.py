"""Links: how they are learnt, what they mark as hot, how they are cut, and when they are forgotten. These are flows.

A link is what stands at the order. The address has, for each of its orders, a field that says so: without it, erasing the address
would not find the order. As the two are in different parts, nothing changes both at once; so that no crash and no other writer can
leave a link that the address does not know of, the field is written before the link, since a field without a link does no harm,
and again after it, since somebody may have cut an older link in between. What cuts a link takes the field away only if it is still
the one that was there before. The same goes for hot orders, and for the days on which links were learnt.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from typing import TypeVar

import attrs

from optoutkit.errors import StoreCorrupt
from optoutkit.flows import Flow
from optoutkit.optouts import SHARED
from optoutkit.stores import rules
from optoutkit.stores.base import LinkPair, LinkReport
from optoutkit.stores.redis.cards import Card
from optoutkit.stores.redis.hashes import Change, Hashes
from optoutkit.stores.redis.layout import address_field, card_field
from optoutkit.stores.redis.routing import Routed
from optoutkit.stores.redis.scripts import Pair
from optoutkit.stores.rows import column_of, identity_of

__all__ = ["Links", "Trace"]

T = TypeVar("T")

Place = tuple[str, str]
"""In whose list, and the column of an identity."""


@attrs.frozen
class Trace:
    """What an address knows of an order that is, or was, linked to it.

    Attributes:
        seller: In whose list.
        address: The column of the address.
        order: The column of the order.
        stamp: The value of the order's field; nothing if there is none.
        hot: The stamp of the hot order; None if it is not hot.
    """

    seller: str
    address: str
    order: str
    stamp: bytes
    hot: str | None


@attrs.define
class _Order:
    """An order that is linked, or is to be.

    Attributes:
        seller: In whose list.
        column: The order.
        cards: The list's card, and the shared one if that is another.
        expected: The fields of these as they were read.
        address: The column of the address that it is linked to from now on.
    """

    seller: str
    column: str
    cards: list[Card]
    expected: list[Pair]
    address: str = ""

    @property
    def place(self) -> Place:
        """Seller and column."""
        return self.seller, self.column

    @property
    def link(self) -> tuple[str, int] | None:
        """The address that it is linked to, and the day on which that was learnt."""
        return self.cards[0].link


class Links:
    """The links of all lists.

    Args:
        hashes: Where they are kept.
        link_days: For how many days a link that leads to no opt-out is kept after it was last learnt.
    """

    def __init__(self, hashes: Hashes, *, link_days: int) -> None:
        self._hashes = hashes
        self._layout = hashes.layout
        self._link_days = link_days
        self._reviewed: int | None = None  # no link from before this day was left

    def learn(self, pairs: Sequence[LinkPair], seller: str, *, replace: bool, now: datetime) -> Flow[LinkReport]:
        """See :meth:`optoutkit.OptOutStore.link`."""
        told: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for position, pair in enumerate(pairs):
            told[column_of(pair[0])].append((position, column_of(pair[1])))
        verdicts = [""] * len(pairs)
        pending: Iterable[Place] = [(seller, column) for column in told]
        while pending:
            orders = yield from self._orders(pending)
            for order in orders:
                known = order.link and order.link[0]
                for position, address in told[order.column]:
                    verdicts[position] = rules.judge_link(known, address, replace=replace)
                    if verdicts[position] != "contradicted":
                        known = order.address = address
            pending = yield from self._write([order for order in orders if order.address], rules.link_day(now))
        counts = Counter(verdicts)
        contradicted = tuple(pair[0] for pair, verdict in zip(pairs, verdicts, strict=True) if verdict == "contradicted")
        return LinkReport(new=counts["new"], known=counts["known"], contradicted=contradicted)

    def heat(self, places: Iterable[tuple[str, str, str]]) -> Flow[None]:
        """Have addresses know of orders that may have entries, each given as seller, address and order."""
        hot: dict[tuple[str, str], list[str]] = defaultdict(list)
        for seller, address, order in places:
            hot[seller, address].append(order)
        stamp = token_hex(4)
        yield from self._edit(hot, lambda card, order: card.hot.update({order: stamp}))

    def traces(self, places: Sequence[tuple[str, str, str]]) -> Flow[list[Trace]]:
        """Read what addresses know of orders, each given as seller, address and order: before a link is cut."""
        asked = [(address, (card_field(seller), address_field(seller, order))) for seller, address, order in places]
        found = []
        for (seller, address, order), (raw, stamp) in zip(places, (yield from self._hashes.read(asked)), strict=True):
            card = Card.read(raw, identity_of(address), seller)
            found.append(Trace(seller, address, order, stamp or b"", card.hot.get(order)))
        return found

    def efface(self, traces: Sequence[Trace]) -> Flow[None]:
        """Have addresses forget orders, after the links were cut; what has been learnt anew since the traces were read stays."""
        fields = [(trace, address_field(trace.seller, trace.order)) for trace in traces if trace.stamp]
        yield from self._hashes.change([Change(trace.address, [(field, trace.stamp)], [(field, b"")]) for trace, field in fields])
        hot: dict[tuple[str, str], list[Trace]] = defaultdict(list)
        for trace in traces:
            if trace.hot is not None:
                hot[trace.seller, trace.address].append(trace)

        def cool(card: Card, trace: Trace) -> None:
            if card.hot.get(trace.order) == trace.hot:
                del card.hot[trace.order]

        yield from self._edit(hot, cool)

    def review(self, now: datetime, written: int) -> Flow[None]:
        """Forget or refresh some of the links that are due; see :func:`rules.oldest_day_kept`."""
        due_before = rules.oldest_day_kept(now, self._link_days)
        left = rules.links_to_review(written)
        slot, key = self._layout.days
        while left > 0 and self._reviewed != due_before:
            oldest = (b"ZRANGEBYSCORE", key, b"-inf", b"(%d" % due_before, b"LIMIT", b"0", b"1")
            (days,) = yield from self._hashes.send([(slot, oldest)])
            if not days:
                self._reviewed = due_before
                return
            if not days[0].isdigit():
                raise StoreCorrupt("the store holds something that no optoutkit has written: restore it from a backup")
            day = int(days[0])
            day_slot, day_key = self._layout.day(day)
            (members,) = yield from self._hashes.send([(day_slot, (b"SRANDMEMBER", day_key, b"%d" % left))])
            if members:
                yield from self._review(members, day, now)
                left -= len(members)
            else:
                yield from self._hashes.send([(slot, (b"ZREM", key, days[0]))], durable=True)

    def forget_days(self, gone: Sequence[tuple[str, str, int]]) -> Flow[None]:
        """Take orders whose links were cut off the days on which those were learnt, each given as seller, order and day."""
        yield from self._hashes.send([self._off(seller, order, day) for seller, order, day in gone], durable=True)
        linked = yield from self._orders([(seller, order) for seller, order, _ in gone])
        again = [self._on(order.seller, order.column, order.link[1]) for order in linked if order.link]  # learnt anew meanwhile
        yield from self._hashes.send(again, durable=True)

    def _orders(self, places: Iterable[Place]) -> Flow[list[_Order]]:
        places = list(places)
        asked = [(column, tuple(card_field(name) for name in dict.fromkeys((seller, SHARED)))) for seller, column in places]
        orders = []
        for (seller, column), (_, fields), values in zip(places, asked, (yield from self._hashes.read(asked)), strict=True):
            identity = identity_of(column)
            cards = [Card.read(raw, identity, name) for raw, name in zip(values, (seller, SHARED), strict=False)]
            orders.append(_Order(seller, column, cards, [(field, raw or b"") for field, raw in zip(fields, values, strict=True)]))
        return orders

    def _write(self, orders: Sequence[_Order], today: int) -> Flow[set[Place]]:
        """Link orders to their addresses as of today; tells which ones somebody else has changed meanwhile."""
        changed = [order for order in orders if order.link != (order.address, today) or self._hashes.forced]
        yield from self._note(changed, today)
        moved = [order for order in changed if order.link and order.link[0] != order.address]
        traces = yield from self.traces([(order.seller, order.link[0], order.column) for order in moved if order.link])
        written = yield from self._link(changed, [(order.address, today) for order in changed])
        failed = {order.place for order, done in zip(changed, written, strict=True) if not done}
        good = [order for order in orders if order.place not in failed]
        yield from self._note(good, today)
        older = [self._off(*order.place, order.link[1]) for order in good if order.link and order.link[1] != today]
        yield from self._hashes.send(older, durable=True)
        yield from self.efface([trace for trace in traces if (trace.seller, trace.order) not in failed])
        hot = [order for order in good if any(card.entries for card in order.cards)]
        yield from self.heat((order.seller, order.address, order.column) for order in hot)
        return failed

    def _link(self, orders: Sequence[_Order], links: Sequence[tuple[str, int] | None]) -> Flow[list[bool]]:
        """Set the links of orders, if they are as they were."""
        changes = []
        for order, link in zip(orders, links, strict=True):
            card = attrs.evolve(order.cards[0], link=link)
            changes.append(Change(order.column, order.expected, [(card_field(order.seller), card.write())]))
        return (yield from self._hashes.change(changes))

    def _note(self, orders: Sequence[_Order], today: int) -> Flow[None]:
        """Have addresses know of orders, and today of their links."""
        stamp = token_hex(4).encode()
        commands: list[Routed] = []
        for order in orders:
            slot, key = self._layout.identity(order.address)
            commands.append((slot, (b"HSET", key, address_field(order.seller, order.column), stamp)))
            commands.append(self._on(order.seller, order.column, today))
        if commands:
            slot, key = self._layout.days
            commands.append((slot, (b"ZADD", key, b"%d" % today, b"%d" % today)))
        yield from self._hashes.send(commands, durable=True)

    def _review(self, members: Sequence[bytes], day: int, now: datetime) -> Flow[None]:
        """Forget links of a day that is long past, unless they lead to an opt-out in force."""
        places: list[Place] = []
        for member in members:
            seller, _, column = member.decode(errors="replace").partition("\0")
            places.append((seller, column))
        orders = yield from self._orders(places)
        due = [(order, order.link[0]) for order in orders if order.link and order.link[1] == day]
        fields = [tuple(field for field, _ in order.expected) for order, _ in due]
        ends = yield from self._hashes.read([(address, names) for (_, address), names in zip(due, fields, strict=True)])
        needed: list[_Order] = []
        forgotten: list[_Order] = []
        for (order, address), values in zip(due, ends, strict=True):
            identity = identity_of(address)
            cards = [Card.read(raw, identity, name) for raw, name in zip(values, (order.seller, SHARED), strict=False)]
            leads = any(card.in_force(now) for card in (*order.cards, *cards))
            (needed if leads else forgotten).append(attrs.evolve(order, address=address))
        failed = yield from self._write(needed, rules.link_day(now))
        traces = yield from self.traces([(order.seller, order.address, order.column) for order in forgotten])
        cut = yield from self._link(forgotten, [None] * len(forgotten))
        failed |= {order.place for order, done in zip(forgotten, cut, strict=True) if not done}
        yield from self.efface([trace for trace in traces if (trace.seller, trace.order) not in failed])
        gone = [self._off(*place, day) for place in places if place not in failed]
        yield from self._hashes.send(gone, durable=True)

    def _edit(self, edits: Mapping[Place, Sequence[T]], edit: Callable[[Card, T], None]) -> Flow[None]:
        """Change cards of addresses, each given as seller and address, however often somebody else is faster."""
        pending = list(edits)
        while pending:
            fields = [card_field(seller) for seller, _ in pending]
            asked = [(address, (field,)) for (_, address), field in zip(pending, fields, strict=True)]
            changes = []
            for place, field, (raw,) in zip(pending, fields, (yield from self._hashes.read(asked)), strict=True):
                seller, address = place
                card = Card.read(raw, identity_of(address), seller)
                for one in edits[place]:
                    edit(card, one)
                changes.append(Change(address, [(field, raw or b"")], [(field, card.write())]))
            done = yield from self._hashes.change(changes)
            pending = [place for place, is_done in zip(pending, done, strict=True) if not is_done]

    def _on(self, seller: str, order: str, day: int) -> Routed:
        slot, key = self._layout.day(day)
        return slot, (b"SADD", key, _member(seller, order))

    def _off(self, seller: str, order: str, day: int) -> Routed:
        slot, key = self._layout.day(day)
        return slot, (b"SREM", key, _member(seller, order))


def _member(seller: str, order: str) -> bytes:
    return b"%b\0%b" % (seller.encode(), order.encode())
