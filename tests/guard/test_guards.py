"""Both guards over real stores: sending, holding, learning links."""

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.mime.text import MIMEText
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optoutkit.errors import Held, InvalidMessage, StoreUnavailable, Suppressed
from optoutkit.flows import run, run_async
from optoutkit.guard import Action, AsyncGuard, Decided, Guard, LinkContradicted, LinkFailed, Policy, Verdict, enveloped
from optoutkit.guard.base import Send
from optoutkit.identities import Address, OrderId
from optoutkit.messages import Message
from optoutkit.optouts import OptOut, Reason
from optoutkit.stores.memory import AsyncMemoryStore, MemoryStore

BUYER, ANOTHER = Address("abc123@marketplace.amazon.de"), Address("def456@marketplace.amazon.de")
SUPPLIER = Address("sales@supplier.example")
ORDER, OTHER_ORDER = OrderId("302-1234567-1234567"), OrderId("302-7654321-7654321")


@pytest.fixture
def plain(bench: Any, saying: Any) -> Any:
    """A guard over each real store whose classifier finds nothing critical."""
    return bench.guarded(classify=saying("thank_you"))


def gone(verdict: Verdict) -> list[str]:
    """A sender that returns whom it sent to."""
    return [decision.recipient for decision in verdict.decisions if decision.action is Action.SEND]


def unwanted(_verdict: Verdict) -> None:
    """A sender that nothing must reach."""
    pytest.fail("nothing should have been sent")


def message(*to: Address, **details: Any) -> Message:
    """A message to these."""
    return Message("Your order", "Thank you.", to=to, **details)


def test_what_may_go_is_sent_and_the_senders_answer_comes_back(plain: Any) -> None:
    """The suppressed recipient is in the verdict, the others get the message."""
    plain.record(BUYER)
    delivery = plain.deliver(message(BUYER, SUPPLIER, ANOTHER), gone)
    assert delivery.answer == [str(SUPPLIER), str(ANOTHER)]
    assert [decision.recipient for decision in delivery.verdict.suppressed] == [str(BUYER)]


def test_with_all_suppressed_nothing_is_sent(plain: Any) -> None:
    """And nothing is raised, so that a script goes on with the next message."""
    plain.record(BUYER, ORDER)
    for suppressed in (message(BUYER), message(order_ids=ORDER)):
        delivery = plain.deliver(suppressed, unwanted)
        assert delivery.answer is None
        assert not delivery.verdict.sends


def test_a_message_without_recipients_is_the_senders_business(plain: Any) -> None:
    """The guard has nothing to say to it, the sender may."""
    assert plain.deliver(message(), gone).answer == []


def test_on_suppressed_raise_sends_nothing(bench: Any, saying: Any) -> None:
    """Not even to those it might go to; the verdict is on the exception, whose text names nobody."""
    bench.guarded(classify=saying("thank_you"), policy=Policy(on_suppressed="raise"))
    bench.record(BUYER)
    with pytest.raises(Suppressed, match="opted out") as caught:
        bench.deliver(message(BUYER, SUPPLIER), unwanted)
    assert len(caught.value.verdict.decisions) == 2
    assert "@" not in str(caught.value)
    assert bench.deliver(message(SUPPLIER), gone).answer == [str(SUPPLIER)]


def test_check_writes_nothing(plain: Any) -> None:
    """It decides and tells, but neither sends nor links."""
    plain.check(message(BUYER, order_ids=ORDER))
    plain.record(ORDER)
    assert not plain.is_opted_out(BUYER)
    assert [event.sending for event in plain.events] == [False]


@pytest.mark.parametrize("kind", ["EmailMessage", "legacy", "bytes"])
def test_mails_are_checked_as_well_as_messages(plain: Any, kind: str) -> None:
    """Any message object of the standard library, or its bytes; Bcc counts, and so does the order in the subject."""
    mail: Any = EmailMessage() if kind != "legacy" else MIMEText("Thank you.")
    mail["Subject"] = f"Your order {ORDER}"
    mail["To"], mail["Bcc"] = str(SUPPLIER), str(BUYER)
    plain.record(ORDER)
    verdict = plain.check(mail.as_bytes() if kind == "bytes" else mail)
    assert [(decision.recipient, decision.action) for decision in verdict.decisions] == [
        (str(SUPPLIER), Action.SEND),
        (str(BUYER), Action.SUPPRESS),
    ]


def test_what_is_no_message_is_refused(plain: Any) -> None:
    """With an error of ours."""
    with pytest.raises(InvalidMessage):
        plain.check("just a text")


def test_a_mail_too_large_to_read_is_judged_by_its_envelope() -> None:
    """It counts as one without text; its recipients are looked up all the same."""
    huge = enveloped(b"Subject: Hello\r\n\r\n" + bytes(33 * 2**20), [str(BUYER)])
    assert (huge.to, huge.text) == ((str(BUYER),), "")


def test_an_order_is_linked_to_its_buyer_after_the_send(plain: Any) -> None:
    """An opt-out by order then holds for that buyer's address and later orders, whichever of the two came first."""
    plain.deliver(message(BUYER, order_ids=ORDER), gone)
    plain.record(ORDER)
    assert plain.deliver(message(BUYER, order_ids=OTHER_ORDER), unwanted).verdict.suppressed
    assert plain.deliver(message(BUYER), unwanted).verdict.suppressed
    assert plain.deliver(message(ANOTHER), gone).answer == [str(ANOTHER)]


def test_a_message_suppressed_by_its_order_teaches_the_link_too(plain: Any) -> None:
    """The notice came before the first message: from then on the buyer is known by address."""
    plain.record(ORDER)
    plain.deliver(message(BUYER, order_ids=ORDER), unwanted)
    assert plain.deliver(message(BUYER), unwanted).verdict.suppressed


def test_critical_mail_teaches_links_as_well(bench: Any, saying: Any) -> None:
    """Critical or exempt: the pair is as good."""
    bench.guarded(classify=saying("shipping_address", critical=True))
    bench.deliver(message(BUYER, order_ids=ORDER), gone)
    bench.deliver(message(ANOTHER, order_ids=OTHER_ORDER, reply_to_buyer=True), gone)
    bench.record(ORDER, OTHER_ORDER)
    assert bench.is_opted_out(BUYER)
    assert bench.is_opted_out(ANOTHER)


def test_a_declared_order_is_linked(plain: Any) -> None:
    """What ``declare`` says of orders counts for lookup and link."""
    with plain.guard.declare(order_ids=ORDER):
        plain.deliver(message(BUYER), gone)
    plain.record(ORDER)
    assert plain.is_opted_out(BUYER)


@pytest.mark.parametrize("policy", [Policy(learn_links=False), Policy.AMAZON])
def test_links_are_learnt_only_where_the_policy_wants_it(bench: Any, saying: Any, policy: Policy) -> None:
    """``learn_links`` is the switch."""
    bench.guarded(classify=saying("thank_you"), policy=policy)
    bench.deliver(message(BUYER, order_ids=ORDER), gone)
    bench.record(ORDER)
    assert bench.is_opted_out(BUYER) is policy.learn_links


def test_a_send_that_fails_teaches_nothing(plain: Any) -> None:
    """The sender's own error comes out as it is."""

    def fail(_verdict: Verdict) -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        plain.deliver(message(BUYER, order_ids=ORDER), fail)
    plain.record(ORDER)
    assert not plain.is_opted_out(BUYER)


def test_a_contradiction_goes_to_the_hook_only(plain: Any) -> None:
    """The link that was there stays."""
    plain.link(ORDER, ANOTHER)
    assert plain.deliver(message(BUYER, order_ids=ORDER), gone).answer == [str(BUYER)]
    assert plain.events[1:] == [LinkContradicted(seller="", order_id=ORDER, address=BUYER)]
    plain.record(ORDER)
    assert not plain.is_opted_out(BUYER)


def test_a_link_that_fails_goes_to_the_hook_only(store: Any, saying: Any) -> None:
    """The message was sent, so the caller must not send it again."""
    events: list[Any] = []
    guard = Guard(store, classify=saying("shipping_address", critical=True), hook=events.append)
    store.down = StoreUnavailable("locked")
    assert guard.deliver(message(BUYER, order_ids=ORDER), gone).answer == [str(BUYER)]
    assert events[1:] == [LinkFailed(seller="", order_id=ORDER, address=BUYER, error=store.down)]


def test_a_held_message_is_held_as_a_whole(down: Any, saying: Any) -> None:
    """Nothing of it is sent, not even to those whom no outage concerns; verdict and cause are on the exception."""
    told: list[Any] = []
    guard = Guard(down, classify=saying("thank_you"), hook=told.append)
    with pytest.raises(Held, match=r"Nothing of the message was sent\. It must wait, and can be tried again later") as caught:
        guard.deliver(message(SUPPLIER, BUYER), unwanted)
    assert caught.value.__cause__ is down.down
    assert caught.value.verdict.held
    assert not caught.value.verdict.sends
    assert [type(event) for event in told] == [Decided]
    assert guard.deliver(message(SUPPLIER), gone).answer == [str(SUPPLIER)]


def test_an_audit_sends_everything(down: Any, saying: Any) -> None:
    """Even where the store is down."""
    guard = Guard(down, policy=Policy.AUDIT, classify=saying("thank_you"))
    assert guard.deliver(message(SUPPLIER, BUYER), gone).answer == [str(SUPPLIER), str(BUYER)]


def test_a_store_for_the_other_kind_of_guard_is_refused() -> None:
    """At once, and saying what to do, instead of holding every message later."""
    with pytest.raises(TypeError, match="use AsyncGuard"):
        Guard(AsyncMemoryStore())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="use Guard"):
        AsyncGuard(MemoryStore())  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"policy": "STRICT"}, {"seller": 5}, {"ledger": "memory://"}, {"hook": "log"}])
def test_what_is_of_another_kind_is_refused_when_the_guard_is_made(wrong: dict[str, Any]) -> None:
    """Rather than at the first message, or never."""
    with pytest.raises(TypeError, match=r"is to be|a hook is"):
        Guard(MemoryStore(), **wrong)
    with pytest.raises(TypeError, match="needs a store"):
        Guard("sqlite:///optouts.db")  # type: ignore[arg-type]


def test_a_cancelled_lookup_sends_nothing(saying: Any) -> None:
    """A cancelled task is no outage and no permission."""

    class Slow(AsyncMemoryStore):
        async def lookup(self, *_args: Any, **_kwargs: Any) -> Any:
            await asyncio.Event().wait()

    async def send(verdict: Verdict) -> None:
        unwanted(verdict)

    async def main() -> None:
        task = asyncio.create_task(AsyncGuard(Slow(), classify=saying("thank_you")).deliver(message(BUYER), send))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_one_guard_serves_many_threads(saying: Any, tmp_path: Any) -> None:
    """Many threads through one guard over one SQLite file, each with its own declaration: no decision is mixed up."""
    from optoutkit.stores.opening import open_store

    with open_store(f"sqlite:///{tmp_path}/optouts.db") as store:
        addresses = [Address(f"buyer{number}@marketplace.amazon.de") for number in range(40)]
        store.record([OptOut(address) for address in addresses[::2]])
        guard = Guard(store, classify=saying("thank_you"))

        def work(number: int) -> list[Any]:
            found: list[Any] = [guard.check(message(addresses[number])).decisions[0].action]
            with guard.declare(reply_to_buyer=number % 4 == 0):
                found.append(guard.deliver(message(addresses[number]), gone).answer)
            return found

        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(work, range(40)))
    for number, (action, answer) in enumerate(results):
        assert action is (Action.SUPPRESS if number % 2 == 0 else Action.SEND)
        assert answer == (None if number % 4 == 2 else [str(addresses[number])])


recipients = st.lists(st.sampled_from([str(BUYER), str(ANOTHER), str(SUPPLIER), f"A <{BUYER}>", "nobody"]), max_size=5)
lists = st.lists(st.sampled_from([BUYER, ANOTHER, SUPPLIER, ORDER, OTHER_ORDER]), unique=True)


@settings(deadline=None)
@given(
    to=recipients,
    listed=lists,
    orders=st.sets(st.sampled_from([ORDER, OTHER_ORDER])),
    down=st.booleans(),
    policy=st.sampled_from(["AMAZON", "STRICT", "AUDIT"]),
)
def test_both_guards_take_the_same_steps(to: list[str], listed: list[Any], orders: set[OrderId], down: bool, policy: str) -> None:
    """One flow under two loops: the same requests in the same order, the same outcome; and each recipient has its decision."""
    from optoutkit.classifier.results import Classification

    answer = Classification(critical=False, solicits=False, topic="thank_you", confidence=0.9, language="en")
    entries = [OptOut(identity, reason=Reason.MANUAL) for identity in listed]

    def traced(is_async: bool) -> tuple[list[Any], Any]:
        trace: list[Any] = []
        kind: Any = AsyncGuard if is_async else Guard
        store: Any = AsyncMemoryStore() if is_async else MemoryStore()
        guard = kind(store, policy=getattr(Policy, policy), classify=lambda _message: answer, hook=lambda _event: None)

        def begin(request: Any) -> None:
            trace.append("send" if isinstance(request, Send) else request)
            if down and not isinstance(request, Send):
                raise StoreUnavailable("locked")

        def perform(request: Any) -> Any:
            begin(request)
            return request.call(store)

        async def perform_later(request: Any) -> Any:
            begin(request)
            return await request.call(store)

        async def send_later(verdict: Verdict) -> list[str]:
            return gone(verdict)

        mail = Message("s", "b", to=to, order_ids=orders)
        try:
            if is_async:
                asyncio.run(store.record(entries))
                delivery = asyncio.run(run_async(guard._delivering(mail, send_later, Held), perform_later))
            else:
                store.record(entries)
                delivery = run(guard._delivering(mail, gone, Held), perform)
        except Held as held:
            return trace, held.verdict
        assert [decision.recipient for decision in delivery.verdict.decisions] == (
            to or [str(order) for order in dict.fromkeys(mail.order_ids)]
        )
        return trace, delivery

    assert traced(is_async=False) == traced(is_async=True)


def test_importing_the_guard_loads_neither_model_nor_drivers() -> None:
    """Who only checks replies pays for nothing else."""
    heavy = ("optoutkit.classifier", "optoutkit.stores.sqlite", "optoutkit.senders", "mailparser", "aiosmtplib")
    code = f"import sys, optoutkit.guard; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_default_classifier_is_the_packages_own(store: Any) -> None:
    """Without one of the caller's, a guard reads messages itself."""
    store.record([OptOut(BUYER)])
    guard = Guard(store)
    review = Message("Your order", "Please leave us a product review on Amazon. We would love five stars!", to=str(BUYER))
    address = Message(
        "Your order", "The street number of your shipping address is missing. Please send us the complete address.", to=str(BUYER)
    )
    assert [guard.check(mail).decisions[0].action for mail in (review, address)] == [Action.SUPPRESS, Action.SEND]
