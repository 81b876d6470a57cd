"""Clients of the Messaging and Solicitations APIs behind a guard."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from optoutkit.errors import Held, Suppressed
from optoutkit.guard import Verdict
from optoutkit.senders.proxies import ContextProxy, SenderProxy
from optoutkit.senders.sp_api.operations import message_of

if TYPE_CHECKING:  # the library has no types, and a class of unknown kind would leave ours untyped

    class SellingApiTemporarilyUnavailableException(Exception):
        def __getattr__(self, name: str) -> Any: ...

    class SellingApiForbiddenException(Exception):
        def __getattr__(self, name: str) -> Any: ...

else:
    from sp_api.base import SellingApiForbiddenException, SellingApiTemporarilyUnavailableException

__all__ = ["GuardedApi", "GuardedAsyncApi", "HeldMessage", "SuppressedMessage"]


class HeldMessage(Held, SellingApiTemporarilyUnavailableException):
    """Held, also for those who catch the library's own exceptions: temporarily unavailable, as with HTTP status 503.

    Attributes:
        verdict: The verdict that led to it.
        error: What the library would have made of such an answer.
    """

    def __init__(self, message: str, verdict: Verdict | None = None) -> None:
        """Say the same to both kinds of readers."""
        Exception.__init__(self, message)
        SellingApiTemporarilyUnavailableException.__init__(self, [{"code": "ServiceUnavailable", "message": message, "details": ""}])
        self.verdict = verdict


class SuppressedMessage(Suppressed, SellingApiForbiddenException):
    """The message must not go. It is reported as Amazon reports what it refuses: forbidden, as with HTTP status 403.

    Whoever writes to the buyers of many orders catches :class:`sp_api.base.SellingApiForbiddenException` anyway, as Amazon answers so
    to every order for which a message is not available (amazon.md section e).

    Attributes:
        verdict: The verdict that led to it.
        error: What the library would have made of such an answer; its code is Amazon's ``Unauthorized``.
    """

    def __init__(self, message: str, verdict: Verdict | None = None) -> None:
        """Say the same to both kinds of readers."""
        Exception.__init__(self, message)
        SellingApiForbiddenException.__init__(self, [{"code": "Unauthorized", "message": message, "details": ""}])
        self.verdict = verdict


class GuardedApi(ContextProxy):
    """A client behind a guard, which every operation passes that writes to a buyer. What only asks does not."""

    def _request(self, path: str, *, data: Any = None, params: Any = None, **options: Any) -> Any:
        """Where all operations of a client end."""
        message = message_of(path, data, params)
        if message is None:
            return self._sender._request(path, data=data, params=params, **options)  # noqa: SLF001 - the client's own
        delivery = self._guard.deliver(
            message,
            lambda _verdict: self._sender._request(path, data=_copy(data), params=params, **options),  # noqa: SLF001 - the library has no other way in
            held=HeldMessage,
        )
        _raise_if_suppressed(delivery.verdict)
        return delivery.answer


class GuardedAsyncApi(SenderProxy):
    """The same for asyncio."""

    async def __aenter__(self) -> Self:
        await self._sender.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> Any:
        return await self._sender.__aexit__(kind, error, trace)

    async def _request(self, path: str, *, data: Any = None, params: Any = None, **options: Any) -> Any:
        """See :class:`GuardedApi`."""
        message = message_of(path, data, params)
        if message is None:
            return await self._sender._request(path, data=data, params=params, **options)  # noqa: SLF001 - the library has no other way in
        delivery = await self._guard.deliver(
            message,
            lambda _verdict: self._sender._request(path, data=_copy(data), params=params, **options),  # noqa: SLF001 - the library has no other way in
            held=HeldMessage,
        )
        _raise_if_suppressed(delivery.verdict)
        return delivery.answer


def _copy(data: Any) -> Any:
    return dict(data) if isinstance(data, dict) else data  # the library writes the marketplace into it, which is the caller's own


def _raise_if_suppressed(verdict: Verdict) -> None:
    if verdict.suppressed:
        raise SuppressedMessage(verdict.suppressed[0].explanation, verdict)
