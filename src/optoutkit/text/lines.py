"""The lines of a text, with the marks of quotation before them."""

import re
import unicodedata
from typing import NamedTuple

__all__ = ["Line", "plain", "read_lines"]

_LINE = re.compile(r"\n+|(?P<marks>[ \t\u00a0]*(?:>[ \t\u00a0]?)++)?(?P<content>[^\n]*)\n?")
_SAME = str.maketrans("’ı", "'i")  # Turkish capitals fold to i
_LONGEST = 500  # characters of a line that are looked at; no line that announces or closes anything is longer


class Line(NamedTuple):
    """One line; empty lines in a row are one.

    Attributes:
        start: Where it begins.
        end: Where the next one begins.
        depth: How many ``>`` stand before it.
        content: What follows them, without blanks around it, cut off where it is very long.
    """

    start: int
    end: int
    depth: int
    content: str


def read_lines(text: str) -> list[Line]:
    """Read the lines of a text; they cover it."""
    lines: list[Line] = []
    inside_angle = False
    for match in _LINE.finditer(text):
        start, end = match.span()
        if start == len(text):
            continue  # nothing is left after the last line
        marks, content = match.groups()
        if not marks and not content:  # a run of empty lines
            lines.append(Line(start, end, 0, ""))
            continue
        content = content[:_LONGEST].strip()
        # A mail program wrapped "<tom@example.com>" before its end, or an mbox file escaped a line that begins with "From ".
        if marks and (inside_angle or (marks == ">" and content.startswith("From "))):
            content, marks = marks.lstrip() + content, None
        lines.append(Line(start, end, marks.count(">") if marks else 0, content))
        inside_angle = not marks and "<" in content and content.rfind("<") > content.rfind(">")
    return lines


def plain(text: str) -> str:
    """Text as the word lists write it: lower case, one blank between words, none before a colon, straight apostrophes."""
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold().translate(_SAME)
    return " ".join(folded.split()).replace(" :", ":")
