"""Long messages put together from short ones of the same seller, since real mails have more around what matters.

What stands beside the message that decides is news that asks and sells nothing. They are made for training only, and nothing is
measured on them.
"""

import itertools
from collections.abc import Iterator
from zlib import crc32

from mixing import on_its_own

from optoutkit.classifier.topics import Topic

__all__ = ["joined"]

SHARE = 3  # of so many messages one is put into a long one
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
OPENING = frozenset({"greeting"})
CLOSING = frozenset({"greeting", "signature", "quote"})


def joined(rows: list[dict]) -> Iterator[dict]:
    """Put messages of one batch together; the same rows give the same messages."""
    news, deciding = [], []
    for row in rows:
        if row["topic"] in COMPANY and not {"hard", "mixed"} & set(row["tags"]):
            news.append([piece for piece in row["body"] if piece[0] not in CLOSING])
        else:
            deciding.append(row)
    news = list(filter(None, news))
    if not news:
        return
    for row in deciding:
        chance = crc32(row["id"].encode())
        if chance % SHARE:
            continue
        count = min(1 + chance // SHARE % MOST, len(news))
        beside = [news[(chance // 7 + place) % len(news)] for place in range(count)]
        before = chance // 1009 % (count + 1)
        opening, said, closing = parts(row["body"])
        pieces = itertools.chain(opening, *beside[:before], said, *beside[before:], closing)
        yield row | {
            "id": f"{row['id']}*",
            "tags": [*row["tags"], "made"],
            "body": [[label, on_its_own(piece)] for label, piece in pieces],
        }


def parts(body: list) -> tuple[list, list, list]:
    """The greeting, what a message says, and how it ends."""
    start, end = 0, len(body)
    while start < end and body[start][0] in OPENING:
        start += 1
    while end > start and body[end - 1][0] in CLOSING:
        end -= 1
    return body[:start], body[start:end], body[end:]
