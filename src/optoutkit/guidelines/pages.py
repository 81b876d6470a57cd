"""HTML read for the linter: its words and its tags, each with its place in the source."""

import re
from array import array
from collections.abc import Mapping, Sequence

import attrs

from optoutkit.text.markup import BLOCKS, CELLS, Tag, attributes, is_quotation, tokens, unescaped
from optoutkit.text.styles import PREFORMATTED

__all__ = ["Anchor", "Element", "Page", "read_page"]

_PIECE = re.compile(
    r"(?P<white>[ \t\n\r\f]+)|(?P<entity>&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});?)|[^& \t\n\r\f]+|&"
)
_DECLARATION = re.compile(r"([a-z-]{2,40})\s*:\s*([^;{}]*)")
_LONGEST_STYLE = 4000  # characters of a style attribute that are looked at
_MAX_BREAKS = 2  # amazon.md section e: no more line breaks in a row
_SHOWN = frozenset({"img", "hr", "input"})
_QUOTE_MARK = "> "  # what begins the lines of quoted mail in a text


@attrs.frozen(eq=False)
class Element:
    """A start tag.

    Attributes:
        name: Lower case.
        attributes: Names in lower case.
        style: The declarations of its style attribute, in lower case.
        start: Where the tag begins in the source.
        end: Where it ends.
        anchor: The link that it stands in.
    """

    name: str
    attributes: Mapping[str, str]
    style: Mapping[str, str]
    start: int
    end: int
    anchor: "Anchor | None"


@attrs.define(eq=False)
class Anchor:
    """A link.

    Attributes:
        href: Where it leads.
        start: Where its tag begins in the source.
        end: Where the tag ends.
        text_start: Where its words begin in the text of the page.
        text_end: Where they end.
        pictures: How many pictures are in it.
    """

    href: str
    start: int
    end: int
    text_start: int
    text_end: int
    pictures: int = 0


@attrs.frozen(eq=False)
class Page:
    """What was read.

    Attributes:
        text: The words: lines for blocks, white space as a browser shows it, ``>`` before the lines of quoted mail.
        starts: For each character of the text, where what it comes from begins in the source.
        ends: Where that ends.
        elements: All start tags.
        anchors: The links.
        breaks: Places in the source with more line breaks in a row than are allowed.
        sheets: The style sheets: place in the source, and declarations.
        quotes: The stretches of the source that mail programs mark as a quoted mail.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    elements: tuple[Element, ...]
    anchors: tuple[Anchor, ...]
    breaks: tuple[tuple[int, int], ...]
    sheets: tuple[tuple[int, int, Mapping[str, str]], ...]
    quotes: tuple[tuple[int, int], ...]


def read_page(document: str) -> Page:
    """Read HTML. Never raises; the time is linear in the length of the document."""
    reader = _Reader(document)
    for token in tokens(document):
        if not isinstance(token, Tag):
            reader.add(token.text, token.start)
        elif token.closes:
            reader.close(token)
        else:
            reader.open(token)
    return reader.finish()


class _Reader:
    def __init__(self, document: str) -> None:
        self._document = document
        self._pieces: list[str] = []
        self._starts, self._ends = array("I"), array("I")
        self._last = "\n"
        self._preformatted = 0
        self._elements: list[Element] = []
        self._anchors: list[Anchor] = []
        self._anchor: Anchor | None = None
        self._run: list[Tag] = []  # line breaks since the last word
        self._breaks: list[tuple[int, int]] = []
        self._sheets: list[tuple[int, int, Mapping[str, str]]] = []
        self._sheet: Tag | None = None
        self._blockquotes: list[int] = []  # of those that are open, where they begin if they are a quoted mail, else -1
        self._quoted = 0  # how many of them are
        self._quotes: list[tuple[int, int]] = []

    def open(self, tag: Tag) -> None:
        found = attributes(tag.inner) if tag.inner else {}
        style = declarations(found["style"][:_LONGEST_STYLE]) if "style" in found else {}
        if tag.name == "a":
            self._end_anchor()
            if "href" in found:
                self._anchor = Anchor("".join(found["href"].split()), tag.start, tag.end, len(self._starts), len(self._starts))
                self._anchors.append(self._anchor)
        if tag.name == "img" and self._anchor:
            self._anchor.pictures += 1
        self._elements.append(Element(tag.name, found, style, tag.start, tag.end, self._anchor))
        if tag.name == "blockquote":
            quotes = is_quotation(found)
            self._blockquotes.append(tag.start if quotes else -1)
            self._quoted += quotes
        if tag.name in _SHOWN:
            self._end_run()
        if tag.name == "br":
            self._run.append(tag)
            self._break("\n", tag)
        elif tag.name in BLOCKS:
            self._break("\n\n", tag)
        elif tag.name in CELLS:
            self._break("\t", tag)
        elif tag.name == "style":
            self._sheet = tag
        self._preformatted += tag.name in PREFORMATTED

    def close(self, tag: Tag) -> None:
        if tag.name == "a":
            self._end_anchor()
        elif tag.name in BLOCKS:
            if tag.name == "blockquote":
                self._end_blockquote(tag.end)
            self._break("\n\n", tag)
        elif tag.name == "style" and self._sheet:
            found = declarations(self._document[self._sheet.end : tag.start].lower())
            self._sheets.append((self._sheet.start, self._sheet.end, found))
            self._sheet = None
        if tag.name in PREFORMATTED and self._preformatted:
            self._preformatted -= 1

    def add(self, text: str, start: int) -> None:
        for piece in _PIECE.finditer(text):
            begin, end = start + piece.start(), start + piece.end()
            if piece["white"] is not None and not self._preformatted:
                if not self._last.isspace():
                    self._append(" ", begin, end)
                continue
            if self._quoted and self._last == "\n":
                for character in _QUOTE_MARK:
                    self._append(character, begin, begin)
            if piece["entity"] is not None:
                for character in unescaped(piece[0]):
                    self._append(character, begin, end)
            else:
                self._pieces.append(piece[0])
                self._starts.extend(range(begin, end))
                self._ends.extend(range(begin + 1, end + 1))
                self._last = "\n" if "\n" in piece[0] else piece[0][-1]
            if not self._last.isspace():
                self._end_run()

    def _append(self, character: str, start: int, end: int) -> None:
        self._pieces.append(character)
        self._starts.append(start)
        self._ends.append(end)
        self._last = character

    def _break(self, mark: str, tag: Tag) -> None:
        if self._last == "\n" and mark != "\n":
            return
        for character in mark:
            self._append(character, tag.start, tag.start)

    def _end_run(self) -> None:
        if len(self._run) > _MAX_BREAKS:
            self._breaks.append((self._run[0].start, self._run[-1].end))
        self._run.clear()

    def _end_blockquote(self, end: int) -> None:
        start = self._blockquotes.pop() if self._blockquotes else -1
        if start >= 0:
            self._quoted -= 1
            if not self._quoted:
                self._quotes.append((start, end))

    def _end_anchor(self) -> None:
        if self._anchor:
            self._anchor.text_end = len(self._starts)
            self._anchor = None

    def finish(self) -> Page:
        self._end_anchor()
        while self._blockquotes:
            self._end_blockquote(len(self._document))
        return Page(
            text="".join(self._pieces),
            starts=self._starts,
            ends=self._ends,
            elements=tuple(self._elements),
            anchors=tuple(self._anchors),
            breaks=tuple(self._breaks),
            sheets=tuple(self._sheets),
            quotes=tuple(self._quotes),
        )


def declarations(style: str) -> dict[str, str]:
    """The declarations of a style, the last of each name."""
    return {name: value.replace("!important", "").strip() for name, value in _DECLARATION.findall(style.lower())}
