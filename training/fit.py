"""Sparse softmax regression, fitted by proximal gradient steps of a fixed number: the same texts give the same weights."""

import numpy as np
import scipy.sparse as sp

__all__ = ["fit_softmax", "softmax"]


def softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities of each row."""
    scores = scores - scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores


def fit_softmax(
    x: sp.csr_matrix, y: np.ndarray, classes: int, *, l1: float, l2: float, steps: int = 150, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Fit by FISTA with an elastic net; returns (coefficients [features × classes], intercepts [classes])."""
    n, features = x.shape
    share = np.ones(n) if weights is None else weights
    share = share / share.sum()
    truth = np.zeros((n, classes))
    truth[np.arange(n), y] = 1.0
    xt = x.T.tocsr()
    coefficients = np.zeros((features, classes))
    intercepts = np.zeros(classes)
    look, look_intercepts = coefficients, intercepts
    # Half the largest eigenvalue of the weighted Gram matrix bounds the softmax's curvature.
    probe = np.ones(features) / np.sqrt(features)
    for _ in range(20):
        probe = xt @ (share * (x @ probe))
        size = np.linalg.norm(probe)
        probe /= size
    step = 1.0 / (0.5 * (size + 1.0) + l2)
    momentum = 1.0
    for _ in range(steps):
        error = (softmax(x @ look + look_intercepts) - truth) * share[:, None]
        moved = look - step * (xt @ error + l2 * look)
        moved = np.sign(moved) * np.maximum(np.abs(moved) - step * l1, 0.0)
        moved_intercepts = look_intercepts - step * error.sum(axis=0)
        next_momentum = (1.0 + np.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
        pull = (momentum - 1.0) / next_momentum
        look = moved + pull * (moved - coefficients)
        look_intercepts = moved_intercepts + pull * (moved_intercepts - intercepts)
        coefficients, intercepts, momentum = moved, moved_intercepts, next_momentum
    return coefficients, intercepts
