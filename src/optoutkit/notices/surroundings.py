"""The words round a notice: what senders call themselves, how answers and forwards are marked, months. Data, loaded once."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

import attrs

from optoutkit.text.folding import fold

__all__ = ["Surroundings", "surroundings"]


@attrs.frozen(kw_only=True)
class Surroundings:
    """What ``surroundings.toml`` lists, folded.

    Attributes:
        notice_senders: Local parts from which Amazon sends notices.
        relaying_senders: Local parts from which Amazon sends what others have written.
        sender_names: Display names that Amazon uses.
        reply_prefixes: Subject prefixes of answers.
        forward_prefixes: Subject prefixes of forwards.
        forward_words: Parts of the banner above a forwarded mail.
        forwarding_fields: Header fields of mail passed on by a server.
        lines_on_top: First words of lines that servers put above a mail.
        months: Name of a month to its number.
    """

    notice_senders: frozenset[str]
    relaying_senders: frozenset[str]
    sender_names: frozenset[str]
    reply_prefixes: frozenset[str]
    forward_prefixes: frozenset[str]
    forward_words: tuple[str, ...]
    forwarding_fields: tuple[str, ...]
    lines_on_top: tuple[str, ...]
    months: Mapping[str, int]


@cache
def surroundings() -> Surroundings:
    """The words that ship with the package."""
    data = tomllib.loads(resources.files("optoutkit.notices").joinpath("surroundings.toml").read_text(encoding="utf-8"))
    folded = {key: [fold(word).text for word in data[key]] for key in data if key != "months"}
    return Surroundings(
        notice_senders=frozenset(folded["notice_senders"]),
        relaying_senders=frozenset(folded["relaying_senders"]),
        sender_names=frozenset(folded["sender_names"]),
        reply_prefixes=frozenset(folded["reply_prefixes"]),
        forward_prefixes=frozenset(folded["forward_prefixes"]),
        forward_words=tuple(folded["forward_words"]),
        forwarding_fields=tuple(folded["forwarding_fields"]),
        lines_on_top=tuple(folded["lines_on_top"]),
        months={fold(name).text: int(number) for number, names in data["months"].items() for name in names},
    )
