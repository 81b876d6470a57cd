"""What a lookup finds, for whom, and which entry it reports."""

# ruff: noqa: S101 - these are tests, for others to run

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import pytest

from optoutkit.identities import Address, Digest, Identity
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores.base import OptOutStore, RecordReport
from optoutkit.testing.stores.driving import ManualClock
from optoutkit.testing.stores.fixtures import ALIAS, DAY, ORDER, OTHER_ALIAS, PLAIN, SECOND_ORDER, THIRD_ORDER, StoreFixtures

__all__ = ["LookupRules"]


class LookupRules(StoreFixtures):
    """Whom a lookup finds, in which lists, and which of several entries it reports."""

    def test_nobody_is_opted_out_at_first(self, store: OptOutStore) -> None:
        """An empty store finds nothing, under any seller, and an empty question has an empty answer."""
        assert store.lookup([ALIAS, ORDER]) == {}
        assert store.lookup([ALIAS], seller="never heard of") == {}
        assert store.lookup([]) == {}

    @pytest.mark.parametrize("identity", [ALIAS, PLAIN, ORDER, Digest("address", "2026", b"x" * 16), Digest("order", "k", b"y" * 16)])
    def test_what_is_recorded_is_found_whole(self, store: OptOutStore, clock: ManualClock, identity: Identity) -> None:
        """Every kind of identity is found, with everything that was recorded about it, to the microsecond."""
        opt_out = OptOut(
            identity,
            "shop",
            reason=Reason.UNSUBSCRIBE,
            since=clock.now - timedelta(microseconds=1),
            expires_at=clock.now + timedelta(microseconds=1),
            source="a mail",
            verified=True,
        )
        store.record([opt_out])
        assert store.lookup([identity], seller="shop") == {identity: opt_out}

    def test_the_answer_is_under_the_identities_that_are_opted_out(self, store: OptOutStore) -> None:
        """Of several asked, in whatever order and however often, those opted out are the keys of the answer."""
        store.record([OptOut(ALIAS), OptOut(ORDER)])
        answer = store.lookup([PLAIN, ORDER, ALIAS, ALIAS, SECOND_ORDER, OTHER_ALIAS])
        assert answer == {ALIAS: OptOut(ALIAS), ORDER: OptOut(ORDER)}

    def test_the_case_number_of_an_alias_does_not_matter(self, store: OptOutStore) -> None:
        """A buyer is found under every case number, and the answer bears the address as asked."""
        store.record([OptOut(Address("abc123+case1@marketplace.amazon.de"))])
        asked = Address("abc123+case2@marketplace.amazon.de")
        (found,) = store.lookup([asked])
        assert found is asked

    def test_who_looks_alike_is_somebody_else(self, store: OptOutStore) -> None:
        """No letter counts as another: accents, widths, ligatures, and signs that a collation passes over."""
        locals_ = [
            "muller",
            "müller",
            "mu\u0308lle",
            "mueller",
            "strasse",
            "straße",
            "ａ",
            "a",
            "ａ.",
            "a-b",
            "ab",
            "a_b",
            "a%b",
            "a'b",
            "ɑb",
            "😀",
            "😁",
        ]
        addresses = [Address(f"{local}@example.com") for local in locals_]
        assert store.record(OptOut(address, source=str(address)) for address in addresses[::2]).new == len(addresses[::2])
        answer = store.lookup(addresses)
        assert {address: entry.source for address, entry in answer.items()} == {address: str(address) for address in addresses[::2]}

    def test_the_longest_address_is_kept(self, store: OptOutStore) -> None:
        """64 letters of four bytes each, and a domain of 253, among others that differ in the last letter only."""
        domain = ".".join(["d" * 61] * 4)[:253]
        one, other = (Address(f"{'😀' * 63}{last}@{domain}") for last in "😀😁")
        store.record([OptOut(one)])
        store.link([(ORDER, one), (SECOND_ORDER, other)])
        assert store.lookup([one, other, ORDER, SECOND_ORDER]).keys() == {one, ORDER}

    def test_ten_thousand_at_once(self, store: OptOutStore) -> None:
        """A batch of any size is answered whole."""
        addresses = [Address(f"buyer{number}@example.com") for number in range(10_000)]
        assert store.record(OptOut(address) for address in addresses[::3]) == RecordReport(new=3334, known=0)
        assert store.lookup(iter(addresses)).keys() == set(addresses[::3])

    @pytest.mark.parametrize("since", [datetime.min, datetime(1969, 12, 31, 23, 59, 59, 999_999), datetime(2100, 1, 1), datetime.max])  # noqa: DTZ001, DTZ901 - the time zone comes below
    def test_times_of_any_year_are_kept(self, store: OptOutStore, since: datetime) -> None:
        """The first and the last time there is come back to the microsecond, and an expiry in the year 9999 has not come."""
        opt_out = OptOut(PLAIN, since=since.replace(tzinfo=UTC), expires_at=datetime.max.replace(tzinfo=UTC))
        store.record([opt_out])
        assert store.lookup([PLAIN]) == {PLAIN: opt_out}
        assert store.record([opt_out]) == RecordReport(known=1)

    def test_expiry_is_honoured(self, store: OptOutStore, clock: ManualClock) -> None:
        """An entry holds until it expires, not at that very time; ``at`` is the time to judge by, now by default."""
        expiry = clock.now + DAY
        store.record([OptOut(PLAIN, expires_at=expiry)])
        assert PLAIN in store.lookup([PLAIN])
        assert store.lookup([PLAIN], at=expiry) == {}
        clock.now = expiry
        assert store.lookup([PLAIN]) == {}
        assert PLAIN in store.lookup([PLAIN], at=expiry - timedelta(microseconds=1))
        assert PLAIN in store.lookup([PLAIN], at=(expiry - DAY).astimezone(timezone(timedelta(hours=9))))

    def test_an_expired_entry_does_not_hide_another(self, store: OptOutStore, clock: ManualClock) -> None:
        """Where the strongest entry has expired, the next one is reported."""
        store.record([OptOut(PLAIN, reason=Reason.COMPLAINT, expires_at=clock.now), OptOut(PLAIN, reason=Reason.MANUAL)])
        assert store.lookup([PLAIN])[PLAIN].reason is Reason.MANUAL

    def test_a_time_without_a_zone_is_refused(self, store: OptOutStore) -> None:
        """A naive time is a mistake, not local time or UTC."""
        with pytest.raises(ValueError, match="time zone"):
            store.lookup([PLAIN], at=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the mistake

    @pytest.mark.parametrize("wrong", [b"x", None, "buyer@example.com"])
    def test_what_is_no_identity_is_refused(self, store: OptOutStore, wrong: Any) -> None:
        """A str in place of an Address is a mistake that shows, not a buyer who is never found."""
        for verb in (store.lookup, store.withdraw, store.erase):
            with pytest.raises(TypeError, match="identity"):
                cast("Callable[..., Any]", verb)([wrong])
        with pytest.raises(TypeError, match="OptOut"):
            store.record([wrong])

    # Sellers

    def test_sellers_are_apart(self, store: OptOutStore) -> None:
        """No seller sees another's entries, whatever the names look like."""
        names = [
            "",
            "a",
            "A",
            " a",
            "a ",
            "ä",
            "ａ",
            "a%",
            "a_",
            "a:b",
            "a:b:c",
            "{a}",
            "a/b",
            "a\nb",
            "Übergröße",
            "Ubergrosse",
            "店",
            "😀",
            "😁",
        ]
        names += ["'; DROP TABLE entry; --", "**", "\\", "0", "1", "None", "null", "x" * 200]
        for name in names:
            store.record([OptOut(PLAIN, name, source=f"of {name}")])
        assert [store.lookup([PLAIN], seller=name)[PLAIN].source for name in names] == [f"of {name}" for name in names]
        assert [[entry.seller for entry in store.scan(seller=name)] for name in names] == [[name] for name in names]
        assert store.lookup([PLAIN], seller="b") == {}

    def test_no_verb_reaches_into_another_list(self, store: OptOutStore, clock: ManualClock) -> None:
        """Whatever is done for one seller, what every other one keeps and learns stays as it was."""
        for seller in ("a", "b"):
            store.link([(ORDER, ALIAS)], seller=seller)
            store.record([OptOut(ORDER, seller, source=f"of {seller}")])
        store.withdraw([ALIAS], seller="a")
        assert store.lookup([ALIAS], seller="b")[ALIAS].source == "of b"
        assert store.record([OptOut(ORDER, "b", since=clock.now)]) == RecordReport(known=1)  # no withdrawal stands in its way
        store.erase([ORDER], seller="a")
        store.link([(ORDER, OTHER_ALIAS)], seller="a", replace=True)
        store.record([OptOut(OTHER_ALIAS, "a")])
        assert store.lookup([ALIAS, OTHER_ALIAS], seller="b").keys() == {ALIAS}
        assert [entry.seller for entry in store.scan(seller="b")] == ["b"]
        assert list(store.scan()) == []

    def test_the_shared_list_holds_for_all(self, store: OptOutStore) -> None:
        """Every seller sees the shared list; asked for, it shows nothing else."""
        store.record([OptOut(PLAIN, SHARED), OptOut(ALIAS, "a")])
        assert store.lookup([PLAIN, ALIAS], seller="a") == {PLAIN: OptOut(PLAIN, SHARED), ALIAS: OptOut(ALIAS, "a")}
        assert store.lookup([PLAIN, ALIAS], seller="never heard of") == {PLAIN: OptOut(PLAIN, SHARED)}
        assert store.lookup([PLAIN, ALIAS], seller=SHARED) == {PLAIN: OptOut(PLAIN, SHARED)}
        assert store.lookup([PLAIN], seller=SHARED) == {PLAIN: OptOut(PLAIN, SHARED)}

    @pytest.mark.parametrize(("seller", "error"), [("nul\0", ValueError), ("half \ud800", ValueError), (None, TypeError), (7, TypeError)])
    def test_a_seller_no_backend_can_keep_is_refused(self, store: OptOutStore, seller: Any, error: type[Exception]) -> None:
        """NUL and half characters in a seller's name, or no str at all, are refused by every verb, so that all stores keep the same."""
        calls: list[Callable[[], Any]] = [
            lambda: store.record([OptOut(PLAIN, seller)]),
            lambda: store.lookup([PLAIN], seller=seller),
            lambda: store.link([(ORDER, ALIAS)], seller=seller),
            lambda: store.withdraw([PLAIN], seller=seller),
            lambda: store.erase([PLAIN], seller=seller),
            lambda: list(store.scan(seller=seller)),
        ]
        for call in calls:
            with pytest.raises(error, match="seller"):
                call()

    # Which entry is reported

    def test_own_entries_come_before_shared_ones(self, store: OptOutStore) -> None:
        """A seller's own entry is reported even if a shared one is stronger, or at the identity asked."""
        store.link([(ORDER, ALIAS)], seller="a")
        store.record([OptOut(ALIAS, SHARED, reason=Reason.COMPLAINT), OptOut(ORDER, "a", reason=Reason.HARD_BOUNCE)])
        assert store.lookup([ALIAS], seller="a")[ALIAS] == OptOut(ORDER, "a", reason=Reason.HARD_BOUNCE)

    def test_the_strongest_reason_is_reported(self, store: OptOutStore) -> None:
        """Reasons stand side by side; one by a linked order wins if it is stronger."""
        for reason in reversed(Reason):
            assert store.record([OptOut(ALIAS, reason=reason)]) == RecordReport(new=1)
            assert store.lookup([ALIAS])[ALIAS].reason is reason
        store.link([(ORDER, OTHER_ALIAS)])
        store.record([OptOut(OTHER_ALIAS, reason=Reason.MANUAL), OptOut(ORDER, reason=Reason.UNSUBSCRIBE)])
        assert store.lookup([OTHER_ALIAS])[OTHER_ALIAS].identity == ORDER

    def test_the_identity_asked_comes_before_linked_ones(self, store: OptOutStore, clock: ManualClock) -> None:
        """With equal reasons the entry at the identity asked is reported, even if it is later."""
        store.link([(ORDER, ALIAS), (SECOND_ORDER, ALIAS)])
        identities: list[Identity] = [ALIAS, ORDER, SECOND_ORDER]
        store.record(OptOut(identity, since=clock.now - DAY * days) for days, identity in enumerate(identities))
        answer = store.lookup(identities)
        assert {asked: entry.identity for asked, entry in answer.items()} == {identity: identity for identity in identities}

    def test_then_the_earliest_comes_first(self, store: OptOutStore, clock: ManualClock) -> None:
        """Among linked entries the earliest is reported, an undated one last, and the least key decides."""
        store.link([(ORDER, ALIAS), (SECOND_ORDER, ALIAS), (THIRD_ORDER, ALIAS)])
        store.record([OptOut(THIRD_ORDER), OptOut(SECOND_ORDER)])
        assert store.lookup([ALIAS])[ALIAS].identity == SECOND_ORDER
        store.record([OptOut(THIRD_ORDER, since=clock.now)])
        assert store.lookup([ALIAS])[ALIAS].identity == THIRD_ORDER
        store.record([OptOut(ORDER, since=clock.now - DAY)])
        assert store.lookup([ALIAS])[ALIAS].identity == ORDER
