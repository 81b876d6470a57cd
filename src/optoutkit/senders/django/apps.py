"""The app that ``INSTALLED_APPS`` names as ``optoutkit.senders.django``."""

from typing import TYPE_CHECKING, Any

from django.core.checks import register

from optoutkit.senders.django.checks import check_settings, check_stores

if TYPE_CHECKING:  # the library has no types, and a class of unknown kind would leave ours untyped

    class AppConfig:
        def __getattr__(self, name: str) -> Any: ...

else:
    from django.apps import AppConfig

__all__ = ["OptOutKitConfig"]


class OptOutKitConfig(AppConfig):
    """Brings the system checks and the command ``optoutkit``. It has no models."""

    name = "optoutkit.senders.django"
    label = "optoutkit"

    def ready(self) -> None:
        """Register the checks."""
        register(check_settings, "mail")
        register(check_stores, "mail")
