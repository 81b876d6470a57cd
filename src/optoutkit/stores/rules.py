"""The rules of a store, free of I/O, so that every backend decides alike.

What goes in and what comes out are values; where the values are kept is the backend's business.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Literal, TypeVar

from optoutkit.identities import Identity
from optoutkit.optouts import SHARED, OptOut

__all__ = ["admit", "best", "cluster", "judge_link", "link_day", "links_to_review", "merge", "oldest_day_kept"]

T = TypeVar("T")

_NO_DATE = datetime.min.replace(tzinfo=UTC)
_EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).toordinal()


def admit(known: OptOut | None, told: OptOut, *, withdrawn_at: datetime | None, now: datetime) -> tuple[OptOut | None, bool]:
    """Decide what an opt-out that is told does to the entry of its seller, identity and reason.

    Args:
        known: The entry as it is kept; None if there is none, or if it is withdrawn.
        told: What was told.
        withdrawn_at: When such an entry was last withdrawn. What is not known to be later than that says nothing.
        now: The time by which to judge what is in force.

    Returns:
        The entry to keep from now on (None if nothing changes), and whether it is new: in force now, and not before. What was
        wholly unknown is new even if it has expired.
    """
    if withdrawn_at is not None and (told.since is None or told.since <= withdrawn_at):
        return None, False
    if known is None:
        return told, True
    merged = merge(known, told)
    if merged == known:
        return None, False
    return merged, merged.in_force(now) and not known.in_force(now)


def merge(known: OptOut, told: OptOut) -> OptOut:
    """Join two entries of one seller, identity and reason: earliest since, latest expiry, and the better source.

    A date that is known beats one that is not; no expiry is the latest expiry; what was verified stays verified. The source is
    the first one's, unless a verified one comes after an unverified one.
    """
    dates = [entry.since for entry in (known, told) if entry.since is not None]
    expiries = [entry.expires_at for entry in (known, told) if entry.expires_at is not None]
    return OptOut(
        known.identity,
        known.seller,
        reason=known.reason,
        since=min(dates, default=None),
        expires_at=max(expiries) if len(expiries) == 2 else None,  # noqa: PLR2004 - both of them expire
        source=told.source if told.verified and not known.verified else known.source,
        verified=known.verified or told.verified,
    )


def best(candidates: Iterable[OptOut], asked: Identity) -> OptOut:
    """Choose the entry that a lookup reports, of those that hold for the identity asked.

    The seller's own before shared ones, then the strongest reason, then the identity asked before linked ones, then the
    earliest since (unknown last), then the least key.
    """
    return min(
        candidates,
        key=lambda entry: (
            entry.seller == SHARED,
            -entry.reason.strength,
            entry.identity != asked,
            entry.since is None,
            entry.since or _NO_DATE,
            entry.identity.key,
        ),
    )


def cluster(
    identity: Identity,
    address_of: Callable[[Identity], Identity | None],
    orders_of: Callable[[Identity], Iterable[Identity]],
) -> frozenset[Identity]:
    """Find what belongs together in one list: the identity, its address, and that address's orders; no further.

    Args:
        identity: Where to begin, an address or an order.
        address_of: Tells the address that an order is linked to, if any.
        orders_of: Tells the orders that are linked to an address.
    """
    address = identity if identity.kind == "address" else address_of(identity)
    return frozenset((identity,)) if address is None else frozenset((identity, address, *orders_of(address)))


def judge_link(known: T | None, told: T, *, replace: bool) -> Literal["new", "known", "contradicted"]:
    """Decide what telling the address of an order does: one that contradicts changes nothing, the others make or refresh the link.

    Args:
        known: The address that the order is linked to now, if any.
        told: The address that was told.
        replace: Whether the one told wins.
    """
    if known == told:
        return "known"
    return "new" if known is None or replace else "contradicted"


def link_day(at: datetime) -> int:
    """The day (UTC, counted from 1970) on which a link was learnt; links are aged by days, so that learning one again is rarely a write."""
    return at.astimezone(UTC).toordinal() - _EPOCH_DAY


def oldest_day_kept(now: datetime, link_days: int) -> int:
    """The day before which links are due for review.

    Each write reviews some of the links that are due. One with an opt-out in force at either end (in its own list or the shared
    one) counts as learnt on the day of the review; any other is forgotten.
    """
    return link_day(now) - link_days


def links_to_review(written: int) -> int:
    """How many links that are due a write reviews, at most: bounded, and faster than links can be learnt."""
    return 100 + 2 * written
