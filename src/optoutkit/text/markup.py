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
_TAG_NAME = re.compile("/?[a-zA-Z]")
_TAG = re.compile(r"""<(/?)([a-zA-Z][^\s/>]*+)((?:[^"'>]++|"[^"]*+"|'[^']*+')*+)>""")
_TAG_WITHOUT_QUOTES = re.compile(r"<(/?)([a-zA-Z][^\s/>]*+)([^>]*+)>")
_QUOTES = ("'", '"')
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
        tag = _TAG.match(document, start) if quotes_close else _TAG_WITHOUT_QUOTES.match(document, start)
        if tag:
            slash, name, inner = tag.groups()
            name, position = name.lower(), tag.end()
            yield Tag(name, slash != "", inner, start, position)
            if name in _UNSHOWN_END and not slash and document[position - 2] != "/":
                close = _UNSHOWN_END[name].search(document, position)
                position = close.start() if close else len(document)
        elif not _TAG_NAME.match(document, start + 1):
            is_comment = document.startswith("<!--", start)
            end = document.find("-->" if is_comment else ">", start + 2)
            if end < 0 and not is_comment:
                break  # there is no further tag
            position = len(document) if end < 0 else end + (3 if is_comment else 1)
        elif quotes_close:
            quotes_close = False  # looked to the end in vain, once: from now on a tag ends at the next >, quoted or not
        else:
            break
    yield Words(document[position:], position)


def attributes(inner: str) -> dict[str, str]:
    """Read the attributes of a tag: names in lower case, entities in values resolved."""
    found: dict[str, str] = {}
    for attribute in _ATTRIBUTE.finditer(inner):
        name, value = attribute.groups("")
        if name not in found and (name := name.lower()) not in found:  # the first one counts, HTML standard section 13.2.5.33
            if value[:1] in _QUOTES:
                value = value[1:-1]
            found[name] = unescaped(value) if "&" in value else value
    return found


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
