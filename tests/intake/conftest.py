"""Intakes over real stores, blocking and with asyncio, used the same way; and the mails they get."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import attrs
import pytest

from optoutkit.authentication import Trust
from optoutkit.errors import StoreUnavailable
from optoutkit.identities import Identity
from optoutkit.intake import AsyncIntake, Intake, IntakeResult
from optoutkit.optouts import OptOut
from optoutkit.stores.opening import open_async_store, open_store

CLAUSE = (
    "Dear Seller,\r\n\r\nWe were unable to deliver the message you sent for order [{order}] because the buyer has chosen "
    "to opt out of receiving unsolicited messages from sellers.\r\n"
)
ORDER, OTHER_ORDER = "302-1234567-7654321", "302-7777777-8888889"
ALIAS = "abc123def456ghi@marketplace.amazon.de"


def mail(
    text: str | None = None,
    *,
    sender: str = '"Amazon.de" <auto-communication@amazon.de>',
    more: str = "",
    date: str = "Mon, 02 Nov 2026 08:00:00 +0000",
) -> bytes:
    """A notice as Amazon sends it; or another mail."""
    return (
        f"From: {sender}\r\nTo: seller@shop.example\r\nSubject: Your message to a buyer could not be delivered\r\n"
        + (f"Date: {date}\r\n" if date else "")
        + f"Message-ID: <0102@eu-west-1.amazonses.com>\r\nMIME-Version: 1.0\r\n{more}"
        + ("" if "ontent-Type" in more else "Content-Type: text/plain; charset=utf-8\r\n")
        + f"\r\n{CLAUSE.format(order=ORDER) if text is None else text}"
    ).encode()


def html(order: str = ORDER, alias: str = ALIAS) -> bytes:
    """A notice in the layout that names the buyer in a link."""
    return mail(
        f"<p>Dear Seller,</p><p>We were unable to deliver the message you sent to Anna for order [{order}] because the buyer has "
        f'chosen to opt out of receiving unsolicited messages from sellers. <a href="mailto:{alias}?subject=%20[Important]">Write</a></p>',
        more="Content-Type: text/html; charset=utf-8\r\n",
    )


def inline(order: str = ORDER, *, sender: str = "me@shop.example", origin: str = "Amazon.de <auto-communication@amazon.de>") -> bytes:
    """A notice forwarded by hand, by Gmail."""
    return mail(
        "Please note.\r\n\r\n---------- Forwarded message ---------\r\n"
        f"From: {origin}\r\nDate: Mon, Nov 2, 2026 at 9:00 AM\r\nSubject: Your message to a buyer could not be delivered\r\n"
        "To: <seller@shop.example>\r\n\r\n" + CLAUSE.format(order=order),
        sender=sender,
        date="Tue, 03 Nov 2026 08:00:00 +0000",
    )


def attached(*inner: bytes, sender: str = "me@shop.example", text: str = "See the attached mails.") -> bytes:
    """A mail that carries others."""
    parts = b"".join(b"--XX\r\nContent-Type: message/rfc822\r\n\r\n" + one + b"\r\n" for one in inner)
    head = mail(f"--XX\r\nContent-Type: text/plain\r\n\r\n{text}\r\n", sender=sender, more="Content-Type: multipart/mixed; boundary=XX\r\n")
    return head.replace(b"could not be delivered", b"forwarded") + parts + b"--XX--\r\n"


class Mails:
    """The makers of mails."""

    ORDER, OTHER_ORDER, ALIAS, CLAUSE = ORDER, OTHER_ORDER, ALIAS, CLAUSE
    mail = staticmethod(mail)
    html = staticmethod(html)
    inline = staticmethod(inline)
    attached = staticmethod(attached)


class DownStore:
    """A store that does not answer, sync or async, in the verbs named; the rest is a real one's."""

    def __init__(self, store: Any, *, is_async: bool) -> None:
        self.store = store
        self.is_async = is_async
        self.down: dict[str, Exception] = {}

    def __getattr__(self, verb: str) -> Any:
        if verb not in self.down:
            return getattr(self.store, verb)
        error = self.down[verb]

        def fail(*_: Any, **__: Any) -> Any:
            raise error

        async def fail_async(*_: Any, **__: Any) -> Any:
            raise error

        return fail_async if self.is_async else fail


class Bench:
    """An intake, and the store behind it."""

    unavailable = StoreUnavailable("the store is down")

    def __init__(self, dns_server: Any, *, is_async: bool) -> None:
        self._runner = asyncio.Runner()
        self.is_async = is_async
        self.dns_server = dns_server
        self.store: Any = DownStore(open_async_store("memory://") if is_async else open_store("memory://"), is_async=is_async)
        self.told: list[IntakeResult] = []
        self.intake: Any = None
        self.make()

    def make(self, **options: Any) -> "Bench":
        """Make the intake, with options."""
        resolver = self.dns_server.async_resolver() if self.is_async else self.dns_server.resolver()
        self.intake = (AsyncIntake if self.is_async else Intake)(self.store, **{"resolver": resolver, "hook": self.told.append, **options})
        return self

    def at(self, now: datetime) -> "Bench":
        """Let it be another time."""
        self.intake._rules = attrs.evolve(self.intake._rules, now=lambda: now)
        return self

    def ingest(self, raw: bytes, *, arrived: datetime | None = None) -> IntakeResult:
        """Take in a mail."""
        result: IntakeResult = self.done(self.intake.ingest(raw, arrived=arrived))
        return result

    def release(self, mail_id: str) -> IntakeResult:
        """Release a mail."""
        result: IntakeResult = self.done(self.intake.release(mail_id))
        return result

    def done(self, value: Any) -> Any:
        """Wait for it, if there is anything to wait for."""

        async def awaited() -> Any:
            return await value

        return self._runner.run(awaited()) if self.is_async else value

    def lookup(self, *identities: Identity, seller: str = "") -> Mapping[Identity, OptOut]:
        """Look up in the store."""
        found: Mapping[Identity, OptOut] = self.done(self.store.lookup(identities, seller=seller))
        return found

    def close(self) -> None:
        """Close all."""
        self.store.down.clear()
        self.done(self.store.close())
        self._runner.close()


@pytest.fixture(params=["sync", "async"])
def bench(request: pytest.FixtureRequest, dns_server: Any) -> Iterator[Bench]:
    """An intake that asks the DNS server of the test."""
    made = Bench(dns_server, is_async=request.param == "async")
    yield made
    made.close()


@pytest.fixture
def mails() -> type[Mails]:
    """Makers of mails."""
    return Mails


@pytest.fixture
def signed(signer: Any) -> Callable[..., bytes]:
    """Sign as Amazon's mail service does."""

    def sign(raw: bytes, domain: str = "amazon.de", **options: Any) -> bytes:
        made: bytes = signer.sign(raw, domain, **options)
        return made

    return sign


@pytest.fixture
def trust() -> type[Trust]:
    """The levels."""
    return Trust
