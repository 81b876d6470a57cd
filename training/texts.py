"""The training messages: one JSON object a line, annotated sentence by sentence (see README.md)."""

import functools
import hashlib
import itertools
import json
import pathlib
from collections.abc import Iterable, Iterator

import attrs
from joining import joined
from mixing import mixed

from optoutkit.classifier.features import KINDS, Key, add_up, features, of_itself
from optoutkit.classifier.reading import read
from optoutkit.messages import Message

__all__ = ["FOLDER", "Text", "features_of", "fingerprint", "forget", "load"]

FOLDER = pathlib.Path(__file__).parent


@attrs.frozen(kw_only=True)
class Text:
    """One message with its labels, as the classifier reads it.

    ``rows`` (the features, each as often as it is seen) and ``labels`` have one entry for each sentence; ``shared`` are the features
    of the message; ``guessed`` is the language that it was taken for.
    """

    id: str
    language: str
    batch: str
    topic: str
    tags: tuple[str, ...]
    guessed: str | None
    rows: tuple[tuple[int, ...], ...]
    shared: tuple[int, ...]
    labels: tuple[str, ...]


class Features(dict):
    """The features of each key of one kind."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def __missing__(self, key: Key) -> tuple[int, ...]:
        found = self[key] = features(self.kind, key)
        return found


TABLES = {kind: Features(kind) for kind in KINDS}


def features_of(*kinds: str) -> list[int]:
    """The features of these kinds in the messages that have been read."""
    return sorted({feature for kind in kinds for features in TABLES[kind].values() for feature in features})


def forget() -> None:
    """Let go of the features of the messages that have been read; they take gigabytes."""
    for table in TABLES.values():
        table.clear()


def chained(values: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """All of them together."""
    return tuple(itertools.chain.from_iterable(values))


def fingerprint() -> str:
    """A digest by which it shows whether weights were made from these messages and lexicons, and by the same way of seeing."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted([*FOLDER.glob("*.jsonl"), *FOLDER.glob("lexicons/*.toml")]):
        digest.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
    for file in sorted(FOLDER.glob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            for line in itertools.islice(lines, 40):
                text = _text(json.loads(line))
                digest.update(repr((text.rows, sorted(text.shared))).encode())
    return digest.hexdigest()


def load() -> Iterator[Text]:
    """Read all messages, in the order of file name and line; after each batch those that are put together of it and can be read."""
    for file in sorted(FOLDER.glob("*.jsonl")):
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for _, batch in itertools.groupby(rows, key=lambda row: row["batch"]):
            together = list(batch)
            yield from map(_text, together)
            yield from (text for text in map(_text, [*mixed(together), *joined(together)]) if text.labels)


def _text(row: dict) -> Text:
    reading = read(Message(row["subject"], "".join(piece for _, piece in row["body"])))
    spans, position = [], 0
    for label, piece in row["body"]:
        spans.append((position, position + len(piece), label))
        position += len(piece)
    labels = []
    for sentence in reading.sentences:
        if sentence.part == "subject":
            labels.append(row["subject_label"])
            continue
        start, end = reading.folded[sentence.part].original(sentence.start, sentence.end)
        labels.append(max(spans, key=lambda span: min(end, span[1]) - max(start, span[0]))[2])
    rows, shared = add_up(reading.sentences, TABLES, chained, functools.partial(of_itself, tables=TABLES, sum_up=chained))
    return Text(
        id=row["id"],
        language=row["language"],
        batch=f"{row['language']}-{row['batch']}",
        topic=row["topic"],
        tags=tuple(row["tags"]),
        guessed=reading.language,
        rows=tuple(rows),
        shared=shared,
        labels=tuple(labels),
    )
