"""The store as a whole: scanning it, closing it, many callers at once."""

# ruff: noqa: S101, PLR2004 - these are tests, for others to run

from collections.abc import Callable
from typing import Any

import pytest

from optoutkit.errors import StoreClosed
from optoutkit.identities import Address, Digest, Identity, OrderId
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores.base import OptOutStore, RecordReport
from optoutkit.testing.stores.driving import ManualClock, StoreFactory, all_at_once, blocking
from optoutkit.testing.stores.fixtures import ALIAS, DAY, ORDER, PLAIN, StoreFixtures

__all__ = ["WholeStoreRules"]


class WholeStoreRules(StoreFixtures):
    """Scanning, closing, and many callers at once."""

    def test_a_scan_yields_the_list_in_order(self, store: OptOutStore, clock: ManualClock) -> None:
        """Entries come by key, the strongest reason first, expired ones too, of one list only, however many there are."""
        identities: list[Identity] = [Address(f"buyer{number}@example.com") for number in range(400)]
        identities += [OrderId(f"302-{number:07}-0000000") for number in range(400)]
        identities += [Digest("address", "k", bytes([number]) * 16) for number in range(3)]
        entries = [OptOut(i, reason=reason, expires_at=clock.now) for i in identities for reason in (Reason.HARD_BOUNCE, Reason.COMPLAINT)]
        entries.append(OptOut(PLAIN, reason=Reason.MANUAL))
        store.record(reversed(entries))
        store.record([OptOut(ALIAS, SHARED), OptOut(ALIAS, "a")])
        expected = sorted(entries, key=lambda entry: (entry.identity.key, -entry.reason.strength))
        assert list(store.scan()) == expected
        assert list(store.scan(seller="never heard of")) == []

    def test_a_scan_is_in_the_order_of_characters(self, store: OptOutStore) -> None:
        """Keys are compared letter by letter, by the letters' numbers, and not as a dictionary or a language sorts them."""
        locals_ = ["a-b", "a.b", "a_b", "ab", "a~", "z", "ä", "é", "ÿ", "ｚ", "\uffee", "😀", "0", "10", "9", "!", "{x}", "店"]
        addresses = [Address(f"{local}@example.com") for local in locals_]
        store.record(map(OptOut, addresses))
        ordered = sorted(addresses, key=lambda address: address.key)
        assert [entry.identity for entry in store.scan()] == ordered
        assert [entry.identity for entry in store.scan(after=ordered[9])] == ordered[10:]

    @pytest.mark.parametrize("after", [Address("buyer2@example.com"), Address("buyer2x@example.com")])
    def test_a_scan_goes_on_after_an_identity(self, store: OptOutStore, after: Identity) -> None:
        """Only greater keys come, and the identity itself need not be there."""
        store.record([OptOut(Address(f"buyer{n}@example.com"), reason=r) for n in range(4) for r in Reason])
        assert {str(entry.identity) for entry in store.scan(after=after)} == {"buyer3@example.com"}
        assert list(store.scan(after=ORDER)) == []

    def test_a_scan_is_stable_while_others_write(self, store: OptOutStore) -> None:
        """What is there all the time is yielded once and in order; what comes and goes meanwhile does not disturb it."""
        lasting = [OptOut(Address(f"m{number:04}@example.com")) for number in range(1500)]
        passing = [OptOut(Address(f"m{number:04}x@example.com")) for number in range(0, 1500, 7)]
        store.record([*lasting, *passing])
        seen = []
        for number, entry in enumerate(store.scan()):
            seen.append(entry)
            if number % 300 == 150:
                store.erase(entry.identity for entry in passing[number // 10 : number // 10 + 30])
                store.record([OptOut(Address(f"a{number}@example.com")), OptOut(Address(f"z{number}@example.com"))])
        all_the_time = set(lasting)
        keys = [entry.identity.key for entry in seen]
        assert keys == sorted(set(keys))
        assert [entry for entry in seen if entry in all_the_time] == lasting

    # Opening and closing

    def test_a_store_that_works_is_healthy(self, store: OptOutStore) -> None:
        """``health`` says nothing if all is well."""
        store.health()

    def test_a_closed_store_says_so(self, make_store: StoreFactory, clock: ManualClock) -> None:
        """Every verb of a closed store raises StoreClosed, and closing it twice is allowed."""
        with blocking(make_store(clock)) as store:
            store.record([OptOut(PLAIN)])
            store.close()
            store.close()
            calls: list[Callable[[], Any]] = [
                lambda: store.lookup([PLAIN]),
                lambda: store.record([OptOut(PLAIN)]),
                lambda: store.link([(ORDER, ALIAS)]),
                lambda: store.withdraw([PLAIN]),
                lambda: store.erase([PLAIN]),
                lambda: list(store.scan()),
                store.health,
            ]
            for call in calls:
                with pytest.raises(StoreClosed):
                    call()

    # Many at once

    def test_what_is_told_at_once_is_merged(self, store: OptOutStore, clock: ManualClock) -> None:
        """Many callers that tell of one entry at once leave what they would have left one after another."""
        told = [OptOut(PLAIN, since=clock.now - DAY * days, expires_at=clock.now + DAY * (1 + days % 7)) for days in range(40)]
        told.append(OptOut(PLAIN, source="proved", expires_at=clock.now + DAY, verified=True))

        def call(opt_out: OptOut) -> Callable[[Any], Any]:
            return lambda store: store.record([opt_out])

        reports = all_at_once(store, [call(opt_out) for opt_out in told])
        assert sum(report.new for report in reports) == 1
        expected = OptOut(PLAIN, since=clock.now - DAY * 39, expires_at=clock.now + DAY * 7, source="proved", verified=True)
        assert store.lookup([PLAIN]) == {PLAIN: expected}

    def test_of_links_told_at_once_one_holds(self, store: OptOutStore) -> None:
        """Many callers that each name another buyer for an order: one is believed, and all others are told."""
        addresses = [Address(f"buyer{number}@example.com") for number in range(20)]

        def call(address: Address) -> Callable[[Any], Any]:
            return lambda store: store.link([(ORDER, address)])

        reports = all_at_once(store, [call(address) for address in addresses])
        assert sum(report.new for report in reports) == 1
        assert sum(len(report.contradicted) for report in reports) == 19
        store.record([OptOut(ORDER)])
        assert len(store.lookup(addresses)) == 1

    def test_what_is_withdrawn_at_once_is_withdrawn_once(self, store: OptOutStore) -> None:
        """Of many callers that withdraw the same entries each entry counts for one."""
        buyers = [Address(f"buyer{number}@example.com") for number in range(20)]
        store.record(map(OptOut, buyers))

        def call(_: int) -> Callable[[Any], Any]:
            return lambda store: store.withdraw(buyers)

        assert sum(all_at_once(store, [call(number) for number in range(8)])) == 20
        assert store.lookup(buyers) == {}

    def test_many_callers_lose_nothing(self, store: OptOutStore) -> None:
        """From many threads or tasks, all that was recorded is there, and each entry is new for exactly one of them."""
        addresses = [Address(f"buyer{number}@example.com") for number in range(100)]

        def call(number: int) -> Callable[[Any], Any]:
            batch = [OptOut(address) for address in addresses[number * 10 % 100 :][:20]]
            return [lambda store: store.record(batch), lambda store: store.lookup(addresses)][number % 4 == 3]

        answers = all_at_once(store, [call(number) for number in range(80)])
        reports = [answer for answer in answers if isinstance(answer, RecordReport)]
        assert sum(report.new for report in reports) == 100
        assert store.lookup(addresses).keys() == set(addresses)
