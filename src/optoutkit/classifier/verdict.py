"""From what the sentences of a message do to what the message is: sums that a person can read, and two small models over them.

One is a line through the sums: critical or not. The other, a network with one hidden layer, tells the topics apart and sees what sums mean
together. Each is wrong where the other is often right; both count the same.
"""

import math
from collections.abc import Sequence
from operator import mul

from optoutkit.classifier.topics import Topic

__all__ = ["NEED", "SOLICITING", "criticality", "inputs", "shares", "sigmoid", "softmax"]

NEED = "need:"
"""Labels of sentences that ask for what the order needs begin like this."""

SOLICITING = frozenset(topic.value for topic in Topic if topic.solicits)
"""Labels of sentences that want something for the seller."""

_LEAD = [0.75**index * 0.25 for index in range(64)]  # how much each sentence counts where the first count most; later ones do nothing
_MANY = 20  # sentences; more make no difference


def sigmoid(score: float) -> float:
    """The probability that a score stands for."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


def softmax(scores: Sequence[float]) -> list[float]:
    """The probabilities that scores stand for."""
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    return shares(powers, sum(powers))


def shares(powers: Sequence[float], total: float) -> list[float]:
    """How much of the sum of all each is."""
    share = 1 / total
    return [power * share for power in powers]


def _logit(probability: float) -> float:
    """The score of a probability, kept from the extremes."""
    return math.log((probability + 0.01) / (1.01 - probability))


def inputs(probabilities: Sequence[Sequence[float]], needs: Sequence[float], pleas: Sequence[float], whole: float) -> list[float]:
    """What the verdict on a message is made of.

    For each label the surest sentence, and the mean with the first sentences counting most; then a few sums over kinds of label.

    Args:
        probabilities: Of each label, for each sentence; at least one sentence.
        needs: For each sentence the probability that it asks for what the order needs, whatever the topic.
        pleas: For each sentence the probability that it wants something for the seller.
        whole: The probability that the message seen as one heap is critical.
    """
    count = len(probabilities)
    columns = list(zip(*probabilities, strict=True))
    strongest = sorted(needs, reverse=True)
    solicits = max(pleas)
    return [
        *map(max, columns),
        *[sum(map(mul, column, _LEAD)) for column in columns],
        strongest[0],
        sum(strongest[:2]),
        _logit(strongest[0]),
        sum(map(_logit, needs)) / count,
        sum(needs) / count,
        solicits,
        _logit(solicits),
        min(count, _MANY) / 10,
        _logit(whole),
    ]


def criticality(score: float, of_topics: float) -> float:
    """The probability that a message is critical.

    Args:
        score: What the line gives.
        of_topics: The summed probabilities of the critical topics.
    """
    return sigmoid((score + _logit(of_topics)) / 2)
