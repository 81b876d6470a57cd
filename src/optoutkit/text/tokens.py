"""Words of a folded text, without what writers of a language leave out or put on as they please.

Accents are taken off, since in chat they are often missing; Arabic words lose the article and the particles written onto them, and
the variants of a letter are one; Hindi loses the dots that are optional. Scripts without spaces come as runs of characters.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["CJK_START", "Token", "places", "tokenize", "words"]

CJK_START = "\u3005"
"""From here on (iteration marks, kana, Han) scripts are written without spaces; Hangul, which has them, is not in our languages."""

_CJK = r"(?P<cjk>[\u3040-\u30ff\u3400-\u9fff々〆]{1,100})"
# Devanagari vowel signs are marks, not letters, to Python's \w: without them a Hindi word would fall apart.
_WORD = r"[^\W_\u3040-\u30ff\u3400-\u9fff](?:[^\W_\u3040-\u30ff\u3400-\u9fff]|[\u0900-\u0963])*+"
_TOKEN = re.compile(
    r"(?P<link>(?:https?://|www\.)[^\s<>\"]+)"
    r"|(?P<mail>[a-z0-9._+-]{1,64}+@[a-z0-9.-]{1,253})"
    r"|(?P<order>(?<![0-9-])(?:[0-9]{3}|[dsp]0[0-9])-[0-9]{7}-[0-9]{7}(?![0-9-]))"
    rf"|{_CJK}|{_WORD}"
)
_PLAIN_TOKEN = re.compile(f"{_CJK}|{_WORD}")
_PLAIN_WORD = re.compile(f"{_CJK.replace('?P<cjk>', '?:')}|{_WORD}")
_ASCII_TOKEN = re.compile("[A-Za-z0-9]+")
_DASH_IN_NUMBER = re.compile("[0-9]-[0-9]")
_LETTERS_OF_THEIR_OWN = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d"})
_ACCENTS = dict.fromkeys(range(0x300, 0x370))
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_ARABIC_VARIANTS = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ئ": "ي", "ؤ": "و", "ة": "ه", "ک": "ك", "ی": "ي"})
# "and", "so", "with", "for" and the article are written onto the word; the first letters of some words look the same.
_ARABIC_PREFIX = re.compile(
    r"(?:(?:و(?!صل|قت|جد|اح|رد|اف|ثي|ثا|زن|لا|كي|رق|رش|ضع|عد|سا|سط|فر|ظي|اتس|اج|صف)|ف(?!ات|رع|حص|تر|تح|قط|شل|يد|اس|ضل|ور|وا))?"
    r"(?:[بك]?ال(?!ا?ن\Z)|لل|ل(?!دي|كن|وح|ون|ما|اح|يس|حظ|طف|ذا|ست)(?=...))?)(?=...)"
)
_LONGEST_KEPT = 100  # characters of a word
_DEVANAGARI = re.compile(r"[\u0900-\u097f]")
_DEVANAGARI_VARIANTS = str.maketrans({"\u093c": None, "\u0901": "\u0902"})


class Token(NamedTuple):
    """A word, or a run of Japanese or Chinese characters, with its place in the folded text."""

    text: str
    start: int
    end: int
    cjk: bool


def tokenize(text: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """Yield the words between two offsets, in order."""
    end = len(text) if end is None else end
    for match in _pattern(text[start:end]).finditer(text, start, end):
        kind = match.lastgroup
        if kind is None:
            yield Token(_plain(match[0]), *match.span(), False)
        else:
            yield Token(_plain(match[0]) if kind == "cjk" else f"<{kind}>", *match.span(), kind == "cjk")


def words(text: str) -> list[str]:
    """The texts of the tokens that :func:`tokenize` yields, in a quarter of the time."""
    pattern = _pattern(text)
    if pattern is _ASCII_TOKEN:
        return pattern.findall(text)
    if pattern is _PLAIN_TOKEN:
        return list(map(_plain, _PLAIN_WORD.findall(text)))
    return [token.text for token in tokenize(text)]


def places(text: str) -> list[tuple[int, int]]:
    """Where the tokens that :func:`tokenize` yields begin and end, in a quarter of the time."""
    return [match.span() for match in _pattern(text).finditer(text)]


def _pattern(text: str) -> re.Pattern[str]:
    """What finds the tokens of a text; a link, an address or an order is looked for only where there may be one."""
    if "@" in text or "://" in text or "www." in text or ("-" in text and _DASH_IN_NUMBER.search(text)):
        return _TOKEN
    return _ASCII_TOKEN if text.isascii() else _PLAIN_TOKEN


def _plain(word: str) -> str:
    """The word as it is compared."""
    return _remembered(word) if len(word) <= _LONGEST_KEPT else _bare(word)


def _bare(word: str) -> str:
    if word.isascii() or word[0] >= CJK_START:
        return word
    if _ARABIC.match(word):
        word = word.translate(_ARABIC_VARIANTS)
        return _without_prefix(word)
    if _DEVANAGARI.match(word):
        return unicodedata.normalize("NFD", word).translate(_DEVANAGARI_VARIANTS)
    bare = unicodedata.normalize("NFD", word).translate(_ACCENTS)
    return unicodedata.normalize("NFC", bare).translate(_LETTERS_OF_THEIR_OWN)


_remembered = functools.lru_cache(maxsize=65_536)(_bare)


def _without_prefix(word: str) -> str:
    prefix = _ARABIC_PREFIX.match(word)
    return word[prefix.end() :] if prefix else word
