"""The trained model: what a sentence does, whether a message is critical, what it is about. Plain Python, no framework."""

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from math import exp
from operator import itemgetter, mul

import attrs

from optoutkit.classifier.features import MAX_CONCEPTS, add_up, grams, pairs, seen_words
from optoutkit.classifier.layers import Layer
from optoutkit.classifier.reading import Sentence
from optoutkit.classifier.topics import Topic
from optoutkit.classifier.verdict import NEED, SOLICITING, criticality, shares, sigmoid, softmax
from optoutkit.classifier.weights import ABOVE, UNIT, Weights

__all__ = ["Model", "load_model"]


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
        return add_up(sentences, self.weights.tables, sum)

    def sentence(self, total: int) -> list[float]:
        """The probability of each label for a sentence of that total."""
        *lanes, _, count = self.weights.lanes(total)
        norm = UNIT * (count - ABOVE) ** -0.5
        highest = norm * max(lanes)
        return shares([exp(norm * lane - highest) * factor for lane, factor in zip(lanes, self._factors, strict=True)])

    def whole(self, totals: Iterable[int]) -> float:
        """The probability that a message is critical, seen as one heap of what is in its sentences."""
        last = len(self.labels)
        score = count = 0
        for total in totals:  # not their sum: the lane of a long message may be too narrow for it
            score += self.weights.lane(total, last)
            count += self.weights.lane(total, last + 1)
        return sigmoid(self.intercepts[-1] + UNIT * count**-0.5 * score)

    def needs(self, rows: Iterable[Sequence[float]]) -> list[float]:
        """For each sentence the probability that it asks for what the order needs, of whatever topic."""
        return list(map(sum, map(self._needs, rows)))

    def pleas(self, rows: Iterable[Sequence[float]]) -> list[float]:
        """For each sentence the probability that it wants something for the seller."""
        return list(map(sum, map(self._pleas, rows)))

    def message(self, values: Sequence[float]) -> tuple[float, dict[Topic, float]]:
        """The probability that a message is critical, and that of each topic.

        Args:
            values: What :func:`~optoutkit.classifier.verdict.inputs` gives.
        """
        passed = [max(0.0, score) for score in self.units(values)]
        topics = dict(zip(self._topics, softmax(self.topic(passed)), strict=True))
        of_topics = sum([probability for topic, probability in topics.items() if topic.critical])
        return criticality(sum(map(mul, self.critical, (*values, 1.0))), of_topics), topics

    def attributions(self, sentence: Sentence, phrases: Iterable[tuple[str, Iterable[int]]], label: int) -> list[float]:
        """How much each word of a sentence speaks for a label.

        Args:
            sentence: The sentence.
            phrases: The concepts in it, each with the numbers of the words that express it.
            label: The label, by its number.
        """
        tables, lane = self.weights.tables, self.weights.lane
        words = seen_words(sentence)
        shares = [
            UNIT * lane(sum(map(tables["run"].__getitem__, grams(word)), tables["pair"][pair]), label)
            for word, pair in zip(words, pairs(words, has_runs=sentence.has_runs), strict=False)
        ]
        concepts: dict[str, set[int]] = {}
        for concept, places in phrases:
            concepts.setdefault(concept, set()).update(places)
        for concept in sentence.concepts[:MAX_CONCEPTS]:
            weight = UNIT * lane(tables["concept"][concept], label) / len(concepts[concept])
            for place in concepts[concept]:
                shares[place] += weight
        return shares

    @functools.cached_property
    def _factors(self) -> tuple[float, ...]:
        """What the intercept of each label multiplies its probability by."""
        return tuple(map(exp, self.intercepts[:-1]))

    @functools.cached_property
    def _topics(self) -> tuple[Topic, ...]:
        return tuple(map(Topic, self.topics))

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
