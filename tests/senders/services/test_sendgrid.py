"""The adapter for SendGrid: its own client, and a service on loopback that takes what SendGrid takes."""

# ruff: noqa: D102 - each class says by its name which sender it tests

import base64
import json
from collections.abc import Sequence
from email.utils import getaddresses
from typing import Any

import pytest
import sendgrid
from python_http_client.exceptions import HTTPError
from sendgrid.helpers.mail import Bcc, Cc, Mail, To

from optoutkit.errors import Held, InvalidMessage, UnknownSender
from optoutkit.senders.sendgrid.client import HeldMail
from optoutkit.testing.guards import AsyncRecordingGuard, RecordingGuard
from optoutkit.testing.senders.conformance import Delivered, Letter, SenderConformance, SenderDriver

SHOP = {"email": "shop@shop.example"}
OPTED_OUT, BUYER, SUPPLIER = "optedout@marketplace.amazon.de", "buyer@marketplace.amazon.de", "sales@supplier.example"
ORDER = "302-1234567-1234567"


class Notifier(sendgrid.SendGridAPIClient):  # type: ignore[misc]  # the library has no types
    """A subclass with a method of its own."""

    def notify(self, message: Any) -> Any:
        """Send."""
        return self.send(message)


def named(kind: Any, recipients: Sequence[str]) -> list[Any]:
    """The library's objects for recipients that may have names."""
    return [kind(address, name or None) for name, address in getaddresses(recipients)]


class SendGridDriver(SenderDriver):
    """``send`` with the library's own Mail."""

    held_as = HTTPError

    def __init__(self, service: Any, say: Any) -> None:
        self.service, self._say = service, say
        service.answer = lambda _asked: say(b"", 202)

    def make_sender(self) -> Any:
        return sendgrid.SendGridAPIClient("key", host=self.service.url)

    def make_subclassed(self) -> Any:
        return Notifier("key", host=self.service.url)

    def compose(self, letter: Letter) -> Any:
        mail = Mail(SHOP["email"], named(To, letter.to), letter.subject)
        for kind, recipients in ((Cc, letter.cc), (Bcc, letter.bcc)):
            for recipient in named(kind, recipients):
                mail.add_cc(recipient) if kind is Cc else mail.add_bcc(recipient)
        if letter.textless:
            mail.template_id = "d-1"
            mail.dynamic_template_data = {"text": letter.text}
            return mail
        mail.add_content(letter.text, "text/plain")
        if letter.html is not None:
            mail.add_content(letter.html, "text/html")
        return mail

    def picture(self, message: Any) -> Any:
        return message.get()

    def send(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        assert envelope is None
        return sender.send(message)

    def delivered(self) -> Sequence[Delivered]:
        return [
            Delivered(tuple(recipients_of(one)), json.dumps([without(one), {**asked.json, "personalizations": None}]).encode())
            for asked in self.service.asked
            if asked.path == "/v3/mail/send"
            for one in asked.json["personalizations"]
        ]

    def assert_reported(self, answer: Any, suppressed: Sequence[str]) -> None:
        assert answer.headers.get_all("X-Suppressed") == list(suppressed)
        assert (answer.status_code, answer.body) == (202, b"")

    def picture_of_answer(self, answer: Any) -> Any:
        return answer.status_code, answer.body, answer.to_dict, answer.headers["Content-Type"]

    def fail(self) -> None:
        self.service.answer = lambda _asked: self._say(b'{"errors": []}', 500)

    def use_otherwise(self, sender: Any) -> Any:
        bounces = sender.client.suppression.bounces.get(query_params={"limit": 1}).status_code
        return bounces, sender.client._("asm/groups")._(7).delete().body, sender.host, sender.useragent, self.service.asked[-1].path


class SendGridPostDriver(SendGridDriver):
    """``client.mail.send.post`` with a dict."""

    def compose(self, letter: Letter) -> Any:
        return super().compose(letter).get()

    def picture(self, message: Any) -> Any:
        return json.dumps(message)

    def make_subclassed(self) -> Any:
        class Poster(sendgrid.SendGridAPIClient):  # type: ignore[misc]
            def notify(self, message: Any) -> Any:
                return self.client.mail.send.post(request_body=message)

        return Poster("key", host=self.service.url)

    def send(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        assert envelope is None
        return sender.client.mail.send.post(request_body=message)


def recipients_of(personalization: Any) -> list[str]:
    """Whom a personalization is for."""
    return [entry["email"] for field in ("to", "cc", "bcc") for entry in personalization.get(field, ())]


def without(personalization: Any) -> Any:
    """A personalization without its recipients."""
    return {name: value for name, value in personalization.items() if name not in ("to", "cc", "bcc")}


NOT_ALLOWED = {
    "an_explicit_envelope_wins": "the message names the recipients, and nothing else does",
    "a_context_manager_gives_a_guarded_sender": "the client is none",
}


class TestSendGrid(SenderConformance):
    sender_name = "SendGrid send"
    not_allowed = NOT_ALLOWED

    @pytest.fixture
    def driver(self, service: Any, say: Any) -> SenderDriver:
        return SendGridDriver(service, say)


class TestSendGridPost(SenderConformance):
    sender_name = "SendGrid client.mail.send.post"
    not_allowed = NOT_ALLOWED

    @pytest.fixture
    def driver(self, service: Any, say: Any) -> SenderDriver:
        return SendGridPostDriver(service, say)


@pytest.fixture
def guard() -> RecordingGuard:
    """A guard that knows a buyer who opted out, and an order whose buyer did."""
    return RecordingGuard(OPTED_OUT, ORDER)


@pytest.fixture
def client(guard: Any, service: Any, say: Any) -> Any:
    """A guarded client."""
    service.answer = lambda _asked: say(b"", 202)
    return guard.wrap(sendgrid.SendGridAPIClient("key", host=service.url))


def to(*addresses: str, **more: Any) -> dict[str, Any]:
    """A personalization."""
    return {"to": [{"email": address} for address in addresses], **more}


def body(*personalizations: Any, **more: Any) -> dict[str, Any]:
    """A request's body."""
    content = [{"type": "text/plain", "value": "Thank you."}]
    return {"from": SHOP, "subject": "Hello", "content": content, "personalizations": list(personalizations), **more}


def test_each_personalization_is_decided_on_for_itself(client: Any, service: Any, guard: Any) -> None:
    """One of which nobody is left is dropped; the others keep what is theirs; the caller's body is not changed."""
    given = body(to(OPTED_OUT, subject="A"), to(SUPPLIER, OPTED_OUT, subject="B", custom_args={"a": "1"}), to(BUYER))
    before = json.dumps(given)
    response = client.send(given)
    assert service.asked[0].json["personalizations"] == [to(SUPPLIER, subject="B", custom_args={"a": "1"}), to(BUYER)]
    assert response.headers.get_all("X-Suppressed") == [OPTED_OUT, OPTED_OUT]
    assert [event.message.subject for event in guard.events] == ["A", "B", "Hello"]
    assert json.dumps(given) == before


def test_who_is_left_of_cc_and_bcc_takes_the_place_of_to(client: Any, service: Any) -> None:
    """SendGrid takes no message without ``to``. Nobody of Bcc is shown to anybody."""
    hidden = [{"email": "a@shop.example"}, {"email": "b@shop.example"}]
    client.send(body(to(OPTED_OUT, cc=[{"email": SUPPLIER, "name": "S"}], bcc=hidden)))
    client.send(body(to(OPTED_OUT, bcc=[*hidden, {"email": OPTED_OUT}], subject="A")))
    assert service.asked[0].json["personalizations"] == [{"to": [{"email": SUPPLIER, "name": "S"}], "bcc": hidden}]
    assert service.asked[1].json["personalizations"] == [to("a@shop.example", subject="A"), to("b@shop.example", subject="A")]


def test_a_template_needs_a_declared_topic(client: Any, service: Any, guard: Any) -> None:
    """Whatever content stands beside it; the orders that it is told count."""
    text = [{"type": "text/plain", "value": "Your shipping address is incomplete. Please send us the house number."}]
    client.send(body(to(OPTED_OUT), content=text, template_id="d-1"))
    client.send(body(to(BUYER, dynamic_template_data={"orders": [{"id": ORDER}]}), template_id="d-1"))
    client.send(body(to(BUYER, substitutions={"-order-": ORDER})))
    assert service.asked == []
    client.send(body(to(OPTED_OUT), content=text))
    with guard.declare(topic="shipping_address"):
        client.send(body(to(OPTED_OUT), template_id="d-1"))
    assert len(service.asked) == 2


def test_every_way_to_the_same_path_is_guarded(client: Any, service: Any) -> None:
    """Names as attributes, by ``_``, by another version, with slashes or a query of one's own, with JSON in place of a dict."""
    written, headers = json.dumps(body(to(OPTED_OUT))), {"Content-Type": "application/json; charset=utf-8"}
    http = client.client
    http._("mail")._("send").post(body(to(OPTED_OUT)))
    for path in ("mail/send", "/mail//send/", "Mail/Send?x=1"):
        http._(path).post(request_body=body(to(OPTED_OUT)))
    http.version(3).mail.send.post(request_body=body(to(OPTED_OUT)))
    http.mail.send.post(request_body=written, request_headers=headers)
    assert service.asked == []
    http.mail.send.post(request_body=json.dumps(body(to(OPTED_OUT, BUYER))), request_headers=headers)
    http.mail.batch.post(request_body=None)
    assert service.asked[0].json == body(to(BUYER))
    assert service.asked[1].path == "/v3/mail/batch"


def test_attachments_are_seen(client: Any, guard: Any) -> None:
    """By whoever checks guidelines: names, types and sizes."""
    content = base64.b64encode(b"%PDF-1").decode()
    attachments = [{"filename": "a.pdf", "content": content}, {"filename": "b", "type": "image/gif", "content": ""}, {"filename": "c"}]
    client.send(body(to(BUYER), attachments=attachments))
    seen = [(attached.content_type, attached.size) for attached in guard.events[0].message.attachments]
    assert seen == [("application/pdf", 6), ("image/gif", 0), ("application/octet-stream", 0)]


def test_an_outage_holds_all(client: Any, guard: Any, service: Any) -> None:
    """It is caught as such and as the client's own, and the whole request can be sent again."""
    guard.store.down = True
    with pytest.raises(HTTPError) as caught:
        client.send(body(to(SUPPLIER), to(BUYER)))
    held: Any = caught.value
    assert issubclass(caught.type, Held)
    assert caught.type is HeldMail
    assert held.status_code == 503
    assert held.to_dict["errors"][0]["message"] == str(held)
    assert service.asked == []


@pytest.mark.parametrize(
    "odd",
    [
        {"personalizations": 7},
        {"personalizations": [7, {"to": BUYER}, {"to": [BUYER, {"email": 7}, {}]}]},
        {"content": [{"type": ["x"], "value": 7}, 7], "personalizations": []},
        [],
        "no JSON",
        "7",
        None,
    ],
)
def test_what_the_api_does_not_know_is_its_own_business(client: Any, service: Any, guard: Any, odd: Any) -> None:
    """It is sent as it is."""
    client.client.mail.send.post(request_body=odd)
    assert len(service.asked) == 1
    assert guard.events == []


def test_what_is_odd_beside_a_recipient_stops_nothing(client: Any, service: Any) -> None:
    """The guard reads over it, and takes it out only with a recipient's part."""
    odd = body(7, {"to": [{"email": OPTED_OUT}, {"email": BUYER}, {"email": []}, 7]}, content=[{"type": [], "value": []}], subject=7)
    client.send(odd)
    assert service.asked[0].json["personalizations"] == [to(BUYER)]


def test_what_cannot_be_written_fails_as_it_does_there(client: Any, service: Any) -> None:
    """Data that is no JSON is the client's to refuse; JSON too deep to be read is refused here."""
    with pytest.raises(TypeError):
        client.send(body(to(BUYER, dynamic_template_data={"at": object()})))
    with pytest.raises(InvalidMessage):
        client.client.mail.send.post(request_body="[" * 100_000)
    assert service.asked == []


def test_it_needs_a_guard_that_blocks() -> None:
    """The error says so."""
    with pytest.raises(UnknownSender, match="wrap it with a Guard"):
        AsyncRecordingGuard().wrap(sendgrid.SendGridAPIClient("key"))
