"""A store whose data outlives it."""

# ruff: noqa: S101, PLR2004 - these are tests, for others to run

import threading
from concurrent.futures import ThreadPoolExecutor

from optoutkit.identities import Address
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores.base import RecordReport
from optoutkit.testing.stores.driving import ManualClock, StoreFactory, blocking
from optoutkit.testing.stores.fixtures import ALIAS, DAY, ORDER, OTHER_ALIAS, PLAIN, StoreFixtures

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

    def test_stores_made_at_once_share_what_they_make(self, make_store: StoreFactory, clock: ManualClock) -> None:
        """Many stores that find nothing there and make it at the same time get in nobody's way, and what they tell at once is merged."""
        barrier = threading.Barrier(6)

        def make_and_tell(number: int) -> int:
            barrier.wait(60)
            with blocking(make_store(clock)) as store:
                new = store.record(
                    [OptOut(ALIAS, "new", since=clock.now - DAY * number), OptOut(Address(f"buyer{number}@example.com"))]
                ).new
                return new + store.record([OptOut(PLAIN, f"seller {number}"), OptOut(PLAIN, SHARED)]).new

        with ThreadPoolExecutor(6) as threads:
            assert sum(threads.map(make_and_tell, range(6))) == 1 + 6 + 6 + 1
        with blocking(make_store(clock)) as store:
            assert store.lookup([ALIAS], seller="new") == {ALIAS: OptOut(ALIAS, "new", since=clock.now - DAY * 5)}
            assert len(list(store.scan())) == 6

    def test_a_scan_is_stable_while_another_store_writes(self, make_store: StoreFactory, clock: ManualClock) -> None:
        """What another store adds and removes behind and before the scan disturbs nothing that is there all the time."""
        lasting = [OptOut(Address(f"m{number:04}@example.com")) for number in range(1300)]
        with blocking(make_store(clock)) as store, blocking(make_store(clock)) as other:
            other.record([*lasting, *(OptOut(Address(f"m{number:04}x@example.com")) for number in range(0, 1300, 10))])
            seen = []
            for number, entry in enumerate(store.scan()):
                seen.append(entry)
                if number % 400 == 200:
                    other.record([OptOut(Address(f"{letter}{number}@example.com")) for letter in "az"])
                    other.withdraw(Address(f"m{passing:04}x@example.com") for passing in range(0, 1300, 20))
            all_the_time = set(lasting)
            assert [entry for entry in seen if entry in all_the_time] == lasting
            assert [entry for entry in store.scan(after=lasting[700].identity) if entry in all_the_time] == lasting[701:]
