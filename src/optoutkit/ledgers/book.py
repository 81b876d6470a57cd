"""What all ledgers have in common: what is written down of a request, and what it means. There is no I/O here."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import attrs

from optoutkit.identities import OrderId
from optoutkit.ledgers.base import Reservation, Standing
from optoutkit.stores.arguments import checked_seller
from optoutkit.stores.base import Clock

__all__ = ["DEFAULT_KEEP_DAYS", "AsyncBackend", "Backend", "Book", "Claim", "Row"]

DEFAULT_KEEP_DAYS = 180
"""For how many days a request is remembered. Amazon takes none later than 30 days after the order is complete (amazon.md section e)."""

_LEASE = timedelta(minutes=10)
"""After what time a reservation of which nothing was heard counts as sent."""

Row = tuple[int, bool]
"""When a request was reserved, in seconds since 1970, and whether it was confirmed."""


@attrs.frozen(kw_only=True)
class Claim:
    """What is written down for a reservation.

    Attributes:
        token: Whose it is.
        now: The time, in seconds since 1970.
        ends: When it is forgotten.
    """

    token: bytes
    now: int
    ends: int


class Backend(Protocol):
    """Where requests are written down, each under a key of 16 bytes. What has ended is as good as not there."""

    def prepare(self) -> None:
        """Make what is missing."""
        ...

    def read(self, keys: Sequence[bytes], now: int) -> Mapping[bytes, Row]:
        """What is there under these keys."""
        ...

    def take(self, keys: Sequence[bytes], claim: Claim) -> Mapping[bytes, Row | None]:
        """Write down a claim wherever nothing is; the answer is what was there of others, None if that has gone meanwhile."""
        ...

    def mark(self, keys: Sequence[bytes], token: bytes) -> None:
        """Note of what is this claim's that it was confirmed."""
        ...

    def drop(self, keys: Sequence[bytes], token: bytes) -> None:
        """Strike out what is this claim's, unless it was confirmed."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class AsyncBackend(Protocol):
    """The same for asyncio."""

    async def prepare(self) -> None:
        """See :meth:`Backend.prepare`."""
        ...

    async def read(self, keys: Sequence[bytes], now: int) -> Mapping[bytes, Row]:
        """See :meth:`Backend.read`."""
        ...

    async def take(self, keys: Sequence[bytes], claim: Claim) -> Mapping[bytes, Row | None]:
        """See :meth:`Backend.take`."""
        ...

    async def mark(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.mark`."""
        ...

    async def drop(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.drop`."""
        ...

    async def close(self) -> None:
        """See :meth:`Backend.close`."""
        ...


def _checked_days(days: float) -> float:
    if not 0 < days <= 36_500:  # noqa: PLR2004 - a hundred years; nan and inf are refused too
        raise ValueError(f"keep_days must be a number of days, more than 0 and up to 36500, not {days}")
    return days


@attrs.frozen(kw_only=True)
class Book:
    """The rules by which a ledger is kept.

    Attributes:
        keep_days: For how many days a request is remembered.
        secret: Key of the digests, 16 to 64 bytes; None for digests that whoever guesses an order ID can make too.
        clock: Tells the time.
    """

    keep_days: float = attrs.field(converter=_checked_days)
    secret: bytes | None = attrs.field(repr=False)
    clock: Clock

    def __attrs_post_init__(self) -> None:
        if self.secret is not None:
            OrderId("000-0000000-0000000").digest(self.secret)  # tells a wrong one now

    def keys(self, order_ids: Iterable[OrderId], seller: str) -> dict[bytes, OrderId]:
        """The keys of the orders, each once."""
        checked_seller(seller)
        return {self._key(order_id, seller): order_id for order_id in order_ids}

    def now(self) -> int:
        """The time in seconds since 1970."""
        return _seconds(self.clock())

    def claim(self) -> Claim:
        """A new claim from now on."""
        now = self.clock()
        return Claim(token=secrets.token_bytes(16), now=_seconds(now), ends=_seconds(now + timedelta(days=self.keep_days)))

    @staticmethod
    def standings(keys: Mapping[bytes, OrderId], rows: Mapping[bytes, Row | None], now: int) -> dict[OrderId, Standing]:
        """What is written down, in words, in the order of the keys."""
        return {order_id: _standing(rows[key], now) for key, order_id in keys.items() if key in rows}

    def reservation(self, keys: Mapping[bytes, OrderId], rows: Mapping[bytes, Row | None], claim: Claim, seller: str) -> Reservation:
        """What became of a claim."""
        refused = self.standings(keys, rows, claim.now)
        granted = tuple(order_id for order_id in keys.values() if order_id not in refused)
        return Reservation(seller=seller, token=claim.token, granted=granted, refused=refused)

    def _key(self, order_id: OrderId, seller: str) -> bytes:
        if not isinstance(order_id, OrderId):
            raise TypeError(f"a ledger counts by OrderId, not {type(order_id).__name__}")
        text = f"{order_id.key}\0{seller}".encode()
        return hashlib.blake2b(text, digest_size=16, key=self.secret or b"", person=b"optoutkit ledger").digest()


def _standing(row: Row | None, now: int) -> Standing:
    if row is None:
        return Standing.PENDING
    reserved_at, confirmed = row
    return Standing.SENT if confirmed or now - reserved_at >= _LEASE.total_seconds() else Standing.PENDING


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
