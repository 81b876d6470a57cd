"""Questions to a real DNS server."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from optoutkit.authentication import NoAnswerYet, Trust, authenticate, authenticate_async
from optoutkit.authentication.dns_client import AsyncDnsResolver, DnsResolver
from optoutkit.authentication.questions import default_async_resolver, default_resolver

Ask = Callable[[str], Sequence[bytes]]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, dns_server: Any) -> Ask:
    """Ask, blocking or with asyncio, and with the same cache each time."""
    if request.param == "sync":
        resolver = dns_server.resolver()
        return lambda name: resolver.txt(name, 0.3)
    async_resolver = dns_server.async_resolver()
    return lambda name: asyncio.run(async_resolver.txt(name, 0.3))


def test_texts(ask: Ask, dns_server: Any) -> None:
    """The strings of a record are joined, and several records stay apart; the answer is kept, across event loops too."""
    dns_server.zone["one.example"] = b"x" * 600
    dns_server.zone["two.example"] = [b"a", b"b"]
    assert ask("one.example") == ask("one.example") == (b"x" * 600,)
    assert sorted(ask("two.example")) == [b"a", b"b"]
    assert dns_server.asked["one.example"] == 1


@pytest.mark.parametrize(
    "name", ["nothing.example", "empty.example", "a..example", "x" * 64 + ".example", "a." * 130 + "example", "\\.example"]
)
def test_none(ask: Ask, dns_server: Any, name: str) -> None:
    """No such name, no text there, and names that cannot be."""
    dns_server.zone["empty.example"] = dns_server.NO_DATA
    assert ask(name) == ()


def test_cannot_tell(ask: Ask, dns_server: Any) -> None:
    """A failure and silence."""
    dns_server.zone.update({"fails.example": dns_server.SERVFAIL, "silent.example": dns_server.SILENT})
    for name in ("fails.example", "silent.example"):
        with pytest.raises(NoAnswerYet):
            ask(name)


def test_nobody_listens(signer: Any, notice: bytes) -> None:
    """A name server that is not there is a temporary failure."""
    signed = signer.sign(notice, "amazon.de")
    assert authenticate(signed, DnsResolver(["127.0.0.1"], port=1), budget=0.2).trust is Trust.TEMPORARY
    assert asyncio.run(authenticate_async(signed, AsyncDnsResolver(["127.0.0.1"], port=1), budget=0.2)).trust is Trust.TEMPORARY


def test_a_resolver_lets_its_socket_s_error_through(signer: Any, notice: bytes) -> None:
    """Somebody's own resolver: no answer is no verdict on the mail."""

    class Silent:
        def txt(self, name: str, timeout: float) -> Sequence[bytes]:
            raise TimeoutError(name, timeout)

    assert authenticate(signer.sign(notice, "amazon.de"), Silent()).trust is Trust.TEMPORARY


def test_the_system_s_name_servers(signer: Any, notice: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a resolver given, one for the whole process asks those the system is configured with; having none is a temporary failure."""
    import dns.resolver

    def no_configuration(self: Any, path: str) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", no_configuration)
    default_resolver.cache_clear()
    default_async_resolver.cache_clear()
    signed = signer.sign(notice, "amazon.de")
    assert authenticate(signed).trust is Trust.TEMPORARY
    assert asyncio.run(authenticate_async(signed)).trust is Trust.TEMPORARY
    assert default_resolver() is default_resolver()
    assert default_async_resolver() is default_async_resolver()

    def configuration(self: Any, path: str) -> None:
        self.nameservers, self.port = ["127.0.0.1"], signer.server.port

    monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", configuration)
    default_resolver.cache_clear()
    default_async_resolver.cache_clear()
    assert authenticate(signed).trust is Trust.AMAZON
    assert asyncio.run(authenticate_async(signed)).trust is Trust.AMAZON
    default_resolver.cache_clear()
    default_async_resolver.cache_clear()


def test_the_event_loop_goes_on(signer: Any, dns_server: Any, notice: bytes) -> None:
    """While DNS is silent, other tasks run: here the one that lets it answer."""
    signed = signer.sign(notice, "amazon.de")
    dns_server.may_answer.clear()

    async def let_it_answer() -> None:
        await asyncio.to_thread(dns_server.was_asked.wait)
        dns_server.may_answer.set()

    async def both() -> Any:
        found, _ = await asyncio.gather(authenticate_async(signed, dns_server.async_resolver(), budget=60), let_it_answer())
        return found

    assert asyncio.run(both()).trust is Trust.AMAZON


def test_nothing_heavy_is_loaded_without_need() -> None:
    """Importing the room, and checking what needs no key, loads neither dnspython nor dkimpy."""
    code = (
        "import sys; from optoutkit.authentication import authenticate; authenticate(b'From: x@example.com\\r\\n\\r\\n');"
        "print([name for name in ('dns', 'dkim', 'mailparser') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
