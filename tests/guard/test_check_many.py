"""A queue of messages, checked at once: the same verdicts as one by one, for one question to the store."""

import traceback
from collections.abc import Iterable
from email.message import EmailMessage
from typing import Any

import pytest

from optoutkit.errors import InvalidMessage, StoreUnavailable
from optoutkit.flows import Flow, Request, ask, run
from optoutkit.guard import Action, DecisionReason, Guard, Policy, Verdict
from optoutkit.guard.jointly import jointly
from optoutkit.identities import Address, OrderId
from optoutkit.ledgers import open_async_ledger, open_ledger
from optoutkit.messages import Message

BUYER, ANOTHER = Address("abc123@marketplace.amazon.de"), Address("def456@marketplace.amazon.de")
SUPPLIER = Address("sales@supplier.example")
ORDER, OTHER_ORDER = OrderId("302-1234567-1234567"), OrderId("302-7654321-7654321")
QUEUE = (
    Message("Your order", "Thank you.", to=str(BUYER), order_ids=ORDER),
    Message("Your order", "Thank you.", to=[str(SUPPLIER), str(ANOTHER)], order_ids=OTHER_ORDER),
    Message("Your order", "Thank you.", to=str(BUYER), custom_order=True),
    Message("Your order", "Thank you.", order_ids=[ORDER, OTHER_ORDER]),
    Message("Your order", "Thank you.", to="nobody"),
    Message("Your order", "Thank you."),
)


def check_many(bench: Any, messages: Iterable[Any]) -> tuple[Verdict, ...]:
    """The verdicts of either kind of guard."""
    verdicts: tuple[Verdict, ...] = bench.done(bench.guard.check_many(messages))
    return verdicts


def rules(verdicts: Iterable[Verdict]) -> list[list[tuple[Action, DecisionReason]]]:
    """What was decided, and by which rule."""
    return [[(decision.action, decision.reason) for decision in verdict.decisions] for verdict in verdicts]


@pytest.mark.parametrize("ledger", [None, "memory://"])
def test_each_verdict_is_the_one_it_would_get_alone(bench: Any, saying: Any, ledger: str | None) -> None:
    """Whatever the others' recipients and orders are; and each is told to the hook, in order."""
    counted = ledger and (open_async_ledger if bench.is_async else open_ledger)(ledger)
    bench.guarded(classify=saying("review_request", solicits=True), ledger=counted)
    bench.record(BUYER, SUPPLIER)
    bench.link(OTHER_ORDER, ANOTHER)
    if counted:
        bench.done(counted.confirm(bench.done(counted.reserve([OTHER_ORDER]))))
    verdicts = check_many(bench, QUEUE)
    assert [(event.message, event.verdict, event.sending) for event in bench.events] == [
        (message, verdict, False) for message, verdict in zip(QUEUE, verdicts, strict=True)
    ]
    assert verdicts == tuple(map(bench.check, QUEUE))
    reasons = {decision.reason for verdict in verdicts for decision in verdict.decisions}
    assert (DecisionReason.ALREADY_REQUESTED in reasons) is bool(counted)


def test_the_store_and_the_ledger_are_asked_once(store: Any, saying: Any) -> None:
    """For everybody's recipients and orders together, each of them once."""
    asked: list[Any] = []

    class Watched:
        def lookup(self, order_ids: Any, *, seller: str = "") -> Any:
            asked.append(order_ids)
            return {}

    guard = Guard(store, classify=saying("review_request", solicits=True), ledger=Watched())  # type: ignore[arg-type]
    guard.check_many((*QUEUE, *QUEUE))
    assert store.lookups == [(BUYER, ORDER, SUPPLIER, ANOTHER, OTHER_ORDER)]
    assert asked == [(ORDER, OTHER_ORDER)]


def test_nothing_is_asked_for_what_needs_no_answer(store: Any, saying: Any) -> None:
    """A queue of critical messages, or an empty one."""
    guard = Guard(store, classify=saying("shipping_address", critical=True))
    assert [verdict.sends for verdict in guard.check_many(QUEUE[:3])] == [True] * 3
    assert guard.check_many([]) == ()
    assert store.lookups == []


@pytest.mark.parametrize("error", [StoreUnavailable("locked"), KeyError("a bug of the store")])
def test_an_outage_holds_each_that_asked(store: Any, saying: Any, error: Exception) -> None:
    """And no other."""
    store.down = error
    verdicts = Guard(store, classify=saying("thank_you")).check_many(QUEUE)
    assert [verdict.held for verdict in verdicts] == [True, True, False, True, False, False]
    assert [verdict.outage is error for verdict in verdicts] == [True, True, False, True, False, False]


def test_an_outage_does_not_keep_the_whole_queue_alive(store: Any, saying: Any) -> None:
    """The error that all verdicts share passes through the flow of each message, and remembers but the last."""
    store.down = StoreUnavailable("locked")
    Guard(store, classify=saying("thank_you")).check_many(QUEUE[:1] * 100)
    assert len(traceback.extract_tb(store.down.__traceback__)) < 20


def test_a_ledger_that_fails_holds_the_requests(bench: Any, saying: Any) -> None:
    """As it does with one message."""

    class Sync:
        def lookup(self, *_args: Any, **_options: Any) -> Any:
            raise StoreUnavailable("gone")

    class Async:
        async def lookup(self, *_args: Any, **_options: Any) -> Any:
            raise StoreUnavailable("gone")

    bench.guarded(classify=saying("review_request", solicits=True), ledger=Async() if bench.is_async else Sync())
    held = (Action.HOLD, DecisionReason.LEDGER_UNAVAILABLE)
    assert rules(check_many(bench, QUEUE[:2])) == [[held], [(Action.SEND, DecisionReason.NOT_OPTED_OUT), held]]


def test_mails_are_read_and_declarations_count(bench: Any, saying: Any) -> None:
    """As for ``check``."""
    bench.guarded(classify=saying("thank_you"))
    bench.record(ORDER)
    mail = EmailMessage()
    mail["To"] = str(BUYER)
    mail.set_content("Thank you.")
    assert [verdict.sends for verdict in check_many(bench, [mail, mail.as_bytes()])] == [True, True]
    with bench.guard.declare(order_ids=ORDER):
        assert [verdict.sends for verdict in check_many(bench, [mail, mail.as_bytes()])] == [False, False]


def test_what_is_no_message_is_refused_before_anything_is_asked(store: Any, saying: Any) -> None:
    """Nobody is told half of the verdicts."""
    with pytest.raises(InvalidMessage):
        Guard(store, classify=saying("thank_you")).check_many([QUEUE[0], "just a text"])  # type: ignore[list-item]
    assert store.lookups == []


def test_a_message_that_waited_is_checked_again_when_it_leaves(bench: Any, saying: Any) -> None:
    """The buyer opted out after the queue was checked: the wrapped sender does not go by the verdict of then."""
    bench.guarded(classify=saying("thank_you"))
    (verdict,) = check_many(bench, QUEUE[:1])
    assert verdict.sends
    bench.record(BUYER)
    gone: list[Message] = []

    def send(message: Message) -> None:
        gone.append(message)

    async def send_later(message: Message) -> None:
        gone.append(message)

    bench.done(bench.guard.wrap(send_later if bench.is_async else send)(QUEUE[0]))
    assert gone == []


def test_an_audit_lets_everything_go(down: Any, saying: Any) -> None:
    """Here, too."""
    verdicts = Guard(down, policy=Policy.AUDIT, classify=saying("thank_you")).check_many(QUEUE[:2])
    assert [verdict.sends for verdict in verdicts] == [True, True]


class Number(Request[int]):
    """A request for a number."""


def test_flows_may_ask_as_often_as_they_like() -> None:
    """Each round is asked for once, of those that still ask; results keep the order of the flows."""

    def counting(times: int) -> Flow[list[int]]:
        got: list[int] = []
        while len(got) < times:
            got += [(yield from ask(Number()))]
        return got

    asked = iter(range(10))
    together = jointly([counting(3), counting(0), counting(1)], lambda requests: requests[0])
    assert run(together, lambda _request: next(asked)) == ([0, 1, 2], [], [0])
    assert next(asked) == 3
