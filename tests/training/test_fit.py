"""Rows in two parts are the matrix they stand for; the seldom met is learnt as soon as the rest; what is left makes up for what was cut."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

OWNER = np.array([0, 0, 1, 2, 2, 2])
SIZES = np.array([0.5, 1.0, 0.25, 1.0, 0.5, 2.0])


@pytest.fixture
def rows(training: Callable[[str], ModuleType]) -> Any:
    """Six rows of three owners; the first two columns are the rows' own, the others are shared."""
    own, shared = np.zeros((6, 5)), np.zeros((3, 5))
    random = np.random.RandomState(1)
    own[:, :2], shared[:, 2:] = random.randint(4, size=(6, 2)), random.randint(4, size=(3, 3))
    return training("fit").Rows(sp.csr_matrix(own), sp.csr_matrix(shared), OWNER, SIZES)


def whole(rows: Any) -> np.ndarray:
    """The one matrix that they stand for."""
    return np.array((rows.own.toarray() + rows.shared.toarray()[rows.owner]) * rows.sizes[:, None])


def test_rows(rows: Any) -> None:
    """Products, squares, a choice and a pile of rows are those of the whole matrix."""
    weights, values, shares = np.arange(10.0).reshape(5, 2), np.arange(12.0).reshape(6, 2), np.arange(6) / 15
    chosen = np.array([True, False, False, True, True, False])
    assert rows @ weights == pytest.approx(whole(rows) @ weights)
    assert rows.transposed() @ values == pytest.approx(whole(rows).T @ values)
    assert rows.squares(shares) == pytest.approx(np.square(whole(rows)).T @ shares)
    assert whole(rows[chosen]) == pytest.approx(whole(rows)[chosen])
    assert whole(rows.above(rows[chosen])) == pytest.approx(np.vstack([whole(rows), whole(rows)[chosen]]))


def test_seldom_met(training: Callable[[str], ModuleType]) -> None:
    """Features that are met a thousand times less often than others are learnt within thirty steps."""
    random = np.random.RandomState(2)
    often = np.logspace(0, -3, 40)
    examples = (random.uniform(size=(4000, len(often))) < often).astype(float)
    labels = (examples @ random.normal(size=len(often)) * 3 + random.normal(size=len(examples)) > 0).astype(int)

    def loss(steps: int) -> float:
        fit = training("fit")
        coefficients, intercepts = fit.fit_softmax(examples, labels, 2, l2=1e-6, steps=steps)
        probabilities = fit.softmax(examples @ coefficients + intercepts)
        return float(-np.log(probabilities[np.arange(len(labels)), labels]).mean())

    assert loss(30) == pytest.approx(loss(2000), rel=0.001)


def test_what_is_left_makes_up(training: Callable[[str], ModuleType]) -> None:
    """Weights that were cut stay none, and the others, fitted on from where they are, take over some of what those told."""
    fit, random = training("fit"), np.random.RandomState(3)
    hidden = random.normal(size=(2000, 4))
    examples = np.hstack([hidden + 0.3 * random.normal(size=hidden.shape), hidden + 0.6 * random.normal(size=hidden.shape)])
    labels = (hidden @ [2.0, -1.5, 1.0, 0.5] > 0).astype(int)

    def loss(coefficients: np.ndarray, intercepts: np.ndarray) -> float:
        return float(-np.log(fit.softmax(examples @ coefficients + intercepts)[np.arange(len(labels)), labels]).mean())

    everything, intercepts = fit.fit_softmax(examples, labels, 2, l2=1e-6, steps=200)
    cut = everything * (np.arange(8) >= 4)[:, None]
    left, moved = fit.fit_softmax(examples, labels, 2, l2=1e-6, steps=200, within=(cut, intercepts))
    assert not left[:4].any()
    assert loss(everything, intercepts) < loss(left, moved) < 0.9 * loss(cut, intercepts)
