"""HTML to the text that its reader sees, in one pass over the tokens."""

import re
from typing import NamedTuple

import attrs

from optoutkit.text.markup import BLOCKS, CELLS, TABLE, VOID, Words, attributes, is_quotation, tokens, unescaped
from optoutkit.text.styles import PREFORMATTED, Style

__all__ = ["Link", "Rendered", "render"]

_MAX_QUOTE_MARKS = 5  # deeper quotations keep five marks, so that nesting cannot multiply the text
_MAX_NEWLINES = 2  # at most one blank line

# End tags that authors may leave out (HTML standard section 13.1.2.4): what begins ends what is still open.
_ENDED_BY = {
    "dd": frozenset({"dt", "dd"}),
    "dt": frozenset({"dt", "dd"}),
    "li": frozenset({"li"}),
    "option": frozenset({"option"}),
    "p": BLOCKS,
    "td": CELLS | {"tr", "tbody", "tfoot"},
    "th": CELLS | {"tr", "tbody", "tfoot"},
    "tr": frozenset({"tr", "tbody", "tfoot"}),
}

_WHITE = re.compile(r"[ \t\n\r\f]+")
_NOT_ONE_BLANK = re.compile(r"[\t\n\r\f]|  ")  # the cheap question, asked first


@attrs.frozen(kw_only=True)
class Link:
    """A link that the reader sees.

    Attributes:
        href: Where it leads, entities resolved.
        text: What it says; for a picture its alternative text.
        start: Where its text begins in :attr:`Rendered.text`.
        end: Where it ends there; equal to ``start`` for a picture.
    """

    href: str
    text: str
    start: int
    end: int


@attrs.frozen(kw_only=True)
class Rendered:
    """What an HTML document shows, and what it does not.

    Attributes:
        text: What the reader sees. Blocks are lines, cells are parted by tabs, list items have a bullet or number, and the lines of
            a quoted mail begin with ``>``.
        hidden: Text that is in the document and not seen: styled away, or the alternative of a picture.
        links: In their order.
    """

    text: str
    hidden: str
    links: tuple[Link, ...]


def render(document: str) -> Rendered:
    r"""Render HTML as text. Never raises; the time is linear in the length of the document.

    Example:
        >>> render('<p>Hello<br>you</p><div style="display:none">psst</div>')
        Rendered(text='Hello\nyou', hidden='psst', links=())
    """
    page = _Page()
    for token in tokens(document):
        if isinstance(token, Words):
            page.add(token.text)
        elif token.closes:
            page.close(token.name)
        else:
            page.open(token.name, attributes(token.inner) if token.inner else {})
    return page.finish()


class _Element(NamedTuple):
    name: str
    style: Style
    quotes: int
    counter: "_Counter | None"


@attrs.define
class _Counter:
    """The number of the next item of an ordered list."""

    number: int


@attrs.define
class _OpenLink:
    href: str
    start: int = -1  # known when its first word comes
    first_piece: int = 0
    alternative: str = ""


class _Page:
    """The text under construction, and the elements open at this place."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._gap = ""  # white space that is due before the next word
        self._after_bullet = False
        self._hidden: list[str] = []
        self._links: list[Link] = []
        self._link: _OpenLink | None = None
        self._stack = [_Element("", Style(), 0, None)]
        self._places: dict[str, list[int]] = {}  # where in the stack the elements of a name are
        self._blocks = [0]  # where the blocks and cells are
        self._cells = [0]

    def open(self, name: str, attributes: dict[str, str]) -> None:
        while name in _ENDED_BY.get(self._stack[-1].name, ()):
            self._pop()
        if name == "a":
            self._end_link()  # a link cannot stand in a link
        above = self._stack[-1]
        style = above.style.inside(name, attributes) if attributes or name in PREFORMATTED else above.style
        if name not in VOID:
            quotes = above.quotes + (name == "blockquote" and is_quotation(attributes))
            counter = _counter(name, attributes) if name in ("ol", "ul", "menu", "dir") else above.counter
            self._push(_Element(name, style, quotes, counter))
        if not style.is_visible:
            self._hidden.append("\n" if name in BLOCKS or name in CELLS or name == "br" else attributes.get("alt", ""))
        else:
            self._begin(name, attributes, above.counter)

    def _begin(self, name: str, attributes: dict[str, str], counter: _Counter | None) -> None:
        """Do what a visible element does to the text where it begins."""
        if name == "br":
            self._break()
        elif name in BLOCKS:
            self._start_line()
        elif name in CELLS and self._length and "\n" not in self._gap:
            self._gap = "\t"
        if name == "li":
            self._bullet(counter)
        elif name == "img":
            self._picture(attributes.get("alt", "").strip())
        elif name == "a" and "href" in attributes:
            self._link = _OpenLink("".join(attributes["href"].split()))

    def close(self, name: str) -> None:
        if name == "br" or (name == "p" and not self._places.get("p")):  # HTML standard section 13.2.6.4.7
            self.open(name, {})
        if name == "a":
            self._end_link()
        places = self._places.get(name)
        if not places:
            return
        # An inline element ends no block, and nothing but parts of a table ends a cell (the same section: "in scope").
        barriers = self._cells if name in BLOCKS else self._blocks
        if places[-1] < barriers[-1] and name not in TABLE and name not in CELLS:
            return
        visible = self._stack[-1].style.is_visible
        while self._pop() != name:
            pass
        if name in BLOCKS:
            if visible:
                self._start_line()
            else:
                self._hidden.append("\n")

    def _push(self, element: _Element) -> None:
        place = len(self._stack)
        self._stack.append(element)
        self._places.setdefault(element.name, []).append(place)
        if element.name in BLOCKS or element.name in CELLS:
            self._blocks.append(place)
        if element.name in CELLS:
            self._cells.append(place)

    def _pop(self) -> str:
        name = self._stack.pop().name
        self._places[name].pop()
        if name in BLOCKS or name in CELLS:
            self._blocks.pop()
        if name in CELLS:
            self._cells.pop()
        return name

    def add(self, source: str) -> None:
        """Add text as it stands in the document."""
        style = self._stack[-1].style
        if not source.strip(" \n") and style.is_visible and not style.preformatted:  # what indents the tags of a layout
            self._space()
            return
        text = unescaped(source)
        if not style.is_visible:
            self._hidden.append(text)
        elif style.preformatted:
            first, *lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            self._put(first)
            for line in lines:
                self._break()
                self._put(line)
        else:
            text = _WHITE.sub(" ", text) if _NOT_ONE_BLANK.search(text) else text
            if text.startswith(" "):
                self._space()
            self._put(text.strip(" "))
            if text.endswith(" "):
                self._space()

    def _put(self, text: str) -> None:
        if not text:
            return
        begins_line = not self._length or "\n" in self._gap
        marks = min(self._stack[-1].quotes, _MAX_QUOTE_MARKS) if begins_line else 0
        self._append(self._gap + (">" * marks + " " if marks else ""))
        if self._link and self._link.start < 0:
            self._link.start, self._link.first_piece = self._length, len(self._pieces)
        self._append(text)
        self._gap = ""
        self._after_bullet = False

    def _append(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)

    def _space(self) -> None:
        if self._length:
            self._gap = self._gap or " "

    def _break(self) -> None:
        if self._length:
            self._gap = "\n" * min(self._gap.count("\n") + 1, _MAX_NEWLINES)

    def _start_line(self) -> None:
        if "\n" not in self._gap and not self._after_bullet:
            self._break()

    def _bullet(self, counter: _Counter | None) -> None:
        if counter is None:
            self._put("•")
        else:
            self._put(f"{counter.number}.")
            counter.number += 1
        self._gap = " "
        self._after_bullet = True

    def _picture(self, alternative: str) -> None:
        if alternative:
            self._hidden.append(f"\n{alternative}\n")
            if self._link and not self._link.alternative:
                self._link.alternative = alternative

    def _end_link(self) -> None:
        if link := self._link:
            start = self._length if link.start < 0 else link.start
            text = "".join(self._pieces[link.first_piece :]) if link.start >= 0 else link.alternative
            self._links.append(Link(href=link.href, text=text, start=start, end=self._length))
            self._link = None

    def finish(self) -> Rendered:
        self._end_link()
        hidden = (" ".join(line.split()) for line in "".join(self._hidden).split("\n"))
        return Rendered(text="".join(self._pieces), hidden="\n".join(filter(None, hidden)), links=tuple(self._links))


def _counter(name: str, attributes: dict[str, str]) -> _Counter | None:
    if name != "ol":
        return None
    start = attributes.get("start", "")
    return _Counter(int(start) if re.fullmatch("[0-9]{1,6}", start) else 1)
