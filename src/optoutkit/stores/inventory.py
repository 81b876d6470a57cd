"""What a store can tell beside its verbs, so that it can be moved as a whole: its links, and whose lists it has.

Neither belongs to the contract of a store, as not every engine can tell them. :class:`optoutkit.testing.stores.InventoryConformance`
has the tests for those that can.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

from optoutkit.stores.base import LinkPair

__all__ = ["TellsLinks", "TellsSellers"]


@runtime_checkable
class TellsLinks(Protocol):
    """A store that can tell its links."""

    def scan_links(self, *, seller: str = "") -> Iterator[LinkPair]:
        """Yield the links of one list, as :meth:`optoutkit.OptOutStore.link` takes them, in any order.

        It may take as long as it likes: others write meanwhile, and what is there from beginning to end is yielded once.
        """
        ...


@runtime_checkable
class TellsSellers(Protocol):
    """A store that can tell whose lists it has."""

    def sellers(self) -> Iterable[str]:
        """Whose lists there are, in alphabetical order. Some may be empty; every one that is not is there."""
        ...
