"""Opening a store by its URI.

The scheme names the backend. Third parties add theirs under the entry-point group ``optoutkit.stores``, with the scheme as the name:

    [project.entry-points."optoutkit.stores"]
    mystore = "my_package:BACKEND"
"""

from importlib import import_module, metadata
from typing import Protocol, cast

from optoutkit.errors import InvalidUri, MissingExtra
from optoutkit.stores.base import AsyncOptOutStore, OptOutStore
from optoutkit.stores.uris import StoreUri

__all__ = ["Backend", "open_async_store", "open_store"]

_GROUP = "optoutkit.stores"

# Their entry points, which are not asked for: to search the metadata of all that is installed takes longer than to open a store.
_BUILT_IN = {
    "memory": ("optoutkit.stores.memory", "MEMORY"),
    "postgresql": ("optoutkit.stores.postgresql", "POSTGRESQL"),
    **dict.fromkeys(("redis", "rediss", "unix", "redis+cluster", "rediss+cluster"), ("optoutkit.stores.redis", "REDIS")),
    "sqlalchemy": ("optoutkit.stores.sqlalchemy", "SQLALCHEMY"),
    "sqlite": ("optoutkit.stores.sqlite", "SQLITE"),
}


class Backend(Protocol):
    """What an entry point of the group ``optoutkit.stores`` leads to."""

    def open(self, uri: str) -> OptOutStore:
        """Open a store; :class:`optoutkit.stores.uris.StoreUri` helps to read the URI."""
        ...

    def open_async(self, uri: str) -> AsyncOptOutStore:
        """Open a store for asyncio, without waiting for anything: its first verb connects."""
        ...


def open_store(uri: str) -> OptOutStore:
    """Open a store.

    Args:
        uri: ``memory://``, ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``redis://host``, or that of another backend. Options
            follow a ``?``: ``link_days`` (180), and for SQLite ``timeout`` (15 seconds). In a path, write ``?`` as ``%3F``
            and ``%`` as ``%25``.

    Returns:
        The store, which is also a context manager that closes it.

    Raises:
        InvalidUri: The scheme is unknown, or the URI lacks a part.
        StoreError: The store cannot be opened; the text says what to do.

    Example:
        >>> store = open_store("memory://")
        >>> store.record([OptOut(Address("buyer@example.com"))]).new
        1
    """
    return _backend(uri).open(uri)


def open_async_store(uri: str) -> AsyncOptOutStore:
    """Open a store for asyncio. A plain call: nothing is awaited, and what cannot be opened shows in the first verb.

    Args:
        uri: See :func:`open_store`.

    Raises:
        InvalidUri: The scheme is unknown, or the URI lacks a part.
    """
    return _backend(uri).open_async(uri)


def _backend(uri: str) -> Backend:
    scheme = StoreUri.parse(uri).scheme
    if (known := scheme if scheme in _BUILT_IN else scheme.partition("+")[0]) in _BUILT_IN:  # sqlalchemy+mysql+pymysql
        module, name = _BUILT_IN[known]
        return cast("Backend", getattr(import_module(module), name))
    installed = {entry.name: entry for entry in metadata.entry_points(group=_GROUP)}
    if scheme not in installed:
        schemes = sorted(_BUILT_IN.keys() | installed.keys())
        raise InvalidUri(f"there is no store for {scheme}://; there is: {', '.join(f'{name}://' for name in schemes)}")
    try:
        return cast("Backend", installed[scheme].load())
    except MissingExtra:
        raise
    except (ImportError, AttributeError) as error:
        raise InvalidUri(f"the store for {scheme}:// could not be loaded: {error}") from error
