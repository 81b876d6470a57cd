"""What becomes of a ledger for asyncio whose callers are cancelled, at whatever point."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optoutkit.errors import StoreUnavailable
from optoutkit.identities import OrderId
from optoutkit.ledgers import Standing, open_async_ledger
from optoutkit.ledgers.book import Book
from optoutkit.ledgers.fronts import AsyncioLedger, OnThreads
from optoutkit.ledgers.memory import MemoryBackend
from optoutkit.stores.base import utc_now

ORDER = OrderId("302-1234567-1234567")


class Gated(MemoryBackend):
    """Requests in memory; one verb is done no sooner than the test lets it, and one fails."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.gate = threading.Event(), threading.Event()
        self.gated, self.failing = "take", ""

    def take(self, *args: Any) -> Any:
        """Reserve, when let."""
        self._wait("take")
        return super().take(*args)

    def mark(self, *args: Any) -> Any:
        """Confirm, when let."""
        self._wait("mark")
        return super().mark(*args)

    def drop(self, *args: Any) -> Any:
        """Release, when let."""
        self._wait("drop")
        return super().drop(*args)

    def _wait(self, verb: str) -> None:
        if verb == self.gated:
            self.begun.set()
            assert self.gate.wait(60)
        if verb == self.failing:
            raise StoreUnavailable("gone")


async def cancelled(task: "asyncio.Task[Any]", backend: Gated) -> None:
    """Cancel a task while it waits for the backend, and let that go on."""
    assert await asyncio.to_thread(backend.begun.wait, 60)
    task.cancel()
    await asyncio.sleep(0)  # the cancellation is delivered while the backend is at work
    backend.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task


def run(main: Callable[[AsyncioLedger, Gated], Any]) -> None:
    """Run a test with a ledger over a gated backend."""
    backend = Gated()
    ledger = AsyncioLedger(OnThreads(lambda: backend), Book(keep_days=180, secret=None, clock=utc_now))
    asyncio.run(main(ledger, backend))


@pytest.mark.parametrize("failing", ["", "take", "drop"])
def test_reserving_leaves_nothing_reserved(failing: str) -> None:
    """The write that was under way is done, and then undone, or it has failed; where undoing fails, nobody is told but by the ledger."""

    async def main(ledger: AsyncioLedger, backend: Gated) -> None:
        backend.failing = failing
        await cancelled(asyncio.create_task(ledger.reserve([ORDER])), backend)
        backend.gated = backend.failing = ""
        assert await ledger.lookup([ORDER]) == ({ORDER: Standing.PENDING} if failing == "drop" else {})
        assert (await ledger.reserve([ORDER])).granted == (() if failing == "drop" else (ORDER,))

    run(main)


@pytest.mark.parametrize(("verb", "left"), [("mark", {ORDER: Standing.SENT}), ("drop", {})])
def test_confirming_and_releasing_are_done_all_the_same(verb: str, left: Any) -> None:
    """What was sent is written down as sent, what was not is given back."""

    async def main(ledger: AsyncioLedger, backend: Gated) -> None:
        backend.gated = verb
        reservation = await ledger.reserve([ORDER])
        call = ledger.confirm if verb == "mark" else ledger.release
        await cancelled(asyncio.create_task(call(reservation)), backend)
        assert await ledger.lookup([ORDER]) == left

    run(main)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "valkey"])
def test_whenever_it_is_cancelled_the_request_is_free_or_granted(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    """On real backends, after each number of turns of the event loop: nobody's request is lost to somebody who was cancelled."""
    uri = f"sqlite:///{tmp_path}/requests.db" if kind == "sqlite" else request.getfixturevalue(kind)

    async def main() -> None:
        async with open_async_ledger(uri) as ledger:
            await ledger.health()
            for turns in range(40):
                order = OrderId(f"302-0000000-{turns + 1:07}")
                task = asyncio.create_task(ledger.reserve([order]))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                granted = False
                with contextlib.suppress(asyncio.CancelledError):
                    granted = (await task).granted == (order,)
                assert await ledger.lookup([order]) == ({order: Standing.PENDING} if granted else {})

    asyncio.run(main())


def test_an_event_loop_may_end_meanwhile() -> None:
    """As ``asyncio.run`` cancels all that is left, the ledger's own work too: it ends, without a word to stderr."""

    async def main(ledger: AsyncioLedger, backend: Gated) -> None:
        task = asyncio.create_task(ledger.reserve([ORDER]))
        assert await asyncio.to_thread(backend.begun.wait, 60)
        for each in asyncio.all_tasks() - {asyncio.current_task()}:
            each.cancel()
        backend.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main)
