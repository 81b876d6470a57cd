"""A second loss for sentences: what is told of their messages by the surest of them.

One sentence too sure of itself makes a whole message critical, and one unsure among sure ones does no harm; so what is learnt of sentences
alone is not yet what is best for messages.
"""

from typing import NamedTuple

import numpy as np
from fit import softmax, starts

__all__ = ["Pooled", "Question"]

NEVER = 1e-9
ALWAYS = 1 - 1e-6


class Question(NamedTuple):
    """What is to be told of messages.

    Attributes:
        labels: For each label (rows) whether it speaks for an answer (columns); at most for one.
        answers: Of each message the number of the right answer plus one; 0: none of them.
        weight: How much the loss counts, a sentence's being one.
    """

    labels: np.ndarray
    answers: np.ndarray
    weight: float


class Pooled:
    """The loss of messages whose answers have the summed odds of their sentences, and a bias each.

    Args:
        owner: Of each sentence the number of its message, ascending without a gap.
        questions: What is to be told of the messages.
        shares: How much each message counts.
    """

    def __init__(self, owner: np.ndarray, questions: list[Question], shares: np.ndarray) -> None:
        self.owner, self.questions, self.shares = owner, questions, shares / shares.sum()
        self.starts = starts(owner)
        self.biases = sum(question.labels.shape[1] for question in questions)

    def __call__(self, probabilities: np.ndarray, biases: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """The loss, and its slope along the scores of the sentences' labels and along the biases.

        Args:
            probabilities: Of each label, for each sentence.
            biases: Of the answers to all questions, one after the other.
        """
        loss, slopes, of_biases, first = 0.0, np.zeros_like(probabilities), [], 0
        messages = np.arange(len(self.shares))
        for labels, answers, weight in self.questions:
            sure = np.clip(probabilities @ labels, NEVER, ALWAYS)
            odds = sure / (1 - sure)
            sums = np.add.reduceat(odds, self.starts, axis=0)
            scores = np.log(sums) + biases[first : first + labels.shape[1]]
            told = softmax(np.hstack([np.zeros((len(messages), 1)), scores]))
            loss -= weight * (self.shares * np.log(told[messages, answers] + 1e-300)).sum()
            told[messages, answers] -= 1
            slope = told[:, 1:] * weight * self.shares[:, None]
            of_biases.append(slope.sum(axis=0))
            of_odds = (slope / sums)[self.owner] * odds / (1 - sure)
            slopes += probabilities * ((of_odds / sure) @ labels.T - of_odds.sum(axis=1, keepdims=True))
            first += labels.shape[1]
        return loss, slopes, np.concatenate(of_biases)
