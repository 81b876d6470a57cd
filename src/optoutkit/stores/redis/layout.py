"""Where things are kept: keys, their slots, and the fields of a hash.

Redis has no keys in order, and a cluster does nothing atomically beyond one slot. So all identities are dealt out to
:data:`PARTS` parts by a checksum of their key, and everything that must change together is in one part: the tag in braces, by
which a cluster assigns a slot, is that of the part. The tags are chosen so that the parts are spread evenly over the slots.

| key | type | what it holds |
|---|---|---|
| ``prefix{tag}a:buyer@example.com`` | hash | all about one identity (an address; ``o:`` an order, ``d:`` a digest) |
| ``prefix{tag}s:seller`` | sorted set | those of that part with entries in the seller's list, all with score 0: in the order of bytes |
| ``prefix{tag}l:seller`` | sorted set | those orders of that part that are linked in the seller's list, likewise |
| ``prefix{tag}sellers`` | set | whose lists have, or had, any of these |
| ``prefix{days}`` | sorted set | the days on which links were learnt |
| ``prefix{day:20513}`` | set | the links learnt on one of them: seller, NUL, order |
| ``prefix{schema}`` | string | the version of all this |

The fields of an identity's hash: ``=seller`` is the card of that list (:mod:`optoutkit.stores.redis.cards`), ``-seller`` the
history of its withdrawn entries, and ``+seller``, NUL, order, at an address, says that the order is linked to it. The value of the
latter is a stamp that is another one each time: what took it away again can tell whether it is still the one it saw.
"""

from binascii import crc_hqx
from collections.abc import Iterable
from itertools import count
from zlib import crc32

__all__ = ["PARTS", "Layout", "address_field", "card_field", "history_field", "is_address", "orders_in", "seller_of", "slot_of"]

PARTS = 128
"""Into how many parts a store is dealt out. Never change it: another number would look for everything in other places."""

_SLOTS = 1 << 14


def slot_of(tag: bytes) -> int:
    """The slot of a cluster that keys with this tag are in."""
    return crc_hqx(tag, 0) & (_SLOTS - 1)


def _even_tags() -> list[bytes]:
    """For each part the least number whose slot is in its share of the slots."""
    tags: dict[int, bytes] = {}
    for number in count():
        tag = b"%d" % number
        tags.setdefault(slot_of(tag) * PARTS // _SLOTS, tag)
        if len(tags) == PARTS:
            return [tags[part] for part in range(PARTS)]
    raise AssertionError  # pragma: no cover - count() has no end


_TAGS = _even_tags()


class Layout:
    """The keys of one store, each with its slot.

    Args:
        prefix: What all of them begin with.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix.encode()
        self._parts = [(slot_of(tag), self._prefix + b"{%b}" % tag) for tag in _TAGS]
        self.schema: tuple[int, bytes] = self._single(b"schema")
        self.days: tuple[int, bytes] = self._single(b"days")

    def identity(self, column: str) -> tuple[int, bytes]:
        """Slot and key of the hash of an identity, which is given as :func:`~optoutkit.stores.rows.column_of` writes it."""
        raw = column.encode()
        slot, head = self._parts[crc32(raw) % PARTS]
        return slot, head + raw

    def index(self, column: str, seller: str) -> bytes:
        """The key of the sorted set of a list, in the part of an identity."""
        return self._parts[crc32(column.encode()) % PARTS][1] + b"s:" + seller.encode()

    def indexes(self, seller: str) -> Iterable[tuple[int, bytes]]:
        """Slots and keys of all sorted sets of a list."""
        return ((slot, head + b"s:" + seller.encode()) for slot, head in self._parts)

    def link_index(self, column: str, seller: str) -> bytes:
        """The key of the sorted set of a list's linked orders, in the part of an order."""
        return self._parts[crc32(column.encode()) % PARTS][1] + b"l:" + seller.encode()

    def link_indexes(self, seller: str) -> Iterable[tuple[int, bytes]]:
        """Slots and keys of all of those."""
        return ((slot, head + b"l:" + seller.encode()) for slot, head in self._parts)

    def sellers(self, column: str) -> bytes:
        """The key of the set of sellers, in the part of an identity."""
        return self._parts[crc32(column.encode()) % PARTS][1] + b"sellers"

    def all_sellers(self) -> Iterable[tuple[int, bytes]]:
        """Slots and keys of all of those."""
        return ((slot, head + b"sellers") for slot, head in self._parts)

    def probes(self) -> Iterable[tuple[int, bytes]]:
        """Slots and keys that hold nothing for long, one in each part."""
        return ((slot, head + b"probe") for slot, head in self._parts)

    def day(self, day: int) -> tuple[int, bytes]:
        """Slot and key of the links that were learnt on a day."""
        return self._single(b"day:%d" % day)

    def _single(self, tag: bytes) -> tuple[int, bytes]:
        return slot_of(tag), self._prefix + b"{%b}" % tag


def is_address(column: str) -> bool:
    """Whether a column is that of an address, or of the digest of one."""
    return column.startswith(("a:", "d:address:"))


def card_field(seller: str) -> bytes:
    """The field of a seller's card."""
    return b"=" + seller.encode()


def history_field(seller: str) -> bytes:
    """The field of what a seller's list has withdrawn."""
    return b"-" + seller.encode()


def address_field(seller: str, order: str = "") -> bytes:
    """The field, in the hash of an address, of an order linked to it; without an order, what all of them begin with."""
    return b"+%b\0%b" % (seller.encode(), order.encode())


def orders_in(fields: Iterable[bytes], seller: str) -> dict[str, bytes]:
    """The orders that the hash of an address knows of, each with the field that says so."""
    begin = address_field(seller)
    return {field[len(begin) :].decode(errors="replace"): field for field in fields if field.startswith(begin)}


def seller_of(field: bytes) -> str | None:
    """Whose card stands in a field; None if it is no card."""
    return field[1:].decode(errors="replace") if field.startswith(b"=") else None
