"""The words of the rules: one file a language, all searched for at once, whatever language a message is in.

A file maps a label to phrases, which are matched as :mod:`optoutkit.text.phrases` says. The labels:

* ``promotion``, ``coupon``, ``incentive``, ``positive_review``, ``unhappy_first`` (come to us before you rate us badly),
  ``change_review``, ``repeated``, ``cancel``, ``opt_out``: phrases that break a rule by themselves.
* ``review`` with ``reward``, ``happy`` or ``reminder``; ``discount`` with ``code``; ``next_purchase`` with ``discount`` or ``reward``:
  pairs that break a rule together. ``negation`` takes it back; ``neutral`` (positive or negative) takes back ``positive_review``.
* ``removal`` close to ``review``: a review is to be deleted, whatever word stands between.
* ``offer``, and ``discount`` with a percentage: what advertisements say, unless the sentence asks something or tells of a problem.
* ``thanks``, ``help``, ``pleasantry``, ``greeting``, ``closing``: what a message that only says thank you is made of.
* ``confirmation``: an order or a shipment is confirmed; ``ask`` and ``needed``: the message has another purpose than that.
* ``link_needed``, ``carrier_or_warranty``: why a link or a number may stand there.
* ``phone``, ``other_number``: what digits are. ``promotion_file``: in the name of an attachment.
"""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from optoutkit.text.phrases import Phrase, Phrases
from optoutkit.text.tokens import Token

__all__ = ["LANGUAGES", "find", "phrases"]

_FOLDER = resources.files("optoutkit.guidelines") / "words"

LANGUAGES: tuple[str, ...] = tuple(sorted(file.name.removesuffix(".toml") for file in _FOLDER.iterdir() if file.name.endswith(".toml")))
"""ISO 639-1 codes of the languages whose words are known."""


@cache
def phrases(language: str) -> dict[str, tuple[str, ...]]:
    """The phrases of a language, by what they are a sign of."""
    data = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {label: tuple(texts) for label, texts in data.items()}


def find(tokens: Sequence[Token]) -> list[Phrase]:
    """Find the phrases of all languages in the words of a folded text, in the order of their first word."""
    return _finder().find(tokens)


@cache
def _finder() -> Phrases:
    labelled: dict[str, list[str]] = {}
    for language in LANGUAGES:
        for label, texts in phrases(language).items():
            labelled.setdefault(label, []).extend(texts)
    return Phrases(labelled)
