"""A store that can tell its links and its sellers."""

# ruff: noqa: S101, PLR2004 - these are tests, for others to run

from collections.abc import Callable, Iterator

import pytest

from optoutkit.errors import StoreClosed
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores.base import LinkPair, OptOutStore
from optoutkit.stores.inventory import TellsLinks, TellsSellers
from optoutkit.testing.stores.driving import ManualClock, StoreFactory, blocking
from optoutkit.testing.stores.fixtures import ALIAS, ORDER, OTHER_ALIAS, PLAIN, SECOND_ORDER, THIRD_ORDER, StoreFixtures

__all__ = ["InventoryRules"]


def links_of(store: OptOutStore, seller: str = "") -> Iterator[LinkPair]:
    """Its links."""
    assert isinstance(store, TellsLinks)
    return store.scan_links(seller=seller)


class InventoryRules(StoreFixtures):
    """What :class:`optoutkit.stores.TellsLinks` and :class:`optoutkit.stores.TellsSellers` promise."""

    def test_links_come_as_they_were_told(self, store: OptOutStore) -> None:
        """Those of one list only, the address that replaced another, and none that was erased."""
        store.link([(ORDER, ALIAS), (SECOND_ORDER, ALIAS), (THIRD_ORDER, PLAIN)])
        store.link([(THIRD_ORDER, OTHER_ALIAS)], replace=True)
        store.link([(ORDER, PLAIN)], seller="a")
        store.link([(SECOND_ORDER, PLAIN)], seller=SHARED)
        assert set(links_of(store)) == {(ORDER, ALIAS), (SECOND_ORDER, ALIAS), (THIRD_ORDER, OTHER_ALIAS)}
        assert list(links_of(store, "a")) == [(ORDER, PLAIN)]
        assert list(links_of(store, SHARED)) == [(SECOND_ORDER, PLAIN)]
        assert list(links_of(store, "never heard of")) == []
        store.erase([ALIAS])
        assert list(links_of(store)) == [(THIRD_ORDER, OTHER_ALIAS)]

    def test_links_are_stable_while_others_write(self, store: OptOutStore) -> None:
        """Each that is there all the time comes once."""
        lasting = {(OrderId(f"302-{number:07}-0000000"), Address(f"b{number % 300}@example.com")) for number in range(1200)}
        passing = [(OrderId(f"303-{number:07}-0000000"), Address(f"p{number}@example.com")) for number in range(0, 1200, 10)]
        store.link([*lasting, *passing])
        seen = []
        for number, pair in enumerate(links_of(store)):
            seen.append(pair)
            if number % 300 == 150:
                store.erase(address for _, address in passing[number // 20 :][:10])
                store.link([(OrderId(f"30{first}-{number:07}-1111111"), ALIAS) for first in (1, 4)])
        kept = [pair for pair in seen if pair in lasting]
        assert len(kept) == 1200
        assert set(kept) == lasting

    def test_every_list_that_is_not_empty_is_told(self, store: OptOutStore) -> None:
        """Whether it has entries or links; in alphabetical order, each once."""
        store.record([OptOut(PLAIN, "b"), OptOut(PLAIN), OptOut(PLAIN, SHARED), OptOut(ALIAS, "b")])
        store.link([(ORDER, ALIAS)], seller="a")
        assert isinstance(store, TellsSellers)
        assert list(store.sellers()) == ["", SHARED, "a", "b"]

    def test_a_closed_store_tells_nothing(self, make_store: StoreFactory, clock: ManualClock) -> None:
        """It says that it is closed."""
        with blocking(make_store(clock)) as store:
            assert isinstance(store, TellsLinks)
            assert isinstance(store, TellsSellers)
            store.close()
            calls: list[Callable[[], object]] = [lambda: list(links_of(store)), lambda: list(store.sellers())]
            for call in calls:
                with pytest.raises(StoreClosed):
                    call()
