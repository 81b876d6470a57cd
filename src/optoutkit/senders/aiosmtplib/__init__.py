"""The adapter for aiosmtplib: its client ``SMTP`` and the function ``send``. It imports the library only when one of them is wrapped."""

import sys
from typing import Any

import attrs

from optoutkit.errors import UnknownSender
from optoutkit.guard import AsyncGuard, Guard

__all__ = ["ADAPTER", "AiosmtplibAdapter"]


@attrs.frozen
class AiosmtplibAdapter:
    """Puts an :class:`optoutkit.AsyncGuard` round what aiosmtplib sends with."""

    wraps: str = "aiosmtplib.SMTP, classes derived from it, and aiosmtplib.send (AsyncGuard)"

    def knows(self, sender: object) -> bool:
        """Whether it comes from aiosmtplib."""
        library: Any = sys.modules.get("aiosmtplib")
        return library is not None and (isinstance(sender, library.SMTP) or sender is library.send)

    def wrap(self, sender: Any, guard: Guard | AsyncGuard) -> Any:
        """Put the guard round it.

        Raises:
            UnknownSender: The guard is not an AsyncGuard.
        """
        if not isinstance(guard, AsyncGuard):
            raise UnknownSender("aiosmtplib is asynchronous: wrap it with an AsyncGuard, or use smtplib")
        from optoutkit.senders.aiosmtplib.client import guarded  # noqa: PLC0415 - imports the library

        return guarded(sender, guard)


ADAPTER = AiosmtplibAdapter()
"""What the entry point ``aiosmtplib`` of the group ``optoutkit.senders`` leads to."""
