"""Sentences: the units in which a message asks, tells and sells."""

import re
from collections.abc import Iterator
from functools import cache

from optoutkit.text.spans import Span
from optoutkit.text.wordlists import LANGUAGES, word_list

__all__ = ["sentences"]

_BREAK_CHARACTER = re.compile("[\n\r\t\u2028\u2029•▪‣●。！？｡.!?…؟।॥۔]")  # the cheap question, asked first
_BREAK = re.compile(
    r"(?P<line>\r\n|[\n\r\t\u2028\u2029•▪‣●])"
    r"|(?P<full>[。！？｡]+[」』）)\]”\"']*)"
    r"|(?P<mark>[.!?…؟।॥۔]++[\"'”’»)\]]*+)(?=\s|$|(?<=[!?؟।॥])[^\W\d_])"
    r"|(?P<glued>(?<=[^\W\d_A-Z][^\W\d_A-Z])\.(?=[A-ZÀ-ÖØ-Þ][^\W\d_]))",
    re.MULTILINE,
)
_DOTS = re.compile("[.!?…؟।॥۔]+|.", re.DOTALL)
_MARKER = re.compile(r"[\s>]*(?:[-*–—·◦➤►✓✔☐■□→]+\s+|\(?[0-9]{1,2}[.)]\s+|[a-zA-Z]\)\s+)?")
# What is before the dot: an ordinal or the number of an item, an initial.
_NUMBER_OR_INITIAL = re.compile(r"(?:(?:^|[^\d.,:-])[0-9]{1,2}|(?:^|[\s(.])[^\W\d_])\.$")
_LONGEST_ABBREVIATION = 20
_LINK = re.compile(r"(?:://|www\.|[\w-]\.[a-z]{2,}/)\S*\Z")
_LONGEST_LINK = 200
_WORD = re.compile(r"\w")
_WRAP_WIDTH = 60  # a line this long that goes on with a letter was wrapped by a mail program (RFC 5322 section 2.1.1: 78)


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Split a stretch of text into sentences.

    They end at ``. ! ? …`` and their like in other scripts, not after abbreviations, short numbers and initials, and with a line, a
    list item or a table cell; lines that a mail program wrapped are read as one.

    Args:
        text: The whole text.
        start: Where to begin.
        end: Where to stop; None for the end of the text.

    Returns:
        Spans in order, without the blanks and list markers around them; each holds a letter or digit.
    """
    end = len(text) if end is None else end
    found: list[Span] = []
    begin = line_begin = start
    for mark in _breaks(text, start, end):
        stop, following = mark.span()
        if mark.lastgroup == "line":
            wrapped = _is_wrapped(text, line_begin, mark, end)
            line_begin = following
            if wrapped:
                continue
        else:
            if mark.lastgroup == "mark" and not _ends_sentence(text, begin, mark):
                continue
            stop = following
        _add(found, text, begin, stop)
        begin = following
    _add(found, text, begin, end)
    return found


def _breaks(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    while character := _BREAK_CHARACTER.search(text, start, end):
        mark = _BREAK.match(text, character.start(), end)
        if mark:
            yield mark
        start = mark.end() if mark else _DOTS.match(text, character.start(), end).end()  # type: ignore[union-attr]  # at least one is there


def _add(found: list[Span], text: str, start: int, stop: int) -> None:
    begin = _MARKER.match(text, start, stop).end()  # type: ignore[union-attr]  # it matches everywhere
    if begin == stop or not (text[begin].isalnum() or _WORD.search(text, begin, stop)):
        return
    while text[stop - 1].isspace():
        stop -= 1
    found.append(Span(begin, stop))


def _is_wrapped(text: str, line_begin: int, mark: re.Match[str], end: int) -> bool:
    if mark[0] not in ("\n", "\r\n", "\r") or mark.start() - line_begin < _WRAP_WIDTH or mark.end() >= end:
        return False
    following = text[mark.end()]
    return following.isalpha() and text[mark.start() - 1] not in ".!?:;…。！？؟।" and mark.start() - line_begin < 2 * _WRAP_WIDTH


def _ends_sentence(text: str, start: int, mark: re.Match[str]) -> bool:
    stop = mark.end()
    if mark[0] != ".":
        return not (text[stop : stop + 1].isalpha() and _is_in_link(text, start, mark.start()))
    before = text[max(start, stop - _LONGEST_ABBREVIATION) : stop]
    may_be_one = len(before) < 3 or not before[-3:-1].isalpha()  # noqa: PLR2004 - two letters and a dot; asked first, since it is cheap
    if may_be_one and _NUMBER_OR_INITIAL.search(before):
        return text[stop : stop + 1] in ("", "\n")
    word = before.rsplit(None, 1)[-1].lower().lstrip("(\"'")
    if word in _words_too():  # "no. 5", but "No. Please …"
        return not text[stop : stop + 2].strip().isdigit()
    return word not in _abbreviations()


def _is_in_link(text: str, start: int, stop: int) -> bool:
    """Whether what ends there is an address on the web, to which a ``?`` before a letter belongs."""
    return bool(_LINK.search(text, max(start, stop - _LONGEST_LINK), stop))


@cache
def _words_too() -> frozenset[str]:
    """Abbreviations that are words of some language, dot or not."""
    words = frozenset().union(*(word_list(language).function_words for language in LANGUAGES))
    return frozenset(abbreviation for abbreviation in _abbreviations() if abbreviation.rstrip(".") in words)


@cache
def _abbreviations() -> frozenset[str]:
    return frozenset().union(*(word_list(language).abbreviations for language in LANGUAGES))
