"""What a message of Django's sends, and to whom; and the copies of it for those who are left.

Beside Django's own attributes those are read that django-anymail gives a meaning: ``template_id``, ``merge_data`` and the like.
"""

import copy
import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from optoutkit.guard import Verdict, enveloped
from optoutkit.messages import Message
from optoutkit.senders.copies import written
from optoutkit.text.mailboxes import read_mailboxes

__all__ = ["copies_for", "messages_in"]

_FIELDS = ("to", "cc", "bcc")
_TOLD_EACH = ("merge_data", "merge_metadata", "merge_headers")  # by recipient; with one of them each recipient in "to" gets a message alone
_TOLD_ALL = ("merge_global_data", "metadata")


def messages_in(mail: Any, defaults: Mapping[str, Any]) -> tuple[Message, ...]:
    """What leaves when this is sent: one message, or one for each recipient in ``to`` where each is told something else.

    A template is filled in by the service: such a message has no text here, and only its orders are read from what it is told.

    Args:
        mail: A ``django.core.mail.EmailMessage``.
        defaults: What the backend takes from settings where the message does not say it.
    """
    recipients = [address for entry in mail.recipients() for address in _addresses(str(entry))]
    if _said(mail, "template_id", defaults.get("template_id")):
        message = Message("", "", to=recipients, order_ids=Message(str(mail.subject), "").with_orders_named().order_ids)
    else:
        message = enveloped(mail.message(), recipients)
    message = _told(message, [_said(mail, name) for name in _TOLD_ALL])
    if not _is_batch(mail):
        return (message,)
    firsts = [address for entry in mail.to for address in _addresses(str(entry))]
    others = [address for entry in (*mail.cc, *mail.bcc) for address in _addresses(str(entry))]
    return tuple(
        _told(attrs.evolve(message, to=[first, *others]), [_by_recipient(mail, name).get(first) for name in _TOLD_EACH]) for first in firsts
    )


def copies_for(mail: Any, verdicts: Sequence[Verdict], *, needs_to: bool) -> list[Any]:
    """What to send in place of a message: itself, if nobody is suppressed, else a copy for those who are left.

    Args:
        mail: The message.
        verdicts: The verdicts on the messages in it.
        needs_to: Whether the backend wants somebody in ``to``. Where nobody is left there, those of ``cc`` take the place, who are shown
            to one another anyway. Those of ``bcc`` are not: where nobody else is left, each gets a copy alone.
    """
    suppressed = {decision.recipient for verdict in verdicts for decision in verdict.suppressed}
    if not suppressed:
        return [mail]
    to, cc, bcc = (_kept(getattr(mail, field), suppressed) for field in _FIELDS)
    if to or not (needs_to or _is_batch(mail)):
        return [_copy(mail, suppressed, to, cc, bcc)]
    if _is_batch(mail):
        return []  # the others would have got copies of what each in "to" got
    if cc:
        return [_copy(mail, suppressed, cc, [], bcc)]
    return [_copy(mail, suppressed, [hidden], [], []) for hidden in bcc]


def _copy(mail: Any, suppressed: set[str], to: list[str], cc: list[str], bcc: list[str]) -> Any:
    shortened = copy.copy(mail)
    shortened.to, shortened.cc, shortened.bcc = to, cc, bcc
    for name in _TOLD_EACH:
        if told := _by_recipient(mail, name):
            setattr(shortened, name, {recipient: value for recipient, value in told.items() if recipient not in suppressed})
    recipients = shortened.recipients()
    left = _kept(recipients, suppressed)
    if left != [str(entry) for entry in recipients]:  # a class of the caller's, which names more than the three fields
        shortened.recipients = functools.partial(list, left)
    return shortened


def _kept(entries: Sequence[Any], suppressed: set[str]) -> list[str]:
    """What is left of a list of recipients; an entry may name several."""
    return [left for entry in entries if (left := _without(str(entry), suppressed))]


def _without(entry: str, suppressed: set[str]) -> str:
    if suppressed.isdisjoint(_addresses(entry)):
        return entry
    return ", ".join(written(mailbox) for mailbox in read_mailboxes(entry) if mailbox.address not in suppressed)


def _addresses(entry: str) -> list[str]:
    return [mailbox.address for mailbox in read_mailboxes(entry)] or [entry]


def _is_batch(mail: Any) -> bool:
    return any(_by_recipient(mail, name) for name in _TOLD_EACH)


def _by_recipient(mail: Any, name: str) -> Mapping[str, Any]:
    told = _said(mail, name)
    return told if isinstance(told, dict) else {}


def _said(mail: Any, name: str, default: Any = None) -> Any:
    """An attribute that not every message has; anymail's mark for what was not said is a class."""
    value = getattr(mail, name, type)
    return default if isinstance(value, type) else value


def _told(message: Message, values: Sequence[Any]) -> Message:
    """The message, about the orders beside that a service is told of."""
    if not any(values):
        return message
    try:
        text = json.dumps(values, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):  # then the backend cannot write it out either, and says so
        return message
    return attrs.evolve(message, order_ids=(*message.order_ids, *Message("", text).with_orders_named().order_ids))
