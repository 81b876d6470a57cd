"""What a message is about that was written for one of Amazon's contact reasons: ``contact_reasons.toml`` beside this module."""

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources

__all__ = ["contact_reasons", "topic_of_contact_reason"]


@functools.cache
def contact_reasons() -> Mapping[str, str | None]:
    """The names of the known contact reasons, each with its topic; None where that is open."""
    text = (resources.files("optoutkit.guard") / "contact_reasons.toml").read_text(encoding="utf-8")
    return {name: fields.get("topic") for name, fields in tomllib.loads(text).items()}


def topic_of_contact_reason(name: str) -> str | None:
    """The topic that follows from a contact reason, by which Amazon tells critical messages since 2025 (amazon.md sections a and e).

    Args:
        name: As Amazon writes it in English; upper and lower case, and spaces, do not matter.

    Returns:
        A topic of :class:`optoutkit.Topic`; None for a reason that is not known, or whose topic is open. The text decides then.

    Example:
        >>> topic_of_contact_reason("Problem with order")
        'order_problem_needs_buyer'
    """
    return _by_folded_name().get(_folded(str(name)))


@functools.cache
def _by_folded_name() -> Mapping[str, str | None]:
    return {_folded(name): topic for name, topic in contact_reasons().items()}


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
