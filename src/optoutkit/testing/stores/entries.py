"""How entries come, merge and go."""

# ruff: noqa: S101, PLR2004 - these are tests, for others to run

from datetime import timedelta
from typing import Any

import pytest

from optoutkit.identities import Address, Identity
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores.base import EraseReport, LinkReport, OptOutStore, RecordReport
from optoutkit.testing.stores.driving import ManualClock
from optoutkit.testing.stores.fixtures import ALIAS, DAY, ORDER, OTHER_ALIAS, PLAIN, SECOND_ORDER, THIRD_ORDER, StoreFixtures

__all__ = ["EntryRules"]


class EntryRules(StoreFixtures):
    """How entries are recorded, merged, withdrawn, revived and erased."""

    def test_recording_again_changes_nothing(self, store: OptOutStore, clock: ManualClock) -> None:
        """What is known is reported as known, in one batch or in several, and stays as it was."""
        opt_out = OptOut(PLAIN, since=clock.now, source="first")
        assert store.record([]) == RecordReport()
        assert store.record([opt_out, opt_out, OptOut(PLAIN, reason=Reason.MANUAL)]) == RecordReport(new=2, known=1)
        clock.advance(days=1)
        assert store.record([opt_out]) == RecordReport(known=1)
        assert list(store.scan()) == [opt_out, OptOut(PLAIN, reason=Reason.MANUAL)]

    def test_entries_of_one_batch_are_merged_like_others(self, store: OptOutStore, clock: ManualClock) -> None:
        """A batch is as good as its entries one by one."""
        store.record([OptOut(PLAIN, source="a"), OptOut(PLAIN, since=clock.now, source="b"), OptOut(PLAIN, since=clock.now - DAY)])
        assert store.lookup([PLAIN])[PLAIN] == OptOut(PLAIN, since=clock.now - DAY, source="a")

    def test_a_batch_of_nothing_does_nothing(self, store: OptOutStore) -> None:
        """Every verb takes an empty batch, and a generator as well as a list."""
        store.record(OptOut(identity) for identity in (PLAIN, ORDER))
        assert store.record(iter(())) == RecordReport()
        assert store.link(iter(())) == LinkReport()
        assert store.withdraw(iter(())) == 0
        assert store.erase(iter(())) == EraseReport()
        assert store.lookup(iter((PLAIN, ORDER))).keys() == {PLAIN, ORDER}

    def test_a_batch_with_a_mistake_is_not_kept_in_part(self, store: OptOutStore) -> None:
        """Where one of a batch is no opt-out, none is recorded; where one is no identity, nobody is withdrawn or erased."""
        wrong: list[Any] = [OptOut(PLAIN), "buyer@example.com"]
        with pytest.raises(TypeError):
            store.record(wrong)
        assert store.lookup([PLAIN]) == {}
        store.record([OptOut(PLAIN)])
        for verb in (store.withdraw, store.erase):
            with pytest.raises(TypeError):
                verb([PLAIN, wrong[1]])
        assert PLAIN in store.lookup([PLAIN])

    def test_a_large_batch_of_many_kinds(self, store: OptOutStore) -> None:
        """Thousands of entries of several lists and reasons, some of them twice, are told apart, withdrawn and erased in one call each."""
        buyers = [Address(f"buyer{number}@example.com") for number in range(1200)]
        told = [
            OptOut(buyer, seller, reason=reason) for buyer in buyers for seller in ("", "a") for reason in (Reason.MANUAL, Reason.COMPLAINT)
        ]
        assert store.record([*told, *told[:1000]]) == RecordReport(new=4800, known=1000)
        assert store.withdraw(buyers[:700]) == 1400
        assert store.erase(buyers[:600], seller="a") == EraseReport(erased=1200)
        assert store.lookup(buyers).keys() == set(buyers[700:])
        assert store.lookup(buyers, seller="a").keys() == set(buyers[600:])

    @pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
    def test_the_earliest_since_is_kept(self, store: OptOutStore, clock: ManualClock, order: tuple[int, ...]) -> None:
        """In whatever order they are told, the earliest date stays; a known one beats an unknown one."""
        told = [OptOut(PLAIN, since=clock.now), OptOut(PLAIN, since=clock.now - DAY), OptOut(PLAIN)]
        for index in order:
            store.record([told[index]])
        assert store.lookup([PLAIN])[PLAIN].since == clock.now - DAY

    def test_the_latest_expiry_is_kept(self, store: OptOutStore, clock: ManualClock) -> None:
        """A later expiry prolongs, an earlier one does not shorten, and none at all is for ever."""
        for days, kept in ((2, 2), (1, 2), (3, 3), (None, None), (4, None)):
            expiry = None if days is None else clock.now + DAY * days
            store.record([OptOut(PLAIN, expires_at=expiry)])
            assert store.lookup([PLAIN])[PLAIN].expires_at == (None if kept is None else clock.now + DAY * kept)

    def test_verified_stays_verified_and_brings_its_source(self, store: OptOutStore) -> None:
        """The first source stays, unless the first verified one comes after it."""
        for source, verified, kept in (("a", False, "a"), ("b", False, "a"), ("c", True, "c"), ("d", True, "c"), ("e", False, "c")):
            store.record([OptOut(PLAIN, source=source, verified=verified)])
            assert store.lookup([PLAIN])[PLAIN].source == kept
        assert store.lookup([PLAIN])[PLAIN].verified

    def test_an_expired_entry_can_come_into_force_again(self, store: OptOutStore, clock: ManualClock) -> None:
        """To prolong an expired entry is new; to tell it again as it was, or to add what has expired as well, is not."""
        told = OptOut(PLAIN, expires_at=clock.now + DAY)
        store.record([told])
        clock.advance(days=2)
        assert store.record([told, OptOut(PLAIN, since=clock.now - DAY, expires_at=clock.now)]) == RecordReport(known=2)
        assert store.record([OptOut(PLAIN, expires_at=clock.now + DAY)]) == RecordReport(new=1)
        assert PLAIN in store.lookup([PLAIN])

    def test_text_of_any_kind_is_kept(self, store: OptOutStore) -> None:
        """Addresses and sources in any script come back as they were."""
        identity = Address("用户ñ@例え.jp")
        store.record([OptOut(identity, source="Käufer 'sagt' \"nein\"\n\t店 😀")])
        assert store.lookup([identity]) == {identity: OptOut(identity, source="Käufer 'sagt' \"nein\"\n\t店 😀")}

    def test_a_source_that_cannot_be_kept_is_cleaned(self, store: OptOutStore) -> None:
        """A source may come from a hostile mail: NUL, half characters and endless length are mended, and nothing is lost but that."""
        store.record([OptOut(PLAIN, source="a\0b\ud800c"), OptOut(ALIAS, source="x" * 100_000)])
        store.withdraw([ALIAS], why="y\0\udfff" * 1000)
        assert store.lookup([PLAIN])[PLAIN].source == "a\ufffdb\ufffdc"

    # Withdrawing

    def test_withdrawn_is_no_longer_opted_out(self, store: OptOutStore) -> None:
        """A withdrawal takes all reasons back, once; they are found and yielded no more."""
        store.record([OptOut(PLAIN), OptOut(PLAIN, reason=Reason.MANUAL), OptOut(ALIAS)])
        assert store.withdraw([PLAIN, PLAIN, ORDER], why="wrote to us") == 2
        assert store.withdraw([PLAIN]) == 0
        assert store.withdraw([]) == 0
        assert store.lookup([PLAIN, ALIAS]).keys() == {ALIAS}
        assert [entry.identity for entry in store.scan()] == [ALIAS]

    def test_an_old_or_undated_opt_out_does_not_revive(self, store: OptOutStore, clock: ManualClock) -> None:
        """After a withdrawal an import says nothing new, unless it is known to be later."""
        store.record([OptOut(PLAIN)])
        store.withdraw([PLAIN])
        withdrawn_at = clock.now
        clock.advance(days=1)
        for since in (None, withdrawn_at - DAY, withdrawn_at):
            assert store.record([OptOut(PLAIN, since=since)]) == RecordReport(known=1)
        assert store.lookup([PLAIN]) == {}
        assert store.record([OptOut(PLAIN, reason=Reason.MANUAL)]) == RecordReport(new=1)  # another entry

    def test_a_later_opt_out_revives(self, store: OptOutStore, clock: ManualClock) -> None:
        """One that is later than the withdrawal is new; what came before the withdrawal is not mixed into it, then or later."""
        first = OptOut(PLAIN, since=clock.now - DAY, source="first", verified=True)
        store.record([first])
        store.withdraw([PLAIN])
        again = OptOut(PLAIN, since=clock.now + timedelta(microseconds=1), expires_at=clock.now + DAY, source="again")
        assert store.record([first, again, first]) == RecordReport(new=1, known=2)
        assert store.lookup([PLAIN]) == {PLAIN: again}
        assert store.record([first, OptOut(PLAIN)]) == RecordReport(known=2)
        assert store.lookup([PLAIN]) == {PLAIN: again}

    def test_a_second_withdrawal_counts_from_its_own_time(self, store: OptOutStore, clock: ManualClock) -> None:
        """Each withdrawal moves the time after which an opt-out revives."""
        store.record([OptOut(PLAIN)])
        store.withdraw([PLAIN])
        second = OptOut(PLAIN, since=clock.advance(days=1))
        store.record([second])
        clock.advance(days=1)
        assert store.withdraw([PLAIN]) == 1
        assert store.record([second]) == RecordReport(known=1)
        assert store.record([OptOut(PLAIN, since=clock.advance(days=1))]) == RecordReport(new=1)

    def test_an_expired_entry_can_be_withdrawn(self, store: OptOutStore, clock: ManualClock) -> None:
        """A withdrawal is remembered for an entry that has expired, too."""
        store.record([OptOut(PLAIN, expires_at=clock.now)])
        assert store.withdraw([PLAIN]) == 1
        assert store.record([OptOut(PLAIN)]) == RecordReport(known=1)

    def test_withdrawing_touches_one_list(self, store: OptOutStore) -> None:
        """A seller cannot take back what stands in the shared list, nor the other way round."""
        store.record([OptOut(PLAIN), OptOut(PLAIN, SHARED), OptOut(PLAIN, "a")])
        assert store.withdraw([PLAIN]) == 1
        assert store.lookup([PLAIN])[PLAIN].seller == SHARED
        assert store.withdraw([PLAIN], seller=SHARED) == 1
        assert store.lookup([PLAIN]) == {}
        assert store.lookup([PLAIN], seller="a")[PLAIN].seller == "a"
        assert store.withdraw([PLAIN], seller="never heard of") == 0

    @pytest.mark.parametrize("asked", [ALIAS, ORDER, SECOND_ORDER])
    def test_withdrawing_follows_the_links(self, store: OptOutStore, asked: Identity) -> None:
        """Whichever is named of an address and its orders, all of them are opted in again, and nobody else."""
        store.link([(ORDER, ALIAS), (SECOND_ORDER, ALIAS), (THIRD_ORDER, OTHER_ALIAS)])
        store.record([OptOut(ALIAS), OptOut(ORDER), OptOut(THIRD_ORDER)])
        assert store.withdraw([asked]) == 2
        assert store.lookup([ALIAS, ORDER, SECOND_ORDER, OTHER_ALIAS]).keys() == {OTHER_ALIAS}
        store.record([OptOut(SECOND_ORDER)])
        assert store.lookup([ALIAS])[ALIAS].identity == SECOND_ORDER  # the links are still there

    # Erasing

    @pytest.mark.parametrize("asked", [ALIAS, ORDER, SECOND_ORDER])
    def test_erasing_leaves_nothing(self, store: OptOutStore, asked: Identity) -> None:
        """Entries, withdrawn ones, their history and the links of a buyer are gone; nobody else's are."""
        store.link([(ORDER, ALIAS), (SECOND_ORDER, ALIAS), (THIRD_ORDER, OTHER_ALIAS)])
        store.record([OptOut(ALIAS), OptOut(ALIAS, reason=Reason.MANUAL), OptOut(THIRD_ORDER)])
        store.withdraw([ALIAS])
        store.record([OptOut(ORDER)])
        assert store.erase([asked]) == EraseReport(erased=3)
        assert store.erase([asked, ALIAS]) == EraseReport()
        assert store.lookup([ALIAS, ORDER, OTHER_ALIAS]).keys() == {OTHER_ALIAS}
        assert store.record([OptOut(ALIAS)]) == RecordReport(new=1)  # no withdrawal stands in its way
        assert store.lookup([ALIAS, ORDER, SECOND_ORDER]).keys() == {ALIAS}  # no link leads to it

    def test_what_was_withdrawn_and_revived_is_erased_once(self, store: OptOutStore, clock: ManualClock) -> None:
        """An entry with a history counts as one."""
        store.record([OptOut(PLAIN)])
        store.withdraw([PLAIN])
        store.record([OptOut(PLAIN, since=clock.advance(days=1))])
        assert store.erase([PLAIN]) == EraseReport(erased=1)

    def test_erasing_touches_one_list(self, store: OptOutStore) -> None:
        """Each list is erased by itself, its links too."""
        for seller in ("", "a", SHARED):
            store.link([(ORDER, ALIAS)], seller=seller)
            store.record([OptOut(ORDER, seller)])
        assert store.erase([ALIAS], seller="a") == EraseReport(erased=1)
        assert store.erase([ALIAS], seller="never heard of") == EraseReport()
        assert store.lookup([ALIAS], seller="a")[ALIAS].seller == SHARED
        assert store.lookup([ALIAS])[ALIAS].seller == ""
        assert store.erase([ORDER], seller=SHARED) == EraseReport(erased=1)
        assert store.lookup([ALIAS], seller="a") == {}
        assert store.lookup([ALIAS])[ALIAS].seller == ""
