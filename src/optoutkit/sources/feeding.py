"""From a source into an intake: saved first, marked as read after."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from typing import Protocol

from optoutkit.intake import AsyncIntake, IntakeResult
from optoutkit.sources.item import Item

__all__ = ["feed", "feed_async"]


class TakesMails(Protocol):
    """An :class:`optoutkit.Intake`, or what stands before one."""

    def ingest(self, raw: bytes, *, arrived: datetime | None = None) -> IntakeResult:
        """Take in one mail, as :meth:`optoutkit.Intake.ingest` does."""
        ...


def feed(items: Iterable[Item], intake: TakesMails) -> Iterator[tuple[Item, IntakeResult]]:
    """Give mails to an intake, one by one, and tell their source what became of them.

    A mail is marked as read only after what matters of it is in the store or in quarantine; all others come again.

    Args:
        items: Such as :func:`optoutkit.sources.open_source` gives.
        intake: Where they go.

    Yields:
        Each mail, and what became of it.

    Raises:
        StoreError: As :meth:`optoutkit.Intake.ingest` does; the mail comes again.
        InvalidInput: As the source does.
    """
    for item in items:
        try:
            result = intake.ingest(item.raw, arrived=item.arrived)
        except BaseException:
            item.leave()
            raise
        (item.done if result.is_done else item.leave)()
        yield item, result


async def feed_async(items: Iterable[Item], intake: AsyncIntake) -> AsyncIterator[tuple[Item, IntakeResult]]:
    """As :func:`feed`, for asyncio: the source is read and told in a thread."""
    source = iter(items)
    while (item := await asyncio.to_thread(next, source, None)) is not None:
        try:
            result = await intake.ingest(item.raw, arrived=item.arrived)
        except BaseException:
            item.leave()
            raise
        await asyncio.to_thread(item.done if result.is_done else item.leave)
        yield item, result
