"""The trained model: what a sentence does, whether a message is critical, what it is about. Plain Python, no framework."""

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from math import exp
from operator import itemgetter, mul

import attrs

from optoutkit.classifier.features import MAX_CONCEPTS, add_up, grams, of_itself, pairs
from optoutkit.classifier.layers import Layer
from optoutkit.classifier.reading import Said, Sentence
from optoutkit.classifier.topics import Topic
from optoutkit.classifier.verdict import NEED, SOLICITING, criticality, shares, sigmoid, softmax
from optoutkit.classifier.weights import UNIT, Weights
from optoutkit.text.tokens import CJK_START

__all__ = ["Model", "load_model"]

_SMALL, _LARGE = 1e-200, 1e200  # beyond them a sum of powers says little or nothing; no real sentence goes so far
_TOGETHER = 8  # sentences whose totals are added up; the lanes of a long message may be too narrow for the sum of all


@attrs.frozen(kw_only=True, eq=False)
class Model:
    """What was learnt from the training texts.

    Attributes:
        labels: What a sentence can do.
        intercepts: Of each label, before any word is seen; last that of a whole message that is critical.
        weights: A lane for each of ``intercepts``.
        topics: What a message can be about.
        critical: Weights of what :func:`~optoutkit.classifier.verdict.inputs` gives for a message to be critical, the intercept last.
        units: The hidden units of the network that tells topics apart, which have the same inputs.
        topic: For each of ``topics`` what the network makes of what the units pass on.
        threshold: From which probability on a message counts as critical.
        solicit_threshold: From which probability of one sentence on a message counts as soliciting.
    """

    labels: tuple[str, ...]
    intercepts: tuple[float, ...]
    weights: Weights
    topics: tuple[str, ...]
    critical: tuple[float, ...]
    units: Layer
    topic: Layer
    threshold: float
    solicit_threshold: float

    def totals(self, sentences: Sequence[Sentence]) -> tuple[list[int], int]:
        """The summed lanes of all that is seen of each sentence of a message, and of the message."""
        return add_up(sentences, self.weights.tables, sum, self._itself)

    def _itself(self, said: Said) -> tuple[int, int, int]:
        sums: tuple[int, int, int] | None = said.told.get(self)
        if sums is None:
            sums = said.told[self] = of_itself(said, self.weights.tables, sum)
        return sums

    def sentence(self, total: int) -> list[float]:
        """The probability of each label for a sentence of that total."""
        lanes = self.weights.lanes.read(total)
        norm = UNIT * lanes[-1] ** -0.5
        try:
            powers = [exp(norm * lane) * factor for lane, factor in zip(lanes, self._factors)]  # noqa: B905 - strict costs time
        except OverflowError:
            powers = []
        of_all = sum(powers)
        if _SMALL < of_all < _LARGE:
            return shares(powers, of_all)
        return softmax([norm * lane + intercept for lane, intercept in zip(lanes[:-2], self.intercepts, strict=False)])

    def whole(self, totals: Sequence[int]) -> float:
        """The probability that a message is critical, seen as one heap of what is in its sentences."""
        score = count = 0
        for first in range(0, len(totals), _TOGETHER):
            *_, of_some, seen = self.weights.lanes.read(sum(totals[first : first + _TOGETHER]))
            score += of_some
            count += seen
        return sigmoid(self.intercepts[-1] + UNIT * count**-0.5 * score)

    def needs(self, rows: Iterable[Sequence[float]]) -> list[float]:
        """For each sentence the probability that it asks for what the order needs, of whatever topic."""
        return list(map(sum, map(self._needs, rows)))

    def pleas(self, rows: Iterable[Sequence[float]]) -> list[float]:
        """For each sentence the probability that it wants something for the seller."""
        return list(map(sum, map(self._pleas, rows)))

    def message(self, values: Sequence[float]) -> tuple[float, list[float]]:
        """The probability that a message is critical, and that of each of ``topics``.

        Args:
            values: What :func:`~optoutkit.classifier.verdict.inputs` gives.
        """
        topics = softmax(self.topic([score if score > 0 else 0.0 for score in self.units(values)]))
        of_topics = sum([topics[index] for index in self._of_verdict[True]])
        return criticality(sum(map(mul, self.critical, (*values, 1.0))), of_topics), topics

    def likeliest(self, topics: Sequence[float], *, critical: bool) -> Topic:
        """The likeliest topic of those that are critical, or of the others."""
        return Topic(self.topics[max(self._of_verdict[critical], key=topics.__getitem__)])

    def attributions(self, said: Said, phrases: Iterable[tuple[str, Iterable[int]]], label: int) -> list[float]:
        """How much each word of a sentence speaks for a label.

        Args:
            said: What the sentence says.
            phrases: The concepts in it, each with the numbers of the words that express it.
            label: The label, by its number.
        """
        tables, lane = self.weights.tables, self.weights.lanes.read_one
        shares = [UNIT * lane(tables["pair"][pair], label) for pair in pairs(said.seen, has_runs=said.has_runs)][:-1]
        for place, word in enumerate(said.seen):
            alone = sum(map(tables["run"].__getitem__, grams(word))) if word[0] >= CJK_START else tables["word"][word]
            shares[place] += UNIT * lane(alone, label)
        concepts: dict[str, set[int]] = {}
        for concept, places in phrases:
            concepts.setdefault(concept, set()).update(places)
        for concept in said.concepts[:MAX_CONCEPTS]:
            weight = UNIT * lane(tables["concept"][concept], label) / len(concepts[concept])
            for place in concepts[concept]:
                shares[place] += weight
        return shares

    @functools.cached_property
    def _factors(self) -> tuple[float, ...]:
        """What the intercept of each label multiplies its probability by."""
        return tuple(map(exp, self.intercepts[:-1]))

    @functools.cached_property
    def _of_verdict(self) -> dict[bool, list[int]]:
        """The numbers of the topics that are critical, and of those that are not."""
        return {
            verdict: [index for index, topic in enumerate(self.topics) if Topic(topic).critical == verdict] for verdict in (True, False)
        }

    @functools.cached_property
    def _needs(self) -> Callable[[Sequence[float]], Sequence[float]]:
        return itemgetter(*(index for index, label in enumerate(self.labels) if label.startswith(NEED)))

    @functools.cached_property
    def _pleas(self) -> Callable[[Sequence[float]], Sequence[float]]:
        return itemgetter(*(index for index, label in enumerate(self.labels) if label in SOLICITING))


@functools.cache
def load_model() -> Model:
    """The model that ships with the package."""
    folder = files("optoutkit.classifier")
    about = json.loads(folder.joinpath("model.json").read_text(encoding="utf-8"))
    return Model(
        labels=tuple(about["labels"]),
        intercepts=tuple(about["intercepts"]),
        weights=Weights(folder.joinpath("weights.bin").read_bytes(), len(about["intercepts"])),
        topics=tuple(about["topics"]),
        critical=tuple(about["critical"]),
        units=Layer(about["units"]),
        topic=Layer(about["topic"]),
        threshold=about["threshold"],
        solicit_threshold=about["solicit_threshold"],
    )
