"""The store in PostgreSQL: for teams, for several machines, for lists of any length. Needs the extra ``postgresql``."""

from optoutkit.stores.postgresql.client import driver_options
from optoutkit.stores.postgresql.options import read_uri
from optoutkit.stores.postgresql.store import AsyncPostgresqlStore, PostgresqlStore

__all__ = ["POSTGRESQL", "AsyncPostgresqlStore", "PostgresqlStore"]


class _Postgresql:
    """The backend of ``postgresql://user:password@host:5432/database``."""

    def open(self, uri: str) -> PostgresqlStore:
        place, options = read_uri(uri, driver_options())
        return PostgresqlStore(place, **options)

    def open_async(self, uri: str) -> AsyncPostgresqlStore:
        place, options = read_uri(uri, driver_options())
        return AsyncPostgresqlStore(place, **options)


POSTGRESQL = _Postgresql()
"""What the entry point ``postgresql`` names."""
