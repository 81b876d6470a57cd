"""What the hook is told, and what the default one writes into the log."""

import logging
from typing import Any

import pytest

from optoutkit.errors import StoreUnavailable
from optoutkit.guard import Decided, Guard, LinkContradicted, LinkFailed, LogHook, Policy
from optoutkit.guidelines import Violation
from optoutkit.identities import Address, OrderId
from optoutkit.messages import Message
from optoutkit.optouts import OptOut

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
    assert [level for level, _ in lines(logged)] == ["WARNING"] * 5
    assert [text for _, text in lines(logged) if "checker failed" in text or "guidelines, but" in text] == [
        "the guideline checker failed: RuntimeError",
        "the policy asks for Amazon's communication guidelines, but they were not checked",
        "the policy asks for Amazon's communication guidelines, but not all of them could be checked",
    ]
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
