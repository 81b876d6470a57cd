"""The stores that can tell their links and sellers."""

# ruff: noqa: D102 - each class says by its name which store it tests

from pathlib import Path

import pytest

from optoutkit.stores.memory import MemoryStore
from optoutkit.stores.sqlite import SqliteStore
from optoutkit.testing.stores import InventoryConformance, StoreFactory


class TestMemory(InventoryConformance):
    @pytest.fixture
    def make_store(self) -> StoreFactory:
        return lambda clock: MemoryStore(clock=clock)


class TestSqlite(InventoryConformance):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> StoreFactory:
        return lambda clock: SqliteStore(tmp_path / "optouts.db", clock=clock)
