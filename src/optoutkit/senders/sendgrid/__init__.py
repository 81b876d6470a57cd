"""The adapter for SendGrid's own client. It imports the library only when a client is wrapped."""

import sys
from typing import Any

import attrs

from optoutkit.errors import UnknownSender
from optoutkit.guard import AsyncGuard, Guard

__all__ = ["ADAPTER", "SendGridAdapter"]


@attrs.frozen
class SendGridAdapter:
    """Puts a :class:`optoutkit.Guard` round a client of SendGrid."""

    wraps: str = "sendgrid.SendGridAPIClient and classes derived from it (Guard)"

    def knows(self, sender: object) -> bool:
        """Whether it is such a client, or Twilio's for the same API."""
        library: Any = sys.modules.get("sendgrid.base_interface")
        return library is not None and isinstance(sender, library.BaseInterface)

    def wrap(self, sender: Any, guard: Guard | AsyncGuard) -> Any:
        """Put the guard round it.

        Raises:
            UnknownSender: The guard is an AsyncGuard.
        """
        if not isinstance(guard, Guard):
            raise UnknownSender("SendGrid's client blocks: wrap it with a Guard")
        from optoutkit.senders.sendgrid.client import GuardedSendGrid  # noqa: PLC0415 - imports the library

        return GuardedSendGrid(sender, guard)


ADAPTER = SendGridAdapter()
"""What the entry point ``sendgrid`` of the group ``optoutkit.senders`` leads to."""
