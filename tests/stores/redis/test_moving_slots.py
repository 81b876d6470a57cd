"""A cluster in which slots move from node to node."""

import asyncio

import pytest
from benchmarks.valkey import ValkeyCluster

from optoutkit.identities import Address, OrderId
from optoutkit.optouts import OptOut
from optoutkit.stores.redis import AsyncRedisStore, RedisStore
from optoutkit.stores.redis.layout import Layout

pytestmark = pytest.mark.filterwarnings("ignore::optoutkit.stores.redis.DurabilityWarning")


def test_slots_that_move_are_followed(own_cluster: ValkeyCluster) -> None:
    """While a slot is on its way from node to node, and when it has arrived, everything is found and written, by both stores."""
    buyer, order = Address("buyer@example.com"), OrderId("302-1234567-1234567")
    slot, key = Layout("optoutkit:").identity("a:buyer@example.com")
    with RedisStore(own_cluster.uri) as store:
        store.link([(order, buyer)])
        store.record([OptOut(buyer)])
        source = next(node for node in own_cluster.nodes[:3] if node.refusal("TYPE", key.decode()) is None)
        target = next(node for node in own_cluster.nodes[:3] if node is not source)
        names = {node: node.command("CLUSTER", "MYID") for node in (source, target)}
        target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", names[source])
        source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", names[target])
        assert store.lookup([buyer, order]).keys() == {buyer, order}
        keys = source.command("CLUSTER", "GETKEYSINSLOT", slot, 100)
        assert key in keys
        source.command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        assert store.lookup([buyer, order]).keys() == {buyer, order}  # the source says ASK
        assert store.record([OptOut(buyer)]).known == 1
        assert store.withdraw([buyer]) == 1
        for node in own_cluster.nodes[:3]:
            node.command("CLUSTER", "SETSLOT", slot, "NODE", names[target])
        assert store.lookup([buyer, order]) == {}  # the source says MOVED

        async def with_asyncio() -> None:
            async with AsyncRedisStore(own_cluster.uri) as other:
                assert await other.lookup([buyer, order]) == {}

        asyncio.run(with_asyncio())
