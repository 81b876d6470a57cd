"""What a flow asks of a ledger, as it asks a store; see :mod:`optoutkit.stores.requests`."""

from typing import Any, TypeVar

import attrs

from optoutkit.flows import Request
from optoutkit.identities import OrderId
from optoutkit.ledgers.base import Reservation, Standing

__all__ = ["Confirm", "LedgerRequest", "LookUp", "Release", "Reserve"]

A_co = TypeVar("A_co", covariant=True)


class LedgerRequest(Request[A_co]):
    """A request that is for the ledger, not for the store. An async ledger's answer is to be awaited."""

    __slots__ = ()


@attrs.frozen
class LookUp(LedgerRequest[dict[OrderId, Standing]]):
    """For which of these was a request sent? See :meth:`optoutkit.ledgers.Ledger.lookup`."""

    order_ids: tuple[OrderId, ...]
    seller: str

    def call(self, ledger: Any) -> Any:
        """Ask the ledger."""
        return ledger.lookup(self.order_ids, seller=self.seller)


@attrs.frozen
class Reserve(LedgerRequest[Reservation]):
    """Reserve the one request of each of these. See :meth:`optoutkit.ledgers.Ledger.reserve`."""

    order_ids: tuple[OrderId, ...]
    seller: str

    def call(self, ledger: Any) -> Any:
        """Ask the ledger."""
        return ledger.reserve(self.order_ids, seller=self.seller)


@attrs.frozen
class Confirm(LedgerRequest[None]):
    """They were sent. See :meth:`optoutkit.ledgers.Ledger.confirm`."""

    reservation: Reservation

    def call(self, ledger: Any) -> Any:
        """Tell the ledger."""
        return ledger.confirm(self.reservation)


@attrs.frozen
class Release(LedgerRequest[None]):
    """They were not sent. See :meth:`optoutkit.ledgers.Ledger.release`."""

    reservation: Reservation

    def call(self, ledger: Any) -> Any:
        """Tell the ledger."""
        return ledger.release(self.reservation)
