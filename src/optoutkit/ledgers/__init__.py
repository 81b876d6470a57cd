"""Ledgers: for which orders a buyer was asked for a review or for feedback, so that nobody asks twice."""

from optoutkit.ledgers.base import AsyncLedger, Ledger, Reservation, Standing
from optoutkit.ledgers.opening import open_async_ledger, open_ledger

__all__ = ["AsyncLedger", "Ledger", "Reservation", "Standing", "open_async_ledger", "open_ledger"]
