"""The store in one SQLite file: the default, with nothing to install and no server to run."""

from typing import Any

from optoutkit.errors import InvalidUri
from optoutkit.stores import arguments
from optoutkit.stores.sqlite.store import SqliteStore
from optoutkit.stores.sqlite.worker import AsyncSqliteStore
from optoutkit.stores.uris import StoreUri

__all__ = ["SQLITE", "AsyncSqliteStore", "SqliteStore", "read_uri"]


class _Sqlite:
    """The backend of ``sqlite:///relative.db`` and ``sqlite:////absolute.db``."""

    def open(self, uri: str) -> SqliteStore:
        path, options = read_uri(uri)
        return SqliteStore(path, **options)

    def open_async(self, uri: str) -> AsyncSqliteStore:
        path, options = read_uri(uri)
        return AsyncSqliteStore(path, **options)


def read_uri(uri: str) -> tuple[str, dict[str, Any]]:
    """Take a URI apart: the path of the file, and keyword arguments for a store.

    Raises:
        InvalidUri: A part is missing or wrong.
    """
    parsed = StoreUri.parse(uri)
    if parsed.host:
        raise InvalidUri(f"three slashes come before a relative path, four before an absolute one: sqlite:///{parsed.host}")
    if not parsed.path or "\0" in parsed.path:
        raise InvalidUri("a file is missing: write sqlite:///optouts.db")
    if parsed.path == ":memory:":
        raise InvalidUri("SQLite in memory is not offered: write memory://")
    return parsed.path, parsed.keywords(link_days=arguments.read_link_days, timeout=_read_seconds)


def _read_seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 86_400:  # noqa: PLR2004 - a day; nan and inf are refused too
        raise ValueError(f"it must be a number of seconds up to 86400, not {text}")
    return seconds


SQLITE = _Sqlite()
"""What the entry point ``sqlite`` names."""
