"""The training texts: labelled as README says, many and different enough."""

import itertools
import json
import pathlib
import re
from collections import Counter
from typing import Any

import pytest

from optoutkit.classifier import Topic

FOLDER = pathlib.Path(__file__).parents[2] / "training"
FILES = sorted(FOLDER.glob("*.jsonl"))
CRITICAL = {topic.value for topic in Topic if topic.critical}
LABELS = {
    *(f"{kind}:{topic}" for kind in ("need", "about") for topic in CRITICAL),
    *(topic.value for topic in Topic if not topic.critical),
    *("greeting", "signature", "urge", "quote"),
}
SOLICITING = {topic.value for topic in Topic if topic.solicits}


def rows(file: pathlib.Path) -> list[dict[str, Any]]:
    """The messages of one language."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def text_of(row: dict[str, Any]) -> str:
    """Subject and body, folded a little."""
    return re.sub(r"\d", "0", re.sub(r"\s+", " ", row["subject"] + " " + "".join(text for _, text in row["body"])).lower())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_labels_agree_with_the_topic(file: pathlib.Path) -> None:
    """Critical messages need the buyer and solicit nothing; others don't need the buyer, or solicit, which is then their topic."""
    ids = set()
    for row in rows(file):
        labels = {label for label, _ in row["body"]} | ({row["subject_label"]} if row["subject"] else set())
        assert row["id"] not in ids, row["id"]
        ids.add(row["id"])
        assert row["language"] == file.stem
        assert labels <= LABELS, row["id"]
        assert Topic(row["topic"])
        needs = {label.removeprefix("need:") for label in labels if label.startswith("need:")}
        if row["topic"] in CRITICAL:
            assert row["topic"] in needs, row["id"]
            assert not labels & SOLICITING, row["id"]
        else:
            assert not needs or labels & (SOLICITING | {"out_of_stock", "alternative_offer"}), row["id"]
            assert row["topic"] in SOLICITING or not labels & SOLICITING, row["id"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_enough_of_everything(file: pathlib.Path) -> None:
    """At least 280 messages a language and 8 a topic; subject and length don't give the class away."""
    messages = rows(file)
    assert len(messages) >= 280
    topics = Counter(row["topic"] for row in messages)
    assert min(topics[topic] for topic in Topic) >= 8
    critical = [row for row in messages if row["topic"] in CRITICAL]
    other = [row for row in messages if row["topic"] not in CRITICAL]
    assert 0.35 <= len(critical) / len(messages) <= 0.55
    without = [sum(not row["subject"] for row in group) / len(group) for group in (critical, other)]
    assert abs(without[0] - without[1]) < 0.2
    lengths = [sorted(len(text_of(row)) for row in group)[len(group) // 2] for group in (critical, other)]
    assert max(lengths) < 1.6 * min(lengths)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_near_duplicates(file: pathlib.Path) -> None:
    """No two messages of a language share half of the shorter one's stretches of nine letters, or of five syllables."""
    size = 5 if file.stem in ("ja", "zh") else 9
    stretches: list[set[str]] = []
    holders: dict[str, list[int]] = {}  # the messages that have a stretch
    messages = rows(file)
    for number, row in enumerate(messages):
        text = text_of(row)
        own = {text[start : start + size] for start in range(max(1, len(text) - size + 1))}
        shared = Counter(itertools.chain.from_iterable(holders.get(stretch, ()) for stretch in own))
        for other, count in shared.items():
            assert count <= 0.5 * min(len(own), len(stretches[other])), f"{messages[other]['id']} ~ {row['id']}"
        stretches.append(own)
        for stretch in own:
            holders.setdefault(stretch, []).append(number)
