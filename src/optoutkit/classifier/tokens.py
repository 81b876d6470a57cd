"""Words of a folded text. Scripts written without spaces come as runs of characters."""

import re
from collections.abc import Iterator

import attrs

__all__ = ["CJK_START", "Token", "tokenize"]

CJK_START = "\u3040"
"""From here on (Hiragana, Katakana, Han) scripts are written without spaces; Hangul, which has them, is not in our languages."""

# Devanagari vowel signs are marks, not letters, to Python's \w: without them a Hindi word would fall apart.
_TOKEN = re.compile(r"(?P<cjk>[\u3040-\u30ff\u3400-\u9fff々〆]+)|[^\W_\u3040-\u30ff\u3400-\u9fff](?:[^\W_\u3040-\u30ff\u3400-\u9fff]|[\u0900-\u0963\u200d])*")


@attrs.frozen(slots=True)
class Token:
    """A word, or a run of Japanese or Chinese characters, with its place in the folded text."""

    text: str
    start: int
    end: int
    cjk: bool


def tokenize(text: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """Yield the words between two offsets, in order."""
    for match in _TOKEN.finditer(text, start, len(text) if end is None else end):
        yield Token(match[0], match.start(), match.end(), match.lastgroup == "cjk")
