"""Many numbers in one large integer, 32 or 64 bits each: a *lane* for each thing that is told.

Adding two such integers adds all their lanes at once, exactly and in any order, which is many times as fast as a loop over the
lanes; so is multiplying one by a number. A negative lane borrows from the one above it; that is undone when lanes are read.
"""

import struct
from collections.abc import Iterable

__all__ = ["Lanes"]

_CODES = {32: "iI", 64: "qQ"}  # of struct, with a sign and without


class Lanes:
    """A number of lanes, each from -2³¹ to 2³¹ - 1, or from -2⁶³ to 2⁶³ - 1.

    Args:
        count: How many there are.
        bits: Of each, 32 or 64.

    Attributes:
        bits: Of each; a number in lane ``n`` is so many times ``n`` bits further up.

    Example:
        >>> lanes = Lanes(3)
        >>> lanes.read(2 * lanes.together([1, -2, 0]) + lanes.together([0, 0, -5]))
        (2, -4, -5)
    """

    def __init__(self, count: int, bits: int = 32) -> None:
        self.bits: int = bits
        self._half = 1 << (bits - 1)
        self._above = sum(self._half << (bits * lane) for lane in range(count))
        self._signed, self._unsigned = (struct.Struct(f"<{count}{code}") for code in _CODES[bits])

    def together(self, numbers: Iterable[int]) -> int:
        """The integer that has these numbers in its lanes."""
        return int.from_bytes(self._unsigned.pack(*[number + self._half for number in numbers]), "little") - self._above

    def read(self, total: int) -> tuple[int, ...]:
        """The numbers in the lanes."""
        # Half of the range too large, none is negative; with its first bit turned, that is the number in two's complement.
        return self._signed.unpack((total + self._above ^ self._above).to_bytes(self._signed.size, "little"))

    def read_one(self, total: int, lane: int) -> int:
        """The number in one lane."""
        return ((total + self._above) >> (self.bits * lane) & (2 * self._half - 1)) - self._half
