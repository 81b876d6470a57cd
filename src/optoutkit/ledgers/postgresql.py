"""Requests in PostgreSQL: a table beside those of the opt-outs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from optoutkit.flows import Flow, ask
from optoutkit.ledgers.book import Claim, Row
from optoutkit.stores.postgresql import schema
from optoutkit.stores.postgresql import statements as sql
from optoutkit.stores.postgresql.client import AsyncClient, Client, driver_options, parameters_of
from optoutkit.stores.postgresql.options import read_uri
from optoutkit.stores.postgresql.requests import Query
from optoutkit.stores.postgresql.store import DEFAULT_SCHEMA

__all__ = ["AsyncPostgresqlBackend", "PostgresqlBackend", "open_async_backend", "open_backend"]

_TIMEOUT = 15.0  # seconds, as for a store
_POOL_SIZE = 4  # connections: requests are rare beside messages

T = TypeVar("T")
Work = Callable[[], Flow[T]]

# The number in the name is the version of the layout: another one will be another table, filled from this one.
_IS_THERE = "SELECT to_regclass('@request_1') IS NOT NULL"
_LOCK = "SELECT pg_advisory_xact_lock(1330598988, hashtext('@@'))"  # the letters OOTL; one lock for each schema
_TABLE = """
    CREATE TABLE IF NOT EXISTS @request_1 (
        at bigint NOT NULL, ends bigint NOT NULL, confirmed boolean NOT NULL, key bytea NOT NULL PRIMARY KEY, token bytea NOT NULL
    )
"""
_INDEX = "CREATE INDEX IF NOT EXISTS request_1_ends_idx ON @request_1 (ends)"
_READ = "SELECT key, at, confirmed FROM @request_1 WHERE key = ANY(%s) AND ends > %s"
_TAKE = """
    INSERT INTO @request_1 AS r (key, token, at, ends, confirmed)
    SELECT key, %(token)s, %(now)s, %(ends)s, false FROM unnest(%(keys)s::bytea[]) AS asked (key) ORDER BY key
    ON CONFLICT (key) DO UPDATE SET token = excluded.token, at = excluded.at, ends = excluded.ends, confirmed = false
    WHERE r.ends <= excluded.at
"""
_HELD = """
    SELECT asked.key, r.at, r.confirmed FROM unnest(%(keys)s::bytea[]) AS asked (key) LEFT JOIN @request_1 r ON r.key = asked.key
    WHERE r.token IS DISTINCT FROM %(token)s
"""
_MARK = "UPDATE @request_1 SET confirmed = true WHERE key = ANY(%s) AND token = %s"
_DROP = "DELETE FROM @request_1 WHERE key = ANY(%s) AND token = %s AND NOT confirmed"
_FORGET = """
    DELETE FROM @request_1 WHERE key IN (SELECT key FROM @request_1 WHERE ends <= %s ORDER BY key LIMIT 20 FOR UPDATE SKIP LOCKED)
"""


class _Verbs:
    """What is to be done, as flows.

    Args:
        timeout: How many seconds a statement may take.
    """

    def __init__(self, timeout: float) -> None:
        self._begin = sql.BEGIN.replace("{milliseconds}", str(max(1, round(timeout * 1000))))

    def prepare(self) -> Flow[None]:
        """See :meth:`Backend.prepare`."""
        ((is_there,),) = yield from ask(Query(_IS_THERE))
        if not is_there:
            yield from self._written([(_LOCK, None), (_TABLE, None), (_INDEX, None)])()

    @staticmethod
    def read(keys: Sequence[bytes], now: int) -> Work[dict[bytes, Row]]:
        """See :meth:`Backend.read`."""

        def work() -> Flow[dict[bytes, Row]]:
            rows = yield from ask(Query(_READ, (list(keys), now)))
            return {key: (at, confirmed) for key, at, confirmed in rows}

        return work

    def take(self, keys: Sequence[bytes], claim: Claim) -> Work[dict[bytes, Row | None]]:
        """See :meth:`Backend.take`."""
        parameters = {"keys": list(keys), "token": claim.token, "now": claim.now, "ends": claim.ends}
        taking = self._written([(_FORGET, (claim.now,)), (_TAKE, parameters), (_HELD, parameters)])

        def work() -> Flow[dict[bytes, Row | None]]:
            rows = yield from taking()
            return {key: None if at is None else (at, confirmed) for key, at, confirmed in rows}

        return work

    def mark(self, keys: Sequence[bytes], token: bytes) -> Work[Any]:
        """See :meth:`Backend.mark`."""
        return self._written([(_MARK, (list(keys), token))])

    def drop(self, keys: Sequence[bytes], token: bytes) -> Work[Any]:
        """See :meth:`Backend.drop`."""
        return self._written([(_DROP, (list(keys), token))])

    def _written(self, statements: Sequence[tuple[str, Any]]) -> Work[Any]:
        """Statements in one transaction, which is on the server's disk when it ends; the answer is that of the last one."""

        def transaction() -> Flow[Any]:
            schema.check_version((yield from ask(Query(self._begin))))
            rows = []
            for statement, parameters in statements:
                rows = yield from ask(Query(statement, parameters))
            yield from ask(Query(sql.COMMIT))
            return rows

        return transaction


class PostgresqlBackend:
    """A :class:`~optoutkit.ledgers.book.Backend` in PostgreSQL.

    Args:
        client: What reaches the server.
        timeout: How many seconds a statement may take.
    """

    def __init__(self, client: Client, timeout: float) -> None:
        self._client = client
        self._verbs = _Verbs(timeout)

    def prepare(self) -> None:
        """See :meth:`Backend.prepare`."""
        self._client.run(self._verbs.prepare)

    def read(self, keys: Sequence[bytes], now: int) -> Mapping[bytes, Row]:
        """See :meth:`Backend.read`."""
        return self._client.run(self._verbs.read(keys, now))

    def take(self, keys: Sequence[bytes], claim: Claim) -> Mapping[bytes, Row | None]:
        """See :meth:`Backend.take`."""
        return self._client.run(self._verbs.take(keys, claim))

    def mark(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.mark`."""
        self._client.run(self._verbs.mark(keys, token))

    def drop(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.drop`."""
        self._client.run(self._verbs.drop(keys, token))

    def close(self) -> None:
        """See :meth:`Backend.close`."""
        self._client.close()


class AsyncPostgresqlBackend:
    """The same for asyncio."""

    def __init__(self, client: AsyncClient, timeout: float) -> None:
        self._client = client
        self._verbs = _Verbs(timeout)

    async def prepare(self) -> None:
        """See :meth:`Backend.prepare`."""
        await self._client.run(self._verbs.prepare)

    async def read(self, keys: Sequence[bytes], now: int) -> Mapping[bytes, Row]:
        """See :meth:`Backend.read`."""
        return await self._client.run(self._verbs.read(keys, now))

    async def take(self, keys: Sequence[bytes], claim: Claim) -> Mapping[bytes, Row | None]:
        """See :meth:`Backend.take`."""
        return await self._client.run(self._verbs.take(keys, claim))

    async def mark(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.mark`."""
        await self._client.run(self._verbs.mark(keys, token))

    async def drop(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.drop`."""
        await self._client.run(self._verbs.drop(keys, token))

    async def close(self) -> None:
        """See :meth:`Backend.close`."""
        await self._client.close()


def _read(uri: str) -> tuple[dict[str, Any], float]:
    """Keyword arguments for a client, and the timeout."""
    place, options = read_uri(uri, driver_options())
    timeout = options.get("timeout", _TIMEOUT)
    size, name = options.get("pool_size", _POOL_SIZE), options.get("schema", DEFAULT_SCHEMA)
    return {"parameters": parameters_of(place), "schema": name, "size": size, "timeout": timeout}, timeout


def open_backend(uri: str) -> PostgresqlBackend:
    """Open one by the URI of a store."""
    keywords, timeout = _read(uri)
    return PostgresqlBackend(Client(**keywords), timeout)


def open_async_backend(uri: str) -> AsyncPostgresqlBackend:
    """The same for asyncio."""
    keywords, timeout = _read(uri)
    return AsyncPostgresqlBackend(AsyncClient(**keywords), timeout)
