"""The phrases that moved a verdict, found by how much each word of the deciding sentences speaks for what they do."""

import heapq
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from optoutkit.classifier.lexicons import expressed
from optoutkit.classifier.model import Model
from optoutkit.classifier.reading import Reading, Said, Sentence
from optoutkit.classifier.results import Evidence
from optoutkit.classifier.verdict import NEED
from optoutkit.text.phrases import Phrase
from optoutkit.text.tokens import places

__all__ = ["Judged", "evidence"]

_SENTENCES = 2
_NEUTRAL = frozenset({"greeting", "signature", "quote"})
_PHRASES = 2
_GAP = 1  # words of no weight that a phrase may bridge
_SHARE = 0.35  # of the weightiest word's: what weighs less is left out


class Judged(NamedTuple):
    """A sentence, and what it does.

    Attributes:
        sentence: The sentence.
        probabilities: Of each of the model's labels.
        own: A user's own phrase in it, whose label is its topic.
    """

    sentence: Sentence
    probabilities: Sequence[float]
    own: Phrase | None = None


def evidence(model: Model, reading: Reading, judged: Sequence[Judged], *, critical: bool, topic: str) -> tuple[Evidence, ...]:
    """Find the phrases that speak for a verdict, the strongest first.

    Weights are positive where a phrase asks for what the order needs, negative where it does anything else.
    """
    wanted = f"{NEED}{topic}" if critical else topic
    if wanted in model.labels:
        deciding = [model.labels.index(wanted)]
    else:  # an own topic
        deciding = [index for index, label in enumerate(model.labels) if label.startswith(NEED) == critical]
    surest = heapq.nlargest(_SENTENCES, judged, key=lambda one: sum(map(one.probabilities.__getitem__, deciding)))
    found: list[Evidence] = []
    for one in surest:
        label = one.probabilities.index(max(one.probabilities))
        name = model.labels[label]
        if not found or (name.startswith(NEED) == critical and name not in _NEUTRAL):
            found += _phrases(model, reading, one, label)
    moving = [phrase for phrase in found if phrase.weight] or found  # a sentence may be told by its place alone
    return tuple(sorted(moving, key=lambda phrase: -abs(phrase.weight)))


def _phrases(model: Model, reading: Reading, judged: Judged, label: int) -> Iterator[Evidence]:
    sentence, own = judged.sentence, judged.own
    folded, source = reading.folded[sentence.part], reading.sources[sentence.part]
    name = model.labels[label] if own is None else own.label
    told = _telling(model, sentence.said, reading.spoken, label) if own is None else [(own.start, own.end, 1.0)]
    factor = judged.probabilities[label] * (1 if model.labels[label].startswith(NEED) else -1)
    for first, last, weight in told:
        start, end = folded.original(sentence.start + first, sentence.start + last)
        yield Evidence(part=sentence.part, start=start, end=end, text=source[start:end], weight=round(factor * weight, 3) + 0.0, label=name)


def _telling(model: Model, said: Said, spoken: Sequence[str], label: int) -> Sequence[tuple[int, int, float]]:
    """The stretches of a sentence that speak most for a label, as (first character, one after the last, weight)."""
    if not said.words:
        return ()
    stretches: list[tuple[int, int, float]] | None = said.told.get((model, label))
    if stretches is None:
        found = places(said.text)
        shares = model.attributions(said, expressed(said.words, spoken), label)
        runs = sorted(_runs(shares), key=lambda run: -run[2])[:_PHRASES] or [(0, len(found), 0.0)]
        stretches = [(found[first][0], found[last - 1][1], weight * len(shares) ** -0.5) for first, last, weight in runs]
        said.told[model, label] = stretches
    return stretches


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
