"""What the check of a message finds, and the rules it goes by, which are data: ``rules.toml``."""

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

import attrs

__all__ = ["Rule", "Violation", "known_rules", "rules"]


@attrs.frozen(kw_only=True)
class Violation:
    """A place in a message that breaks one of Amazon's communication guidelines.

    Attributes:
        rule: The ID of the rule, such as ``"external_link"``.
        explanation: What the rule says, in one sentence; for a rule that was not checked, why.
        part: ``"subject"``, ``"body"`` or ``"html"``, the source that it stands in; empty where it concerns the message as a whole,
            such as a missing order ID or an attachment.
        start: Offset of its first code point in ``message.subject``, ``message.body`` or ``message.html``; 0 where there is no part.
        end: Offset behind its last one.
        text: What stands there; of an attachment its name.
        checked: False where the rule could not be checked and so may be broken or not: its pip extra is not installed, or there was
            more to look at than the limits allow.

    Example:
        >>> found = check_guidelines("Write to us about order 302-1234567-7654321: help@shop.example")
        >>> [(violation.rule, violation.text) for violation in found]
        [('email_address', 'help@shop.example')]
    """

    rule: str
    explanation: str
    part: str
    start: int
    end: int
    text: str
    checked: bool = True


@attrs.frozen(kw_only=True)
class Rule:
    """One of Amazon's guidelines, as far as a program can see in a message that it is broken.

    Attributes:
        id: Its name, such as ``"external_link"``.
        explanation: What it says, in one sentence.
        since: The day from which it holds.
        source: Where it is known from: a section of amazon.md, and the sources there.
        replies: Whether it also holds for a message that answers the buyer.
        form: How the examples are written: ``"text"``, ``"html"``, or ``"attachment"``, where they are file names.
        breaks: An example that breaks it.
        keeps: One that comes near and does not.
    """

    id: str
    explanation: str
    since: dt.date
    source: str
    replies: bool
    form: str
    breaks: str
    keeps: str


@cache
def rules() -> Mapping[str, Rule]:
    """All rules by their IDs, in the order of the documentation."""
    text = (resources.files("optoutkit.guidelines") / "rules.toml").read_text(encoding="utf-8")
    defaults = {"replies": True, "form": "text"}
    return {name: Rule(id=name, **(defaults | fields)) for name, fields in tomllib.loads(text).items()}


def known_rules(names: Iterable[str]) -> frozenset[str]:
    """Check the IDs of rules.

    Raises:
        ValueError: There is no such rule; the text names those there are.
    """
    given = frozenset([names] if isinstance(names, str) else names)
    unknown = sorted(given - rules().keys())
    if unknown:
        raise ValueError(f"there is no rule {unknown[0]!r}; there are: {', '.join(rules())}")
    return given
