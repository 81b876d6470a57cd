"""The conformance suite over all four stores."""

# ruff: noqa: D102 - each class says by its name which store it tests

from pathlib import Path

import pytest

from optoutkit.stores.memory import AsyncMemoryStore, MemoryStore
from optoutkit.stores.sqlite import AsyncSqliteStore, SqliteStore
from optoutkit.testing.stores import DurableStoreConformance, StoreConformance, StoreFactory


class TestMemory(StoreConformance):
    @pytest.fixture
    def make_store(self) -> StoreFactory:
        return lambda clock: MemoryStore(clock=clock)


class TestAsyncMemory(StoreConformance):
    @pytest.fixture
    def make_store(self) -> StoreFactory:
        return lambda clock: AsyncMemoryStore(clock=clock)


class TestSqlite(DurableStoreConformance):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> StoreFactory:
        return lambda clock: SqliteStore(tmp_path / "optouts.db", clock=clock)


class TestAsyncSqlite(DurableStoreConformance):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> StoreFactory:
        return lambda clock: AsyncSqliteStore(tmp_path / "optouts.db", clock=clock)
