"""Every exception optoutkit raises on purpose.

::

    OptOutKitError
    ├── InvalidInput (also ValueError)
    │   ├── InvalidAddress
    │   ├── InvalidOrderId
    │   ├── InvalidMessage
    │   └── InvalidUri
    ├── MessageTooLarge
    ├── MissingExtra (also ImportError)
    ├── SourceUnavailable
    ├── StoreError
    │   ├── StoreUnavailable
    │   ├── StoreCorrupt
    │   ├── StoreVersionError
    │   └── StoreClosed
    └── GuardError
        ├── Held            (its SMTP form is also smtplib.SMTPResponseException, code 451)
        ├── Suppressed      (with Policy.on_suppressed = "raise", and where a sender knows no other way: Amazon's Messaging API)
        └── UnknownSender (also TypeError)

A ValueError raised for a wrong argument in the caller's own code (a naive time, a negative limit) stays a plain ValueError.
"""

from typing import Any

__all__ = [
    "GuardError",
    "Held",
    "InvalidAddress",
    "InvalidInput",
    "InvalidMessage",
    "InvalidOrderId",
    "InvalidUri",
    "MessageTooLarge",
    "MissingExtra",
    "OptOutKitError",
    "SourceUnavailable",
    "StoreClosed",
    "StoreCorrupt",
    "StoreError",
    "StoreUnavailable",
    "StoreVersionError",
    "Suppressed",
    "UnknownSender",
]


class OptOutKitError(Exception):
    """The root: ``except OptOutKitError`` catches whatever optoutkit raises on purpose."""


class InvalidInput(OptOutKitError, ValueError):
    """Something handed in cannot be read; the text says what is wrong with it."""


class InvalidAddress(InvalidInput):
    """Not an e-mail address that can be looked up."""


class InvalidOrderId(InvalidInput):
    """Not an Amazon order ID."""


class InvalidMessage(InvalidInput):
    """Not an e-mail, or not one that can be checked."""


class InvalidUri(InvalidInput):
    """The URI of a store or a mailbox with an unknown scheme, or one that lacks a part."""


class MessageTooLarge(OptOutKitError):
    """A mail beyond the limits of size, parts or depth; nothing of it was read."""


class MissingExtra(OptOutKitError, ImportError):
    """A feature needs a package that is not installed.

    Attributes:
        extra: The pip extra that brings it, such as ``"cli"``.
    """

    def __init__(self, feature: str, extra: str) -> None:
        """Say which feature wants which extra."""
        super().__init__(f"{feature} needs an optional package. Install it with: pip install 'optoutkit[{extra}]'")
        self.extra = extra


class SourceUnavailable(OptOutKitError):
    """A mailbox on a server cannot be reached, or the server went away. Trying again later is safe."""


class StoreError(OptOutKitError):
    """The root of what stores raise; no driver's own error gets past it."""


class StoreUnavailable(StoreError):
    """The store does not answer, is locked or out of space. Trying again later is safe."""


class StoreCorrupt(StoreError):
    """The store's file is damaged, or is no opt-out store at all."""


class StoreVersionError(StoreError):
    """The store was written by a newer optoutkit than this one."""


class StoreClosed(StoreError):
    """The store was used after ``close()``."""


class GuardError(OptOutKitError):
    """The root of what the guard raises.

    Attributes:
        verdict: The :class:`optoutkit.Verdict` that led to it, if there is one.
    """

    def __init__(self, message: str, verdict: Any = None) -> None:
        """Keep the verdict beside the text."""
        super().__init__(message)
        self.verdict = verdict

    def __reduce__(self) -> Any:
        """Pickle what it is: those of its kinds that are a library's own exception, too, would be made anew of other arguments."""
        return _restored, (type(self), self.args), self.__dict__


def _restored(kind: type[GuardError], args: tuple[Any, ...]) -> GuardError:
    error = kind.__new__(kind)
    error.args = args
    return error


class Held(GuardError):
    """Nothing of the message was sent, as nobody can say now whether it may go (the store did not answer, say): send it again later."""


class Suppressed(GuardError):
    """Recipients were suppressed, and the policy asks for an exception, or the sender has no other way to say it."""


class UnknownSender(GuardError, TypeError):
    """The guard knows no adapter for the object it was to wrap."""
