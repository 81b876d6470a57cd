"""What a store of opt-outs is: the verbs, sync and async, and what they answer.

The words used here and in the backends: a *list* is what is kept for one seller, entries and links together. The *cluster* of
an identity is the identity, the address that its list links it to, and that address's orders. What the verbs mean to the last
detail is written down as tests, in :class:`optoutkit.testing.stores.StoreConformance`, which every backend passes.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

import attrs

from optoutkit.identities import Address, Digest, Identity, OrderId
from optoutkit.optouts import OptOut

__all__ = [
    "DEFAULT_LINK_DAYS",
    "AsyncOptOutStore",
    "Clock",
    "EraseReport",
    "LinkPair",
    "LinkReport",
    "OptOutStore",
    "RecordReport",
    "utc_now",
]

LinkPair = tuple[OrderId | Digest, Address | Digest]
"""An order, and the address of the buyer whose order it is."""

Clock = Callable[[], datetime]
"""Tells the time (aware) to a store; tests hand in one of their own."""

DEFAULT_LINK_DAYS = 180
"""For how many days a link that leads to no opt-out is kept after it was last learnt."""


def utc_now() -> datetime:
    """The clock of a store that is given no other."""
    return datetime.now(UTC)


@attrs.frozen(kw_only=True)
class RecordReport:
    """What ``record`` found.

    Attributes:
        new: How many entries were not in force before: unknown, expired, or withdrawn and now revived.
        known: How many said nothing that was not in force already, or came too late to revive a withdrawn one.
    """

    new: int = 0
    known: int = 0


@attrs.frozen(kw_only=True)
class LinkReport:
    """What ``link`` found.

    Attributes:
        new: How many links were not there before, replaced ones included.
        known: How many were there already; they are fresh again.
        contradicted: The orders that are linked to another address, in the order given; those links stay as they were.
    """

    new: int = 0
    known: int = 0
    contradicted: tuple[OrderId | Digest, ...] = ()


@attrs.frozen(kw_only=True)
class EraseReport:
    """What ``erase`` did.

    Attributes:
        erased: How many entries are gone, withdrawn ones included.
        still_refusing: How many opt-outs in force go on refusing as bare digests; always 0 for a store that keeps plain identities.
    """

    erased: int = 0
    still_refusing: int = 0


class OptOutStore(Protocol):
    """Remembers who opted out. Every verb takes a batch, may be called from any thread, and may be repeated safely.

    ``seller`` is the list meant: ``""`` is that of the store's owner, :data:`optoutkit.SHARED` the one that holds for all sellers.
    Only ``lookup`` sees two lists, the seller's and the shared one; every other verb touches just the list it is given.

    Every verb raises :class:`optoutkit.errors.StoreUnavailable`, :class:`~optoutkit.errors.StoreCorrupt` or
    :class:`~optoutkit.errors.StoreVersionError` if it cannot be done (after StoreUnavailable, trying again later is safe),
    :class:`~optoutkit.errors.StoreClosed` after ``close``, and ValueError for a time without a zone; no driver's own error.
    """

    def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """Tell which of the identities are opted out.

        An identity is opted out if anything of its cluster is: an address by itself or by one of its orders, an order by itself,
        by its address, or by another order of that address. Links of the seller's list lead to entries of that list and of the
        shared one; links of the shared list lead to shared entries only.

        Args:
            identities: Whom to look for. Repeated ones are one.
            seller: Whose list to look in, beside the shared one.
            at: The time (aware) at which an entry must not have expired; None is now.

        Returns:
            One entry for each identity that is opted out, under the identity as asked. The entry's own ``identity`` and
            ``seller`` tell where it was found: the seller's own before shared ones, then the strongest reason, then the
            identity asked before linked ones, then the earliest ``since``.
        """
        ...

    def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """Keep opt-outs; they are durable when this returns.

        There is one entry for each (seller, identity, reason). What is told again is merged into it: the earliest ``since``,
        the latest expiry (None, for ever, is the latest), verified once verified, and the first source unless a verified
        one comes. An entry that was withdrawn comes back only by a ``since`` later than the withdrawal.
        """
        ...

    def link(self, pairs: Iterable[LinkPair], *, seller: str = "", replace: bool = False) -> LinkReport:
        """Learn which address an order belongs to.

        Args:
            pairs: Orders and addresses.
            seller: In whose list.
            replace: Whether a link that says otherwise gives way. By default it stays, and the order is reported.

        Raises:
            ValueError: A pair is not an order and an address, in this order.
        """
        ...

    def withdraw(self, identities: Iterable[Identity], *, seller: str = "", why: str = "") -> int:
        """Take back all entries of the identities and their clusters: they opted in again.

        That they were there, until when, and why they were withdrawn is kept.

        Returns:
            How many entries were withdrawn now.
        """
        ...

    def erase(self, identities: Iterable[Identity], *, seller: str = "") -> EraseReport:
        """Forget the identities and their clusters: entries, withdrawn ones, their history, and links.

        For a buyer's right to be forgotten (GDPR, article 17). A later notice is recorded afresh.
        """
        ...

    def scan(self, *, seller: str = "", after: Identity | None = None) -> Iterator[OptOut]:
        """Yield the entries of one list, expired ones too, withdrawn ones not.

        They come in the order of ``identity.key``, the strongest reason of an identity first. It may take as long as it
        likes: others write meanwhile, and what is there from beginning to end is yielded once.

        Args:
            seller: Whose list.
            after: Where to go on: only identities with a greater key are yielded.
        """
        ...

    def health(self) -> None:
        """Return if the store can be read and written now, else raise what stands in the way."""
        ...

    def close(self) -> None:
        """Let go of files and connections. Closing twice is allowed."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class AsyncOptOutStore(Protocol):
    """The verbs of :class:`OptOutStore`, awaited; they mean the same. For asyncio.

    A cancelled ``await`` of a verb that writes lets the write finish.
    """

    async def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`OptOutStore.lookup`."""
        ...

    async def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """See :meth:`OptOutStore.record`."""
        ...

    async def link(self, pairs: Iterable[LinkPair], *, seller: str = "", replace: bool = False) -> LinkReport:
        """See :meth:`OptOutStore.link`."""
        ...

    async def withdraw(self, identities: Iterable[Identity], *, seller: str = "", why: str = "") -> int:
        """See :meth:`OptOutStore.withdraw`."""
        ...

    async def erase(self, identities: Iterable[Identity], *, seller: str = "") -> EraseReport:
        """See :meth:`OptOutStore.erase`."""
        ...

    def scan(self, *, seller: str = "", after: Identity | None = None) -> AsyncIterator[OptOut]:
        """See :meth:`OptOutStore.scan`."""
        ...

    async def health(self) -> None:
        """See :meth:`OptOutStore.health`."""
        ...

    async def close(self) -> None:
        """See :meth:`OptOutStore.close`."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...
