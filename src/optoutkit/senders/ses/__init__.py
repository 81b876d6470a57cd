"""The adapter for boto3's clients of Amazon SES, ``ses`` and ``sesv2``. It imports the library only when one of them is wrapped."""

import inspect
import sys
from typing import Any

import attrs

from optoutkit.errors import UnknownSender
from optoutkit.guard import AsyncGuard, Guard

__all__ = ["ADAPTER", "SesAdapter"]


@attrs.frozen
class SesAdapter:
    """Puts a :class:`optoutkit.Guard` round a client of Amazon SES."""

    wraps: str = "boto3.client('ses') and boto3.client('sesv2') (Guard)"

    def knows(self, sender: object) -> bool:
        """Whether it is such a client; of botocore's own, too."""
        library: Any = sys.modules.get("botocore.client")
        return library is not None and isinstance(sender, library.BaseClient) and _service(sender) in ("ses", "sesv2")

    def wrap(self, sender: Any, guard: Guard | AsyncGuard) -> Any:
        """Put the guard round it.

        Raises:
            UnknownSender: The guard is an AsyncGuard, or the client is asynchronous.
        """
        if inspect.iscoroutinefunction(sender._make_api_call):  # noqa: SLF001 - where all of its operations end
            raise UnknownSender("no adapter knows how to wrap aiobotocore's asynchronous clients; wrap a function that sends by one")
        if not isinstance(guard, Guard):
            raise UnknownSender("boto3's clients block: wrap them with a Guard")
        from optoutkit.senders.ses.client import GuardedSes  # noqa: PLC0415 - imports the library

        return GuardedSes(sender, guard)


ADAPTER = SesAdapter()
"""What the entry point ``ses`` of the group ``optoutkit.senders`` leads to."""


def _service(client: Any) -> str:
    name: str = client.meta.service_model.service_name
    return name
