"""What a batch does to the rows of a database, decided free of I/O, for the stores that keep one row for each entry and each link.

Such a row is changed under the database's lock on it, so that each entry is atomic whoever else writes. A withdrawn entry stays
in its row: with it goes the time of the withdrawal, by which :func:`optoutkit.stores.rules.admit` judges what is told later.

Identities and reasons are those of :mod:`optoutkit.stores.rows`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import attrs

from optoutkit.identities import Identity
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores import arguments, rules
from optoutkit.stores.base import LinkPair, LinkReport
from optoutkit.stores.rows import REASON_CODES, column_of, identity_of, micros, moment, opt_out_of

__all__ = ["MAX_SELLER", "Links", "Place", "answer", "asked_by_column", "chunks", "named_seller", "outcome", "told_by_place"]

T = TypeVar("T")

MAX_SELLER = 255
"""How many characters a seller's name may have here: a database bounds what it keeps in an index."""

Place = tuple[str, str, int]
"""Where an entry stands: seller, identity, reason."""


def named_seller(seller: str) -> str:
    """The seller, who must be a str of a length that an index can keep."""
    if len(arguments.checked_seller(seller)) > MAX_SELLER:
        raise ValueError(f"a seller's name has at most {MAX_SELLER} characters, not {len(seller)}")
    return seller


def asked_by_column(identities: Iterable[Identity]) -> dict[str, Identity]:
    """The identities by their columns; of equal ones the first."""
    found: dict[str, Identity] = {}
    for identity in identities:
        found.setdefault(column_of(arguments.checked_identity(identity)), identity)
    return found


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in pieces of a fixed size."""
    return (items[start : start + size] for start in range(0, len(items), size))


def answer(rows: Iterable[Sequence[Any]], asked: Mapping[str, Identity], seller: str, at: Callable[[], datetime]) -> dict[Identity, OptOut]:
    """Choose what a lookup reports.

    Args:
        rows: Column asked, whether the entry is a shared one, and the entry's columns; expired ones too.
        asked: The identities by their columns.
        seller: Whose list it is, if not the shared one.
        at: Tells the time that an entry must not have expired at; called only if it matters.
    """
    found: dict[str, OptOut] = {}
    now = None
    for column, shared, key, reason, since, expires_at, verified, source in rows:
        if expires_at is not None:
            now = now or micros(at())
            if expires_at <= now:
                continue
        identity = asked[column] if key == column else identity_of(key)
        entry = opt_out_of(identity, SHARED if shared else seller, reason, since, expires_at, verified, source)
        found[column] = rules.best((entry, found[column]), asked[column]) if column in found else entry
    return {asked[column]: entry for column, entry in found.items()}


def told_by_place(opt_outs: Iterable[OptOut]) -> dict[Place, list[OptOut]]:
    """What was told of each entry, in the order of the places, so that those who lock many rows do so in one order."""
    found: dict[Place, list[OptOut]] = {}
    for opt_out in opt_outs:
        found.setdefault((opt_out.seller, column_of(opt_out.identity), REASON_CODES[opt_out.reason]), []).append(opt_out)
    for seller in {place[0] for place in found}:
        named_seller(seller)
    return dict(sorted(found.items()))


def outcome(told: Sequence[OptOut], row: Sequence[Any] | None, now: datetime) -> tuple[OptOut | None, int]:
    """Decide what all that was told of one entry, in that order, does to its row.

    Args:
        told: What was told, at least once.
        row: Whether it is withdrawn, when it last was, since, expires_at, verified, source; None where there is no row.
        now: The time by which to judge what is in force.

    Returns:
        The entry to write (None if the row stays as it is), and how many of those told were new.
    """
    known, withdrawn_at = None, None
    if row is not None:
        withdrawn, withdrawal, since, expires_at, verified, source = row
        withdrawn_at = moment(withdrawal)
        if not withdrawn:
            known = opt_out_of(told[0].identity, told[0].seller, REASON_CODES[told[0].reason], since, expires_at, verified, source)
    changed, new = None, 0
    for one in told:
        entry, is_new = rules.admit(known, one, withdrawn_at=withdrawn_at, now=now)
        new += is_new
        if entry is not None:
            known = changed = entry
    return changed, new


@attrs.frozen
class Links:
    """Links of one list that were told, to be judged by what is known.

    Attributes:
        pairs: Orders and addresses, in the order told.
    """

    pairs: Sequence[LinkPair]
    _columns: list[tuple[str, str]] = attrs.field(
        init=False,
        default=attrs.Factory(lambda self: [(column_of(order), column_of(address)) for order, address in self.pairs], takes_self=True),
    )

    @property
    def orders(self) -> dict[str, str]:
        """Each order with the address that was told first, in the order of the columns."""
        return dict(sorted(dict(reversed(self._columns)).items()))

    def judge(self, known: Mapping[str, tuple[str, int]], *, replace: bool, today: int) -> tuple[LinkReport, dict[str, str]]:
        """Decide what becomes of the links.

        Args:
            known: For each order that is linked its address, and the day on which the link was last learnt.
            replace: Whether what was told wins.
            today: The day of today.

        Returns:
            The report, and each link that is to be written.
        """
        addresses = {order: address for order, (address, _) in known.items()}
        fresh = {order for order, (_, day) in known.items() if day == today}
        counts: Counter[str] = Counter()
        contradicted = []
        changed: dict[str, str] = {}
        for (order, _), (order_key, address_key) in zip(self.pairs, self._columns, strict=True):
            verdict = rules.judge_link(addresses.get(order_key), address_key, replace=replace)
            counts[verdict] += 1
            if verdict == "contradicted":
                contradicted.append(order)
                continue
            if verdict == "new" or order_key not in fresh:
                changed[order_key] = address_key
            addresses[order_key] = address_key
            fresh.add(order_key)
        return LinkReport(new=counts["new"], known=counts["known"], contradicted=tuple(contradicted)), changed
