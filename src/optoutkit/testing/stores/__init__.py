"""What makes a store an opt-out store, as tests that every backend passes, sync or async.

Give the suite a way to make your store, and run pytest::

    import pytest
    from optoutkit.testing.stores import DurableStoreConformance

    class TestMyStore(DurableStoreConformance):
        @pytest.fixture
        def make_store(self, tmp_path):
            return lambda clock: MyStore(tmp_path / "optouts", clock=clock)

The factory takes a clock, which the store must go by, and gives a new :class:`optoutkit.OptOutStore` or
:class:`optoutkit.AsyncOptOutStore` with the usual ``link_days`` of 180. Where the data outlives the store, each store that one
factory makes is on the same data, and :class:`DurableStoreConformance` has more to ask; otherwise use :class:`StoreConformance`.
"""

# ruff: noqa: E402 - pytest must be told which modules hold assertions before they are imported

import pytest

pytest.register_assert_rewrite(
    *(f"{__name__}.{rules}" for rules in ("durable", "entries", "inventory", "links", "lookups", "rekeying", "whole"))
)

from optoutkit.testing.stores.driving import BlockingStore, ManualClock, StoreFactory, all_at_once, blocking
from optoutkit.testing.stores.durable import DurabilityRules
from optoutkit.testing.stores.entries import EntryRules
from optoutkit.testing.stores.inventory import InventoryRules
from optoutkit.testing.stores.links import LinkRules
from optoutkit.testing.stores.lookups import LookupRules
from optoutkit.testing.stores.rekeying import RekeyRules
from optoutkit.testing.stores.whole import WholeStoreRules

__all__ = [
    "BlockingStore",
    "DurableStoreConformance",
    "InventoryConformance",
    "ManualClock",
    "RekeyConformance",
    "StoreConformance",
    "StoreFactory",
    "all_at_once",
    "blocking",
]


class StoreConformance(LookupRules, EntryRules, LinkRules, WholeStoreRules):
    """The contract of a store. Subclass it, with a fixture ``make_store`` that gives a :data:`StoreFactory`."""


class DurableStoreConformance(StoreConformance, DurabilityRules):
    """The contract of a store whose data outlives it, and that several processes share."""


class InventoryConformance(InventoryRules):
    """What :class:`optoutkit.stores.TellsLinks` and :class:`optoutkit.stores.TellsSellers` promise, of a sync store that is both."""


class RekeyConformance(RekeyRules):
    """What :class:`optoutkit.stores.Rekeyable` promises, of a sync store."""
