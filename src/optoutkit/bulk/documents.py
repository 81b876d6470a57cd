"""JSON: an object a line, or a document with an array of them, as the interfaces of mail services answer."""

import json
import re
from collections.abc import Callable, Iterator
from json import JSONDecoder
from typing import Any

from optoutkit.bulk.lines import LONGEST_LINE, Lines
from optoutkit.bulk.rows import BadRow, Row
from optoutkit.errors import InvalidInput

__all__ = ["VALUE", "is_document", "read_document", "read_json_lines"]

VALUE = "value"
"""What the one column is called where an array holds texts, not objects."""

_BLANKS = re.compile(r"[ \t\r\n]*")
_PIECE = 64 * 1024


def is_document(first_line: str, *, is_whole: bool) -> bool:
    """Whether JSON that begins with this line is one document, and not an object a line.

    Args:
        first_line: The line, or as much of it as there is.
        is_whole: Whether it is all of the line.
    """
    line = first_line.strip()
    if line.startswith("["):
        return True
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return not is_whole or line.endswith(("{", "[", ","))
    return isinstance(value, dict) and any(_holds_records(member) for member in value.values())


def _holds_records(member: Any) -> bool:
    return isinstance(member, list) and bool(member) and isinstance(member[0], dict)


def read_json_lines(lines: Lines) -> Iterator[Row | BadRow]:
    """Read an object a line."""
    for line in lines.starts():
        number = lines.number
        if len(line) >= LONGEST_LINE:
            yield BadRow(number, line, f"longer than {LONGEST_LINE:,} characters, and cut off there")
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            yield BadRow(number, line, "not an object of JSON")
        else:
            yield _row(number, line, value)


def _row(number: int, text: str, value: Any) -> Row | BadRow:
    if isinstance(value, str):
        return Row(number, text, {VALUE: value})
    if isinstance(value, dict):
        return Row(number, text, {name: _text(member) for name, member in value.items()})
    return BadRow(number, text, "not an object of JSON")


def _text(member: Any) -> str:
    """A member as a cell has it; what is no single value is left out."""
    if isinstance(member, str):
        return member
    if isinstance(member, bool):
        return "yes" if member else "no"
    return str(member) if isinstance(member, (int, float)) else ""


def read_document(read: Callable[[int], str]) -> Iterator[Row | BadRow]:
    """Read the objects, or texts, of the arrays in a document, or in several, one after another; no more of it is kept than one of them.

    Args:
        read: Gives so many characters of it, or fewer; none at its end.

    Raises:
        InvalidInput: It is no JSON from some place on, or has an object that is too long.
    """
    scanner = _Scanner(read)
    while letter := scanner.next_letter():
        if letter == "[":
            yield from _array(scanner)
        elif letter == "{":
            yield from _object(scanner)
        else:
            raise scanner.error("neither an object nor an array")


def _array(scanner: "_Scanner") -> Iterator[Row | BadRow]:
    for number in scanner.members("[", "]"):
        value = scanner.value()
        yield _row(number, json.dumps(value), value)


def _object(scanner: "_Scanner") -> Iterator[Row | BadRow]:
    """The records of the arrays in an object; the object itself, if there are none in it."""
    members: dict[str, Any] = {}
    has_records = False
    line = scanner.line
    for _ in scanner.members("{", "}"):
        name = scanner.value()
        if not isinstance(name, str):
            raise scanner.error("the name of a member must be text")
        scanner.expect(":")
        if scanner.next_letter() == "[" and scanner.next_letter(behind=1) == "{":
            has_records = True
            yield from _array(scanner)
        else:
            members[name] = scanner.value()
    is_empty_page = [] in members.values() and not any(isinstance(member, str) and "@" in member for member in members.values())
    if not has_records and not is_empty_page:
        yield _row(line, json.dumps(members), members)


class _Scanner:
    """A place in a text that is read piece by piece."""

    def __init__(self, read: Callable[[int], str]) -> None:
        self._read = read
        self._decoder = JSONDecoder()
        self._text = ""
        self._at = 0
        self.line = 1

    def next_letter(self, *, behind: int = 0) -> str:
        """The next character that is no blank; after passing over some, if wanted, without staying there. Empty at the end."""
        while True:
            self._go_to(self._next(0))
            at = self._next(behind)
            if at < len(self._text) or not self._more():
                return self._text[at : at + 1]

    def expect(self, letter: str) -> None:
        """Pass over this character."""
        if self.next_letter() != letter:
            raise self.error(f"{letter} is missing")
        self._at += 1

    def members(self, opening: str, closing: str) -> Iterator[int]:
        """Stop at each member of an array or object, to be read by the caller; tells the line on which it begins."""
        self.expect(opening)
        if self.next_letter() != closing:
            yield self.line
            while self.next_letter() == ",":
                self._at += 1
                self.next_letter()
                yield self.line
        self.expect(closing)

    def value(self) -> Any:
        """Read one value of whatever kind."""
        self.next_letter()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                if not self._more():
                    raise self.error("there is no value that can be read") from None
            else:
                if end < len(self._text) or not self._more():  # a number that reaches the end of what was read may go on
                    self._go_to(end)
                    return value

    def error(self, why: str) -> InvalidInput:
        """What to raise where the text is no JSON."""
        return InvalidInput(f"line {self.line}: not JSON: {why}")

    def _next(self, behind: int) -> int:
        match = _BLANKS.match(self._text, self._at + behind)
        return match.end() if match else len(self._text)

    def _go_to(self, end: int) -> None:
        self.line += self._text.count("\n", self._at, end)
        self._at = end

    def _more(self) -> bool:
        """Read on, as much again as there is; whether there was anything."""
        kept = len(self._text) - self._at
        if kept > LONGEST_LINE:
            raise self.error(f"there is no value that can be read, or one of more than {LONGEST_LINE:,} characters")
        piece = self._read(max(_PIECE, kept))
        if piece:
            self._text = self._text[self._at :] + piece
            self._at = 0
        return bool(piece)
