"""The adapter for Django's e-mail backends, and a backend for Django's settings. It imports Django only when one of them is used.

``EMAIL_BACKEND = "optoutkit.senders.django.EmailBackend"`` puts a guard round whatever sends the project's mail; as an app in
``INSTALLED_APPS`` this package brings system checks and the management command ``optoutkit``.
"""

import sys
from typing import TYPE_CHECKING, Any

import attrs

from optoutkit.errors import UnknownSender
from optoutkit.guard import AsyncGuard, Guard

if TYPE_CHECKING:
    from optoutkit.senders.django.backend import EmailBackend
    from optoutkit.senders.django.configuration import get_guard

__all__ = ["ADAPTER", "DjangoAdapter", "EmailBackend", "get_guard"]


@attrs.frozen
class DjangoAdapter:
    """Puts a :class:`optoutkit.Guard` round a connection of Django's, such as ``django.core.mail.get_connection()`` gives."""

    wraps: str = "Django's e-mail backends, those of django-anymail among them (Guard)"

    def knows(self, sender: object) -> bool:
        """Whether it is an object of a backend."""
        library: Any = sys.modules.get("django.core.mail.backends.base")
        return library is not None and isinstance(sender, library.BaseEmailBackend)

    def wrap(self, sender: Any, guard: Guard | AsyncGuard) -> Any:
        """Put the guard round it.

        Raises:
            UnknownSender: The guard is an AsyncGuard.
        """
        if not isinstance(guard, Guard):
            raise UnknownSender("Django's backends block: wrap them with a Guard")
        from optoutkit.senders.django.connection import GuardedConnection  # noqa: PLC0415 - only where there is Django

        return GuardedConnection(sender, guard)


ADAPTER = DjangoAdapter()
"""What the entry point ``django`` of the group ``optoutkit.senders`` leads to."""


def __getattr__(name: str) -> Any:
    """Import what needs Django when it is asked for: the guard looks for adapters where there is none."""
    if name == "EmailBackend":
        from optoutkit.senders.django.backend import EmailBackend  # noqa: PLC0415 - see above

        return EmailBackend
    if name == "get_guard":
        from optoutkit.senders.django.configuration import get_guard  # noqa: PLC0415 - see above

        return get_guard
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
