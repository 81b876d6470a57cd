"""Where a signature begins at the end of what an author wrote."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import groupby

from optoutkit.text.lines import Line, plain
from optoutkit.text.wordlists import LANGUAGES, word_list

__all__ = ["find_signature"]

_SEPARATOR = "--"  # RFC 3676 section 4.3; its blank gets lost in HTML and elsewhere
_MAX_LINES_AFTER_SEPARATOR = 20
_MAX_LINES_AFTER_CLOSING = 12
_LONGEST_CLOSING = 200  # characters of its line, with a name and what decorates it
_LONGEST_NAME = 60
_MAX_NAME_WORDS = 7
_EDGES = " ,.!;:~*_-–—。、！，…♥❤🙂😊🙏/"
_AFTER_CLOSING = re.compile(r"[,.!、。，;:<(\[/|~–—-]+|\s{2,}")
_POSTSCRIPT = re.compile(r"(?:p\.?\s?s\b|p\.\s?d\b|pd:|n\.?\s?b\.?[: ]|追伸)", re.IGNORECASE)
_QUESTION = re.compile(r"[?？؟]")
_WORDS = re.compile(r"[^\W\d_]+")
_JAPANESE_OR_CHINESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_LONGEST_EASTERN_NAME = 24
_HEAD = 2  # characters; no closing is shorter


def find_signature(lines: Sequence[Line], first: int, last: int) -> tuple[int, int] | None:
    """Find the signature in a stretch of an author's own lines.

    It begins with a line ``--``, or with a closing near the end that is followed by something like a name, or by nothing. A
    sentence after "Thank you" is no name, and a postscript is no signature.

    Args:
        lines: All lines.
        first: First line of the stretch.
        last: Its last one.

    Returns:
        First line of the signature, and the line after its last one.
    """
    filled = [number for number in range(last, first - 1, -1) if lines[number].content][: _MAX_LINES_AFTER_SEPARATOR + 1]
    begin = next((number for number in filled if lines[number].content == _SEPARATOR), None)
    if begin is None:
        near_end = filled[: _MAX_LINES_AFTER_CLOSING + 1]
        begin = next((number for number in reversed(near_end) if number > first and _closes(lines, number, last)), None)
    if begin is None:
        return None
    end = next((number for number in range(begin + 1, last + 1) if _POSTSCRIPT.match(lines[number].content)), last + 1)
    return begin, end


def _closes(lines: Sequence[Line], number: int, last: int) -> bool:
    if not _is_closing(lines[number].content):
        return False
    following = next((lines[later].content for later in range(number + 1, last + 1) if lines[later].content), "")
    return not following or bool(_POSTSCRIPT.match(following)) or _is_closing(following) or _is_name(following) or _goes_on(following)


def _goes_on(content: str) -> bool:
    """Whether a line below a closing is another one: "Ihr Team von Holz & Co."."""
    return len(content) <= _LONGEST_NAME and not _QUESTION.search(content) and plain(content).startswith(_closings_of_several_words())


@lru_cache(maxsize=1_024)  # sellers send the same lines again and again
def _is_closing(content: str) -> bool:
    if len(content) > _LONGEST_CLOSING:
        return False
    line = plain(content).strip(_EDGES)
    if not line.startswith(_closings_beginning_with().get(line[:_HEAD], ())):
        return False
    if line in _closings():
        return True
    parted = _AFTER_CLOSING.split(line, maxsplit=1)
    return len(parted) > 1 and parted[0].strip() in _closings() and _is_name(parted[1])


def _is_name(content: str) -> bool:
    """Whether a line may be a name, a firm, a telephone number, and says nothing."""
    if len(content) > _LONGEST_NAME or _QUESTION.search(content):
        return False
    if _JAPANESE_OR_CHINESE.search(content):
        return len(content) <= _LONGEST_EASTERN_NAME and not content.endswith(("。", "！", "!"))
    words = _WORDS.findall(content.lower())
    return len(words) <= _MAX_NAME_WORDS and sum(word in _function_words() for word in words) < 2  # noqa: PLR2004 - "Will" is one of them


@cache
def _closings() -> frozenset[str]:
    return frozenset(plain(closing).strip(_EDGES) for language in LANGUAGES for closing in word_list(language).closings)


@cache
def _closings_beginning_with() -> dict[str, tuple[str, ...]]:
    return {head: tuple(group) for head, group in groupby(sorted(_closings()), key=lambda closing: closing[:_HEAD])}


@cache
def _closings_of_several_words() -> tuple[str, ...]:
    return tuple(f"{closing} " for closing in _closings() if " " in closing)


@cache
def _function_words() -> frozenset[str]:
    return frozenset().union(*(word_list(language).function_words for language in LANGUAGES))
