"""SMTP and LMTP servers on loopback that keep what arrives, and guards over real stores."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from optoutkit.classifier.results import Classification
from optoutkit.guard import AsyncGuard, Guard
from optoutkit.identities import Address
from optoutkit.messages import Message
from optoutkit.optouts import OptOut
from optoutkit.stores.opening import open_async_store, open_store

OPTED_OUT = Address("optedout@marketplace.amazon.de")


@attrs.frozen
class Arrived:
    """A mail as it arrived."""

    sender: str
    recipients: list[str]
    raw: bytes


class Server:
    """A server that keeps what arrives, and refuses recipients whose name begins with ``refused``.

    Attributes:
        arrived: What arrived.
        port: Where it listens.
        answers: What it says to other recipients whom it does not take.
        verdict: What it says to a mail; it keeps those that it says 250 to.
    """

    def __init__(self) -> None:
        self.arrived: list[Arrived] = []
        self.port = 0
        self.answers: dict[str, str] = {}
        self.verdict = "250 2.0.0 taken"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Refuse, or take."""
        if address.startswith("refused"):
            return "550 5.1.1 no such user"
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep it, or refuse it."""
        if self.verdict.startswith("250"):
            self.arrived.append(Arrived(envelope.mail_from, envelope.rcpt_tos, envelope.original_content))
        return self.verdict


class LoopbackController(Controller):
    """A server at a port that the system chooses."""

    def _trigger_server(self) -> None:
        """Find out the port before aiosmtpd connects to it."""
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


class LmtpController(LoopbackController):
    """A server that speaks LMTP."""

    def factory(self) -> Any:
        """One connection."""
        return LMTP(self.handler)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start a server; it is stopped after the test."""
    controllers = []

    def start(kind: type[Controller] = LoopbackController, **options: Any) -> Server:
        server = Server()
        controller = kind(server, hostname="127.0.0.1", port=0, **options)
        controller.start()
        controllers.append(controller)
        server.port = controller.port
        return server

    yield start
    for controller in controllers:
        controller.stop()


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    """A plain SMTP server."""
    return serve()


@pytest.fixture
def lmtp_server(serve: Callable[..., Server]) -> Server:
    """An LMTP server."""
    return serve(LmtpController)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


@pytest.fixture
def tls_of_server(certificate: Path) -> ssl.SSLContext:
    """What a server needs to speak TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def tls_server(serve: Callable[..., Server], tls_of_server: ssl.SSLContext) -> Server:
    """An SMTP server that speaks TLS from the first byte."""
    return serve(ssl_context=tls_of_server)


@pytest.fixture
def tls_context(certificate: Path) -> ssl.SSLContext:
    """What a client needs to trust that server."""
    return ssl.create_default_context(cafile=str(certificate))


@pytest.fixture
def uncritical() -> Callable[[Message], Classification]:
    """A classifier that finds critical what says "address", and nothing else."""

    def classify(message: Message) -> Classification:
        critical = "address" in message.text
        topic = "shipping_address" if critical else "thank_you"
        return Classification(critical=critical, solicits=False, topic=topic, confidence=0.9, language="en")

    return classify


@pytest.fixture
def guard(tmp_path: Path, uncritical: Any) -> Iterator[Guard]:
    """A guard over a SQLite store in which one buyer is opted out."""
    with open_store(f"sqlite:///{tmp_path}/optouts.db") as store:
        store.record([OptOut(OPTED_OUT)])
        yield Guard(store, classify=uncritical)


@pytest.fixture
def async_guard(tmp_path: Path, guard: Guard, uncritical: Any) -> Iterator[AsyncGuard]:
    """The same for asyncio, over the same file."""
    store = open_async_store(f"sqlite:///{tmp_path}/optouts.db")
    yield AsyncGuard(store, classify=uncritical)
    asyncio.run(store.close())


class Down:
    """A store that does not answer."""

    def lookup(self, *_args: Any, **_kwargs: Any) -> Any:
        """Time out."""
        raise TimeoutError


class AsyncDown:
    """The same for asyncio."""

    async def lookup(self, *_args: Any, **_kwargs: Any) -> Any:
        """Time out."""
        raise TimeoutError


@pytest.fixture
def down_guard(uncritical: Any) -> Guard:
    """A guard whose store does not answer."""
    store: Any = Down()
    return Guard(store, classify=uncritical)


@pytest.fixture
def async_down_guard(uncritical: Any) -> AsyncGuard:
    """The same for asyncio."""
    store: Any = AsyncDown()
    return AsyncGuard(store, classify=uncritical)
