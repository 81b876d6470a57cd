"""Long messages put together from short ones of the same seller, for the verdict only: around what matters real mails have more.

What stands beside the message that decides is news that asks and sells nothing. Nothing is measured on them.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from zlib import crc32

from texts import Text

from optoutkit.classifier.topics import Topic

__all__ = ["Joined", "joined"]

SHARE = 2  # of so many messages one is put into a long one
MOST = 3  # other messages in it
COMPANY = frozenset(
    {
        Topic.INVOICE,
        Topic.MANUAL_OR_TIPS,
        Topic.ORDER_CONFIRMATION,
        Topic.OTHER,
        Topic.PROACTIVE_SUPPORT,
        Topic.SHIPPING_CONFIRMATION,
        Topic.THANK_YOU,
        Topic.WARRANTY,
    }
)


class Joined(NamedTuple):
    """Which messages it is made of, by their numbers in order, and which of them says what it is."""

    members: tuple[int, ...]
    decides: int


def joined(texts: Sequence[Text]) -> Iterator[Joined]:
    """Choose what is put together; the same texts give the same."""
    company: dict[str, list[int]] = {}
    deciding = []
    for number, text in enumerate(texts):
        if "made" in text.tags:
            continue
        if text.topic in COMPANY and not {"hard", "mixed"} & set(text.tags):
            company.setdefault(text.batch, []).append(number)
        else:
            deciding.append(number)
    for number in deciding:
        chance, others = crc32(texts[number].id.encode()), company.get(texts[number].batch, [])
        if chance % SHARE or not others:
            continue
        count = min(1 + chance // SHARE % MOST, len(others))
        beside = [others[(chance // 7 + place) % len(others)] for place in range(count)]
        before = chance // 1009 % (count + 1)
        yield Joined((*beside[:before], number, *beside[before:]), number)
