"""A stretch of a text, in code points."""

from typing import NamedTuple

__all__ = ["Span"]


class Span(NamedTuple):
    """Code points ``start`` up to, not including, ``end``; ``text[span.start : span.end]`` is what it covers."""

    start: int
    end: int
