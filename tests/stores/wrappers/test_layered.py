"""A list of one's own, and behind it a shared one."""

# ruff: noqa: D102 - each class says by its name which store it tests

import asyncio
from pathlib import Path

import pytest

from optoutkit.errors import StoreClosed
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores import AsyncLayeredStore, LayeredStore, OptOutStore
from optoutkit.stores.memory import AsyncMemoryStore, MemoryStore
from optoutkit.stores.sqlite import SqliteStore
from optoutkit.testing.stores import DurableStoreConformance, ManualClock, StoreConformance, StoreFactory

ALIAS, PLAIN, OTHER = Address("abc123@marketplace.amazon.de"), Address("buyer@example.com"), Address("other@example.com")
ORDER = OrderId("302-1234567-1234567")


class TestAsyncLayeredMemory(StoreConformance):
    @pytest.fixture
    def make_store(self) -> StoreFactory:
        return lambda clock: AsyncLayeredStore(AsyncMemoryStore(clock=clock), AsyncMemoryStore(clock=clock))


class TestLayeredSqlite(DurableStoreConformance):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> StoreFactory:
        return lambda clock: LayeredStore(SqliteStore(tmp_path / "own.db", clock=clock), SqliteStore(tmp_path / "shared.db", clock=clock))


@pytest.fixture
def shared() -> OptOutStore:
    """The shared store, with entries in its shared list and in a seller's own."""
    store = MemoryStore()
    store.record([OptOut(PLAIN, SHARED, reason=Reason.COMPLAINT), OptOut(OTHER, "a"), OptOut(ORDER)])
    return store


def test_the_own_list_comes_first(shared: OptOutStore) -> None:
    """What it knows is reported from there, all else from the shared list; entries of other sellers of the shared store are none."""
    store = LayeredStore(MemoryStore(), shared)
    for seller in ("", "a", SHARED):
        assert store.lookup([PLAIN, OTHER, ORDER], seller=seller) == {PLAIN: OptOut(PLAIN, SHARED, reason=Reason.COMPLAINT)}
    store.record([OptOut(PLAIN, "a")])
    assert store.lookup([PLAIN], seller="a") == {PLAIN: OptOut(PLAIN, "a")}
    assert store.lookup([PLAIN], seller="b")[PLAIN].seller == SHARED


def test_a_question_that_the_own_list_answers_is_not_passed_on(shared: OptOutStore) -> None:
    """The shared store is asked about whoever is left, if anybody is."""
    own = MemoryStore()
    own.record([OptOut(ALIAS)])
    store = LayeredStore(own, shared)
    shared.close()
    assert store.lookup([ALIAS]) == {ALIAS: OptOut(ALIAS)}
    assert store.lookup([]) == {}
    with pytest.raises(StoreClosed):
        store.lookup([ALIAS, PLAIN])
    with pytest.raises(StoreClosed):
        store.health()


def test_the_time_asked_for_is_passed_on(shared: OptOutStore) -> None:
    """What will have expired there by then is none."""
    clock = ManualClock()
    shared.record([OptOut(ALIAS, SHARED, expires_at=clock.now)])
    store = LayeredStore(MemoryStore(clock=clock), shared)
    assert store.lookup([ALIAS], at=clock.now) == {}
    assert store.lookup([ALIAS], at=clock.now.replace(year=2025)).keys() == {ALIAS}


def test_by_default_the_shared_store_is_not_written_to(shared: OptOutStore) -> None:
    """Whatever is done, it stays as it was."""
    store = LayeredStore(MemoryStore(), shared)
    before = {seller: list(shared.scan(seller=seller)) for seller in ("", "a", SHARED)}
    store.record([OptOut(ALIAS, verified=True), OptOut(PLAIN, SHARED, verified=True)])
    store.link([(ORDER, ALIAS)])
    store.withdraw([PLAIN], seller=SHARED)
    store.erase([PLAIN, ORDER], seller=SHARED)
    assert {seller: list(shared.scan(seller=seller)) for seller in ("", "a", SHARED)} == before


def test_what_is_proved_is_contributed_and_nothing_else(shared: OptOutStore) -> None:
    """A verified opt-out of any seller counts for all who share the list; what somebody merely says does not."""
    store = LayeredStore(MemoryStore(), shared, contribute=True)
    told = [OptOut(ALIAS, "a", verified=True, source="a mail"), OptOut(OTHER, "a"), OptOut(ORDER, reason=Reason.MANUAL)]
    for _ in range(2):
        store.record(told)
    assert list(shared.scan(seller=SHARED)) == [
        OptOut(ALIAS, SHARED, verified=True, source="a mail"),
        OptOut(PLAIN, SHARED, reason=Reason.COMPLAINT),
    ]
    another = LayeredStore(MemoryStore(), shared)
    assert another.lookup([ALIAS, OTHER], seller="b").keys() == {ALIAS}
    store.withdraw([ALIAS], seller="a")
    assert store.lookup([ALIAS], seller="a")[ALIAS].seller == SHARED  # taken back in the own list only


def test_the_same_for_asyncio() -> None:
    """Own first, then the shared list, to which what is proved goes."""

    async def scenario() -> None:
        shared = AsyncMemoryStore()
        await shared.record([OptOut(PLAIN, SHARED)])
        async with AsyncLayeredStore(AsyncMemoryStore(), shared, contribute=True) as store:
            await store.record([OptOut(ALIAS, verified=True), OptOut(OTHER)])
            await store.health()
            assert (await store.lookup([PLAIN, ALIAS, OTHER])).keys() == {PLAIN, ALIAS, OTHER}
            assert [entry.identity async for entry in shared.scan(seller=SHARED)] == [ALIAS, PLAIN]
            assert [entry.identity async for entry in store.scan()] == [ALIAS, OTHER]
        with pytest.raises(StoreClosed):
            await shared.health()

    asyncio.run(scenario())
