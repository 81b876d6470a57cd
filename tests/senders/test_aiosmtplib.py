"""aiosmtplib behind a guard, against a real server: its client and its function ``send``."""

import asyncio
import functools
import inspect
import subprocess
import sys
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from email.mime.text import MIMEText
from typing import Any

import aiosmtplib
import pytest

from optoutkit.errors import Held, Suppressed, UnknownSender
from optoutkit.guard import AsyncGuard, Policy
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import OptOut
from optoutkit.senders.aiosmtplib.client import HeldSMTP

SHOP, SUPPLIER = "shop@shop.example", "sales@supplier.example"
OPTED_OUT, BUYER = "optedout@marketplace.amazon.de", "buyer@marketplace.amazon.de"


def mail(**headers: str) -> EmailMessage:
    """A mail that is not critical."""
    message = EmailMessage()
    message["From"] = SHOP
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Thank you, Jürgen.\n.\n")
    return message


@pytest.fixture
def connected(server: Any, async_guard: AsyncGuard) -> Callable[..., Any]:
    """Run something with a client, guarded or not, that is connected to the server."""

    def run(use: Callable[[Any], Awaitable[Any]], *, guard: AsyncGuard | None = async_guard) -> Any:
        async def main() -> Any:
            client = aiosmtplib.SMTP(hostname="127.0.0.1", port=server.port)
            async with guard.wrap(client) if guard else client as smtp:
                return await use(smtp)

        return asyncio.run(main())

    return run


def test_suppressed_recipients_come_back_as_refused(connected: Any, server: Any) -> None:
    """As responses with code 550, beside those that the server refused, in the order of the envelope and as given."""
    to = [SUPPLIER, f"Opted Out <{OPTED_OUT}>", "refused@shop.example", OPTED_OUT, BUYER]
    refused, answer = connected(lambda smtp: smtp.send_message(mail(To="somebody@else.example"), recipients=to))
    assert list(refused) == [to[1], to[2], to[3]]
    assert isinstance(refused[to[1]], aiosmtplib.SMTPResponse)
    assert refused[to[1]].code == 550
    assert refused[to[1]].message.startswith("5.7.1 It must not go: the buyer opted out")
    assert refused[to[2]].message == "5.1.1 no such user"
    assert answer == "2.0.0 taken"
    assert server.arrived[0].recipients == [SUPPLIER, BUYER]


def test_with_all_suppressed_nothing_is_sent_and_nothing_raised(connected: Any, server: Any) -> None:
    """The answer has the usual form, with no word of a server."""

    async def use(smtp: Any) -> Any:
        by_header = await smtp.send_message(mail(To=OPTED_OUT))
        return by_header, await smtp.sendmail(SHOP, OPTED_OUT, b"Subject: Hello\r\n\r\nHello\r\n")

    for refused, answer in connected(use):
        assert list(refused) == [OPTED_OUT]
        assert answer == ""
    assert server.arrived == []


def test_what_arrives_is_what_arrives_without_a_guard(connected: Any, server: Any) -> None:
    """Same envelope, same bytes, same answer; header objects, several fields of one name, Resent fields, str and bytes."""
    twice = MIMEText("Thank you.")
    twice["From"], twice["To"] = SHOP, BUYER
    twice["To"] = f"A <{SUPPLIER}>"
    resent = mail(To="x@y.example", Resent_Date="Thu, 10 Sep 2026 10:00:00 +0000", Resent_From=SHOP, Resent_To=BUYER, Resent_Bcc=SUPPLIER)
    binary = f"From: {SHOP}\r\nTo: {BUYER}\r\n\r\nGr\xfc\xdfe\r\n".encode("latin-1")

    async def use(smtp: Any) -> Any:
        return [
            await smtp.send_message(mail(To=f"J\u00fcrgen <{BUYER}>", Subject="Grüße", Bcc=SUPPLIER)),
            await smtp.send_message(twice, mail_options=["BODY=8BITMIME"]),
            await smtp.send_message(resent, sender="bounces@shop.example"),
            await smtp.sendmail(SHOP, [BUYER], binary),
            await smtp.sendmail(SHOP, BUYER, "Subject: Hello\n\nHello\n"),
        ]

    before = resent.as_bytes()
    assert connected(use) == connected(use, guard=None)
    assert server.arrived[:5] == server.arrived[5:]
    assert resent.as_bytes() == before
    assert b"Bcc" not in server.arrived[0].raw + server.arrived[2].raw


def test_a_critical_message_goes_and_its_order_is_linked(connected: Any, server: Any, async_guard: AsyncGuard) -> None:
    """Opted out or not; the buyer is known by the order from then on."""
    message = mail(To=OPTED_OUT, Subject="Your order 302-1234567-1234567")
    message.set_content("Your address is incomplete.")
    assert connected(lambda smtp: smtp.send_message(message))[0] == {}
    asyncio.run(async_guard._store.withdraw([Address(OPTED_OUT)]))
    asyncio.run(async_guard._store.record([OptOut(OrderId("302-1234567-1234567"))]))
    assert list(connected(lambda smtp: smtp.send_message(mail(To=OPTED_OUT)))[0]) == [OPTED_OUT]
    assert len(server.arrived) == 1


def test_where_the_server_refuses_the_rest_the_exception_names_all(connected: Any) -> None:
    """As without a guard it raises; whoever reads ``recipients`` finds the suppressed ones there, too."""
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as caught:
        connected(lambda smtp: smtp.sendmail(SHOP, [OPTED_OUT, "refused@shop.example"], b"Subject: Hello\r\n\r\nHello\r\n"))
    assert [(refusal.recipient, refusal.code, refusal.message[:5]) for refusal in caught.value.recipients] == [
        (OPTED_OUT, 550, "5.7.1"),
        ("refused@shop.example", 550, "5.1.1"),
    ]


def test_an_outage_holds_the_whole_message(connected: Any, server: Any, async_down_guard: AsyncGuard) -> None:
    """As Held and as the library's own 451; nothing arrives."""
    for catch in (Held, aiosmtplib.SMTPResponseException):
        with pytest.raises(catch):
            connected(lambda smtp: smtp.send_message(mail(To=f"{SUPPLIER}, {BUYER}")), guard=async_down_guard)
    with pytest.raises(HeldSMTP) as caught:
        connected(lambda smtp: smtp.send_message(mail(To=f"{SUPPLIER}, {BUYER}")), guard=async_down_guard)
    assert caught.value.code == 451
    assert caught.value.message.startswith("4.3.0 Nothing of the message was sent")
    assert caught.value.verdict is not None
    assert caught.value.verdict.held
    assert server.arrived == []


def test_who_wants_an_exception_for_suppression_gets_it(connected: Any, server: Any, async_guard: AsyncGuard, uncritical: Any) -> None:
    """Before anything is sent."""
    raising = AsyncGuard(async_guard._store, classify=uncritical, policy=Policy(on_suppressed="raise"))
    with pytest.raises(Suppressed):
        connected(lambda smtp: smtp.send_message(mail(To=f"{SUPPLIER}, {OPTED_OUT}")), guard=raising)
    assert server.arrived == []


def test_an_empty_envelope_is_the_librarys_business(connected: Any, async_guard: AsyncGuard, server: Any) -> None:
    """It answers as it does without a guard."""
    for guard in (async_guard, None):
        with pytest.raises(ValueError, match="No recipient headers"):
            connected(lambda smtp: smtp.send_message(mail()), guard=guard)
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            connected(lambda smtp: smtp.sendmail(SHOP, [], b"Subject: Hello\r\n\r\nHello\r\n"), guard=guard)
        send = guard.wrap(aiosmtplib.send) if guard else aiosmtplib.send
        with pytest.raises(ValueError, match="Recipients must be provided"):
            asyncio.run(send("Subject: Hello\n\nHello\n", sender=SHOP, hostname="127.0.0.1", port=server.port))


def test_the_function_send_is_guarded(async_guard: AsyncGuard, server: Any) -> None:
    """The same envelope and answers; with all recipients suppressed it does not even connect."""
    send = async_guard.wrap(aiosmtplib.send)
    assert inspect.iscoroutinefunction(send)
    to: dict[str, Any] = {"hostname": "127.0.0.1", "port": server.port}
    refused, answer = asyncio.run(send(mail(To=BUYER, Bcc=OPTED_OUT), **to))
    assert (list(refused), answer) == ([OPTED_OUT], "2.0.0 taken")
    assert asyncio.run(send("Subject: Hello\n\nHello\n", sender=SHOP, recipients=BUYER, **to))[0] == {}
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER], [BUYER]]
    to["port"] = 1
    refused, answer = asyncio.run(send(mail(To=OPTED_OUT), **to))
    assert (list(refused), answer) == ([OPTED_OUT], "")


def test_the_sync_helpers_of_the_client_are_no_way_round(async_guard: AsyncGuard, server: Any) -> None:
    """They connect, send and leave in one call, and pass the guard as well."""
    smtp = async_guard.wrap(aiosmtplib.SMTP(hostname="127.0.0.1", port=server.port))
    refused, _ = smtp.send_message_sync(mail(To=f"{OPTED_OUT}, {BUYER}"))
    assert list(refused) == [OPTED_OUT]
    refused, _ = smtp.sendmail_sync(SHOP, [OPTED_OUT, BUYER], b"Subject: Hello\r\n\r\nHello\r\n")
    assert list(refused) == [OPTED_OUT]
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER], [BUYER]]
    twice = async_guard.wrap(smtp)
    assert list(twice.send_message_sync(mail(To=OPTED_OUT))[0]) == [OPTED_OUT]
    assert len(server.arrived) == 2


async def one_by_one(smtp: Any, *recipients: str) -> Any:
    """Send a mail by SMTP's single commands."""
    await smtp.mail(SHOP)
    for recipient in recipients:
        await smtp.rcpt(recipient)
    return await smtp.data("Subject: Hello\n\nThank you.\n")


def test_single_commands_are_no_way_round(connected: Any, server: Any) -> None:
    """``data`` raises where one of the recipients is suppressed, and nobody gets the mail; the connection is good for the next one."""

    async def use(smtp: Any) -> None:
        for to in ([OPTED_OUT], [BUYER, OPTED_OUT]):
            with pytest.raises(aiosmtplib.SMTPDataError, match=r"5\.7\.1 It must not go: the buyer opted out") as caught:
                await one_by_one(smtp, *to)
            assert caught.value.code == 550
        assert (await one_by_one(smtp, BUYER, SUPPLIER)).code == 250
        with pytest.raises(aiosmtplib.SMTPDataError, match="503"):
            await one_by_one(smtp)

    connected(use)
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER, SUPPLIER]]


def test_an_outage_holds_what_is_sent_by_single_commands(connected: Any, server: Any, async_down_guard: AsyncGuard) -> None:
    """The connection is good for what may go."""

    async def use(smtp: Any) -> None:
        with pytest.raises(HeldSMTP):
            await one_by_one(smtp, SUPPLIER, BUYER)
        await one_by_one(smtp, SUPPLIER)

    connected(use, guard=async_down_guard)
    assert [arrived.recipients for arrived in server.arrived] == [[SUPPLIER]]


class Notifier(aiosmtplib.SMTP):
    """A subclass whose own method calls that of the library."""

    async def notify(self, *to: str) -> Any:
        """Send, past what is left of ``sendmail``."""
        return await super().sendmail(SHOP, to, mail().as_bytes())


def test_what_a_subclass_calls_of_its_base_is_no_way_round(async_guard: AsyncGuard, server: Any) -> None:
    """``super().sendmail`` gives the single commands."""

    async def main() -> None:
        notifier: Any = Notifier(hostname="127.0.0.1", port=server.port)
        async with async_guard.wrap(notifier) as smtp:
            with pytest.raises(aiosmtplib.SMTPDataError):
                await smtp.notify(SUPPLIER, OPTED_OUT)
            assert await smtp.notify(SUPPLIER, BUYER) == ({}, "2.0.0 taken")

    asyncio.run(main())
    assert [arrived.recipients for arrived in server.arrived] == [[SUPPLIER, BUYER]]


def test_methods_and_partials_are_guarded_as_what_they_belong_to(connected: Any, async_guard: AsyncGuard, server: Any) -> None:
    """So an envelope beside the mail counts."""
    send = async_guard.wrap(functools.partial(aiosmtplib.send, hostname="127.0.0.1", port=server.port))
    assert list(asyncio.run(send(mail(To=SUPPLIER), recipients=[OPTED_OUT]))[0]) == [OPTED_OUT]

    async def use(smtp: Any) -> None:
        refused, _ = await async_guard.wrap(smtp.sendmail)(SHOP, [OPTED_OUT, BUYER], b"To: sales@supplier.example\r\n\r\nHello\r\n")
        assert list(refused) == [OPTED_OUT]

    connected(use, guard=None)
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER]]


def test_a_wrapped_client_is_still_that_client(connected: Any) -> None:
    """``async with`` yields the guarded one, attributes are the client's, and isinstance holds, for subclasses too."""

    async def use(smtp: Any) -> None:
        assert isinstance(smtp, aiosmtplib.SMTP)
        assert smtp.is_connected
        assert repr(smtp).startswith("<guarded ")
        assert (await smtp.noop()).code == 250

    connected(use)


def test_many_tasks_send_through_one_client(connected: Any, server: Any, async_guard: AsyncGuard) -> None:
    """Each with its own declaration."""

    async def one(smtp: Any, number: int) -> list[str]:
        with async_guard.declare(reply_to_buyer=number % 2 == 0):
            refused, _ = await smtp.send_message(mail(To=OPTED_OUT, Subject=str(number)))
        return list(refused)

    async def use(smtp: Any) -> list[list[str]]:
        return await asyncio.gather(*(one(smtp, number) for number in range(10)))

    assert connected(use) == [[], [OPTED_OUT]] * 5
    assert len(server.arrived) == 5


def test_a_blocking_guard_does_not_take_it(guard: Any) -> None:
    """It says what to use."""
    for sender in (aiosmtplib.SMTP(), aiosmtplib.send):
        with pytest.raises(UnknownSender, match="wrap it with an AsyncGuard"):
            guard.wrap(sender)


def test_the_library_is_not_imported_for_other_senders() -> None:
    """A sender is known by its type; where the library is not loaded there is none of its."""
    code = (
        "import smtplib, sys; from optoutkit.guard import Guard; from optoutkit.stores.memory import MemoryStore\n"
        "guard = Guard(MemoryStore()); guard.wrap(smtplib.SMTP()); guard.wrap(print)\n"
        "print('aiosmtplib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
