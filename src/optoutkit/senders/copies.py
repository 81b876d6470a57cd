"""Copies of a mail for a part of its recipients, for senders that take the envelope from the mail itself."""

import copy
from email import message_from_bytes
from email.generator import BytesGenerator
from email.message import Message as StandardMessage
from email.policy import compat32
from email.utils import formataddr
from io import BytesIO

import attrs

from optoutkit.guard import Action, Verdict, read_address
from optoutkit.identities import Address
from optoutkit.messages import Message
from optoutkit.text.mailboxes import Mailbox, read_mailboxes
from optoutkit.text.mime import peek, raw_bytes

__all__ = ["copy_for", "written"]


_ENVELOPE_FIELDS = ("To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc")


def copy_for(mail: Message | StandardMessage | bytes, verdict: Verdict) -> Message | StandardMessage | bytes:
    """A copy of the mail, of the same kind, that only those recipients are left in that it may go to."""
    if isinstance(mail, Message):
        return attrs.evolve(mail, to=[decision.recipient for decision in verdict.decisions if decision.action is Action.SEND])
    suppressed = {read_address(decision.recipient) for decision in verdict.suppressed}
    if isinstance(mail, StandardMessage):
        return _without(mail, suppressed)
    policy = compat32.clone(linesep="\r\n" if b"\r\n" in mail else "\n", max_line_length=None)
    out = BytesIO()
    BytesGenerator(out, mangle_from_=False, policy=policy).flatten(_without(message_from_bytes(mail, policy=policy), suppressed))
    return out.getvalue()


def _without(mail: StandardMessage, suppressed: set[Address | None]) -> StandardMessage:
    shortened = copy.copy(mail)
    headers = peek(raw_bytes(mail))  # as the guard read them: the library's own objects leave out what is behind a semicolon
    for name in _ENVELOPE_FIELDS:
        mailboxes = [mailbox for field in headers.unfolded(name) for mailbox in read_mailboxes(field)]
        kept = [mailbox for mailbox in mailboxes if read_address(mailbox.address) not in suppressed]
        if len(kept) < len(mailboxes):
            del shortened[name]
            if kept:
                shortened[name] = ", ".join(map(written, kept))
    return shortened


def written(mailbox: Mailbox) -> str:
    """A mailbox as an address field holds it."""
    # The standard library writes no display name beside an address that is not ASCII.
    return formataddr((mailbox.name, mailbox.address)) if mailbox.address.isascii() else mailbox.address
