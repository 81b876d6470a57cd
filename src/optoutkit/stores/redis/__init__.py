"""The store in Redis or Valkey: one server, or a cluster."""

from optoutkit.stores.redis.durability import DurabilityWarning
from optoutkit.stores.redis.store import AsyncRedisStore, RedisStore

__all__ = ["REDIS", "AsyncRedisStore", "DurabilityWarning", "RedisStore"]


class _Redis:
    """The backend of ``redis://``, ``rediss://``, ``unix://``, ``redis+cluster://`` and ``rediss+cluster://``."""

    def open(self, uri: str) -> RedisStore:
        return RedisStore(uri)

    def open_async(self, uri: str) -> AsyncRedisStore:
        return AsyncRedisStore(uri)


REDIS = _Redis()
"""What the entry points of these schemes name."""
