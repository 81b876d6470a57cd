"""The adapter for Amazon's own ways to write to a buyer, the Messaging and Solicitations APIs, as python-amazon-sp-api calls them.

It imports the library only when one of its clients is wrapped.
"""

import inspect
import sys
from typing import Any

import attrs

from optoutkit.errors import UnknownSender
from optoutkit.guard import AsyncGuard, Guard

__all__ = ["ADAPTER", "SpApiAdapter"]


@attrs.frozen
class SpApiAdapter:
    """Puts a guard round a client of the Messaging or the Solicitations API."""

    wraps: str = "sp_api.api.Messaging and Solicitations (Guard), and those of sp_api.asyncio.api (AsyncGuard)"

    def knows(self, sender: object) -> bool:
        """Whether it is such a client."""
        libraries: list[Any] = [sys.modules.get("sp_api.api"), sys.modules.get("sp_api.asyncio.api")]
        return any(isinstance(sender, (library.Messaging, library.Solicitations)) for library in libraries if library is not None)

    def wrap(self, sender: Any, guard: Guard | AsyncGuard) -> Any:
        """Put the guard round it.

        Raises:
            UnknownSender: An async client needs an AsyncGuard, any other a Guard.
        """
        from optoutkit.senders.sp_api.client import GuardedApi, GuardedAsyncApi  # noqa: PLC0415 - imports the library

        if inspect.iscoroutinefunction(sender._request):  # noqa: SLF001 - where all of its operations end
            if not isinstance(guard, AsyncGuard):
                raise UnknownSender("the clients of sp_api.asyncio are asynchronous: wrap them with an AsyncGuard")
            return GuardedAsyncApi(sender, guard)
        if not isinstance(guard, Guard):
            raise UnknownSender("the clients of sp_api.api block: wrap them with a Guard, or use those of sp_api.asyncio.api")
        return GuardedApi(sender, guard)


ADAPTER = SpApiAdapter()
"""What the entry point ``sp_api`` of the group ``optoutkit.senders`` leads to."""
