"""One proactive request an order: what counts as one, and what becomes of it whatever happens to the send."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from optoutkit.errors import Held, StoreUnavailable, Suppressed
from optoutkit.guard import Action, AsyncGuard, DecisionReason, Guard, LedgerFailed, LogHook, Policy, Verdict
from optoutkit.identities import Address, OrderId
from optoutkit.ledgers import Ledger, Standing, open_async_ledger, open_ledger
from optoutkit.messages import Message
from optoutkit.stores.memory import AsyncMemoryStore, MemoryStore

BUYER, ANOTHER = Address("abc123@marketplace.amazon.de"), Address("def456@marketplace.amazon.de")
SUPPLIER = Address("sales@supplier.example")
ORDER, OTHER_ORDER = OrderId("302-1234567-1234567"), OrderId("302-7654321-7654321")
ASKS = {"topic": "review_request", "solicits": True}


class Counting:
    """The bench's guard with a ledger, used the same way whether it is sync or async."""

    def __init__(self, bench: Any, saying: Callable[..., Any], uri: str) -> None:
        self.bench, self.saying = bench, saying
        self.ledger: Any = open_async_ledger(uri) if bench.is_async else open_ledger(uri)
        self.guarded()

    def guarded(self, *, topic: str = "review_request", solicits: bool = True, critical: bool = False, **options: Any) -> "Counting":
        """Make the guard anew, with a classifier that says this of every message."""
        classify = self.saying(topic, solicits=solicits, critical=critical)
        self.bench.guarded(**{"classify": classify, "ledger": self.ledger, **options})
        return self

    def deliver(self, message: Message, send: Callable[[Verdict], Any] | None = None) -> tuple[Action, DecisionReason]:
        """Send a message, and tell what became of its first recipient."""
        decision = self.bench.deliver(message, send or sent).verdict.decisions[0]
        return decision.action, decision.reason

    def check(self, message: Message) -> tuple[Action, DecisionReason]:
        """The same without sending."""
        decision = self.bench.check(message).decisions[0]
        return decision.action, decision.reason

    def standing(self, order: OrderId = ORDER) -> Standing | None:
        """What the ledger knows of an order."""
        found: dict[OrderId, Standing] = self.bench.done(self.ledger.lookup([order]))
        return found.get(order)


@pytest.fixture
def counting(bench: Any, saying: Any, tmp_path: Path) -> Iterator[Counting]:
    """A guard with a ledger; all messages are requests for a review."""
    counting = Counting(
        bench, saying, "memory://" if isinstance(bench.store, MemoryStore | AsyncMemoryStore) else f"sqlite:///{tmp_path}/l"
    )
    yield counting
    bench.done(counting.ledger.close())


def sent(verdict: Verdict) -> list[str]:
    """A sender that returns whom it sent to."""
    return [decision.recipient for decision in verdict.decisions if decision.action is Action.SEND]


def unwanted(_verdict: Verdict) -> None:
    """A sender that nothing must reach."""
    pytest.fail("nothing should have been sent")


def request(*to: Address, orders: Any = ORDER, **details: Any) -> Message:
    """A message to the buyer of an order."""
    return Message("Your order", "Please leave us a review!", to=to or (BUYER,), order_ids=orders, **details)


GOES = (Action.SEND, DecisionReason.NOT_OPTED_OUT)
WAS_SENT = (Action.SUPPRESS, DecisionReason.ALREADY_REQUESTED)
IS_BEING_SENT = (Action.HOLD, DecisionReason.REQUEST_PENDING)


def test_the_second_request_for_an_order_is_suppressed(counting: Counting) -> None:
    """The first goes, the next does not, to whomever; another order has its own."""
    assert counting.check(request()) == counting.deliver(request()) == GOES
    assert counting.check(request()) == counting.deliver(request(), unwanted) == WAS_SENT
    assert counting.deliver(request(ANOTHER), unwanted) == WAS_SENT
    assert counting.deliver(request(orders=OTHER_ORDER)) == GOES


def test_check_writes_nothing_down(counting: Counting) -> None:
    """However often it is asked."""
    assert [counting.check(request()) for _ in range(3)] == [GOES] * 3
    assert counting.standing() is None


def test_mail_and_solicitations_are_counted_together(counting: Counting) -> None:
    """What names its order only, as the Solicitations API does, counts against the mail, and the other way round."""
    assert counting.deliver(Message("", "", order_ids=ORDER, topic="review_request")) == GOES
    assert counting.deliver(request(), unwanted) == WAS_SENT
    assert counting.deliver(request(orders=OTHER_ORDER)) == GOES
    assert counting.deliver(Message("", "", order_ids=OTHER_ORDER, topic="review_request"), unwanted) == WAS_SENT


@pytest.mark.parametrize(
    ("said", "found", "counts"),
    [
        ({}, {"topic": "review_request", "solicits": True}, True),
        ({}, {"topic": "feedback_request", "solicits": False}, True),
        ({}, {"topic": "marketing", "solicits": True}, True),
        ({}, {"topic": "thank_you", "solicits": False}, False),
        ({}, {"topic": "shipping_address", "solicits": False, "critical": True}, False),
        ({"topic": "review_request"}, {"topic": "thank_you", "solicits": False}, True),
        ({"topic": "shipping_address"}, {"topic": "other", "solicits": False}, False),
        ({"topic": "shipping_address"}, ASKS, True),
        ({"custom_order": True}, ASKS, True),
        ({"custom_order": True}, {"topic": "thank_you", "solicits": False}, False),
        ({"reply_to_buyer": True}, ASKS, False),
    ],
)
def test_what_counts_as_a_request(counting: Counting, said: dict[str, Any], found: dict[str, Any], counts: bool) -> None:
    """What solicits, or is for a review or feedback by its text or by the caller's word; never a reply, as the buyer began."""
    message = request(**said)
    counting.guarded(**found)
    assert counting.deliver(message)[0] is Action.SEND
    assert counting.standing() is (Standing.SENT if counts else None)
    assert counting.deliver(message)[0] is (Action.SUPPRESS if counts else Action.SEND)


def test_what_counts_is_the_policys_choice(counting: Counting) -> None:
    """``request_topics`` may name more; a reply that a policy does not exempt is a message like any other."""
    counting.guarded(topic="thank_you", solicits=False, policy=Policy(request_topics={"thank_you"}))
    assert [counting.deliver(request()) for _ in range(2)] == [GOES, WAS_SENT]
    counting.guarded(policy=Policy.STRICT, check_guidelines=lambda _message: ())
    assert [counting.deliver(request(orders=OTHER_ORDER, reply_to_buyer=True)) for _ in range(2)] == [GOES, WAS_SENT]


def test_a_message_that_cannot_be_classified_counts_by_its_declared_topic_only(counting: Counting, failing: Any) -> None:
    """Nobody can tell of it whether it asks."""
    counting.bench.guarded(classify=failing, ledger=counting.ledger)
    assert [counting.deliver(request()) for _ in range(2)] == [GOES, GOES]
    assert [counting.deliver(request(topic="review_request")) for _ in range(2)] == [GOES, WAS_SENT]


def test_only_what_goes_to_a_buyer_about_an_order_is_counted(counting: Counting) -> None:
    """Not what goes to a supplier, nor what names no order, nor a message for nobody."""
    for message in (request(SUPPLIER), request(orders=())):
        assert [counting.deliver(message) for _ in range(2)] == [GOES, GOES]
    assert counting.standing() is None
    assert counting.bench.deliver(Message("s", "b"), sent).answer == []


def test_what_is_suppressed_anyway_uses_nothing_up(counting: Counting) -> None:
    """By an opt-out, here: once the buyer has opted in again, the order has its request still."""
    counting.bench.record(BUYER)
    assert counting.deliver(request(), unwanted) == (Action.SUPPRESS, DecisionReason.OPTED_OUT)
    assert counting.deliver(request(BUYER, SUPPLIER)) == (Action.SUPPRESS, DecisionReason.OPTED_OUT)
    assert counting.standing() is None
    counting.bench.done(counting.bench.store.withdraw([BUYER]))
    assert counting.deliver(request()) == GOES


def test_others_than_buyers_get_the_message_all_the_same(counting: Counting) -> None:
    """The buyer is suppressed, the supplier is not; and a second buyer of the same message needs no request of its own."""
    everybody = request(BUYER, SUPPLIER, ANOTHER)
    assert counting.bench.deliver(everybody, sent).answer == [str(BUYER), str(SUPPLIER), str(ANOTHER)]
    assert counting.bench.deliver(everybody, sent).answer == [str(SUPPLIER)]


def test_of_several_orders_each_must_be_free(counting: Counting) -> None:
    """A mail about two of which one has had its request does not go, and the other keeps its own; without recipients each is apart."""
    counting.deliver(request(orders=ORDER))
    assert counting.deliver(request(orders=[OTHER_ORDER, ORDER]), unwanted) == WAS_SENT
    assert counting.standing(OTHER_ORDER) is None
    both = Message("", "", order_ids=[ORDER, OTHER_ORDER])
    assert counting.bench.deliver(both, sent).answer == [str(OTHER_ORDER)]
    assert counting.standing(OTHER_ORDER) is Standing.SENT


def test_a_send_that_fails_uses_nothing_up(counting: Counting) -> None:
    """The sender's own error comes out, and the message may be sent again."""

    def fail(_verdict: Verdict) -> None:
        raise ConnectionResetError

    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            counting.deliver(request(), fail)
    assert counting.standing() is None
    assert counting.deliver(request()) == GOES


def test_nothing_is_used_up_by_what_is_held_or_refused_as_a_whole(counting: Counting) -> None:
    """``on_suppressed="raise"``: another recipient keeps the message from being sent."""
    counting.guarded(policy=Policy(on_suppressed="raise"))
    counting.bench.record(SUPPLIER)
    with pytest.raises(Suppressed):
        counting.deliver(request(BUYER, SUPPLIER), unwanted)
    assert counting.standing() is None
    assert counting.deliver(request()) == GOES
    with pytest.raises(Suppressed, match="one was sent before"):
        counting.deliver(request(), unwanted)


def test_while_a_request_is_being_sent_another_one_waits(counting: Counting) -> None:
    """It may have to take its place, if the first one fails: held, so that a queue tries it again."""
    reservation = counting.bench.done(counting.ledger.reserve([ORDER]))
    assert counting.check(request()) == IS_BEING_SENT
    with pytest.raises(Held, match="another one is being sent right now"):
        counting.deliver(request(BUYER, SUPPLIER), unwanted)
    counting.bench.done(counting.ledger.release(reservation))
    assert counting.deliver(request()) == GOES


def test_an_audit_counts_and_reports_only(counting: Counting) -> None:
    """What goes is written down, and a second request goes too, with what would have become of it."""
    counting.guarded(policy=Policy.AUDIT)
    assert counting.deliver(request()) == GOES
    decision = counting.bench.deliver(request(), sent).verdict.decisions[0]
    assert (decision.action, decision.unenforced, decision.reason) == (Action.SEND, Action.SUPPRESS, DecisionReason.ALREADY_REQUESTED)
    assert decision.explanation.startswith("Only reported. It must not go: Amazon allows one request an order")
    counting.bench.record(ANOTHER)
    decision = counting.bench.deliver(request(ANOTHER, orders=OTHER_ORDER), sent).verdict.decisions[0]
    assert (decision.unenforced, decision.reason) == (Action.SUPPRESS, DecisionReason.OPTED_OUT)
    assert counting.standing(OTHER_ORDER) is Standing.SENT, "it was sent, though it should not have been"


def test_messages_that_leave_together_are_counted_one_by_one(counting: Counting) -> None:
    """The first for an order goes, the second does not, and is not held by its own company; all of them share the fate of the call."""
    messages = [request(), request(ANOTHER), request(orders=OTHER_ORDER)]

    def fail(_verdicts: Any) -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        counting.bench.deliver_together(messages, fail)
    assert (counting.standing(), counting.standing(OTHER_ORDER)) == (None, None)
    verdicts = counting.bench.deliver_together(messages, lambda _verdicts: None).verdicts
    assert [(decision.action, decision.reason) for verdict in verdicts for decision in verdict.decisions] == [GOES, WAS_SENT, GOES]
    assert (counting.standing(), counting.standing(OTHER_ORDER)) == (Standing.SENT, Standing.SENT)


def test_a_request_that_the_sender_did_not_take_uses_nothing_up(counting: Counting) -> None:
    """Where its answer tells so of one of several that left together; the others count."""
    messages = [request(), request(ANOTHER, orders=OTHER_ORDER)]
    counting.bench.deliver_together(messages, lambda _verdicts: "first", not_taken=lambda _verdicts, answer: [["first"].index(answer)])
    assert (counting.standing(), counting.standing(OTHER_ORDER)) == (None, Standing.SENT)


def test_without_a_ledger_nothing_is_counted(counting: Counting) -> None:
    """As before."""
    counting.guarded(ledger=None)
    assert [counting.deliver(request()) for _ in range(3)] == [GOES] * 3


class Failing:
    """A ledger, one verb of which fails."""

    def __init__(self, verb: str, error: Exception) -> None:
        self._ledger = open_ledger("memory://")
        self._verb, self._error = verb, error

    def __getattr__(self, name: str) -> Any:
        def fail(*_args: Any, **_options: Any) -> None:
            raise self._error

        return fail if name == self._verb else getattr(self._ledger, name)


def guarded(ledger: Any, saying: Any, told: list[Any], **options: Any) -> Guard:
    """A guard with a ledger, all of whose messages are requests."""
    return Guard(MemoryStore(), classify=saying(**ASKS), ledger=ledger, hook=told.append, **options)


@pytest.mark.parametrize("error", [StoreUnavailable("locked"), ConnectionResetError("gone"), KeyError("a bug")])
def test_a_request_waits_for_a_ledger_that_does_not_answer(saying: Any, error: Exception) -> None:
    """By the policy's choice for outages; others than buyers, and what is no request, are not its business."""
    told: list[Any] = []
    for verb in ("reserve", "lookup"):
        ledger = Failing(verb, error)
        guard = guarded(ledger, saying, told)
        if verb == "lookup":
            verdict = guard.check(request())
        else:
            with pytest.raises(Held, match="the ledger of requests could not be read") as caught:
                guard.deliver(request(BUYER, SUPPLIER), unwanted)
            assert caught.value.__cause__ is error
            verdict = caught.value.verdict
        assert (verdict.decisions[0].action, verdict.decisions[0].reason) == (Action.HOLD, DecisionReason.LEDGER_UNAVAILABLE)
        assert verdict.outage is error
        assert guard.deliver(request(SUPPLIER), sent).answer == [str(SUPPLIER)]
        assert guarded(ledger, saying, told, policy=Policy(on_outage="send")).deliver(request(), sent).answer == [str(BUYER)]


@pytest.mark.parametrize("verb", ["confirm", "release"])
def test_what_the_ledger_cannot_be_told_goes_to_the_hook_only(saying: Any, verb: str, caplog: pytest.LogCaptureFixture) -> None:
    """The send has succeeded or failed by then; the reservation stays, and counts as sent in the end. The log names no order."""
    told: list[Any] = []
    error = StoreUnavailable("gone")
    ledger = Failing(verb, error)
    guard = guarded(ledger, saying, told)
    if verb == "confirm":
        assert guard.deliver(request(), sent).answer == [str(BUYER)]
    else:
        with pytest.raises(ZeroDivisionError):
            guard.deliver(request(), lambda _verdict: 1 / 0)
    assert told[1:] == [LedgerFailed(seller="", order_ids=(ORDER,), sent=verb == "confirm", error=error)]
    assert ledger.lookup([ORDER]) == {ORDER: Standing.PENDING}
    LogHook(secret=bytes(16))(told[1])
    (record,) = caplog.records
    assert record.getMessage() == (
        f"the ledger could not be told that the request for {ORDER.digest(bytes(16)).hex()} "
        f"{'was sent' if verb == 'confirm' else 'was not sent'}: StoreUnavailable"
    )


def test_a_ledger_of_the_other_kind_is_refused(store: Any) -> None:
    """At once, and saying what to do."""
    with pytest.raises(TypeError, match="use AsyncGuard"):
        Guard(store, ledger=open_async_ledger("memory://"))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="use Guard"):
        AsyncGuard(AsyncMemoryStore(), ledger=open_ledger("memory://"))  # type: ignore[arg-type]


def test_of_many_threads_that_ask_at_once_one_sends(saying: Any, tmp_path: Path) -> None:
    """Through guards and ledgers of their own, as in several processes; the others are held while it sends, and suppressed afterwards."""
    uri = f"sqlite:///{tmp_path}/requests.db"
    start, tried = threading.Barrier(6, timeout=60), threading.Barrier(6, timeout=60)

    def wait_for_others(verdict: Verdict) -> list[str]:
        tried.wait()
        return sent(verdict)

    def work(_number: int) -> str:
        with open_ledger(uri) as ledger:
            guard = guarded(ledger, saying, [])
            start.wait()
            try:
                guard.deliver(request(), wait_for_others)
            except Held:
                tried.wait()
                return "held"
            return "sent"

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(work, range(6))) == ["held"] * 5 + ["sent"]
    with open_ledger(uri) as ledger:
        assert not guarded(ledger, saying, []).deliver(request(), unwanted).verdict.sends


def test_a_send_that_is_cancelled_may_have_been_sent(saying: Any) -> None:
    """Its request stays reserved, so that the buyer is not asked twice."""

    async def main() -> None:
        ledger, sending = open_async_ledger("memory://"), asyncio.Event()
        guard = AsyncGuard(AsyncMemoryStore(), classify=saying(**ASKS), ledger=ledger, hook=lambda _event: None)

        async def wait(_verdict: Verdict) -> None:
            sending.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(guard.deliver(request(), wait))
        await sending.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await ledger.lookup([ORDER]) == {ORDER: Standing.PENDING}
        with pytest.raises(Held):
            await guard.deliver(request(), wait)

    asyncio.run(main())


def test_a_wrapped_sender_is_counted_too(saying: Any) -> None:
    """A plain function, here; the order is that of the subject, and the verdict can be written as JSON."""
    ledger: Ledger = open_ledger("memory://")
    told: list[Any] = []
    guard, mails = guarded(ledger, saying, told), []

    @guard.wrap
    def send(message: EmailMessage) -> None:
        mails.append(message)

    mail = EmailMessage()
    mail["To"], mail["Subject"] = str(BUYER), f"Your order {ORDER}"
    mail.set_content("Please leave us a review!")
    send(mail)
    send(mail)
    assert len(mails) == 1
    assert json.loads(json.dumps(told[-1].verdict.to_dict()))["decisions"][0]["reason"] == "already_requested"
