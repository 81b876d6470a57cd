"""What links lead to, and how long they last."""

# ruff: noqa: S101 - these are tests, for others to run

from collections.abc import Callable
from typing import Any

import pytest

from optoutkit.identities import Digest, Identity, OrderId
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores.base import LinkReport, OptOutStore
from optoutkit.testing.stores.driving import ManualClock
from optoutkit.testing.stores.fixtures import ALIAS, DAY, ORDER, OTHER_ALIAS, PLAIN, SECOND_ORDER, THIRD_ORDER, StoreFixtures

__all__ = ["LinkRules"]


class LinkRules(StoreFixtures):
    """What links lead to, what contradicts them, and when they are forgotten."""

    @pytest.mark.parametrize("opted_out", [ALIAS, ORDER, SECOND_ORDER])
    @pytest.mark.parametrize("link_first", [True, False])
    def test_an_opt_out_holds_for_the_address_and_all_its_orders(self, store: OptOutStore, opted_out: Identity, link_first: bool) -> None:
        """Whichever of them opted out, and whether link or opt-out came first, each is found, alone and in a batch."""
        steps: list[Callable[[], object]] = [
            lambda: store.link([(ORDER, ALIAS), (SECOND_ORDER, ALIAS), (THIRD_ORDER, OTHER_ALIAS)]),
            lambda: store.record([OptOut(opted_out)]),
        ]
        for step in steps if link_first else reversed(steps):
            step()
        for asked in (ALIAS, ORDER, SECOND_ORDER):
            assert store.lookup([asked]) == {asked: OptOut(opted_out)}
        assert store.lookup([THIRD_ORDER]) == {}
        everybody: list[Identity] = [OTHER_ALIAS, THIRD_ORDER, ALIAS, ORDER, SECOND_ORDER]
        assert store.lookup(everybody) == dict.fromkeys(everybody[2:], OptOut(opted_out))

    def test_an_opt_out_holds_for_many_orders_of_a_buyer(self, store: OptOutStore) -> None:
        """A buyer with hundreds of orders is found by each of them, whichever opted out, and another buyer by none."""
        orders = [OrderId(f"302-{number:07}-1234567") for number in range(300)]
        store.link([*((order, ALIAS) for order in orders), (THIRD_ORDER, OTHER_ALIAS)])
        store.record([OptOut(orders[77])])
        assert store.lookup([ALIAS, *orders, THIRD_ORDER, OTHER_ALIAS]).keys() == {ALIAS, *orders}
        assert store.lookup([orders[299]])[orders[299]].identity == orders[77]
        assert store.withdraw([orders[5]]) == 1
        assert store.lookup([ALIAS, *orders]) == {}

    def test_digests_are_linked_like_what_they_stand_for(self, store: OptOutStore) -> None:
        """Digests of an order and of an address form a link as well."""
        order, address = Digest("order", "k", b"o" * 16), Digest("address", "k", b"a" * 16)
        assert store.link([(order, address)]) == LinkReport(new=1)
        store.record([OptOut(order)])
        assert store.lookup([address]) == {address: OptOut(order)}
        assert store.lookup([order, address]).keys() == {order, address}

    def test_links_hold_within_a_seller(self, store: OptOutStore) -> None:
        """What one seller learnt leads no other one anywhere."""
        store.link([(ORDER, ALIAS)], seller="a")
        store.record([OptOut(ORDER, "a"), OptOut(ORDER, "b"), OptOut(ORDER)])
        assert store.lookup([ALIAS], seller="a")[ALIAS].seller == "a"
        assert store.lookup([ALIAS], seller="b") == {}
        assert store.lookup([ALIAS]) == {}
        assert store.lookup([ALIAS, SECOND_ORDER], seller="b") == {}

    def test_a_sellers_links_lead_to_shared_entries(self, store: OptOutStore) -> None:
        """A seller who knows whose order it is profits from the shared list."""
        store.link([(ORDER, ALIAS), (SECOND_ORDER, ALIAS)], seller="a")
        store.record([OptOut(ORDER, SHARED)])
        asked: list[Identity] = [ALIAS, ORDER, SECOND_ORDER]
        assert store.lookup(asked, seller="a") == dict.fromkeys(asked, OptOut(ORDER, SHARED))
        assert [store.lookup([identity], seller="a") for identity in asked] == [{identity: OptOut(ORDER, SHARED)} for identity in asked]
        assert store.lookup(asked, seller=SHARED).keys() == {ORDER}

    def test_shared_links_lead_to_shared_entries_only(self, store: OptOutStore) -> None:
        """A link of the shared list opens no seller's own entries, but it opens shared ones to every seller."""
        store.link([(ORDER, ALIAS), (SECOND_ORDER, ALIAS)], seller=SHARED)
        store.record([OptOut(ORDER, "a")])
        assert store.lookup([ALIAS], seller="a") == {}
        assert store.lookup([SECOND_ORDER, ALIAS], seller="a") == {}
        store.record([OptOut(ORDER, SHARED)])
        for asked in (ALIAS, SECOND_ORDER):
            assert store.lookup([asked], seller="a") == {asked: OptOut(ORDER, SHARED)}
            assert store.lookup([asked, PLAIN], seller="a") == {asked: OptOut(ORDER, SHARED)}

    def test_links_of_two_lists_do_not_make_a_chain(self, store: OptOutStore) -> None:
        """From an order over a shared link to an address, and on over a seller's link, is one step too far."""
        store.link([(ORDER, ALIAS)], seller=SHARED)
        store.link([(SECOND_ORDER, ALIAS)], seller="a")
        store.record([OptOut(SECOND_ORDER, "a"), OptOut(SECOND_ORDER, SHARED)])
        assert store.lookup([ORDER], seller="a") == {}
        assert store.lookup([ORDER, PLAIN], seller="a") == {}

    def test_links_are_counted(self, store: OptOutStore) -> None:
        """A link is new once, within each list."""
        assert store.link([]) == LinkReport()
        assert store.link([(ORDER, ALIAS), (SECOND_ORDER, ALIAS), (ORDER, ALIAS)]) == LinkReport(new=2, known=1)
        assert store.link([(ORDER, ALIAS)], replace=True) == LinkReport(known=1)
        assert store.link([(ORDER, ALIAS)], seller="a") == LinkReport(new=1)

    def test_a_contradiction_is_dropped_and_told(self, store: OptOutStore) -> None:
        """An order that has an address keeps it, in one batch or two; what contradicts is reported in the order given."""
        store.link([(SECOND_ORDER, ALIAS)])
        pairs = [(ORDER, ALIAS), (SECOND_ORDER, OTHER_ALIAS), (ORDER, OTHER_ALIAS), (THIRD_ORDER, ALIAS)]
        assert store.link(pairs) == LinkReport(new=2, contradicted=(SECOND_ORDER, ORDER))
        store.record([OptOut(ORDER)])
        assert store.lookup([ALIAS, OTHER_ALIAS, SECOND_ORDER]).keys() == {ALIAS, SECOND_ORDER}

    def test_replacing_moves_an_order(self, store: OptOutStore) -> None:
        """With ``replace`` the order belongs to the new address, and no longer to the old one; the last of a batch holds."""
        store.link([(ORDER, ALIAS), (SECOND_ORDER, ALIAS)])
        assert store.link([(ORDER, PLAIN), (ORDER, OTHER_ALIAS)], replace=True) == LinkReport(new=2)
        store.record([OptOut(ORDER)])
        assert store.lookup([ALIAS, OTHER_ALIAS, SECOND_ORDER, PLAIN]).keys() == {OTHER_ALIAS}
        store.record([OptOut(ALIAS)])
        assert store.lookup([SECOND_ORDER])[SECOND_ORDER].identity == ALIAS

    @pytest.mark.parametrize("pair", [(ALIAS, ORDER), (ORDER, SECOND_ORDER), (ALIAS, OTHER_ALIAS), (str(ORDER), str(ALIAS))])
    def test_a_link_is_an_order_and_an_address(self, store: OptOutStore, pair: Any) -> None:
        """Anything else is refused, and the batch with it."""
        with pytest.raises((TypeError, ValueError), match=r"an order and an address|an identity is"):
            store.link([(THIRD_ORDER, ALIAS), pair])
        store.record([OptOut(ALIAS)])
        assert store.lookup([THIRD_ORDER]) == {}

    def test_a_link_that_leads_nowhere_is_forgotten(self, store: OptOutStore, clock: ManualClock) -> None:
        """After 180 days without an opt-out at either end it is gone with the next write, not before."""
        store.link([(ORDER, ALIAS)])
        clock.advance(days=180)
        store.record([OptOut(PLAIN)])
        assert store.link([(ORDER, OTHER_ALIAS)]).contradicted == (ORDER,)
        clock.advance(days=1)
        store.record([OptOut(PLAIN, reason=Reason.MANUAL)])
        assert store.link([(ORDER, OTHER_ALIAS)]) == LinkReport(new=1)

    def test_a_link_learnt_again_is_fresh(self, store: OptOutStore, clock: ManualClock) -> None:
        """The 180 days begin when the link was last told."""
        store.link([(ORDER, ALIAS)])
        clock.advance(days=100)
        store.link([(ORDER, ALIAS)])
        clock.advance(days=100)
        store.record([OptOut(ALIAS)])
        assert ORDER in store.lookup([ORDER])

    @pytest.mark.parametrize("opted_out", [OptOut(ALIAS), OptOut(ORDER), OptOut(ALIAS, SHARED), OptOut(ORDER, SHARED)])
    def test_a_link_to_an_opt_out_is_kept(self, store: OptOutStore, clock: ManualClock, opted_out: OptOut) -> None:
        """A link with an opt-out in force at either end, the seller's or a shared one, outlives its 180 days."""
        store.link([(ORDER, ALIAS)])
        store.record([opted_out])
        for _ in range(5):
            clock.advance(days=100)
            store.record([OptOut(PLAIN)])
        assert store.lookup([ORDER, ALIAS]).keys() == {ORDER, ALIAS}
        store.withdraw([ALIAS], seller=opted_out.seller)
        store.withdraw([ORDER], seller=opted_out.seller)
        clock.advance(days=181)
        store.record([OptOut(PLAIN)])
        assert store.link([(ORDER, OTHER_ALIAS)]) == LinkReport(new=1)

    @pytest.mark.parametrize("seller", ["other", ""])
    def test_an_opt_out_that_does_not_count_keeps_no_link(self, store: OptOutStore, clock: ManualClock, seller: str) -> None:
        """Neither another seller's opt-out nor one that has expired keeps a link."""
        store.link([(ORDER, ALIAS)])
        store.record([OptOut(ALIAS, seller, expires_at=None if seller else clock.now + DAY)])
        clock.advance(days=181)
        store.withdraw([PLAIN])  # any write will do
        assert store.link([(ORDER, OTHER_ALIAS)]) == LinkReport(new=1)

    def test_many_old_links_are_forgotten_in_the_long_run(self, store: OptOutStore, clock: ManualClock) -> None:
        """Each write forgets a bounded number; as links go on being learnt, the old ones go."""
        old = [OrderId(f"100-{number:07}-0000000") for number in range(1000)]
        store.link((order, ALIAS) for order in old)
        clock.advance(days=181)
        for start in range(0, 500, 100):
            store.link((OrderId(f"200-{number:07}-0000000"), OTHER_ALIAS) for number in range(start, start + 100))
        store.record([OptOut(ALIAS)])
        assert store.lookup(old) == {}
