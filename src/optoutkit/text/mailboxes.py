"""Address fields of a mail, read without ever failing and without being fooled by display names.

The standard library's ``getaddresses`` changes its mind from one patch release to the next about quoted names that hold an ``@``,
so it is not used. The scanner below follows RFC 5322 section 3.4 and takes each character once.
"""

import re
from collections.abc import Iterator

import attrs

from optoutkit.text.headers import decode_words

__all__ = ["Mailbox", "read_mailboxes"]

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|\\.|[^"\\(),:;<>]+|.', re.DOTALL)
_QUOTING = re.compile(r'\\(.)|"', re.DOTALL)
_AROUND_DOT = re.compile(r" ?([@.]) ?")
_COMMENT_TOKEN = re.compile(r"[^()\\]+|\\.|.", re.DOTALL)
_ATEXT = r"[^\x00-\x20\x7f()<>\[\]:;@\\,\"]"
# Dots are not looked at closely: Japanese carriers gave out addresses with two in a row, or one before the @.
_ADDR_SPEC = re.compile(rf'(?:{_ATEXT}++|"(?:[^"\\]++|\\.)*+")++@(?:{_ATEXT}+|\[[^\[\]\\]*\])')


@attrs.frozen
class Mailbox:
    """A mailbox as a header field names it.

    Attributes:
        name: The display name, decoded; empty if there is none. Anybody can write anything there.
        address: The addr-spec as given.
    """

    name: str
    address: str


def read_mailboxes(value: str) -> tuple[Mailbox, ...]:
    """Read the mailboxes of an unfolded, still encoded address field; groups are opened.

    Args:
        value: Such as ``'"Amazon.it" <auto-communication@amazon.com>, x@example.com'``.

    Returns:
        The mailboxes in their order. An item that names no address, or more than one, is left out rather than guessed at.
    """
    return tuple(_mailboxes(value))


def _mailboxes(value: str) -> Iterator[Mailbox]:
    item = _Item()
    position = 0
    while token := _TOKEN.match(value, position):
        position, text = token.end(), token[0]
        if text == "(":
            end = _comment_end(value, position)
            item.comment(value[position:end].removesuffix(")"))
            position = end
        elif text == "<":
            item.open()
        elif text == ">":
            item.close()
        elif text in (",", ";") and not item.is_open:
            yield from item.mailbox()
            item = _Item() if item.is_used else item
        elif text == ":" and not item.is_open:
            item = _Item()  # what stood before it is the name of a group
        else:
            item.add(text)
    yield from item.mailbox()


def _comment_end(value: str, position: int) -> int:
    depth = 1
    while depth and (token := _COMMENT_TOKEN.match(value, position)):
        depth += (token[0] == "(") - (token[0] == ")")
        position = token.end()
    return position


class _Item:
    """What stands between two commas: text outside of angle brackets, text inside, and comments."""

    __slots__ = ("angles", "comments", "inside", "is_odd", "is_open", "outside")

    def __init__(self) -> None:
        self.outside: list[str] = []
        self.inside: list[str] = []
        self.comments: list[str] = []
        self.angles = 0
        self.is_open = False
        self.is_odd = False

    @property
    def is_used(self) -> bool:
        return bool(self.outside or self.angles or self.is_odd)

    def open(self) -> None:
        self.is_odd |= self.is_open
        self.is_open = True
        self.angles += 1

    def close(self) -> None:
        self.is_odd |= not self.is_open
        self.is_open = False

    def comment(self, text: str) -> None:
        self.comments.append(text)
        (self.inside if self.is_open else self.outside).append(" ")

    def add(self, text: str) -> None:
        if self.is_open:
            self.inside.append(text)
        else:
            self.is_odd |= self.angles > 0 and not text.isspace()
            self.outside.append(text)

    def mailbox(self) -> Iterator[Mailbox]:
        if self.is_odd or self.is_open or self.angles > 1:
            return
        before = "".join(self.outside).strip()
        # RFC 5322 section 4.4: an obsolete route may stand before the address.
        address = "".join(self.inside).rpartition(":")[2].strip() if self.angles else before
        if " " in address:
            address = _AROUND_DOT.sub(r"\1", " ".join(address.split()))
        if not _ADDR_SPEC.fullmatch(address):
            return
        name = _display_name(before) if self.angles else ""
        if not name and self.comments:
            name = _display_name(" ".join(self.comments))
        yield Mailbox("" if name == address else name, address)


def _display_name(phrase: str) -> str:
    return decode_words(" ".join(_QUOTING.sub(r"\1", phrase).split()))
