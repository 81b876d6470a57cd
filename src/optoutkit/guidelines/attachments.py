"""Attachments: only instructions, warranties and invoices are allowed."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources

from optoutkit.guidelines import words
from optoutkit.guidelines.sources import Found, Reading
from optoutkit.text.folding import fold
from optoutkit.text.mime import Attachment
from optoutkit.text.tokens import tokenize

__all__ = ["check_attachments"]

_SEPARATORS = re.compile(r"[_.+-]+")
_PROMISING = frozenset({"coupon", "promotion", "promotion_file"})


def check_attachments(reading: Reading) -> Iterator[Found]:
    """Find attachments that are of another kind, or say by their name that they advertise."""
    for attachment in reading.message.attachments:
        if _is_forbidden(attachment):
            yield Found("forbidden_attachment", text=attachment.filename or attachment.content_type)


def _is_forbidden(attachment: Attachment) -> bool:
    kinds = _kinds()
    extension = attachment.filename.lower().rpartition(".")[2] if "." in attachment.filename else ""
    if extension in kinds["extensions"] or attachment.content_type in kinds["types"]:
        return True
    if attachment.content_type.startswith(kinds["type_prefixes"]):
        return True
    name = fold(_SEPARATORS.sub(" ", attachment.filename)).text
    labels = {phrase.label for phrase in words.find(list(tokenize(name)))}
    return bool(labels & _PROMISING) and not labels & {"link_needed", "carrier_or_warranty", "needed"}


@cache
def _kinds() -> dict[str, tuple[str, ...]]:
    data = tomllib.loads((resources.files("optoutkit.guidelines") / "attachments.toml").read_text(encoding="utf-8"))
    return {name: tuple(values) for name, values in data.items()}
