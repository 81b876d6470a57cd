"""A mail from a source, and how the source is told what became of it."""

from collections.abc import Callable
from datetime import datetime

import attrs

__all__ = ["MAX_BYTES", "Item"]

MAX_BYTES = 32 * 2**20
"""No more than this of a mail is read, and one byte, which makes the parser refuse it."""


def _nothing() -> None:
    """Neither files nor mbox folders are changed by being read."""


@attrs.frozen(kw_only=True, eq=False)
class Item:
    """A mail from a source.

    Attributes:
        name: Where it is, for people: a path, with a number behind it where the file holds several.
        raw: The mail byte for byte; cut off behind the first byte too many where it is too large.
        arrived: When it came in (UTC), if the source knows.
        done: To be called when what matters of it is saved: marks it as read.
        leave: To be called when it is to come again.
    """

    name: str
    raw: bytes = attrs.field(repr=False)
    arrived: datetime | None = None
    done: Callable[[], None] = _nothing
    leave: Callable[[], None] = _nothing
