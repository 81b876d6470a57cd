"""Guards over a store in memory, for the tests of those who send through one.

Example:
    >>> from optoutkit import Message
    >>> guard = RecordingGuard("optedout@marketplace.amazon.de")
    >>> guard.check(Message("Hello", "Please leave us a review!", to="optedout@marketplace.amazon.de")).sends
    False
    >>> [decision.reason.value for decision in guard.decisions]
    ['opted_out']
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from optoutkit.errors import StoreUnavailable
from optoutkit.guard import AsyncGuard, Decided, Decision, Guard, GuardEvent
from optoutkit.identities import Identity, read_identity
from optoutkit.optouts import OptOut
from optoutkit.stores.asynchronous import AsyncStore, T, Verb
from optoutkit.stores.memory import MemoryStore

__all__ = ["AsyncRecordingGuard", "AsyncUnreliableStore", "RecordingGuard", "UnreliableStore"]


class UnreliableStore(MemoryStore):
    """A store in memory that can have an outage.

    Attributes:
        down: Whether it has one now: then ``lookup`` and ``link`` raise :class:`optoutkit.StoreUnavailable`.
    """

    down: bool = False

    def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """See :meth:`optoutkit.OptOutStore.lookup`."""
        self._answer()
        return super().lookup(identities, seller=seller, at=at)

    def link(self, pairs: Any, *, seller: str = "", replace: bool = False) -> Any:
        """See :meth:`optoutkit.OptOutStore.link`."""
        self._answer()
        return super().link(pairs, seller=seller, replace=replace)

    def _answer(self) -> None:
        if self.down:
            raise StoreUnavailable("the store has an outage, as the test wants it")


class AsyncUnreliableStore(AsyncStore):
    """The same for asyncio.

    Args:
        store: Where everything is kept.
    """

    def __init__(self, store: UnreliableStore) -> None:
        self._store = store

    async def _run(self, verb: Verb[T]) -> T:
        return verb(self._store)


class _Recording:
    """What a guard for tests remembers."""

    store: UnreliableStore
    events: list[GuardEvent]

    @property
    def decisions(self) -> list[Decision]:
        """Every decision, in order."""
        return [decision for event in self.events if isinstance(event, Decided) for decision in event.verdict.decisions]


class RecordingGuard(_Recording, Guard):
    """A guard over a store in memory, which remembers what it decided.

    Args:
        opted_out: Who is opted out of the seller's messages: addresses or order IDs, as text or as objects, or whole entries.
        options: As for :class:`optoutkit.Guard`: ``policy``, ``seller``, ``classify`` and so on.

    Attributes:
        store: The store, an :class:`UnreliableStore`: record in it what the test needs, or set ``guard.store.down``.
        events: What a hook is told, in order.
        decisions: The decisions among these.
    """

    def __init__(self, *opted_out: str | Identity | OptOut, **options: Any) -> None:
        self.store: UnreliableStore = _store(opted_out, options.get("seller", ""))
        self.events: list[GuardEvent] = []
        super().__init__(self.store, hook=self.events.append, **options)


class AsyncRecordingGuard(_Recording, AsyncGuard):
    """The same for asyncio; its ``store`` is the blocking one behind the guard's own, which tests need not await.

    Args:
        opted_out: See :class:`RecordingGuard`.
        options: As for :class:`optoutkit.AsyncGuard`.
    """

    def __init__(self, *opted_out: str | Identity | OptOut, **options: Any) -> None:
        self.store: UnreliableStore = _store(opted_out, options.get("seller", ""))
        self.events: list[GuardEvent] = []
        super().__init__(AsyncUnreliableStore(self.store), hook=self.events.append, **options)


def _store(opted_out: Iterable[str | Identity | OptOut], seller: str) -> UnreliableStore:
    store = UnreliableStore()
    store.record(_entry(entry, seller) for entry in opted_out)
    return store


def _entry(entry: str | Identity | OptOut, seller: str) -> OptOut:
    if isinstance(entry, OptOut):
        return entry
    return OptOut(read_identity(entry) if isinstance(entry, str) else entry, seller)
