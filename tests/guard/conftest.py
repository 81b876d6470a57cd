"""Stores in every state a guard can meet, and classifiers that say what a test wants."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import copy_context
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from optoutkit.classifier.results import Classification
from optoutkit.errors import StoreUnavailable
from optoutkit.guard import AsyncGuard, Delivery, Guard, GuardEvent, JointDelivery, Verdict
from optoutkit.identities import Address, Identity, OrderId
from optoutkit.messages import Message
from optoutkit.optouts import OptOut
from optoutkit.stores.memory import MemoryStore
from optoutkit.stores.opening import open_async_store, open_store

Classifier = Callable[[Message], Classification]


class WatchedStore(MemoryStore):
    """The memory store, which also remembers what it was asked, and can be down."""

    def __init__(self) -> None:
        super().__init__()
        self.lookups: list[tuple[Identity, ...]] = []
        self.down: Exception | None = None

    def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        """Look up, or be down."""
        asked = tuple(identities)
        self.lookups.append(asked)
        if self.down is not None:
            raise self.down
        return super().lookup(asked, seller=seller, at=at)

    def link(self, *args: Any, **kwargs: Any) -> Any:
        """Link, or be down."""
        if self.down is not None:
            raise self.down
        return super().link(*args, **kwargs)


class Bench:
    """A guard over a real store, sync or async, used the same way; it remembers what its hook was told."""

    def __init__(self, uri: str, *, is_async: bool) -> None:
        self._runner = asyncio.Runner()
        self.is_async = is_async
        self.store: Any = open_async_store(uri) if is_async else open_store(uri)
        self.events: list[GuardEvent] = []
        self.guard: Any = None
        self.guarded()

    def guarded(self, **options: Any) -> "Bench":
        """Make the guard anew with other options."""
        kind = AsyncGuard if self.is_async else Guard
        self.guard = kind(self.store, hook=self.events.append, **options)
        return self

    def done(self, call: Any) -> Any:
        """The result of a call, awaited if need be."""

        async def wait() -> Any:
            return await call

        # In the context of the caller, with what is declared there, and not in that of the first call.
        return self._runner.run(wait(), context=copy_context()) if asyncio.iscoroutine(call) else call

    def check(self, message: Any) -> Verdict:
        """Check a message."""
        verdict: Verdict = self.done(self.guard.check(message))
        return verdict

    def deliver(self, message: Message, send: Callable[[Verdict], Any]) -> Delivery[Any]:
        """Deliver a message by a function that does not wait."""

        async def send_later(verdict: Verdict) -> Any:
            return send(verdict)

        delivery: Delivery[Any] = self.done(self.guard.deliver(message, send_later if self.is_async else send))
        return delivery

    def deliver_together(
        self, messages: Iterable[Message], send: Callable[[tuple[Verdict, ...]], Any], **options: Any
    ) -> JointDelivery[Any]:
        """Deliver messages together by a function that does not wait."""

        async def send_later(verdicts: tuple[Verdict, ...]) -> Any:
            return send(verdicts)

        delivery: JointDelivery[Any] = self.done(self.guard.deliver_together(messages, send_later if self.is_async else send, **options))
        return delivery

    def record(self, *identities: Identity, **details: Any) -> None:
        """Opt out."""
        self.done(self.store.record([OptOut(identity, **details) for identity in identities]))

    def link(self, order_id: OrderId, address: Address) -> None:
        """Link an order to a buyer."""
        self.done(self.store.link([(order_id, address)]))

    def is_opted_out(self, identity: Identity) -> bool:
        """Whether the store has it."""
        return bool(self.done(self.store.lookup([identity])))

    def close(self) -> None:
        """Let go of everything."""
        self.done(self.store.close())
        self._runner.close()


@pytest.fixture(params=["memory", "sqlite", "async memory", "async sqlite"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A guard over each real store."""
    uri = "memory://" if request.param.endswith("memory") else f"sqlite:///{tmp_path}/optouts.db"
    bench = Bench(uri, is_async=request.param.startswith("async"))
    yield bench
    bench.close()


@pytest.fixture
def store() -> WatchedStore:
    """An empty store that answers."""
    return WatchedStore()


@pytest.fixture
def down() -> WatchedStore:
    """A store that does not answer."""
    store = WatchedStore()
    store.down = StoreUnavailable("the database is locked")
    return store


@pytest.fixture
def saying() -> Callable[..., Classifier]:
    """Make a classifier that says the same of every message."""

    def make(topic: str, *, critical: bool = False, solicits: bool = False) -> Classifier:
        answer = Classification(critical=critical, solicits=solicits, topic=topic, confidence=0.9, language="en")
        return lambda _message: answer

    return make


@pytest.fixture
def failing() -> Classifier:
    """A classifier that is broken."""

    def fail(_message: Message) -> Classification:
        raise RuntimeError("the weights are gone, said buyer@example.com")

    return fail
