"""Store URIs, such as ``sqlite:////var/lib/shop/optouts.db?link_days=90``, taken apart.

No error text repeats a URI: there may be a password in it.
"""

from collections.abc import Callable
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

from optoutkit.errors import InvalidUri

__all__ = ["StoreUri"]


@attrs.frozen(kw_only=True)
class StoreUri:
    """A store URI; :func:`optoutkit.open_store` chooses the backend by its scheme.

    Attributes:
        scheme: What stands before ``://``, lower case.
        host: What stands between ``://`` and the next ``/``.
        path: What follows that ``/``, with ``%20`` and the like decoded.
        options: What follows ``?``, decoded.
    """

    scheme: str
    host: str
    path: str
    options: dict[str, str]

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Take a URI apart.

        Raises:
            InvalidUri: It has no scheme, or its options cannot be read.
        """
        scheme, separator, _ = uri.partition("://")
        if not separator or not scheme:
            raise InvalidUri("a store URI begins with a scheme and ://, such as sqlite:///optouts.db or memory://")
        try:
            parts = urlsplit(uri, allow_fragments=False)
            pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
        except ValueError:
            raise InvalidUri(f"the {scheme}:// URI cannot be read; options look like ?link_days=90") from None
        options = dict(pairs)
        if len(options) != len(pairs):
            raise InvalidUri(f"the {scheme}:// URI gives an option twice")
        return cls(scheme=scheme.lower(), host=parts.netloc, path=unquote(parts.path.removeprefix("/")), options=options)

    def keywords(self, **readers: Callable[[str], Any]) -> dict[str, Any]:
        """Read the options, as keyword arguments for a store.

        Args:
            readers: For each option that exists a function that reads its text and raises ValueError if it is wrong.

        Raises:
            InvalidUri: There is an option that does not exist, or a value is wrong.
        """
        found = {}
        for name, text in self.options.items():
            if name not in readers:
                raise InvalidUri(f"{self.scheme}:// has no option {name!r}; there is: {', '.join(readers)}")
            try:
                found[name] = readers[name](text)
            except ValueError as error:
                raise InvalidUri(f"the option {name} of {self.scheme}:// is wrong: {error}") from None
        return found
