"""A card: what one list has about one identity, in one field of the identity's hash.

It stands there as JSON: ``[entries, withdrawn, link, hot, moved]``, an entry as ``[reason, since, expires_at, verified, source]``,
without what is empty at the end of each. An address with one undated entry is ``[[[20]]]``.
"""

import json
from datetime import datetime
from typing import Any

import attrs

from optoutkit.errors import StoreCorrupt
from optoutkit.identities import Identity
from optoutkit.optouts import OptOut
from optoutkit.stores.rows import REASON_CODES, micros, moment, opt_out_of

__all__ = ["Card", "history_line"]

_decode = json.JSONDecoder().raw_decode  # half the time of json.loads, as there is no white space to be expected

_EMPTY_CARD: tuple[Any, ...] = ([], [], [], [], "")
_EMPTY_ENTRY = (None, None, 0, "")


@attrs.define
class Card:
    """What one list has about one identity.

    Attributes:
        entries: By the codes of their reasons.
        withdrawn: When an entry was last withdrawn, by the same codes.
        link: For an order, the column of its address, and the day on which that was last learnt.
        hot: For an address, the columns of those orders that may have an entry in this list or the shared one, each with a stamp
            that is new whenever that may have become so. A lookup goes on to them and to no others.
        moved: A stamp that is new whenever something has come here from another name, even if that was here before. It is nothing
            that the list has, so that it makes no difference between cards.
    """

    entries: dict[int, OptOut] = attrs.field(factory=dict)
    withdrawn: dict[int, datetime] = attrs.field(factory=dict)
    link: tuple[str, int] | None = None
    hot: dict[str, str] = attrs.field(factory=dict)
    moved: str = attrs.field(default="", eq=False)

    @classmethod
    def read(cls, raw: bytes | None, identity: Identity, seller: str) -> "Card":
        """Read a card; None is an empty one.

        Raises:
            StoreCorrupt: Nothing this store writes looks like that.
        """
        card = cls()
        if raw is None:
            return card
        try:
            fields = _load(raw)
            entries, withdrawn, link, hot, moved = fields + list(_EMPTY_CARD[len(fields) :])
            for reason, *row in entries:
                card.entries[reason] = opt_out_of(identity, seller, reason, *row, *_EMPTY_ENTRY[len(row) :])
            card.withdrawn = {reason: _known(moment(at)) for reason, at in withdrawn}
            if link:
                address, day = link
                card.link = str(address), int(day)
            card.hot = {str(order): str(stamp) for order, stamp in hot}
            card.moved = str(moved)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise StoreCorrupt("the store holds something that no optoutkit has written: restore it from a backup") from error
        return card

    def write(self) -> bytes:
        """The card as it stands in its field; nothing for an empty one."""
        link = list(self.link or ())
        withdrawn = [[reason, micros(at)] for reason, at in self.withdrawn.items()]
        entries = [_row(entry) for entry in self.entries.values()]
        fields = [entries, withdrawn, link, list(self.hot.items())]
        return _dump(_trimmed([*fields, self.moved], _EMPTY_CARD)) if any(fields) else b""

    def in_force(self, at: datetime) -> bool:
        """Whether any entry is."""
        return any(entry.in_force(at) for entry in self.entries.values())


def history_line(entry: OptOut, at: datetime, why: str) -> bytes:
    """A line of the history: the entry, when it was withdrawn, and why. It is for people; no verb reads it."""
    row = _row(entry)
    return _dump([*row, *_EMPTY_ENTRY[len(row) - 1 :], micros(at), why]) + b"\n"


def _row(entry: OptOut) -> list[Any]:
    row = [micros(entry.since), micros(entry.expires_at), int(entry.verified), entry.source]
    return [REASON_CODES[entry.reason], *_trimmed(row, _EMPTY_ENTRY)]


def _trimmed(values: list[Any], empty: tuple[Any, ...]) -> list[Any]:
    """The values without those at the end that are empty."""
    kept = len(values)
    while kept and values[kept - 1] == empty[kept - 1]:
        kept -= 1
    return values[:kept]


def _known(at: datetime | None) -> datetime:
    if at is None:
        raise ValueError("a withdrawal has a time")
    return at


def _load(raw: bytes) -> Any:
    text = raw.decode()
    value, end = _decode(text)
    if end != len(text):
        raise ValueError("something follows")
    return value


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
