"""The one reader of mail: bytes in, what the other rooms need to know out.

Who does what: :mod:`optoutkit.text.parts` finds the parts in the bytes, within limits. Who a mail claims to be from is read twice,
here and by mail-parser, and an address counts only where both find it, so that no quirk of one reader can be played against the
rest of the house. mail-parser sees a view of three header fields and nothing else: neither its flattening of attached mails nor
the depth and size of a mail can matter. Where it raises, what the standard library and the scanner here have read stands.
"""

import email.utils
import html
import logging
import re
from datetime import UTC, datetime
from email.generator import BytesGenerator
from email.message import Message as StandardMessage
from email.policy import compat32
from functools import cached_property
from io import BytesIO
from typing import NamedTuple

import attrs

from optoutkit.errors import InvalidMessage, MessageTooLarge
from optoutkit.text import charsets
from optoutkit.text.headers import Headers, read_headers
from optoutkit.text.mailboxes import Mailbox, read_mailboxes
from optoutkit.text.parts import Limits, Part, read_parts

_log = logging.getLogger(__name__)

__all__ = ["Attachment", "Headers", "Limits", "Mail", "Mailbox", "peek", "raw_bytes", "read_mail"]

_DEFAULT_LIMITS = Limits()
_BEFORE_HEADERS = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*(?:>?From [^\r\n]*(?:\r\n|\r|\n|\Z))?")
_BROKEN_CHARACTER = re.compile(rb"[\xc0-\xff][\x80-\xbf]{0,2}\Z")
_ATTACHED_TYPES = frozenset({"message/rfc822", "message/global", "message/news"})
_FIRST_PART_SHOWN = frozenset({"multipart/related", "multipart/signed"})
_LONGEST_FOR_MAIL_PARSER = 16 * 1024  # it takes 20 µs an address; honest fields are far below


@attrs.frozen(kw_only=True)
class Attachment:
    """A part of a mail that is not shown as its text.

    Attributes:
        filename: The name it is to be saved under; empty if it has none.
        content_type: Such as ``"application/pdf"``, as declared.
        size: Bytes of its content without transfer encoding.
    """

    filename: str
    content_type: str
    size: int


class Mail:
    """A mail as read; everything beyond the places of its parts is worked out when first asked for.

    Made by :func:`read_mail`.
    """

    def __init__(self, raw: bytes, root: Part, text_bytes: int | None) -> None:
        """Keep the bytes and the tree of parts."""
        self.raw: bytes = raw
        self._root = root
        self._parts = list(root.walk())
        self._text_bytes = text_bytes

    @property
    def headers(self) -> Headers:
        """The mail's own header fields."""
        return self._root.headers

    @property
    def header_bytes(self) -> int:
        """Size of the header fields of the mail and of its parts together."""
        return sum([part.headers.size for part in self._parts])

    @property
    def is_mail(self) -> bool:
        """False when the bytes have no header field at all."""
        return len(self.headers) > 0

    @cached_property
    def subject(self) -> str:
        """Decoded; empty if there is none."""
        return self.headers.get("subject") or ""

    @cached_property
    def message_id(self) -> str:
        """With its angle brackets, as given; empty if there is none."""
        return self.headers.get("message-id") or ""

    @property
    def senders(self) -> tuple[Mailbox, ...]:
        """The mailboxes of From, of every From field if there are several. An ambiguous one is left out."""
        return self._identity.senders

    @property
    def reply_to(self) -> tuple[Mailbox, ...]:
        """The mailboxes of Reply-To."""
        return self._identity.reply_to

    @property
    def date(self) -> datetime | None:
        """When the Date field says it was sent (UTC); None if it says nothing that can be read."""
        return self._identity.date

    @cached_property
    def recipients(self) -> tuple[str, ...]:
        """Addresses of To, Cc and Bcc in this order; where the mail was sent anew, those of the Resent fields (RFC 5322 section 3.6.6)."""
        names = ("to", "cc", "bcc")
        resent = tuple("resent-" + name for name in names)
        chosen = resent if any(name in self.headers for name in resent) else names
        values = (value for name in chosen for value in self.headers.unfolded(name))
        return tuple(mailbox.address for value in values for mailbox in read_mailboxes(value))

    @property
    def plain(self) -> str | None:
        r"""The plain text that this mail itself shows, lines ending in ``\n``; None if it has none."""
        return self._shown.plain

    @property
    def html(self) -> str | None:
        """The HTML that this mail itself shows; None if it has none. Plain parts beside it are wrapped in ``<pre>``."""
        return self._shown.html

    @cached_property
    def attached(self) -> tuple[bytes, ...]:
        """The mails attached to this one, byte for byte: message/rfc822 parts, those of digests, and ``.eml`` files."""
        return tuple(part.content() for part in self._leaves if _is_mail(part))

    @cached_property
    def attachments(self) -> tuple[Attachment, ...]:
        """Whatever is not shown as text, attached mails included, in the order of the mail."""
        return tuple(
            Attachment(filename=part.filename, content_type=part.content_type, size=len(part.content()))
            for part in self._leaves
            if not _is_text(part) and not part.content_type.startswith("multipart/")
        )

    @property
    def is_cut(self) -> bool:
        """Whether it shows more text than :func:`read_mail` was told to read."""
        sizes = zip(self._parts, _sizes(self._parts, self._text_bytes), strict=True)
        return any(size is not None and size < part.size and _is_text(part) for part, size in sizes)

    @property
    def _leaves(self) -> list[Part]:
        return [part for part in self._parts if not part.is_multipart]

    @cached_property
    def _shown(self) -> "_Shown":
        shown: dict[int, _Shown] = {}
        sizes = _sizes(self._parts, self._text_bytes)
        for part, size in zip(reversed(self._parts), reversed(sizes), strict=True):  # parts come before the multipart that holds them
            shown[id(part)] = _shown(part, [shown[id(child)] for child in part.children], size)
        return shown[id(self._root)]

    @cached_property
    def _identity(self) -> "_Identity":
        # Several fields of one name are read as one: whoever needs a single author must see them all.
        view = StandardMessage()
        for name in ("From", "Reply-To"):
            view[name] = ", ".join(self.headers.unfolded(name))
        view["Date"] = next(self.headers.unfolded("date"), "")
        read = _Identity(read_mailboxes(view["From"]), read_mailboxes(view["Reply-To"]), _date(view["Date"]))
        if sum(map(len, view.values())) > _LONGEST_FOR_MAIL_PARSER:
            return read
        try:
            return _confirmed(read, view)
        except Exception as error:  # noqa: BLE001 - it raises what it happens to raise, on some real mails
            _log.debug("mail-parser failed with %s; reading on without it", type(error).__name__)
            return read


def read_mail(raw: bytes, *, limits: Limits = _DEFAULT_LIMITS, text_bytes: int | None = None, headers: Headers | None = None) -> Mail:
    r"""Read a mail, however damaged.

    A byte order mark, blank lines and an mbox line before the headers are skipped. Lines may end in LF, CRLF or CR.

    Args:
        raw: The mail as it came.
        limits: What is too much.
        text_bytes: How many bytes of the texts that it shows, encoded as they are, are read; None for all. The rest is left out.
        headers: What :func:`peek` has read of the same mail already.

    Raises:
        MessageTooLarge: The mail is beyond the limits. Nothing else is raised, whatever the bytes.

    Example:
        >>> read_mail(b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\n\nHello").senders
        (Mailbox(name='Jürgen', address='j@example.com'),)
    """
    return Mail(raw, read_parts(raw, _headers_start(raw, limits), limits, headers), text_bytes)


def peek(raw: bytes, limits: Limits = _DEFAULT_LIMITS) -> Headers:
    """Read only the header fields of a mail.

    Raises:
        MessageTooLarge: The mail, or its header, has more bytes than the limits allow.
    """
    return read_headers(raw, _headers_start(raw, limits), limits.max_header_bytes)[0]


def raw_bytes(mail: bytes | bytearray | memoryview | StandardMessage) -> bytes:
    """The bytes of a mail that may be a message object of the standard library.

    Raises:
        InvalidMessage: It is neither, or an object whose parts cannot be written out.
    """
    if isinstance(mail, (bytes, bytearray, memoryview)):
        return bytes(mail)
    if not isinstance(mail, StandardMessage):
        raise InvalidMessage(f"not an e-mail: expected bytes or an email.message.Message, not {type(mail).__name__}")
    for policy in (mail.policy, compat32):
        out = BytesIO()
        try:
            BytesGenerator(out, mangle_from_=False, policy=policy).flatten(mail)
        except Exception:  # noqa: BLE001, S112 - the standard library raises LookupError, UnicodeError, TypeError, IndexError …
            continue
        return out.getvalue()
    raise InvalidMessage("the message object cannot be written out as an e-mail: give its parts and headers a known charset")


def _headers_start(raw: bytes, limits: Limits) -> int:
    if len(raw) > limits.max_bytes:
        raise MessageTooLarge(f"the mail has {len(raw):,} bytes, more than the {limits.max_bytes:,} allowed")
    before = _BEFORE_HEADERS.match(raw)
    return before.end() if before else 0


class _Identity(NamedTuple):
    senders: tuple[Mailbox, ...]
    reply_to: tuple[Mailbox, ...]
    date: datetime | None


def _confirmed(read: _Identity, view: StandardMessage) -> _Identity:
    """Leave out the addresses that mail-parser finds ambiguous; take its date, which knows more obsolete forms, if it has one."""
    import mailparser  # noqa: PLC0415 - takes 80 ms, and who only sends mail never needs it

    parser = mailparser.MailParser(view)
    senders, reply_to = ({address for _, address in pairs} for pairs in (parser.from_, parser.reply_to))
    return _Identity(
        tuple(mailbox for mailbox in read.senders if mailbox.address in senders),
        tuple(mailbox for mailbox in read.reply_to if mailbox.address in reply_to),
        parser.date or read.date,
    )


def _date(value: str) -> datetime | None:
    try:
        date = email.utils.parsedate_to_datetime(value)
        if date.year < 1000:  # noqa: PLR2004 - RFC 5322 section 4.3: three digits count from 1900
            date = date.replace(year=date.year + 1900)
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _is_mail(part: Part) -> bool:
    if part.content_type in _ATTACHED_TYPES:
        return True
    return part.filename.lower().endswith(".eml") and (part.disposition == "attachment" or not part.content_type.startswith("text/"))


def _is_text(part: Part) -> bool:
    """Whether it is shown; a name alone makes no attachment of a text (RFC 2183 section 2.10 leaves it to the reader)."""
    return part.content_type in ("text/plain", "text/html") and part.disposition in ("", "inline") and not _is_mail(part)


class _Shown(NamedTuple):
    plain: str | None = None
    html: str | None = None


def _sizes(parts: list[Part], text_bytes: int | None) -> list[int | None]:
    """How many bytes of each part are read, for all that is read to be ``text_bytes``; None for all of it."""
    if text_bytes is None or sum(part.size for part in parts if not part.is_multipart) <= text_bytes:
        return [None] * len(parts)
    sizes: list[int | None] = []
    for part in parts:
        is_text = not part.is_multipart and (_is_text(part) or part.content_type.startswith("multipart/"))
        size = min(part.size, text_bytes) if is_text else 0
        text_bytes -= size
        sizes.append(size)
    return sizes


def _shown(part: Part, children: list[_Shown], size: int | None) -> _Shown:
    """The plain text and the HTML of a part, given those of the parts in it."""
    if not part.is_multipart:
        if part.content_type == "text/html" and _is_text(part):
            return _Shown(html=_text(part, size))
        # a multipart whose boundary never comes has a text at least
        return _Shown(plain=_text(part, size)) if _is_text(part) or part.content_type.startswith("multipart/") else _Shown()
    visible = [child for child in children if child != _Shown()]
    if part.content_type in _FIRST_PART_SHOWN:
        return visible[0] if visible else _Shown()
    plains = [child.plain for child in visible if child.plain is not None]
    plains = [plain for plain in plains if plain.strip()] or plains[:1]
    pages = [child.html for child in visible if child.html is not None]
    if part.content_type == "multipart/alternative":
        return _Shown(next(iter(plains), None), next(iter(pages), None))
    if pages:  # plain parts stand between the others
        pages = [f"<pre>{html.escape(child.plain or '')}</pre>" if child.html is None else child.html for child in visible]
    return _Shown("\n".join(plains) if plains else None, "\n".join(pages) if pages else None)


def _text(part: Part, size: int | None) -> str:
    label = part.parameters.get("charset", "").partition(" ")[0]
    data = part.content(size)
    if size is not None and size < part.size:
        data = _BROKEN_CHARACTER.sub(b"", data)  # which would make it look like text in another charset
    return charsets.decode(data, label).replace("\r\n", "\n").replace("\r", "\n")
