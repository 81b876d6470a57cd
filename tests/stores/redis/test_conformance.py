"""The conformance suite over both stores, against a real server and a real cluster."""

# ruff: noqa: D102 - each class says by its name which store it tests

import asyncio

import pytest

from optoutkit.identities import Digest, Identity
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores.redis import AsyncRedisStore, RedisStore
from optoutkit.testing.stores import DurableStoreConformance, InventoryConformance, RekeyConformance, StoreFactory

pytestmark = pytest.mark.filterwarnings("ignore::optoutkit.stores.redis.DurabilityWarning")


class TestRedis(DurableStoreConformance, InventoryConformance, RekeyConformance):
    @pytest.fixture
    def make_store(self, uri: str) -> StoreFactory:
        return lambda clock: RedisStore(uri, clock=clock)


class TestAsyncRedis(DurableStoreConformance):
    @pytest.fixture
    def make_store(self, uri: str) -> StoreFactory:
        return lambda clock: AsyncRedisStore(uri, clock=clock)


class TestCluster(DurableStoreConformance, InventoryConformance, RekeyConformance):
    @pytest.fixture
    def make_store(self, uri_in_cluster: str) -> StoreFactory:
        return lambda clock: RedisStore(uri_in_cluster, clock=clock)


class TestAsyncCluster(DurableStoreConformance):
    @pytest.fixture
    def make_store(self, uri_in_cluster: str) -> StoreFactory:
        return lambda clock: AsyncRedisStore(uri_in_cluster, clock=clock)


def test_rekeying_with_asyncio(uri: str) -> None:
    """It does what the blocking store does, and a digest that nothing is kept of is passed over."""
    pairs = [(Digest("order", "2025", bytes([number]) * 16), Digest("order", "2026", bytes([number]) * 16)) for number in range(5)]

    async def rekeyed() -> set[Identity]:
        async with AsyncRedisStore(uri) as store:
            await store.record([OptOut(old) for old, _ in pairs[:4]])
            await store.rekey(pairs)
            return {entry.identity async for entry in store.scan()}

    assert asyncio.run(rekeyed()) == {new for _, new in pairs[:4]}


def test_names_are_taken_up_in_their_order(uri: str) -> None:
    """What gets a second name is found under the third, and a name that was given away is free for another."""
    first, second, third, other = (Digest("order", str(number), b"n" * 16) for number in range(4))
    with RedisStore(uri) as store:
        store.record([OptOut(first, source="first"), OptOut(other, source="other")])
        store.rekey([(first, second), (second, third), (other, second)])
        assert {entry.identity: entry.source for entry in store.scan()} == {third: "first", second: "other"}


def test_orders_keep_their_links_when_their_shared_entries_move(uri: str) -> None:
    """An address finds the shared opt-out that its order has got from another name."""
    old, new, address = Digest("order", "1", b"o" * 16), Digest("order", "2", b"n" * 16), Digest("address", "2", b"a" * 16)
    with RedisStore(uri) as store:
        store.record([OptOut(old, SHARED)])
        store.link([(new, address)], seller="shop")
        store.rekey([(old, new)])
        assert store.lookup([address], seller="shop") == {address: OptOut(new, SHARED)}
