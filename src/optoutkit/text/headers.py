"""The header block of a mail: where it ends, what its fields are called, and what they say once unfolded and decoded."""

import binascii
import re
import sys
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import overload

import attrs

from optoutkit.errors import MessageTooLarge
from optoutkit.text import charsets
from optoutkit.text.transfer import base64_bytes

__all__ = ["Headers", "Parameters", "decode_words", "read_headers"]

# Repetitions of groups are possessive throughout: the matcher would else keep a place to go back to for each, 120 bytes a character.
# RFC 5322 section 2.2: a name of printable ASCII without colon, then lines as long as the next one begins with a blank; section
# 4.5 lets blanks stand before the colon. A line that begins with two dashes is the boundary of a part that lacks its empty line.
_FIELD = re.compile(rb"(?!--)([!-9;-~]+)[ \t]*:([^\r\n]*(?:(?:\r\n|\r|\n)[ \t][^\r\n]*)*+)(?:\r\n|\r|\n|\Z)")
_STRAY_CONTINUATION = re.compile(rb"(?:[ \t][^\r\n]*(?:\r\n|\r|\n))++")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?\r\n]*)\?=")
_FOLD = re.compile(r"[\r\n]+[ \t]*")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def decode_words(value: str) -> str:
    """Decode the encoded words in a field's text (RFC 2047), leniently.

    Words in unknown charsets are read as :func:`optoutkit.text.charsets.decode` reads bytes; a character split between two
    words, which RFC 2047 section 5 forbids and Japanese mailers do, is put together again. The result has no control characters.
    """
    text = "".join(_decoded(value)) if "=?" in value else value
    return (text if text.isprintable() else _CONTROLS.sub(" ", text)).strip()


def _decoded(value: str) -> Iterator[str]:
    position, pending, charset = 0, list[bytes](), None
    for word in _ENCODED_WORD.finditer(value):
        between = value[position : word.start()]
        label = word[1].partition("*")[0].lower()  # RFC 2231 section 5: charset*language
        if pending and (label != charset or between.strip()):
            yield charsets.decode(b"".join(pending), charset)
            pending.clear()
        if between.strip() or not position:
            yield between
        pending.append(_word_bytes(word[2], word[3]))
        charset, position = label, word.end()
    if pending:
        yield charsets.decode(b"".join(pending), charset)
    yield value[position:]


def _word_bytes(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return base64_bytes(data) if encoding in "bB" else binascii.a2b_qp(data, header=True)


@attrs.frozen(kw_only=True)
class Parameters:
    """A structured field such as Content-Type: a value and its parameters (RFC 2045 section 5.1, RFC 2231).

    Attributes:
        value: The part before the first semicolon, lower case.
        parameters: Name (lower case) to decoded text.
    """

    value: str
    parameters: Mapping[str, str]


_NO_PARAMETERS = Parameters(value="", parameters={})


class Headers:
    """The fields of a header block, in their order, by name in whatever case.

    Nothing is decoded before it is asked for, and then once.

    Attributes:
        size: Bytes of the block.
    """

    def __init__(self, fields: list[tuple[str, bytes]], size: int) -> None:
        """Take pairs of name and raw value: the bytes after the colon, folds and all."""
        self.size: int = size
        self._fields = fields
        self._by_name: dict[str, list[bytes]] = {}
        for name, value in fields:
            self._by_name.setdefault(name, []).append(value)
        self._parameters: dict[str, Parameters] = {}
        self._decoded: dict[str, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._by_name

    def __iter__(self) -> Iterator[str]:
        """Names in lower case, in their order, repeated as the fields are."""
        return (name for name, _ in self._fields)

    def raw_all(self, name: str) -> tuple[bytes, ...]:
        """Every value of a field as it stands in the mail: the bytes after the colon, folds and encoded words untouched."""
        return tuple(self._by_name.get(name.lower(), ()))

    def unfolded(self, name: str) -> Iterator[str]:
        """Every value of a field as text on one line, with its encoded words still encoded."""
        return map(_unfolded, self.raw_all(name))

    def get_all(self, name: str) -> tuple[str, ...]:
        """Every value of a field, unfolded and decoded."""
        key = name.lower()
        if key not in self._decoded:
            self._decoded[key] = tuple([decode_words(_unfolded(value)) for value in self._by_name.get(key, ())])
        return self._decoded[key]

    @overload
    def get(self, name: str, default: str) -> str: ...
    @overload
    def get(self, name: str, default: str | None = None) -> str | None: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of a field, unfolded and decoded; ``default`` if the field is absent."""
        values = self.get_all(name)
        return values[0] if values else default

    def parameters(self, name: str) -> Parameters:
        """The first value of a structured field, taken apart; empty if the field is absent."""
        key = name.lower()
        if key not in self._parameters:
            values = self._by_name.get(key)
            self._parameters[key] = _parameters(_unfolded(values[0])) if values else _NO_PARAMETERS
        return self._parameters[key]


def read_headers(raw: bytes, start: int = 0, longest: int = sys.maxsize) -> tuple[Headers, int]:
    """Read a header block that begins at ``start``; return it and the offset at which the body begins.

    The block ends with an empty line, or before the first line that cannot be a field.

    Raises:
        MessageTooLarge: It has more than ``longest`` bytes.
    """
    fields = []
    stop = min(start + longest, len(raw))
    stray = _STRAY_CONTINUATION.match(raw, start, stop)
    position = stray.end() if stray else start
    while field := _FIELD.match(raw, position, stop):
        fields.append((field[1].decode("ascii").lower(), field[2]))
        position = field.end()
    if stop < len(raw) and (position == stop or raw[position] in b" \t"):  # a line goes on beyond the limit
        raise MessageTooLarge(f"a header of the mail has more than the {longest:,} bytes that are left for all of them")
    empty = _LINE_END.match(raw, position)
    end = empty.end() if empty else position
    return Headers(fields, end - start), end


_BETWEEN_SEMICOLONS = re.compile(r'(?:[^;"]++|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z))++', re.DOTALL)
_SECTION = re.compile(r"([^*]+)(?:\*([0-9]{1,3}))?(\*)?")


def _unfolded(value: bytes) -> str:
    text = charsets.decode(value)
    return (_FOLD.sub(" ", text) if "\n" in text or "\r" in text else text).strip()


def _parameters(text: str) -> Parameters:
    if ";" not in text:
        return Parameters(value=text.strip().lower(), parameters={})
    value, *pieces = _BETWEEN_SEMICOLONS.findall(text) or [""]
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    plain: dict[str, str] = {}
    for piece in pieces:
        name, _, content = (side.strip() for side in piece.partition("="))
        if content.startswith('"'):
            content = content[1:].removesuffix('"')
            content = re.sub(r"\\(.)", r"\1", content) if "\\" in content else content
        section = _SECTION.fullmatch(name.lower()) if "*" in name else None
        if section and (section[2] or section[3]):
            sections.setdefault(section[1], {}).setdefault(int(section[2] or 0), (content, bool(section[3])))
        elif name and name.lower() not in plain:
            plain[name.lower()] = decode_words(content)
    for name, numbered in sections.items():
        plain[name] = _joined_sections(numbered)
    return Parameters(value=value.strip().lower(), parameters=plain)


def _joined_sections(pieces: dict[int, tuple[str, bool]]) -> str:
    """RFC 2231 section 4.1: numbered pieces, the first of which may name the charset of the percent-encoded ones."""
    charset, data = None, list[bytes]()
    for number, (content, encoded) in sorted(pieces.items()):
        text = content
        if encoded and number == 0 and content.count("'") >= 2:  # noqa: PLR2004 - charset'language'text
            charset, _, text = content.split("'", 2)
        octets = text.encode("utf-8", "replace")
        data.append(urllib.parse.unquote_to_bytes(octets) if encoded else octets)
    return _CONTROLS.sub(" ", charsets.decode(b"".join(data), charset)).strip()
