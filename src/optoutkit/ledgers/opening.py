"""Opening a ledger by its URI, which may be that of the opt-out store."""

from importlib import import_module
from typing import Any

from optoutkit.errors import InvalidUri
from optoutkit.ledgers.base import AsyncLedger, Ledger
from optoutkit.ledgers.book import DEFAULT_KEEP_DAYS, Book
from optoutkit.ledgers.fronts import AsyncioLedger, BlockingLedger
from optoutkit.stores.base import Clock, utc_now
from optoutkit.stores.uris import StoreUri

__all__ = ["open_async_ledger", "open_ledger"]

_MODULES = {
    "memory": "memory",
    "postgresql": "postgresql",
    **dict.fromkeys(("redis", "rediss", "unix", "redis+cluster", "rediss+cluster"), "redis"),
    "sqlite": "sqlite",
}


def open_ledger(uri: str, *, keep_days: float = DEFAULT_KEEP_DAYS, secret: bytes | None = None, clock: Clock = utc_now) -> Ledger:
    """Open a ledger, which counts the requests of each order.

    Args:
        uri: ``memory://``, ``sqlite:///relative.db``, ``postgresql://…`` or ``redis://…``, with the options that
            :func:`optoutkit.open_store` knows. It may be the URI of the opt-out store: the ledger's data lies beside the store's.
        keep_days: For how many days a request is remembered.
        secret: Key of the digests under which orders are kept, 16 to 64 bytes. Without one, whoever reads the ledger and guesses an
            order ID can find out whether it is there. With another one, what was there is not found any more.
        clock: Tells the time; for tests.

    Returns:
        The ledger, which is also a context manager that closes it.

    Raises:
        InvalidUri: The scheme is unknown, or the URI lacks a part.
        StoreError: The ledger cannot be opened; the text says what to do.
        ValueError: ``keep_days`` or the secret is out of range.

    Example:
        >>> ledger = open_ledger("memory://")
        >>> first, second = (ledger.reserve([OrderId("302-1234567-1234567")]) for _ in range(2))
        >>> first.granted
        (OrderId('302-1234567-1234567'),)
        >>> second.refused
        {OrderId('302-1234567-1234567'): <Standing.PENDING: 'pending'>}
    """
    book = Book(keep_days=keep_days, secret=secret, clock=clock)
    return BlockingLedger(_module(uri).open_backend(uri), book)


def open_async_ledger(
    uri: str, *, keep_days: float = DEFAULT_KEEP_DAYS, secret: bytes | None = None, clock: Clock = utc_now
) -> AsyncLedger:
    """Open a ledger for asyncio. A plain call: nothing is awaited, and what cannot be opened shows in the first verb.

    Args:
        uri: See :func:`open_ledger`, as for the others.
        keep_days: For how many days a request is remembered.
        secret: Key of the digests.
        clock: Tells the time; for tests.

    Raises:
        InvalidUri: The scheme is unknown, or the URI lacks a part.
        ValueError: ``keep_days`` or the secret is out of range.
    """
    book = Book(keep_days=keep_days, secret=secret, clock=clock)
    return AsyncioLedger(_module(uri).open_async_backend(uri), book)


def _module(uri: str) -> Any:
    scheme = StoreUri.parse(uri).scheme
    if scheme not in _MODULES:
        raise InvalidUri(f"there is no ledger for {scheme}://; there is: {', '.join(f'{name}://' for name in sorted(_MODULES))}")
    return import_module(f"optoutkit.ledgers.{_MODULES[scheme]}")
