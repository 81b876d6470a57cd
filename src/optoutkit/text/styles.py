"""Which styles take an element out of the reader's sight, or keep its line breaks.

Only what is written at the element itself is read: mail programs drop style sheets as often as not. The means that hide are those
of the preview texts of newsletters: ``display``, ``visibility``, ``opacity``, a font or box of no size, transparent letters.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import attrs

__all__ = ["PREFORMATTED", "Style"]

PREFORMATTED = frozenset({"listing", "plaintext", "pre", "textarea", "xmp"})
"""Elements whose line breaks and blanks count unless a style says otherwise."""

_DECLARATION = re.compile(r"(?<![a-z-])([a-z-]++)\s*+:\s*+([^;]*+)")
_LONGEST = 4000  # characters of a style that are looked at
_NUMBER = re.compile(r"([0-9]*\.?[0-9]+)\s*(px|pt|pc|cm|mm|in|em|rem|ex|ch|vw|vh|%)?")
_SIZE_WORD = re.compile(r"(?:x{1,3}-)?(?:small|large)|medium|initial")
_SMALLEST_READABLE = 2  # px; preview texts hide in sizes of 0 and 1
_RELATIVE = frozenset({"em", "ex", "ch", "%"})


@attrs.frozen(kw_only=True)
class Style:
    """What an element has inherited, or set itself, as far as it matters to text.

    Attributes:
        removed: Taken out for good: no descendant can be seen.
        veiled: ``visibility: hidden``; a descendant may be visible again.
        tiny: A font of no size; layouts do this to a container, and give its children a size.
        preformatted: Line breaks and blanks count.
        is_visible: Whether text in this style is seen.
    """

    removed: bool = False
    veiled: bool = False
    tiny: bool = False
    preformatted: bool = False
    is_visible: bool = attrs.field(
        init=False, default=attrs.Factory(lambda style: not (style.removed or style.veiled or style.tiny), takes_self=True)
    )

    def inside(self, name: str, attributes: dict[str, str]) -> "Style":
        """The style inside an element that stands at this place."""
        if "style" not in attributes and "hidden" not in attributes and name != "font" and name not in PREFORMATTED:
            return self
        preformatted = self.preformatted or name in PREFORMATTED
        own = _own_style(attributes.get("style", "")[:_LONGEST])
        font_size = own.font_size
        if font_size is None and name == "font" and attributes.get("size"):
            font_size = "medium"
        if own == _NO_STYLE and font_size is None and "hidden" not in attributes and preformatted == self.preformatted:
            return self
        return Style(
            removed=self.removed or "hidden" in attributes or own.removes,
            veiled=self.veiled if own.veils is None else own.veils,
            tiny=_is_tiny(font_size or "", inherited=self.tiny),
            preformatted=preformatted if own.preformatted is None else own.preformatted,
        )


class _OwnStyle(NamedTuple):
    """What a style attribute says; None where it says nothing."""

    removes: bool = False
    veils: bool | None = None
    font_size: str | None = None
    preformatted: bool | None = None


_NO_STYLE = _OwnStyle()


@lru_cache(maxsize=256)  # a mail has few different ones, each many times
def _own_style(attribute: str) -> _OwnStyle:
    style = _declarations(attribute)
    white_space = style.get("white-space")
    return _OwnStyle(
        removes=_removes(style),
        veils={"hidden": True, "collapse": True, "visible": False}.get(style.get("visibility", "")),
        font_size=style.get("font-size"),
        preformatted=white_space.startswith("pre") if white_space else None,
    )


def _declarations(style: str) -> dict[str, str]:
    declared = _DECLARATION.findall(style.lower())
    return {name: value.replace("!important", "").strip() for name, value in declared}


def _removes(style: dict[str, str]) -> bool:
    clipped = style.get("overflow", "").startswith("hidden")
    return (
        style.get("display") == "none"
        or style.get("mso-hide") == "all"
        or _is_zero(style.get("opacity", ""))
        or style.get("color") == "transparent"
        or (clipped and any(_is_zero(style.get(side, "")) for side in ("height", "max-height", "width", "max-width")))
    )


def _is_zero(value: str) -> bool:
    number = _NUMBER.fullmatch(value)
    return number is not None and float(number[1]) == 0


def _is_tiny(value: str, *, inherited: bool) -> bool:
    number = _NUMBER.fullmatch(value)
    if number is None:
        return inherited and not _SIZE_WORD.fullmatch(value)
    size, unit = float(number[1]), number[2]
    if unit in _RELATIVE:
        return inherited or size == 0
    return size < _SMALLEST_READABLE if unit in (None, "px", "pt") else size == 0
