"""Opening a store by its URI.

The scheme names the backend. Third parties add theirs under the entry-point group ``optoutkit.stores``, with the scheme as the name:

    [project.entry-points."optoutkit.stores"]
    mystore = "my_package:BACKEND"
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from optoutkit.errors import InvalidUri, MissingExtra
from optoutkit.stores.base import AsyncOptOutStore, OptOutStore
from optoutkit.stores.uris import StoreUri

__all__ = ["Backend", "open_async_store", "open_store"]

_GROUP = "optoutkit.stores"

_BUILT_IN = {
    "memory": EntryPoint("memory", "optoutkit.stores.memory:MEMORY", _GROUP),
    "sqlite": EntryPoint("sqlite", "optoutkit.stores.sqlite:SQLITE", _GROUP),
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
        uri: ``memory://``, ``sqlite:///relative.db``, ``sqlite:////absolute.db``, or that of an installed backend. Options
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
    found = {entry.name: entry for entry in entry_points(group=_GROUP)} | _BUILT_IN
    if scheme not in found:
        raise InvalidUri(f"there is no store for {scheme}://; there is: {', '.join(f'{name}://' for name in sorted(found))}")
    try:
        backend: Backend = found[scheme].load()
    except MissingExtra:
        raise
    except (ImportError, AttributeError) as error:
        raise InvalidUri(f"the store for {scheme}:// could not be loaded: {error}") from error
    return backend
