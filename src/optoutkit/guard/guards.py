"""The guards round a sender, for threads and for asyncio."""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from email.message import Message as StandardMessage
from typing import Any, TypeVar

from optoutkit.errors import Held
from optoutkit.flows import run, run_async
from optoutkit.guard.base import BaseGuard, Delivery, JointDelivery, NotTaken
from optoutkit.guard.decisions import Verdict
from optoutkit.guard.explaining import Explanation
from optoutkit.guard.hooks import Hook
from optoutkit.guard.policy import Policy
from optoutkit.guard.rules import CheckGuidelines, Classify
from optoutkit.identities import Identity
from optoutkit.ledgers.base import AsyncLedger, Ledger
from optoutkit.messages import Message
from optoutkit.stores.base import AsyncOptOutStore, OptOutStore

__all__ = ["AsyncGuard", "Guard"]

T = TypeVar("T")


class Guard(BaseGuard):
    """Lets critical messages through, and withholds all others from buyers who opted out.

    One guard serves any number of threads.

    Args:
        store: Where the opt-outs are; from :func:`optoutkit.open_store`.
        seller: Whose list is asked beside the shared one; ``""`` is the store's owner.
        policy: The rules; ``Policy.AMAZON``, ``Policy.STRICT``, ``Policy.AUDIT`` or one of your own.
        classify: Says of a message whether it is critical; by default :func:`optoutkit.classify`. One that raises counts as "not critical".
        check_guidelines: Finds what breaks Amazon's communication guidelines in a message, for policies that enforce them; by default
            :func:`optoutkit.check_guidelines`.
        hook: Is told every decision and what became of links; by default :class:`optoutkit.guard.LogHook`. It should be quick. Several
            are one with :class:`optoutkit.guard.ManyHooks`.
        ledger: Where requests are counted, as Amazon allows one an order; from :func:`optoutkit.ledgers.open_ledger`. None counts none.

    Raises:
        TypeError: The store, the ledger or the hook is an async one.

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

    def explain(self, about: Message | StandardMessage | bytes | str | Identity) -> Explanation:
        """Tell support why a message goes or does not: the decisions, the entries that hold, since when, and where they were learnt.

        Nothing is written, and no hook is told.

        Args:
            about: A buyer's address or an order ID, as text or as an object: what would become of a message to the one, or about the
                other, that is not critical? Or a message, or a mail, as for :meth:`check`.

        Raises:
            InvalidInput: The text is neither an address nor an order ID.
            InvalidMessage: It is none of these.
            MessageTooLarge: The mail is beyond the limits.

        Example:
            >>> from optoutkit import OptOut, OrderId, open_store
            >>> store = open_store("memory://")
            >>> _ = store.record([OptOut(OrderId("302-1234567-1234567"), source="a notice of 1 March")])
            >>> print(Guard(store).explain("302-1234567-1234567"))
            302-1234567-1234567, for a message that is not critical: It must not go: the buyer opted out of messages that are not ...
            order 302-1234567-1234567 is on the opt-out list: buyer opt out, since when is not known, learnt from a notice of 1 March.
        """
        return run(self._explaining(about), self._perform)

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
        self,
        messages: Iterable[Message],
        send: Callable[[tuple[Verdict, ...]], T],
        *,
        held: type[Held] = Held,
        not_taken: NotTaken[T] | None = None,
    ) -> JointDelivery[T]:
        """Send several messages that leave by one call, such as a service's bulk send; each is decided on for itself.

        The store is asked once for all of them.

        Args:
            messages: The messages.
            send: Sends them to those recipients whose decision in the message's verdict is SEND. Called once, and not at all if no
                recipient of any is left.
            held: Which kind of Held to raise.
            not_taken: Says by the sender's answer which of the messages it did not take, by their places: these use up no request and
                teach no link. By default it took all of them.

        Raises:
            Held: One of them must wait, as above; nothing of any was sent.
            Suppressed: With ``policy.on_suppressed = "raise"``, a recipient of one of them is suppressed; nothing was sent.
            Exception: Whatever ``send`` raises.
        """
        return run(self._delivering_together(messages, send, held, not_taken), self._perform)

    def _perform(self, request: Any) -> Any:
        return request.call(self._asked_by(request))


class AsyncGuard(BaseGuard):
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
        TypeError: The store or the ledger is not an async one, or the hook is.
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
        """See :meth:`Guard.check_many`. All are classified in one go, while no other task runs: hand over a long queue in parts."""
        return await run_async(self._checking_many(messages), self._perform)

    async def explain(self, about: Message | StandardMessage | bytes | str | Identity) -> Explanation:
        """See :meth:`Guard.explain`."""
        return await run_async(self._explaining(about), self._perform)

    async def deliver(self, message: Message, send: Callable[[Verdict], Awaitable[T]], *, held: type[Held] = Held) -> Delivery[T]:
        """See :meth:`Guard.deliver`."""
        return await run_async(self._delivering(message, send, held), self._perform)

    async def deliver_together(
        self,
        messages: Iterable[Message],
        send: Callable[[tuple[Verdict, ...]], Awaitable[T]],
        *,
        held: type[Held] = Held,
        not_taken: NotTaken[T] | None = None,
    ) -> JointDelivery[T]:
        """See :meth:`Guard.deliver_together`."""
        return await run_async(self._delivering_together(messages, send, held, not_taken), self._perform)

    async def _perform(self, request: Any) -> Any:
        return await request.call(self._asked_by(request))


def _is_async(place: object) -> bool:
    """Whether a store, or a ledger, is one for asyncio."""
    return inspect.iscoroutinefunction(getattr(place, "lookup", None))
