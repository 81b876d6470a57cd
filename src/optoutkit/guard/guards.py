"""The guard round a sender: it decides, lets go what may go, and learns which buyer an order belongs to."""

import functools
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from email.message import Message as StandardMessage
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import attrs

from optoutkit.errors import Held, Suppressed
from optoutkit.flows import Flow, Request, ask, run, run_async
from optoutkit.guard.adapters import adapt
from optoutkit.guard.decisions import Action, Verdict
from optoutkit.guard.declarations import Declaration, declared, in_force
from optoutkit.guard.hooks import Decided, GuardEvent, Hook, LinkContradicted, LinkFailed, LogHook
from optoutkit.guard.jointly import jointly, one_look_into_the_ledger, one_lookup
from optoutkit.guard.parties import link_in
from optoutkit.guard.policy import Policy
from optoutkit.guard.proactive import ProactiveRequests
from optoutkit.guard.rules import CheckGuidelines, Classify, Rules
from optoutkit.identities import OrderId
from optoutkit.ledgers.base import AsyncLedger, Ledger, Reservation
from optoutkit.ledgers.requests import LedgerRequest
from optoutkit.messages import Message
from optoutkit.stores.base import AsyncOptOutStore, OptOutStore
from optoutkit.stores.requests import Link

if TYPE_CHECKING:
    from optoutkit.classifier.results import Classification
    from optoutkit.guidelines import Violation

__all__ = ["AsyncGuard", "Delivery", "Guard", "JointDelivery", "Send"]

T = TypeVar("T")

_logger = logging.getLogger("optoutkit.guard")


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


class _BaseGuard:
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
        self._hook = hook or LogHook()

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

    def _delivering(self, message: Message, send: Callable[[Verdict], Any], held: type[Held]) -> Flow[Delivery[Any]]:
        delivery = yield from self._delivering_together((message,), lambda verdicts: send(verdicts[0]), held)
        return Delivery(verdict=delivery.verdicts[0], answer=delivery.answer)

    def _delivering_together(
        self, messages: Iterable[Message], send: Callable[[tuple[Verdict, ...]], Any], held: type[Held]
    ) -> Flow[JointDelivery[Any]]:
        messages = tuple(map(self._with_declared, messages))
        decided: list[Verdict] = []
        reservations: list[Reservation] = []
        requested: set[OrderId] = set()
        try:
            for message in messages:
                verdict = yield from self._rules.decide(message)
                if self._requests is not None:
                    verdict, reservation = yield from self._requests.reserve(message, verdict, requested)
                    if reservation is not None:
                        reservations.append(reservation)
                        requested.update(reservation.granted)
                self._tell(Decided(seller=self._seller, message=message, verdict=verdict, sending=True))
                decided.append(verdict)
            verdicts = tuple(decided)
            for verdict in verdicts:
                self._raise_if_not_now(verdict, held)
            answer = None
            if any(verdict.sends for verdict in verdicts):
                answer = yield from ask(Send(functools.partial(send, verdicts)))
        except BaseException:
            yield from self._settling(reservations, sent=False)
            raise
        yield from self._settling(reservations, sent=True)
        if self._policy.learn_links:
            for message in messages:
                yield from self._learning(message)
        return JointDelivery(verdicts=verdicts, answer=answer)

    def _settling(self, reservations: Sequence[Reservation], *, sent: bool) -> Flow[None]:
        for reservation in reservations:
            yield from cast("ProactiveRequests", self._requests).settle(reservation, sent=sent)

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
        try:
            self._hook(event)
        except Exception as error:  # noqa: BLE001 - a hook watches; only its type is logged, as its text may hold an address
            _logger.error("the guard's hook failed: %s", type(error).__name__)  # noqa: TRY400 - see above


class Guard(_BaseGuard):
    """Lets critical messages through, and withholds all others from buyers who opted out.

    One guard serves any number of threads.

    Args:
        store: Where the opt-outs are; from :func:`optoutkit.open_store`.
        seller: Whose list is asked beside the shared one; ``""`` is the store's owner.
        policy: The rules; ``Policy.AMAZON``, ``Policy.STRICT``, ``Policy.AUDIT`` or one of your own.
        classify: Says of a message whether it is critical; by default :func:`optoutkit.classify`. One that raises counts as "not critical".
        check_guidelines: Finds what breaks Amazon's communication guidelines in a message, for policies that enforce them; by default
            :func:`optoutkit.check_guidelines`.
        hook: Is told every decision and what became of links; by default :class:`optoutkit.guard.LogHook`. It should be quick.
        ledger: Where requests are counted, as Amazon allows one an order; from :func:`optoutkit.ledgers.open_ledger`. None counts none.

    Raises:
        TypeError: The store or the ledger is an async one.

    Example:
        >>> from optoutkit import Message, open_store
        >>> guard = Guard(open_store("memory://"))
        >>> [decision.action.value for decision in guard.check(Message("Hello", "Thank you!", to="sales@example.com")).decisions]
        ['send']

        With a client::

            guard = Guard(open_store("sqlite:///optouts.db"))
            smtp = guard.wrap(smtplib.SMTP("localhost"))
            refused = smtp.send_message(message)  # suppressed recipients are in it, with (550, b"5.7.1 It must not go: …")
    """

    def __init__(
        self,
        store: OptOutStore,
        *,
        seller: str = "",
        policy: Policy = Policy.AMAZON,
        classify: Classify | None = None,
        check_guidelines: CheckGuidelines | None = None,
        hook: Hook | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        if _is_async(store):
            raise TypeError("this store is asynchronous: use AsyncGuard, or open the store with open_store")
        if ledger is not None and _is_async(ledger):
            raise TypeError("this ledger is asynchronous: use AsyncGuard, or open the ledger with open_ledger")
        super().__init__(
            store, seller=seller, policy=policy, classify=classify, check_guidelines=check_guidelines, hook=hook, ledger=ledger
        )

    def check(self, message: Message | StandardMessage | bytes) -> Verdict:
        """Decide on a message without sending it. Nothing is written to the store.

        Args:
            message: A Message, or a mail (an ``email.message`` object or its bytes), whose envelope is then read from its headers.

        Raises:
            InvalidMessage: It is none of these.
            MessageTooLarge: The mail is beyond the limits.
        """
        return run(self._checking(message), self._perform)

    def check_many(self, messages: Iterable[Message | StandardMessage | bytes]) -> tuple[Verdict, ...]:
        """Decide on a queue of messages: one question to the store for all of them, and one to the ledger.

        Each is decided on as if it were alone: of two requests for one order, both may go by these verdicts. A verdict holds for
        now; a message that waits any longer must be checked again when it leaves, as a wrapped sender does by itself.

        Args:
            messages: The messages, as for :meth:`check`. All are classified before this returns.

        Returns:
            The verdicts, in the order of the messages. If the store does not answer, each one has it as its ``outage`` that asked.

        Raises:
            InvalidMessage: One of them is none; nothing was asked.
            MessageTooLarge: One of them is beyond the limits; nothing was asked.

        Example:
            >>> from optoutkit import Message, OptOut, Address, open_store
            >>> store = open_store("memory://")
            >>> _ = store.record([OptOut(Address("abc123@marketplace.amazon.de"))])
            >>> queue = [Message("Hello", "Thank you!", to=f"{name}@marketplace.amazon.de") for name in ("abc123", "def456")]
            >>> [verdict.sends for verdict in Guard(store).check_many(queue)]
            [False, True]
        """
        return run(self._checking_many(messages), self._perform)

    def deliver(self, message: Message, send: Callable[[Verdict], T], *, held: type[Held] = Held) -> Delivery[T]:
        """Send a message to those it may go to. This is what adapters for senders are made of.

        Args:
            message: The message; its ``to`` is the envelope.
            send: Sends it to the recipients whose decision in the verdict is SEND. Called once, and not at all if none is left.
            held: Which kind of Held to raise.

        Raises:
            Held: The store or the ledger did not answer, or another request for the order is being sent; nothing was sent.
            Suppressed: With ``policy.on_suppressed = "raise"``, a recipient is suppressed; nothing was sent.
            Exception: Whatever ``send`` raises.
        """
        return run(self._delivering(message, send, held), self._perform)

    def deliver_together(
        self, messages: Iterable[Message], send: Callable[[tuple[Verdict, ...]], T], *, held: type[Held] = Held
    ) -> JointDelivery[T]:
        """Send several messages that leave by one call, such as a service's bulk send; each is decided on for itself.

        Args:
            messages: The messages.
            send: Sends them to those recipients whose decision in the message's verdict is SEND. Called once, and not at all if no
                recipient of any is left.
            held: Which kind of Held to raise.

        Raises:
            Held: One of them must wait, as above; nothing of any was sent.
            Suppressed: With ``policy.on_suppressed = "raise"``, a recipient of one of them is suppressed; nothing was sent.
            Exception: Whatever ``send`` raises.
        """
        return run(self._delivering_together(messages, send, held), self._perform)

    def _perform(self, request: Any) -> Any:
        return request.call(self._asked_by(request))


class AsyncGuard(_BaseGuard):
    """The same as :class:`Guard` for asyncio: async stores, async senders.

    One guard serves any number of tasks.

    Args:
        store: Where the opt-outs are; from :func:`optoutkit.open_async_store`.
        seller: See :class:`Guard`, as for all that follow.
        policy: The rules.
        classify: Says of a message whether it is critical. It is called in the event loop.
        check_guidelines: Finds what breaks Amazon's communication guidelines. It is called in the event loop.
        hook: Is told every decision and what became of links. It is called in the event loop.
        ledger: Where requests are counted; from :func:`optoutkit.ledgers.open_async_ledger`.

    Raises:
        TypeError: The store or the ledger is not an async one.
    """

    def __init__(
        self,
        store: AsyncOptOutStore,
        *,
        seller: str = "",
        policy: Policy = Policy.AMAZON,
        classify: Classify | None = None,
        check_guidelines: CheckGuidelines | None = None,
        hook: Hook | None = None,
        ledger: AsyncLedger | None = None,
    ) -> None:
        if not _is_async(store):
            raise TypeError("this store is not asynchronous: use Guard, or open the store with open_async_store")
        if ledger is not None and not _is_async(ledger):
            raise TypeError("this ledger is not asynchronous: use Guard, or open the ledger with open_async_ledger")
        super().__init__(
            store, seller=seller, policy=policy, classify=classify, check_guidelines=check_guidelines, hook=hook, ledger=ledger
        )

    async def check(self, message: Message | StandardMessage | bytes) -> Verdict:
        """See :meth:`Guard.check`."""
        return await run_async(self._checking(message), self._perform)

    async def check_many(self, messages: Iterable[Message | StandardMessage | bytes]) -> tuple[Verdict, ...]:
        """See :meth:`Guard.check_many`."""
        return await run_async(self._checking_many(messages), self._perform)

    async def deliver(self, message: Message, send: Callable[[Verdict], Awaitable[T]], *, held: type[Held] = Held) -> Delivery[T]:
        """See :meth:`Guard.deliver`."""
        return await run_async(self._delivering(message, send, held), self._perform)

    async def deliver_together(
        self, messages: Iterable[Message], send: Callable[[tuple[Verdict, ...]], Awaitable[T]], *, held: type[Held] = Held
    ) -> JointDelivery[T]:
        """See :meth:`Guard.deliver_together`."""
        return await run_async(self._delivering_together(messages, send, held), self._perform)

    async def _perform(self, request: Any) -> Any:
        return await request.call(self._asked_by(request))


def _is_async(place: object) -> bool:
    """Whether a store, or a ledger, is one for asyncio."""
    return inspect.iscoroutinefunction(getattr(place, "lookup", None))
