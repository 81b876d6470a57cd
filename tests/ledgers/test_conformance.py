"""The conformance suite over all ledgers: in memory, in files, and against real servers and a real cluster."""

# ruff: noqa: D102 - each class says by its name which ledger it tests

from pathlib import Path

import pytest

from optoutkit.ledgers import open_async_ledger, open_ledger
from optoutkit.testing.ledgers import DurableLedgerConformance, LedgerConformance, LedgerFactory


class TestMemory(LedgerConformance):
    @pytest.fixture
    def make_ledger(self) -> LedgerFactory:
        return lambda clock: open_ledger("memory://", clock=clock)


class TestAsyncMemory(LedgerConformance):
    @pytest.fixture
    def make_ledger(self) -> LedgerFactory:
        return lambda clock: open_async_ledger("memory://", clock=clock)


class TestSqlite(DurableLedgerConformance):
    @pytest.fixture
    def make_ledger(self, tmp_path: Path) -> LedgerFactory:
        return lambda clock: open_ledger(f"sqlite:///{tmp_path}/requests.db", clock=clock)


class TestAsyncSqlite(DurableLedgerConformance):
    @pytest.fixture
    def make_ledger(self, tmp_path: Path) -> LedgerFactory:
        return lambda clock: open_async_ledger(f"sqlite:///{tmp_path}/requests.db", clock=clock)


class TestPostgresql(DurableLedgerConformance):
    @pytest.fixture
    def make_ledger(self, postgresql: str) -> LedgerFactory:
        return lambda clock: open_ledger(postgresql, clock=clock)


class TestAsyncPostgresql(DurableLedgerConformance):
    @pytest.fixture
    def make_ledger(self, postgresql: str) -> LedgerFactory:
        return lambda clock: open_async_ledger(postgresql, clock=clock)


class TestRedis(DurableLedgerConformance):
    @pytest.fixture
    def make_ledger(self, valkey: str) -> LedgerFactory:
        return lambda clock: open_ledger(valkey, clock=clock)


class TestAsyncRedis(DurableLedgerConformance):
    @pytest.fixture
    def make_ledger(self, valkey: str) -> LedgerFactory:
        return lambda clock: open_async_ledger(valkey, clock=clock)


class TestCluster(DurableLedgerConformance):
    @pytest.fixture
    def make_ledger(self, valkey_cluster: str) -> LedgerFactory:
        return lambda clock: open_ledger(valkey_cluster, clock=clock)


class TestAsyncCluster(DurableLedgerConformance):
    @pytest.fixture
    def make_ledger(self, valkey_cluster: str) -> LedgerFactory:
        return lambda clock: open_async_ledger(valkey_cluster, clock=clock)
