"""What both guards do, as flows: decide, let go what may go, and learn which buyer an order belongs to."""

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from email.message import Message as StandardMessage
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import attrs

from optoutkit.errors import Held, Suppressed
from optoutkit.flows import Flow, Request, ask
from optoutkit.guard.adapters import adapt
from optoutkit.guard.decisions import Action, Verdict
from optoutkit.guard.declarations import Declaration, declared, in_force
from optoutkit.guard.explaining import Explanation, grounds, message_about, of_what_is_not_critical
from optoutkit.guard.hooks import Decided, GuardEvent, Hook, LinkContradicted, LinkFailed, LogHook, checked_hook, tell
from optoutkit.guard.jointly import jointly, one_look_into_the_ledger, one_lookup
from optoutkit.guard.parties import link_in
from optoutkit.guard.policy import Policy
from optoutkit.guard.proactive import ProactiveRequests
from optoutkit.guard.rules import CheckGuidelines, Classify, Rules
from optoutkit.identities import Address, Digest, Identity, OrderId
from optoutkit.ledgers.base import AsyncLedger, Ledger, Reservation
from optoutkit.ledgers.requests import LedgerRequest
from optoutkit.messages import Message
from optoutkit.stores.base import AsyncOptOutStore, OptOutStore
from optoutkit.stores.requests import Link

if TYPE_CHECKING:
    from optoutkit.classifier.results import Classification
    from optoutkit.guidelines import Violation

__all__ = ["BaseGuard", "Delivery", "JointDelivery", "NotTaken", "Send"]

T = TypeVar("T")

NotTaken = Callable[[tuple[Verdict, ...], T], Collection[int]]
"""Says by a sender's answer which of the messages it did not take; by their places."""


@attrs.frozen
class Send(Request[Any]):
    """Wants what may go to be sent; asked of the sender, not of the store."""

    send: Callable[[], Any]

    def call(self, _store: object) -> Any:
        """Send; an async sender's answer is to be awaited."""
        return self.send()


@attrs.frozen(kw_only=True)
class Delivery(Generic[T]):
    """What became of a message.

    Attributes:
        verdict: The decisions on its recipients.
        answer: What the sender returned; None where nothing was left to send.
    """

    verdict: Verdict
    answer: T | None


@attrs.frozen(kw_only=True)
class JointDelivery(Generic[T]):
    """What became of messages that left together.

    Attributes:
        verdicts: The decisions on each, in the order of the messages.
        answer: What the sender returned; None where nothing was left to send.
    """

    verdicts: tuple[Verdict, ...]
    answer: T | None


def _default_classifier(message: Message) -> "Classification":
    from optoutkit.classifier import classify  # noqa: PLC0415 - its model is loaded when the first message comes

    return classify(message)


def _default_checker(message: Message) -> "Sequence[Violation]":
    from optoutkit.guidelines import check_guidelines  # noqa: PLC0415 - only where a policy asks for it

    return check_guidelines(message)


class BaseGuard:
    """What both guards share: everything but the loop that drives the flows."""

    def __init__(
        self,
        store: OptOutStore | AsyncOptOutStore,
        *,
        seller: str = "",
        policy: Policy = Policy.AMAZON,
        classify: Classify | None = None,
        check_guidelines: CheckGuidelines | None = None,
        hook: Hook | None = None,
        ledger: Ledger | AsyncLedger | None = None,
    ) -> None:
        if not isinstance(policy, Policy):
            raise TypeError("the policy is to be a Policy, such as Policy.STRICT")
        if not isinstance(seller, str):
            raise TypeError("the seller is to be a string")
        if not all(hasattr(place, "lookup") for place in (store, ledger or store)):
            raise TypeError("a guard needs a store, such as open_store makes, and its ledger is to be one such as open_ledger makes")
        self._store: Any = store
        self._ledger: Any = ledger
        self._policy = policy
        self._seller = seller
        self._rules = Rules(
            policy=policy,
            seller=seller,
            classify=classify or _default_classifier,
            check_guidelines=check_guidelines or _default_checker,
            counts_requests=ledger is not None,
        )
        self._requests = None if ledger is None else ProactiveRequests(policy=policy, seller=seller, tell=self._tell)
        self._hook = LogHook() if hook is None else checked_hook(hook)

    @property
    def policy(self) -> Policy:
        """The rules it decides by."""
        return self._policy

    @property
    def seller(self) -> str:
        """Whose lists it asks."""
        return self._seller

    def declare(
        self,
        *,
        topic: str | None = None,
        contact_reason: str | None = None,
        reply_to_buyer: bool | None = None,
        custom_order: bool | None = None,
        order_ids: str | OrderId | Iterable[str | OrderId] | None = None,
    ) -> AbstractContextManager[None]:
        """Say of the messages sent within a ``with`` block what only the caller knows.

        It holds for this guard, in this thread or task only (a context variable), and for tasks started inside the block.
        Blocks nest: what an inner one says counts, what it leaves out is taken from the outer one. What is returned can be entered
        any number of times, from any thread.

        Args:
            topic: What the messages are about. A critical topic is believed unless the text solicits, one that is not critical
                always. A message's own ``topic`` goes before it. A topic that neither policy nor classifier knows says nothing.
            contact_reason: For which of Amazon's contact reasons they are written, such as ``"Problem with order"``; the topic follows
                from it, where none is given. One that is not known says nothing. See
                :func:`optoutkit.guard.topic_of_contact_reason`.
            reply_to_buyer: Whether they are replies on the buyer's own thread.
            custom_order: Whether they are about a custom order.
            order_ids: The orders they are about, beside those that the messages name.

        Raises:
            InvalidOrderId: An order ID is none.
            InvalidInput: ``reply_to_buyer`` or ``custom_order`` is neither True nor False.

        Example::

            with guard.declare(topic=Topic.SHIPPING_ADDRESS):
                smtp.send_message(message)
        """
        declaration = Declaration.made_of(
            topic=topic,
            contact_reason=contact_reason,
            reply_to_buyer=reply_to_buyer,
            custom_order=custom_order,
            order_ids=order_ids,
        )
        return declared(self, declaration)

    def wrap(self, sender: T) -> T:
        """Put this guard round a sender.

        The wrapped object has the sender's methods and return values; each message passes the guard first. A :class:`Guard`
        wraps ``smtplib`` clients, boto3's clients of SES, SendGrid's, python-amazon-sp-api's of the Messaging and Solicitations
        APIs and plain ``send(message)`` functions, an :class:`AsyncGuard` ``aiosmtplib`` clients, ``aiosmtplib.send``,
        python-amazon-sp-api's asyncio clients and async functions; functions also as a decorator. More kinds may be installed
        under the entry-point group ``optoutkit.senders``.

        Raises:
            UnknownSender: It is nothing that this guard can wrap; the text says what there is.
        """
        wrapped: T = adapt(sender, self)
        return wrapped

    def _checking(self, mail: Message | StandardMessage | bytes) -> Flow[Verdict]:
        message = self._read(mail)
        verdict = yield from self._rules.decide(message)
        if self._requests is not None:
            verdict = yield from self._requests.look(message, verdict)
        self._tell(Decided(seller=self._seller, message=message, verdict=verdict, sending=False))
        return verdict

    def _checking_many(self, mails: Iterable[Message | StandardMessage | bytes]) -> Flow[tuple[Verdict, ...]]:
        messages = tuple(map(self._read, mails))
        verdicts = yield from jointly(map(self._rules.decide, messages), one_lookup)
        if self._requests is not None:
            verdicts = yield from jointly(map(self._requests.look, messages, verdicts), one_look_into_the_ledger)
        for message, verdict in zip(messages, verdicts, strict=True):
            self._tell(Decided(seller=self._seller, message=message, verdict=verdict, sending=False))
        return verdicts

    def _explaining(self, about: Message | StandardMessage | bytes | str | Identity) -> Flow[Explanation]:
        subject: Address | OrderId | Message
        if isinstance(about, str | Address | OrderId | Digest):
            subject, message = message_about(about)
            verdict = yield from of_what_is_not_critical(self._rules).decide(message)
        else:
            subject = message = self._read(about)
            verdict = yield from self._rules.decide(message)
            if self._requests is not None:
                verdict = yield from self._requests.look(message, verdict)
        return (yield from grounds(subject, message, verdict, seller=self._seller, counts=self._requests is not None))

    def _delivering(self, message: Message, send: Callable[[Verdict], Any], held: type[Held]) -> Flow[Delivery[Any]]:
        delivery = yield from self._delivering_together((message,), lambda verdicts: send(verdicts[0]), held, None)
        return Delivery(verdict=delivery.verdicts[0], answer=delivery.answer)

    def _delivering_together(
        self, messages: Iterable[Message], send: Callable[[tuple[Verdict, ...]], Any], held: type[Held], not_taken: NotTaken[Any] | None
    ) -> Flow[JointDelivery[Any]]:
        messages = tuple(map(self._with_declared, messages))
        decided: list[Verdict] = []
        reservations: dict[int, Reservation] = {}
        requested: set[OrderId] = set()
        sending = False
        try:
            by_the_rules = yield from jointly(map(self._rules.decide, messages), one_lookup)
            for number, (message, ruled) in enumerate(zip(messages, by_the_rules, strict=True)):
                verdict = ruled
                if self._requests is not None:
                    verdict, reservation = yield from self._requests.reserve(message, ruled, requested)
                    if reservation is not None:
                        reservations[number] = reservation
                        requested.update(reservation.granted)
                self._tell(Decided(seller=self._seller, message=message, verdict=verdict, sending=True))
                decided.append(verdict)
            verdicts = tuple(decided)
            for verdict in verdicts:
                self._raise_if_not_now(verdict, held)
            answer = None
            sending = any(verdict.sends for verdict in verdicts)
            if sending:
                answer = yield from ask(Send(functools.partial(send, verdicts)))
        except BaseException as error:
            # Interrupted in the middle of it, the server may have got it: the reservation stays, and counts as sent in the end.
            if isinstance(error, Exception) or not sending:
                yield from _each_to_its_end(self._settling(reservations, sent=()))
            raise
        failed = not_taken(verdicts, answer) if not_taken is not None and sending else ()
        went_well = [number for number in range(len(messages)) if number not in failed]
        learning = map(self._learning, (messages[number] for number in went_well) if self._policy.learn_links else ())
        yield from _each_to_its_end((*self._settling(reservations, sent=went_well), *learning))
        return JointDelivery(verdicts=verdicts, answer=answer)

    def _settling(self, reservations: Mapping[int, Reservation], *, sent: Collection[int]) -> tuple[Flow[None], ...]:
        requests = cast("ProactiveRequests", self._requests)
        return tuple(requests.settle(reservation, sent=number in sent) for number, reservation in reservations.items())

    def _raise_if_not_now(self, verdict: Verdict, held: type[Held]) -> None:
        waiting = next((decision for decision in verdict.decisions if decision.action is Action.HOLD), None)
        if waiting is not None:
            raise held(f"Nothing of the message was sent. {waiting.explanation}", verdict) from verdict.outage
        if verdict.suppressed and self._policy.on_suppressed == "raise":
            raise Suppressed(f"Nothing of the message was sent. {verdict.suppressed[0].explanation}", verdict)

    def _learning(self, message: Message) -> Flow[None]:
        """Tell the store which buyer an order belongs to. Whatever goes wrong, the message has been sent."""
        pair = link_in(message)
        if pair is None:
            return
        order_id, address = pair
        try:
            report = yield from ask(Link((pair,), seller=self._seller))
            contradicted = bool(report.contradicted)
        except Exception as error:  # noqa: BLE001 - goes to the hook, never into the send
            self._tell(LinkFailed(seller=self._seller, order_id=order_id, address=address, error=error))
            return
        if contradicted:
            self._tell(LinkContradicted(seller=self._seller, order_id=order_id, address=address))

    def _asked_by(self, request: object) -> Any:
        return self._ledger if isinstance(request, LedgerRequest) else self._store

    def _read(self, mail: Message | StandardMessage | bytes) -> Message:
        return self._with_declared(mail if isinstance(mail, Message) else Message.from_email(mail))

    def _with_declared(self, message: Message) -> Message:
        return in_force(self).added_to(message)

    def _tell(self, event: GuardEvent) -> None:
        tell(self._hook, event)


def _each_to_its_end(flows: Iterable[Flow[None]]) -> Flow[None]:
    """Run flows one after the other. What interrupts one, such as a cancellation, comes out after the last: none of them is lost by it."""
    interruption = None
    for flow in flows:
        try:
            yield from flow
        except BaseException as error:  # noqa: BLE001 - raised below
            interruption = interruption or error
    if interruption is not None:
        raise interruption
