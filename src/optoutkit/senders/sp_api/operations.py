"""What a call of the Messaging or Solicitations API says to whom: ``operations.toml`` beside this module has the operations."""

import functools
import mimetypes
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any
from urllib.parse import unquote

from optoutkit.identities import find_order_ids
from optoutkit.messages import Message
from optoutkit.text.mime import Attachment

__all__ = ["message_of", "operations"]


@functools.cache
def operations() -> Mapping[str, str | None]:
    """The operations, each with its topic; None where the text decides."""
    text = (resources.files("optoutkit.senders.sp_api") / "operations.toml").read_text(encoding="utf-8")
    return {name: fields.get("topic") for name, fields in tomllib.loads(text).items()}


def message_of(path: str, data: Any, params: Any) -> Message | None:
    """The message that a call sends; None for one that sends none, as it only asks.

    Its recipient is the order, through which the store finds the buyer.

    Args:
        path: The path of the call, such as ``"/messaging/v1/orders/302-1234567-1234567/messages/warranty"``.
        data: The body.
        params: The query, and among it the HTTP method.

    Example:
        >>> path = "/messaging/v1/orders/302-1234567-1234567/messages/unexpectedProblem"
        >>> message_of(path, {"text": "Your parcel came back."}, {"method": "POST"}).topic
        'order_problem_needs_buyer'
    """
    body: Mapping[str, Any] = data if isinstance(data, dict) else {}
    method = (params or {}).get("method", body.get("method", "GET"))
    if method != "POST":
        return None
    orders = (order_id for _, order_id in find_order_ids(unquote(path).upper()))
    attachments = body.get("attachments")
    return Message(
        "",
        text if isinstance(text := body.get("text"), str) else "",
        order_ids=orders,
        topic=operations().get(path.rpartition("/")[2]),
        attachments=map(_attachment, attachments if isinstance(attachments, list | tuple) else ()),
    )


def _attachment(attached: Any) -> Attachment:
    """One that was uploaded before: only its name is known here."""
    name = attached.get("fileName") if isinstance(attached, dict) else None
    name = name if isinstance(name, str) else ""
    return Attachment(filename=name, content_type=mimetypes.guess_type(name)[0] or "application/octet-stream", size=0)
