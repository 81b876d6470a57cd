"""The guards that users' tests stand on."""

import asyncio
from typing import Any

import pytest

from optoutkit.errors import Held, StoreUnavailable
from optoutkit.guard import Policy
from optoutkit.identities import Address, OrderId
from optoutkit.messages import Message
from optoutkit.optouts import OptOut, Reason
from optoutkit.testing.guards import AsyncRecordingGuard, RecordingGuard
from optoutkit.testing.senders import AsyncRecordingSender, RecordingSender

BUYER = "buyer@marketplace.amazon.de"
ORDER = "302-1234567-1234567"


def review(**more: Any) -> Message:
    """A message that is not critical."""
    return Message("Your order", "Please leave us a review!", **more)


def test_a_guard_knows_who_opted_out_and_remembers_what_it_decided() -> None:
    """Named by text, by identity or by a whole entry."""
    complaint = OptOut(Address("c@shop.example"), reason=Reason.COMPLAINT)
    guard = RecordingGuard(BUYER, OrderId(ORDER), complaint)
    guard.check(review(to=[BUYER, "c@shop.example", "d@shop.example"]))
    guard.check(review(order_ids=ORDER))
    assert [decision.action.value for decision in guard.decisions] == ["suppress", "suppress", "send", "suppress"]
    assert guard.decisions[1].opt_out == complaint
    assert len(guard.events) == 2


def test_it_takes_what_a_guard_takes() -> None:
    """The list is the seller's."""
    guard = RecordingGuard(BUYER, seller="a", policy=Policy.AUDIT)
    assert guard.store.lookup([Address(BUYER)], seller="") == {}
    assert guard.check(review(to=BUYER)).sends
    assert [decision.unenforced for decision in guard.decisions] == ["suppress"]


def test_its_store_can_have_an_outage() -> None:
    """And be over it; links are no different."""
    guard, sender = RecordingGuard(BUYER), RecordingSender()
    send = guard.wrap(sender)
    guard.store.down = True
    with pytest.raises(Held):
        send(review(to="other@marketplace.amazon.de"))
    with pytest.raises(StoreUnavailable):
        guard.store.link([])
    guard.store.down = False
    send(review(to="other@marketplace.amazon.de"))
    assert len(sender.messages) == 1


def test_the_same_for_asyncio() -> None:
    """Its store needs not be awaited."""
    guard, sender = AsyncRecordingGuard(BUYER), AsyncRecordingSender()

    async def send() -> None:
        await guard.wrap(sender)(review(to=[BUYER, "d@shop.example"], order_ids=[ORDER]))
        guard.store.down = True
        with pytest.raises(Held):
            await guard.wrap(sender)(review(to="other@marketplace.amazon.de"))

    asyncio.run(send())
    assert [decision.action.value for decision in guard.decisions] == ["suppress", "send", "hold"]
    assert list(guard.store.scan_links()) == [(OrderId(ORDER), Address(BUYER))]
