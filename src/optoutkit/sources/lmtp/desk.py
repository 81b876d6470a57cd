"""What a mail server is answered: by recipient, and by what became of a mail."""

import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from optoutkit.intake import AsyncIntake, IntakeResult, IntakeStatus
from optoutkit.intake.results import mail_id

__all__ = ["Desk", "Route"]

Route = Callable[[str], AsyncIntake | Awaitable[AsyncIntake | None] | None]
"""Says which intake a recipient's address stands for, or None; it may be a coroutine function."""

_LOG = logging.getLogger("optoutkit.lmtp")
_LATER = "451 4.3.0 it cannot be taken in now"
_REMEMBERED = 10_000


class Desk:
    """Takes mails from sessions to intakes.

    Args:
        route: Says which intake a recipient stands for.
        now: Tells the time (aware).
    """

    def __init__(self, route: Route, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._route = route
        self._now = now
        self._came_first: dict[tuple[AsyncIntake, str], datetime] = {}  # of mails that have to be given again

    async def intake_of(self, recipient: str) -> AsyncIntake | None:
        """The intake that a recipient stands for."""
        found = self._route(recipient)
        return await found if inspect.isawaitable(found) else found

    async def deliver(self, raw: bytes, intakes: Sequence[AsyncIntake]) -> list[str]:
        """Take in a mail, once for each of the intakes; a reply for each recipient."""
        replies = {intake: await self._reply(raw, intake) for intake in dict.fromkeys(intakes)}
        return [replies[intake] for intake in intakes]

    async def _reply(self, raw: bytes, intake: AsyncIntake) -> str:
        mail = (intake, mail_id(raw))
        came_first = self._came_first.get(mail) or self._now()
        try:
            result = await intake.ingest(raw, arrived=came_first)
        except Exception as error:  # noqa: BLE001 - whatever it is, the mail server keeps the mail
            _LOG.error("mail %s could not be taken in (%s)", mail[1], type(error).__name__)
            return _LATER
        self._came_first.pop(mail, None)
        if result.status is IntakeStatus.RETRY:
            self._came_first[mail] = came_first
            if len(self._came_first) > _REMEMBERED:
                del self._came_first[next(iter(self._came_first))]
        return _answer(result)


def _answer(result: IntakeResult) -> str:
    """What a mail server is told, and writes into its log: no address, no order."""
    if result.status is IntakeStatus.RETRY:
        return _LATER
    if not result.is_done:
        return "550 5.7.1 not believed, and there is no quarantine folder"
    return f"250 2.0.0 mail {result.mail_id}: {result.status}"
