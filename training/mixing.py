"""Messages put together from two of the same seller, so that one sentence is learnt to decide in whatever company it stands.

A plea put into a critical message makes it one that is not; a need put into news makes it critical. They are made for training only,
and nothing is measured on them.
"""

from collections.abc import Iterator
from zlib import crc32

from optoutkit.classifier.topics import Topic
from optoutkit.classifier.verdict import NEED, SOLICITING

__all__ = ["mixed", "on_its_own"]

SHARE = 3  # of so many messages one is put together with another
NEWS = frozenset(
    topic.value
    for topic in Topic
    if not topic.critical and not topic.solicits and topic not in (Topic.OUT_OF_STOCK, Topic.ALTERNATIVE_OFFER, Topic.REFUND_CONFIRMATION)
)


def mixed(rows: list[dict]) -> Iterator[dict]:
    """Put messages of one batch together; the same rows give the same messages."""
    pleas = [(label, text) for row in rows for label, text in row["body"] if label in SOLICITING]
    needs = [(label, text) for row in rows for label, text in row["body"] if label.startswith(NEED)]
    for row in rows:
        number = crc32(row["id"].encode())
        if number % SHARE:
            continue
        labels = {label for label, _ in row["body"]} | {row["subject_label"]}
        critical = Topic(row["topic"]).critical
        pieces = pleas if critical else needs
        if not pieces or not (critical or (row["topic"] in NEWS and not labels & SOLICITING)):
            continue
        label, text = pieces[number // SHARE % len(pieces)]
        place = number // (SHARE * 1009) % (len(row["body"]) + 1)
        before = [(name, on_its_own(piece)) for name, piece in row["body"][:place]]
        yield row | {
            "id": f"{row['id']}+",
            "topic": label.removeprefix(NEED),
            "tags": [*row["tags"], "made"],
            "body": [*before, (label, on_its_own(text)), *row["body"][place:]],
        }


def on_its_own(piece: str) -> str:
    """A piece of a message such that another one can follow."""
    return piece if piece.endswith(("\n", " ")) else piece + "\n"
