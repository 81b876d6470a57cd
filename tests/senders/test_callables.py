"""Plain functions behind a guard."""

import asyncio
import functools
import inspect
from email.message import EmailMessage
from typing import Any

import attrs
import pytest

from optoutkit.errors import Held, InvalidMessage, MessageTooLarge, UnknownSender
from optoutkit.guard import AsyncGuard, Guard
from optoutkit.identities import Address
from optoutkit.messages import Message
from optoutkit.testing.senders import AsyncRecordingSender, RecordingSender

SUPPLIER = "sales@supplier.example"
OPTED_OUT, BUYER = "optedout@marketplace.amazon.de", "buyer@marketplace.amazon.de"
ORDER = "302-1234567-1234567"


def message(*to: str) -> Message:
    """A message that is not critical."""
    return Message("Hello", "Thank you.", to=to)


def mail(to: str) -> EmailMessage:
    """The same as a mail."""
    made = EmailMessage()
    made["Subject"], made["To"] = "Hello", to
    made.set_content("Thank you.")
    return made


def test_a_function_gets_the_very_message_where_all_may_get_it(guard: Guard) -> None:
    """Not a copy; and its result comes back."""
    send: Any = guard.wrap(lambda sent: sent)
    for sent in (message(BUYER), mail(BUYER), mail(BUYER).as_bytes()):
        assert send(sent) is sent


def test_a_function_is_not_called_where_nobody_may_get_it(guard: Guard) -> None:
    """Its result is None then; an order without a recipient counts as one."""
    sender = RecordingSender()
    send: Any = guard.wrap(sender)
    for sent in (message(OPTED_OUT), mail(OPTED_OUT), mail(OPTED_OUT).as_bytes()):
        assert send(sent) is None
    assert sender.messages == []
    assert send(Message("Hello", "Thank you.", order_ids=ORDER)) is None
    assert len(sender.messages) == 1


def test_suppressed_recipients_are_left_out_of_a_copy(guard: Guard) -> None:
    """The caller's message keeps them."""
    sender = RecordingSender()
    send = guard.wrap(sender)
    originals = (message(OPTED_OUT, BUYER), mail(f"{OPTED_OUT}, {BUYER}"), mail(f"{OPTED_OUT}, {BUYER}").as_bytes())
    for sent in originals:
        send(sent)
    first, second, third = sender.messages
    assert first == message(BUYER)
    assert isinstance(second, EmailMessage)
    assert second["To"] == BUYER
    assert isinstance(third, bytes)
    assert OPTED_OUT.encode() not in third
    assert originals[0].to == (OPTED_OUT, BUYER)
    assert originals[1]["To"] == f"{OPTED_OUT}, {BUYER}"


def test_as_a_decorator_it_keeps_name_and_signature(guard: Guard) -> None:
    """And other arguments, by position or by name; a method's ``self`` is none."""

    class Mailer:
        @guard.wrap
        def send(self, sent: Message, tag: str = "", *, secret: bytes = b"") -> tuple[Any, ...]:
            """Send it."""
            return sent.to, tag, secret

    mailer = Mailer()
    assert Mailer.send.__doc__ == "Send it."
    assert list(inspect.signature(Mailer.send).parameters) == ["self", "sent", "tag", "secret"]
    assert mailer.send(message(BUYER, OPTED_OUT), "x", secret=b"y") == ((BUYER,), "x", b"y")
    assert mailer.send(tag="x", secret=b"y", sent=message(OPTED_OUT, BUYER)) == ((BUYER,), "x", b"y")


def test_a_critical_message_goes(guard: Guard) -> None:
    """By its text or by the caller's word."""
    send: Any = guard.wrap(lambda sent: sent.to)
    assert send(Message("Hello", "Your address is incomplete.", to=OPTED_OUT)) == (OPTED_OUT,)
    with guard.declare(topic="shipping_address"):
        assert send(message(OPTED_OUT)) == (OPTED_OUT,)


def test_an_outage_holds(down_guard: Guard, async_down_guard: AsyncGuard) -> None:
    """Held is raised, and the function is not called."""
    sender, later = RecordingSender(), AsyncRecordingSender()
    with pytest.raises(Held):
        down_guard.wrap(sender)(message(BUYER))
    with pytest.raises(Held):
        asyncio.run(async_down_guard.wrap(later)(message(BUYER)))
    assert (sender.messages, later.messages) == ([], [])


def test_async_functions_are_guarded_by_an_async_guard(async_guard: AsyncGuard) -> None:
    """Plain, partial, or an object with an async call; the wrapped one is an async function as well."""
    sender = AsyncRecordingSender()

    async def send(greeting: str, sent: Message) -> str:
        return greeting + sent.to[0]

    for function in (async_guard.wrap(functools.partial(send, "Hello ")), functools.partial(async_guard.wrap(send), "Hello ")):
        assert inspect.iscoroutinefunction(function)
        assert asyncio.run(function(message(OPTED_OUT, BUYER))) == f"Hello {BUYER}"
        assert asyncio.run(function(message(OPTED_OUT))) is None
    assert asyncio.run(async_guard.wrap(sender)(message(OPTED_OUT, BUYER))) is None
    assert sender.messages == [message(BUYER)]


def test_each_kind_of_function_needs_its_guard(guard: Guard, async_guard: AsyncGuard) -> None:
    """The error says which."""
    with pytest.raises(UnknownSender, match="an async function needs an AsyncGuard"):
        guard.wrap(AsyncRecordingSender())
    with pytest.raises(UnknownSender, match="needs a Guard"):
        async_guard.wrap(RecordingSender())


def test_the_same_guard_does_not_stand_there_twice(guard: Guard) -> None:
    """It would hold a request of its own that is on its way; what only looks like such a function is guarded."""
    sender = RecordingSender()
    once = guard.wrap(sender)
    assert guard.wrap(once) is once

    @guard.wrap
    @functools.wraps(once)
    def disguised(sent: Any) -> None:
        sender(sent)

    disguised(message(OPTED_OUT))
    assert sender.messages == []


def test_a_call_without_a_message_is_refused(guard: Guard) -> None:
    """Whatever else it was called with: nothing goes past the guard because it was not seen."""
    sender = RecordingSender()
    with pytest.raises(InvalidMessage, match="without a message"):
        guard.wrap(sender)("just a text")  # type: ignore[arg-type]
    assert sender.messages == []


@pytest.mark.parametrize("beside", [OPTED_OUT, f"Opted Out <{OPTED_OUT}>", [SUPPLIER, OPTED_OUT], {OPTED_OUT}, Address(OPTED_OUT)])
def test_a_buyer_who_is_named_beside_the_message_is_no_way_round(guard: Guard, async_guard: AsyncGuard, beside: Any) -> None:
    """The function might send to him what was decided on for others."""
    sender: Any = RecordingSender()
    later: Any = AsyncRecordingSender()
    sends: Any = guard.wrap(lambda sent, to: sender(sent))
    for sent in (message(SUPPLIER), Message("Hello", "Thank you.", order_ids=ORDER), mail(BUYER)):
        with pytest.raises(InvalidMessage, match="let the message name all who get it"):
            sends(sent, beside)
        with pytest.raises(InvalidMessage):
            asyncio.run(async_guard.wrap(functools.partial(later, to=beside))(sent))
    assert (sender.messages, later.messages) == ([], [])


def test_what_else_is_beside_the_message_is_the_functions_business(guard: Guard) -> None:
    """A buyer whom the message names, an address of the shop, a text, or anything else."""
    sender = RecordingSender()
    sends: Any = guard.wrap(lambda sent, *_others, **_named: sender(sent))
    sends(message(BUYER), BUYER.upper(), "shop@shop.example", f"Hello {OPTED_OUT}" * 100, [7, None], {"to": OPTED_OUT}, 7, sent_by=object())
    assert sender.messages == [message(BUYER)]


def test_a_mail_too_large_to_read_does_not_pass(guard: Guard) -> None:
    """Its envelope is in it, so that nobody knows whom it would go to."""
    sender = RecordingSender()
    with pytest.raises(MessageTooLarge):
        guard.wrap(sender)(b"To: " + OPTED_OUT.encode() + b"\r\n\r\n" + bytes(33 * 2**20))
    assert sender.messages == []


def test_messages_of_the_callers_own_class_stay_of_that_class(guard: Guard) -> None:
    """The copy is an object of the same class, with its own fields."""

    @attrs.frozen(slots=False)
    class Ours(Message):
        number: int = attrs.field(default=0, kw_only=True)

    sender = RecordingSender()
    guard.wrap(sender)(Ours("Hello", "Thank you.", to=[OPTED_OUT, BUYER], number=7))
    assert sender.messages == [Ours("Hello", "Thank you.", to=[BUYER], number=7)]
