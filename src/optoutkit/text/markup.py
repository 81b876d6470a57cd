"""The tokens of an HTML document, each with its place in the source.

The standard library's parser takes quadratic time on unfinished tags (three minutes for 120 KB of ``<a`` with CPython 3.11.7), so
the tokens are found here. What is a tag, a comment or text follows the HTML standard's tokenizer (section 13.2.5), but for the end
of a damaged document, which is read as text rather than dropped.
"""

import html
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

__all__ = ["BLOCKS", "CELLS", "TABLE", "VOID", "Tag", "Words", "attributes", "is_quotation", "tokens", "unescaped"]

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"})
CELLS = frozenset({"td", "th"})
TABLE = frozenset({"table", "caption", "tbody", "thead", "tfoot", "tr"})
BLOCKS = TABLE | {
    *("address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "dir", "div", "dl", "dt", "fieldset"),
    *("figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "legend", "li", "main", "menu"),
    *("nav", "ol", "option", "p", "pre", "section", "summary", "ul"),
}

_UNSHOWN_END = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in (
        *("audio", "canvas", "datalist", "iframe", "math", "noembed", "noframes", "object"),
        *("script", "style", "svg", "template", "title", "video"),
    )
}
_QUOTE_CLASS = re.compile(r"(?:gmail|yahoo|protonmail|moz|zmail)[_-]?(?:quote|cite)", re.IGNORECASE)
_HUGE_NUMBER = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{7,});?")

_MARKUP = re.compile(r"<(?=[a-zA-Z/!?])")
_TAG_NAME = re.compile(r"/?[a-zA-Z][^\s/>]*")
_NO_QUOTE_OR_END = re.compile(r"""[^"'>]*""")
_ATTRIBUTE = re.compile(r"""([^\s=>/"']+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>"']+))?""")


class Words(NamedTuple):
    """Text as it stands in the source, entities unresolved.

    Attributes:
        text: The text.
        start: Offset of its first code point in the document.
    """

    text: str
    start: int


class Tag(NamedTuple):
    """A tag.

    Attributes:
        name: Lower case.
        closes: Whether it is an end tag.
        inner: What stands behind the name, for :func:`attributes`.
        start: Offset of its ``<``.
        end: Offset behind its ``>``.
    """

    name: str
    closes: bool
    inner: str
    start: int
    end: int


def tokens(document: str) -> Iterator[Words | Tag]:
    """Yield text and tags in their order, without comments and the contents of elements that are never shown.

    Never raises; the time is linear in the length of the document.
    """
    position = 0
    quotes_close = True
    while markup := _MARKUP.search(document, position):
        start = markup.start()
        if start > position:
            yield Words(document[position:start], position)
            position = start
        name = _TAG_NAME.match(document, start + 1)
        if not name:
            is_comment = document.startswith("<!--", start)
            end = document.find("-->" if is_comment else ">", start + 2)
            if end < 0 and not is_comment:
                break  # there is no further tag
            position = len(document) if end < 0 else end + (3 if is_comment else 1)
            continue
        end = _tag_end(document, name.end()) if quotes_close else -1
        if end < 0:
            quotes_close = False  # looked to the end in vain, once: from now on a tag ends at the next >, quoted or not
            end = document.find(">", name.end())
            if end < 0:
                break
        tag = name[0].lower()
        yield Tag(tag.removeprefix("/"), tag.startswith("/"), document[name.end() : end], start, end + 1)
        position = end + 1
        if tag in _UNSHOWN_END and document[end - 1] != "/":
            close = _UNSHOWN_END[tag].search(document, position)
            position = close.start() if close else len(document)
    yield Words(document[position:], position)


def _tag_end(document: str, position: int) -> int:
    """The offset of the ``>`` that closes a tag, past any in quotes; -1 if there is none."""
    while True:
        position += len(_NO_QUOTE_OR_END.match(document, position)[0])  # type: ignore[index]  # it matches everywhere
        mark = document[position : position + 1]
        if mark in (">", ""):
            return position if mark else -1
        position = document.find(mark, position + 1) + 1
        if not position:
            return -1


def attributes(inner: str) -> Iterator[tuple[str, str]]:
    """Yield the attributes of a tag, names in lower case, entities in values resolved."""
    seen = set()
    for attribute in _ATTRIBUTE.finditer(inner):
        name = attribute[1].lower()
        if name not in seen:  # the first one counts, HTML standard section 13.2.5.33
            seen.add(name)
            value = attribute[2] or ""
            yield name, unescaped(value[1:-1] if value.startswith(('"', "'")) else value)


def unescaped(text: str) -> str:
    """Resolve the entities of a text."""
    # html.unescape raises ValueError on a number of thousands of digits
    return html.unescape(_HUGE_NUMBER.sub("\ufffd", text)) if "&" in text else text


def is_quotation(attributes: Mapping[str, str]) -> bool:
    """Whether a blockquote of these attributes is a quoted mail, as mail programs mark it, and not an indented paragraph."""
    return (
        attributes.get("type", "").lower() == "cite"
        or "border-left" in attributes.get("style", "").lower()
        or bool(_QUOTE_CLASS.search(attributes.get("class", "")))
    )
