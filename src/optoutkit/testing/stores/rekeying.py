"""A store that can give digests another name."""

# ruff: noqa: S101 - these are tests, for others to run

from datetime import timedelta
from typing import Any, cast

import attrs
import pytest

from optoutkit.errors import StoreClosed
from optoutkit.identities import Address, Digest
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores.base import LinkReport, OptOutStore, RecordReport
from optoutkit.stores.hashed import Rekeyable
from optoutkit.testing.stores.driving import ManualClock
from optoutkit.testing.stores.fixtures import DAY, PLAIN, StoreFixtures

__all__ = ["RekeyRules"]

OLD_ORDER, NEW_ORDER = Digest("order", "2025", b"o" * 16), Digest("order", "2026", b"n" * 16)
OLD_ADDRESS, NEW_ADDRESS = Digest("address", "2025", b"O" * 16), Digest("address", "2026", b"N" * 16)
OTHER_ADDRESS = Digest("address", "2025", b"x" * 16)


def rekey(store: OptOutStore, *pairs: Any) -> None:
    """Move what is kept of each first one to the second."""
    cast("Rekeyable", store).rekey(pairs)


class RekeyRules(StoreFixtures):
    """What :class:`optoutkit.stores.Rekeyable` promises."""

    def test_all_that_is_kept_is_moved(self, store: OptOutStore, clock: ManualClock) -> None:
        """Entries, what was withdrawn, and links from either end, in all lists; nothing is left under the old name."""
        for seller in ("", "a", SHARED):
            store.record([OptOut(OLD_ORDER, seller, source=f"of {seller}"), OptOut(OLD_ADDRESS, seller, reason=Reason.MANUAL)])
            store.link([(OLD_ORDER, OLD_ADDRESS)], seller=seller)
            store.withdraw([OLD_ADDRESS], seller=seller)
            store.record([OptOut(OLD_ORDER, seller, since=clock.now + DAY, source=f"of {seller} again")])
        rekey(store, (OLD_ORDER, NEW_ORDER))
        assert store.lookup([OLD_ADDRESS], seller="a") == {OLD_ADDRESS: OptOut(NEW_ORDER, "a", since=clock.now + DAY, source="of a again")}
        rekey(store, (OLD_ADDRESS, NEW_ADDRESS), (NEW_ORDER, NEW_ORDER))
        for seller in ("", "a", SHARED):
            assert store.lookup([OLD_ORDER, OLD_ADDRESS], seller=seller) == {}
            assert {entry.source for entry in store.lookup([NEW_ORDER, NEW_ADDRESS], seller=seller).values()} == {f"of {seller} again"}
            assert store.record([OptOut(NEW_ADDRESS, seller, reason=Reason.MANUAL)]) == RecordReport(known=1)
            assert store.link([(NEW_ORDER, OTHER_ADDRESS)], seller=seller) == LinkReport(contradicted=(NEW_ORDER,))

    def test_what_both_names_have_is_merged(self, store: OptOutStore, clock: ManualClock) -> None:
        """As if it were told: the earliest ``since``, the proved source; and of two links that of the new name holds."""
        late, early = (
            OptOut(NEW_ORDER, since=clock.now, source="new"),
            OptOut(OLD_ORDER, since=clock.now - DAY, source="old", verified=True),
        )
        store.record([late, early, OptOut(OLD_ORDER, reason=Reason.MANUAL), OptOut(NEW_ORDER, reason=Reason.COMPLAINT)])
        store.link([(OLD_ORDER, OLD_ADDRESS), (NEW_ORDER, OTHER_ADDRESS)])
        rekey(store, (OLD_ORDER, NEW_ORDER))
        merged = attrs.evolve(early, identity=NEW_ORDER)
        assert list(store.scan()) == [OptOut(NEW_ORDER, reason=Reason.COMPLAINT), merged, OptOut(NEW_ORDER, reason=Reason.MANUAL)]
        assert store.lookup([OTHER_ADDRESS, OLD_ADDRESS]).keys() == {OTHER_ADDRESS}

    def test_what_was_withdrawn_is_not_revived(self, store: OptOutStore, clock: ManualClock) -> None:
        """An entry that moves to a name under which it was withdrawn later is gone; one that is later than that comes back."""
        store.record([OptOut(NEW_ORDER), OptOut(NEW_ORDER, reason=Reason.MANUAL)])
        store.withdraw([NEW_ORDER])
        later = OptOut(OLD_ORDER, since=clock.now + timedelta(days=1))
        store.record([later, OptOut(OLD_ORDER, reason=Reason.MANUAL)])
        rekey(store, (OLD_ORDER, NEW_ORDER))
        assert list(store.scan()) == [attrs.evolve(later, identity=NEW_ORDER)]

    def test_links_keep_their_age(self, store: OptOutStore, clock: ManualClock) -> None:
        """One that leads nowhere is forgotten when it would have been."""
        store.link([(OLD_ORDER, OLD_ADDRESS)])
        clock.advance(days=100)
        rekey(store, (OLD_ORDER, NEW_ORDER))
        clock.advance(days=81)
        store.record([OptOut(PLAIN)])
        assert store.link([(NEW_ORDER, OTHER_ADDRESS)]) == LinkReport(new=1)

    def test_pairs_are_moved_one_after_another(self, store: OptOutStore) -> None:
        """What has come to a name goes on with it, whatever the names' order; and one name can take the place of several."""
        store.record([OptOut(OLD_ORDER, source="x"), OptOut(OLD_ADDRESS, reason=Reason.MANUAL), OptOut(OTHER_ADDRESS)])
        store.link([(OLD_ORDER, OLD_ADDRESS)])
        first, second = attrs.evolve(NEW_ORDER, key_id="z"), attrs.evolve(NEW_ORDER, key_id="a")
        rekey(store, (OLD_ORDER, first), (OTHER_ADDRESS, NEW_ADDRESS), (first, second), (OLD_ADDRESS, NEW_ADDRESS), (second, NEW_ORDER))
        told = {(entry.identity, entry.reason) for entry in store.scan()}
        assert told == {(NEW_ORDER, OptOut(PLAIN).reason), (NEW_ADDRESS, OptOut(PLAIN).reason), (NEW_ADDRESS, Reason.MANUAL)}
        store.withdraw([NEW_ADDRESS])
        assert store.lookup([NEW_ORDER, NEW_ADDRESS]) == {}

    def test_nothing_to_move_is_no_mistake(self, store: OptOutStore) -> None:
        """What nothing is kept of, and no pairs at all, are passed over."""
        store.record([OptOut(PLAIN)])
        rekey(store)
        rekey(store, (OLD_ORDER, NEW_ORDER), (OLD_ADDRESS, NEW_ADDRESS))
        assert list(store.scan()) == [OptOut(PLAIN)]

    @pytest.mark.parametrize(
        ("pair", "error"), [((PLAIN, Address("other@example.com")), TypeError), ((OLD_ORDER, NEW_ADDRESS), ValueError)]
    )
    def test_only_a_digest_takes_the_place_of_a_digest(self, store: OptOutStore, pair: Any, error: type[Exception]) -> None:
        """And only one of the same kind."""
        with pytest.raises(error, match="digest"):
            rekey(store, pair)

    def test_a_closed_store_moves_nothing(self, store: OptOutStore) -> None:
        """It says that it is closed."""
        store.close()
        with pytest.raises(StoreClosed):
            rekey(store, (OLD_ORDER, NEW_ORDER))
