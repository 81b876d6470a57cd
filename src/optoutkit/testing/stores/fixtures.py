"""The store under test, and the buyers it is tested with."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from optoutkit.identities import Address, OrderId
from optoutkit.stores.base import OptOutStore
from optoutkit.testing.stores.driving import ManualClock, StoreFactory, blocking

__all__ = ["ALIAS", "DAY", "ORDER", "OTHER_ALIAS", "PLAIN", "SECOND_ORDER", "THIRD_ORDER", "StoreFixtures"]

ALIAS = Address("abc123@marketplace.amazon.de")
OTHER_ALIAS = Address("xyz789@marketplace.amazon.de")
PLAIN = Address("buyer@example.com")
ORDER = OrderId("302-1234567-1234567")
SECOND_ORDER = OrderId("302-2222222-1234567")
THIRD_ORDER = OrderId("D01-3333333-1234567")
DAY = timedelta(days=1)


class StoreFixtures:
    """The fixtures of the conformance suite, but for ``make_store``, a :data:`StoreFactory`, which the subclass brings."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        """The time in the tests."""
        return ManualClock()

    @pytest.fixture
    def store(self, make_store: StoreFactory, clock: ManualClock) -> Iterator[OptOutStore]:
        """The store under test, closed in the end."""
        with blocking(make_store(clock)) as store:
            yield store
