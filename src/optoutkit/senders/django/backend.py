"""The backend for Django's settings."""

from typing import Any, cast

import django

from optoutkit.guard import Guard
from optoutkit.senders.django.configuration import Configuration, import_class
from optoutkit.senders.django.connection import GuardedConnection

__all__ = ["EmailBackend"]

# From 6.1 on, Django warns of backends that are made by hand, and takes for such whatever has no alias; None is that of the old settings.
_ALIAS: dict[str, Any] = {"alias": None} if cast("Any", django.VERSION) >= (6, 1) else {}


class EmailBackend(GuardedConnection):
    """The backend that the settings name as the one that sends, behind a guard.

    Args:
        fail_silently: As Django has it; messages that are held are then dropped like those that a server refuses.
        options: Those of the setting ``OPTOUTKIT`` in lower case (``backend``, ``store``, ``seller``, ``policy``, ``ledger``, ``guard``),
            which go before it. All others are for the backend that sends.

    Raises:
        ImproperlyConfigured: The settings are wrong.
    """

    def __init__(self, fail_silently: bool = False, **options: Any) -> None:
        configuration, others = Configuration.made_of(options)
        if fail_silently:
            others["fail_silently"] = True
        inner = import_class(configuration.backend)(**{**_ALIAS, **others})
        super().__init__(inner, self.make_guard(configuration))

    @staticmethod
    def make_guard(configuration: Configuration) -> Guard:
        """Make the guard; for backends that are derived from this one."""
        return configuration.make_guard()
