"""The adapter for Django's backends: Django's own SMTP backend against a real server, and its backends for tests."""

# ruff: noqa: D102 - each class says by its name which sender it tests

import copy
import pickle
import re
import smtplib
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends import locmem, smtp
from tests.senders.frameworks.project import SHOP, connection, email

from optoutkit import Policy
from optoutkit.errors import Suppressed
from optoutkit.senders.django.connection import HeldMessages
from optoutkit.testing.guards import RecordingGuard
from optoutkit.testing.senders.conformance import Delivered, Letter, SenderConformance, SenderDriver

OPTED_OUT, BUYER, SUPPLIER = "optedout@marketplace.amazon.de", "buyer@marketplace.amazon.de", "sales@supplier.example"


class SmtpDriver(SenderDriver):
    """Django's SMTP backend."""

    held_as = smtplib.SMTPException

    def __init__(self, server: Any) -> None:
        self.server = server
        self._newly = 0

    def make_sender(self) -> Any:
        return connection(smtp.EmailBackend, host="localhost", port=self.server.port, timeout=30)

    def make_subclassed(self) -> Any:
        class Notifier(smtp.EmailBackend):  # type: ignore[misc]
            def notify(self, message: Any) -> Any:
                return self.send_messages([message])

        return connection(Notifier, host="localhost", port=self.server.port, timeout=30)

    def compose(self, letter: Letter) -> Any:
        message = email(letter)
        if letter.textless:
            message.attach("invoice.pdf", letter.text.encode(), "application/pdf")
        return message

    def send(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        if envelope is not None:  # Django's way to have one: a class that names its recipients itself
            message = copy.copy(message)
            message.recipients = lambda: list(envelope)
        before = len(self.server.arrived)
        count = sender.send_messages([message])
        self._newly = len(self.server.arrived) - before
        return count

    def delivered(self) -> Sequence[Delivered]:
        return [Delivered(tuple(arrived.recipients), re.sub(rb"=====+\d+==", b"=-=", arrived.raw)) for arrived in self.server.arrived]

    def assert_reported(self, answer: Any, suppressed: Sequence[str]) -> None:
        assert answer == self._newly

    def fail(self) -> None:
        self.server.verdict = "554 5.3.0 broken"

    def use_otherwise(self, sender: Any) -> Any:
        return sender.open(), sender.open(), sender.connection.noop(), sender.close(), sender.host, sender.use_tls

    def picture(self, message: Any) -> Any:
        return copy.deepcopy(vars(message))


class TestDjangoSmtp(SenderConformance):
    """Django's SMTP backend."""

    sender_name = "Django's SMTP backend"

    @pytest.fixture
    def driver(self, server: Any) -> SmtpDriver:
        return SmtpDriver(server)


@pytest.fixture
def guard() -> RecordingGuard:
    """A guard that knows one buyer who opted out, and finds nothing critical but what says "address"."""
    return RecordingGuard(OPTED_OUT)


@pytest.fixture
def outbox(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What Django's backend for tests keeps."""
    messages: list[Any] = []
    monkeypatch.setattr(mail, "outbox", messages, raising=False)
    return messages


def thanks(*to: str, **options: Any) -> Any:
    """A message that is not critical."""
    return EmailMessage("Hello", "Thank you! Please leave us a review.", SHOP, list(to), **options)


def critical(*to: str) -> Any:
    """One that is."""
    return EmailMessage("Your order", "Your address is incomplete. Please send us the house number, or we cannot ship.", SHOP, list(to))


def test_several_messages_go_by_one_connection(server: Any, guard: Any) -> None:
    """It is opened for the first that goes, and closed afterwards; what was open stays open."""
    inner = connection(smtp.EmailBackend, host="localhost", port=server.port)
    opened = []

    def note() -> Any:
        opened.append(inner.connection)
        return smtp.EmailBackend.open(inner)

    inner.open = note
    guarded = guard.wrap(inner)
    assert guarded.send_messages([thanks(OPTED_OUT), thanks(BUYER, OPTED_OUT), thanks(), thanks(SUPPLIER)]) == 2
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER], [SUPPLIER]]
    assert [was is None for was in opened] == [True, False, False, False]
    assert inner.connection is None
    with guarded:
        assert guarded.send_messages(message for message in (thanks(BUYER), thanks(SUPPLIER))) == 2
        assert inner.connection is not None


def test_the_client_of_a_connection_is_no_way_round(server: Any, guard: Any) -> None:
    """It is behind the guard as well; a backend that has none has none."""
    with guard.wrap(connection(smtp.EmailBackend, host="localhost", port=server.port)) as guarded:
        assert list(guarded.connection.sendmail(SHOP, [OPTED_OUT, BUYER], b"Subject: Hello\r\n\r\nThank you.\r\n")) == [OPTED_OUT]
        assert guarded._send(EmailMessage("Hello", "Thank you.", SHOP, [OPTED_OUT]))
    assert guarded.connection is None
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER]]
    assert not hasattr(guard.wrap(connection(locmem.EmailBackend)), "connection")


def test_where_nothing_goes_nothing_is_opened(guard: Any) -> None:
    """Neither for a message that is suppressed, nor for none."""
    guarded = guard.wrap(connection(smtp.EmailBackend, host="localhost", port=1))
    assert guarded.send_messages([thanks(OPTED_OUT), thanks(OPTED_OUT)]) == 0
    assert guarded.send_messages([]) == 0


def test_held_messages_are_named_and_the_others_go(server: Any, guard: Any) -> None:
    """Critical mail must not wait for others of the same call; what to send again is told."""
    guard.store.down = True
    guarded = guard.wrap(connection(smtp.EmailBackend, host="localhost", port=server.port))
    waiting = [thanks(BUYER), thanks(OPTED_OUT)]
    with pytest.raises(HeldMessages) as caught:
        guarded.send_messages([waiting[0], critical(OPTED_OUT), waiting[1], thanks(SUPPLIER)])
    assert caught.value.email_messages == waiting
    assert caught.value.smtp_code == 451
    assert [arrived.recipients for arrived in server.arrived] == [[OPTED_OUT], [SUPPLIER]]


def test_a_backend_that_fails_silently_drops_what_is_held(server: Any, guard: Any) -> None:
    """As it drops what a server refuses for now; two guards in a row do so, too."""
    guard.store.down = True
    inner = connection(smtp.EmailBackend, host="localhost", port=server.port, fail_silently=True)
    guarded = guard.wrap(inner)
    assert guarded.send_messages([thanks(BUYER), thanks(SUPPLIER)]) == 1
    another = RecordingGuard()
    another.store.down = True
    assert another.wrap(guarded).send_messages([thanks(BUYER)]) == 0
    with pytest.raises(HeldMessages):
        guard.wrap(connection(smtp.EmailBackend, host="localhost", port=server.port)).send_messages([thanks(BUYER)])


def test_an_entry_may_name_several(guard: Any, outbox: list[Any]) -> None:
    """Then whoever is left of it stays."""
    guarded = guard.wrap(connection(locmem.EmailBackend))
    message = thanks(f'"Out, Opted" <{OPTED_OUT}>, Sales <{SUPPLIER}>, {BUYER}')
    assert guarded.send_messages([message]) == 1
    assert outbox[0].to == [f"Sales <{SUPPLIER}>, {BUYER}"]


def test_what_cannot_be_read_as_an_address_passes(guard: Any, outbox: list[Any]) -> None:
    """As everywhere; Django or the server knows what to say to it."""
    assert guard.wrap(connection(locmem.EmailBackend)).send_messages([thanks("undisclosed", OPTED_OUT)]) == 1
    assert outbox[0].to == ["undisclosed"]
    assert guard.decisions[0].reason.value == "unreadable_address"


def test_a_message_that_was_sent_can_be_copied(guard: Any, outbox: list[Any]) -> None:
    """With the connection that it keeps, as Django's backend for tests does; a pickle of that fails clearly."""
    guarded = guard.wrap(connection(locmem.EmailBackend))
    message = thanks(BUYER)
    message.__dict__["_connection" if hasattr(message, "_connection") else "connection"] = guarded
    assert guarded.send_messages([message]) == 1
    assert copy.deepcopy(guarded) is guarded
    with pytest.raises(TypeError, match="can be neither pickled nor copied"):
        pickle.dumps(message)


def test_a_class_with_more_recipients_keeps_those_who_are_left(guard: Any, outbox: list[Any]) -> None:
    """Django asks such a class to name them in recipients(); the copy can be pickled."""

    class Archived(EmailMessage):  # type: ignore[misc]
        def recipients(self) -> list[str]:
            return [*super().recipients(), OPTED_OUT, "archive@shop.example"]

    assert guard.wrap(connection(locmem.EmailBackend)).send_messages([Archived("Hi", "Thank you.", SHOP, [BUYER])]) == 1
    assert outbox[0].recipients() == [BUYER, "archive@shop.example"]


def test_a_policy_that_raises_stops_at_that_message(outbox: list[Any]) -> None:
    """In the middle of a list, as Django itself does; those before it have gone."""
    guard = RecordingGuard(OPTED_OUT, policy=attrs.evolve(Policy.AMAZON, on_suppressed="raise"))
    with pytest.raises(Suppressed):
        guard.wrap(connection(locmem.EmailBackend)).send_messages([thanks(SUPPLIER), thanks(OPTED_OUT), thanks(BUYER)])
    assert [message.to for message in outbox] == [[SUPPLIER]]
