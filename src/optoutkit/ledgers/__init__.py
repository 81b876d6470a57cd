"""Ledgers: for which orders a buyer was asked for a review or for feedback, so that nobody asks twice.

What opens one is loaded when it is first used.
"""

from typing import TYPE_CHECKING

from optoutkit.ledgers.base import AsyncLedger, Ledger, Reservation, Standing

if TYPE_CHECKING:
    from optoutkit.ledgers.opening import open_async_ledger, open_ledger

__all__ = ["AsyncLedger", "Ledger", "Reservation", "Standing", "open_async_ledger", "open_ledger"]


def __getattr__(name: str) -> object:
    if name not in ("open_async_ledger", "open_ledger"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from optoutkit.ledgers import opening  # noqa: PLC0415 - see above

    return getattr(opening, name)
