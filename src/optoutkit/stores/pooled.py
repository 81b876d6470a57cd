"""The options of stores that keep a pool of connections, and which of a URI's options are for their driver."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import attrs

from optoutkit.stores import arguments
from optoutkit.stores.uris import StoreUri

__all__ = ["DEFAULT_POOL_SIZE", "DEFAULT_TIMEOUT", "PooledUri", "checked_pool_size", "checked_timeout"]

DEFAULT_TIMEOUT = 15.0
"""How many seconds to wait for a free connection, and for the server."""

DEFAULT_POOL_SIZE = 10
"""How many connections a store has at most."""


def checked_timeout(seconds: float) -> float:
    """How long to wait: more than nothing, a day at most."""
    if not 0 < seconds <= 86_400:  # noqa: PLR2004 - nan and inf are refused too
        raise ValueError(f"timeout must be a number of seconds, more than 0 and up to 86400, not {seconds}")
    return seconds


def checked_pool_size(connections: int) -> int:
    """How many connections at most: at least one."""
    if connections < 1:
        raise ValueError(f"pool_size must be at least 1, not {connections}")
    return connections


_READERS: dict[str, Callable[[str], Any]] = {
    "link_days": arguments.read_link_days,
    "pool_size": lambda text: checked_pool_size(int(text)),
    "timeout": lambda text: checked_timeout(float(text)),
}


@attrs.frozen(kw_only=True)
class PooledUri:
    """A URI of which a driver reads all but our options.

    Attributes:
        scheme: What stands before ``://``, lower case.
        rest: What follows ``://``, as it was given, but without our options.
        options: Our options, as keyword arguments for a store.
        names: The names of ours that there are.
        others: The names of the options that are left in the rest.
    """

    scheme: str
    rest: str
    options: dict[str, Any]
    names: tuple[str, ...]
    others: tuple[str, ...]

    @classmethod
    def parse(cls, uri: str, **readers: Callable[[str], Any]) -> "PooledUri":
        """Take a URI apart.

        Args:
            uri: As it was given.
            readers: As :meth:`StoreUri.keywords` takes them, beside those for ``link_days``, ``pool_size`` and ``timeout``.

        Raises:
            InvalidUri: It has no scheme, or the value of one of our options is wrong.
        """
        parsed = StoreUri.parse(uri)
        readers = dict(sorted({**_READERS, **readers}.items()))
        others = {name: text for name, text in parsed.options.items() if name not in readers}
        ours = {name: text for name, text in parsed.options.items() if name in readers}
        place = uri.partition("://")[2].partition("?")[0]
        return cls(
            scheme=parsed.scheme,
            rest=f"{place}?{urlencode(others, quote_via=quote)}".removesuffix("?"),
            options=attrs.evolve(parsed, options=ours).keywords(**readers),
            names=tuple(readers),
            others=tuple(others),
        )
