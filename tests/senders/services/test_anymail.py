"""django-anymail's backends behind the guard: its own for Mailgun and Postmark, and a service on loopback."""

# ruff: noqa: D102 - each class says by its name which sender it tests

import copy
import json
from collections.abc import Mapping, Sequence
from email.utils import getaddresses
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import pytest
from anymail.backends import mailgun, postmark
from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused
from anymail.message import AnymailMessage
from django.core import mail
from django.test import override_settings
from tests.senders.frameworks.project import SHOP, connection, email

from optoutkit.errors import Held
from optoutkit.testing.guards import RecordingGuard
from optoutkit.testing.senders.conformance import Delivered, Letter, SenderConformance, SenderDriver

OPTED_OUT, BUYER, SUPPLIER = "optedout@marketplace.amazon.de", "buyer@marketplace.amazon.de", "sales@supplier.example"
ORDER = "302-1234567-1234567"


class AnymailDriver(SenderDriver):
    """What the backends share: a status for each recipient, on the message."""

    held_as = AnymailAPIError
    backend: Any

    def __init__(self, service: Any, say: Any) -> None:
        self.service, self._say = service, say
        self._sent: Any = None
        service.answer = lambda asked: say(self.answer(asked))

    def answer(self, asked: Any) -> bytes:
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        raise NotImplementedError

    def make_sender(self) -> Any:
        return connection(self.backend, api_url=self.service.url, **self.options())

    def make_subclassed(self) -> Any:
        notifier = type("Notifier", (self.backend,), {"notify": lambda self, message: self.send_messages([message])})
        return connection(notifier, api_url=self.service.url, **self.options())

    def compose(self, letter: Letter) -> Any:
        return email(letter, AnymailMessage, metadata={"kind": "thanks"}, **({"template_id": "thanks"} if letter.textless else {}))

    def send(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        self._sent = message
        return sender.send_messages([message])

    def assert_reported(self, answer: Any, suppressed: Sequence[str]) -> None:
        rejected = [recipient for recipient, status in self._sent.anymail_status.recipients.items() if status.status == "rejected"]
        assert rejected == list(suppressed)
        assert answer == (len(self._sent.anymail_status.recipients) > len(rejected))

    def use_otherwise(self, sender: Any) -> Any:
        return sender.esp_name, sender.api_url, sender.open(), sender.open(), sender.close(), sender.session

    def picture(self, message: Any) -> Any:
        return copy.deepcopy({name: value for name, value in vars(message).items() if name != "anymail_status"})

    def fail(self) -> None:
        self.service.answer = lambda _asked: self._say(b"{}", 500)


class MailgunDriver(AnymailDriver):
    """anymail's backend for Mailgun."""

    backend = mailgun.EmailBackend

    def options(self) -> dict[str, Any]:
        return {"api_key": "key", "sender_domain": "shop.example"}

    def answer(self, asked: Any) -> bytes:
        return b'{"id": "<1@shop.example>", "message": "Queued. Thank you."}'

    def delivered(self) -> Sequence[Delivered]:
        return [self._delivered(parse_qsl(asked.body.decode())) for asked in self.service.asked]

    def _delivered(self, form: list[tuple[str, str]]) -> Delivered:
        recipients = [address for _, address in getaddresses([value for name, value in form if name in ("to", "cc", "bcc")])]
        return Delivered(tuple(recipients), json.dumps([pair for pair in form if pair[0] not in ("to", "cc", "bcc")]).encode())


class PostmarkDriver(AnymailDriver):
    """anymail's backend for Postmark."""

    backend = postmark.EmailBackend

    def options(self) -> dict[str, Any]:
        return {"server_token": "token"}

    def answer(self, asked: Any) -> bytes:
        bodies = asked.json.get("Messages", [asked.json])
        answers = [{"ErrorCode": 0, "Message": "OK", "MessageID": "1", "To": body["To"]} for body in bodies]
        return json.dumps(answers if "Messages" in asked.json else answers[0]).encode()

    def delivered(self) -> Sequence[Delivered]:
        return [self._delivered(asked.json) for asked in self.service.asked]

    def _delivered(self, body: dict[str, Any]) -> Delivered:
        fields = [field for name in ("To", "Cc", "Bcc") if (field := body.pop(name, ""))]
        recipients = [address for _, address in getaddresses(fields)]
        return Delivered(tuple(recipients), json.dumps(body).encode())


FIELDS = {"an_explicit_envelope_wins": "anymail sends to the message's to, cc and bcc, and to nobody else"}


class TestMailgun(SenderConformance):
    """Mailgun, with template sends where there is no text."""

    sender_name = "anymail's Mailgun backend"
    not_allowed: ClassVar[Mapping[str, str]] = FIELDS

    @pytest.fixture
    def driver(self, service: Any, say: Any) -> MailgunDriver:
        return MailgunDriver(service, say)


class TestPostmark(SenderConformance):
    """Postmark, likewise."""

    sender_name = "anymail's Postmark backend"
    not_allowed: ClassVar[Mapping[str, str]] = FIELDS

    @pytest.fixture
    def driver(self, service: Any, say: Any) -> PostmarkDriver:
        return PostmarkDriver(service, say)


@pytest.fixture
def guard() -> RecordingGuard:
    """A guard that knows a buyer and an order that are opted out."""
    return RecordingGuard(OPTED_OUT, ORDER)


@pytest.fixture
def postmarked(service: Any, say: Any, guard: RecordingGuard) -> Any:
    """Postmark's backend behind it."""
    return guard.wrap(PostmarkDriver(service, say).make_sender())


@pytest.fixture
def mailgunned(service: Any, say: Any, guard: RecordingGuard) -> Any:
    """Mailgun's."""
    return guard.wrap(MailgunDriver(service, say).make_sender())


def thanks(*to: str, **options: Any) -> Any:
    """A message that is not critical."""
    return AnymailMessage("Hello", "Thank you! Please leave us a review.", SHOP, list(to), **options)


def forms(service: Any) -> list[list[tuple[str, str]]]:
    """What Mailgun was asked."""
    return [parse_qsl(asked.body.decode()) for asked in service.asked]


def test_each_of_a_batch_is_decided_on_by_what_it_is_told(postmarked: Any, service: Any, guard: RecordingGuard) -> None:
    """An order in one recipient's data is no business of the others; the data of those left out is not sent, nor lost by the caller."""
    other = "other@marketplace.amazon.de"
    data = {BUYER: {"order": ORDER}, other: {"order": "302-7654321-7654321"}, OPTED_OUT: {}}
    message = thanks(BUYER, other, OPTED_OUT, template_id=7, merge_data=dict(data), merge_global_data={"shop": "Ours"}, cc=[SUPPLIER])
    assert postmarked.send_messages([message]) == 1
    (asked,) = service.asked
    (sent,) = asked.json["Messages"]
    assert (sent["To"], sent["Cc"], sent["TemplateModel"]) == (other, SUPPLIER, {"shop": "Ours", "order": "302-7654321-7654321"})
    assert BUYER not in asked.body.decode()
    assert message.merge_data == data
    assert len(guard.events) == 3
    statuses = {recipient: status.status for recipient, status in message.anymail_status.recipients.items()}
    assert statuses == {other: "sent", SUPPLIER: "sent", BUYER: "rejected", OPTED_OUT: "rejected"}


def test_a_batch_of_which_nobody_is_left_goes_to_nobody(postmarked: Any, service: Any) -> None:
    """Whoever is in copy would have got copies of what the others got."""
    message = thanks(OPTED_OUT, merge_metadata={OPTED_OUT: {"id": 1}}, cc=[SUPPLIER], bcc=["archive@shop.example"])
    assert postmarked.send_messages([message]) == 0
    assert service.asked == []
    assert [status.status for status in message.anymail_status.recipients.values()] == ["rejected"]


def test_orders_that_the_service_is_told_count(mailgunned: Any, service: Any) -> None:
    """As metadata, as data of a template, in its subject; metadata pass as they are; what cannot be written is the backend's business."""
    assert mailgunned.send_messages([thanks(BUYER, metadata={"order": ORDER})]) == 0
    assert mailgunned.send_messages([thanks(BUYER, template_id="thanks", merge_global_data={"order": ORDER})]) == 0
    assert mailgunned.send_messages([AnymailMessage(f"Order {ORDER}", "", SHOP, [BUYER], template_id="thanks")]) == 0
    assert service.asked == []
    other = "other@marketplace.amazon.de"
    assert mailgunned.send_messages([thanks(other, metadata={"order": "1"})]) == 1
    endless: dict[str, Any] = {}
    endless["self"] = endless
    with pytest.raises(RecursionError):
        mailgunned.send_messages([thanks(other, metadata={"order": endless})])
    assert ("v:order", "1") in forms(service)[0]


def test_somebody_always_stands_in_to(mailgunned: Any, service: Any) -> None:
    """As Mailgun wants it: those in cc take the place; of those in bcc each gets a copy alone, so that nobody is shown to another."""
    assert mailgunned.send_messages([thanks(OPTED_OUT, cc=[SUPPLIER], bcc=["a@shop.example"])]) == 1
    message = thanks(OPTED_OUT, bcc=["a@shop.example", "b@shop.example"])
    assert mailgunned.send_messages([message]) == 1
    told = [[(name, value) for name, value in form if name in ("to", "cc", "bcc")] for form in forms(service)]
    assert told == [[("to", SUPPLIER), ("bcc", "a@shop.example")], [("to", "a@shop.example")], [("to", "b@shop.example")]]
    assert {recipient: status.status for recipient, status in message.anymail_status.recipients.items()} == {
        "a@shop.example": "queued",
        "b@shop.example": "queued",
        OPTED_OUT: "rejected",
    }


def test_what_the_service_refuses_is_reported_beside_it(postmarked: Any, service: Any, say: Any) -> None:
    """It raises where nobody is left; the message then tells of all."""
    refused = f"You tried to send to an inactive recipient.\nFound inactive addresses: {BUYER}.\nInactive recipients are"
    service.answer = lambda _asked: say(json.dumps({"ErrorCode": 406, "Message": refused}).encode(), 422)
    message = thanks(BUYER, OPTED_OUT)
    with pytest.raises(AnymailRecipientsRefused):
        postmarked.send_messages([message])
    assert {status.status for status in message.anymail_status.recipients.values()} == {"rejected"}
    assert set(message.anymail_status.recipients) == {BUYER, OPTED_OUT}


def test_a_template_of_the_settings_hides_the_text(service: Any, say: Any, guard: RecordingGuard) -> None:
    """Where anymail's own settings name one for all messages, what the caller wrote is not what is sent."""
    text = "Your address is incomplete. Please send us the house number, or we cannot ship your order."
    with override_settings(ANYMAIL={"SEND_DEFAULTS": {"template_id": "thanks"}}):
        guarded = guard.wrap(MailgunDriver(service, say).make_sender())
    assert guarded.send_messages([AnymailMessage("Your order", text, SHOP, [OPTED_OUT])]) == 0
    unset = AnymailMessage("Your order", text, SHOP, [OPTED_OUT])
    unset.template_id = None  # which is to say: none, whatever the settings name
    assert guarded.send_messages([unset]) == 1
    with guard.declare(topic="shipping_address"):
        assert guarded.send_messages([AnymailMessage("Your order", text, SHOP, [OPTED_OUT])]) == 1


def test_held_is_anymails_own_kind(postmarked: Any, guard: RecordingGuard, service: Any) -> None:
    """It tells its text as other errors of anymail's do, and names the messages."""
    guard.store.down = True
    message = thanks(BUYER)
    with pytest.raises(AnymailAPIError, match="Nothing of the message was sent") as caught:
        postmarked.send_messages([message, thanks(SUPPLIER)])
    assert isinstance(caught.value, Held)
    assert caught.value.email_messages == [message]  # type: ignore[attr-defined]
    assert [asked.json["To"] for asked in service.asked] == [SUPPLIER]


def test_anymails_backend_for_tests_can_be_wrapped(guard: RecordingGuard, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps what would have been sent, with what is for those who are left only."""
    from anymail.backends.test import EmailBackend

    monkeypatch.setattr(mail, "outbox", [], raising=False)
    data = {OPTED_OUT: {"name": "Out"}, BUYER: {"name": "Jo"}}
    message = thanks(OPTED_OUT, BUYER, merge_data=data)
    assert guard.wrap(connection(EmailBackend)).send_messages([message]) == 1
    (sent,) = mail.outbox
    assert [str(address) for address in sent.anymail_test_params["to"]] == [BUYER]
    assert sent.anymail_test_params["merge_data"] == {BUYER: {"name": "Jo"}}
    assert (message.to, message.merge_data) == ([OPTED_OUT, BUYER], data)
