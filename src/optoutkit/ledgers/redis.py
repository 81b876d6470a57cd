"""Requests in Redis or Valkey, one server or a cluster, beside the opt-outs or elsewhere: a hash for each, which the server lets expire."""

from collections.abc import Mapping, Sequence
from typing import Any

from optoutkit.flows import Flow, run, run_async
from optoutkit.ledgers.book import Claim, Row
from optoutkit.stores.redis.driver import AsyncConnections, Connections
from optoutkit.stores.redis.layout import slot_of
from optoutkit.stores.redis.routing import Router
from optoutkit.stores.redis.settings import Settings

__all__ = ["AsyncRedisBackend", "RedisBackend", "open_async_backend", "open_backend"]

# Of each request one key, so that a cluster can keep it anywhere. Short enough to be sent each time rather than kept in the server.
_READ = b"""\
local ends = redis.call('HGET', KEYS[1], 'ends')
if not ends or tonumber(ends) <= tonumber(ARGV[1]) then return {} end
return redis.call('HMGET', KEYS[1], 'at', 'confirmed')
"""
_TAKE = b"""\
local held = redis.call('HMGET', KEYS[1], 'token', 'ends', 'at', 'confirmed')
if held[1] == ARGV[1] then return {} end
if held[1] and tonumber(held[2]) > tonumber(ARGV[2]) then return {held[3], held[4]} end
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'at', ARGV[2], 'ends', ARGV[3], 'confirmed', '0')
redis.call('EXPIRE', KEYS[1], tonumber(ARGV[3]) - tonumber(ARGV[2]) + 1)
return {}
"""
_MARK = b"if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then redis.call('HSET', KEYS[1], 'confirmed', '1') end return 1"
_DROP = b"""\
local held = redis.call('HMGET', KEYS[1], 'token', 'confirmed')
if held[1] == ARGV[1] and held[2] == '0' then redis.call('DEL', KEYS[1]) end
return 1
"""


class _Scripts:
    """What is sent, as flows."""

    def __init__(self, settings: Settings) -> None:
        self._router = Router(settings)
        self._prefix = settings.prefix.encode() + b"request:"

    def run(self, script: bytes, keys: Sequence[bytes], *arguments: bytes, durable: bool = True) -> Flow[dict[bytes, Any]]:
        """Run a script for each key; the answers are under the keys, those that are empty left out."""
        if not keys:
            return {}
        commands = []
        for key in keys:
            name = self._prefix + key.hex().encode()
            commands.append((slot_of(name), (b"EVAL", script, b"1", name, *arguments)))
        replies = yield from self._router.send(commands, durable=durable)
        return {key: reply for key, reply in zip(keys, replies, strict=True) if reply}

    def probe(self) -> Flow[None]:
        """Have the server asked, so that it is told now if it cannot be."""
        yield from self.read([bytes(16)], 0)

    def read(self, keys: Sequence[bytes], now: int) -> Flow[dict[bytes, Row]]:
        """See :meth:`Backend.read`."""
        return _rows((yield from self.run(_READ, keys, b"%d" % now, durable=False)))

    def take(self, keys: Sequence[bytes], claim: Claim) -> Flow[dict[bytes, Row]]:
        """See :meth:`Backend.take`."""
        return _rows((yield from self.run(_TAKE, keys, claim.token, b"%d" % claim.now, b"%d" % claim.ends)))


def _rows(replies: Mapping[bytes, Any]) -> dict[bytes, Row]:
    return {key: (int(at), confirmed == b"1") for key, (at, confirmed) in replies.items()}


class RedisBackend:
    """A :class:`~optoutkit.ledgers.book.Backend` in Redis.

    Args:
        settings: Where.
    """

    def __init__(self, settings: Settings) -> None:
        self._scripts = _Scripts(settings)
        self._connections = Connections(settings)

    def prepare(self) -> None:
        """See :meth:`Backend.prepare`."""
        run(self._scripts.probe(), self._connections.perform)

    def read(self, keys: Sequence[bytes], now: int) -> Mapping[bytes, Row]:
        """See :meth:`Backend.read`."""
        return run(self._scripts.read(keys, now), self._connections.perform)

    def take(self, keys: Sequence[bytes], claim: Claim) -> Mapping[bytes, Row | None]:
        """See :meth:`Backend.take`."""
        return run(self._scripts.take(keys, claim), self._connections.perform)

    def mark(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.mark`."""
        run(self._scripts.run(_MARK, keys, token), self._connections.perform)

    def drop(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.drop`."""
        run(self._scripts.run(_DROP, keys, token), self._connections.perform)

    def close(self) -> None:
        """See :meth:`Backend.close`."""
        self._connections.close()


class AsyncRedisBackend:
    """The same for asyncio."""

    def __init__(self, settings: Settings) -> None:
        self._scripts = _Scripts(settings)
        self._connections = AsyncConnections(settings)

    async def prepare(self) -> None:
        """See :meth:`Backend.prepare`."""
        await run_async(self._scripts.probe(), self._connections.perform)

    async def read(self, keys: Sequence[bytes], now: int) -> Mapping[bytes, Row]:
        """See :meth:`Backend.read`."""
        return await run_async(self._scripts.read(keys, now), self._connections.perform)

    async def take(self, keys: Sequence[bytes], claim: Claim) -> Mapping[bytes, Row | None]:
        """See :meth:`Backend.take`."""
        return await run_async(self._scripts.take(keys, claim), self._connections.perform)

    async def mark(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.mark`."""
        await run_async(self._scripts.run(_MARK, keys, token), self._connections.perform)

    async def drop(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.drop`."""
        await run_async(self._scripts.run(_DROP, keys, token), self._connections.perform)

    async def close(self) -> None:
        """See :meth:`Backend.close`."""
        await self._connections.close()


def open_backend(uri: str) -> RedisBackend:
    """Open one by the URI of a store."""
    return RedisBackend(Settings.parse(uri))


def open_async_backend(uri: str) -> AsyncRedisBackend:
    """The same for asyncio."""
    return AsyncRedisBackend(Settings.parse(uri))
