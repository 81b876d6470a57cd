"""The body of a request to SendGrid's ``/mail/send``: what it sends to whom, and the body for those who are left.

It is what the caller gave. What is not of the form that the API has is read as if it was not there, and left to SendGrid to refuse.
"""

import json
import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from optoutkit.guard import Action, Verdict
from optoutkit.messages import Message
from optoutkit.text.mime import Attachment

__all__ = ["body_for", "messages_in"]

_FIELDS = ("to", "cc", "bcc")
_TOLD = ("dynamic_template_data", "substitutions")  # what a template is filled in with


def messages_in(body: Mapping[str, Any]) -> tuple[Message, ...]:
    """The messages, one a personalization; each one's ``to`` is its envelope.

    A template is filled in by SendGrid: such a message has no text here, and only its orders are read from what the template is told.
    """
    return tuple(_message(body, personalization) for personalization in _dicts(body.get("personalizations")))


def body_for(body: Mapping[str, Any], verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The body for those recipients whom it may go to: at least one."""
    personalizations = zip(_dicts(body.get("personalizations")), verdicts, strict=True)
    left = (one for personalization, verdict in personalizations for one in _shortened(personalization, verdict))
    return {**body, "personalizations": list(left)}


def _message(body: Mapping[str, Any], personalization: Mapping[str, Any]) -> Message:
    subject = _text(personalization.get("subject")) or _text(body.get("subject"))
    contents = {_text(content.get("type")): _text(content.get("value")) for content in reversed(_dicts(body.get("content")))}
    message = Message(
        subject,
        contents.get("text/plain", ""),
        html=contents.get("text/html"),
        to=[address for field in _FIELDS for address in _addresses(personalization.get(field))],
        order_ids=Message("", _told(personalization)).with_orders_named().order_ids,
        attachments=map(_attachment, _dicts(body.get("attachments"))),
    ).with_orders_named()
    return attrs.evolve(message, subject="", body="", html=None) if body.get("template_id") else message


def _shortened(personalization: Mapping[str, Any], verdict: Verdict) -> Iterator[dict[str, Any]]:
    """A personalization with those of its recipients that are left.

    SendGrid wants a recipient in ``to``. Where none is left there, those of ``cc`` take the place, who are shown to one another anyway.
    Those of ``bcc`` are not: where nobody else is left, each gets the message alone.
    """
    if not verdict.suppressed:
        yield dict(personalization)
        return
    allowed = {decision.recipient for decision in verdict.decisions if decision.action is Action.SEND}
    kept = {field: [entry for entry in _dicts(personalization.get(field)) if _text(entry.get("email")) in allowed] for field in _FIELDS}
    rest = {name: value for name, value in personalization.items() if name not in _FIELDS}
    to, cc, bcc = kept.values()
    if not to:
        to, cc = cc, []
    if to:
        others = {name: entries for name, entries in (("cc", cc), ("bcc", bcc)) if entries}
        yield {"to": to, **others, **rest}
    else:
        yield from ({"to": [hidden], **rest} for hidden in bcc)


def _told(personalization: Mapping[str, Any]) -> str:
    try:
        return json.dumps([personalization.get(name) for name in _TOLD], ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):  # then the client cannot write it out either, and says so
        return ""


def _attachment(attached: Mapping[str, Any]) -> Attachment:
    name = _text(attached.get("filename"))
    content_type = _text(attached.get("type")) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Attachment(filename=name, content_type=content_type, size=len(_text(attached.get("content"))) * 3 // 4)  # it is base64


def _addresses(entries: Any) -> list[str]:
    return [address for entry in _dicts(entries) if (address := _text(entry.get("email")))]


def _dicts(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list | tuple) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
