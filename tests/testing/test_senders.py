"""The recording senders, which users' tests stand on."""

import asyncio
import smtplib
import subprocess
import sys
from email.message import EmailMessage

import pytest

from optoutkit.guard import Guard
from optoutkit.identities import Address
from optoutkit.messages import Message
from optoutkit.optouts import OptOut
from optoutkit.stores.memory import MemoryStore
from optoutkit.testing.senders import AsyncRecordingSender, RecordingSender, RecordingSMTP, Sent


def test_an_smtp_client_that_remembers() -> None:
    """By sendmail and send_message, as a context manager, without any connection."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Bcc"] = "shop@shop.example", "a@shop.example", "b@shop.example"
    mail.set_content("Hello")
    with RecordingSMTP() as smtp:
        assert smtp.send_message(mail) == {}
        assert smtp.sendmail("shop@shop.example", "c@shop.example", "Hello") == {}
        assert smtp.quit()[0] == 221
    first, second = smtp.sent
    assert first.recipients == ("a@shop.example", "b@shop.example")
    assert b"Bcc" not in first.raw
    assert second == Sent("shop@shop.example", ("c@shop.example",), b"Hello")


def test_it_refuses_whom_a_test_wants_refused() -> None:
    """As a server does: reported where others get the mail, raised where nobody does."""
    smtp = RecordingSMTP(refuse={"a@shop.example": (550, b"5.1.1 no such user")})
    assert smtp.sendmail("shop@shop.example", ["a@shop.example", "b@shop.example"], b"Hello") == {
        "a@shop.example": (550, b"5.1.1 no such user")
    }
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        smtp.sendmail("shop@shop.example", ["a@shop.example", "a@shop.example"], b"Hello")
    assert len(smtp.sent) == 1


def test_it_shows_what_a_guard_lets_through() -> None:
    """This is what it is for."""
    store = MemoryStore()
    store.record([OptOut(Address("buyer@marketplace.amazon.de"))])
    smtp = RecordingSMTP()
    guard = Guard(store, classify=lambda _message: 1 / 0)  # type: ignore[arg-type,return-value]
    refused = guard.wrap(smtp).sendmail("shop@shop.example", ["buyer@marketplace.amazon.de", "a@shop.example"], b"Hello")
    assert list(refused) == ["buyer@marketplace.amazon.de"]
    assert smtp.sent == [Sent("shop@shop.example", ("a@shop.example",), b"Hello")]


def test_functions_that_remember() -> None:
    """A plain one and an async one."""
    message = Message("Hello", "Hello")
    sender, later = RecordingSender(), AsyncRecordingSender()
    sender(message)
    asyncio.run(later(message))
    assert sender.messages == later.messages == [message]


def test_only_the_conformance_suites_need_pytest() -> None:
    """What users' tests get works with unittest as well."""
    code = "import sys, optoutkit.testing.senders, optoutkit.testing.guards, optoutkit.testing.notices; print('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
