"""What stands in a cell: an identity, a reason, a time, a yes or no."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from optoutkit.errors import InvalidInput
from optoutkit.identities import read_identity

__all__ = ["is_identity", "plain_name", "read_flag", "read_time"]

_LONGEST_TIME = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = re.compile(r"[0-9]{9,10}(?:\.[0-9]+)?")
_MILLISECONDS = re.compile(r"[0-9]{12,13}")
_ISO = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9:.,]+)?) ?(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?", re.IGNORECASE)
_DOTTED = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})(?:,? ([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?)?")
_MAIL = re.compile(r"(?:[A-Za-z]{3}, )?[0-9]{1,2} [A-Za-z]{3} [0-9]{4} [0-9:]{4,8}(?: .*)?")
_UTC_NAMES = ("Z", "UTC", "GMT", "")

_YES = frozenset({"yes", "true", "1", "y", "t", "x", "on", "o"})
_NO = frozenset({"no", "false", "0", "n", "f", "off", "", "null", "none"})
_MARKS = re.compile(r"[\W_]+")


def is_identity(text: str) -> bool:
    """Whether it is an address, an order ID, or the key of one."""
    if "@" not in text and text.count("-") < 2 and not text.startswith("digest:"):  # noqa: PLR2004 - quick: most cells are neither
        return False
    try:
        read_identity(text)
    except InvalidInput:
        return False
    return True


def plain_name(name: str) -> str:
    """The name of a column or reason as it is compared: letters and digits only, without case.

    Example:
        >>> plain_name("E-Mail Address")
        'emailaddress'
    """
    return _MARKS.sub("", name.casefold())


def read_flag(text: str) -> bool:
    """Read a yes or no.

    Raises:
        InvalidInput: It is neither.
    """
    word = text.strip().lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise InvalidInput(f"neither yes nor no: {text[:40]!r}")


def read_time(text: str) -> datetime:
    """Read a time as lists have it, in UTC: ISO 8601, seconds or milliseconds since 1970, the date of a mail, or ``31.12.2026 14:00``.

    Without a zone it is UTC. What only the country tells, such as ``03/04/2026``, is not guessed.

    Raises:
        InvalidInput: It is none of these, or a day that no calendar has.
    """
    text = text.strip()
    try:
        if len(text) <= _LONGEST_TIME and (time := _time(text)) is not None:
            return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    ambiguous = ", as it could be either of two days" if re.match(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]", text) else ""
    raise InvalidInput(f"not a time that can be read{ambiguous}: {text[:40]!r}")


def _time(text: str) -> datetime | None:
    if match := _ISO.fullmatch(text):
        zone = (match[2] or "").upper()
        is_utc = zone in _UTC_NAMES or len(match[1]) == len("2026-12-31")
        return datetime.fromisoformat(match[1] if is_utc else match[1] + zone)
    if _SECONDS.fullmatch(text):
        return _EPOCH + timedelta(seconds=float(text))
    if _MILLISECONDS.fullmatch(text):
        return _EPOCH + timedelta(milliseconds=int(text))
    if match := _DOTTED.fullmatch(text):
        day, month, year, hour, minute, second = (int(number or 0) for number in match.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    if _MAIL.fullmatch(text):
        return parsedate_to_datetime(text)
    return None
