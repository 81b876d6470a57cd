"""What a ledger is: it remembers for which orders a buyer was asked for something, so that nobody asks twice.

Amazon allows one proactive request an order: one request for a review or for feedback, which together count as one, by mail or by
its own solicitation (amazon.md section e).
"""

import enum
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Protocol, Self

import attrs

from optoutkit.identities import OrderId

__all__ = ["AsyncLedger", "Ledger", "Reservation", "Standing"]


class Standing(enum.StrEnum):
    """How an order stands for which a request is known."""

    PENDING = "pending"
    """A request is being sent now. It may still fail: ask again later."""
    SENT = "sent"
    """A request was sent, or may have been: whoever was sending it has not been heard of for ten minutes."""


@attrs.frozen(kw_only=True)
class Reservation:
    """The one request of each of some orders, kept for whoever holds this until it is confirmed or released.

    Attributes:
        seller: Whose orders these are.
        token: What proves in the ledger whose reservation it is.
        granted: The orders for which a request may be sent now.
        refused: The others, with how they stand.
    """

    seller: str
    token: bytes = attrs.field(repr=False)
    granted: tuple[OrderId, ...]
    refused: Mapping[OrderId, Standing]


class Ledger(Protocol):
    """Counts the requests of each order. Every verb may be called from any thread and any process, and may be repeated safely.

    To send a request is ``reserve``, the send, and ``confirm`` once it has gone or ``release`` if it has not; of several who reserve at
    once, one is granted it. A reservation of which nothing more is heard counts as sent after ten minutes: a request too few can
    be borne, and one too many cannot be called back. All of it is forgotten after ``keep_days``.

    A ledger holds digests of orders and times, and no address, no order and no seller in clear.

    Every verb raises :class:`optoutkit.errors.StoreUnavailable` or another :class:`~optoutkit.errors.StoreError` if it cannot be done,
    and no driver's own error.
    """

    def lookup(self, order_ids: Iterable[OrderId], *, seller: str = "") -> Mapping[OrderId, Standing]:
        """Tell for which of the orders a request was sent or is being sent; the others are left out."""
        ...

    def reserve(self, order_ids: Iterable[OrderId], *, seller: str = "") -> Reservation:
        """Reserve the one request of each of the orders, each for itself: some may be granted and others not."""
        ...

    def confirm(self, reservation: Reservation) -> None:
        """Say that the requests granted were sent."""
        ...

    def release(self, reservation: Reservation) -> None:
        """Say that the requests granted were not sent, so that others may be. What was confirmed before stays."""
        ...

    def health(self) -> None:
        """Return if the ledger can be read and written now, else raise what stands in the way."""
        ...

    def close(self) -> None:
        """Let go of files and connections. Closing twice is allowed."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class AsyncLedger(Protocol):
    """The verbs of :class:`Ledger`, awaited; they mean the same. For asyncio.

    A cancelled ``await`` of ``confirm`` or ``release`` does it all the same, and one of ``reserve`` leaves nothing reserved.
    """

    async def lookup(self, order_ids: Iterable[OrderId], *, seller: str = "") -> Mapping[OrderId, Standing]:
        """See :meth:`Ledger.lookup`."""
        ...

    async def reserve(self, order_ids: Iterable[OrderId], *, seller: str = "") -> Reservation:
        """See :meth:`Ledger.reserve`."""
        ...

    async def confirm(self, reservation: Reservation) -> None:
        """See :meth:`Ledger.confirm`."""
        ...

    async def release(self, reservation: Reservation) -> None:
        """See :meth:`Ledger.release`."""
        ...

    async def health(self) -> None:
        """See :meth:`Ledger.health`."""
        ...

    async def close(self) -> None:
        """See :meth:`Ledger.close`."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...
