"""The trained weights of features, and their sums.

``weights.bin`` is made by ``nox -s train``. It holds, little-endian: the number of features and of entries (two uint32); for each upper
half that a hash can have, how many features there are with it (65,536 uint8); the lower halves of the features' hashes, which
ascend (uint16); how many entries each feature has (uint8); the lane of each entry (uint8) and its weight (int8: the root of its
size in units of :data:`SCALE`, with its sign). So it is ready soon, and a feature is looked for among a few.

What belongs to one key is one large integer with a lane for each thing that is told; see ``lanes.py``.
"""

import array
import itertools
import struct
from collections.abc import Collection, Iterable, Sequence

from optoutkit.classifier.features import KINDS, Key, features
from optoutkit.classifier.lanes import Lanes

__all__ = ["SCALE", "UNIT", "Weights", "packed", "restored"]

SCALE = 0.16
"""A weight is kept as the root of its size in these units, so that a byte holds large ones and tells small ones apart."""

UNIT = 1 / 256
"""What 1 in a lane stands for."""

_HEADER = struct.Struct("<II")
_HALVES = 1 << 16
_BLOCK = 32  # features whose entries are counted together
_MOST_KEYS = 50_000
"""So many sums of a kind are kept; the words of a few thousand messages."""


def restored(stored: int) -> int:
    """The weight that a stored byte stands for, in units of :data:`UNIT`."""
    size = round((stored * SCALE) ** 2 / UNIT)
    return size if stored >= 0 else -size


class Weights:
    """The weights of features, and the sums of those of a key, worked out when they are first asked for.

    Args:
        data: The bytes of ``weights.bin``.
        lanes: How many lanes there are; one more, the last, counts the features.

    Attributes:
        lanes: How a sum is read.
        tables: For each kind of key the sums.
    """

    def __init__(self, data: bytes, lanes: int) -> None:
        count, entries = _HEADER.unpack_from(data)
        first, last = _HEADER.size + _HALVES, _HEADER.size + _HALVES + 2 * count
        self._begin = array.array("I", itertools.accumulate([2 * many for many in data[_HEADER.size : first]], initial=0))
        self._lower = data[first:last]
        self._entries = data[last : last + count]
        blocks = (sum(self._entries[start : start + _BLOCK]) for start in range(0, count, _BLOCK))
        self._blocks = list(itertools.accumulate(blocks, initial=0))
        self._lane = data[last + count : last + count + entries]
        self._weight = data[last + count + entries :]
        self.lanes: Lanes = Lanes(lanes + 1)
        self._shifts = [self.lanes.bits * lane for lane in range(lanes + 1)]
        self._restored = [restored(stored) for stored in (*range(128), *range(-128, 0))]
        self.tables: dict[str, _Sums] = {kind: _Sums(kind, self) for kind in KINDS}

    def of(self, hashes: Collection[int]) -> int:
        """The summed lanes of some features."""
        total = len(hashes) << self._shifts[-1]
        for place in map(self._place, hashes):
            if place < 0:
                continue
            block = place // _BLOCK
            first = self._blocks[block] + sum(self._entries[block * _BLOCK : place])
            entries = slice(first, first + self._entries[place])
            for lane, stored in zip(self._lane[entries], self._weight[entries], strict=True):
                total += self._restored[stored] << self._shifts[lane]
        return total

    def _place(self, feature: int) -> int:
        """Which of all that are known a feature is; -1 if it is none of them."""
        upper, lower = divmod(feature, _HALVES)
        begin, end = self._begin[upper], self._begin[upper + 1]
        wanted = lower.to_bytes(2, "little")
        found = self._lower.find(wanted, begin, end)
        while found % 2 and found > 0:  # the end of one and the beginning of the next
            found = self._lower.find(wanted, found + 1, end)
        return found // 2


class _Sums(dict[Key, int]):
    """The summed lanes of each key of one kind."""

    def __init__(self, kind: str, weights: Weights) -> None:
        super().__init__()
        self._kind, self._weights = kind, weights

    def __missing__(self, key: Key) -> int:
        if len(self) >= _MOST_KEYS:
            self.clear()
        total = self[key] = self._weights.of(features(self._kind, key))
        return total


def packed(entries: Iterable[tuple[int, Sequence[tuple[int, int]]]]) -> bytes:
    """Write (feature, [(lane, stored weight), …]) as the bytes of ``weights.bin``; at most 255 lanes a feature."""
    ordered = sorted(entries)
    flat = [pair for _, pairs in ordered for pair in pairs]
    uppers = bytearray(_HALVES)
    for feature, _ in ordered:
        uppers[feature // _HALVES] += 1
    return b"".join(
        (
            _HEADER.pack(len(ordered), len(flat)),
            uppers,
            struct.pack(f"<{len(ordered)}H", *(feature % _HALVES for feature, _ in ordered)),
            bytes(len(pairs) for _, pairs in ordered),
            bytes(lane for lane, _ in flat),
            struct.pack(f"{len(flat)}b", *(weight for _, weight in flat)),
        )
    )
