"""Which part of a text its author wrote now, and which is an older mail quoted, a forwarded one, or a signature."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal

import attrs

from optoutkit.text.announcements import Announcement, find_attribution, find_forward
from optoutkit.text.lines import Line, read_lines
from optoutkit.text.signatures import find_signature
from optoutkit.text.spans import Span

__all__ = ["Forward", "Span", "Thread", "split", "split_lines"]

Role = Literal["own", "quoted", "signature"]

_RULES = frozenset("-_=*~–—―─ ")


@attrs.frozen(kw_only=True)
class Forward:
    """A mail forwarded, or answered, inside the text: its header lines and what follows them.

    Attributes:
        start: Where its banner or its first header line begins.
        end: Where it ends.
        headers: Field (``from``, ``to``, ``cc``, ``subject``, ``date``, ``reply_to``) to value, as far as they are there.
        body: The text after the header lines; its lines may begin with ``>``.
        level: 0 where it stands in the author's own text, more inside another quotation or forward.
    """

    start: int
    end: int
    headers: Mapping[str, str]
    body: Span
    level: int


@attrs.frozen(kw_only=True)
class Thread:
    """The parts of a text. Each code point is in exactly one span of ``own``, ``quoted`` and ``signature``.

    Attributes:
        own: What the author wrote.
        quoted: Older mails, quoted or forwarded, and the lines that announce them.
        signature: From the ``--`` line or the closing on.
        forwards: Mails inside ``quoted`` that have a banner or header lines. Mail programs write the same header lines whether a
            mail was forwarded or answered.
    """

    own: tuple[Span, ...]
    quoted: tuple[Span, ...]
    signature: tuple[Span, ...]
    forwards: tuple[Forward, ...]


def split(text: str) -> Thread:
    r"""Part what the author wrote from quotations, forwards and signature. Linear; never raises.

    Example:
        >>> text = "Yes, red.\n\nOn 1 May 2026 at 10:00 Tom <tom@example.com> wrote:\n> Which colour?\n"
        >>> [text[span.start : span.end] for span in split(text).own]
        ['Yes, red.\n\n']
    """
    return split_lines(read_lines(text))


def split_lines(lines: Sequence[Line], *, to_the_end: bool = True) -> Thread:
    """The same for lines that have been read already, perhaps out of the midst of a text: places are those of the lines.

    Args:
        lines: The lines.
        to_the_end: Whether to look for forwards inside an older mail that reaches to the end, too.
    """
    reader = _Reader(lines, to_the_end=to_the_end)
    reader.read()
    spans: dict[Role, list[Span]] = {"own": [], "quoted": [], "signature": []}
    for role, first, following in reader.stretches():
        spans[role].append(Span(lines[first].start, lines[following - 1].end))
    return Thread(own=tuple(spans["own"]), quoted=tuple(spans["quoted"]), signature=tuple(spans["signature"]), forwards=reader.forwards())


class _Reader:
    """Goes through the lines once and gives each its role."""

    def __init__(self, lines: Sequence[Line], *, to_the_end: bool) -> None:
        self._lines = lines
        self._to_the_end = to_the_end
        self._roles: list[Role] = ["own"] * len(lines)
        self._found: list[tuple[int, Announcement, int]] = []
        self._rest_is_quoted = False
        self._level = 0  # of what comes, seen from the author's own text
        self._has_own = False
        said = (number for number in range(len(lines) - 1, -1, -1) if lines[number].content and not lines[number].depth)
        self._last_unmarked = next(said, -1)

    def read(self) -> None:
        lines, number = self._lines, 0
        while number < len(lines):
            if self._rest_is_quoted and not self._to_the_end:
                self._mark(number, len(lines))
                return
            line = lines[number]
            if line.content:
                number = self._read_line(number, quoted=self._rest_is_quoted or line.depth > 0)
            else:
                blank_in_quotation = self._rest_is_quoted or line.depth > 0 or (number > 0 and self._roles[number - 1] == "quoted")
                self._roles[number] = "quoted" if blank_in_quotation else "own"
                number += 1

    def _read_line(self, number: int, *, quoted: bool) -> int:
        """Give a line its role, and those after it that belong to the same announcement; return the next to read."""
        announced = find_forward(self._lines, number, after_own=self._has_own)
        if announced:
            self._add_forward(number, announced, quoted=quoted)
            return announced.body
        if not quoted:
            first = find_attribution(self._lines, number)
            if first is not None:
                self._announce(first, number + 1)
                return number + 1
            self._has_own = True
        self._roles[number] = "quoted" if quoted else "own"
        return number + 1

    def _add_forward(self, number: int, announced: Announcement, *, quoted: bool) -> None:
        self._found.append((number, announced, self._level + self._lines[number].depth))
        if quoted:
            self._mark(number, announced.body)
        else:
            self._announce(number, announced.body)

    def forwards(self) -> tuple[Forward, ...]:
        """The forwards found; one whose lines bear marks ends where the marks do."""
        lines, last_lines = self._lines, [len(self._lines)] * len(self._found)
        open_ones: list[tuple[int, int]] = []  # those with marks: their depth, ever deeper, and their number
        begin: dict[int, tuple[int, int]] = {}
        for place, (number, announced, _) in enumerate(self._found):
            if depth := max([announcing.depth for announcing in lines[number : announced.body]]):
                begin[announced.body] = (depth, place)
        for current in range(min(begin, default=len(lines)), len(lines)):
            if current in begin:
                open_ones.append(begin[current])
            _, _, depth, content = lines[current]
            while content and open_ones and depth < open_ones[-1][0]:
                last_lines[open_ones.pop()[1]] = current
        return tuple(self._forward(*found, last) for found, last in zip(self._found, last_lines, strict=True))

    def _forward(self, number: int, announced: Announcement, level: int, last: int) -> Forward:
        end = self._lines[last - 1].end
        start = self._lines[announced.body].start if announced.body < last else end
        return Forward(start=self._lines[number].start, end=end, headers=announced.headers, body=Span(start, end), level=level)

    def _announce(self, first: int, following: int) -> None:
        """Mark the lines that announce an older mail; unless it bears marks of its own, it reaches to the end."""
        self._mark(self._rule_above(first), following)
        while following < len(self._lines) and not self._lines[following].content and not self._lines[following].depth:
            following += 1
        if following == len(self._lines) or not self._lines[following].depth:
            self._rest_is_quoted = True
            self._level += 1
        elif following > self._last_unmarked:
            self._rest_is_quoted = True

    def _rule_above(self, number: int) -> int:
        """The line of a rule (``_____``) that stands above a line, past blank ones; the line itself if there is none."""
        above = number - 1
        while above >= 0 and self._roles[above] == "own" and not self._lines[above].content:
            above -= 1
        is_rule = above >= 0 and self._roles[above] == "own" and _RULES.issuperset(self._lines[above].content)
        return above if is_rule else number

    def _mark(self, first: int, following: int) -> None:
        quoted: list[Role] = ["quoted"]
        self._roles[first:following] = quoted * (following - first)

    def stretches(self) -> Iterator[tuple[Role, int, int]]:
        """The runs of lines with one role, signatures found: the role, the first line and the one after the last."""
        number = 0
        for role, run in groupby(self._roles):
            first, number = number, number + sum(1 for _ in run)
            signature = find_signature(self._lines, first, number - 1) if role == "own" else None
            if signature is None:
                yield role, first, number
                continue
            begin, end = signature
            if first < begin:
                yield role, first, begin
            yield "signature", begin, end
            if end < number:
                yield role, end, number
