"""What SES's operations send, and to whom, read from their parameters; and the parameters for those who are left.

The parameters are whatever the caller gave. What is not of the form that SES's API has is read as if it was not there, and is left
to the client, which refuses it.
"""

import json
import mimetypes
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs

from optoutkit.guard import Action, Verdict, enveloped
from optoutkit.messages import Message
from optoutkit.text.mailboxes import read_mailboxes
from optoutkit.text.mime import Attachment, Limits, peek

__all__ = ["Call", "read_call"]

Params = Mapping[str, Any]

_DESTINATION_FIELDS = ("ToAddresses", "CcAddresses", "BccAddresses")
_ENVELOPE_FIELDS = ("To", "Cc", "Bcc")
_TAKEN = "SUCCESS"
_ANY_SIZE = Limits(max_bytes=sys.maxsize)
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_BCC_FIELDS = re.compile(rb"^bcc[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*\n?", re.IGNORECASE | re.MULTILINE)


class Call(ABC):
    """One call of an operation that sends.

    Attributes:
        messages: What is sent, a message a destination; each one's ``to`` is its envelope.
    """

    messages: Sequence[Message]

    @abstractmethod
    def params_for(self, verdicts: Sequence[Verdict]) -> dict[str, Any]:
        """The parameters for those whom it may go to: at least one."""

    @abstractmethod
    def answer(self, verdicts: Sequence[Verdict], answer: Params | None) -> dict[str, Any]:
        """SES's answer to that, None if there was nobody to send to, made into one to the whole call."""

    def not_taken(self, _verdicts: Sequence[Verdict], _answer: Params) -> Sequence[int]:
        """Which messages SES says in its answer that it did not take; by their places."""
        return ()


def read_call(service: str, operation: str, params: Params) -> Call | None:
    """Read a call; None for an operation that sends no message of the caller's.

    Args:
        service: ``"ses"`` or ``"sesv2"``.
        operation: As SES's API names it, such as ``"SendEmail"``.
        params: The call's parameters.

    Raises:
        MessageTooLarge: The header of a raw mail is beyond the limits.
    """
    read = _READERS.get((service, operation))
    return None if read is None else read(params)


def _read_v2(params: Params) -> Call:
    content = _part(params, "Content")
    if "Raw" in content:
        return _RawV2(params, _bytes(_part(content, "Raw").get("Data")))
    if "Template" in content:
        return _Single(params, _filled_in(_part(content, "Template").get("TemplateData"), template=_part(content, "Template")))
    return _Single(params, _written(_part(content, "Simple")))


class _Single(Call):
    """A message with a destination: addresses for To, Cc and Bcc."""

    def __init__(self, params: Params, message: Message) -> None:
        self._params = params
        self.messages = (attrs.evolve(message, to=_recipients(_part(params, "Destination"))),)

    def params_for(self, verdicts: Sequence[Verdict]) -> dict[str, Any]:
        return {**self._params, "Destination": _shortened(_part(self._params, "Destination"), verdicts[0])}

    def answer(self, verdicts: Sequence[Verdict], answer: Params | None) -> dict[str, Any]:
        return _with_suppressed({"MessageId": ""} if answer is None else answer, verdicts)


class _Raw(Call):
    """A raw mail, for explicit destinations or those in its header."""

    def __init__(self, params: Params, raw: bytes) -> None:
        self._params, self._raw = params, raw
        self._by_field = {} if self._explicit else _header_recipients(raw)
        to = self._explicit or [recipient for recipients in self._by_field.values() for recipient in recipients]
        self.messages = (enveloped(raw, to),)

    @property
    def _explicit(self) -> list[str]:
        return _each(self._params.get("Destinations"))

    def params_for(self, verdicts: Sequence[Verdict]) -> dict[str, Any]:
        params = {**self._params, "Destinations": _kept(self.messages[0].to, verdicts[0])}
        if not self._explicit:
            params["RawMessage"] = {**self._params["RawMessage"], "Data": _without_bcc(self._raw)}
        return params

    answer = _Single.answer


class _RawV2(_Raw):
    """The same in the second version of the API, where a destination has fields."""

    @property
    def _explicit(self) -> list[str]:
        return _recipients(_part(self._params, "Destination"))

    def params_for(self, verdicts: Sequence[Verdict]) -> dict[str, Any]:
        if self._explicit:
            return {**self._params, "Destination": _shortened(_part(self._params, "Destination"), verdicts[0])}
        by_field: dict[str, Any] = dict(zip(_DESTINATION_FIELDS, self._by_field.values(), strict=True))
        content = {**self._params["Content"], "Raw": {**self._params["Content"]["Raw"], "Data": _without_bcc(self._raw)}}
        return {**self._params, "Destination": _shortened(by_field, verdicts[0]), "Content": content}


@attrs.frozen(kw_only=True)
class _BulkForm:
    """How an operation names the parts of a bulk send.

    Attributes:
        entries: Where the destinations are.
        data: Where an entry has what its template is filled in with, as the way there.
        default: Where the whole call has it.
        results: Where the answer has what became of each.
        rejected: What it says of an entry that SES takes nobody's mail for.
    """

    entries: str
    data: tuple[str, ...]
    default: tuple[str, ...]
    results: str
    rejected: str


class _Bulk(Call):
    """A template that is filled in for each of many destinations."""

    def __init__(self, form: _BulkForm, params: Params) -> None:
        self._form, self._params = form, params
        self.messages = tuple(
            attrs.evolve(
                _filled_in(_at(entry, form.data), _at(params, form.default), template=_at(params, form.default[:-1])),
                to=_recipients(_part(entry, "Destination")),
            )
            for entry in self._entries
        )

    @property
    def _entries(self) -> list[Any]:
        entries = self._params.get(self._form.entries)
        return list(entries) if isinstance(entries, list | tuple) else []

    def params_for(self, verdicts: Sequence[Verdict]) -> dict[str, Any]:
        entries = [
            {**entry, "Destination": _shortened(_part(entry, "Destination"), verdict)} if verdict.suppressed else entry
            for entry, verdict in zip(self._entries, verdicts, strict=True)
            if verdict.sends
        ]
        return {**self._params, self._form.entries: entries}

    def answer(self, verdicts: Sequence[Verdict], answer: Params | None) -> dict[str, Any]:
        answer = answer or {}
        of_sent = iter(answer.get(self._form.results, ()))
        results = [next(of_sent, {}) if verdict.sends else self._rejection(verdict) for verdict in verdicts]
        return _with_suppressed({**answer, self._form.results: results}, verdicts)

    def not_taken(self, verdicts: Sequence[Verdict], answer: Params) -> Sequence[int]:
        sent = (number for number, verdict in enumerate(verdicts) if verdict.sends)
        results = _dicts(answer.get(self._form.results))
        return [number for number, result in zip(sent, results, strict=False) if result.get("Status", _TAKEN).upper() != _TAKEN]

    def _rejection(self, verdict: Verdict) -> dict[str, str]:
        return {"Status": self._form.rejected, "Error": verdict.suppressed[0].explanation}


_BULK_V1 = _BulkForm(
    entries="Destinations",
    data=("ReplacementTemplateData",),
    default=("DefaultTemplateData",),
    results="Status",
    rejected="MessageRejected",
)
_BULK_V2 = _BulkForm(
    entries="BulkEmailEntries",
    data=("ReplacementEmailContent", "ReplacementTemplate", "ReplacementTemplateData"),
    default=("DefaultContent", "Template", "TemplateData"),
    results="BulkEmailEntryResults",
    rejected="MESSAGE_REJECTED",
)
_READERS: Mapping[tuple[str, str], Callable[[Params], Call]] = {
    ("ses", "SendEmail"): lambda params: _Single(params, _written(_part(params, "Message"))),
    ("ses", "SendTemplatedEmail"): lambda params: _Single(params, _filled_in(params.get("TemplateData"))),
    ("ses", "SendRawEmail"): lambda params: _Raw(params, _bytes(_part(params, "RawMessage").get("Data"))),
    ("ses", "SendBulkTemplatedEmail"): lambda params: _Bulk(_BULK_V1, params),
    ("sesv2", "SendEmail"): _read_v2,
    ("sesv2", "SendBulkEmail"): lambda params: _Bulk(_BULK_V2, params),
}


def _written(content: Params) -> Message:
    """A message whose subject and body stand in the parameters."""
    body = _part(content, "Body")
    html = _part(body, "Html").get("Data")
    message = Message(
        _text(_part(content, "Subject").get("Data")),
        _text(_part(body, "Text").get("Data")),
        html=html if isinstance(html, str) else None,
        attachments=map(_attachment, _dicts(content.get("Attachments"))),
    )
    return message.with_orders_named()


def _filled_in(data: Any, default: Any = None, *, template: Any = None) -> Message:
    """A message that SES makes of a template.

    Of one that is kept at SES there is no text here, only the orders that it is told. One that stands in the call is read before it is
    filled in, with what it is told below it.
    """
    told, told_by_default = (Message("", _text(text)).with_orders_named().order_ids for text in (data, default))
    content = _part(template, "TemplateContent")
    subject, text, html = (_text(content.get(name)) for name in ("Subject", "Text", "Html"))
    if subject or text or html:
        text = "\n\n".join(filter(None, (text, *map(_readable, (data, default)))))
    return Message(subject, text, html=html or None, order_ids=told or told_by_default)


def _readable(data: Any) -> str:
    """What a template is told, with nothing in it escaped."""
    try:
        return json.dumps(json.loads(_text(data)), ensure_ascii=False)
    except (ValueError, RecursionError):  # which SES cannot read either
        return ""


def _attachment(attached: Params) -> Attachment:
    name, content = _text(attached.get("FileName")), attached.get("RawContent")
    content_type = attached.get("ContentType") or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Attachment(filename=name, content_type=_text(content_type), size=len(_bytes(content)))


def _recipients(destination: Params) -> list[str]:
    return [recipient for field in _DESTINATION_FIELDS for recipient in _each(destination.get(field))]


def _shortened(destination: Params, verdict: Verdict) -> dict[str, Any]:
    """A destination with those of its addresses that are left; fields of which none is left are left out."""
    kept = {field: _kept(_each(destination.get(field)), verdict) for field in _DESTINATION_FIELDS}
    return {field: recipients for field, recipients in kept.items() if recipients}


def _kept(recipients: Iterable[str], verdict: Verdict) -> list[str]:
    allowed = {decision.recipient for decision in verdict.decisions if decision.action is Action.SEND}
    return [recipient for recipient in recipients if recipient in allowed]


def _header_recipients(raw: bytes) -> dict[str, list[str]]:
    headers = peek(raw, _ANY_SIZE)
    return {name: [mailbox.address for field in headers.unfolded(name) for mailbox in read_mailboxes(field)] for name in _ENVELOPE_FIELDS}


def _without_bcc(raw: bytes) -> bytes:
    """The mail without its Bcc field, which is for nobody to read where the recipients are given beside it; all else as it is."""
    end = _END_OF_HEADERS.search(raw, len(raw) - len(raw.lstrip(b"\r\n")))
    headers_end = end.end() if end else len(raw)
    return _BCC_FIELDS.sub(b"", raw[:headers_end]) + raw[headers_end:]


def _with_suppressed(answer: Params, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The answer with the suppressed recipients and the reasons beside what boto3 tells of a response."""
    suppressed = {decision.recipient: decision.explanation for verdict in verdicts for decision in verdict.suppressed}
    metadata = answer.get("ResponseMetadata", {"RequestId": "", "HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0})
    return {**answer, "ResponseMetadata": {**metadata, "Suppressed": {**metadata.get("Suppressed", {}), **suppressed}}}


def _part(params: Any, name: str) -> Params:
    part = params.get(name) if isinstance(params, dict) else None
    return part if isinstance(part, dict) else {}


def _at(params: Any, way: Sequence[str]) -> Any:
    for name in way:
        params = params.get(name) if isinstance(params, dict) else None
    return params


def _each(recipients: Any) -> list[str]:
    """Recipients as given; one that is written as a list of several is taken apart, so that each is decided on."""
    each: list[str] = []
    for given in recipients if isinstance(recipients, list | tuple) else ():
        if isinstance(given, str):
            mailboxes = read_mailboxes(given) if "," in given else ()
            each += [mailbox.address for mailbox in mailboxes] if len(mailboxes) > 1 else [given]
    return each


def _dicts(values: Any) -> list[Params]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list | tuple) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _bytes(value: Any) -> bytes:
    return value.encode("utf-8", "replace") if isinstance(value, str) else bytes(value) if isinstance(value, bytes | bytearray) else b""
