"""The options of the PostgreSQL store, and which of a URI's are libpq's."""

import re
from collections.abc import Collection
from typing import Any
from urllib.parse import quote, urlencode

from optoutkit.errors import InvalidUri
from optoutkit.stores import arguments
from optoutkit.stores.uris import StoreUri

__all__ = ["checked_pool_size", "checked_schema", "checked_timeout", "read_uri"]

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")  # the names that need no quotes in SQL


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


def checked_schema(name: str) -> str:
    """The name of a schema."""
    if not _SCHEMA.fullmatch(name) or name.startswith("pg_"):
        raise ValueError("schema must be lower-case letters, digits and _, up to 63 of them, not with a digit or pg_ in front")
    return name


def read_uri(uri: str, driver_options: Collection[str]) -> tuple[str, dict[str, Any]]:
    """Take our options out of a URI.

    Args:
        uri: As it was given.
        driver_options: The names of libpq's options, which stay in the URI.

    Returns:
        The URI for libpq, and keyword arguments for a store.

    Raises:
        InvalidUri: An option does not exist, or a value is wrong.
    """
    parsed = StoreUri.parse(uri)
    readers = {
        "link_days": arguments.read_link_days,
        "pool_size": lambda text: checked_pool_size(int(text)),
        "schema": checked_schema,
        "timeout": lambda text: checked_timeout(float(text)),
    }
    theirs = {name: value for name, value in parsed.options.items() if name not in readers}
    for name in theirs:
        if name not in driver_options:
            raise InvalidUri(
                f"{parsed.scheme}:// has no option {name!r}; there is: {', '.join(readers)}, and what libpq knows, such as sslmode"
            )
    ours = {name: value for name, value in parsed.options.items() if name in readers}
    place = uri.partition("://")[2].partition("?")[0]
    driver_uri = f"postgresql://{place}?{urlencode(theirs, quote_via=quote)}".removesuffix("?")
    return driver_uri, StoreUri(scheme=parsed.scheme, host="", path="", options=ours).keywords(**readers)
