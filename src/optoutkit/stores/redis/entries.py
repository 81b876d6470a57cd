"""Entries: how they are recorded, withdrawn and erased. These are flows; the decisions are those of :mod:`optoutkit.stores.rules`.

An identity's card is read, what becomes of it is decided here, and it is written if it still is as it was read; where somebody was
faster, all of that is done again. So the entries of an identity in one list change as a whole, and the list's index with them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import attrs

from optoutkit.flows import Flow
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores import rules
from optoutkit.stores.batches import chunks
from optoutkit.stores.redis.cards import Card, history_line
from optoutkit.stores.redis.hashes import CHUNK, Change, Hashes
from optoutkit.stores.redis.layout import card_field, history_field, is_address, orders_in, seller_of
from optoutkit.stores.redis.links import Links, Place
from optoutkit.stores.rows import REASON_CODES, column_of, identity_of

__all__ = ["Entries"]


@attrs.frozen
class _Member:
    """All that one list has about an identity of a cluster.

    Attributes:
        column: The identity.
        card: Its card.
        fields: The fields of its hash, those of other lists too.
    """

    column: str
    card: Card
    fields: Mapping[bytes, bytes]


class Entries:
    """The entries of all lists.

    Args:
        hashes: Where they are kept.
        links: Which orders belong to which addresses.
    """

    def __init__(self, hashes: Hashes, links: Links) -> None:
        self._hashes = hashes
        self._links = links

    def record(self, told: Sequence[OptOut], now: datetime) -> Flow[int]:
        """See :meth:`optoutkit.OptOutStore.record`; tells how many were new."""
        by_place: dict[Place, list[OptOut]] = defaultdict(list)
        for opt_out in told:
            by_place[opt_out.seller, column_of(opt_out.identity)].append(opt_out)
        new = 0
        for chunk in chunks(list(by_place), CHUNK):
            pending: Sequence[Place] = chunk
            linked: list[tuple[str, str, str]] = []
            while pending:
                pending, new_ones = yield from self._merge({place: by_place[place] for place in pending}, linked, now)
                new += new_ones
            shared = [column for seller, column in chunk if seller == SHARED and not is_address(column)]
            linked += yield from self._links_of_all(shared)
            yield from self._links.heat(linked)
        return new

    def withdraw(self, asked: Iterable[str], seller: str, why: str, now: datetime) -> Flow[int]:
        """See :meth:`optoutkit.OptOutStore.withdraw`; the identities are given by their columns."""
        members = yield from self._clusters(asked, seller)
        pending = [column for column, member in members.items() if member.card.entries or self._hashes.forced]
        fields = card_of, history_of = card_field(seller), history_field(seller)
        count = 0
        while pending:
            replies = yield from self._hashes.read((column, fields) for column in pending)
            counts = []
            changes = []
            for column, (raw, history) in zip(pending, replies, strict=True):
                card = Card.read(raw, identity_of(column), seller)
                lines = [history_line(entry, now, why) for entry in card.entries.values()]
                after = attrs.evolve(card, entries={}, withdrawn=card.withdrawn | dict.fromkeys(card.entries, now))
                expected = [(card_of, raw or b""), (history_of, history or b"")]
                values = [(card_of, after.write()), (history_of, b"".join((history or b"", *lines)))]
                changes.append(Change(column, expected, values, seller, indexed=False))
                counts.append(len(lines))
            done = yield from self._hashes.change(changes)
            count += sum(number for number, is_done in zip(counts, done, strict=True) if is_done)
            pending = [column for column, is_done in zip(pending, done, strict=True) if not is_done]
        return count

    def erase(self, asked: Iterable[str], seller: str) -> Flow[int]:
        """See :meth:`optoutkit.OptOutStore.erase`; tells how many entries are gone."""
        pending = list(asked)
        count = 0
        while pending:
            members = yield from self._clusters(pending, seller)
            # Orders first: if this is cut short, the address still knows of those that are left.
            gone_orders = yield from self._wipe([member for member in members.values() if not is_address(member.column)], seller)
            days = [(seller, member.column, member.card.link[1]) for member in gone_orders if member.card.link]
            yield from self._links.forget_days(days)
            gone = {member.column for member in gone_orders}
            addresses = [member for member in members.values() if is_address(member.column)]
            ready = [member for member in addresses if gone.issuperset(members.keys() & orders_in(member.fields, seller).keys())]
            gone_addresses = yield from self._wipe(ready, seller)
            gone |= {member.column for member in gone_addresses}
            count += sum(len(member.card.entries.keys() | member.card.withdrawn.keys()) for member in (*gone_orders, *gone_addresses))
            pending = [column for column in members if column not in gone]
        return count

    def _merge(
        self, told: Mapping[Place, Sequence[OptOut]], linked: list[tuple[str, str, str]], now: datetime
    ) -> Flow[tuple[list[Place], int]]:
        """Merge what was told into the cards, and collect the links of the orders among them.

        Returns:
            Those places where somebody was faster, and how many opt-outs were new at the others.
        """
        asked = [(column, (card_field(seller),)) for seller, column in told]
        changes: list[Change] = []
        by_change: list[tuple[Place, int]] = []
        links: dict[Place, tuple[str, str, str]] = {}
        new = 0
        for (place, opt_outs), (raw,) in zip(told.items(), (yield from self._hashes.read(asked)), strict=True):
            seller, column = place
            card = Card.read(raw, opt_outs[0].identity, seller)
            is_changed, number = _admit(card, opt_outs, now)
            if card.link and card.entries and seller != SHARED:
                links[place] = seller, card.link[0], column
            if is_changed or self._hashes.forced:
                field = card_field(seller)
                values = [(field, card.write())]
                changes.append(Change(column, [(field, raw or b"")], values, seller, indexed=bool(card.entries)))
                by_change.append((place, number))
        left = []
        for (place, number), is_done in zip(by_change, (yield from self._hashes.change(changes)), strict=True):
            if is_done:
                new += number
            else:
                left.append(place)
                links.pop(place, None)
        linked += links.values()
        return left, new

    def _links_of_all(self, orders: Sequence[str]) -> Flow[list[tuple[str, str, str]]]:
        """The links of orders in all lists, as seller, address and order."""
        found = []
        for order, fields in (yield from self._hashes.read_all(orders)).items():
            for field, raw in fields.items():
                seller = seller_of(field)
                link = None if seller is None else Card.read(raw, identity_of(order), seller).link
                if seller is not None and link:
                    found.append((seller, link[0], order))
        return found

    def _clusters(self, asked: Iterable[str], seller: str) -> Flow[dict[str, _Member]]:
        """All that a list has about identities, their addresses, and the orders of these."""
        columns = set(asked)
        there = yield from self._members(columns, seller)
        addresses = {member.card.link[0] for member in there.values() if member.card.link}
        there |= yield from self._members(addresses - there.keys(), seller)
        addresses |= {column for column in columns if is_address(column)}
        orders = {order: address for address in sorted(addresses) for order in orders_in(there[address].fields, seller)}
        there |= yield from self._members(orders.keys() - there.keys(), seller)
        return {
            column: member
            for column, member in there.items()
            if column in columns or column in addresses or (member.card.link and member.card.link[0] in addresses)
        }

    def _members(self, columns: Iterable[str], seller: str) -> Flow[dict[str, _Member]]:
        field = card_field(seller)
        return {
            column: _Member(column, Card.read(fields.get(field), identity_of(column), seller), fields)
            for column, fields in (yield from self._hashes.read_all(sorted(columns))).items()
        }

    def _wipe(self, members: Sequence[_Member], seller: str) -> Flow[list[_Member]]:
        """Remove all that a list has about identities, unless it has changed since it was read; tells whose is gone."""
        changes = []
        for member in members:
            known = [(card_field(seller), member.fields.get(card_field(seller), b""))]
            known += [(field, member.fields[field]) for field in orders_in(member.fields, seller).values()]
            values = [(field, b"") for field in (history_field(seller), *(field for field, _ in known))]
            changes.append(Change(member.column, known, values, seller, indexed=False, linked=False))
        done = yield from self._hashes.change(changes)
        return [member for member, is_done in zip(members, done, strict=True) if is_done]


def _admit(card: Card, told: Iterable[OptOut], now: datetime) -> tuple[bool, int]:
    """Merge opt-outs into a card; tells whether that changed it, and how many were new."""
    is_changed, new = False, 0
    for opt_out in told:
        reason = REASON_CODES[opt_out.reason]
        entry, is_new = rules.admit(card.entries.get(reason), opt_out, withdrawn_at=card.withdrawn.get(reason), now=now)
        new += is_new
        if entry is not None:
            card.entries[reason] = entry
            is_changed = True
    return is_changed, new
