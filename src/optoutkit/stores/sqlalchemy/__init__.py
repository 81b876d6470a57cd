"""The store in any database that SQLAlchemy knows. Needs the extra ``sqlalchemy``, and the driver of the database."""

from typing import Any

from optoutkit.errors import InvalidUri
from optoutkit.stores.pooled import PooledUri
from optoutkit.stores.sqlalchemy.store import SqlAlchemyStore
from optoutkit.stores.sqlalchemy.threads import AsyncSqlAlchemyStore

__all__ = ["SQLALCHEMY", "AsyncSqlAlchemyStore", "SqlAlchemyStore"]


class _SqlAlchemy:
    """The backend of ``sqlalchemy+mysql+pymysql://user:password@host/database`` and the like."""

    def open(self, uri: str) -> SqlAlchemyStore:
        url, options = _read(uri)
        return SqlAlchemyStore(url, **options)

    def open_async(self, uri: str) -> AsyncSqlAlchemyStore:
        url, options = _read(uri)
        return AsyncSqlAlchemyStore(url, **options)


def _read(uri: str) -> tuple[str, dict[str, Any]]:
    parsed = PooledUri.parse(uri)
    _, _, scheme = parsed.scheme.partition("+")
    if not scheme:
        raise InvalidUri("a dialect is missing: write sqlalchemy+mysql+pymysql://user:password@host/database")
    return f"{scheme}://{parsed.rest}", parsed.options


SQLALCHEMY = _SqlAlchemy()
"""What the entry point ``sqlalchemy`` names."""
