"""What adapters share: a stand-in for the sender, and the recipients of an envelope sorted by a verdict."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from email.message import Message as StandardMessage
from types import MethodType, TracebackType
from typing import Any, Self, TypeVar

from optoutkit.errors import UnknownSender
from optoutkit.guard import Action, AsyncGuard, Decision, Guard, Verdict

__all__ = ["ContextProxy", "SenderProxy", "allowed", "encoded", "listed", "refused_text", "with_suppressed"]

Reply = TypeVar("Reply")

_TAKEN_NAMES = ("_sender", "_guard")


class SenderProxy:
    """Stands for a sender: its attributes are read, set and deleted there, and ``isinstance`` takes it for an object of its class.

    The sender's methods run with the stand-in as their ``self``. So one that sends by calling another, such as a method that a
    program added in a class of its own, does not get past the guard.

    Args:
        sender: The sender it stands for.
        guard: The guard that messages pass.

    Raises:
        UnknownSender: The sender has attributes of its own called ``_sender`` or ``_guard``.
    """

    _sender: Any
    _guard: Any

    def __init__(self, sender: Any, guard: Guard | AsyncGuard) -> None:
        if not issubclass(type(sender), SenderProxy):
            _check_names(sender)
        object.__setattr__(self, "_sender", sender)
        object.__setattr__(self, "_guard", guard)

    @property  # type: ignore[misc]  # read-only, as in unittest.mock: what wraps a client passes where a client is asked for
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return type(self._sender)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._sender, name)
        if isinstance(attribute, MethodType) and attribute.__self__ is self._sender:
            return MethodType(attribute.__func__, self)
        return attribute

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _TAKEN_NAMES:
            raise AttributeError(f"{name} is what the stand-in for a guarded sender has itself: give the attribute another name")
        setattr(self._sender, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._sender, name)

    def _is_behind(self, guard: Guard | AsyncGuard) -> bool:
        """Whether it is this guard that messages pass."""
        return self._guard is guard

    def __reduce_ex__(self, _protocol: Any) -> Any:
        raise TypeError(f"a guarded {type(self._sender).__name__} can be neither pickled nor copied: wrap it where it is needed")

    def __copy__(self) -> Any:
        return self.__reduce_ex__(4)

    def __deepcopy__(self, _memo: Any) -> Any:
        return self.__reduce_ex__(4)  # the sender's own way to copy itself would leave the guard behind

    def __repr__(self) -> str:
        return f"<guarded {self._sender!r}>"


class ContextProxy(SenderProxy):
    """Stands for a sender that is a context manager; within the block it stays the guarded one."""

    def __enter__(self) -> Self:
        self._sender.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> Any:
        return self._sender.__exit__(kind, error, trace)


def _check_names(sender: Any) -> None:
    """A method of a derived class, which runs with the stand-in, would read the stand-in's own in place of these."""
    for name in _TAKEN_NAMES:
        if inspect.getattr_static(sender, name, None) is not None:
            kind = type(sender).__name__
            raise UnknownSender(f"the class {kind} has an attribute {name}, which a guarded {kind} needs itself: give it another name")


def listed(recipients: str | Iterable[str]) -> list[str]:
    """An envelope as SMTP clients take it, a single recipient or several, as a list of the guard's own."""
    return [recipients] if isinstance(recipients, str) else list(recipients)


def encoded(mail: StandardMessage | bytes | str) -> StandardMessage | bytes:
    """A mail, which clients of SMTP take as a text, too, as the guard reads it."""
    return mail.encode("utf-8", "replace") if isinstance(mail, str) else mail


def allowed(recipients: Sequence[str], verdict: Verdict) -> list[str]:
    """Those recipients that the message goes to, in their order."""
    return [recipient for recipient, decision in zip(recipients, verdict.decisions, strict=True) if decision.action is Action.SEND]


def refused_text(decision: Decision) -> str:
    """What an SMTP client is told of a suppressed recipient, beside reply code 550.

    5.7.1 is "delivery not authorized, message refused" (RFC 3463 section 3.8). Replies are ASCII (RFC 5321 section 4.2).
    """
    return f"5.7.1 {decision.explanation}".encode("ascii", "replace").decode("ascii")


def with_suppressed(
    refused: Mapping[str, Reply], recipients: Sequence[str], verdict: Verdict, reply: Callable[[str, Decision], Reply]
) -> dict[str, Reply]:
    """The recipients that the server refused and those that the guard suppressed, in the order of the envelope."""
    replies = dict(refused)
    merged = {}
    for recipient, decision in zip(recipients, verdict.decisions, strict=True):
        if decision.action is Action.SUPPRESS:
            merged[recipient] = reply(recipient, decision)
        elif recipient in replies:
            merged[recipient] = replies[recipient]
    return {**merged, **replies}
