"""A store whose data outlives it."""

# ruff: noqa: S101 - these are tests, for others to run

from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores.base import RecordReport
from optoutkit.testing.stores.driving import ManualClock, StoreFactory, blocking
from optoutkit.testing.stores.fixtures import ALIAS, ORDER, OTHER_ALIAS, PLAIN, StoreFixtures

__all__ = ["DurabilityRules"]


class DurabilityRules(StoreFixtures):
    """What outlives the store, and what several stores on the same data see."""

    def test_everything_outlives_the_store(self, make_store: StoreFactory, clock: ManualClock) -> None:
        """Entries, links, withdrawals and sellers are there for the next store on the same data."""
        with blocking(make_store(clock)) as store:
            store.record([OptOut(ORDER, "a", since=clock.now, source="x"), OptOut(PLAIN), OptOut(ALIAS, SHARED)])
            store.link([(ORDER, OTHER_ALIAS)], seller="a")
            store.withdraw([PLAIN])
        with blocking(make_store(clock)) as store:
            assert store.lookup([OTHER_ALIAS], seller="a") == {OTHER_ALIAS: OptOut(ORDER, "a", since=clock.now, source="x")}
            assert store.lookup([ALIAS], seller="b") == {ALIAS: OptOut(ALIAS, SHARED)}
            assert store.record([OptOut(PLAIN)]) == RecordReport(known=1)
            assert store.link([(ORDER, ALIAS)], seller="a").contradicted == (ORDER,)

    def test_stores_on_the_same_data_see_each_other(self, make_store: StoreFactory, clock: ManualClock) -> None:
        """What one store has acknowledged, every other one finds at once, new sellers included."""
        with blocking(make_store(clock)) as one, blocking(make_store(clock)) as other:
            assert other.lookup([PLAIN], seller="new") == {}
            one.record([OptOut(PLAIN, "new")])
            assert PLAIN in other.lookup([PLAIN], seller="new")
            assert other.record([OptOut(PLAIN, "new")]) == RecordReport(known=1)
            other.withdraw([PLAIN], seller="new")
            assert one.lookup([PLAIN], seller="new") == {}
            one.link([(ORDER, ALIAS)], seller="newer")
            assert other.link([(ORDER, OTHER_ALIAS)], seller="newer").contradicted == (ORDER,)
