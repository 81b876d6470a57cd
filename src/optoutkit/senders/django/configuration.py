"""What a project's settings say of the guard round its mail."""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import attrs
from django import conf  # not its settings by name: what only looks at this module would set them up
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from optoutkit.errors import InvalidUri, MissingExtra, StoreError
from optoutkit.guard import Guard, Policy
from optoutkit.ledgers import open_ledger
from optoutkit.stores.opening import open_store

__all__ = ["BACKEND", "SETTING", "Configuration", "get_guard", "import_class"]

SETTING = "OPTOUTKIT"
BACKEND = "optoutkit.senders.django.EmailBackend"

_POLICIES = {"AMAZON": Policy.AMAZON, "STRICT": Policy.STRICT, "AUDIT": Policy.AUDIT}


def _policy(value: Any) -> Policy:
    """A policy, or the name of one, or where one can be imported from."""
    if isinstance(value, str):
        value = _POLICIES[value] if value in _POLICIES else _imported(value, "POLICY")
    if not isinstance(value, Policy):
        raise ImproperlyConfigured(f"{SETTING}: POLICY is neither a Policy nor one of {', '.join(_POLICIES)}")
    return value


def _text(_instance: object, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    if not isinstance(value, str):
        raise ImproperlyConfigured(f"{SETTING}: {attribute.name.upper()} is not a string")


@attrs.frozen(kw_only=True)
class Configuration:
    """The setting ``OPTOUTKIT``, or the ``OPTIONS`` of a mailer over it.

    Attributes:
        backend: The dotted path of the backend that sends.
        store: The URI of the store.
        seller: Whose list is asked; ``""`` is the store's owner.
        policy: The rules.
        ledger: The URI of the ledger of requests; ``""`` counts none.
        guard: The dotted path of a guard, or of a function that makes one, in place of the four above.

    Raises:
        ImproperlyConfigured: One of them is not what it should be, or neither store nor guard is given.
    """

    backend: str = attrs.field(default="django.core.mail.backends.smtp.EmailBackend", validator=_text)
    store: str = attrs.field(default="", validator=_text)
    seller: str = attrs.field(default="", validator=_text)
    policy: Policy = attrs.field(default=Policy.AMAZON, converter=_policy)
    ledger: str = attrs.field(default="", validator=_text)
    guard: str = attrs.field(default="", validator=_text)

    def __attrs_post_init__(self) -> None:
        """See that there is a store."""
        if not self.store and not self.guard:
            raise ImproperlyConfigured(f"{SETTING}: there is no STORE, such as 'sqlite:////var/lib/shop/optouts.db'")

    @classmethod
    def made_of(cls, options: Mapping[str, Any]) -> tuple["Configuration", dict[str, Any]]:
        """What the settings say, with options over them; and those options that are the inner backend's own."""
        said = getattr(conf.settings, SETTING, {})
        if not isinstance(said, Mapping):
            raise ImproperlyConfigured(f"{SETTING} is not a dict")
        names = {field.name for field in attrs.fields(cls)}
        if unknown := sorted(str(key) for key in said if str(key).lower() not in names or str(key) != str(key).upper()):
            known = ", ".join(sorted(name.upper() for name in names))
            raise ImproperlyConfigured(f"{SETTING} knows no {', '.join(unknown)}; there is {known}")
        own = {name: value for name, value in options.items() if name in names}
        others = {name: value for name, value in options.items() if name not in names}
        return cls(**{**{key.lower(): value for key, value in said.items()}, **own}), others

    @classmethod
    def of_mailers(cls) -> dict[str, Mapping[str, Any]]:
        """The options of each mailer in the settings that sends through the guard, by its alias."""
        mailers: Mapping[str, Any] = getattr(conf.settings, "MAILERS", {})
        return {alias: mailer.get("OPTIONS", {}) for alias, mailer in mailers.items() if mailer.get("BACKEND") == BACKEND}

    def make_guard(self) -> Guard:
        """The guard; the same one for equal configurations, so that what is declared for it holds wherever the project sends.

        Raises:
            ImproperlyConfigured: There is no such store, or no such guard.
        """
        with _LOCK:
            if self not in _GUARDS:
                _GUARDS[self] = self._made()
            return _GUARDS[self]

    def _made(self) -> Guard:
        if self.guard:
            made = _imported(self.guard, "GUARD")
            made = made() if not isinstance(made, Guard) and callable(made) else made
            if not isinstance(made, Guard):
                raise ImproperlyConfigured(f"{SETTING}: GUARD leads to no Guard")
            return made
        store: Any = _opened(open_store, self.store, "STORE")
        ledger: Any = _opened(open_ledger, self.ledger, "LEDGER") if self.ledger else None
        return Guard(store, seller=self.seller, policy=self.policy, ledger=ledger)


_GUARDS: dict[Configuration, Guard] = {}
_LOCK = Lock()


def get_guard(alias: str = "default") -> Guard:
    """The guard that mail passes: to declare what only the caller knows of a message, or to ask without sending.

    Args:
        alias: Which one of ``MAILERS``, where the project has that setting (Django 6.1).

    Raises:
        ImproperlyConfigured: The settings are wrong.

    Example::

        with get_guard().declare(topic=Topic.SHIPPING_ADDRESS):
            send_mail("Your order", text, None, [buyer])
    """
    configuration, _ = Configuration.made_of(Configuration.of_mailers().get(alias, {}))
    return configuration.make_guard()


def import_class(path: str) -> Any:
    """Import the inner backend.

    Raises:
        ImproperlyConfigured: There is none of this name, or it is the guard again.
    """
    if path == BACKEND:
        raise ImproperlyConfigured(f"{SETTING}: BACKEND is to be the backend that sends, not the guard itself")
    return _imported(path, "BACKEND")


class _OpenedLater:
    """Stands for a store or a ledger that does not answer yet: it must not keep critical mail from going meanwhile."""

    def __init__(self, opens: Callable[[str], Any], uri: str) -> None:
        self._opens, self._uri = opens, uri
        self._place: Any = None

    def __getattr__(self, verb: str) -> Any:
        def ask(*args: Any, **kwargs: Any) -> Any:
            if self._place is None:
                self._place = self._opens(self._uri)
            return getattr(self._place, verb)(*args, **kwargs)

        return ask


def _opened(opens: Callable[[str], Any], uri: str, key: str) -> Any:
    try:
        return opens(uri)
    except (InvalidUri, MissingExtra) as error:
        raise ImproperlyConfigured(f"{SETTING}: {key}: {error}") from error
    except StoreError:
        return _OpenedLater(opens, uri)


def _imported(path: str, key: str) -> Any:
    try:
        return import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"{SETTING}: {key}: {error}") from error
