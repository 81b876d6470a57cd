"""How mail programs announce an older mail: a banner, header lines, or a line that says who wrote it when.

The words come from the word lists, of all languages at once: a German reply may quote a French one, and what the program
writes follows its own language, not the mail's.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache

import attrs

from optoutkit.text.lines import Line, plain
from optoutkit.text.wordlists import LANGUAGES, word_list

__all__ = ["Announcement", "find_attribution", "find_forward"]

_RULE = "-_=*~–—―─ "
_BANNER_ENDS = (*_RULE.strip(), ":", "：")
_BETWEEN_RULES = re.compile(r"[-_=*]{4,}[^-_=*]{2,60}[-_=*]{4,}")  # a banner in whatever language, if header lines follow
_HEADER_LINE = re.compile(r"[\s*_]*+([^:：\s*_](?:[^:：]{0,38}[^:：\s*_])?)[\s*_]*+[:：][\s*_]*+(.*)")
_MAX_LINES_OF_A_FIELD = 4  # a long list of recipients is wrapped
_MAX_BLANKS_AFTER_BANNER = 3
_FEWEST_FIELDS = 3  # header lines without a banner
_MAX_ATTRIBUTION_LINES = 4
_LONGEST_NAME = 100  # with an address
# Whoever says that somebody wrote something, says who or when. A date alone will do only above lines with ">": sellers too write
# "On 1 May 2026 you asked:".
_ADDRESS_OR_TIME = re.compile(r"[@<]|\b[0-9]{1,2}[:.h][0-9]{2}\b|[0-9]時")
_DATE = r"\b[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}\b|(?:19|20)[0-9]{2}(?![0-9])"
_ADDRESS_OR_DATE = re.compile(f"{_ADDRESS_OR_TIME.pattern}|{_DATE}")
_DATE_AND_MAILBOX = re.compile(r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}\s[^<>]*<[^<>\s]+@[^<>\s]+>:?")


@attrs.frozen(kw_only=True)
class Announcement:
    """A banner and header lines found.

    Attributes:
        headers: Field, such as ``"from"``, to value.
        body: The line, by its number, at which the older mail itself begins.
    """

    headers: Mapping[str, str]
    body: int


def find_forward(lines: Sequence[Line], index: int, *, after_own: bool) -> Announcement | None:
    """Find a banner, header lines, or both, that begin at a line.

    A banner alone announces a mail only after text of the author's: help desks write such lines on top of their own messages.

    Args:
        lines: All lines.
        index: Where to look.
        after_own: Whether the author has written something before.
    """
    content = lines[index].content
    if ":" not in content and "：" not in content and not content.endswith(_BANNER_ENDS):
        return None
    is_banner = content.endswith(_BANNER_ENDS) and _words().is_banner(content)
    if is_banner or _BETWEEN_RULES.fullmatch(content):
        following = index + 1
        while following < len(lines) and not lines[following].content and following - index <= _MAX_BLANKS_AFTER_BANNER:
            following += 1
        announced = _header_lines(lines, following)
        if announced.headers:
            return announced
        return Announcement(headers={}, body=index + 1) if is_banner and after_own else None
    if _header_field(content) is None:
        return None
    announced = _header_lines(lines, index)
    headers = announced.headers
    is_mail = len(headers) >= _FEWEST_FIELDS and "from" in headers and ("subject" in headers or "@" in headers["from"])
    return announced if is_mail else None


def _header_lines(lines: Sequence[Line], index: int) -> Announcement:
    headers: dict[str, str] = {}
    while index < len(lines):
        field = _header_field(lines[index].content)
        if field is None or field[0] in headers:
            break
        name, value = field
        index += 1
        if not value and index < len(lines) and _header_field(lines[index].content) is None:
            value = lines[index].content  # programs for telephones put the value below the name
            index += bool(value)
        headers[name] = value
        index = _next_field(lines, index)
    while index < len(lines) and not lines[index].content:
        index += 1
    return Announcement(headers=headers, body=index)


def _next_field(lines: Sequence[Line], index: int) -> int:
    """The line of the next header field, past one blank line or the rest of a long field; the given line if there is none."""
    for position in range(index, min(index + _MAX_LINES_OF_A_FIELD, len(lines))):
        if _header_field(lines[position].content) is not None:
            return position
        if not lines[position].content and position > index:
            break
    return index


@lru_cache(maxsize=64)  # the same few lines are looked at again and again
def _header_field(content: str) -> tuple[str, str] | None:
    match = _HEADER_LINE.match(content)
    if match is None:
        return None
    name = _words().headers.get(plain(match[1]))
    return (name, match[2].strip(" *_")) if name else None


def find_attribution(lines: Sequence[Line], index: int) -> int | None:
    """Find a line such as ``On 1 May 2026, Tom wrote:`` that ends at a line; return the number of the line at which it begins."""
    content = lines[index].content
    if "@" in content and _DATE_AND_MAILBOX.fullmatch(content):
        return index
    if not content.endswith((":", "：", "-")):
        return None
    quoted_below = _is_quoted_below(lines, index)
    evidence = _ADDRESS_OR_DATE if quoted_below else _ADDRESS_OR_TIME
    above = lines[max(0, index - _MAX_ATTRIBUTION_LINES + 1) : index + 1]
    together = " ".join([line.content for line in above])
    if not evidence.search(together) or not (quoted_below or _words().may_attribute(together)):
        return None
    windows = [(first, text) for first, text in _windows(lines, index) if evidence.search(text)]
    words = _words()
    # The shortest stretch that begins as it should; else one that only ends so, or says who and when above lines with ">".
    for first, text in windows:
        if words.is_attribution(text):
            return first
    ended = [(first, text) for first, text in windows if quoted_below or words.ends_as_attribution(text)]
    return next((first for first, text in ended if not text.startswith("<") and text.count("<") >= text.count(">")), None)


def _windows(lines: Sequence[Line], index: int) -> Iterator[tuple[int, str]]:
    """The line, the line with the one above it, and so on."""
    text = ""
    for first in range(index, max(-1, index - _MAX_ATTRIBUTION_LINES), -1):
        if first < index and (lines[first].depth or not lines[first].content):
            return
        text = f"{plain(lines[first].content)} {text}".strip()
        yield first, text


def _is_quoted_below(lines: Sequence[Line], index: int) -> bool:
    for line in lines[index + 1 : index + 4]:
        if line.depth or line.content:
            return line.depth > 0
    return False


class _Words:
    """The announcing words of all languages, ready for looking up."""

    def __init__(self) -> None:
        lists = [word_list(language) for language in LANGUAGES]
        self.headers = {plain(name): field for words in lists for field, names in words.header_words.items() for name in names}
        self._banners = frozenset(plain(banner).strip(_RULE + ":") for words in lists for banner in words.forward_banners)
        self._longest_banner = max(map(len, self._banners), default=0)
        self._ends: dict[str, set[str]] = {}
        for words in lists:
            for start, end in words.wrote_lines:
                self._ends.setdefault(plain(f"{start}x")[:-1].lstrip(_RULE + ">"), set()).add(plain(f"x{end}x")[1:-1].rstrip(":-"))
        self._starts = tuple(start for start in self._ends if start)
        ends = set().union(*self._ends.values())
        self._last_words = tuple({end.split()[-1] for end in ends if end.strip() and not end.endswith(" ")})
        self._last_words_before_name = frozenset(end.split()[-1] for end in ends if end.strip() and end.endswith(" "))
        self._starts_without_end = tuple(start for start, own_ends in self._ends.items() if "" in own_ends)

    def is_banner(self, line: str) -> bool:
        """Whether a line is a banner, rules around it or not."""
        words = line.strip(_RULE + ":：")
        return 0 < len(words) <= self._longest_banner and plain(words) in self._banners

    def may_attribute(self, text: str) -> bool:
        """Whether a text can be an attribution at all; quicker than to find out whether it is."""
        text = plain(text)
        return (
            text.rstrip(": -").endswith(self._last_words)
            or not self._last_words_before_name.isdisjoint(text.split())
            or any(start in text for start in self._starts_without_end)
        )

    def is_attribution(self, text: str) -> bool:
        """Whether a line begins and ends as one that says who wrote what follows."""
        text = text.lstrip(_RULE + ">")
        if not text.startswith(self._starts):
            return False
        return any(_ends_with(text, end) for start in self._starts if text.startswith(start) for end in self._ends[start])

    def ends_as_attribution(self, text: str) -> bool:
        """The same for the languages that begin with the name."""
        return any(_ends_with(text, end) for end in self._ends.get("", ()))


def _ends_with(text: str, end: str) -> bool:
    if not end.strip():  # "Quoting Tom <tom@example.com>:"
        return "@" in text
    if end.endswith(" "):  # the name follows: "Am 1. Mai 2026 um 10:00 schrieb Tom:"
        _, found, name = text.rpartition(end)
        return bool(found) and len(name) <= _LONGEST_NAME and ". " not in name
    return text.rstrip(": -").endswith(end.rstrip())


@cache
def _words() -> _Words:
    return _Words()
