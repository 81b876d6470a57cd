"""What every ledger promises."""

# ruff: noqa: S101 - these are tests, for others to run

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from optoutkit.errors import StoreClosed
from optoutkit.identities import OrderId
from optoutkit.ledgers import Ledger, Reservation, Standing
from optoutkit.testing.ledgers.driving import LedgerFactory, all_at_once, blocking_ledger
from optoutkit.testing.stores import ManualClock

__all__ = ["DurableLedgerConformance", "LedgerConformance"]

ORDER, SECOND_ORDER, THIRD_ORDER = OrderId("302-1234567-1234567"), OrderId("302-2222222-1234567"), OrderId("D01-3333333-1234567")


class LedgerConformance:
    """The contract of a ledger. Subclass it, with a fixture ``make_ledger`` that gives a :data:`LedgerFactory`."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        """The time in the tests."""
        return ManualClock()

    @pytest.fixture
    def ledger(self, make_ledger: LedgerFactory, clock: ManualClock) -> Iterator[Ledger]:
        """The ledger under test, closed in the end."""
        with blocking_ledger(make_ledger(clock)) as ledger:
            yield ledger

    def test_a_request_is_granted_once(self, ledger: Ledger) -> None:
        """While it is being sent it is pending, once it is confirmed it was sent."""
        assert ledger.lookup([ORDER]) == {}
        reservation = ledger.reserve([ORDER])
        assert (reservation.granted, reservation.refused) == ((ORDER,), {})
        assert ledger.lookup([ORDER]) == {ORDER: Standing.PENDING}
        assert ledger.reserve([ORDER]).refused == {ORDER: Standing.PENDING}
        ledger.confirm(reservation)
        assert ledger.lookup([ORDER]) == {ORDER: Standing.SENT}
        again = ledger.reserve([ORDER])
        assert (again.granted, again.refused) == ((), {ORDER: Standing.SENT})

    def test_what_was_not_sent_may_be_sent_by_another(self, ledger: Ledger) -> None:
        """A reservation that is released leaves nothing behind."""
        ledger.release(ledger.reserve([ORDER]))
        assert ledger.lookup([ORDER]) == {}
        assert ledger.reserve([ORDER]).granted == (ORDER,)

    def test_nobody_touches_what_is_another_s(self, ledger: Ledger) -> None:
        """A reservation that was refused confirms and releases nothing, and neither does one whose time has passed on."""
        mine, refused = ledger.reserve([ORDER]), ledger.reserve([ORDER])
        ledger.release(refused)
        ledger.confirm(refused)
        assert ledger.lookup([ORDER]) == {ORDER: Standing.PENDING}
        ledger.release(mine)
        other = ledger.reserve([ORDER])
        ledger.release(mine)
        ledger.confirm(mine)
        assert ledger.lookup([ORDER]) == {ORDER: Standing.PENDING}
        ledger.confirm(other)
        ledger.release(other)
        assert ledger.lookup([ORDER]) == {ORDER: Standing.SENT}, "what was sent cannot be unsent"

    def test_verbs_may_be_repeated(self, ledger: Ledger) -> None:
        """To confirm or release twice is to do it once."""
        reservation = ledger.reserve([ORDER])
        ledger.confirm(reservation)
        ledger.confirm(reservation)
        assert ledger.lookup([ORDER]) == {ORDER: Standing.SENT}
        reservation = ledger.reserve([SECOND_ORDER])
        ledger.release(reservation)
        ledger.release(reservation)
        assert ledger.lookup([SECOND_ORDER]) == {}

    def test_each_order_is_granted_for_itself(self, ledger: Ledger) -> None:
        """Of several some may be granted and others not, and are then confirmed or released together; repeated ones are one."""
        ledger.confirm(ledger.reserve([ORDER]))
        ledger.reserve([THIRD_ORDER])
        reservation = ledger.reserve([THIRD_ORDER, SECOND_ORDER, ORDER, SECOND_ORDER])
        assert reservation.granted == (SECOND_ORDER,)
        assert reservation.refused == {ORDER: Standing.SENT, THIRD_ORDER: Standing.PENDING}
        ledger.confirm(reservation)
        everything = [ORDER, SECOND_ORDER, THIRD_ORDER]
        assert ledger.lookup(everything) == dict(zip(everything, [Standing.SENT, Standing.SENT, Standing.PENDING], strict=True))

    def test_nothing_is_reserved_for_no_order(self, ledger: Ledger) -> None:
        """No order, no request, no error."""
        reservation = ledger.reserve([])
        assert (reservation.granted, reservation.refused, ledger.lookup([])) == ((), {}, {})
        ledger.confirm(reservation)
        ledger.release(reservation)

    def test_sellers_are_apart(self, ledger: Ledger) -> None:
        """One seller's requests are nothing to another one."""
        ledger.confirm(ledger.reserve([ORDER], seller="a"))
        assert ledger.lookup([ORDER]) == ledger.lookup([ORDER], seller="b") == {}
        assert ledger.lookup([ORDER], seller="a") == {ORDER: Standing.SENT}
        assert ledger.reserve([ORDER], seller="b").granted == (ORDER,)

    def test_a_reservation_of_which_nothing_is_heard_counts_as_sent(self, ledger: Ledger, clock: ManualClock) -> None:
        """After ten minutes, not before; it may still be released, should it be heard of after all."""
        reservation = ledger.reserve([ORDER])
        clock.advance(seconds=599)
        assert ledger.lookup([ORDER]) == ledger.reserve([ORDER]).refused == {ORDER: Standing.PENDING}
        clock.advance(seconds=1)
        assert ledger.lookup([ORDER]) == ledger.reserve([ORDER]).refused == {ORDER: Standing.SENT}
        ledger.release(reservation)
        assert ledger.reserve([ORDER]).granted == (ORDER,)

    @pytest.mark.parametrize("confirmed", [True, False])
    def test_all_is_forgotten_in_the_end(self, ledger: Ledger, clock: ManualClock, confirmed: bool) -> None:
        """After ``keep_days``, not a day earlier; what is then reserved anew is another one's business no more."""
        old = ledger.reserve([ORDER])
        if confirmed:
            ledger.confirm(old)
        clock.advance(days=179)
        assert ledger.lookup([ORDER]) == {ORDER: Standing.SENT}
        clock.advance(days=1)
        assert ledger.lookup([ORDER]) == {}
        assert ledger.reserve([ORDER]).granted == (ORDER,)
        ledger.release(old)
        ledger.confirm(old)
        assert ledger.lookup([ORDER]) == {ORDER: Standing.PENDING}

    def test_a_clock_that_is_set_back_takes_nothing_away(self, ledger: Ledger, clock: ManualClock) -> None:
        """What was reserved in what is now the future stands, and others can be reserved."""
        ledger.confirm(ledger.reserve([ORDER]))
        clock.advance(days=-300)
        assert ledger.reserve([ORDER]).refused == {ORDER: Standing.SENT}
        ledger.confirm(ledger.reserve([SECOND_ORDER]))
        clock.advance(days=300)
        assert ledger.lookup([ORDER, SECOND_ORDER]) == {ORDER: Standing.SENT}
        assert ledger.reserve([SECOND_ORDER]).granted == (SECOND_ORDER,)

    def test_of_many_at_once_one_is_granted_it(self, ledger: Ledger) -> None:
        """The others are told that a request is being sent."""
        reservations = all_at_once(ledger, 8, lambda each: each.reserve([ORDER, SECOND_ORDER, THIRD_ORDER]))
        for order in (ORDER, SECOND_ORDER, THIRD_ORDER):
            assert sum(order in reservation.granted for reservation in reservations) == 1
            assert [reservation.refused[order] for reservation in reservations if order in reservation.refused] == [Standing.PENDING] * 7

    def test_only_orders_are_counted(self, ledger: Ledger) -> None:
        """The text of one, or an odd seller, is a mistake that is told at once."""
        with pytest.raises(TypeError):
            ledger.reserve([cast("OrderId", str(ORDER))])
        with pytest.raises(TypeError):
            ledger.lookup([ORDER], seller=cast("str", None))
        with pytest.raises(ValueError, match="NUL"):
            ledger.reserve([ORDER], seller="a\0b")

    def test_it_says_that_it_is_well(self, ledger: Ledger) -> None:
        """And that leaves nothing behind that would say otherwise the next time."""
        ledger.health()
        ledger.health()

    def test_a_closed_ledger_refuses(self, make_ledger: LedgerFactory, clock: ManualClock) -> None:
        """With an error of its own, whether it was used before or not; closing twice is allowed."""
        for used in (True, False):
            with blocking_ledger(make_ledger(clock)) as ledger:
                if used:
                    ledger.reserve([SECOND_ORDER])
                ledger.close()
                for verb in (ledger.reserve, ledger.lookup):
                    with pytest.raises(StoreClosed):
                        verb([ORDER])


class DurableLedgerConformance(LedgerConformance):
    """The contract of a ledger whose data outlives it, and that several processes share."""

    def test_everything_outlives_the_ledger(self, make_ledger: LedgerFactory, clock: ManualClock) -> None:
        """What one ledger knows, the next one on the same data knows too, and may confirm what the first one reserved."""
        with blocking_ledger(make_ledger(clock)) as ledger:
            ledger.confirm(ledger.reserve([ORDER]))
            reservation = ledger.reserve([SECOND_ORDER])
        with blocking_ledger(make_ledger(clock)) as ledger:
            assert ledger.lookup([ORDER, SECOND_ORDER]) == {ORDER: Standing.SENT, SECOND_ORDER: Standing.PENDING}
            ledger.confirm(reservation)
            assert ledger.lookup([SECOND_ORDER]) == {SECOND_ORDER: Standing.SENT}

    def test_ledgers_made_at_once_share_what_they_make(self, make_ledger: LedgerFactory, clock: ManualClock) -> None:
        """Many that find nothing there get in nobody's way, and one of them is granted the request."""
        barrier = threading.Barrier(6, timeout=60)

        def reserve(_number: int) -> Reservation:
            barrier.wait()
            with blocking_ledger(make_ledger(clock)) as ledger:
                return ledger.reserve([ORDER])

        with ThreadPoolExecutor(6) as threads:
            granted = [reservation.granted for reservation in threads.map(reserve, range(6))]
        assert sorted(granted) == [(), (), (), (), (), (ORDER,)]
