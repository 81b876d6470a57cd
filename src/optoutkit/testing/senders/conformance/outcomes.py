"""What becomes of a send: it is held, it fails, it is learnt from."""

# ruff: noqa: S101 - these are tests, for others to run

import pickle
from typing import Any

import attrs
import pytest

from optoutkit.errors import Held, Suppressed
from optoutkit.guard import Decided, Policy
from optoutkit.identities import Address, OrderId
from optoutkit.testing.senders.conformance.driving import Letter, SenderDriver
from optoutkit.testing.senders.conformance.fixtures import SenderFixtures

__all__ = ["OutcomeRules"]

_ORDER = OrderId("302-1234567-1234567")


class OutcomeRules(SenderFixtures):
    """What the guard does about a send as a whole."""

    def test_an_outage_holds(self, driver: SenderDriver, guard: Any, guarded: Any) -> None:
        """Held is raised, also as what the library's users catch, before anything is sent; afterwards the same message goes.

        It can be pickled, as task queues do, and is the same afterwards.
        """
        message = driver.compose(Letter(to=(driver.buyer,)))
        guard.store.down = True
        with pytest.raises(Held) as caught:
            driver.send(guarded, message)
        assert isinstance(caught.value, driver.held_as)
        assert caught.value.verdict is not None
        assert caught.value.verdict.held
        again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - its own
        assert (type(again), again.args, again.verdict) == (type(caught.value), caught.value.args, caught.value.verdict)
        assert self.recipients(driver) == []
        guard.store.down = False
        driver.send(guarded, message)
        assert self.recipients(driver) == [(driver.buyer,)]

    def test_an_outage_holds_the_whole_message(self, driver: SenderDriver, guard: Any, guarded: Any) -> None:
        """Nobody gets it before it can be sent to all."""
        guard.store.down = True
        with pytest.raises(Held):
            driver.send(guarded, driver.compose(Letter(to=(driver.outsider, driver.buyer))))
        assert self.recipients(driver) == []

    def test_an_outage_never_holds_a_critical_message(self, driver: SenderDriver, guard: Any, guarded: Any) -> None:
        """What cannot be learnt meanwhile is not learnt, and that is all."""
        guard.store.down = True
        driver.send(guarded, driver.compose(Letter(to=(driver.opted_out,), subject=f"Order {_ORDER}", text="Your address, please?")))
        assert self.recipients(driver) == [(driver.opted_out,)]

    def test_an_outage_holds_nothing_for_others_than_buyers(self, driver: SenderDriver, guard: Any, guarded: Any) -> None:
        """A supplier or a colleague is not kept waiting."""
        guard.store.down = True
        driver.send(guarded, driver.compose(Letter(to=(driver.outsider,))))
        assert self.recipients(driver) == [(driver.outsider,)]

    def test_who_wants_an_exception_for_suppression_gets_it(self, driver: SenderDriver) -> None:
        """In place of the library's own way to tell it."""
        guarded = self._raising(driver)
        with pytest.raises(Suppressed):
            driver.send(guarded, driver.compose(Letter(to=(driver.opted_out,))))
        driver.send(guarded, driver.compose(Letter(to=(driver.buyer,))))
        assert self.recipients(driver) == [(driver.buyer,)]

    def test_that_exception_comes_before_anything_is_sent(self, driver: SenderDriver) -> None:
        """So that the caller can decide about the rest."""
        with pytest.raises(Suppressed):
            driver.send(self._raising(driver), driver.compose(Letter(to=(driver.outsider, driver.opted_out))))
        assert self.recipients(driver) == []

    def _raising(self, driver: SenderDriver) -> Any:
        guard = self.make_guard(driver, policy=attrs.evolve(Policy.AMAZON, on_suppressed="raise"))
        return guard.wrap(driver.make_sender())

    def test_a_message_is_decided_on_and_sent_once(self, driver: SenderDriver, guard: Any, guarded: Any) -> None:
        """However many of the library's methods call one another on the way."""
        driver.send(guarded, driver.compose(Letter(to=(driver.buyer,))))
        assert [type(event) for event in guard.events] == [Decided]
        assert guard.events[0].sending
        assert len(driver.delivered()) == 1

    def test_one_decision_is_made_for_each_recipient(self, driver: SenderDriver, guard: Any, guarded: Any) -> None:
        """In their order, and on all of them at once; the message is still sent once."""
        driver.send(guarded, driver.compose(Letter(to=(driver.outsider, driver.opted_out, driver.buyer))))
        assert len(guard.events) == 1
        assert [decision.action.value for decision in guard.decisions] == ["send", "suppress", "send"]
        assert len(driver.delivered()) == 1

    def test_a_failure_is_the_librarys_own(self, driver: SenderDriver, sender: Any, guarded: Any) -> None:
        """What it raises without a guard it raises behind one, and nothing is learnt of a message that did not go."""
        message = driver.compose(Letter(to=(driver.buyer,)))
        driver.fail()
        failures = []
        for through in (sender, guarded):
            with pytest.raises(Exception) as caught:  # noqa: PT011 - the library's, whatever that is
                driver.send(through, message)
            failures.append(type(caught.value))
        assert failures[0] is failures[1]
        assert not issubclass(failures[1], Held)

    def test_a_link_is_learnt_after_the_send(self, driver: SenderDriver, guard: Any, guarded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Which buyer an order belongs to: told to the store once the message has been delivered, for a critical message, too."""
        link, delivered_before = guard.store.link, []

        def note(pairs: Any, **options: Any) -> Any:
            delivered_before.append(len(driver.delivered()))
            return link(pairs, **options)

        monkeypatch.setattr(guard.store, "link", note)
        driver.send(guarded, driver.compose(Letter(to=(driver.buyer,), subject=f"Order {_ORDER}")))
        driver.send(guarded, driver.compose(Letter(to=(driver.buyer,), subject=f"Order {_ORDER}", text="Your address, please?")))
        assert delivered_before == [1, 2]
        assert list(guard.store.scan_links()) == [(_ORDER, Address(driver.buyer))]

    def test_nothing_is_learnt_of_what_did_not_go(self, driver: SenderDriver, guard: Any, guarded: Any) -> None:
        """A message that was held, or whose send failed, leaves no link behind."""
        message = driver.compose(Letter(to=(driver.buyer,), subject=f"Order {_ORDER}"))
        guard.store.down = True
        with pytest.raises(Held):
            driver.send(guarded, message)
        guard.store.down = False
        assert list(guard.store.scan_links()) == []
        driver.fail()
        with pytest.raises(Exception):  # noqa: PT011, B017 - the library's, whatever that is
            driver.send(guarded, message)
        assert list(guard.store.scan_links()) == []
