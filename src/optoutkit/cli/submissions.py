"""A mail as programs hand it to sendmail(8): read from standard input, its envelope found, what is missing put in."""

import re
from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime, formataddr, getaddresses, make_msgid
from typing import IO

from optoutkit.errors import InvalidMessage, MessageTooLarge
from optoutkit.text.headers import read_headers
from optoutkit.text.mime import peek

__all__ = ["completed", "header_recipients", "read_mail_from", "without_bcc"]

_ENVELOPE_LINE = re.compile(rb">?From [^\r\n]*(?:\r\n|\n|\Z)")
_BCC = re.compile(rb"(?:\A|(?<=[\r\n]))(?:resent-)?bcc[ \t]*:[^\r\n]*(?:(?:\r\n|\r|\n)[ \t][^\r\n]*)*+(?:\r\n|\r|\n|\Z)", re.IGNORECASE)
_END = (b".\n", b".\r\n", b".")


def read_mail_from(stream: IO[bytes], *, dot_ends: bool, longest: int) -> bytes:
    """Read a mail.

    Lines ``From …`` before it, as in a mailbox file, are left out, and a text without any header gets an empty one.

    Args:
        stream: Standard input.
        dot_ends: Whether a line of a single dot ends the mail.
        longest: The most bytes it may have.

    Raises:
        MessageTooLarge: It has more.
    """
    raw = b"".join(_lines_before_dot(stream, longest)) if dot_ends else stream.read(longest + 1)
    if len(raw) > longest:
        raise MessageTooLarge(f"the mail has more than {longest:,} bytes")
    start = 0
    while line := _ENVELOPE_LINE.match(raw, start):
        start = line.end()
    raw = raw[start:]
    return raw if len(read_headers(raw)[0]) or raw[:1] in b"\r\n" else b"\n" + raw


def _lines_before_dot(stream: IO[bytes], longest: int) -> Iterable[bytes]:
    left = longest + 1
    at_start = True
    while left > 0 and (line := stream.readline(left)):
        if at_start and line in _END:
            return
        at_start = line.endswith(b"\n")
        left -= len(line)
        yield line


def header_recipients(raw: bytes) -> list[str]:
    """The recipients that a mail names: those of To, Cc and Bcc; where it is sent anew, of the Resent fields (RFC 5322 section 3.6.6).

    A name without a domain, such as ``root``, is one of this machine.

    Raises:
        InvalidMessage: A field cannot be read: to guess would be to lose a recipient.
        MessageTooLarge: The header is beyond the limits.
    """
    headers = peek(raw)
    resent = any(f"resent-{name}" in headers for name in ("to", "cc", "bcc"))
    recipients: list[str] = []
    for name in ("to", "cc", "bcc"):
        field = f"resent-{name}" if resent else name
        for value in headers.unfolded(field):
            recipients += _addresses(field, value)
    return list(dict.fromkeys(recipients))


def _addresses(field: str, value: str) -> list[str]:
    try:
        pairs = getaddresses([value])
    except RecursionError:  # the standard library takes one step deeper for each opening parenthesis
        pairs = [("", "")]
    if value and not all(address for _, address in pairs) and ":" not in value:  # an empty group has no address, and is none
        raise InvalidMessage(f"its field {field.title()} cannot be read")
    return [address for _, address in pairs if address]


def without_bcc(raw: bytes) -> bytes:
    """The mail without its Bcc and Resent-Bcc fields, and else byte for byte the same."""
    end = read_headers(raw)[1]
    return _BCC.sub(b"", raw[:end]) + raw[end:]


def completed(raw: bytes, *, sender: str, full_name: str, now: datetime) -> bytes:
    """The mail with the fields From, Date and Message-ID, where it lacks them (RFC 6409 section 8).

    Args:
        raw: The mail.
        sender: Whom it is from; nothing for the null sender, which is no author.
        full_name: The author's name; may be empty.
        now: The date.
    """
    there = read_headers(raw)[0]
    fields = []
    if "from" not in there and sender:
        author = formataddr((full_name, sender)) if sender.isascii() else sender  # the standard library writes no name beside another one
        fields.append(f"From: {author}")
    if "date" not in there:
        fields.append(f"Date: {format_datetime(now)}")
    if "message-id" not in there:
        fields.append(f"Message-ID: {make_msgid(domain=sender.rpartition('@')[2] or None)}")
    return "".join(field + "\n" for field in fields).encode("utf-8") + raw
