"""Stores: who opted out, for which seller, and which order belongs to whom.

The stores that stand around another one are loaded when they are first used.
"""

import importlib
from typing import TYPE_CHECKING

from optoutkit.stores.base import AsyncOptOutStore, EraseReport, LinkReport, OptOutStore, RecordReport
from optoutkit.stores.inventory import TellsLinks, TellsSellers
from optoutkit.stores.opening import Backend, open_async_store, open_store

if TYPE_CHECKING:
    from optoutkit.stores.cached import AsyncCachedStore, CachedStore
    from optoutkit.stores.hashed import AsyncHashedStore, AsyncRekeyable, HashedStore, Rekeyable, entries_by_secret
    from optoutkit.stores.layered import AsyncLayeredStore, LayeredStore

__all__ = [
    "AsyncCachedStore",
    "AsyncHashedStore",
    "AsyncLayeredStore",
    "AsyncOptOutStore",
    "AsyncRekeyable",
    "Backend",
    "CachedStore",
    "EraseReport",
    "HashedStore",
    "LayeredStore",
    "LinkReport",
    "OptOutStore",
    "RecordReport",
    "Rekeyable",
    "TellsLinks",
    "TellsSellers",
    "entries_by_secret",
    "open_async_store",
    "open_store",
]

_HOME = {
    "AsyncCachedStore": "cached",
    "AsyncHashedStore": "hashed",
    "AsyncLayeredStore": "layered",
    "AsyncRekeyable": "hashed",
    "CachedStore": "cached",
    "HashedStore": "hashed",
    "LayeredStore": "layered",
    "Rekeyable": "hashed",
    "entries_by_secret": "hashed",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
