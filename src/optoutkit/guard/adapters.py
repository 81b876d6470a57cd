"""Finding the adapter for a sender by the sender's type, without importing the library it comes from.

An adapter is an object registered under the entry-point group ``optoutkit.senders``:

    [project.entry-points."optoutkit.senders"]
    mymailer = "my_package.guarding:ADAPTER"
"""

import functools
import logging
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from types import MethodType
from typing import TYPE_CHECKING, Any, Protocol

from optoutkit.errors import UnknownSender

if TYPE_CHECKING:
    from optoutkit.guard.guards import AsyncGuard, Guard

__all__ = ["SenderAdapter", "adapt"]

_logger = logging.getLogger("optoutkit.guard")

_GROUP = "optoutkit.senders"

_BUILT_IN = (
    EntryPoint("smtplib", "optoutkit.senders.smtplib:ADAPTER", _GROUP),
    EntryPoint("aiosmtplib", "optoutkit.senders.aiosmtplib:ADAPTER", _GROUP),
    EntryPoint("django", "optoutkit.senders.django:ADAPTER", _GROUP),
    EntryPoint("flask_mail", "optoutkit.senders.flask_mail:ADAPTER", _GROUP),
    EntryPoint("sendgrid", "optoutkit.senders.sendgrid:ADAPTER", _GROUP),
    EntryPoint("ses", "optoutkit.senders.ses:ADAPTER", _GROUP),
    EntryPoint("sp_api", "optoutkit.senders.sp_api:ADAPTER", _GROUP),
)
_LAST = EntryPoint("callable", "optoutkit.senders.callables:ADAPTER", _GROUP)  # takes all that can be called, so it is asked last


class SenderAdapter(Protocol):
    """Knows one kind of sender and how to put a guard round it."""

    @property
    def wraps(self) -> str:
        """What it wraps, and with which guard, in a few words for people."""
        ...

    def knows(self, sender: object) -> bool:
        """Whether this is a sender of its kind. Must not import the sender's library: where it is not loaded, there is no such sender."""
        ...

    def wrap(self, sender: Any, guard: "Guard | AsyncGuard") -> Any:
        """Return an object with the sender's methods and return values that sends through :meth:`Guard.deliver`.

        Raises:
            UnknownSender: The sender needs the other kind of guard.
        """
        ...


def adapt(sender: object, guard: Any) -> Any:
    """Put a guard round a sender by the first adapter that knows it.

    Of a method, such as ``smtp.send_message``, the object that it belongs to is wrapped, of a partial its function: so what is written of
    the message in other arguments, such as the envelope, counts as it does with the object. What is behind the very guard stays as it is.

    Raises:
        UnknownSender: None does, or the one that does needs the other kind of guard.
    """
    if isinstance(sender, functools.partial):
        return functools.partial(adapt(sender.func, guard), *sender.args, **sender.keywords)
    is_behind = getattr(type(sender), "_is_behind", None)
    if is_behind is not None and is_behind(sender, guard):
        return sender
    there_is = []
    for entry, adapter in _adapters():
        if isinstance(sender, MethodType) and entry is not _LAST and _is_method_of_one(adapter, sender):
            return getattr(adapt(sender.__self__, guard), sender.__name__)
        if adapter.knows(sender):
            return adapter.wrap(sender, guard)
        there_is.append(adapter.wraps)
    what = (
        f"the class {sender.__name__} itself, rather than an object of it,"
        if isinstance(sender, type)
        else f"{type(sender).__name__} object"
    )
    raise UnknownSender(f"no adapter knows how to wrap a {what}; there is one for: {'; '.join(there_is)}")


def _is_method_of_one(adapter: SenderAdapter, method: MethodType) -> bool:
    owner = method.__self__
    return adapter.knows(owner) and getattr(owner, method.__name__, None) == method


def _adapters() -> Iterator[tuple[EntryPoint, SenderAdapter]]:
    """Load adapters one by one, so that one that cannot be loaded stands in nobody else's way."""
    own = {entry.name for entry in (*_BUILT_IN, _LAST)}
    installed = sorted((entry for entry in entry_points(group=_GROUP) if entry.name not in own), key=lambda entry: entry.name)
    for entry in (*_BUILT_IN, *installed, _LAST):
        try:
            adapter: SenderAdapter = entry.load()
        except Exception as error:  # noqa: BLE001 - somebody else's package
            _logger.warning("the sender adapter %s (%s) could not be loaded: %s", entry.name, entry.value, error)
            continue
        yield entry, adapter
