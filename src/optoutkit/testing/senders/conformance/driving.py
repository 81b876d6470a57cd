"""What an adapter's tests are driven with: a letter, what was delivered of it, and the driver that knows the library."""

import asyncio
import contextlib
import copy
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import AbstractContextManager
from contextvars import copy_context
from email.message import Message as StandardMessage
from typing import Any, TypeVar

import attrs

from optoutkit.errors import Held

__all__ = ["AsyncSenderDriver", "Delivered", "Letter", "SenderDriver"]

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Letter:
    """What a test wants sent; the driver makes the library's own message of it.

    Attributes:
        to: Recipients, as written in the To field.
        cc: Those of the Cc field.
        bcc: Those of the Bcc field.
        subject: The subject.
        text: The plain text. The suite's guard finds critical what says "address", and nothing else.
        html: The HTML, if there is any.
        textless: Whether the message shows no text to whoever sends it: a template that the service fills in, where the library
            knows such a thing, otherwise a mail that is an attachment only. ``text`` is then to be ignored.
    """

    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str = "Hello"
    text: str = "Thank you, Jürgen."
    html: str | None = None
    textless: bool = False


@attrs.frozen
class Delivered:
    """What arrived where the library delivers to.

    Attributes:
        recipients: Bare addresses that it was delivered to, in order.
        content: The message as every recipient could read it, so without envelope and Bcc: the raw mail, or for a service the part
            of the request that makes the message. What is new with each send (a boundary, a date) is left out by the driver.
    """

    recipients: tuple[str, ...]
    content: bytes


class SenderDriver(ABC):
    """How the suite sends with one kind of sender, and how it learns what became of it.

    Everything goes to a real counterpart: a server on loopback, or, where the library itself is nothing but a call, a recording one.

    Attributes:
        opted_out: A recipient whom the suite's guard knows to be opted out.
        buyer: Another buyer.
        outsider: Somebody who is no buyer.
        held_as: What the library's users catch for a failure that is temporary; the exception is to be ``Held`` as well.
    """

    opted_out: str = "optedout@marketplace.amazon.de"
    buyer: str = "buyer@marketplace.amazon.de"
    outsider: str = "sales@supplier.example"
    held_as: type[Exception] = Held

    @abstractmethod
    def make_sender(self) -> Any:
        """Make a new sender, not guarded, ready to send."""

    @abstractmethod
    def compose(self, letter: Letter) -> Any:
        """Make the library's own message (a mail, a dict of parameters …), the same one for equal letters."""

    @abstractmethod
    def send(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        """Send a message of :meth:`compose` through a sender, guarded or not.

        Args:
            sender: What to send through.
            message: What to send.
            envelope: Recipients given beside the message; None leaves them to the message.

        Returns:
            What the library returned. An exception by which it says that it refused recipients is returned, too; others are raised.
        """

    @abstractmethod
    def delivered(self) -> Sequence[Delivered]:
        """All that has been delivered since the driver was made, in order."""

    @abstractmethod
    def assert_reported(self, answer: Any, suppressed: Sequence[str]) -> None:
        """Assert that an answer reports just these recipients (bare addresses) as refused, in the library's own manner.

        A library that only counts, or reports nothing, is held to that. ``suppressed`` is never empty.
        """

    @abstractmethod
    def fail(self) -> None:
        """From now on no send succeeds: the counterpart has gone, or says no to everything, so that the library raises."""

    def make_subclassed(self) -> Any:
        """Make a sender of a class derived from the library's, with a method ``notify(message)`` that sends by the inherited method."""
        raise NotImplementedError

    def use_otherwise(self, sender: Any) -> Any:
        """Use what else the sender can do: other methods, attributes. The outcome with a guard must equal that without."""
        raise NotImplementedError

    def opened(self, sender: Any) -> AbstractContextManager[Any]:
        """Use the sender as a context manager, or whatever gives a connection to send through for a while."""
        opened: AbstractContextManager[Any] = sender
        return opened

    def picture(self, message: Any) -> Any:
        """What to compare a message by, to see whether it was changed."""
        return message.as_bytes() if isinstance(message, StandardMessage) else copy.deepcopy(message)

    def picture_of_answer(self, answer: Any) -> Any:
        """What to compare an answer by; what is new with each send is to be left out."""
        return answer

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Leave nothing open. Called after each test."""


class AsyncSenderDriver(SenderDriver):
    """The same for an async library: its methods run an event loop of the driver's own until they are done."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    @abstractmethod
    async def send_async(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        """See :meth:`SenderDriver.send`."""

    def send(self, sender: Any, message: Any, *, envelope: Sequence[str] | None = None) -> Any:
        """See :meth:`SenderDriver.send`."""
        return self.run(self.send_async(sender, message, envelope=envelope))

    def run(self, awaitable: Awaitable[T]) -> T:
        """Wait for something in the driver's event loop, with what the test declared."""

        async def wait() -> T:
            return await awaitable

        return self._runner.run(wait(), context=copy_context())

    @contextlib.contextmanager
    def _opened(self, sender: Any) -> Iterator[Any]:
        opened = self.run(sender.__aenter__())
        try:
            yield opened
        finally:
            self.run(sender.__aexit__(None, None, None))

    def opened(self, sender: Any) -> AbstractContextManager[Any]:
        """See :meth:`SenderDriver.opened`."""
        return self._opened(sender)

    def close(self) -> None:
        """See :meth:`SenderDriver.close`."""
        self._runner.close()
