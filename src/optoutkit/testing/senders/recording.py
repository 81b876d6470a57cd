"""Senders that send nothing and remember everything, for the tests of those who use the guard."""

import smtplib
from collections.abc import Mapping, Sequence
from email.message import Message as StandardMessage
from typing import Any

import attrs

from optoutkit.messages import Message

__all__ = ["AsyncRecordingSender", "RecordingSMTP", "RecordingSender", "Sent"]


@attrs.frozen
class Sent:
    """A mail that an SMTP client would have handed to its server.

    Attributes:
        sender: The envelope sender.
        recipients: The envelope's recipients, those the server refused included.
        raw: The mail.
    """

    sender: str
    recipients: tuple[str, ...]
    raw: bytes


class RecordingSMTP(smtplib.SMTP):
    r"""An SMTP client of the standard library that never connects.

    Args:
        refuse: Recipients that its server refuses, each with reply code and text.

    Attributes:
        sent: What it would have sent, in order; mails that nobody would have got are not among them.

    Example:
        >>> smtp = RecordingSMTP()
        >>> smtp.sendmail("shop@example.com", ["buyer@example.com"], b"Subject: Hello\r\n\r\nHello")
        {}
        >>> smtp.sent[0].recipients
        ('buyer@example.com',)
    """

    def __init__(self, *, refuse: Mapping[str, tuple[int, bytes]] | None = None) -> None:
        super().__init__()
        self.sent: list[Sent] = []
        self._refuse = dict(refuse or {})

    def ehlo_or_helo_if_needed(self) -> None:
        """Greet nobody."""

    def sendmail(
        self,
        from_addr: str,
        to_addrs: str | Sequence[str],
        msg: Any,
        mail_options: Sequence[str] = (),  # noqa: ARG002 - the signature is the standard library's
        rcpt_options: Sequence[str] = (),  # noqa: ARG002 - smtplib's signature
    ) -> dict[str, tuple[int, bytes]]:
        """Remember a mail; ``send_message`` ends here, too.

        Raises:
            smtplib.SMTPRecipientsRefused: All recipients are among those to refuse.
        """
        recipients = (to_addrs,) if isinstance(to_addrs, str) else tuple(to_addrs)
        refused = {recipient: self._refuse[recipient] for recipient in recipients if recipient in self._refuse}
        if len(refused) == len(set(recipients)):
            raise smtplib.SMTPRecipientsRefused(refused)
        self.sent.append(Sent(from_addr, recipients, msg.encode("ascii") if isinstance(msg, str) else bytes(msg)))
        return refused

    def quit(self) -> tuple[int, bytes]:
        """Say goodbye to nobody."""
        return 221, b"2.0.0 Bye"

    def __exit__(self, *_args: object) -> None:
        """Leave no connection behind, as there is none."""


class RecordingSender:
    """A plain ``send(message)`` function that remembers the messages.

    Attributes:
        messages: What it was given, in order.
    """

    def __init__(self) -> None:
        self.messages: list[Message | StandardMessage | bytes] = []

    def __call__(self, message: Message | StandardMessage | bytes) -> None:
        """Remember one message."""
        self.messages.append(message)


class AsyncRecordingSender:
    """The same as an async function.

    Attributes:
        messages: What it was given, in order.
    """

    def __init__(self) -> None:
        self.messages: list[Message | StandardMessage | bytes] = []

    async def __call__(self, message: Message | StandardMessage | bytes) -> None:
        """Remember one message."""
        self.messages.append(message)
