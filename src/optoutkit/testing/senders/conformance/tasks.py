"""What an async sender behind a guard owes to many tasks, and to one that is cancelled."""

# ruff: noqa: S101 - these are tests, for others to run

import asyncio
from typing import Any

import pytest

from optoutkit.testing.senders.conformance.driving import AsyncSenderDriver, Letter
from optoutkit.testing.senders.conformance.fixtures import SenderFixtures

__all__ = ["TaskRules"]

_SENDS = 8


class TaskRules(SenderFixtures):
    """What holds of tasks."""

    def test_threads_or_tasks_share_a_guard(self, driver: AsyncSenderDriver, guard: Any) -> None:
        """Each sends, through a sender of its own, with what it declared itself."""
        together = asyncio.Barrier(_SENDS)

        async def send(number: int) -> None:
            guarded = guard.wrap(driver.make_sender())
            with guard.declare(reply_to_buyer=number % 2 == 0):
                await together.wait()
                await driver.send_async(guarded, driver.compose(Letter(to=(driver.opted_out,), subject=str(number))))

        async def send_all() -> None:
            await asyncio.gather(*map(send, range(_SENDS)))

        driver.run(send_all())
        assert self.recipients(driver) == [(driver.opted_out,)] * (_SENDS // 2)

    def test_a_task_that_is_cancelled_sends_and_records_nothing(
        self, driver: AsyncSenderDriver, guard: Any, guarded: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Cancelled while the store is asked: neither message nor link; the same message goes when it is sent again."""
        message = driver.compose(Letter(to=(driver.buyer,), subject="Order 302-1234567-1234567"))
        asked, lookup = asyncio.Event(), guard._store.lookup  # noqa: SLF001 - where the guard waits

        async def wait(*_args: Any, **_kwargs: Any) -> Any:
            asked.set()
            await asyncio.Event().wait()

        async def cancel() -> None:
            sending = asyncio.create_task(driver.send_async(guarded, message))
            await asked.wait()
            sending.cancel()
            await asyncio.wait([sending])
            assert sending.cancelled()

        monkeypatch.setattr(guard._store, "lookup", wait)  # noqa: SLF001 - to stop it in the middle
        driver.run(cancel())
        assert self.recipients(driver) == []
        assert list(guard.store.scan_links()) == []
        monkeypatch.setattr(guard._store, "lookup", lookup)  # noqa: SLF001 - to stop it in the middle
        driver.send(guarded, message)
        assert self.recipients(driver) == [(driver.buyer,)]
