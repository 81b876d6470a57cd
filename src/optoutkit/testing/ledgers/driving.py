"""One set of verbs for the tests of sync and async ledgers."""

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, cast

from optoutkit.identities import OrderId
from optoutkit.ledgers import AsyncLedger, Ledger, Reservation, Standing
from optoutkit.testing.stores import ManualClock

__all__ = ["BlockingAsyncLedger", "LedgerFactory", "all_at_once", "blocking_ledger"]

LedgerFactory = Callable[[ManualClock], "Ledger | AsyncLedger"]
"""Makes a ledger that goes by the clock."""


class BlockingAsyncLedger:
    """An async ledger with the verbs of a sync one, for tests: each call runs the event loop until it is done."""

    def __init__(self, ledger: AsyncLedger) -> None:
        self._ledger = ledger
        self._runner = asyncio.Runner()

    def lookup(self, order_ids: Iterable[OrderId], *, seller: str = "") -> Mapping[OrderId, Standing]:
        """See :meth:`optoutkit.ledgers.Ledger.lookup`."""
        return self._runner.run(self._ledger.lookup(order_ids, seller=seller))

    def reserve(self, order_ids: Iterable[OrderId], *, seller: str = "") -> Reservation:
        """See :meth:`optoutkit.ledgers.Ledger.reserve`."""
        return self._runner.run(self._ledger.reserve(order_ids, seller=seller))

    def confirm(self, reservation: Reservation) -> None:
        """See :meth:`optoutkit.ledgers.Ledger.confirm`."""
        self._runner.run(self._ledger.confirm(reservation))

    def release(self, reservation: Reservation) -> None:
        """See :meth:`optoutkit.ledgers.Ledger.release`."""
        self._runner.run(self._ledger.release(reservation))

    def health(self) -> None:
        """See :meth:`optoutkit.ledgers.Ledger.health`."""
        self._runner.run(self._ledger.health())

    def close(self) -> None:
        """See :meth:`optoutkit.ledgers.Ledger.close`."""
        self._runner.run(self._ledger.close())

    def all_at_once(self, number: int, call: Callable[[Any], Any]) -> list[Any]:
        """Do something with the async ledger in many tasks at once."""

        async def gather() -> list[Any]:
            return await asyncio.gather(*(call(self._ledger) for _ in range(number)))

        return self._runner.run(gather())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
        self._runner.close()


def blocking_ledger(ledger: Ledger | AsyncLedger) -> Ledger:
    """The ledger as it is if it is a sync one, else with blocking verbs, so that one test serves both."""
    if inspect.iscoroutinefunction(ledger.reserve):
        return BlockingAsyncLedger(cast("AsyncLedger", ledger))
    return cast("Ledger", ledger)


def all_at_once(ledger: Ledger, number: int, call: Callable[[Any], Any]) -> list[Any]:
    """Make a call many times at once: from threads if the ledger is a sync one, from tasks if it is an async one."""
    if isinstance(ledger, BlockingAsyncLedger):
        return ledger.all_at_once(number, call)
    barrier = threading.Barrier(number, timeout=60)

    def work(_number: int) -> Any:
        barrier.wait()
        return call(ledger)

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(work, range(number)))
