"""A layer of a small network, all its units at once: each input's weights are the lanes of one large integer.

An input multiplies its integer, and the integers are added. Weights and inputs are rounded to a millionth for that.
"""

from collections.abc import Sequence
from operator import mul

from optoutkit.classifier.lanes import Lanes

__all__ = ["Layer"]

_ONE = 1 << 20  # what 1 is as an integer, be it a weight or an input
_SHARE = _ONE**-2


class Layer:
    """What units make of inputs: for each unit the sum of inputs times weights, and its intercept.

    Args:
        rows: For each unit the weights of the inputs, the intercept last.

    Attributes:
        inputs: How many there are.
        units: How many there are.

    Example:
        >>> Layer([[1.0, 2.0, 0.5], [-1.0, 0.0, 0.0]])([1.0, 0.25])
        [2.0, -1.0]
    """

    def __init__(self, rows: Sequence[Sequence[float]]) -> None:
        self.inputs: int = len(rows[0]) - 1
        self.units: int = len(rows)
        self._lanes = Lanes(self.units, bits=64)
        *self._columns, intercepts = [self._lanes.together(round(weight * _ONE) for weight in column) for column in zip(*rows, strict=True)]
        self._start = intercepts * _ONE

    def __call__(self, values: Sequence[float]) -> list[float]:
        """The sum of each unit, for values such that no unit is beyond four million either way."""
        whole = [int(value * _ONE) for value in values]
        return [lane * _SHARE for lane in self._lanes.read(sum(map(mul, self._columns, whole), self._start))]
