"""Softmax regression with an L2 penalty: the same texts give the same weights."""

import numpy as np
import scipy.optimize
import scipy.sparse as sp

__all__ = ["fit_softmax", "softmax"]


def softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities of each row."""
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def fit_softmax(
    x: sp.csr_matrix | np.ndarray, y: np.ndarray, classes: int, *, l2: float, steps: int, shares: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Fit by L-BFGS, at most so many steps.

    Args:
        x: One row an example.
        y: The class of each.
        classes: How many classes there are.
        l2: Weight of the penalty, relative to the mean loss of an example.
        steps: How many steps to take at most.
        shares: How much each example counts; None: all the same.

    Returns:
        Coefficients (features × classes) and intercepts (classes).
    """
    n, features = x.shape
    share = np.full(n, 1 / n) if shares is None else shares / shares.sum()
    transposed = x.T.tocsr() if sp.issparse(x) else x.T
    rows = np.arange(n)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(features + 1, classes)
        probabilities = softmax(x @ weights[:-1] + weights[-1])
        value = -(share * np.log(probabilities[rows, y] + 1e-300)).sum() + l2 / 2 * np.square(weights[:-1]).sum()
        probabilities[rows, y] -= 1
        probabilities *= share[:, None]
        gradient = np.empty_like(weights)
        gradient[:-1] = transposed @ probabilities + l2 * weights[:-1]
        gradient[-1] = probabilities.sum(axis=0)
        return value, gradient.ravel()

    start = np.zeros((features + 1) * classes)
    found = scipy.optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 10, "gtol": 1e-9, "ftol": 1e-12}
    )
    weights = found.x.reshape(features + 1, classes)
    return weights[:-1], weights[-1]
