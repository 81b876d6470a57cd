"""What the verbs of every backend are handed, checked once and alike.

A wrong argument is a mistake in the caller's code and raises TypeError or ValueError. Text that comes from mails is not the
caller's mistake: it is cleaned.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs

from optoutkit.identities import Address, Digest, Identity, OrderId
from optoutkit.optouts import OptOut
from optoutkit.stores.base import LinkPair

__all__ = [
    "MAX_NOTE",
    "aware",
    "checked_identity",
    "checked_link_days",
    "checked_seller",
    "clean",
    "pairs_of",
    "read_link_days",
    "rekey_pairs",
    "storable",
]

MAX_NOTE = 500
"""How many characters of a source or of a reason to withdraw are kept; a Message-ID fits."""

_IDENTITIES = (Address, OrderId, Digest)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # no database takes half a character, and not every one takes NUL


def checked_identity(identity: Identity) -> Identity:
    """The identity, which must be one, and not the text of an address."""
    if not isinstance(identity, _IDENTITIES):
        raise TypeError(f"an identity is an Address, an OrderId or a Digest, not {type(identity).__name__}")
    return identity


def pairs_of(pairs: Iterable[LinkPair]) -> list[LinkPair]:
    """The pairs, each of which must be an order and an address."""
    found = list(pairs)
    for order, address in found:
        checked_identity(order)
        checked_identity(address)
        if order.kind != "order" or address.kind != "address":
            raise ValueError(f"a link is an order and an address, in this order, not {order.kind} and {address.kind}")
    return found


def rekey_pairs(pairs: Iterable[tuple[Digest, Digest]]) -> list[tuple[Digest, Digest]]:
    """The pairs of digests, each of which must be of one kind; one that would move nothing is left out."""
    found: list[tuple[Any, Any]] = [(old, new) for old, new in pairs if old != new]
    for old, new in found:
        if not (isinstance(old, Digest) and isinstance(new, Digest)):
            raise TypeError("only a digest can take the place of a digest")
        if old.kind != new.kind:
            raise ValueError(f"the digest of an {old.kind} cannot become that of an {new.kind}")
    return found


def storable(opt_outs: Iterable[OptOut]) -> list[OptOut]:
    """The opt-outs, with sources that any backend can keep."""
    found = list(opt_outs)
    for index, opt_out in enumerate(found):
        if not isinstance(opt_out, OptOut):
            raise TypeError(f"record takes OptOuts, not {type(opt_out).__name__}")
        source = opt_out.source
        if len(source) > MAX_NOTE or not source.isprintable():
            found[index] = attrs.evolve(opt_out, source=clean(source))
    for seller in {opt_out.seller for opt_out in found}:
        checked_seller(seller)
    return found


def checked_seller(seller: str) -> str:
    """The seller, who must be a str that any backend can keep."""
    if not isinstance(seller, str):
        raise TypeError(f"a seller is a str, not {type(seller).__name__}")
    if not seller.isprintable() and _UNSTORABLE.search(seller):
        raise ValueError(f"a seller's name must be text without NUL: {seller!a}")
    return seller


def clean(note: str) -> str:
    """A note for people, cut to :data:`MAX_NOTE` characters, without what a database refuses."""
    if len(note) > MAX_NOTE:
        note = note[: MAX_NOTE - 1] + "…"
    return note if note.isprintable() else _UNSTORABLE.sub("\ufffd", note)


def aware(at: datetime) -> datetime:
    """The time, which must have a zone."""
    if at.utcoffset() is None:
        raise ValueError(f"a time needs a time zone, such as datetime.now(UTC): {at!r}")
    return at


def checked_link_days(days: int) -> int:
    """For how many days links are kept: at least one."""
    if days < 1:
        raise ValueError(f"link_days must be at least 1, not {days}")
    return days


def read_link_days(text: str) -> int:
    """The same from the text of an option."""
    return checked_link_days(int(text))
