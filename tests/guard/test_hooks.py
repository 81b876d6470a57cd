"""What the hook is told, and what the default one writes into the log."""

import functools
import json
import logging
from typing import Any

import attrs
import pytest

from optoutkit.classifier.results import Evidence
from optoutkit.errors import Held, StoreUnavailable, Suppressed
from optoutkit.guard import (
    Action,
    AsyncGuard,
    Decided,
    Decision,
    DecisionReason,
    Guard,
    LedgerFailed,
    LinkContradicted,
    LinkFailed,
    LogHook,
    ManyHooks,
    Policy,
)
from optoutkit.guidelines import Violation
from optoutkit.identities import Address, Digest, OrderId
from optoutkit.ledgers import open_ledger
from optoutkit.messages import Message
from optoutkit.optouts import OptOut
from optoutkit.stores.memory import AsyncMemoryStore

BUYER, SUPPLIER = Address("abc123@marketplace.amazon.de"), Address("sales@supplier.example")
ORDER = OrderId("302-1234567-1234567")
SECRET = b"a secret of our own, kept safely"


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything the guard logs."""
    caplog.set_level(logging.DEBUG, logger="optoutkit.guard")
    return caplog


def lines(logged: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Level and text of what was logged."""
    return [(record.levelname, record.getMessage()) for record in logged.records]


def test_each_decision_is_logged_with_a_digest(store: Any, saying: Any, logged: pytest.LogCaptureFixture) -> None:
    """Sent at DEBUG, suppressed at INFO; the digest is that of the given secret, so that an operator can find a buyer."""
    store.record([OptOut(BUYER)])
    guard = Guard(store, classify=saying("thank_you"), hook=LogHook(secret=SECRET))
    guard.deliver(Message("s", "b", to=[str(BUYER), str(SUPPLIER), "nobody"]), lambda _verdict: None)
    (first, second, third) = lines(logged)
    assert first[0] == "INFO"
    assert first[1].startswith(f"suppress {BUYER.digest(SECRET).hex()} (opted_out): It must not go")
    assert second == (
        "DEBUG",
        f"send {SUPPLIER.digest(SECRET).hex()} (not_opted_out): It may go: the recipient is not on the opt-out list.",
    )
    assert third[1].startswith("send unreadable recipient (unreadable_address): ")


def test_nothing_in_clear_is_ever_logged(store: Any, saying: Any, failing: Any, logged: pytest.LogCaptureFixture) -> None:
    """No address, no order, no text of the message; not from errors of classifier, hook, checker or store either."""
    store.down = StoreUnavailable(f"cannot ask for {BUYER}")

    def broken_hook(_event: Any) -> None:
        raise ValueError(f"cannot tell of {BUYER}")

    message = Message("Our secret subject", "Our secret body", to=[str(BUYER), str(SUPPLIER), f"odd {SUPPLIER} odd"], order_ids=ORDER)
    for guard in (
        Guard(store, classify=failing, policy=Policy.STRICT, check_guidelines=failing),
        Guard(store, classify=failing, hook=broken_hook),
        Guard(store, classify=saying("shipping_address", critical=True)),
    ):
        guard.check(message)
    guard.deliver(Message("Our secret subject", "Our secret body", to=str(BUYER), order_ids=ORDER), lambda _verdict: None)
    text = "\n".join(record.getMessage() + str(record.exc_text) + str(record.exc_info) for record in logged.records)
    assert "linked" in text
    assert "the guard's hook failed: ValueError" in text
    for secret in ("abc123", "@", "supplier", "302-", "secret"):
        assert secret not in text


def test_digests_differ_from_process_to_process(logged: pytest.LogCaptureFixture, store: Any, saying: Any) -> None:
    """Without a secret of the operator's the key is random: a log alone cannot be searched for a known address."""
    for _ in range(2):
        Guard(store, classify=saying("thank_you"), hook=LogHook()).check(Message("s", "b", to=str(BUYER)))
    first, second = (text for _, text in lines(logged))
    assert first.startswith("check: send ")
    assert first != second


def test_a_wrong_secret_is_refused_at_once() -> None:
    """Not when the first message is logged."""
    with pytest.raises(ValueError):
        LogHook(secret=b"short")


def test_an_outage_and_unchecked_guidelines_are_warnings(down: Any, saying: Any, logged: pytest.LogCaptureFixture) -> None:
    """Both want somebody's attention."""
    unchecked = Violation(rule="phone_number", explanation="No.", part="", start=0, end=0, text="", checked=False)

    def fail(_message: Message) -> Any:
        raise RuntimeError

    for checker in (fail, lambda _message: [unchecked]):
        Guard(down, policy=Policy.STRICT, classify=saying("thank_you"), check_guidelines=checker).check(Message("s", "b", to=str(BUYER)))
    assert [level for level, _ in lines(logged)] == ["WARNING"] * 7
    assert [text for _, text in lines(logged) if "checker failed" in text or "guidelines, but" in text] == [
        "the guideline checker failed: RuntimeError",
        "the policy asks for Amazon's communication guidelines, but they were not checked",
        "the policy asks for Amazon's communication guidelines, but not all of them could be checked",
    ]
    assert [text for _, text in lines(logged) if "did not answer" in text] == [
        "the store, or the ledger, did not answer: StoreUnavailable"
    ] * 2
    assert "check: hold" in lines(logged)[-1][1]


def test_an_audit_says_what_it_would_do(store: Any, saying: Any, logged: pytest.LogCaptureFixture) -> None:
    """That is what it is for."""
    store.record([OptOut(BUYER)])
    Guard(store, policy=Policy.AUDIT, classify=saying("thank_you")).check(Message("s", "b", to=str(BUYER)))
    assert "(opted_out, would be suppress)" in lines(logged)[0][1]


def test_links_that_fail_or_contradict_are_logged(logged: pytest.LogCaptureFixture) -> None:
    """With digests, and with the kind of error only."""
    own = logging.getLogger("optoutkit.guard.own")
    hook = LogHook(secret=SECRET, logger=own)
    hook(LinkFailed(seller="", order_id=ORDER, address=BUYER, error=StoreUnavailable(f"no {BUYER}")))
    hook(LinkContradicted(seller="", order_id=ORDER, address=BUYER))
    order, buyer = ORDER.digest(SECRET).hex(), BUYER.digest(SECRET).hex()
    assert lines(logged) == [
        ("WARNING", f"order {order} could not be linked to buyer {buyer}: StoreUnavailable"),
        ("INFO", f"order {order} was not linked to buyer {buyer}: it is linked to another one"),
    ]


def test_a_hook_is_told_everything_and_cannot_break_anything(store: Any, saying: Any) -> None:
    """It gets seller, message and verdict; whatever it raises, the outcome is the same."""
    told: list[Any] = []

    def hook(event: Any) -> None:
        told.append(event)
        raise ValueError

    guard = Guard(store, seller="mine", classify=saying("thank_you"), hook=hook)
    message = Message("s", "b", to=str(BUYER))
    verdict = guard.check(message)
    delivery = guard.deliver(message, lambda _verdict: "sent")
    assert delivery.answer == "sent"
    assert told == [
        Decided(seller="mine", message=message, verdict=verdict, sending=False),
        Decided(seller="mine", message=message, verdict=delivery.verdict, sending=True),
    ]


class Broken:
    """A hook that fails, and remembers of what it was told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def __call__(self, event: Any) -> None:
        """Fail."""
        self.told.append(type(event))
        raise LookupError("a broken hook")


class BrokenHandler(logging.Handler):
    """A program's own log handler, which fails."""

    def emit(self, record: logging.LogRecord) -> None:
        """Fail, without the care that the standard handlers take."""
        raise OSError(f"no connection for {record.name}")


@pytest.fixture(params=["hook", "log handler"])
def broken(request: pytest.FixtureRequest) -> Any:
    """A hook that fails on whatever it is told, or the default one before a log that cannot be written."""
    hook = Broken()
    if request.param == "hook":
        yield hook
        return
    logger, handler = logging.getLogger("optoutkit.guard"), BrokenHandler()
    level, log = logger.level, LogHook()

    def both(event: Any) -> None:
        hook.told.append(type(event))
        log(event)

    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    both.told = hook.told  # type: ignore[attr-defined]
    yield both
    logger.removeHandler(handler)
    logger.setLevel(level)


REQUEST = Message("s", "b", to=str(BUYER), order_ids=ORDER)


def test_a_hook_that_fails_stops_no_decision(store: Any, saying: Any, failing: Any, broken: Any) -> None:
    """Neither that of ``check`` nor that of ``check_many``, nor one for which the classifier or the checker fails."""
    store.record([OptOut(BUYER)])
    for classify in (saying("thank_you"), failing):
        guard = Guard(store, policy=Policy.STRICT, classify=classify, check_guidelines=failing, hook=broken)
        assert not guard.check(REQUEST).sends
        assert [verdict.sends for verdict in guard.check_many([REQUEST, Message("s", "b", to=str(SUPPLIER))])] == [False, True]
    assert broken.told == [Decided] * 6


def test_a_hook_that_fails_stops_no_send_and_lets_none_through(store: Any, saying: Any, broken: Any) -> None:
    """What may go is sent, what is suppressed or held is not."""
    sent: list[Any] = []
    for policy in (Policy.AMAZON, Policy(on_suppressed="raise")):
        guard = Guard(store, policy=policy, classify=saying("thank_you"), hook=broken)
        guard.deliver(REQUEST, sent.append)
    assert len(sent) == 2
    store.record([OptOut(BUYER)])
    with pytest.raises(Suppressed):
        guard.deliver(REQUEST, sent.append)
    store.down = StoreUnavailable("locked")
    with pytest.raises(Held):
        guard.deliver(REQUEST, sent.append)
    assert len(sent) == 2
    assert broken.told == [Decided] * 4


def test_a_hook_that_fails_is_told_of_links_and_undoes_no_send(store: Any, saying: Any, broken: Any) -> None:
    """The message has gone by then, and its caller must not hear of an error."""
    guard = Guard(store, classify=saying("thank_you", critical=True), hook=broken)
    store.link([(ORDER, Address("def456@marketplace.amazon.de"))])
    assert guard.deliver(REQUEST, lambda _verdict: "sent").answer == "sent"
    store.down = StoreUnavailable("locked")
    assert guard.deliver(REQUEST, lambda _verdict: "sent").answer == "sent"
    assert broken.told == [Decided, LinkContradicted, Decided, LinkFailed]


@pytest.mark.parametrize("verb", ["confirm", "release"])
def test_a_hook_that_fails_is_told_of_ledgers_and_hides_no_outcome(store: Any, saying: Any, broken: Any, verb: str) -> None:
    """The sender's answer, or its error, comes out as it is."""

    class Failing:
        def __getattr__(self, name: str) -> Any:
            if name == verb:
                raise StoreUnavailable("gone")
            return getattr(ledger, name)

    ledger = open_ledger("memory://")
    guard: Any = Guard(store, classify=saying("review_request", solicits=True), hook=broken, ledger=Failing())
    if verb == "confirm":
        assert guard.deliver(REQUEST, lambda _verdict: "sent").answer == "sent"
    else:
        with pytest.raises(ZeroDivisionError):
            guard.deliver(REQUEST, lambda _verdict: 1 / 0)
    assert broken.told == [Decided, LedgerFailed]


def test_of_many_hooks_each_is_told(store: Any, saying: Any, logged: pytest.LogCaptureFixture) -> None:
    """In their order, whether or not one before it fails."""
    told: list[Any] = []
    guard = Guard(store, classify=saying("thank_you"), hook=ManyHooks(told.append, Broken(), LogHook(), told.append))
    guard.check(REQUEST)
    assert [type(event) for event in told] == [Decided, Decided]
    assert [level for level, _ in lines(logged)] == ["ERROR", "DEBUG"]


def test_an_asynchronous_hook_is_refused(store: Any) -> None:
    """At once: it would be called, and never run."""

    async def hook(_event: Any) -> None:
        """Never run."""

    class Hook:
        async def __call__(self, _event: Any) -> None:
            """Never run."""

    wrong: Any
    for wrong in (hook, Hook(), functools.partial(hook)):
        for make in (lambda: Guard(store, hook=wrong), lambda: AsyncGuard(AsyncMemoryStore(), hook=wrong), lambda: ManyHooks(wrong)):  # noqa: B023
            with pytest.raises(TypeError, match="called and not awaited"):
                make()


def test_a_verdict_for_the_log_names_nobody(store: Any, saying: Any) -> None:
    """With a secret: digests in place of recipients and identities, and nothing of the text."""
    store.record([OptOut(BUYER, source=f"a mail to {BUYER}")])
    found = attrs.evolve(
        saying("thank_you")(None), evidence=(Evidence(part="text", start=0, end=9, text=f"Dear {BUYER}", weight=1.0, label="greeting"),)
    )
    verdict = Guard(store, classify=lambda _message: found).check(Message("s", "b", to=[f"A <{BUYER}>", "nobody"], order_ids=ORDER))
    (first, second) = verdict.to_dict(secret=SECRET)["decisions"]
    assert (first["recipient"], first["opt_out"]["identity"]) == (BUYER.digest(SECRET).hex(), BUYER.digest(SECRET).hex())
    assert second["recipient"] is None
    (about_order,) = (
        Guard(store, classify=lambda _message: found).check(Message("s", "b", order_ids=ORDER)).to_dict(secret=SECRET)["decisions"]
    )
    assert about_order["recipient"] == ORDER.digest(SECRET).hex()
    assert "abc123" not in json.dumps(verdict.to_dict(secret=SECRET))
    assert "abc123" in json.dumps(verdict.to_dict())
    with pytest.raises(ValueError):
        verdict.to_dict(secret=b"short")


def test_a_bare_digest_stays_one() -> None:
    """What a store of digests answers is not made a digest of again."""
    entry = OptOut(Digest("order", "2026", bytes(16)))
    decision = Decision(recipient=str(BUYER), action=Action.SUPPRESS, reason=DecisionReason.OPTED_OUT, opt_out=entry)
    assert decision.to_dict(secret=SECRET)["opt_out"]["identity"] == entry.identity.key
