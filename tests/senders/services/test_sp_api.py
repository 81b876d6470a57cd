"""The adapter for Amazon's Messaging and Solicitations APIs: the real library, sync and async, and Amazon's stand-in on loopback."""

# ruff: noqa: D102 - each class says by its name which sender it tests

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextvars import copy_context
from typing import Any
from uuid import uuid4

import attrs
import pytest
import sp_api.api
import sp_api.asyncio.api
from sp_api.asyncio.auth import AccessTokenClient as AsyncAccessTokenClient
from sp_api.auth import AccessTokenClient
from sp_api.base import Marketplaces, SellingApiForbiddenException, SellingApiTemporarilyUnavailableException

from optoutkit.classifier.topics import Topic
from optoutkit.errors import Held, Suppressed, UnknownSender
from optoutkit.guard import Policy
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import OptOut
from optoutkit.senders.sp_api.client import HeldMessage, SuppressedMessage
from optoutkit.senders.sp_api.operations import message_of, operations
from optoutkit.testing.guards import AsyncRecordingGuard, RecordingGuard
from optoutkit.testing.senders.conformance import (
    SEVERAL_RECIPIENTS,
    AsyncSenderConformance,
    AsyncSenderDriver,
    Delivered,
    Letter,
    SenderConformance,
    SenderDriver,
)

OPTED_OUT, BUYER = "302-1111111-2222222", "302-3333333-4444444"
ADDRESS = Address("abc123@marketplace.amazon.de")


def answer_of_amazon(say: Any, asked: Any) -> Any:
    """A token, what may be sent of an order, or that it was sent."""
    if asked.path == "/auth/o2/token":
        return say(json.dumps({"access_token": "token", "refresh_token": "r", "expires_in": 3600, "token_type": "bearer"}).encode())
    return say(b'{"payload": {"_links": {"actions": []}}}' if asked.method == "GET" else b"{}", 200 if asked.method == "GET" else 201)


def client(kind: Any, url: str) -> Any:
    """A client of the service on loopback; each has a refresh token of its own, as the library keeps access tokens by it."""
    tokens = AccessTokenClient if kind.__module__.startswith("sp_api.api") else AsyncAccessTokenClient
    loopback = type("LoopbackTokens", (tokens,), {"scheme": "http://", "host": url.removeprefix("http://")})
    credentials = {"refresh_token": uuid4().hex, "lwa_app_id": "app", "lwa_client_secret": "secret"}
    made = kind(marketplace=Marketplaces.DE, credentials=credentials, auth_token_client_class=loopback, verify=False)
    made.endpoint = url
    return made


def written(letter: Letter) -> tuple[str, str, dict[str, Any]]:
    """A letter as a call: operation, order and body. There is no HTML in these APIs: what is HTML in a letter is the text here."""
    (order,) = letter.to
    if letter.textless:
        return "create_warranty", order, {"attachments": [{"uploadDestinationId": "1", "fileName": "warranty.pdf"}]}
    return "create_confirm_order_details", order, {"text": letter.html or letter.text}


def sent(service: Any) -> list[Any]:
    """The messages that reached Amazon."""
    return [asked for asked in service.asked if asked.method == "POST" and "/orders/" in asked.path]


class MessagingDriver(SenderDriver):
    """The Messaging API: a message goes to the buyer of an order."""

    opted_out, buyer = OPTED_OUT, BUYER
    held_as = SellingApiTemporarilyUnavailableException
    kind: Any = sp_api.api.Messaging

    def __init__(self, service: Any, say: Any) -> None:
        self._service, self._say = service, say
        self._clients: list[Any] = []
        service.answer = lambda asked: answer_of_amazon(say, asked)

    def make_sender(self) -> Any:
        return self._made(self.kind)

    def _made(self, kind: Any) -> Any:
        self._clients.append(client(kind, self._service.url))
        return self._clients[-1]

    def make_subclassed(self) -> Any:
        return self._made(type("Notifier", (self.kind,), {"__module__": self.kind.__module__, "notify": self._notifier()}))

    def _notifier(self) -> Any:
        def notify(sender: Any, message: Any) -> Any:
            return self.send(sender, message)

        return notify

    def compose(self, letter: Letter) -> Any:
        return written(letter)

    def send(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        assert envelope is None
        operation, order, body = message
        try:
            return getattr(sender, operation)(order, body=body)
        except SellingApiForbiddenException as refusal:
            return refusal

    def delivered(self) -> Sequence[Delivered]:
        return [Delivered((asked.path.split("/")[4],), asked.body) for asked in sent(self._service)]

    def assert_reported(self, answer: Any, suppressed: Sequence[str]) -> None:
        assert isinstance(answer, SellingApiForbiddenException)
        assert answer.amzn_code == "Unauthorized"
        assert answer.message.startswith("It must not go: ")
        assert [decision.recipient for decision in answer.verdict.suppressed] == list(suppressed)

    def picture_of_answer(self, answer: Any) -> Any:
        return answer.payload, answer.errors

    def fail(self) -> None:
        error = b'{"errors": [{"code": "InternalFailure", "message": "no"}]}'
        self._service.answer = lambda asked: answer_of_amazon(self._say, asked) if "auth" in asked.path else self._say(error, 500)

    def use_otherwise(self, sender: Any) -> Any:
        actions = sender.get_messaging_actions_for_order(BUYER)
        return actions.payload, sender.marketplace_id, sender.auth.access_token

    def close(self) -> None:
        for made in self._clients:
            made._auth._transport.close()
            made.close()


class AsyncMessagingDriver(MessagingDriver, AsyncSenderDriver):
    """The same for asyncio."""

    kind = sp_api.asyncio.api.Messaging

    def __init__(self, service: Any, say: Any) -> None:
        MessagingDriver.__init__(self, service, say)
        AsyncSenderDriver.__init__(self)

    async def send_async(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        assert envelope is None
        operation, order, body = message
        try:
            return await getattr(sender, operation)(order, body=body)
        except SellingApiForbiddenException as refusal:
            return refusal

    send = AsyncSenderDriver.send

    def _notifier(self) -> Any:
        def notify(sender: Any, message: Any) -> Any:
            return self.send_async(sender, message)

        return notify

    def use_otherwise(self, sender: Any) -> Any:
        actions = self.run(sender.get_messaging_actions_for_order(BUYER))
        return actions.payload, sender.marketplace_id

    def close(self) -> None:
        for made in self._clients:
            self.run(made._auth._transport.aclose())
            self.run(made.aclose())
        AsyncSenderDriver.close(self)


ONE = "a message is for the buyer of one order"
NOT_ALLOWED = {
    **dict.fromkeys(SEVERAL_RECIPIENTS, ONE),
    "an_explicit_envelope_wins": ONE,
    "a_display_name_changes_nothing": "an order has no name",
    "an_outage_holds_nothing_for_others_than_buyers": "only buyers are written to",
    "a_link_is_learnt_after_the_send": "the buyer's address is not in it",
}


class TestMessaging(SenderConformance):
    sender_name = "SP-API Messaging"
    not_allowed = NOT_ALLOWED

    @pytest.fixture
    def driver(self, service: Any, say: Any) -> SenderDriver:
        return MessagingDriver(service, say)


class TestAsyncMessaging(AsyncSenderConformance):
    sender_name = "SP-API Messaging (asyncio)"
    not_allowed = NOT_ALLOWED

    @pytest.fixture
    def driver(self, service: Any, say: Any) -> SenderDriver:
        return AsyncMessagingDriver(service, say)


@attrs.define
class Bench:
    """Guarded clients of both APIs, sync or async, used the same way."""

    service: Any
    guard: Any
    is_async: bool
    runner: asyncio.Runner
    clients: dict[str, Any] = attrs.field(factory=dict)

    def wrapped(self, name: str) -> Any:
        """The guarded client of an API; there is one."""
        if name not in self.clients:
            library = sp_api.asyncio.api if self.is_async else sp_api.api
            self.clients[name] = client(getattr(library, name), self.service.url)
        return self.guard.wrap(self.clients[name])

    def call(self, api: str, operation: str, *args: Any, **kwargs: Any) -> Any:
        """Call an operation, and wait for it if need be."""
        return self.done(getattr(self.wrapped(api), operation)(*args, **kwargs))

    def tell(self, operation: str, text: str, order: str = OPTED_OUT) -> Any:
        """Send a message."""
        return self.call("Messaging", operation, order, body={"text": text})

    def solicit(self, order: str) -> Any:
        """Ask for a review."""
        return self.call("Solicitations", "create_product_review_and_seller_feedback_solicitation", order)

    def done(self, call: Any) -> Any:
        """The result of a call, awaited if need be."""

        async def wait() -> Any:
            return await call

        return self.runner.run(wait(), context=copy_context()) if asyncio.iscoroutine(call) else call

    def close(self) -> None:
        """Let go of everything."""
        for made in self.clients.values():
            for close in ("aclose",) if self.is_async else ("close",):
                self.done(getattr(made._auth._transport, close)())
                self.done(getattr(made, close)())
        self.runner.close()


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def bench(request: pytest.FixtureRequest, service: Any, say: Any) -> Iterator[Bench]:
    """Clients behind a guard with the package's own classifier, which knows an order whose buyer opted out."""
    service.answer = lambda asked: answer_of_amazon(say, asked)
    guard = (AsyncRecordingGuard if request.param else RecordingGuard)(OPTED_OUT)
    bench = Bench(service, guard, request.param, asyncio.Runner())
    yield bench
    bench.close()


def test_what_amazon_calls_critical_goes(bench: Bench) -> None:
    """An unexpected problem and a legal disclosure, to every buyer; the library's answer comes back."""
    response = bench.tell("create_unexpected_problem", "The carrier returned your parcel to us as undeliverable. What shall we do?")
    assert response.headers["content-type"] == "application/json"
    bench.call("Messaging", "create_legal_disclosure", OPTED_OUT, body={"attachments": [{"fileName": "recall.pdf"}]})
    assert [asked.path.split("?")[0].rpartition("/")[2] for asked in sent(bench.service)] == ["unexpectedProblem", "legalDisclosure"]
    assert sent(bench.service)[1].json["attachments"] == [{"fileName": "recall.pdf"}]


def test_what_solicits_is_not_critical_whatever_the_operation(bench: Bench) -> None:
    """An unexpected problem that asks for stars does not go to who opted out."""
    with pytest.raises(SuppressedMessage):
        bench.tell("create_unexpected_problem", "Please leave us a product review! We would love to see five stars.")
    assert sent(bench.service) == []


def test_a_solicitation_is_never_critical(bench: Bench) -> None:
    """Whatever the caller declares; to others it goes."""
    with bench.guard.declare(topic="shipping_address"), pytest.raises(SuppressedMessage, match="It must not go: "):
        bench.solicit(OPTED_OUT)
    assert bench.solicit(BUYER).payload == {}
    assert [asked.path.split("/")[4] for asked in sent(bench.service)] == [BUYER]


def test_the_text_of_all_others_decides(bench: Bench) -> None:
    """Or what the caller declares."""
    bench.tell(
        "create_confirm_order_details", "The house number of your shipping address is missing. Please send us your complete address."
    )
    for operation in ("create_confirm_order_details", "confirm_customization_details", "create_confirm_service_details"):
        with pytest.raises(SuppressedMessage):
            bench.tell(operation, "Thank you for your order! Please follow us on social media.")
    for operation in ("send_invoice", "create_warranty"):
        with pytest.raises(SuppressedMessage):
            bench.call("Messaging", operation, OPTED_OUT, body={"attachments": [{"fileName": "a.pdf"}]})
    with bench.guard.declare(topic="digital_access"):
        bench.tell("create_digital_access_key", "ABCD-EFGH")
    assert len(sent(bench.service)) == 2


def test_the_buyer_is_found_through_the_order(bench: Bench) -> None:
    """An opt-out by address counts for the orders that are linked to it; the decision names the order."""
    bench.guard.store.link([(OrderId(BUYER), ADDRESS)])
    bench.guard.store.record([OptOut(ADDRESS)])
    with pytest.raises(SuppressedMessage) as caught:
        bench.solicit(BUYER)
    assert caught.value.verdict is not None
    (decision,) = caught.value.verdict.decisions
    assert decision.recipient == BUYER
    assert decision.opt_out is not None
    assert decision.opt_out.identity == ADDRESS


def test_a_refusal_is_forbidden_as_amazons_own(bench: Bench) -> None:
    """It is caught as such and as ours, and its text names no order."""
    with pytest.raises(SellingApiForbiddenException) as caught:
        bench.solicit(OPTED_OUT)
    refusal: Any = caught.value
    assert issubclass(caught.type, Suppressed)
    assert (refusal.code, refusal.amzn_code, refusal.headers) == (403, "Unauthorized", None)
    assert str(refusal) == refusal.message == refusal.error[0]["message"]
    assert OPTED_OUT not in str(refusal)


def test_an_outage_holds(bench: Bench) -> None:
    """It is caught as such, and as what is temporary; critical messages go all the same."""
    bench.guard.store.down = True
    for catch in (Held, SellingApiTemporarilyUnavailableException):
        with pytest.raises(catch):
            bench.solicit(BUYER)
    with pytest.raises(HeldMessage, match="Nothing of the message was sent") as caught:
        bench.tell("create_confirm_order_details", "Thank you.", BUYER)
    assert caught.value.code == 503
    assert caught.value.amzn_code == "ServiceUnavailable"
    bench.tell("create_unexpected_problem", "Your parcel came back to us.", BUYER)
    assert len(sent(bench.service)) == 1


def test_a_policy_that_only_reports_sends(bench: Bench) -> None:
    """And raises nothing."""
    bench.guard = type(bench.guard)(OPTED_OUT, policy=Policy.AUDIT)
    bench.solicit(OPTED_OUT)
    assert len(sent(bench.service)) == 1


def test_what_only_asks_does_not_pass_the_guard(bench: Bench) -> None:
    """Which messages are available, and the buyer's language: nobody gets mail by that."""
    bench.call("Messaging", "get_messaging_actions_for_order", OPTED_OUT)
    bench.call("Messaging", "get_attributes", OPTED_OUT)
    bench.call("Solicitations", "get_solicitation_actions_for_order", OPTED_OUT)
    assert bench.guard.events == []
    assert len([asked for asked in bench.service.asked if asked.method == "GET"]) == 3


def test_an_order_that_is_none_is_amazons_business(bench: Bench) -> None:
    """It knows what to say to that."""
    bench.tell("create_confirm_order_details", "Thank you.", "no/order")
    assert "/orders/no%2Forder/messages/confirmOrderDetails" in sent(bench.service)[0].path


def test_attachments_are_seen(bench: Bench) -> None:
    """By whoever checks guidelines, as far as the call names them."""
    body = {"text": "Is this right?", "attachments": [{"uploadDestinationId": "1", "fileName": "a.pdf"}]}
    bench.call("Messaging", "confirm_customization_details", BUYER, body=body)
    (attached,) = bench.guard.events[0].message.attachments
    assert (attached.filename, attached.content_type) == ("a.pdf", "application/pdf")


def test_a_request_that_was_sent_by_mail_is_not_sent_again(bench: Bench) -> None:
    """And none twice: a ledger counts mail and solicitations together."""
    from optoutkit.ledgers import open_async_ledger, open_ledger

    opened: Any = open_async_ledger if bench.is_async else open_ledger
    ledger = opened("memory://")
    bench.guard = type(bench.guard)(ledger=ledger)
    bench.solicit(BUYER)
    with pytest.raises(SuppressedMessage):
        bench.solicit(BUYER)
    bench.solicit(OPTED_OUT)
    assert len(sent(bench.service)) == 2
    bench.done(ledger.close())


def test_a_request_that_failed_does_not_count(bench: Bench, say: Any) -> None:
    """Amazon refused it: another may be sent."""
    from optoutkit.ledgers import open_async_ledger, open_ledger

    opened: Any = open_async_ledger if bench.is_async else open_ledger
    ledger = opened("memory://")
    bench.guard = type(bench.guard)(ledger=ledger)
    answer, error = bench.service.answer, b'{"errors": [{"code": "Unauthorized", "message": "outside the 5-30 day range"}]}'
    bench.service.answer = lambda asked: answer(asked) if "auth" in asked.path else say(error, 403)
    with pytest.raises(SellingApiForbiddenException) as caught:
        bench.solicit(BUYER)
    assert not isinstance(caught.value, Suppressed)
    bench.service.answer = answer
    bench.solicit(BUYER)
    bench.done(ledger.close())


def test_a_client_needs_its_kind_of_guard(service: Any) -> None:
    """The error says which; other clients of the library are no senders."""
    blocking, waiting = sp_api.api.Messaging, sp_api.asyncio.api.Messaging
    bare = blocking.__new__(blocking)
    with pytest.raises(UnknownSender, match="wrap them with a Guard"):
        AsyncRecordingGuard().wrap(bare)
    bare = waiting.__new__(waiting)
    with pytest.raises(UnknownSender, match="wrap them with an AsyncGuard"):
        RecordingGuard().wrap(bare)
    with pytest.raises(UnknownSender, match="Messaging and Solicitations"):
        RecordingGuard().wrap(sp_api.api.Orders.__new__(sp_api.api.Orders))


def test_the_table_of_operations() -> None:
    """It has the operations of the library, and no others; its topics are the classifier's."""
    methods = {*dir(sp_api.api.Messaging), *dir(sp_api.api.Solicitations)}
    named = {name for name in methods if name.startswith(("create", "confirm", "send"))}
    assert len(operations()) == len(named)
    for topic in operations().values():
        assert topic is None or Topic(topic)
    assert {name for name, topic in operations().items() if topic and Topic(topic).critical} == {"unexpectedProblem", "legalDisclosure"}


@pytest.mark.parametrize(
    "data", [None, [], {"text": 7, "attachments": 7}, {"attachments": ["x", {"fileName": 7}]}, {"method": "POST", "attachments": ()}]
)
def test_any_body_can_be_read(data: Any) -> None:
    """What is not of the API's form says nothing."""
    message = message_of(f"/messaging/v1/orders/{BUYER}/messages/new", data, {"method": "POST"})
    assert message is not None
    assert (message.text, message.order_ids, message.topic) == ("", (OrderId(BUYER),), None)


def test_the_method_may_stand_in_the_body() -> None:
    """Where the library looks for it, too."""
    assert message_of(f"/messaging/v1/orders/{BUYER}/messages/warranty", {"method": "POST"}, None) is not None
    assert message_of(f"/messaging/v1/orders/{BUYER}", None, None) is None
