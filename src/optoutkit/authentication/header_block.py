"""The header block of a mail, read strictly: for what is to be proved, all readers must see the same fields.

A mail is read leniently to find a notice in it (:mod:`optoutkit.text.mime`). Where something is to be proved, leniency is a hole: if one
reader takes a bare CR for the end of a line and another does not, they see different From fields, and one signature proves two senders.
So a block that RFC 5322 section 2.2 does not allow proves nothing, and signatures are checked on the very fields read here.
"""

import re
from collections import Counter
from collections.abc import Iterable

import attrs

__all__ = ["Field", "HeaderBlock", "MalformedHeader", "read_header_block"]

_BEFORE_HEADERS = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*(?:>?From [^\r\n]*(?:\r\n|\r|\n|\Z))?")  # as text.mime skips it
_BLOCK_END = re.compile(rb"\n\r?\n")
_NAME = re.compile(rb"([!-9;-~]+):")
_LARGEST_BLOCK = 256 * 1024
_MOST_FIELDS = 1000


class MalformedHeader(Exception):
    """The header block is not one that all readers read alike; the text says why."""


@attrs.frozen
class Field:
    """One header field.

    Attributes:
        name: As written.
        value: All after the colon, folds included, lines ending in CRLF, without the last line end.
    """

    name: bytes
    value: bytes

    @property
    def key(self) -> str:
        """The name in lower case, by which fields are told apart."""
        return self.name.decode("ascii").lower()

    @property
    def text(self) -> str:
        """The value unfolded, on one line; bytes beyond ASCII as Latin-1."""
        return self.value.replace(b"\r\n", b"").decode("latin-1").strip()


@attrs.frozen
class HeaderBlock:
    """The fields of a mail, and its body.

    Attributes:
        fields: In their order.
        body: As it stands in the mail.
    """

    fields: tuple[Field, ...]
    body: bytes = attrs.field(repr=False)

    def named(self, key: str) -> tuple[Field, ...]:
        """The fields of a name (lower case), topmost first."""
        return tuple(field for field in self.fields if field.key == key)

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of all fields, lower case, in their order."""
        return tuple(field.key for field in self.fields)

    def reduced(self, keys: Iterable[str]) -> bytes:
        """The mail with only those fields that a signature over ``keys`` covers.

        Fields of one name are covered from the bottom up, one for each time the name is given (RFC 6376 section 5.4.2); so one that was put
        on top later is left out.
        """
        covered = Counter(keys)
        kept: list[Field] = []
        for field in reversed(self.fields):
            if covered[field.key] > 0:
                covered[field.key] -= 1
                kept.append(field)
        return b"".join(b"%b:%b\r\n" % (field.name, field.value) for field in reversed(kept)) + b"\r\n" + self.body


def read_header_block(raw: bytes) -> HeaderBlock:
    """Read the fields of a mail.

    A byte order mark, blank lines and an mbox line in front are skipped, as by the reader of mail.

    Raises:
        MalformedHeader: The block is not well-formed, or larger than anybody needs.
    """
    before = _BEFORE_HEADERS.match(raw)
    start = before.end() if before else 0
    end = _BLOCK_END.search(raw, start, start + _LARGEST_BLOCK)
    if end is None:
        raise MalformedHeader("the header is too large, or has no end")
    block = raw[start : end.start() + 1].replace(b"\r\n", b"\n")
    if b"\r" in block or b"\0" in block:
        raise MalformedHeader("a line of the header ends in a bare CR, or there is a NUL in it")
    fields: list[tuple[bytes, list[bytes]]] = []
    for line in block[:-1].split(b"\n"):
        if name := _NAME.match(line):
            fields.append((name[1], [line[name.end() :]]))
        elif fields and line[:1] in (b" ", b"\t") and line.strip():
            fields[-1][1].append(line)
        else:
            raise MalformedHeader("a line of the header is no field")
    if len(fields) > _MOST_FIELDS:
        raise MalformedHeader("the header has too many fields")
    return HeaderBlock(tuple(Field(name, b"\r\n".join(values)) for name, values in fields), raw[end.end() :])
