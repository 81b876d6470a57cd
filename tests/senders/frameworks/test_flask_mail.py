"""The adapter for Flask-Mail, against a real server."""

# ruff: noqa: D102 - each class says by its name which sender it tests

import copy
import re
import smtplib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from email import message_from_bytes
from email.header import decode_header, make_header
from typing import Any, ClassVar

import flask
import flask_mail
import pytest

from optoutkit.testing.guards import RecordingGuard
from optoutkit.testing.senders.conformance import Delivered, Letter, SenderConformance, SenderDriver

SHOP = "shop@shop.example"
OPTED_OUT, BUYER, SUPPLIER = "optedout@marketplace.amazon.de", "buyer@marketplace.amazon.de", "sales@supplier.example"


def make_app(server: Any) -> flask.Flask:
    """An app that sends to a server."""
    app = flask.Flask("shop")
    app.config.update(MAIL_SERVER="localhost", MAIL_PORT=server.port, MAIL_DEFAULT_SENDER=SHOP)
    return app


class FlaskMailDriver(SenderDriver):
    """``Mail.send``."""

    held_as = smtplib.SMTPException

    def __init__(self, server: Any) -> None:
        self.server = server
        self.app = make_app(server)
        self._contexts = ExitStack()

    def make_sender(self) -> Any:
        return flask_mail.Mail(self.app)

    def make_subclassed(self) -> Any:
        class Notifier(flask_mail.Mail):
            def notify(self, message: Any) -> None:
                with self.connect() as connection:
                    connection.send(message)

        self._contexts.enter_context(self.app.app_context())  # where notify is called
        return Notifier(self.app)

    def close(self) -> None:
        self._contexts.close()

    def compose(self, letter: Letter) -> Any:
        body = "" if letter.textless else letter.text
        message = flask_mail.Message(
            letter.subject, list(letter.to), body, letter.html, sender=SHOP, cc=list(letter.cc), bcc=list(letter.bcc), date=1e9
        )
        message.msgId = "<1@shop.example>"
        if letter.textless:
            message.attach("invoice.pdf", "application/pdf", letter.text.encode())
        return message

    def send(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        with self.app.app_context():
            return sender.send(message)

    def opened(self, sender: Any) -> AbstractContextManager[Any]:
        connected: AbstractContextManager[Any] = sender.connect()
        return connected

    def delivered(self) -> Sequence[Delivered]:
        """Recipients in an order of our own, as Flask-Mail has none."""
        arrived = self.server.arrived
        return [Delivered(tuple(sorted(mail.recipients, reverse=True)), re.sub(rb"=====+\d+==", b"=-=", mail.raw)) for mail in arrived]

    def assert_reported(self, answer: Any, suppressed: Sequence[str]) -> None:
        assert answer is None

    def fail(self) -> None:
        self.server.verdict = "554 5.3.0 broken"

    def use_otherwise(self, sender: Any) -> Any:
        with self.app.app_context(), sender.record_messages() as outbox:
            sender.send_message("Hello", [SUPPLIER], "Thank you.")
        return sender.server, sender.default_sender, [message.subject for message in outbox], sender.app.name, sender.max_emails

    def picture(self, message: Any) -> Any:
        return copy.deepcopy({**vars(message), "attachments": [vars(attachment) for attachment in message.attachments]})


class TestFlaskMail(SenderConformance):
    """``Mail.send``, and ``Connection.send`` where a connection is opened."""

    sender_name = "flask_mail.Mail"
    not_allowed: ClassVar[Mapping[str, str]] = {
        "an_explicit_envelope_wins": "the message names its recipients itself",
        "the_order_of_recipients_is_kept": "Flask-Mail makes a set of the recipients",
    }

    @pytest.fixture
    def driver(self, server: Any) -> FlaskMailDriver:
        return FlaskMailDriver(server)


@pytest.fixture
def app(server: Any) -> Iterator[flask.Flask]:
    """An app whose context holds."""
    app = make_app(server)
    with app.app_context():
        yield app


@pytest.fixture
def guard() -> RecordingGuard:
    """A guard that knows one buyer who opted out."""
    return RecordingGuard(OPTED_OUT)


def test_all_ways_to_send_pass_the_guard(app: flask.Flask, server: Any, guard: RecordingGuard) -> None:
    """Those of the extension, of a connection for many messages, and of the message itself."""
    mail = guard.wrap(flask_mail.Mail(app))
    mail.send_message("Hello", [OPTED_OUT, BUYER], "Thank you.")
    with mail.connect() as connection:
        for to in (OPTED_OUT, SUPPLIER):
            connection.send_message("Hello", [to], "Thank you.")
            flask_mail.Message("Hello", [to], "Thank you.").send(connection)
        assert connection.num_emails == 2
    with guard.wrap(app.extensions["mail"].connect()) as connection:
        connection.send(flask_mail.Message("Hello", [OPTED_OUT], "Thank you."))
    guard.wrap(app.extensions["mail"]).send(flask_mail.Message("Hello", [OPTED_OUT], "Thank you."))
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER], [SUPPLIER], [SUPPLIER]]


def test_the_client_of_a_connection_is_no_way_round(app: flask.Flask, guard: RecordingGuard, server: Any) -> None:
    """It is behind the guard as well."""
    mail: Any = guard.wrap(flask_mail.Mail(app))
    with app.app_context(), mail.connect() as connection:
        assert list(connection.host.sendmail(SHOP, [OPTED_OUT, BUYER], b"Subject: Hello\r\n\r\nThank you.\r\n")) == [OPTED_OUT]
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER]]


def test_an_extension_can_be_wrapped_before_there_is_an_app(server: Any, guard: RecordingGuard) -> None:
    """As most projects have it: ``init_app`` comes later."""
    mail = guard.wrap(flask_mail.Mail())
    app = make_app(server)
    mail.init_app(app)
    with app.app_context():
        mail.send_message("Hello", [OPTED_OUT, BUYER], "Thank you.")
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER]]


def test_names_beside_addresses_are_kept(app: flask.Flask, server: Any, guard: RecordingGuard) -> None:
    """A recipient may be a pair of name and address."""
    mail = guard.wrap(flask_mail.Mail(app))
    pairs: list[Any] = [("Opted Out", OPTED_OUT), ("Sales", SUPPLIER)]
    mail.send_message("Hello", pairs, "Thank you.", cc=[OPTED_OUT])
    (arrived,) = server.arrived
    assert arrived.recipients == [SUPPLIER]
    assert str(make_header(decode_header(message_from_bytes(arrived.raw)["To"]))) == f"Sales <{SUPPLIER}>"
    assert OPTED_OUT.encode() not in arrived.raw


def test_what_the_library_refuses_it_refuses(app: flask.Flask, server: Any, guard: RecordingGuard) -> None:
    """A message without recipients or with a line break in its subject; the guard decides nothing."""
    mail = guard.wrap(flask_mail.Mail(app))
    with pytest.raises(AssertionError):
        mail.send_message("Hello", [], "Thank you.")
    with pytest.raises(flask_mail.BadHeaderError):
        mail.send_message("Hello\r\nBcc: x@y.example", [BUYER], "Thank you.")
    assert guard.events == []
    assert server.arrived == []


def test_where_sending_is_off_the_guard_still_decides(server: Any, guard: RecordingGuard) -> None:
    """So that an app's own tests show what would go."""
    app = make_app(server)
    app.testing = True
    mail = guard.wrap(flask_mail.Mail(app))
    with app.app_context(), mail.record_messages() as outbox:
        mail.send_message("Hello", [OPTED_OUT], "Thank you.")
        mail.send_message("Hello", [OPTED_OUT, BUYER], "Thank you.")
    assert [message.recipients for message in outbox] == [[BUYER]]
    assert server.arrived == []
