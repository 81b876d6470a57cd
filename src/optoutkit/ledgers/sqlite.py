"""Requests in an SQLite file, which may be that of the opt-outs: a table beside theirs."""

import sqlite3
from collections.abc import Mapping, Sequence

from optoutkit.ledgers.book import Claim, Row
from optoutkit.ledgers.fronts import OnThreads
from optoutkit.stores.sqlite import read_uri
from optoutkit.stores.sqlite.connections import Connections
from optoutkit.stores.sqlite.store import DEFAULT_TIMEOUT

__all__ = ["SqliteBackend", "open_async_backend", "open_backend"]

# The number in the name is the version of the layout: another one will be another table, filled from this one.
_TABLE = """
    CREATE TABLE IF NOT EXISTS request_1 (
        key BLOB NOT NULL PRIMARY KEY, token BLOB NOT NULL, at INTEGER NOT NULL, confirmed INTEGER NOT NULL, ends INTEGER NOT NULL
    ) WITHOUT ROWID
"""
_INDEX = "CREATE INDEX IF NOT EXISTS request_1_by_end ON request_1 (ends)"
_READ = "SELECT at, confirmed FROM request_1 WHERE key = ? AND ends > ?"
_TAKE = """
    INSERT INTO request_1 (key, token, at, confirmed, ends) VALUES (?, ?, ?, 0, ?)
    ON CONFLICT (key) DO UPDATE SET token = excluded.token, at = excluded.at, confirmed = 0, ends = excluded.ends
    WHERE request_1.ends <= excluded.at
"""
_HELD = "SELECT at, confirmed FROM request_1 WHERE key = ? AND token <> ?"
_MARK = "UPDATE request_1 SET confirmed = 1 WHERE key = ? AND token = ?"
_DROP = "DELETE FROM request_1 WHERE key = ? AND token = ? AND NOT confirmed"
_FORGET = "DELETE FROM request_1 WHERE key IN (SELECT key FROM request_1 WHERE ends <= ? LIMIT 20)"


class SqliteBackend:
    """A :class:`~optoutkit.ledgers.book.Backend` in SQLite.

    Args:
        path: The file.
        timeout: How many seconds to wait for a lock.
    """

    def __init__(self, path: str, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        self._connections = Connections(path, timeout=timeout)

    def prepare(self) -> None:
        """See :meth:`Backend.prepare`."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_TABLE)
            connection.execute(_INDEX)

        self._connections.write(work)

    def read(self, keys: Sequence[bytes], now: int) -> Mapping[bytes, Row]:
        """See :meth:`Backend.read`."""
        return self._connections.read(lambda connection: _rows(connection, _READ, keys, now))

    def take(self, keys: Sequence[bytes], claim: Claim) -> Mapping[bytes, Row | None]:
        """See :meth:`Backend.take`."""

        def work(connection: sqlite3.Connection) -> Mapping[bytes, Row]:
            connection.execute(_FORGET, (claim.now,))
            connection.executemany(_TAKE, [(key, claim.token, claim.now, claim.ends) for key in keys])
            return _rows(connection, _HELD, keys, claim.token)

        return self._connections.write(work)

    def mark(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.mark`."""
        self._change(_MARK, keys, token)

    def drop(self, keys: Sequence[bytes], token: bytes) -> None:
        """See :meth:`Backend.drop`."""
        self._change(_DROP, keys, token)

    def close(self) -> None:
        """See :meth:`Backend.close`."""
        self._connections.close()

    def _change(self, statement: str, keys: Sequence[bytes], token: bytes) -> None:
        self._connections.write(lambda connection: connection.executemany(statement, [(key, token) for key in keys]))


def _rows(connection: sqlite3.Connection, statement: str, keys: Sequence[bytes], more: int | bytes) -> dict[bytes, Row]:
    found: dict[bytes, Row] = {}
    for key in keys:
        for at, confirmed in connection.execute(statement, (key, more)):
            found[key] = (at, bool(confirmed))
    return found


def open_backend(uri: str) -> SqliteBackend:
    """Open one by the URI of a store."""
    path, options = read_uri(uri)
    options.pop("link_days", None)  # the store's
    return SqliteBackend(path, **options)


def open_async_backend(uri: str) -> OnThreads:
    """The same for asyncio; what is wrong with the URI is told at once, what is wrong with the file by the first verb."""
    path, options = read_uri(uri)
    options.pop("link_days", None)
    return OnThreads(lambda: SqliteBackend(path, **options))
