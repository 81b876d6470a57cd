"""Where a migration has come to, in a small file, so that it can go on there."""

import json
import os
from pathlib import Path
from typing import Any

from optoutkit.bulk.exporting import atomic
from optoutkit.errors import InvalidInput
from optoutkit.identities import Identity, identity_from_key
from optoutkit.stores.uris import StoreUri

__all__ = ["Checkpoint"]


class Checkpoint:
    """The file in which a migration keeps its place; if it is there, the migration goes on.

    It holds the last address or order that was copied, and is readable for its owner only.

    Args:
        path: The file.
        source: The URI of the one store. Passwords and options are not kept.
        target: The URI of the other.

    Attributes:
        entries: How many entries have been copied.
        finished: The sellers whose lists have been.

    Raises:
        InvalidInput: The file is that of another migration, or none at all.
    """

    def __init__(self, path: str | os.PathLike[str], *, source: str, target: str) -> None:
        self._path = Path(path)
        self._about = [_shown(source), _shown(target)]
        self.entries: int = 0
        self.finished: list[str] = []
        self._seller: str | None = None
        self._after: Identity | None = None
        try:
            told = json.loads(self._path.read_bytes())
            self._read(told)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise InvalidInput(f"cannot read {self._path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise InvalidInput(f"{self._path} is no file of a migration: name another one") from None
        else:
            if told["about"] != self._about:
                raise InvalidInput(f"{self._path} is of another migration, from {told['about'][0]} to {told['about'][1]}: name another one")

    def _read(self, told: dict[str, Any]) -> None:
        self.entries = int(told["entries"])
        self.finished = [str(seller) for seller in told["finished"]]
        self._seller = told["seller"]
        self._after = None if told["after"] is None else identity_from_key(told["after"])
        _from, _to = told["about"]

    def place(self, seller: str) -> Identity | None:
        """After which identity to go on with the list of a seller; None is its beginning."""
        return self._after if seller == self._seller else None

    def save(self, seller: str | None, after: Identity | None) -> None:
        """Keep the place.

        Raises:
            InvalidInput: The file cannot be written.
        """
        self._seller, self._after = seller, after
        told = {
            "about": self._about,
            "finished": self.finished,
            "seller": seller,
            "after": None if after is None else after.key,
            "entries": self.entries,
        }
        with atomic(self._path) as file:
            file.write(json.dumps(told).encode())

    def remove(self) -> None:
        """The migration is done."""
        self._path.unlink(missing_ok=True)


def _shown(uri: str) -> str:
    parsed = StoreUri.parse(uri)
    return f"{parsed.scheme}://{parsed.host.rpartition('@')[2]}/{parsed.path}"
