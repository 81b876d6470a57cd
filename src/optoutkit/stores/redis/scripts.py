"""The one script that runs in the server."""

from collections.abc import Iterable, Sequence
from hashlib import sha1

from optoutkit.stores.redis.exchanges import Command

__all__ = ["PUT", "Pair", "put"]

Pair = tuple[bytes, bytes]
"""A field and its value."""

PUT = b"""\
local at = 3
for _ = 1, tonumber(ARGV[2]) do
  if (redis.call('HGET', KEYS[1], ARGV[at]) or '') ~= ARGV[at + 1] then return 0 end
  at = at + 2
end
for field = at, #ARGV, 2 do
  if ARGV[field + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[field])
  else redis.call('HSET', KEYS[1], ARGV[field], ARGV[field + 1]) end
end
local mark, member = string.sub(ARGV[1], 1, 1), string.sub(ARGV[1], 2)
if mark == '+' then redis.call('ZADD', KEYS[2], 0, member)
elseif mark == '-' then redis.call('ZREM', KEYS[2], member) end
return 1
"""
"""Compare and set, in one step: what is decided is decided by the rules that all stores share, and holds if nobody was faster.

``KEYS``: the hash of an identity, and the sorted set of a list. ``ARGV``: what to do with the latter (``+`` or ``-`` and the
member, or nothing); how many fields are compared; these, each with what it must hold; those to set, each with its new value.
Nothing is the value of a field that is not there. The reply is 1, or 0 if a field held something else and nothing was done.
"""

_SHA = sha1(PUT, usedforsecurity=False).hexdigest().encode()


def put(key: bytes, index: bytes, mark: bytes, expected: Sequence[Pair], values: Iterable[Pair]) -> Command:
    """The command that runs :data:`PUT`."""
    words = [b"EVALSHA", _SHA, b"2", key, index, mark, b"%d" % len(expected)]
    for pair in (*expected, *values):
        words += pair
    return tuple(words)
