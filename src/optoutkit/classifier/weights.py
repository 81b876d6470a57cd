"""The trained weights of features, and their sums.

``weights.bin`` is made by ``nox -s train``. It holds, little-endian: the number of features and of entries (two uint32); for each upper
half that a hash can have, how many features there are with it (65,536 uint8); the lower halves of the features' hashes, which
ascend (uint16); how many entries each feature has (uint8); the lane of each entry (uint8) and its weight (int8: the root of its
size in units of :data:`SCALE`, with its sign). So it is ready soon, and a feature is looked for among a few.

What belongs to one key is one large integer, a *lane* of 32 bits for each thing that is told: adding two of them adds all lanes at
once, exactly and in any order, which is many times as fast as a loop over the lanes. A negative lane borrows from the one above
it; that is undone when a sum is read.
"""

import array
import itertools
import struct
from collections.abc import Collection, Iterable, Sequence

from optoutkit.classifier.features import KINDS, Key, features

__all__ = ["ABOVE", "SCALE", "UNIT", "Weights", "packed", "restored"]

SCALE = 0.12
"""A weight is kept as the root of its size in these units, so that a byte holds large ones and tells small ones apart."""

UNIT = 1 / 256
"""What 1 in a lane stands for."""

_HEADER = struct.Struct("<II")
_HALVES = 1 << 16
_BLOCK = 64  # features whose entries are counted together
_BITS = 32
ABOVE = 1 << (_BITS - 1)
"""How far above its value each lane stands as it is read."""

_LONGEST_KEPT = 120  # characters; what is longer is hardly met again
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
        lanes: How many lanes there are; one more counts the features.

    Attributes:
        tables: For each kind of key the sums.
    """

    def __init__(self, data: bytes, lanes: int) -> None:
        count, entries = _HEADER.unpack_from(data)
        first, last = _HEADER.size + _HALVES, _HEADER.size + _HALVES + 2 * count
        self._first = array.array("I", itertools.accumulate(data[_HEADER.size : first], initial=0))
        self._lower = data[first:last]
        self._entries = data[last : last + count]
        blocks = (sum(self._entries[start : start + _BLOCK]) for start in range(0, count, _BLOCK))
        self._blocks = list(itertools.accumulate(blocks, initial=0))
        self._lane = data[last + count : last + count + entries]
        self._weight = data[last + count + entries :]
        self._one = 1 << (_BITS * lanes)
        self._above = sum(ABOVE << (_BITS * lane) for lane in range(lanes + 1))
        self._lanes = struct.Struct(f"<{lanes + 1}I")
        self._restored = [restored(stored) for stored in (*range(128), *range(-128, 0))]
        self.tables: dict[str, _Sums] = {kind: _Sums(kind, self) for kind in KINDS}

    def of(self, hashes: Collection[int]) -> int:
        """The summed lanes of some features."""
        total = self._one * len(hashes)
        for feature in hashes:
            upper, lower = divmod(feature, _HALVES)
            first, end = self._first[upper : upper + 2]
            lowers = struct.unpack(f"<{end - first}H", self._lower[2 * first : 2 * end])
            if lower in lowers:
                place = first + lowers.index(lower)
                block = place // _BLOCK
                entry = self._blocks[block] + sum(self._entries[block * _BLOCK : place])
                for number in range(entry, entry + self._entries[place]):
                    total += self._restored[self._weight[number]] << (_BITS * self._lane[number])
        return total

    def lanes(self, total: int) -> tuple[int, ...]:
        """The lanes of a sum, and the number of features in it; each :data:`ABOVE` too large."""
        return self._lanes.unpack((total + self._above).to_bytes(self._lanes.size, "little"))

    def lane(self, total: int, lane: int) -> int:
        """One lane of a sum."""
        return ((total + self._above) >> (_BITS * lane) & (2 * ABOVE - 1)) - ABOVE


class _Sums(dict[Key, int]):
    """The summed lanes of each key of one kind."""

    def __init__(self, kind: str, weights: Weights) -> None:
        super().__init__()
        self._kind, self._weights = kind, weights

    def __missing__(self, key: Key) -> int:
        if len(self) >= _MOST_KEYS:
            self.clear()
        total = self._weights.of(features(self._kind, key))
        if len(key if isinstance(key, str) else "".join(key)) <= _LONGEST_KEPT:
            self[key] = total
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
