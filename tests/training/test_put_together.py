"""Messages put together of others are what they are taken for."""

import itertools
import json
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from optoutkit.classifier import Topic

SOLICITING = {topic.value for topic in Topic if topic.solicits}


def batches(training: Callable[[str], ModuleType]) -> Iterator[list[dict[str, Any]]]:
    """The messages of all languages, seller by seller."""
    for file in sorted(training("texts").FOLDER.glob("*.jsonl")):
        lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        yield from (list(batch) for _, batch in itertools.groupby(lines, key=lambda row: row["batch"]))


def labels(row: dict[str, Any]) -> list[str]:
    """What the pieces of a message do."""
    return [label for label, _ in row["body"]]


@pytest.mark.parametrize(("module", "function"), [("mixing", "mixed"), ("joining", "joined")])
def test_labels_agree_with_the_topic(training: Callable[[str], ModuleType], module: str, function: str) -> None:
    """A critical one needs the buyer and solicits nothing; the same messages give the same."""
    put_together = getattr(training(module), function)
    made = [row for batch in batches(training) for row in put_together(batch)]
    assert made == [row for batch in batches(training) for row in put_together(batch)]
    assert {Topic(row["topic"]).critical for row in made} == {True, False}
    for row in made:
        assert "made" in row["tags"], row["id"]
        if Topic(row["topic"]).critical:
            assert f"need:{row['topic']}" in {row["subject_label"], *labels(row)}, row["id"]
            assert not SOLICITING & {row["subject_label"], *labels(row)}, row["id"]


def test_joined_ones_hold_the_whole_message(training: Callable[[str], ModuleType]) -> None:
    """It says all that it said, with news of the same seller around it, between its own greeting and end."""
    joining = training("joining")
    for batch in batches(training):
        written = {row["id"]: row for row in batch}
        for row in joining.joined(batch):
            before = written[row["id"].removesuffix("*")]
            opening, said, closing = ([text.rstrip() for _, text in part] for part in joining.parts(before["body"]))
            texts = [text.rstrip() for _, text in row["body"]]
            assert len(texts) > len(before["body"])
            assert texts[: len(opening)] == opening
            assert texts[len(texts) - len(closing) :] == closing
            start = next(place for place in range(len(texts)) if texts[place : place + len(said)] == said)
            beside = [*labels(row)[len(opening) : start], *labels(row)[start + len(said) : len(texts) - len(closing)]]
            assert not {"greeting", "signature", "quote"} & set(beside), row["id"]
            assert not SOLICITING & set(beside), row["id"]
