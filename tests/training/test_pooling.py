"""The loss of messages has the slope that it says it has, and falls where a message's sentences tell what it is."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

OWNER = np.array([0, 0, 0, 1, 2, 2])
LABELS = 4


@pytest.fixture
def pooled(training: Callable[[str], ModuleType]) -> Any:
    """The loss of three messages of three, one and two sentences: which of two answers, or none; and yes or no."""
    pooling = training("pooling")
    which = np.array([[1, 0], [1, 0], [0, 1], [0, 0]])
    questions = [pooling.Question(which, np.array([1, 2, 0]), 0.5), pooling.Question(which[:, 1:], np.array([0, 1, 0]), 0.2)]
    return pooling.Pooled(OWNER, questions, np.array([1.0, 1.0, 0.25]))


def test_slope(training: Callable[[str], ModuleType], pooled: Any) -> None:
    """Along each score and each bias it is what two losses near by say."""
    softmax = training("fit").softmax
    random = np.random.RandomState(3)
    scores, biases = random.normal(size=(len(OWNER), LABELS)) * 2, random.normal(size=pooled.biases)

    def loss(flat: np.ndarray) -> float:
        return float(pooled(softmax(flat[: scores.size].reshape(scores.shape)), flat[scores.size :])[0])

    _, slopes, of_biases = pooled(softmax(scores), biases)
    start, steps = np.concatenate([scores.ravel(), biases]), np.eye(scores.size + biases.size) * 1e-5
    near = [(loss(start + step) - loss(start - step)) / 2e-5 for step in steps]
    assert np.concatenate([slopes.ravel(), of_biases]) == pytest.approx(near, abs=1e-7)


def test_one_sentence_is_enough(training: Callable[[str], ModuleType], pooled: Any) -> None:
    """The surest one tells what its message is, and the loss is next to nothing if it is right."""
    softmax = training("fit").softmax
    right = np.array([[0, 0, 0, 12], [12, 0, 0, 0], [0, 0, 0, 12], [0, 0, 12, 0], [0, 0, 0, 12], [0, 0, 0, 12]])
    loss, _, _ = pooled(softmax(right), np.zeros(pooled.biases))
    right[3] = [0, 0, 0, 12]  # the second message says nothing any more
    worse, _, _ = pooled(softmax(right), np.zeros(pooled.biases))
    assert loss < 0.001
    assert worse > 1


def test_fitted_with_it(training: Callable[[str], ModuleType], pooled: Any) -> None:
    """It is smaller than if only the loss of the sentences is looked at, and the biases stay out of the result."""
    fit = training("fit")
    examples, labels = np.random.RandomState(5).normal(size=(len(OWNER), 3)), np.array([3, 1, 3, 0, 2, 3])

    def fitted(besides: Any) -> float:
        coefficients, intercepts = fit.fit_softmax(examples, labels, LABELS, l2=0.1, steps=200, besides=besides)
        assert (coefficients.shape, intercepts.shape) == ((3, LABELS), (LABELS,))
        probabilities = fit.softmax(examples @ coefficients + intercepts)
        return float(pooled(probabilities, np.zeros(pooled.biases))[0])

    assert fitted(pooled) < fitted(None)
