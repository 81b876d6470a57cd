"""What wrappers tell of the links and sellers of the store behind them."""

# ruff: noqa: D102 - each class says by its name which store it tests

from typing import Any

import pytest

from optoutkit.bulk import migrate
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import OptOut
from optoutkit.stores import CachedStore, HashedStore, LayeredStore, OptOutStore, TellsLinks, TellsSellers
from optoutkit.stores.memory import MemoryStore
from optoutkit.testing.stores import InventoryConformance, StoreFactory

ORDER, ALIAS = OrderId("302-1234567-1234567"), Address("abc123@marketplace.amazon.de")
SECRETS = {"2026": b"s" * 32}


class TestCached(InventoryConformance):
    @pytest.fixture
    def make_store(self) -> StoreFactory:
        return lambda clock: CachedStore(MemoryStore(clock=clock), ttl=300)


class TestLayered(InventoryConformance):
    @pytest.fixture
    def make_store(self) -> StoreFactory:
        return lambda clock: LayeredStore(MemoryStore(clock=clock), MemoryStore(clock=clock))


def test_digests_are_told_and_taken_as_they_are() -> None:
    """Links of a store of digests are links of digests, and move with it: found in the end under the same secrets."""
    behind, target = MemoryStore(), MemoryStore()
    source = HashedStore(behind, SECRETS)
    source.record([OptOut(ORDER, "shop")])
    source.link([(ORDER, ALIAS)], seller="shop")
    assert list(source.scan_links(seller="shop")) == list(behind.scan_links(seller="shop"))
    assert list(source.sellers()) == ["shop"]
    report = migrate(source, HashedStore(target, SECRETS))
    assert (report.is_complete, report.links) == (True, 1)
    assert HashedStore(target, SECRETS).lookup([ALIAS], seller="shop").keys() == {ALIAS}


class Bare:
    """A store with the verbs of the contract, and nothing else."""

    lookup = record = link = withdraw = erase = scan = health = close = None


@pytest.mark.parametrize(
    "wrap", [lambda store: CachedStore(store, ttl=300), lambda store: HashedStore(store, SECRETS), lambda store: LayeredStore(store, store)]
)
def test_nothing_is_told_that_the_store_cannot_tell(wrap: Any) -> None:
    """Whoever asks whether it can be told gets the answer of the store behind."""
    bare: Any = Bare()
    store: OptOutStore = wrap(bare)
    assert not isinstance(store, TellsLinks)
    assert not isinstance(store, TellsSellers)
