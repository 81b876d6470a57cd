"""The conformance suite over both stores, against a real server and a real cluster."""

# ruff: noqa: D102 - each class says by its name which store it tests

import pytest

from optoutkit.stores.redis import AsyncRedisStore, RedisStore
from optoutkit.testing.stores import DurableStoreConformance, StoreFactory

pytestmark = pytest.mark.filterwarnings("ignore::optoutkit.stores.redis.DurabilityWarning")


class TestRedis(DurableStoreConformance):
    @pytest.fixture
    def make_store(self, uri: str) -> StoreFactory:
        return lambda clock: RedisStore(uri, clock=clock)


class TestAsyncRedis(DurableStoreConformance):
    @pytest.fixture
    def make_store(self, uri: str) -> StoreFactory:
        return lambda clock: AsyncRedisStore(uri, clock=clock)


class TestCluster(DurableStoreConformance):
    @pytest.fixture
    def make_store(self, uri_in_cluster: str) -> StoreFactory:
        return lambda clock: RedisStore(uri_in_cluster, clock=clock)


class TestAsyncCluster(DurableStoreConformance):
    @pytest.fixture
    def make_store(self, uri_in_cluster: str) -> StoreFactory:
        return lambda clock: AsyncRedisStore(uri_in_cluster, clock=clock)
