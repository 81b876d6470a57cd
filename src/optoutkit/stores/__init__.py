"""Stores: who opted out, for which seller, and which order belongs to whom."""

from optoutkit.stores.base import AsyncOptOutStore, EraseReport, LinkReport, OptOutStore, RecordReport
from optoutkit.stores.inventory import TellsLinks, TellsSellers
from optoutkit.stores.opening import Backend, open_async_store, open_store

__all__ = [
    "AsyncOptOutStore",
    "Backend",
    "EraseReport",
    "LinkReport",
    "OptOutStore",
    "RecordReport",
    "TellsLinks",
    "TellsSellers",
    "open_async_store",
    "open_store",
]
