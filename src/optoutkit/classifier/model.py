"""The trained model: a sentence's features in, what the sentence does out. Plain Python, no framework.

``weights.bin`` is made by ``nox -s train``. It holds, little-endian: the number of features and of entries (two uint32), the
hashes of the features (uint32, ascending), where each feature's entries begin (uint32, one more than features), the label of each
entry (uint8) and its weight (int8: the root of its size in units of ``model.json``'s ``scale``, with its sign).
"""

import array
import functools
import json
import math
import struct
from collections.abc import Collection, Iterable, Iterator, Sequence
from importlib.resources import files
from operator import mul

import attrs

from optoutkit.classifier.features import context_features, cue_feature, sentence_features
from optoutkit.classifier.reading import Sentence
from optoutkit.classifier.topics import Topic

__all__ = ["SOLICITING", "Entries", "Model", "features_of", "inputs", "load_model", "need", "packed", "plea"]

SOLICITING = frozenset(topic.value for topic in Topic if topic.solicits)
"""Labels of sentences that want something for the seller."""

_LEAD = 0.75  # how much less each sentence counts than the one before, where the first count most
_HEADER = struct.Struct("<II")


class Entries:
    """The (label, weight) pairs of each feature, restored from ``weights.bin`` when they are first asked for.

    Args:
        data: The bytes of ``weights.bin``.
        scale: See there.
    """

    def __init__(self, data: bytes, scale: float) -> None:
        features, entries = _HEADER.unpack_from(data)
        numbers = struct.unpack_from(f"<{2 * features + 1}I", data, _HEADER.size)
        position = _HEADER.size + 4 * len(numbers)
        self._labels = data[position : position + entries]
        self._weights = array.array("b", data[position + entries : position + 2 * entries])
        self._starts = numbers[features:]
        self._places = {feature: place for place, feature in enumerate(numbers[:features])}
        self._restored = [math.copysign((stored * scale) ** 2, stored) for stored in (*range(128), *range(-128, 0))]
        self._known: dict[int, tuple[tuple[int, float], ...]] = {}

    def __iter__(self) -> Iterator[int]:
        return iter(self._places)

    def get(self, feature: int) -> tuple[tuple[int, float], ...]:
        """The pairs of a feature; none of one that is not known."""
        known = self._known.get(feature)
        if known is not None:
            return known
        place = self._places.get(feature)
        if place is None:
            return ()
        span = slice(self._starts[place], self._starts[place + 1])
        pairs = tuple((label, self._restored[weight]) for label, weight in zip(self._labels[span], self._weights[span], strict=True))
        self._known[feature] = pairs  # bounded by the number of features
        return pairs


@attrs.frozen(kw_only=True, eq=False)
class Model:
    """What was learnt from the training texts.

    Attributes:
        labels: What a sentence can do.
        intercepts: Of each label, before any word is seen.
        entries: For each feature its (label, weight) pairs; the label after the last stands for a whole message that is critical.
        whole_intercept: Of that label.
        topics: What a message can be about.
        critical: Weights of :func:`inputs` for a message to be critical, the intercept last.
        topic: The same for each of ``topics``.
        threshold: From which probability on a message counts as critical.
        solicit_threshold: From which probability of one sentence on a message counts as soliciting.
    """

    labels: tuple[str, ...]
    intercepts: tuple[float, ...]
    entries: Entries
    whole_intercept: float
    topics: tuple[str, ...]
    critical: tuple[float, ...]
    topic: tuple[tuple[float, ...], ...]
    threshold: float
    solicit_threshold: float

    def sentence(self, features: Collection[int]) -> list[float]:
        """The probability of each label for a sentence of these features."""
        totals = [0.0] * (len(self.labels) + 1)
        for feature in features:
            for label, weight in self.entries.get(feature):
                totals[label] += weight
        norm = len(features) ** -0.5
        return _softmax([intercept + norm * total for intercept, total in zip(self.intercepts, totals, strict=False)])

    def whole(self, features: Collection[int]) -> float:
        """The probability that a message is critical, seen as one heap of the features of its sentences."""
        last = len(self.labels)
        total = sum(weight for feature in features for label, weight in self.entries.get(feature) if label == last)
        return _sigmoid(self.whole_intercept + total * len(features) ** -0.5)

    def attributions(self, sentence: Sentence, label: int) -> list[float]:
        """How much each word of a sentence speaks for a label, its share in the lexicon's phrases included."""
        shares = [0.0] * len(sentence.tokens)
        for feature, token in sentence_features(sentence):
            if token >= 0:
                shares[token] += self._weight(feature, label)
        for cue in sentence.cues:
            words = [index for index, token in enumerate(sentence.tokens) if token.start < cue.end and cue.start < token.end]
            for index in words:
                shares[index] += self._weight(cue_feature(cue.label), label) / len(words)
        return shares

    def _weight(self, feature: int, label: int) -> float:
        return sum(weight for found, weight in self.entries.get(feature) if found == label)

    def criticality(self, values: Sequence[float]) -> float:
        """The probability that a message is critical, from its :func:`inputs`."""
        return _sigmoid(sum(map(mul, self.critical, (*values, 1.0))))

    def topic_scores(self, values: Sequence[float]) -> list[float]:
        """The probability of each of ``topics``, from the message's :func:`inputs`."""
        values = (*values, 1.0)
        return _softmax([sum(map(mul, weights, values)) for weights in self.topic])


def features_of(sentences: Sequence[Sentence], index: int) -> set[int]:
    """All features of a sentence in its place."""
    features = {feature for feature, _ in sentence_features(sentences[index])}
    features.update(context_features(sentences, index))
    return features


def _sigmoid(score: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


def _softmax(scores: list[float]) -> list[float]:
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def need(labels: Sequence[str], row: Sequence[float]) -> float:
    """The probability that a sentence asks for what the order needs, of whatever topic."""
    return sum(chance for label, chance in zip(labels, row, strict=True) if label.startswith("need:"))


def plea(labels: Sequence[str], row: Sequence[float]) -> float:
    """The probability that a sentence wants something for the seller."""
    return sum(chance for label, chance in zip(labels, row, strict=True) if label in SOLICITING)


def inputs(labels: Sequence[str], probabilities: Sequence[Sequence[float]], whole: float) -> list[float]:
    """What the verdict on a message is made of.

    For each label the surest sentence, the mean, and the mean with the first sentences counting most; then a few sums over kinds
    of label.

    Args:
        labels: The model's labels.
        probabilities: Of each label, for each sentence; at least one sentence.
        whole: The probability that the message seen as one heap is critical.
    """
    columns = list(zip(*probabilities, strict=True))
    needs = sorted((need(labels, row) for row in probabilities), reverse=True)
    solicits = max(plea(labels, row) for row in probabilities)
    logits = [_logit(chance) for chance in needs]
    count = len(probabilities)
    lead = [_LEAD**index * (1 - _LEAD) for index in range(count)]
    return [
        *map(max, columns),
        *(sum(column) / count for column in columns),
        *(sum(map(mul, column, lead)) for column in columns),
        needs[0],
        sum(needs[:2]),
        logits[0],
        sum(logits) / count,
        sum(needs) / count,
        solicits,
        _logit(solicits),
        min(count, 20) / 10,
        _logit(whole),
    ]


def _logit(probability: float) -> float:
    return math.log((probability + 0.01) / (1.01 - probability))


def packed(entries: Iterable[tuple[int, Sequence[tuple[int, int]]]]) -> bytes:
    """Write (feature, [(label, weight), …]) as the bytes of ``weights.bin``; the weights as they are stored."""
    ordered = sorted(entries)
    starts = [0]
    for _, pairs in ordered:
        starts.append(starts[-1] + len(pairs))
    flat = [pair for _, pairs in ordered for pair in pairs]
    numbers = [*(feature for feature, _ in ordered), *starts]
    return b"".join(
        (
            _HEADER.pack(len(ordered), len(flat)),
            struct.pack(f"<{len(numbers)}I", *numbers),
            bytes(label for label, _ in flat),
            array.array("b", [weight for _, weight in flat]).tobytes(),
        )
    )


@functools.cache
def load_model() -> Model:
    """The model that ships with the package."""
    folder = files("optoutkit.classifier")
    about = json.loads(folder.joinpath("model.json").read_text(encoding="utf-8"))
    return Model(
        labels=tuple(about["labels"]),
        intercepts=tuple(about["intercepts"]),
        entries=Entries(folder.joinpath("weights.bin").read_bytes(), about["scale"]),
        whole_intercept=about["whole_intercept"],
        topics=tuple(about["topics"]),
        critical=tuple(about["critical"]),
        topic=tuple(map(tuple, about["topic"])),
        threshold=about["threshold"],
        solicit_threshold=about["solicit_threshold"],
    )
