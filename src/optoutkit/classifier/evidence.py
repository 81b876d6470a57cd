"""The phrases that moved a verdict, found by how much each word of the deciding sentences speaks for what they do."""

from collections.abc import Collection, Iterator, Sequence

import attrs

from optoutkit.classifier.model import Model
from optoutkit.classifier.reading import Reading, Sentence
from optoutkit.classifier.results import Evidence

__all__ = ["Judged", "evidence"]

_SENTENCES = 3
_PHRASES = 2
_GAP = 1  # words of no weight that a phrase may bridge
_SHARE = 0.35  # of the weightiest word's: what weighs less is left out


@attrs.frozen(kw_only=True)
class Judged:
    """A sentence, and what it does.

    Attributes:
        sentence: The sentence.
        features: Its features, in its place.
        probabilities: Of each of the model's labels.
        own_topic: The topic of a user's own phrase in it.
    """

    sentence: Sentence
    features: Collection[int]
    probabilities: Sequence[float]
    own_topic: str | None = None


def evidence(model: Model, reading: Reading, judged: Sequence[Judged], *, critical: bool, topic: str) -> tuple[Evidence, ...]:
    """Find the phrases that speak for a verdict, the strongest first.

    Weights are positive where a phrase asks for what the order needs, negative where it does anything else.
    """
    deciding = {index for index, label in enumerate(model.labels) if label == (f"need:{topic}" if critical else topic)}
    if not deciding:
        deciding = {index for index, label in enumerate(model.labels) if label.startswith("need:") == critical}
    ranked = sorted(judged, key=lambda one: -sum(one.probabilities[index] for index in deciding))
    found: list[Evidence] = []
    for one in ranked[:_SENTENCES]:
        label = max(range(len(model.labels)), key=lambda index: one.probabilities[index])
        wanted = model.labels[label].startswith("need:") == critical
        if (wanted and model.labels[label] not in ("greeting", "signature")) or not found:
            found += _phrases(model, reading, one, label)
    return tuple(sorted(found, key=lambda phrase: -abs(phrase.weight)))


def _phrases(model: Model, reading: Reading, judged: Judged, label: int) -> Iterator[Evidence]:
    sentence = judged.sentence
    shares = model.attributions(sentence, label)
    name = model.labels[label] if judged.own_topic is None else judged.own_topic
    sign = 1 if model.labels[label].startswith("need:") else -1
    runs = sorted(_runs(shares), key=lambda run: -run[2])[:_PHRASES] or [(0, len(sentence.tokens), 0.0)]
    folded = reading.folded[sentence.part]
    source = reading.sources[sentence.part]
    for first, last, weight in runs:
        start, end = folded.original(sentence.tokens[first].start, sentence.tokens[last - 1].end)
        share = weight * len(shares) ** -0.5 * judged.probabilities[label]
        yield Evidence(part=sentence.part, start=start, end=end, text=source[start:end], weight=round(sign * share, 3), label=name)


def _runs(shares: Sequence[float]) -> Iterator[tuple[int, int, float]]:
    """Stretches of words that weigh much, as (first, one after the last, weight)."""
    least = max(shares) * _SHARE
    first, last, total = -1, -1, 0.0
    for index, share in enumerate(shares):
        if share < least or share <= 0:
            continue
        if first >= 0 and index - last > _GAP:
            yield first, last, total
            first, total = -1, 0.0
        if first < 0:
            first = index
        last, total = index + 1, total + share
    if first >= 0:
        yield first, last, total
