"""The bare table in SQLite that lookups are measured beside."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

__all__ = ["SELECT", "bare_table"]

SELECT = "SELECT key FROM entry WHERE key = ?"
"""Looks up one key. The driver prepares it once."""


def bare_table(path: Path, keys: Iterable[str]) -> sqlite3.Connection:
    """Make a table of keys and nothing else."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE entry (key TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.executemany("INSERT INTO entry VALUES (?)", ((key,) for key in keys))
    connection.commit()
    return connection
