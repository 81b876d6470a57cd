"""The options of the PostgreSQL store, beside those of every store with a pool."""

import re
from collections.abc import Collection
from typing import Any

from optoutkit.errors import InvalidUri
from optoutkit.stores.pooled import PooledUri

__all__ = ["checked_schema", "read_uri"]

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")  # the names that need no quotes in SQL


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
    parsed = PooledUri.parse(uri, schema=checked_schema)
    for name in parsed.others:
        if name not in driver_options:
            names = ", ".join(parsed.names)
            raise InvalidUri(f"{parsed.scheme}:// has no option {name!r}; there is: {names}, and what libpq knows, such as sslmode")
    return f"postgresql://{parsed.rest}", parsed.options
