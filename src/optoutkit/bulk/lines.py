"""Lines of text out of bytes: the encoding found, their length bounded, their numbers kept."""

import codecs
import re
from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TextIO

import attrs

from optoutkit.text.charsets import decode

__all__ = ["LONGEST_LINE", "Encoding", "Lines", "as_rejected", "detect_encoding", "mended"]

LONGEST_LINE = 256 * 1024
"""How many characters of a line are kept; the others are dropped, and the line is a bad one."""

_MARKS = (  # of four bytes before those of two which they begin with
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_REJECTED = re.compile(r"# line [0-9]+: ")


@attrs.frozen
class Encoding:
    """How bytes become text.

    Attributes:
        codec: Python's name of it.
        name: What to call it.
        errors: What becomes of bytes that do not fit.
    """

    codec: str
    name: str
    errors: str = "surrogateescape"


def detect_encoding(head: bytes) -> Encoding:
    """Find the encoding of a text by its first bytes: a byte order mark, the zeros of UTF-16, or else UTF-8.

    What does not fit UTF-8 is read byte by byte as Windows-1252, in which Latin-1 is contained: see :func:`mended`.
    """
    for mark, codec, name in _MARKS:
        if head.startswith(mark):
            return Encoding(codec, name, "surrogateescape" if codec == "utf-8-sig" else "replace")
    half = max(len(head) // 2, 1)
    # Every other byte of Western text in UTF-16 is zero, and of a list of addresses nearly every one.
    for first, codec in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[first::2].count(0) > half // 2 and head[1 - first :: 2].count(0) < half // 10 + 1:
            return Encoding(codec, "UTF-16", "replace")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return Encoding("utf-8", "Windows-1252")
    return Encoding("utf-8", "UTF-8")


def mended(text: str) -> str:
    """A piece of text in which bytes that are no UTF-8 have become letters, and half characters a replacement character."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        try:
            return decode(text.encode("utf-8", "surrogateescape"))
        except UnicodeEncodeError:  # as JSON can write them
            return text.encode("utf-8", "replace").decode()
    return text


def as_rejected(line: int, text: str, why: str) -> str:
    """A bad line as a file of rejects has it: a note that readers pass over, and below it the line as it was."""
    note = " ".join(mended(why).split())
    return f"# line {line}: {note}\n{text.rstrip(chr(10) + chr(13))}\n"


class Lines:
    r"""The lines of a text, with their ends, which are ``\n``, ``\r\n`` or ``\r``.

    Args:
        file: Opened with ``newline=""``.

    Attributes:
        number: That of the line given last, from 1.
    """

    def __init__(self, file: TextIO) -> None:
        self.number: int = 0
        self._again: deque[str] = deque()
        self._lines = iter(partial(file.readline, LONGEST_LINE), "")

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._again:
            line = self._again.popleft()
        else:
            line = next(self._lines)
            if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
                next((rest for rest in self._lines if rest[-1] in "\r\n"), None)
        self.number += 1
        return line

    def put_back(self, lines: Iterable[str]) -> None:
        """Give the lines that were given last once more."""
        again = list(lines)
        self.number -= len(again)
        self._again.extendleft(reversed(again))

    def starts(self) -> Iterator[str]:
        """Lines at which something can begin: those that are neither blank nor notes of a file of rejects."""
        for line in self:
            if line.strip() and not (line[0] == "#" and _REJECTED.match(line)):
                yield line
