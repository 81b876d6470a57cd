"""The app that ``INSTALLED_APPS`` names as ``optoutkit.senders.django``."""

from django.apps import AppConfig
from django.core.checks import register

from optoutkit.senders.django.checks import check_settings, check_stores

__all__ = ["OptOutKitConfig"]


class OptOutKitConfig(AppConfig):  # type: ignore[misc]  # Django has no types
    """Brings the system checks and the command ``optoutkit``. It has no models."""

    name = "optoutkit.senders.django"
    label = "optoutkit"

    def ready(self) -> None:
        """Register the checks."""
        register(check_settings, "mail")
        register(check_stores, "mail")
