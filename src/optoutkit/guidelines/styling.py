"""The look of a message: Amazon's own is to be kept."""

import re
from collections.abc import Iterator, Mapping

from optoutkit.guidelines.pages import Element
from optoutkit.guidelines.sources import Found, Reading
from optoutkit.text.language import detect

__all__ = ["check_line_breaks", "check_styling"]

_LINE_BREAKS = re.compile(r"\r?\n(?:[ \t\u00a0]*+\r?\n){2,}+")
_KEPT = frozenset({"", "inherit", "initial", "normal", "unset", "revert"})
_FONT = re.compile(
    r"(?:[a-z0-9.%-]{1,30}\s+){0,6}([0-9.]{1,10}(?:px|pt|em|rem|%)|(?:x{1,2}-)?(?:small|large)|medium)(\s*/\s*[0-9.a-z%]{1,12})?\s+\S"
)
_NUMBER = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*(px|pt|pc|cm|mm|in|em|rem|ex|ch|vw|vh|%)?")
_MAX_SIZES = 3  # amazon.md section e
_WIDEST_MARGIN = 20  # percent, the same section
_ALIGNED = frozenset({"center", "right", "justify", "-webkit-center", "-moz-center"})
_TEXT_TAGS = frozenset({"p", "div", "td", "th", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "span", "body", "blockquote", "li", "caption"})
_FROM_RIGHT_TO_LEFT = "ar"


def check_line_breaks(reading: Reading) -> Iterator[Found]:
    """Find more than two line breaks in a row, inside the text."""
    for source in reading.sources[1:]:
        if source.page:
            for start, end in source.page.breaks:
                if not source.is_quoted(start):
                    yield Found.place("line_breaks", source, start, end)
            continue
        end = len(source.plain.rstrip())
        for found in _LINE_BREAKS.finditer(source.plain, len(source.plain) - len(source.plain.lstrip()), end):
            if not source.is_quoted(found.start()) and not source.is_quoted(found.end()):
                yield Found.place("line_breaks", source, *found.span())


def check_styling(reading: Reading) -> Iterator[Found]:
    """Find fonts, colours, sizes, line heights, margins and alignments of the author's own."""
    if reading.page is None:
        return
    from_right = detect(reading.main.text).language == _FROM_RIGHT_TO_LEFT or any(
        element.attributes.get("dir", "").lower() == "rtl" for element in reading.main.elements
    )
    aligned = _ALIGNED - ({"right"} if from_right else set())
    sizes = set[str]()
    styled = [(element.start, element.end, element.style, element) for element in reading.main.elements]
    styled += [(start, end, sheet, _NOBODY) for start, end, sheet in reading.page.sheets]
    for start, end, style, element in styled:
        rules = [*_broken(style, aligned), *_broken_by_attributes(element, aligned)]
        size = _size(style, element)
        if size and size not in sizes:
            sizes.add(size)
            if len(sizes) == _MAX_SIZES + 1:
                rules.append("font_sizes")
        for rule in dict.fromkeys(rules):
            yield Found.place(rule, reading.main, start, end)


_NOBODY = Element("", {}, {}, 0, 0, None)


def _broken(style: Mapping[str, str], aligned: frozenset[str]) -> Iterator[str]:
    font = _FONT.match(style.get("font", "")[:200])
    if style.get("font-family", "") not in _KEPT or font:
        yield "font_family"
    if style.get("line-height", "") not in _KEPT or (font and font[2]):
        yield "line_height"
    if style.get("color", "") not in _KEPT | {"currentcolor", "transparent"}:
        yield "text_colour"
    if style.get("text-align", "") in aligned:
        yield "text_alignment"
    if any(_is_wide(value) for name in ("margin", "margin-left", "margin-right") for value in style.get(name, "")[:200].split()):
        yield "wide_margin"


def _broken_by_attributes(element: Element, aligned: frozenset[str]) -> Iterator[str]:
    if element.name == "font" and element.attributes.get("face"):
        yield "font_family"
    if (element.name == "font" and element.attributes.get("color")) or (element.name == "body" and element.attributes.get("text")):
        yield "text_colour"
    if element.name == "center" or (element.name in _TEXT_TAGS and element.attributes.get("align", "").lower() in aligned):
        yield "text_alignment"


def _size(style: Mapping[str, str], element: Element) -> str:
    """A declared size of type in one spelling; empty if there is none, or one that nobody sees."""
    font = _FONT.match(style.get("font", "")[:200])
    size = style.get("font-size", "") or (font[1] if font else "")
    if not size and element.name == "font":
        return f"font size {element.attributes['size'].strip()}" if element.attributes.get("size", "").strip() else ""
    number = _NUMBER.fullmatch(size)
    if number is None:
        return "" if size in _KEPT else size
    return f"{float(number[1]):g}{number[2] or 'px'}" if float(number[1]) > 1 or number[2] in ("em", "rem") else ""


def _is_wide(value: str) -> bool:
    number = _NUMBER.fullmatch(value)
    return number is not None and number[2] == "%" and float(number[1]) > _WIDEST_MARGIN
