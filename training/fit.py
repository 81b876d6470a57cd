"""Softmax regression and a small network, both with an L2 penalty: the same texts give the same weights."""

from typing import NamedTuple, Protocol

import numpy as np
import scipy.optimize
import scipy.sparse as sp

__all__ = ["Besides", "Network", "Rows", "fit_network", "fit_softmax", "softmax", "starts"]

CURVED = 0.02  # about how curved the loss of an example is along the score of a class


class Rows:
    """A matrix whose rows have something of their own and something that they share with others, kept apart: half the work.

    Its numbers are of 32 bits, since to multiply by it is most of the work of training.

    Args:
        own: What a row has of its own.
        shared: What the rows of an owner share.
        owner: Of each row the number of its line in ``shared``.
        sizes: By what each row is multiplied.
    """

    def __init__(self, own: sp.csr_matrix, shared: sp.csr_matrix, owner: np.ndarray, sizes: np.ndarray) -> None:
        self.own, self.shared = (matrix.astype(np.float32, copy=False) for matrix in (own, shared))
        self.owner, self.sizes = owner, sizes.astype(np.float32)
        self.shape = own.shape

    def __getitem__(self, chosen: np.ndarray) -> "Rows":
        owners, owner = np.unique(self.owner[chosen], return_inverse=True)
        return Rows(self.own[chosen], self.shared[owners], owner, self.sizes[chosen])

    def above(self, other: "Rows") -> "Rows":
        """These rows, and others below them."""
        return Rows(
            sp.vstack([self.own, other.own]).tocsr(),
            sp.vstack([self.shared, other.shared]).tocsr(),
            np.concatenate([self.owner, other.owner + self.shared.shape[0]]),
            np.concatenate([self.sizes, other.sizes]),
        )

    def squares(self, shares: np.ndarray) -> np.ndarray:
        """Of each column the sum of its squares, each row's times its share; what is both own and shared is seen apart."""
        shares = shares * np.square(self.sizes)
        of_owners = np.bincount(self.owner, weights=shares, minlength=self.shared.shape[0])
        return self.own.power(2).T @ shares + self.shared.power(2).T @ of_owners

    def __matmul__(self, weights: np.ndarray) -> np.ndarray:
        weights = weights.astype(np.float32)
        product = self.own @ weights
        product += (self.shared @ weights)[self.owner]
        product *= self.sizes[:, None]
        return product

    def transposed(self) -> "Columns":
        """The transposed matrix, to multiply by."""
        return Columns(self)


class Columns:
    """:class:`Rows`, transposed."""

    def __init__(self, rows: Rows) -> None:
        self.own, self.shared, self.sizes = rows.own.T.tocsr(), rows.shared.T.tocsr(), rows.sizes
        ones = np.ones(len(rows.owner), dtype=np.float32)
        self.gather = sp.csr_matrix((ones, (rows.owner, np.arange(len(ones)))), shape=(rows.shared.shape[0], len(ones)))

    def __matmul__(self, values: np.ndarray) -> np.ndarray:
        values = values.astype(np.float32) * self.sizes[:, None]
        return self.own @ values + self.shared @ (self.gather @ values)


def starts(owner: np.ndarray) -> np.ndarray:
    """Where the rows of each owner begin, if they stand together."""
    return np.concatenate([[0], np.flatnonzero(np.diff(owner)) + 1])


def softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities of each row."""
    powers = np.subtract(scores, scores.max(axis=1, keepdims=True), dtype=float)
    np.exp(powers, out=powers)  # in its place: of all sentences it takes half a gigabyte
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


class Besides(Protocol):
    """A second loss, of what the first examples tell together.

    Attributes:
        owner: To what each of them belongs; it is looked at as many as have an owner.
        biases: How many it has of its own.
    """

    owner: np.ndarray
    biases: int

    def __call__(self, probabilities: np.ndarray, biases: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """The loss, and its slope along the scores of the classes and along the biases."""


def fit_softmax(
    x: Rows | sp.csr_matrix | np.ndarray,
    y: np.ndarray,
    classes: int,
    *,
    l2: float | np.ndarray,
    steps: int,
    shares: np.ndarray | None = None,
    besides: Besides | None = None,
    within: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit by L-BFGS, at most so many steps.

    Inside, each feature is made so large that the loss is about as curved along it as along the others. Without that, features that are
    seldom met are hardly learnt in hundreds of steps.

    Args:
        x: One row an example.
        y: The class of each.
        classes: How many classes there are.
        l2: Weight of the penalty, relative to the mean loss of an example; for all features, or for each.
        steps: How many steps to take at most.
        shares: How much each example counts; None: all the same.
        besides: What else is to be small.
        within: Coefficients and intercepts to start from; coefficients that are none stay none. None: from nothing, and all may be some.

    Returns:
        Coefficients (features × classes) and intercepts (classes).
    """
    n, features = x.shape
    share = np.full(n, 1 / n) if shares is None else shares / shares.sum()
    transposed = x.transposed() if isinstance(x, Rows) else x.T.tocsr() if sp.issparse(x) else x.T
    rows, size = np.arange(n), (features + 1) * classes
    large = ((CURVED * _squares(x, share) + l2) ** -0.5)[:, None]
    start = np.zeros(size + (besides.biases if besides else 0))
    if within:
        start[:size] = np.concatenate([(within[0] / large).ravel(), within[1]])
        large = large * (within[0] != 0)
    l2 = np.broadcast_to(l2, features)[:, None]

    def parts(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        weights, intercepts, biases = np.split(flat, [size - classes, size])
        return large * weights.reshape(features, classes), intercepts, biases

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights, intercepts, biases = parts(flat)
        probabilities = softmax(x @ weights + intercepts)
        value = -(share * np.log(probabilities[rows, y] + 1e-300)).sum() + (l2 / 2 * np.square(weights)).sum()
        more, slopes, of_biases = besides(probabilities[: len(besides.owner)], biases) if besides else (0.0, np.zeros((0, classes)), biases)
        probabilities[rows, y] -= 1
        probabilities *= share[:, None]
        probabilities[: len(slopes)] += slopes
        slope = large * (transposed @ probabilities + l2 * weights)
        return value + more, np.concatenate([slope.ravel(), probabilities.sum(axis=0), of_biases])

    found = scipy.optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 5, "gtol": 1e-9, "ftol": 1e-12}
    )
    weights, intercepts, _ = parts(found.x)
    return weights, intercepts


def _squares(x: Rows | sp.csr_matrix | np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Of each column the sum of its squares, each row's times its share."""
    if isinstance(x, Rows):
        return x.squares(shares)
    return (x.power(2) if sp.issparse(x) else np.square(x)).T @ shares


class Network(NamedTuple):
    """A network with one hidden layer, whose units pass on what is above nothing.

    Attributes:
        hidden: Weights from inputs to units; the last row has the intercepts. ``outer`` likewise, from units to classes.
    """

    hidden: np.ndarray
    outer: np.ndarray

    def units(self, x: np.ndarray) -> np.ndarray:
        """What the units pass on."""
        return np.maximum(x @ self.hidden[:-1] + self.hidden[-1], 0)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Of each class, for each row."""
        return softmax(self.units(x) @ self.outer[:-1] + self.outer[-1])


def fit_network(x: np.ndarray, y: np.ndarray, classes: int, *, units: int, l2: float, steps: int, shares: np.ndarray) -> Network:
    """Fit by L-BFGS from one fixed start; the arguments are those of :func:`fit_softmax`, and how many units are hidden."""
    n, inputs = x.shape
    share, rows = shares / shares.sum(), np.arange(n)
    random = np.random.RandomState(0)  # its stream is the same in every numpy
    hidden = random.normal(size=(inputs + 1, units)) * inputs**-0.5
    outer = random.normal(size=(units + 1, classes)) * 0.5 * units**-0.5
    hidden[-1] = outer[-1] = 0

    def network(flat: np.ndarray) -> Network:
        return Network(flat[: hidden.size].reshape(hidden.shape), flat[hidden.size :].reshape(outer.shape))

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        current = network(flat)
        passed = current.units(x)
        probabilities = softmax(passed @ current.outer[:-1] + current.outer[-1])
        sizes = np.square(current.hidden[:-1]).sum() + np.square(current.outer[:-1]).sum()
        value = -(share * np.log(probabilities[rows, y] + 1e-300)).sum() + l2 / 2 * sizes
        probabilities[rows, y] -= 1
        probabilities *= share[:, None]
        back = (probabilities @ current.outer[:-1].T) * (passed > 0)
        gradient = Network(np.empty_like(hidden), np.empty_like(outer))
        for layer, entering, leaving, weights in zip(gradient, (x, passed), (back, probabilities), current, strict=True):
            layer[:-1] = entering.T @ leaving + l2 * weights[:-1]
            layer[-1] = leaving.sum(axis=0)
        return value, np.concatenate([layer.ravel() for layer in gradient])

    start = np.concatenate([hidden.ravel(), outer.ravel()])
    return network(
        scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 20, "ftol": 1e-12}).x
    )
