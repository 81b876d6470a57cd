"""The adapter for Amazon SES: boto3's own clients, and a service on loopback that takes what SES takes."""

# ruff: noqa: D102 - each class says by its name which sender it tests

import base64
import contextlib
import functools
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from email import message_from_bytes
from email.policy import default
from email.utils import getaddresses
from typing import Any
from urllib.parse import parse_qsl

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from tests.senders.test_conformance import mail

from optoutkit.errors import UnknownSender
from optoutkit.identities import OrderId
from optoutkit.ledgers import open_ledger
from optoutkit.senders.ses.client import HeldEmail
from optoutkit.testing.guards import AsyncRecordingGuard, RecordingGuard
from optoutkit.testing.senders.conformance import Delivered, Letter, SenderConformance, SenderDriver

SHOP = "shop@shop.example"
OPTED_OUT, BUYER, SUPPLIER = "optedout@marketplace.amazon.de", "buyer@marketplace.amazon.de", "sales@supplier.example"
ORDER = "302-1234567-1234567"

FIELDS = ("ToAddresses", "CcAddresses", "BccAddresses")
SESSION = boto3.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret", region_name="eu-central-1")


def answer_of_ses(say: Any, asked: Any) -> Any:
    """What either version of SES says, as far as the tests read it."""
    if asked.path.startswith("/v2/"):
        results = [{"Status": "SUCCESS", "MessageId": "1"}, {"Status": "ACCOUNT_THROTTLED", "Error": "slower"}]
        return say(json.dumps({"MessageId": "1", "BulkEmailEntryResults": results, "SendingEnabled": True}).encode())
    action = dict(parse_qsl(asked.body.decode()))["Action"]
    results_v1 = "".join(f"<member><Status>Success</Status><MessageId>{number}</MessageId></member>" for number in (1, 2))
    result = f"<MessageId>1</MessageId><Status>{results_v1}</Status><Identities><member>shop.example</member></Identities>"
    return say(f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>".encode(), 200, "text/xml")


class Notifier:
    """A method that somebody wrote on top of a client, in the way that boto3 has for it."""

    def notify(self: Any, message: Any) -> Any:
        operation, params = message
        return getattr(self, operation)(**params)


def client(name: str, url: str, session: Any = SESSION) -> Any:
    """A client of the service on loopback, which tries once."""
    return session.client(name, endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))


class SesDriver(SenderDriver):
    """What all of SES's operations share: a message is the name of an operation and its parameters."""

    held_as = ClientError
    name: str

    def __init__(self, service: Any, say: Any) -> None:
        self.service, self._say = service, say
        self._clients = [client(self.name, service.url)]
        service.answer = functools.partial(answer_of_ses, say)

    def make_sender(self) -> Any:
        """One client for all, as boto3 makes a class of its own for each."""
        return self._clients[0]

    def make_subclassed(self) -> Any:
        session = boto3.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret", region_name="eu-central-1")
        session.events.register(f"creating-client-class.{self.name}", lambda base_classes, **_: base_classes.insert(0, Notifier))
        self._clients.append(client(self.name, self.service.url, session))
        return self._clients[-1]

    def send(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        operation, params = message
        if envelope is not None:
            params = {**params, **self.to(envelope)}
        return getattr(sender, operation)(**params)

    def to(self, envelope: Sequence[str]) -> dict[str, Any]:
        raise NotImplementedError

    def opened(self, sender: Any) -> AbstractContextManager[Any]:
        return contextlib.closing(sender)

    def assert_reported(self, answer: Any, suppressed: Sequence[str]) -> None:
        told = answer["ResponseMetadata"]["Suppressed"]
        assert list(told) == list(suppressed)
        assert all(text.startswith("It must not go: ") for text in told.values())

    def picture_of_answer(self, answer: Any) -> Any:
        return {**answer, "ResponseMetadata": {**answer["ResponseMetadata"], "HTTPHeaders": None}}

    def fail(self) -> None:
        self.service.answer = lambda _asked: self._say(b"{}", 403)

    def close(self) -> None:
        for made in self._clients:
            made.close()


class V1Driver(SesDriver):
    """``send_email`` of the first version, and ``send_templated_email`` for what shows no text."""

    name = "ses"

    def compose(self, letter: Letter) -> Any:
        params = {"Source": SHOP, "Destination": destination(letter)}
        if letter.textless:
            return "send_templated_email", {**params, "Template": "thanks", "TemplateData": json.dumps({"text": letter.text})}
        return "send_email", {**params, "Message": written(letter)}

    def delivered(self) -> Sequence[Delivered]:
        return [self._delivered(form) for form in sent_forms(self.service)]

    def _delivered(self, form: dict[str, str]) -> Delivered:
        recipients = [form.pop(key) for field in FIELDS for key in list(form) if key.startswith(f"Destination.{field}.")]
        return Delivered(bare(recipients), json.dumps(form).encode())

    def use_otherwise(self, sender: Any) -> Any:
        pages = sender.get_paginator("list_identities").paginate()
        identities = [name for page in pages for name in page["Identities"]]
        return identities, sender.meta.region_name, sender.can_paginate("list_identities"), sender.exceptions.MessageRejected.__name__


class V1RawDriver(V1Driver):
    """``send_raw_email``."""

    def compose(self, letter: Letter) -> Any:
        return "send_raw_email", {"RawMessage": {"Data": mail(letter).as_bytes()}}

    def to(self, envelope: Sequence[str]) -> dict[str, Any]:
        return {"Destinations": list(envelope)}

    def _delivered(self, form: dict[str, str]) -> Delivered:
        data = base64.b64decode(form.pop("RawMessage.Data"))
        given = [form.pop(key) for key in list(form) if key.startswith("Destinations.")]
        return Delivered(bare(given) or header_recipients(data), as_read(data))


class V2Driver(SesDriver):
    """``send_email`` of the second version with simple content, or a template for what shows no text."""

    name = "sesv2"

    def compose(self, letter: Letter) -> Any:
        content = {"Template": {"TemplateName": "thanks", "TemplateData": "{}"}} if letter.textless else {"Simple": written(letter)}
        return "send_email", {"FromEmailAddress": SHOP, "Destination": destination(letter), "Content": content}

    def delivered(self) -> Sequence[Delivered]:
        return [self._read(asked.json) for asked in self.service.asked if asked.path == "/v2/email/outbound-emails"]

    def _read(self, sent: Any) -> Delivered:
        to = sent.pop("Destination")
        return Delivered(bare(recipient for field in FIELDS for recipient in to.get(field, ())), json.dumps(sent).encode())

    def use_otherwise(self, sender: Any) -> Any:
        return sender.get_account()["SendingEnabled"], sender.meta.service_model.service_name, sender.can_paginate("get_account")


class V2RawDriver(V2Driver):
    """``send_email`` of the second version with raw content."""

    def compose(self, letter: Letter) -> Any:
        return "send_email", {"Content": {"Raw": {"Data": mail(letter).as_bytes()}}}

    def to(self, envelope: Sequence[str]) -> dict[str, Any]:
        return {"Destination": {"ToAddresses": list(envelope)}}

    def _read(self, sent: Any) -> Delivered:
        data, to = base64.b64decode(sent["Content"]["Raw"]["Data"]), sent.get("Destination", {})
        return Delivered(bare(recipient for field in FIELDS for recipient in to.get(field, ())) or header_recipients(data), as_read(data))


def destination(letter: Letter) -> dict[str, list[str]]:
    """Whom a letter is for, as SES wants it said."""
    return {name: list(to) for name, to in zip(FIELDS, (letter.to, letter.cc, letter.bcc), strict=True) if to}


def written(letter: Letter) -> dict[str, Any]:
    """What a letter says, as SES wants it said."""
    body = {"Text": {"Data": letter.text}} | ({} if letter.html is None else {"Html": {"Data": letter.html}})
    return {"Subject": {"Data": letter.subject, "Charset": "UTF-8"}, "Body": body}


def bare(recipients: Any) -> tuple[str, ...]:
    """The addresses alone."""
    return tuple(address for _, address in getaddresses(list(recipients)))


def header_recipients(data: bytes) -> tuple[str, ...]:
    """Whom a raw mail is for that names nobody beside it."""
    message = message_from_bytes(data, policy=default)
    return tuple(mailbox.addr_spec for name in ("To", "Cc", "Bcc") if message[name] for mailbox in message[name].addresses)


def as_read(data: bytes) -> bytes:
    """A raw mail as it is delivered: nobody gets the Bcc field to read."""
    return re.sub(rb"(?m)^Bcc: .*\n(?: .*\n)*", b"", data)


def sent_forms(service: Any) -> list[dict[str, str]]:
    """What was sent by the first version."""
    forms = (dict(parse_qsl(asked.body.decode())) for asked in service.asked)
    return [form for form in forms if form["Action"].startswith("Send")]


PARAMETERS = {"an_explicit_envelope_wins": "the parameters name the recipients, and nothing else does"}


class TestSes(SenderConformance):
    sender_name = "SES send_email, send_templated_email"
    not_allowed = PARAMETERS

    @pytest.fixture
    def driver(self, service: Any, say: Any) -> SenderDriver:
        return V1Driver(service, say)


class TestSesRaw(SenderConformance):
    sender_name = "SES send_raw_email"

    @pytest.fixture
    def driver(self, service: Any, say: Any) -> SenderDriver:
        return V1RawDriver(service, say)


class TestSesV2(SenderConformance):
    sender_name = "SES v2 send_email (simple, template)"
    not_allowed = PARAMETERS

    @pytest.fixture
    def driver(self, service: Any, say: Any) -> SenderDriver:
        return V2Driver(service, say)


class TestSesV2Raw(SenderConformance):
    sender_name = "SES v2 send_email (raw)"

    @pytest.fixture
    def driver(self, service: Any, say: Any) -> SenderDriver:
        return V2RawDriver(service, say)


@pytest.fixture
def guard() -> RecordingGuard:
    """A guard that knows one buyer who opted out, and an order whose buyer did."""
    return RecordingGuard(OPTED_OUT, ORDER)


@pytest.fixture
def ses(guard: Any, service: Any, say: Any) -> Iterator[Any]:
    """A guarded client of the first version."""
    service.answer = functools.partial(answer_of_ses, say)
    with contextlib.closing(client("ses", service.url)) as made:
        yield guard.wrap(made)


@pytest.fixture
def sesv2(guard: Any, service: Any, say: Any) -> Iterator[Any]:
    """A guarded client of the second version."""
    service.answer = functools.partial(answer_of_ses, say)
    with contextlib.closing(client("sesv2", service.url)) as made:
        yield guard.wrap(made)


def entries(*destinations: Sequence[str], **more: Any) -> list[dict[str, Any]]:
    """Entries of a bulk send."""
    return [{"Destination": {"ToAddresses": list(to)}, **more} for to in destinations]


def test_each_entry_of_a_bulk_send_is_decided_on_for_itself(ses: Any, service: Any, guard: Any) -> None:
    """What is left goes in one call, and the answer has a status an entry, in the order given."""
    destinations = entries([OPTED_OUT], [SUPPLIER, OPTED_OUT], [OPTED_OUT], [BUYER])
    answer = ses.send_bulk_templated_email(Source=SHOP, Template="thanks", DefaultTemplateData="{}", Destinations=destinations)
    assert [status["Status"] for status in answer["Status"]] == ["MessageRejected", "Success", "MessageRejected", "Success"]
    assert answer["Status"][0]["Error"].startswith("It must not go: ")
    assert [status.get("MessageId") for status in answer["Status"]] == [None, "1", None, "2"]
    assert list(answer["ResponseMetadata"]["Suppressed"]) == [OPTED_OUT]
    (form,) = sent_forms(service)
    assert [value for key, value in form.items() if key.startswith("Destinations.")] == [SUPPLIER, BUYER]
    assert destinations == entries([OPTED_OUT], [SUPPLIER, OPTED_OUT], [OPTED_OUT], [BUYER]), "the caller's parameters are not changed"
    assert len(guard.events) == 4


def test_the_second_versions_bulk_send_too(sesv2: Any, service: Any) -> None:
    """With its own words; what SES says of the others stands."""
    content = {"Template": {"TemplateName": "thanks", "TemplateData": "{}"}}
    answer = sesv2.send_bulk_email(DefaultContent=content, BulkEmailEntries=entries([SUPPLIER], [OPTED_OUT], [BUYER]))
    assert [result["Status"] for result in answer["BulkEmailEntryResults"]] == ["SUCCESS", "MESSAGE_REJECTED", "ACCOUNT_THROTTLED"]
    assert [entry["Destination"]["ToAddresses"] for entry in service.asked[0].json["BulkEmailEntries"]] == [[SUPPLIER], [BUYER]]


def test_an_entry_that_ses_did_not_take_uses_no_request_up(service: Any, say: Any) -> None:
    """By its status in the answer, in either version's words."""
    service.answer = functools.partial(answer_of_ses, say)
    orders = [OrderId("302-1111111-1111111"), OrderId("302-2222222-2222222")]
    told = [json.dumps({"order": str(order)}) for order in orders]
    ledger = open_ledger("memory://")
    guard = RecordingGuard(OPTED_OUT, ledger=ledger)
    replaced = [entries([BUYER], ReplacementEmailContent={"ReplacementTemplate": {"ReplacementTemplateData": data}})[0] for data in told]
    with guard.declare(topic="review_request"), contextlib.closing(client("sesv2", service.url)) as made:
        content = {"Template": {"TemplateName": "ask", "TemplateData": "{}"}}
        guard.wrap(made).send_bulk_email(DefaultContent=content, BulkEmailEntries=[*entries([OPTED_OUT]), *replaced])
    assert list(ledger.lookup(orders)) == orders[:1], "the other was throttled"
    with guard.declare(topic="review_request"), contextlib.closing(client("ses", service.url)) as made:
        destinations = [*entries([OPTED_OUT]), *entries([BUYER], ReplacementTemplateData=told[1]), *entries([SUPPLIER])]
        guard.wrap(made).send_bulk_templated_email(Source=SHOP, Template="ask", DefaultTemplateData="{}", Destinations=destinations)
    assert set(ledger.lookup(orders)) == set(orders)


@pytest.mark.parametrize("version", ["ses", "sesv2"])
def test_a_bulk_send_of_which_nothing_is_left_is_not_made(request: pytest.FixtureRequest, service: Any, version: str) -> None:
    """All entries come back as rejected."""
    sender = request.getfixturevalue(version)
    if version == "ses":
        options: Any = {
            "Source": SHOP,
            "Template": "thanks",
            "DefaultTemplateData": "{}",
            "Destinations": entries([OPTED_OUT], [OPTED_OUT]),
        }
        statuses = sender.send_bulk_templated_email(**options)["Status"]
    else:
        options = {"DefaultContent": {"Template": {"TemplateName": "thanks"}}, "BulkEmailEntries": entries([OPTED_OUT], [OPTED_OUT])}
        statuses = sender.send_bulk_email(**options)["BulkEmailEntryResults"]
    assert {status["Status"].replace("_", "").lower() for status in statuses} == {"messagerejected"}
    assert len(statuses) == 2
    assert service.asked == []


def test_a_bulk_send_with_nobody_suppressed_is_not_touched(ses: Any, sesv2: Any, service: Any) -> None:
    """Parameters and answer are the caller's and SES's; a declared critical topic lets a template go to everybody."""
    options = {"Source": SHOP, "Template": "thanks", "DefaultTemplateData": "{}"}
    answer = ses.send_bulk_templated_email(**options, Destinations=entries([SUPPLIER], [BUYER]))
    assert "Suppressed" not in answer["ResponseMetadata"]
    with ses._guard.declare(topic="shipping_address"):
        ses.send_bulk_templated_email(**options, Destinations=entries([OPTED_OUT], [BUYER]))
        sesv2.send_bulk_email(DefaultContent={"Template": {"TemplateName": "ask"}}, BulkEmailEntries=entries([OPTED_OUT]))
    assert len(service.asked) == 3


def test_an_outage_holds_a_whole_bulk_send(ses: Any, guard: Any, service: Any) -> None:
    """An entry for a buyer holds the others, as they leave together; boto3's users see a failure of the service."""
    guard.store.down = True
    destinations = entries([SUPPLIER], [BUYER])
    with pytest.raises(HeldEmail) as caught:
        ses.send_bulk_templated_email(Source=SHOP, Template="thanks", DefaultTemplateData="{}", Destinations=destinations)
    assert isinstance(caught.value, ClientError)
    assert caught.value.response["Error"]["Code"] == "ServiceUnavailable"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert service.asked == []


def test_the_orders_that_a_template_is_told_count(ses: Any, sesv2: Any, service: Any) -> None:
    """Of the entry, else of the whole call: their buyer opted out, whose address nobody knows yet."""
    data = json.dumps({"order": ORDER})
    ses.send_templated_email(Source=SHOP, Template="thanks", TemplateData=data, Destination={"ToAddresses": [BUYER]})
    ses.send_bulk_templated_email(Source=SHOP, Template="t", DefaultTemplateData=data, Destinations=entries([BUYER]))
    replacement = {"ReplacementTemplate": {"ReplacementTemplateData": data}}
    content = {"Template": {"TemplateName": "thanks", "TemplateData": "{}"}}
    sesv2.send_bulk_email(DefaultContent=content, BulkEmailEntries=entries([BUYER], ReplacementEmailContent=replacement))
    sesv2.send_email(Destination={"ToAddresses": [BUYER]}, Content={"Template": {"TemplateName": "thanks", "TemplateData": data}})
    assert service.asked == []
    others = entries(["another@marketplace.amazon.de"], ReplacementTemplateData='{"order": "302-7654321-7654321"}')
    ses.send_bulk_templated_email(Source=SHOP, Template="t", DefaultTemplateData=data, Destinations=others)
    assert len(service.asked) == 1


def test_a_template_that_stands_in_the_call_is_read(sesv2: Any, guard: Any, service: Any) -> None:
    """With what it is told: a solicitation in either takes back what the caller declared; without one the text itself can be critical."""
    shipping = "The house number of your shipping address is missing. Please send us the complete address."
    review = "Please leave us a product review on Amazon. We would love five stars!"
    destination = {"ToAddresses": [OPTED_OUT]}
    for text, told in ((shipping, {"more": review}), (review, {}), (shipping, {"more": "\N{HEAVY BLACK HEART} " + review})):
        template = {"TemplateContent": {"Subject": "Your order", "Text": text}, "TemplateData": json.dumps(told)}
        bulk = {"Template": {**template, "TemplateContent": {"Html": f"<p>{text}</p>"}}}
        with guard.declare(topic="shipping_address"):
            sesv2.send_email(Destination=destination, Content={"Template": template})
            sesv2.send_bulk_email(DefaultContent=bulk, BulkEmailEntries=entries([OPTED_OUT]))
    assert service.asked == []
    template = {"TemplateContent": {"Text": shipping}, "TemplateData": "{"}
    sesv2.send_email(Destination=destination, Content={"Template": template})
    assert [decision.reason for decision in guard.decisions[-1:]] == ["critical"]
    assert len(service.asked) == 1


def test_two_guards_tell_of_all_they_suppressed(ses: Any, service: Any) -> None:
    """In one response."""
    message = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Thank you."}}}
    both = RecordingGuard(BUYER).wrap(ses)
    response = both.send_email(Source=SHOP, Destination={"ToAddresses": [BUYER, SUPPLIER, OPTED_OUT]}, Message=message)
    assert set(response["ResponseMetadata"]["Suppressed"]) == {BUYER, OPTED_OUT}
    assert len(service.asked) == 1


def test_a_raw_mail_passes_byte_for_byte(ses: Any, service: Any) -> None:
    """Its fields To and Cc, too, even where they name who does not get it; only Bcc, if the recipients are taken from there, is cut."""
    text = f"To: {OPTED_OUT},\r\n  {SUPPLIER}\r\nbCC : a@shop.example,\r\n\tb@shop.example\r\nSubject: Hi\r\n\r\nBcc: stays\r\n"
    ses.send_raw_email(RawMessage={"Data": text})
    ses.send_raw_email(RawMessage={"Data": bytearray(text.encode())}, Destinations=[OPTED_OUT, BUYER])
    ses.send_raw_email(RawMessage={"Data": text.replace(OPTED_OUT, BUYER)})
    ses.send_raw_email(RawMessage={"Data": f"To: {OPTED_OUT}, {BUYER}\nBcc: c@shop.example"})
    cut, explicit, whole, bodiless = sent_forms(service)
    assert base64.b64decode(cut["RawMessage.Data"]).decode() == text.replace("bCC : a@shop.example,\r\n\tb@shop.example\r\n", "")
    assert [value for key, value in cut.items() if key.startswith("Destinations")] == [SUPPLIER, "a@shop.example", "b@shop.example"]
    assert base64.b64decode(explicit["RawMessage.Data"]).decode() == text
    assert [value for key, value in explicit.items() if key.startswith("Destinations")] == [BUYER]
    assert base64.b64decode(whole["RawMessage.Data"]).decode() == text.replace(OPTED_OUT, BUYER)
    assert not [key for key in whole if key.startswith("Destinations")]
    assert base64.b64decode(bodiless["RawMessage.Data"]).decode() == f"To: {OPTED_OUT}, {BUYER}\n"


def test_a_raw_mail_of_the_second_version_keeps_its_fields(sesv2: Any, service: Any) -> None:
    """Who is left of To, Cc and Bcc is named in the field of the same name, so that nobody hidden is shown."""
    data = f"To: {OPTED_OUT}\nCc: {SUPPLIER}\nBcc: {BUYER}\n\nHi\n"
    sesv2.send_email(Content={"Raw": {"Data": data}})
    sesv2.send_email(Content={"Raw": {"Data": data}}, Destination={"ToAddresses": [OPTED_OUT], "BccAddresses": [SUPPLIER]})
    sent, explicit = (asked.json for asked in service.asked)
    assert explicit["Destination"] == {"BccAddresses": [SUPPLIER]}
    assert base64.b64decode(explicit["Content"]["Raw"]["Data"]).decode() == data
    assert sent["Destination"] == {"CcAddresses": [SUPPLIER], "BccAddresses": [BUYER]}
    assert base64.b64decode(sent["Content"]["Raw"]["Data"]).decode() == f"To: {OPTED_OUT}\nCc: {SUPPLIER}\n\nHi\n"


def test_attachments_are_seen(sesv2: Any, guard: Any) -> None:
    """By whoever checks guidelines: their names, types and sizes."""
    attachments = [
        {"FileName": "invoice.pdf", "RawContent": b"%PDF"},
        {"FileName": "setup", "RawContent": b"MZ", "ContentType": "application/x-dosexec"},
        {"FileName": "what", "RawContent": b""},
    ]
    simple = {"Subject": {"Data": "Hello"}, "Body": {"Html": {"Data": "<p>Hello</p>"}}, "Attachments": attachments}
    sesv2.send_email(Destination={"ToAddresses": [BUYER]}, Content={"Simple": simple})
    seen = [(attached.content_type, attached.size) for attached in guard.events[0].message.attachments]
    assert seen == [("application/pdf", 4), ("application/x-dosexec", 2), ("application/octet-stream", 0)]
    assert guard.events[0].message.text == "Hello"


MALFORMED = [
    ("ses", "send_email", {}),
    ("ses", "send_email", {"Source": SHOP, "Destination": {"ToAddresses": OPTED_OUT}, "Message": "Hello"}),
    ("ses", "send_email", {"Source": SHOP, "Destination": {"ToAddresses": [7, BUYER]}, "Message": {"Subject": {"Data": 7}, "Body": []}}),
    ("ses", "send_raw_email", {"RawMessage": {"Data": 7}, "Destinations": [BUYER]}),
    ("ses", "send_bulk_templated_email", {"Source": SHOP, "Template": "t", "DefaultTemplateData": 7, "Destinations": ["x", {}]}),
    ("ses", "send_bulk_templated_email", {"Source": SHOP, "Template": "t", "DefaultTemplateData": "{}", "Destinations": BUYER}),
    ("sesv2", "send_email", {"Content": {"Simple": {"Attachments": {}}}, "Destination": {"ToAddresses": [BUYER]}}),
    ("sesv2", "send_email", {"Content": {"Simple": {"Attachments": [7]}}, "Destination": {"ToAddresses": [BUYER]}}),
    ("sesv2", "send_email", {"Content": []}),
]


@pytest.mark.parametrize(("version", "operation", "params"), MALFORMED)
def test_what_the_api_does_not_know_is_the_clients_business(
    request: pytest.FixtureRequest, service: Any, version: str, operation: str, params: Any
) -> None:
    """It says so in its own words, and nothing is sent."""
    with pytest.raises(ParamValidationError):
        getattr(request.getfixturevalue(version), operation)(**params)
    assert service.asked == []


def test_without_recipients_the_service_is_asked(ses: Any, service: Any, guard: Any) -> None:
    """It knows what to say to that; and what sends no message of the caller's is not looked at."""
    ses.send_bulk_templated_email(Source=SHOP, Template="t", DefaultTemplateData="{}", Destinations=[])
    ses.send_custom_verification_email(EmailAddress=OPTED_OUT, TemplateName="welcome")
    assert len(service.asked) == 2
    assert guard.events == []


def test_a_list_in_one_string_is_taken_apart(ses: Any, service: Any) -> None:
    """So that nobody is overlooked behind another; a comma in a name is none between addresses."""
    message = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Thank you."}}}
    several, one = f"{BUYER}, Opted Out <{OPTED_OUT}>", f'"Sales, Supplier" <{SUPPLIER}>'
    ses.send_email(Source=SHOP, Destination={"ToAddresses": [several, one]}, Message=message)
    ses.send_raw_email(Destinations=[several], RawMessage={"Data": b"Subject: Hello"})
    destinations = [[value for key, value in form.items() if key.startswith("Destination")] for form in sent_forms(service)]
    assert destinations == [[BUYER, one], [BUYER]]


def test_an_asynchronous_client_is_refused(guard: Any) -> None:
    """Aiobotocore's are of botocore's class as well, and would send behind the guard's back."""

    class Asynchronous:
        async def _make_api_call(self, *_args: Any) -> None:
            """Send nothing."""

    session = boto3.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret", region_name="eu-central-1")
    session.events.register("creating-client-class.ses", lambda base_classes, **_: base_classes.insert(0, Asynchronous))
    with contextlib.closing(session.client("ses")) as made, pytest.raises(UnknownSender, match="aiobotocore"):
        guard.wrap(made)


def test_other_clients_of_boto3_are_not_wrapped(guard: Any) -> None:
    """The error names what is; a client of SES needs a guard that blocks."""
    with contextlib.closing(SESSION.client("sqs")) as queue, pytest.raises(UnknownSender, match=r"boto3\.client\('sesv2'\)"):
        guard.wrap(queue)
    with contextlib.closing(SESSION.client("ses")) as ses, pytest.raises(UnknownSender, match="wrap them with a Guard"):
        AsyncRecordingGuard().wrap(ses)
