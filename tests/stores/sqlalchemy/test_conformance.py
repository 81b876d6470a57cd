"""The conformance suite over the store for any database: MySQL's dialect, blocking and async, and SQLite's."""

# ruff: noqa: D102 - each class says by its name which store it tests

import pytest

from optoutkit.stores.sqlalchemy import AsyncSqlAlchemyStore, SqlAlchemyStore
from optoutkit.testing.stores import DurableStoreConformance, InventoryConformance, StoreFactory


class TestMysql(DurableStoreConformance, InventoryConformance):
    @pytest.fixture
    def make_store(self, mysql_url: str) -> StoreFactory:
        return lambda clock: SqlAlchemyStore(mysql_url, clock=clock)


class TestAsyncMysql(DurableStoreConformance):
    @pytest.fixture
    def make_store(self, mysql_url: str) -> StoreFactory:
        return lambda clock: AsyncSqlAlchemyStore(mysql_url, clock=clock)


class TestSqlite(DurableStoreConformance, InventoryConformance):
    @pytest.fixture
    def make_store(self, sqlite_url: str) -> StoreFactory:
        return lambda clock: SqlAlchemyStore(sqlite_url, clock=clock)
