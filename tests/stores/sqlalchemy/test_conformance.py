"""The conformance suite over the store for any database: MySQL's dialect, blocking and async, and SQLite's."""

# ruff: noqa: D102 - each class says by its name which store it tests

import pytest

from optoutkit.stores.sqlalchemy import AsyncSqlAlchemyStore, SqlAlchemyStore
from optoutkit.testing.stores import DurableStoreConformance, InventoryConformance, StoreFactory
from optoutkit.testing.stores.durable import DurabilityRules
from optoutkit.testing.stores.whole import WholeStoreRules


class TestMysql(DurableStoreConformance, InventoryConformance):
    @pytest.fixture
    def make_store(self, used_mysql_url: str) -> StoreFactory:
        return lambda clock: SqlAlchemyStore(used_mysql_url, clock=clock)


class TestAsyncMysql(WholeStoreRules, DurabilityRules):
    @pytest.fixture
    def make_store(self, used_mysql_url: str) -> StoreFactory:
        return lambda clock: AsyncSqlAlchemyStore(used_mysql_url, clock=clock)


class TestSqlite(DurableStoreConformance, InventoryConformance):
    @pytest.fixture
    def make_store(self, sqlite_url: str) -> StoreFactory:
        return lambda clock: SqlAlchemyStore(sqlite_url, clock=clock)
