"""The conformance suite over both stores, against a real server."""

# ruff: noqa: D102 - each class says by its name which store it tests

import pytest

from optoutkit.stores.postgresql import AsyncPostgresqlStore, PostgresqlStore
from optoutkit.testing.stores import DurableStoreConformance, InventoryConformance, StoreFactory


class TestPostgresql(DurableStoreConformance, InventoryConformance):
    @pytest.fixture
    def make_store(self, server_uri: str, schema: str) -> StoreFactory:
        return lambda clock: PostgresqlStore(server_uri, schema=schema, clock=clock)


class TestAsyncPostgresql(DurableStoreConformance):
    @pytest.fixture
    def make_store(self, server_uri: str, schema: str) -> StoreFactory:
        return lambda clock: AsyncPostgresqlStore(server_uri, schema=schema, clock=clock)
