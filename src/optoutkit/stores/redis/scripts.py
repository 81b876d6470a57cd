"""The one script that runs in the server."""

from collections.abc import Iterable, Sequence
from hashlib import sha1

import attrs

from optoutkit.stores.redis.exchanges import Command

__all__ = ["PUT", "Mark", "Pair", "put"]

Pair = tuple[bytes, bytes]
"""A field and its value."""


@attrs.frozen
class Mark:
    """What is to become of an identity in the indexes of a list.

    Attributes:
        sellers: The key of the set of sellers.
        seller: Whose list.
        member: The identity.
        indexes: The keys of the sorted sets, each with whether it is to be in.
    """

    sellers: bytes
    seller: bytes
    member: bytes
    indexes: Sequence[tuple[bytes, bool]]


PUT = b"""\
local at = 5
for _ = 1, tonumber(ARGV[4]) do
  if (redis.call('HGET', KEYS[1], ARGV[at]) or '') ~= ARGV[at + 1] then return 0 end
  at = at + 2
end
for field = at, #ARGV, 2 do
  if ARGV[field + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[field])
  else redis.call('HSET', KEYS[1], ARGV[field], ARGV[field + 1]) end
end
for number = 3, #KEYS do
  local index = KEYS[number]
  if string.sub(ARGV[1], number - 2, number - 2) == '-' then redis.call('ZREM', index, ARGV[2])
  elseif redis.call('ZADD', index, 0, ARGV[2]) == 1 and redis.call('ZCARD', index) == 1 then redis.call('SADD', KEYS[2], ARGV[3]) end
end
return 1
"""
"""Compare and set, in one step: what is decided is decided by the rules that all stores share, and holds if nobody was faster.

``KEYS``: the hash of an identity; and, if any index changes, the set of sellers, and the sorted sets. ``ARGV``: what to do with each
of the latter (``+`` or ``-``); the member; the seller, who is put into the set with the first member; how many fields are compared;
these, each with what it must hold; those to set, each with its new value. Nothing is the value of a field that is not there. The
reply is 1, or 0 if a field held something else and nothing was done.
"""

_SHA = sha1(PUT, usedforsecurity=False).hexdigest().encode()


def put(key: bytes, expected: Sequence[Pair], values: Iterable[Pair], mark: Mark | None = None) -> Command:
    """The command that runs :data:`PUT`."""
    if mark is None:
        words = [b"EVALSHA", _SHA, b"1", key, b"", b"", b""]
    else:
        signs = b"".join(b"+" if is_in else b"-" for _, is_in in mark.indexes)
        keys = (key, mark.sellers, *(index for index, _ in mark.indexes))
        words = [b"EVALSHA", _SHA, b"%d" % len(keys), *keys, signs, mark.member, mark.seller]
    words.append(b"%d" % len(expected))
    for pair in (*expected, *values):
        words += pair
    return tuple(words)
