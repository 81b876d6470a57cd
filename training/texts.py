"""The training messages: one JSON object a line, annotated sentence by sentence (see README.md)."""

import json
import pathlib
from collections.abc import Iterator

import attrs

from optoutkit.classifier.lexicons import load_lexicon
from optoutkit.classifier.reading import Reading, read
from optoutkit.messages import Message

__all__ = ["FOLDER", "Text", "load"]

FOLDER = pathlib.Path(__file__).parent


@attrs.frozen(kw_only=True)
class Text:
    """One message with its labels, as the classifier reads it.

    ``labels`` has one label for each of ``reading.sentences``.
    """

    id: str
    language: str
    batch: str
    topic: str
    tags: tuple[str, ...]
    message: Message
    reading: Reading
    labels: tuple[str, ...]


def load() -> Iterator[Text]:
    """Read all messages, in the order of file name and line."""
    for file in sorted(FOLDER.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield _text(json.loads(line))


def _text(row: dict) -> Text:
    message = Message(row["subject"], "".join(piece for _, piece in row["body"]))
    reading = read(message, load_lexicon())
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
    return Text(
        id=row["id"],
        language=row["language"],
        batch=f"{row['language']}-{row['batch']}",
        topic=row["topic"],
        tags=tuple(row["tags"]),
        message=message,
        reading=reading,
        labels=tuple(labels),
    )
