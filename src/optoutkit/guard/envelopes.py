"""A mail about to leave, with its true envelope."""

from collections.abc import Sequence
from email.message import Message as StandardMessage

import attrs

from optoutkit.errors import MessageTooLarge
from optoutkit.messages import Message

__all__ = ["enveloped"]


def enveloped(mail: StandardMessage | bytes, recipients: Sequence[str]) -> Message:
    """What the guard checks when a mail is sent to these recipients, whatever its headers say.

    A mail too large to be read is judged by its envelope alone: it counts as one without text, which is not critical.

    Raises:
        InvalidMessage: It is no mail, or one string of the recipients names several of them.
    """
    try:
        message = Message.from_email(mail)
    except MessageTooLarge:
        message = Message(subject="", body="")
    return attrs.evolve(message, to=recipients)
