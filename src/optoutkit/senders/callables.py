"""The adapter for plain ``send(message)`` functions, async ones too; as a call or as a decorator.

The function gets the message that the caller gave, unless some of its recipients are suppressed: then it gets a copy without these.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from email.message import Message as StandardMessage
from typing import Any, TypeVar

import attrs

from optoutkit.errors import InvalidMessage, UnknownSender
from optoutkit.guard import AsyncGuard, Guard, Verdict, read_address
from optoutkit.guard.parties import parties
from optoutkit.identities import Address
from optoutkit.messages import Message
from optoutkit.senders.copies import copy_for

__all__ = ["ADAPTER", "CallableAdapter"]

Mail = Message | StandardMessage | bytes

T = TypeVar("T")

_MARK = "_optoutkit_guarded"
_LONGEST = 1_000  # a text is no address, and need not be read as one


@attrs.frozen
class CallableAdapter:
    """Puts a guard round a function that sends the message it is given.

    The message is the first argument that is a :class:`optoutkit.Message` or an object of ``email.message``, else the first that
    is ``bytes``; its envelope is read from it. The function's result is returned; None where there was nobody left to send to.

    What a function does with its other arguments is its own business. Only where one of them is the address of a buyer, or a list in which
    there is one, who is no recipient of the message, is the call refused with InvalidMessage: it would be an envelope that nobody checks.
    """

    wraps: str = "a function send(message) (Guard), or async def send(message) (AsyncGuard)"

    def knows(self, sender: object) -> bool:
        """Whether it can be called, and is not a class."""
        return callable(sender) and not isinstance(sender, type)

    def wrap(self, sender: Callable[..., Any], guard: Guard | AsyncGuard) -> Callable[..., Any]:
        """Put the guard round it.

        Raises:
            UnknownSender: An async function needs an AsyncGuard, any other a Guard.
        """
        if getattr(sender, _MARK, None) == (guard, sender):
            return sender
        guarded = self._guarded(sender, guard)
        setattr(guarded, _MARK, (guard, guarded))  # with the function itself, as functools.wraps hands attributes on
        return guarded

    def _guarded(self, sender: Callable[..., Any], guard: Guard | AsyncGuard) -> Callable[..., Any]:
        if _is_async(sender):
            if not isinstance(guard, AsyncGuard):
                raise UnknownSender("an async function needs an AsyncGuard")
            return _guarded_async(sender, guard)
        if not isinstance(guard, Guard):
            raise UnknownSender("a function that is not async needs a Guard")
        return _guarded(sender, guard)


ADAPTER = CallableAdapter()
"""What the entry point ``callable`` of the group ``optoutkit.senders`` leads to."""


def _guarded(send: Callable[..., T], guard: Guard) -> Callable[..., T | None]:
    @functools.wraps(send)
    def guarded(*args: Any, **kwargs: Any) -> T | None:
        call = _Call.of(args, kwargs)
        return guard.deliver(call.message, lambda verdict: call.repeat(send, verdict)).answer

    return guarded


def _guarded_async(send: Callable[..., Awaitable[T]], guard: AsyncGuard) -> Callable[..., Awaitable[T | None]]:
    @functools.wraps(send)
    async def guarded(*args: Any, **kwargs: Any) -> T | None:
        call = _Call.of(args, kwargs)
        return (await guard.deliver(call.message, lambda verdict: call.repeat(send, verdict))).answer

    return guarded


@attrs.frozen
class _Call:
    """The arguments of a call, and which of them is the message."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    place: int | str
    mail: Mail

    @classmethod
    def of(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "_Call":
        arguments: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
        for kinds in ((Message, StandardMessage), (bytes,)):
            for place, argument in arguments:
                if isinstance(argument, kinds):
                    return cls(args, kwargs, place, argument)
        raise InvalidMessage(
            "a guarded function was called without a message: none of its arguments is a Message, an email.message object or bytes"
        )

    @property
    def message(self) -> Message:
        """The message, for those alone whom it names itself."""
        message = self.mail if isinstance(self.mail, Message) else Message.from_email(self.mail)
        named = {party.identity for party in parties(message)}
        for place, argument in (*enumerate(self.args), *self.kwargs.items()):
            if place != self.place and any(address not in named for address in _buyers(argument)):
                raise InvalidMessage(
                    "a guarded function was called with a buyer's address beside a message that does not name it: "
                    "let the message name all who get it, or wrap the client that sends it"
                )
        return message

    def repeat(self, send: Callable[..., T], verdict: Verdict) -> T:
        """Make the call for those who may get the message."""
        mail = copy_for(self.mail, verdict) if verdict.suppressed else self.mail
        args = tuple(mail if place == self.place else argument for place, argument in enumerate(self.args))
        kwargs = {place: mail if place == self.place else argument for place, argument in self.kwargs.items()}
        return send(*args, **kwargs)


def _buyers(argument: Any) -> Iterator[Address]:
    """The buyers that an argument names, if it is a recipient or a list of these."""
    for given in argument if isinstance(argument, list | tuple | set | frozenset) else (argument,):
        address = read_address(given) if isinstance(given, str) and len(given) <= _LONGEST else given
        if isinstance(address, Address) and address.is_buyer_alias:
            yield address


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - is it async?
