"""Messages that leave by one call, such as a service's bulk send."""

from typing import Any

import pytest

from optoutkit.errors import Held, StoreUnavailable, Suppressed
from optoutkit.guard import Action, Decided, Guard, Policy, Verdict
from optoutkit.identities import Address, OrderId
from optoutkit.messages import Message

BUYER, ANOTHER = Address("abc123@marketplace.amazon.de"), Address("def456@marketplace.amazon.de")
SUPPLIER = Address("sales@supplier.example")
ORDER, OTHER_ORDER = OrderId("302-1234567-1234567"), OrderId("302-7654321-7654321")


@pytest.fixture
def plain(bench: Any, saying: Any) -> Any:
    """A guard over each real store whose classifier finds nothing critical."""
    return bench.guarded(classify=saying("thank_you"))


def gone(verdicts: tuple[Verdict, ...]) -> list[list[str]]:
    """A sender that returns whom it sent each message to."""
    return [[decision.recipient for decision in verdict.decisions if decision.action is Action.SEND] for verdict in verdicts]


def message(*to: Address, **details: Any) -> Message:
    """A message to these."""
    return Message("Your order", "Thank you.", to=to, **details)


def test_each_is_decided_on_for_itself_and_all_are_sent_at_once(plain: Any) -> None:
    """The verdicts stand in the order of the messages, those of messages that nobody gets among them."""
    plain.record(BUYER)
    delivery = plain.deliver_together([message(BUYER), message(ANOTHER, BUYER), message(SUPPLIER)], gone)
    assert delivery.answer == [[], [str(ANOTHER)], [str(SUPPLIER)]]
    assert [verdict.sends for verdict in delivery.verdicts] == [False, True, True]
    assert [event.sending for event in plain.events if isinstance(event, Decided)] == [True] * 3


def test_where_nobody_is_left_nothing_is_sent(plain: Any) -> None:
    """Nor is there anything to send of no messages."""
    plain.record(BUYER)
    assert plain.deliver_together([message(BUYER), message(BUYER)], gone).answer is None
    assert plain.deliver_together([], gone).answer is None


def test_what_each_teaches_is_learnt_after_the_send(plain: Any) -> None:
    """The order of one message belongs to its buyer, not to another's."""
    plain.deliver_together([message(BUYER, order_ids=[ORDER]), message(ANOTHER)], gone)
    plain.record(ORDER)
    (suppressed, sent) = plain.deliver_together([message(BUYER), message(ANOTHER)], gone).verdicts
    assert suppressed.suppressed
    assert sent.sends


def test_what_the_sender_did_not_take_teaches_nothing(plain: Any) -> None:
    """Where its answer tells which of them that are; where nothing is sent it is not asked."""
    messages = [message(BUYER, order_ids=[ORDER]), message(ANOTHER, order_ids=[OTHER_ORDER])]
    plain.deliver_together(messages, gone, not_taken=lambda verdicts, answer: [len(answer) - len(verdicts)])
    plain.record(ORDER, OTHER_ORDER)
    assert [plain.is_opted_out(buyer) for buyer in (BUYER, ANOTHER)] == [False, True]
    plain.deliver_together([message(ANOTHER)], gone, not_taken=lambda *_answer: pytest.fail("there is no answer"))


def test_the_store_is_asked_once_for_all(store: Any, saying: Any) -> None:
    """For whatever is not critical; and not at all where everything is."""
    guard = Guard(store, classify=saying("thank_you"))
    guard.deliver_together([message(BUYER), message(ANOTHER, order_ids=[ORDER]), message(SUPPLIER, topic="shipping_address")], gone)
    assert store.lookups == [(BUYER, ANOTHER, ORDER)]
    guard.deliver_together([message(buyer, topic="shipping_address") for buyer in (BUYER, ANOTHER)], gone)
    assert len(store.lookups) == 1


def test_one_that_is_held_holds_all(bench: Any, saying: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """They leave together, so none has gone when the exception comes."""
    bench.guarded(classify=saying("thank_you"))

    def fail(*_args: Any, **_kwargs: Any) -> Any:
        raise StoreUnavailable("down")

    monkeypatch.setattr(bench.store, "lookup", fail)
    with pytest.raises(Held):
        bench.deliver_together([message(SUPPLIER), message(BUYER)], lambda _verdicts: pytest.fail("nothing should have been sent"))


def test_who_wants_an_exception_gets_it_before_any_is_sent(bench: Any, saying: Any) -> None:
    """Even where the suppressed one comes last."""
    bench.guarded(classify=saying("thank_you"), policy=Policy(on_suppressed="raise"))
    bench.record(BUYER)
    with pytest.raises(Suppressed):
        bench.deliver_together([message(SUPPLIER), message(BUYER)], lambda _verdicts: pytest.fail("nothing should have been sent"))
