"""A layer of a small network, all its units at once: each input's weights are the lanes of one large integer.

An input multiplies its integer, and the integers are added: many times as fast as a loop over the units. Weights and inputs are
rounded to a millionth for that.
"""

import struct
from collections.abc import Sequence
from operator import mul

__all__ = ["Layer"]

_BITS = 64
_ABOVE = 1 << (_BITS - 1)
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
        columns = zip(*rows, strict=True)
        *self._columns, intercepts = [
            sum(round(weight * _ONE) << (_BITS * lane) for lane, weight in enumerate(column)) for column in columns
        ]
        above = sum(_ABOVE << (_BITS * lane) for lane in range(len(rows)))  # lanes below nothing borrow; see weights.py
        self._start = intercepts * _ONE + above
        self._lanes = struct.Struct(f"<{len(rows)}Q")

    def __call__(self, values: Sequence[float]) -> list[float]:
        """The sum of each unit, for values such that no unit is beyond four million either way."""
        whole = [int(value * _ONE) for value in values]
        total = sum(map(mul, self._columns, whole), self._start)
        return [(lane - _ABOVE) * _SHARE for lane in self._lanes.unpack(total.to_bytes(self._lanes.size, "little"))]
