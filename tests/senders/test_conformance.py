"""The conformance suite over the adapters of this package for smtplib, aiosmtplib and plain functions, against real servers."""

# ruff: noqa: D102 - each class says by its name which sender it tests

import asyncio
import smtplib
import ssl
from collections.abc import Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

import aiosmtplib
import pytest

from optoutkit.testing.senders.conformance import (
    AsyncSenderConformance,
    AsyncSenderDriver,
    Delivered,
    Letter,
    SenderConformance,
    SenderDriver,
)

SHOP = "shop@shop.example"


def mail(letter: Letter) -> EmailMessage:
    """A letter as a mail, the same bytes for equal letters."""
    message = EmailMessage()
    message["From"], message["Subject"] = SHOP, letter.subject
    for name, recipients in (("To", letter.to), ("Cc", letter.cc), ("Bcc", letter.bcc)):
        if recipients:
            message[name] = ", ".join(recipients)
    if letter.textless:
        message.set_content(letter.text.encode(), "application", "pdf", disposition="attachment", filename="invoice.pdf")
        return message
    message.set_content(letter.text)
    if letter.html is not None:
        message.add_alternative(letter.html, subtype="html")
        message.set_boundary("=-=")
    return message


def raw_and_envelope(letter: Letter) -> tuple[bytes, list[str]]:
    """A letter as the bytes of a mail, and whom it is for."""
    message = mail(letter)
    del message["Bcc"]
    return message.as_bytes(), [address for _, address in getaddresses([*letter.to, *letter.cc, *letter.bcc])]


class MailDriver(SenderDriver):
    """What all that send mails to a server share."""

    server: Any

    def compose(self, letter: Letter) -> Any:
        return mail(letter)

    def delivered(self) -> Sequence[Delivered]:
        return [Delivered(tuple(arrived.recipients), arrived.raw) for arrived in self.server.arrived]

    def fail(self) -> None:
        self.server.verdict = "554 5.3.0 broken"


class SmtplibDriver(MailDriver):
    """smtplib's clients, by ``send_message``."""

    held_as = smtplib.SMTPResponseException

    def __init__(self, server: Any, kind: type[Any] = smtplib.SMTP, **options: Any) -> None:
        self.server = server
        self._kind, self._options = kind, options
        self._clients: list[Any] = []

    def make_sender(self) -> Any:
        return self._connected(self._kind)

    def make_subclassed(self) -> Any:
        return self._connected(type("Notifier", (self._kind,), {"notify": lambda self, message: self.send_message(message)}))

    def _connected(self, kind: Any) -> Any:
        client = kind("localhost", self.server.port, timeout=30, **self._options)
        self._clients.append(client)
        return client

    def send(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        return sender.send_message(message, to_addrs=envelope)

    def assert_reported(self, answer: Any, suppressed: Sequence[str]) -> None:
        assert list(answer) == list(suppressed)
        assert {(code, text[:5]) for code, text in answer.values()} == {(550, b"5.7.1")}

    def use_otherwise(self, sender: Any) -> Any:
        return sender.noop(), sender.has_extn("size"), sender.timeout, sender.vrfy(SHOP)[0]

    def close(self) -> None:
        for client in self._clients:
            client.close()


class SendmailDriver(SmtplibDriver):
    """The same by ``sendmail``, with the bytes of a mail and an envelope."""

    def compose(self, letter: Letter) -> Any:
        return raw_and_envelope(letter)

    def send(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        raw, recipients = message
        return sender.sendmail(SHOP, recipients if envelope is None else envelope, raw)

    def make_subclassed(self) -> Any:
        class Notifier(smtplib.SMTP):
            def notify(self, message: Any) -> Any:
                return self.sendmail(SHOP, message[1], message[0])

        return self._connected(Notifier)


class TestSmtplib(SenderConformance):
    sender_name = "smtplib.SMTP.send_message"

    @pytest.fixture
    def driver(self, server: Any) -> SenderDriver:
        return SmtplibDriver(server)


class TestSmtplibSendmail(SenderConformance):
    sender_name = "smtplib.SMTP.sendmail"

    @pytest.fixture
    def driver(self, server: Any) -> SenderDriver:
        return SendmailDriver(server)


class TestSmtplibOverTls(SenderConformance):
    sender_name = "smtplib.SMTP_SSL"

    @pytest.fixture
    def driver(self, tls_server: Any, tls_context: ssl.SSLContext) -> SenderDriver:
        return SmtplibDriver(tls_server, smtplib.SMTP_SSL, context=tls_context)


class TestLmtp(SenderConformance):
    sender_name = "smtplib.LMTP"

    @pytest.fixture
    def driver(self, lmtp_server: Any) -> SenderDriver:
        return SmtplibDriver(lmtp_server, smtplib.LMTP)


class AiosmtplibDriver(MailDriver, AsyncSenderDriver):
    """aiosmtplib's client, by ``send_message``."""

    held_as = aiosmtplib.SMTPResponseException

    def __init__(self, server: Any) -> None:
        super().__init__()
        self.server = server
        self._clients: list[Any] = []

    def make_sender(self) -> Any:
        return self._made(aiosmtplib.SMTP)

    def make_subclassed(self) -> Any:
        class Notifier(aiosmtplib.SMTP):
            async def notify(self, message: Any) -> Any:
                async with self:
                    return await self.send_message(message)

        return self._made(Notifier)

    def _made(self, kind: Any) -> Any:
        client = kind(hostname="127.0.0.1", port=self.server.port)
        self._clients.append(client)
        return client

    async def send_async(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        if not sender.is_connected:
            await sender.connect()
        return await sender.send_message(message, recipients=envelope)

    def assert_reported(self, answer: Any, suppressed: Sequence[str]) -> None:
        refused, _ = answer
        assert list(refused) == list(suppressed)
        assert {(response.code, response.message[:5]) for response in refused.values()} == {(550, "5.7.1")}

    def use_otherwise(self, sender: Any) -> Any:
        async def use() -> Any:
            async with sender:
                return await sender.noop(), sender.supports_extension("size"), sender.is_connected, sender.timeout

        return self.run(use()), sender.is_connected

    def close(self) -> None:
        for client in self._clients:
            client.close()
        super().close()


class AiosmtplibSendmailDriver(AiosmtplibDriver):
    """The same by ``sendmail``, with the bytes of a mail and an envelope."""

    def compose(self, letter: Letter) -> Any:
        return raw_and_envelope(letter)

    async def send_async(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        raw, recipients = message
        if not sender.is_connected:
            await sender.connect()
        return await sender.sendmail(SHOP, recipients if envelope is None else list(envelope), raw)

    def make_subclassed(self) -> Any:
        class Notifier(aiosmtplib.SMTP):
            async def notify(self, message: Any) -> Any:
                return await self.sendmail(SHOP, message[1], message[0])

        return self._made(Notifier)


class AiosmtplibSendDriver(AiosmtplibDriver):
    """aiosmtplib's function ``send``."""

    def make_sender(self) -> Any:
        return aiosmtplib.send

    async def send_async(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        return await sender(message, recipients=envelope, hostname="127.0.0.1", port=self.server.port)


class TestAiosmtplib(AsyncSenderConformance):
    sender_name = "aiosmtplib.SMTP.send_message"

    @pytest.fixture
    def driver(self, server: Any) -> SenderDriver:
        return AiosmtplibDriver(server)


class TestAiosmtplibSendmail(AsyncSenderConformance):
    sender_name = "aiosmtplib.SMTP.sendmail"

    @pytest.fixture
    def driver(self, server: Any) -> SenderDriver:
        return AiosmtplibSendmailDriver(server)


NO_OBJECT = {
    "a_context_manager_gives_a_guarded_sender": "a function has no methods to call or to inherit",
    "a_subclass_is_guarded_in_its_own_methods": "a function has no methods to call or to inherit",
    "whatever_else_it_does_it_still_does": "a function has no methods to call or to inherit",
}


class TestAiosmtplibSend(AsyncSenderConformance):
    sender_name = "aiosmtplib.send"
    not_allowed = NO_OBJECT

    @pytest.fixture
    def driver(self, server: Any) -> SenderDriver:
        return AiosmtplibSendDriver(server)


class FunctionDriver(SenderDriver):
    """A function that a program sends its mails with: it takes the envelope from the mail, and does not write the Bcc field."""

    def __init__(self) -> None:
        self._delivered: list[Delivered] = []
        self._fails = False

    def make_sender(self) -> Any:
        def send(message: EmailMessage) -> str:
            return self._deliver(message)

        return send

    def compose(self, letter: Letter) -> Any:
        return mail(letter)

    def send(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        assert envelope is None
        return sender(message)

    def delivered(self) -> Sequence[Delivered]:
        return self._delivered

    def assert_reported(self, answer: Any, suppressed: Sequence[str]) -> None:
        """It reports nothing but that it was called."""
        assert suppressed
        assert answer in (None, "sent")

    def fail(self) -> None:
        self._fails = True

    def _deliver(self, message: Any) -> str:
        if self._fails:
            raise ConnectionError
        recipients = tuple(address for name in ("To", "Cc", "Bcc") for _, address in getaddresses([str(message.get(name, ""))]) if address)
        written = message_from_bytes(message.as_bytes())
        for name in ("To", "Cc", "Bcc"):
            del written[name]
        self._delivered.append(Delivered(recipients, written.as_bytes()))
        return "sent"


class AsyncFunctionDriver(FunctionDriver, AsyncSenderDriver):
    """The same for an async function."""

    def __init__(self) -> None:
        FunctionDriver.__init__(self)
        AsyncSenderDriver.__init__(self)

    def make_sender(self) -> Any:
        async def send(message: EmailMessage) -> str:
            await asyncio.sleep(0)
            return self._deliver(message)

        return send

    async def send_async(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        assert envelope is None
        return await sender(message)

    send = AsyncSenderDriver.send


FUNCTIONS = {**NO_OBJECT, "an_explicit_envelope_wins": "the message names its recipients itself"}


class TestFunction(SenderConformance):
    sender_name = "a function"
    not_allowed = FUNCTIONS

    @pytest.fixture
    def driver(self) -> SenderDriver:
        return FunctionDriver()


class TestAsyncFunction(AsyncSenderConformance):
    sender_name = "an async function"
    not_allowed = FUNCTIONS

    @pytest.fixture
    def driver(self) -> SenderDriver:
        return AsyncFunctionDriver()
