"""A message that is about to be sent to a buyer."""

from collections.abc import Iterable
from email.message import Message as StandardMessage
from functools import cached_property

import attrs

from optoutkit.errors import InvalidMessage
from optoutkit.identities import Address, OrderId, find_order_ids
from optoutkit.text.folding import fold
from optoutkit.text.html import Rendered, render
from optoutkit.text.mailboxes import read_mailboxes
from optoutkit.text.mime import Attachment, raw_bytes, read_mail
from optoutkit.text.threads import Thread, split

__all__ = ["Message"]


def _recipients(value: "str | Address | Iterable[str | Address]") -> tuple[str, ...]:
    if isinstance(value, (str, Address)):
        value = (value,)
    recipients = tuple(str(recipient) for recipient in value)
    for recipient in recipients:
        if recipient.count("@") > 1 and len(read_mailboxes(recipient)) > 1:
            raise InvalidMessage("one string of recipients names several of them: give each its own string")
    return recipients


def _order_ids(value: "str | OrderId | Iterable[str | OrderId]") -> tuple[OrderId, ...]:
    if isinstance(value, (str, OrderId)):
        value = (value,)
    return tuple(dict.fromkeys(order if isinstance(order, OrderId) else OrderId(order) for order in value))


def _yes_or_no(_message: object, field: "attrs.Attribute[bool]", value: bool) -> None:
    if not isinstance(value, bool):
        raise InvalidMessage(f"{field.name} is True or False, not {value!r}: what counts as true by mistake would let it through")


def _attachments(value: Iterable[Attachment]) -> tuple[Attachment, ...]:
    return tuple(value)


def _plain(text: str) -> str:
    """The text with order IDs as Amazon writes them: layouts put hyphens that don't break, or invisible characters, into them."""
    return (text if text.isascii() else fold(text).text).upper()


@attrs.frozen(slots=False)
class Message:
    """A message, and what its sender knows of it.

    Attributes:
        subject: The subject, decoded.
        body: The plain text; empty if there is only HTML.
        html: The HTML, if there is any. It is what the buyer sees.
        to: Recipients as given, each a string of its own: bare addresses.
        order_ids: The orders it is about, each once.
        language: ISO 639-1 code; None to have it guessed.
        topic: A topic that the sender declares, such as ``"shipping_address"``.
        reply_to_buyer: Whether it answers a message of the buyer on that thread; the caller's word alone counts.
        custom_order: Whether it is about a Handmade or Custom order, for which buyers cannot opt out.
        attachments: What is attached: names, media types and sizes.

    Raises:
        InvalidOrderId: An order ID has another form.
        InvalidMessage: One string of ``to`` names several recipients, of whom senders would reach one, or all, or none; or
            ``reply_to_buyer`` or ``custom_order`` is no bool.

    Example:
        >>> Message("Your order", "Which name shall we engrave?", to="abc@marketplace.amazon.de").text
        'Which name shall we engrave?'
    """

    subject: str
    body: str
    html: str | None = attrs.field(default=None, kw_only=True)
    to: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_recipients)
    order_ids: tuple[OrderId, ...] = attrs.field(default=(), kw_only=True, converter=_order_ids)
    language: str | None = attrs.field(default=None, kw_only=True)
    topic: str | None = attrs.field(default=None, kw_only=True)
    reply_to_buyer: bool = attrs.field(default=False, kw_only=True, validator=_yes_or_no)
    custom_order: bool = attrs.field(default=False, kw_only=True, validator=_yes_or_no)
    attachments: tuple[Attachment, ...] = attrs.field(default=(), kw_only=True, converter=_attachments)

    @classmethod
    def from_email(cls, mail: "bytes | StandardMessage") -> "Message":
        """Read a message from an e-mail.

        ``to`` is its envelope: To, Cc and Bcc, or the Resent fields where it was sent anew. ``order_ids`` are those of the subject
        and of the text that is not quoted.

        Args:
            mail: A raw mail, or a message object of the standard library.

        Raises:
            InvalidMessage: It is neither, or an object that cannot be written out.
            MessageTooLarge: It is beyond the default limits of :func:`optoutkit.text.mime.read_mail`.
        """
        read = read_mail(raw_bytes(mail))
        message = cls(read.subject, read.plain or "", html=read.html, to=read.recipients, attachments=read.attachments)
        return message.with_orders_named()

    def with_orders_named(self) -> "Message":
        """This message, about the orders that its subject and its text name, beside those it is said to be about.

        What is quoted in the text does not count.

        Example:
            >>> Message("Your order 302-1234567-1234567", "Thank you!").with_orders_named().order_ids
            (OrderId('302-1234567-1234567'),)
        """
        unquoted = [self.subject]
        unquoted += [self.text[span.start : span.end] for span in (*self.thread.own, *self.thread.signature)]
        named = (order for text in unquoted for _, order in find_order_ids(_plain(text)))
        return attrs.evolve(self, order_ids=(*self.order_ids, *named))

    @property
    def text(self) -> str:
        """What the buyer sees: the HTML rendered, else the body."""
        return self.body if self._rendered is None else self._rendered.text

    @cached_property
    def alternative(self) -> str:
        """What else is in the message: the body where the HTML is shown and says something else, and text that is hidden."""
        if self._rendered is None:
            return ""
        other = self.body if self.body.split() != self._rendered.text.split() else ""
        return "\n".join(part for part in (other, self._rendered.hidden) if part)

    @cached_property
    def thread(self) -> Thread:
        """The parts of :attr:`text`: the author's own, quotations, signature."""
        return split(self.text)

    @cached_property
    def _rendered(self) -> Rendered | None:
        return None if self.html is None else render(self.html)
