"""Words of a folded text. Scripts written without spaces come as runs of characters."""

import functools
import re
import unicodedata
from collections.abc import Iterator

import attrs

_STRIP = dict.fromkeys(range(768, 880))


@functools.lru_cache(maxsize=65_536)
def _plain(word: str) -> str:
    """The word without accents: in chat they are often left out."""
    if word.isascii() or word[0] >= CJK_START:
        return word
    return (
        unicodedata.normalize("NFC", unicodedata.normalize("NFD", word).translate(_STRIP))
        .replace("ı", "i")
        .replace("ł", "l")
        .replace("ø", "o")
    )


__all__ = ["CJK_START", "Token", "tokenize"]

CJK_START = "\u3040"
"""From here on (Hiragana, Katakana, Han) scripts are written without spaces; Hangul, which has them, is not in our languages."""

# Devanagari vowel signs are marks, not letters, to Python's \w: without them a Hindi word would fall apart.
_TOKEN = re.compile(
    r"(?P<link>(?:https?://|www\.)[^\s<>\"]+)"
    r"|(?P<mail>[a-z0-9._+-]{1,64}@[a-z0-9.-]{1,253})"
    r"|(?P<order>(?<![0-9-])(?:[0-9]{3}|[dsp]0[0-9])-[0-9]{7}-[0-9]{7}(?![0-9-]))"
    r"|(?P<cjk>[\u3040-\u30ff\u3400-\u9fff々〆]+)"
    r"|[^\W_\u3040-\u30ff\u3400-\u9fff](?:[^\W_\u3040-\u30ff\u3400-\u9fff]|[\u0900-\u0963\u200d])*"
)


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
        kind = match.lastgroup
        yield Token(_plain(match[0]) if kind in (None, "cjk") else f"<{kind}>", match.start(), match.end(), kind == "cjk")
