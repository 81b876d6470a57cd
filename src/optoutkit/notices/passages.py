"""A mail's text cut into the mails it is made of: its own words, and what it forwards.

A *forward* says that its reader is to have a mail; an *answer* quotes one to speak about it. Mail programs write the same header
lines above both, so they are told apart by the subject (``Re:``) and by the banner (``Forwarded message``): a notice that somebody
forwards is a notice, one that somebody quotes in a thread is not. Outlook for Mac and Yahoo's apps write no header lines above a
forward, but what others write above an answer only: "On 1 May 2026, Tom wrote:".
"""

import operator
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

import attrs

from optoutkit.notices.surroundings import surroundings
from optoutkit.text.announcements import find_attribution
from optoutkit.text.folding import fold
from optoutkit.text.lines import Line, read_lines, without_marks
from optoutkit.text.spans import Span
from optoutkit.text.threads import Forward, Thread, split_lines

__all__ = ["Passage", "cut"]

_MOST_FORWARDS = 100
_MOST_WORK = 4  # times the length of the text: of forwards one below the other, each is in the body of all before it
_LEAST_WORK = 1_000_000  # characters; so much may always be done
_PREFIX = re.compile(r"\A\s*+(?:\[[^\[\]]{0,60}\]\s*+)*+([^\W\d_][\w -]{0,20}?)\s?(?:\[\d{1,3}\]|\(\d{1,3}\))?\s?[:：]")
_LONGEST_BANNER = 200
_LONGEST_ATTRIBUTION = 500
_QUOTED_AUTHOR = re.compile(r"[\"«“„]\s*([^\"«»“”„<>]{1,100})[\"»”“]\s*<([^<>\s]{1,320})>")
_AUTHOR = re.compile(r"([^,<>]{1,100})<([^<>\s]{1,320})>")


@attrs.frozen(kw_only=True)
class Passage:
    """The own words of one mail: those of the mail itself, or of one forwarded inside it.

    Attributes:
        text: Its words in their places, up to the last; what is quoted, forwarded or signature is blanked out.
        offset: Where ``text`` begins in the text it was cut from.
        own: The stretches of ``text`` that are not blanked out.
        sender: The From field, or the From line of the forward; empty if there is none.
        subject: The Subject, likewise.
        date: The Date, likewise.
        is_inline: Whether it is a forward inside another mail.
    """

    text: str
    offset: int
    own: tuple[Span, ...]
    sender: str
    subject: str
    date: str
    is_inline: bool


@attrs.frozen(kw_only=True)
class _Whole:
    """A mail with all that it quotes and forwards.

    Attributes:
        lines: Its lines, in their places in the text that is cut; the marks of a quoted forward are not counted any more.
        offset: Where it begins there.
        marks: How many marks before each of its lines these are.
        sender: As in a passage, like what follows.
    """

    lines: Sequence[Line]
    offset: int
    marks: int
    sender: str
    subject: str
    date: str
    is_inline: bool

    def lines_between(self, start: int, end: int) -> Sequence[Line]:
        """Its lines that begin in a stretch of the text."""
        return self.lines[bisect_left(self.lines, start, key=_start) : bisect_left(self.lines, end, key=_start)]


_start = operator.attrgetter("start")


def cut(text: str, *, sender: str, subject: str, date: str, follows: Callable[[str], bool]) -> Iterator[Passage]:
    """Cut a text into passages: the mail's own words first, then what it forwards, in the order of the text.

    Args:
        text: The text as its reader sees it.
        sender: The mail's From field, decoded.
        subject: Its subject.
        date: Its Date field.
        follows: Whether what a mail inside the text forwards is to be read as well, by its From line.
    """
    lines = read_lines(text)
    waiting = [_Whole(lines=lines, offset=0, marks=0, sender=sender, subject=subject, date=date, is_inline=False)]
    work = max(_MOST_WORK * len(text), _LEAST_WORK)
    for _ in range(_MOST_FORWARDS):
        if not waiting or work <= 0:
            return
        whole = waiting.pop()
        work -= whole.lines[-1].end - whole.offset if whole.lines else 0
        thread = split_lines(whole.lines, to_the_end=False)  # what a forwarded mail forwards is read with that mail
        yield _own_words(text, whole, thread)
        if whole.is_inline and not follows(whole.sender):
            continue
        forwarded = [_forwarded(whole, forward) for forward in _forwards(text, whole, thread)] or list(_attributed(whole, thread))
        waiting += reversed(forwarded)


def _own_words(text: str, whole: _Whole, thread: Thread) -> Passage:
    pieces: list[str] = []
    position = whole.offset
    for span in thread.own:
        own = text[span.start : span.end]
        pieces += _blank(text[position : span.start]), _blank_marks(own, whole.marks) if whole.marks else own
        position = span.end
    return Passage(
        text="".join(pieces),
        offset=whole.offset,
        own=tuple([Span(span.start - whole.offset, span.end - whole.offset) for span in thread.own]),
        sender=whole.sender,
        subject=whole.subject,
        date=whole.date,
        is_inline=whole.is_inline,
    )


def _blank(text: str) -> str:
    """As many lines as long, with nothing in them."""
    return "\n".join([" " * len(line) for line in text.split("\n")])


def _blank_marks(text: str, depth: int) -> str:
    """Put blanks for the first few ``>`` before every line."""
    marks = re.compile(rf"(?:[ \t\u00a0]*>[ \t\u00a0]?){{1,{depth}}}")
    ends = [(line, found.end() if ">" in line and (found := marks.match(line)) else 0) for line in text.split("\n")]
    return "\n".join([" " * end + line[end:] for line, end in ends])


def _forwards(text: str, whole: _Whole, thread: Thread) -> Iterator[Forward]:
    """The forwards of a text that are its author's, not part of an older mail."""
    beginnings = {span.start for span in thread.quoted}
    end = 0
    for forward in thread.forwards:
        if forward.start < end or not (forward.level == 0 or forward.start in beginnings):
            continue
        end = forward.end
        banner = fold(text[forward.start : forward.start + _LONGEST_BANNER].partition("\n")[0]).text
        if any(word in banner for word in surroundings().forward_words) or not _is_answer(whole.subject):
            yield forward


def _attributed(whole: _Whole, thread: Thread) -> Iterator[_Whole]:
    """What stands below the text's first line of the kind "Tom wrote:", if the text is a forward and does not quote it line by line."""
    is_below_banner = whole.is_inline and not whole.sender
    if not thread.quoted or not (is_below_banner or _is_forward(whole.subject)):
        return
    start = thread.quoted[0].start
    lines = whole.lines_between(start, start + _LONGEST_ATTRIBUTION)
    last = next((number for number in range(len(lines)) if find_attribution(lines, number) == 0), None)
    if last is None or any(line.depth for line in lines):
        return
    text = " ".join(line.content for line in lines[: last + 1])
    author = _QUOTED_AUTHOR.search(text) or _AUTHOR.search(text)
    body = lines[last].end
    yield _Whole(
        lines=whole.lines_between(body, whole.lines[-1].end),
        offset=body,
        marks=whole.marks,
        sender=f"{author[1].strip()} <{author[2]}>" if author else text,
        subject="",
        date=text,
        is_inline=True,
    )


def _is_forward(subject: str) -> bool:
    folded = fold(subject[:_LONGEST_BANNER]).text
    prefix = _PREFIX.match(folded)
    return prefix is not None and prefix[1] in surroundings().forward_prefixes and not _is_answer(folded[prefix.end() :])


def _is_answer(subject: str) -> bool:
    prefix = _PREFIX.match(fold(subject[:_LONGEST_BANNER]).text)
    return prefix is not None and prefix[1] in surroundings().reply_prefixes


def _forwarded(whole: _Whole, forward: Forward) -> _Whole:
    lines = whole.lines_between(*forward.body)
    # The marks that stand before every line of a forward are taken off, not those of what it quotes itself.
    marks = next((line.depth for line in lines if line.content), 0)
    return _Whole(
        lines=without_marks(lines, marks) if marks else lines,
        offset=forward.body.start,
        marks=whole.marks + marks,
        sender=forward.headers.get("from", ""),
        subject=forward.headers.get("subject", ""),
        date=forward.headers.get("date", ""),
        is_inline=True,
    )
