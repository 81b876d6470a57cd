"""Questions to DNS by dnspython, which no other module knows. Importing this takes a while: do so when there is something to ask."""

import functools
from collections.abc import Sequence
from typing import TypeVar

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver

from optoutkit.authentication.questions import NoAnswerYet

__all__ = ["AsyncDnsResolver", "DnsResolver"]

_CACHED_ANSWERS = 1000
_NO_SUCH_TEXT = (
    dns.resolver.NXDOMAIN,
    dns.resolver.NoAnswer,
    dns.exception.SyntaxError,  # a name that cannot exist: an empty label, one of more than 63 bytes
    dns.name.NameTooLong,
)


class DnsResolver:
    """Asks DNS. Answers are kept for their time to live, the answer that there is no such name too.

    One object may serve many threads.

    Args:
        nameservers: IP addresses to ask; if none are given, those that the system is configured with.
        port: Their UDP and TCP port.
        cache_size: How many answers to keep.
    """

    def __init__(self, nameservers: Sequence[str] = (), *, port: int = 53, cache_size: int = _CACHED_ANSWERS) -> None:
        self._make = functools.partial(_configured, dns.resolver.Resolver, tuple(nameservers), port, cache_size)

    @functools.cached_property
    def _resolver(self) -> dns.resolver.Resolver:
        return self._make()

    def txt(self, name: str, timeout: float) -> tuple[bytes, ...]:
        """See :meth:`optoutkit.authentication.Resolver.txt`."""
        try:
            return _texts(self._resolver.resolve(name + ".", "TXT", lifetime=timeout, search=False))
        except (dns.exception.DNSException, OSError) as error:
            return _none_or_raise(error)


class AsyncDnsResolver:
    """The same for asyncio. One object may serve many tasks and event loops.

    Args:
        nameservers: IP addresses to ask; if none are given, those that the system is configured with.
        port: Their UDP and TCP port.
        cache_size: How many answers to keep.
    """

    def __init__(self, nameservers: Sequence[str] = (), *, port: int = 53, cache_size: int = _CACHED_ANSWERS) -> None:
        self._make = functools.partial(_configured, dns.asyncresolver.Resolver, tuple(nameservers), port, cache_size)

    @functools.cached_property
    def _resolver(self) -> dns.asyncresolver.Resolver:
        return self._make()

    async def txt(self, name: str, timeout: float) -> tuple[bytes, ...]:  # noqa: ASYNC109 - dnspython keeps it
        """See :meth:`optoutkit.authentication.Resolver.txt`."""
        try:
            return _texts(await self._resolver.resolve(name + ".", "TXT", lifetime=timeout, search=False))
        except (dns.exception.DNSException, OSError) as error:
            return _none_or_raise(error)


R = TypeVar("R", dns.resolver.Resolver, dns.asyncresolver.Resolver)


def _configured(kind: type[R], nameservers: tuple[str, ...], port: int, cache_size: int) -> R:
    resolver = kind(configure=not nameservers)
    if nameservers:
        resolver.nameservers = list(nameservers)
        resolver.port = port
    resolver.cache = dns.resolver.LRUCache(cache_size)
    return resolver


def _texts(answer: dns.resolver.Answer) -> tuple[bytes, ...]:
    return tuple(b"".join(record.strings) for record in answer)


def _none_or_raise(error: Exception) -> tuple[bytes, ...]:
    if isinstance(error, _NO_SUCH_TEXT):
        return ()
    # SERVFAIL, REFUSED, a timeout, no network, no configuration: all may be otherwise tomorrow.
    raise NoAnswerYet(f"DNS did not answer ({type(error).__name__})") from error
