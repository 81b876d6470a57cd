"""The placeholders of templates: they stand for what nobody knows yet, and so break no rule."""

import re
from collections.abc import Iterator

__all__ = ["blank", "find", "is_anonymous"]

# Those of Jinja, Django, Handlebars and Liquid; of Python and JavaScript; of ERB; of Perl and C; of sellers' tools.
_PLACEHOLDER = re.compile(
    r"\{\{[^{}]{0,200}\}\}"
    r"|\{%[^%{}]{0,200}%\}"
    r"|\$?\{(?:[^\W\d_]|_)[\w .|:'-]{0,80}\}"
    r"|\{[0-9]{0,2}\}"
    r"|<%[^%<>]{0,200}%>"
    r"|\[\[[^\[\]]{0,200}\]\]"
    r"|\[[A-Za-z]{1,40}[_-][A-Za-z_-]{1,40}\]"
    r"|%\([A-Za-z0-9_]{1,80}\)[sd]"
    r"|%%[A-Za-z0-9_-]{1,80}%%"
    r"|(?<![\w%])%[A-Za-z][A-Za-z0-9_-]{1,80}%"
    r"|(?<![\w%])%[sd](?!\w)"
    r"|(?<![\w$])\$[a-z_]{2,80}"
)
_ANONYMOUS = re.compile(r"%[sd]|\{[0-9]{0,2}\}")


def find(text: str) -> Iterator[re.Match[str]]:
    """Yield the placeholders of a text."""
    return _PLACEHOLDER.finditer(text)


def blank(text: str) -> str:
    """Put blanks for the placeholders of a text, so that all offsets stay.

    Example:
        >>> blank("Hello {{ name }}!")
        'Hello           !'
    """
    return _PLACEHOLDER.sub(lambda found: " " * len(found[0]), text)


def is_anonymous(placeholder: str) -> bool:
    """Whether a placeholder does not tell by a name what it stands for, as ``%s`` doesn't."""
    return _ANONYMOUS.fullmatch(placeholder) is not None
