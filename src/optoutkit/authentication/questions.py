"""The one question authentication asks: the text records of a name."""

import functools
from collections.abc import Awaitable, Sequence
from typing import Protocol, overload

import attrs

from optoutkit.errors import OptOutKitError
from optoutkit.flows import Request

__all__ = ["AsyncResolver", "DnsQuery", "NoAnswerYet", "Resolver", "default_async_resolver", "default_resolver"]


class NoAnswerYet(OptOutKitError):
    """DNS could not tell: a server failed, refused or did not answer in time. To be asked again later."""


class Resolver(Protocol):
    """Whatever can ask DNS for text records."""

    def txt(self, name: str, timeout: float) -> Sequence[bytes]:
        """The text records of a name, the strings of each joined; empty if it has none or does not exist.

        Args:
            name: A domain name, without a dot at the end.
            timeout: Seconds after which to give up.

        Raises:
            NoAnswerYet: DNS could not tell.
        """
        ...


class AsyncResolver(Protocol):
    """The same for asyncio."""

    async def txt(self, name: str, timeout: float) -> Sequence[bytes]:  # noqa: ASYNC109 - part of the question
        """As :meth:`Resolver.txt`, awaited."""
        ...


@attrs.frozen
class DnsQuery(Request[Sequence[bytes]]):
    """A flow wants the text records of a name; the answer is that of :meth:`Resolver.txt`.

    Attributes:
        name: A domain name, without a dot at the end.
        timeout: Seconds after which to give up.
    """

    name: str
    timeout: float

    @overload
    def call(self, resolver: Resolver) -> Sequence[bytes]: ...
    @overload
    def call(self, resolver: AsyncResolver) -> Awaitable[Sequence[bytes]]: ...
    def call(self, resolver: Resolver | AsyncResolver) -> Sequence[bytes] | Awaitable[Sequence[bytes]]:
        """Ask it of a resolver; an async one returns an awaitable."""
        return resolver.txt(self.name, self.timeout)


@functools.cache
def default_resolver() -> Resolver:
    """The resolver used where none is given: one a process, so that all share its cache."""
    from optoutkit.authentication.dns_client import DnsResolver  # noqa: PLC0415 - takes 150 ms, and most mails are worth no question

    return DnsResolver()


@functools.cache
def default_async_resolver() -> AsyncResolver:
    """The async resolver used where none is given."""
    from optoutkit.authentication.dns_client import AsyncDnsResolver  # noqa: PLC0415 - as above

    return AsyncDnsResolver()
