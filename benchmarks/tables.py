"""The bare table in SQLite that lookups are measured beside."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

__all__ = ["SELECT", "bare_table"]

SELECT = "SELECT key FROM entry WHERE key = ?"
"""Looks up one key. The driver prepares it once."""


def bare_table(path: Path, keys: Iterable[str]) -> sqlite3.Connection:
    """Make a table of keys and nothing else, in a file that others may write to, with the cache that the store has."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA cache_size = -16384")
    connection.execute("CREATE TABLE entry (key TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO entry VALUES (?)", ((key,) for key in keys))
    connection.execute("COMMIT")
    return connection
