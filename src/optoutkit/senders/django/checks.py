"""System checks: what is wrong with the settings shows when the project starts, rather than with the first mail.

| ID | what is wrong |
|---|---|
| ``optoutkit.E001`` | the settings cannot be read, or there is no such store |
| ``optoutkit.E002`` | there is no such backend to send with |
| ``optoutkit.W001`` | the store does not answer |
| ``optoutkit.W002`` | the app is installed, and mail leaves without passing a guard |
"""

from collections.abc import Iterator
from typing import Any

from django import conf  # not its settings by name: what only looks at this module would set them up
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name
from django.core.exceptions import ImproperlyConfigured

from optoutkit.identities import Address
from optoutkit.senders.django.configuration import BACKEND, SETTING, Configuration, import_class
from optoutkit.stores.opening import open_store

__all__ = ["check_settings", "check_stores"]

_FOR_TESTS = "django.core.mail.backends.locmem.EmailBackend"


def check_settings(**_kwargs: Any) -> "list[Any]":
    """Whether the settings can be read, and every way to send passes the guard."""
    problems: list[CheckMessage] = []
    for where, options in _places():
        try:
            configuration, _ = Configuration.made_of(options)
            configuration.make_guard()
        except ImproperlyConfigured as error:
            problems.append(Error(f"{where}{error}", id="optoutkit.E001"))
            continue
        try:
            import_class(configuration.backend)
        except ImproperlyConfigured as error:
            problems.append(Error(f"{where}{error}", id="optoutkit.E002"))
    return problems + [
        Warning(f"{where} sends by {backend}, past the guard.", hint=f"Make it {BACKEND}, which sends by it.", id="optoutkit.W002")
        for where, backend in _ways_past()
    ]


def check_stores(**_kwargs: Any) -> "list[Any]":
    """Whether each store answers."""
    problems: list[CheckMessage] = []
    for where, options in _places():
        try:
            configuration, _ = Configuration.made_of(options)
        except ImproperlyConfigured:
            continue  # the other check tells it
        if not configuration.guard and not _answers(configuration.store):
            hint = "Until it does, messages to buyers that are not critical are held."
            problems.append(Warning(f"{where}{SETTING}: the store does not answer.", hint=hint, id="optoutkit.W001"))
    return problems


def _answers(uri: str) -> bool:
    try:
        with open_store(uri) as store:
            store.lookup([Address("check@marketplace.amazon.com")])
    except Exception:  # noqa: BLE001 - a store may be somebody else's, and its error may hold a password
        return False
    return True


def _places() -> Iterator[tuple[str, Any]]:
    """Where the settings set up a guard: the name of the place for a message, and its options."""
    mailers = Configuration.of_mailers()
    for alias, options in mailers.items():
        yield f"MAILERS[{alias!r}]: ", options
    if not mailers:
        yield "", {}


def _ways_past() -> Iterator[tuple[str, str]]:
    mailers = getattr(conf.settings, "MAILERS", None)
    if mailers is None:
        ways = [("EMAIL_BACKEND", conf.settings.EMAIL_BACKEND)]
    else:
        ways = [(f"MAILERS[{alias!r}]", mailer.get("BACKEND", "Django's SMTP backend")) for alias, mailer in mailers.items()]
    return ((where, backend) for where, backend in ways if backend not in (BACKEND, _FOR_TESTS))
