"""What several rooms' tests need of the world outside: a DNS server on loopback, and mails that are really signed."""

import base64
import enum
import os
import shutil
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dkim
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import nacl.encoding
import nacl.signing
import pytest
from dkim.canonicalization import CanonicalizationPolicy
from dkim.crypto import HASH_ALGORITHMS, parse_pem_private_key
from tests.servers import postgresql_uri, valkey_cluster_uri, valkey_uri

__all__ = ["postgresql_uri", "valkey_cluster_uri", "valkey_uri"]  # fixtures


def pytest_configure() -> None:
    """Let Ctrl-C end what the tests start even where it is ignored, as in what a shell runs in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Keys:
    """Private keys made for these tests, and used nowhere else."""

    RSA_2048 = b"""-----BEGIN RSA PRIVATE KEY-----
MIIEpAIBAAKCAQEAiADnXzIsGQOyorVrselRUSCqIOE9yygXzs6CL1nv/W/kxeDQ
FnxfalpqiJqRTdickpChKgpY2Gdl/FpcY64bOrHSe3CViACfB6W2Rh0rpkPtQ5Ck
0uzeil96xuVSSOLOp5fLtIX2iVy+FuyFQ2wh5jDfxG8YcmvFI99WlCTLy38NlONt
+34GagWA413zGT3deTHEN1wpc5fuCOwT/NUWJcE0aoJ+SooBI85njTW4kkyb70nW
q+PPlTIp/KjDZRAIi+eKA6f2qor4EM/19PBcX1snwdPUN8FjWORLNU/zG+ceWp7Z
IJ7RNvldB5LemaVnbTrZYLnIQIyWvtMkyEG29QIDAQABAoIBABlDo7dnJFJ0QaWg
knQu/aRWr0vi054O4VdRPNVLfX2koMiScc1PhtEEoUglgGsH21QNqmabG/R9RrB5
X7LDp7rASDOWjyx/wwsCYUkGh7J/6U4VC01EY7WsNWxHssCn41A2LkjnXswXDpfH
EZ1b87Mlbpf4tD+jHfDDPvvPlw0C1ICsTqNTDmg7kOWa6kbrgFEbI3DVhjdyefM8
t5dW+maqujEMlR+iB94CJUEqHqtX/HsXrWabf3Mv9XRAhiESeGHOjVr0tugaEsHB
Qy9D/vtf/TowMcpJZM3voe8JCpX1c8ReO5F8xgg5hKr/KkSq12AiMmvHlh26U3ki
ZjFBxJkCgYEAvJ2kACMtnJTVuFHwdXX1hRZ7HJoGE3eMup2aeTRtgZlxoVbdTuxg
8bPeJDlbsyNDjgX6oR98kI6vV1PLBUMl6+5XMvD+eHo+NC5nLnToKQLEtvUgFzWJ
7hGlxoYa9AI4uT0MteloGWmG33oQHkk9WnQVkx/In1y+LmjDJLmPskkCgYEAuJd4
IpE4O0qvtbPOoc3ectYoeRc7Iy96uu9S3rJgV3Flxx19uO2q/KtAwgPA4BAAWOE3
L1F0FnweAwD5UssHrvAsdYLAFHKyN7nYjLHb++yRIP/7AgSFRTDcemCNZp8Azd7G
qVvuk2cyk//1huU60DVHZCU8zLJRcHLU233gX00CgYEAl/79Y3L11cIG/JNjkHSv
l0GHkoP4s4VariRFkLkUKiVKcbb7fxd0BDNrp4tlf1XCodfloiQqkJ+7Y0dOSv5S
t+8I7C9TEimIqSpf0gs575qghcPByZJGhchI7FOzssF7jqNI8+uVDS2CF+NYy98/
hv4XSMmLNglZ5TJdV+IFj6kCgYBG/4NmkEJ3k69njOQiGePAeZyRjpzhWKa09c4C
98rUdzo1TqOHmGpWyquatATgaWcoyF8IZSTobQ7CCwLalFq9L4V6ITMt6juf8WxY
GSTKjd/4OFzcFs8HoNZ8f1yDpw6RIGl6xHBL47pxcFaIbuyjHor5+tSays9GF/TF
A3JkVQKBgQCQaYQItpmFbXrfppjzA9avpT7kN5+W4Itr3uhAZNET0Jd/IhbjkE9N
uip2NM0DOcBplItQVSZt5d8qOuR3vfEiQfJq3pPBcvbxPgr31lJKW3per3ZP3Pvf
8+dtXDfE8pExhWL2iGj+4A+7WwteNg9T+UVUif84pqlUvFucQsiGWw==
-----END RSA PRIVATE KEY-----"""
    RSA_1024 = b"""-----BEGIN RSA PRIVATE KEY-----
MIICXAIBAAKBgQDOMY7zzfbyN6VHfE7L8lVLKMOKIkXfprZ1dDbvqnwFx1OaxQOa
po3W5sngJbjy2YDMYDdtiMl/RVzttJOBGLU40ak7P0SOAf42bZnHpvA6/rBF9UME
uMs+QLI2BUB0SDrt2nMYQCkK18IaQ19oCFWAMfoNqp8R34epTb++dYVVeQIDAQAB
AoGAI9hHsqiOkoML74ZzqE7DdyJqA9x7ayrvMzH1zupDTzncld5EByGHLOHIHHhS
U51uH5lmaVtLNB3ZztUCg4HJFvxNcGlwrPlEcGRnmZqssDZ6KV72wJ4nazz7Vu48
0nKxWC8aNc93ZnK1f316X3sVO39T7Pm5Ukr8cW/EUkoTl6UCQQD9tRKmvmNo5FPt
bgLJ+AEYCODCKiwV0iQNtqIFuYPWoamBTSZIBpdKOob0NniTuveMIbUVL3fZV6L6
pljZi7IjAkEA0A6RMjGrjebc+gDOaB6P+sdOWEgzJcrOMmKx00RSq7XrPrE3QFkl
JxziOWO9eNtedYw2CGhu8UBlUqH9isQNswJARaOfQ/+8f700wFZTE6csfbFqKEG1
KiQtW0pHPPUIGDD1uxU3LcwJWQmpo30UKdDHREK4VuFZr2HbzZs9hjFPKwJBAKgy
/qLrkNt5RjA+sp9uBcwhkG7Cf8cPu770FvrLA2KaAYJ/VkGJUAXcze7DeYvZHPY+
0ffeJcKX4tH477ZdZQ0CQBIA0j1iLpnKOAf8YCjD8L+E5vHT1WE09LTTrUF3VUlA
GQqi0KHRqF3WDmZLMDAzBSfDV8dCLqsSEb1GdmWdkno=
-----END RSA PRIVATE KEY-----"""
    RSA_512 = b"""-----BEGIN RSA PRIVATE KEY-----
MIIBPAIBAAJBAMdZ1Gdx5lJ+vF/IP5PAZCCWThtecRIKMjV2ivaPIjSnYIlRLUvv
GZNAZD3FvqNZ9WbWeq9GQSvgrQZVMd7A1IECAwEAAQJACNMEIPQcwugTRJYjolGw
3PRqTrHWhXroEA/IRPO/Ct+N0olnC5ng47z+Ko2uuKDCsuFuaqRZ7+iXTesrzxAn
cQIhAO3xZc2aEb0dns1JN2mg86uVy1pHsvJmLgDlFHYHQYddAiEA1nqwujv5u580
htivDADExTchx4jz4qYPORni8/H5Y3UCIQDZp6DVMyMY2DiEVn4uzIE5KtwKaF3D
qD5aqTJPSRHjLQIhAMgCymQiIhWxtg46a6NJ5DX13+5v7N/j9DZPybGsaeExAiEA
5x3PofiiaMZGwngfzsgGNpNIuVapjrz+uPWwGTjxQlY=
-----END RSA PRIVATE KEY-----"""
    ED25519 = b"VGVzdHMgb2Ygb3B0b3V0a2l0IHVzZSB0aGlzIGtleS4="


class Fault(enum.Enum):
    """What a DNS server can do beside answering."""

    NO_DATA = "the name is there, but has no text"
    SERVFAIL = "it failed"
    SILENT = "no answer at all"


class DnsServer:
    """A real DNS server on UDP, which answers from a zone and counts what it is asked. Names that are not in the zone do not exist."""

    NO_DATA, SERVFAIL, SILENT = Fault

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.zone: dict[str, bytes | Sequence[bytes] | Fault] = {}
        self.ttl = 300
        self.asked: Counter[str] = Counter()
        self.was_asked = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()
        threading.Thread(target=self._serve, daemon=True).start()

    def resolver(self) -> Any:
        """A resolver with an empty cache that asks this server."""
        from optoutkit.authentication.dns_client import DnsResolver

        return DnsResolver(["127.0.0.1"], port=self.port)

    def async_resolver(self) -> Any:
        """The same for asyncio."""
        from optoutkit.authentication.dns_client import AsyncDnsResolver

        return AsyncDnsResolver(["127.0.0.1"], port=self.port)

    def close(self) -> None:
        """Stop: an empty datagram ends the thread."""
        self._socket.sendto(b"", self._socket.getsockname())

    def _serve(self) -> None:
        while True:
            wire, client = self._socket.recvfrom(4096)
            if not wire:
                self._socket.close()
                return
            question = dns.message.from_wire(wire)
            response = self._response(question)
            self.was_asked.set()
            self.may_answer.wait()
            if response is not None:
                self._socket.sendto(response.to_wire(), client)

    def _response(self, question: dns.message.Message) -> dns.message.Message | None:
        name = question.question[0].name
        key = name.to_text(omit_final_dot=True).lower()
        self.asked[key] += 1
        entry = self.zone.get(key)
        response = dns.message.make_response(question)
        response.flags |= dns.flags.RA
        if entry is Fault.SILENT:
            return None
        if entry is Fault.SERVFAIL:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif entry is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif not isinstance(entry, Fault):
            texts = [entry] if isinstance(entry, bytes) else entry
            pieces = [" ".join(f'"{text[at : at + 200].decode()}"' for at in range(0, len(text), 200)) for text in texts]
            response.answer.append(dns.rrset.from_text_list(name, self.ttl, "IN", dns.rdatatype.TXT, pieces))
        return response


class Signer:
    """Signs mails with DKIM and ARC, by dkimpy, and publishes the keys in the zone of a DNS server."""

    def __init__(self, server: DnsServer) -> None:
        self.server = server

    def publish(self, domain: str, selector: str = "s1", *, key: bytes = Keys.RSA_2048, more: bytes = b"") -> None:
        """Put the public half of a key into DNS."""
        self.server.zone[f"{selector}._domainkey.{domain}".lower()] = b"v=DKIM1; " + more + public_half(key)

    def sign(
        self,
        raw: bytes,
        domain: str,
        *,
        selector: str = "s1",
        key: bytes = Keys.RSA_2048,
        signed: Sequence[str] = ("date", "from", "to", "message-id", "subject", "mime-version", "content-type"),
        canonicalization: bytes = b"relaxed/simple",
        tags: Mapping[str, bytes] = {},
        publish: bool = True,
        algorithm: bytes = b"rsa-sha256",
    ) -> bytes:
        """The mail with a DKIM-Signature on top, as Amazon SES makes it, or with other tags."""
        if publish:
            self.publish(domain, selector, key=key)
        signer = dkim.DKIM(raw, signature_algorithm=b"ed25519-sha256" if key is Keys.ED25519 else algorithm)
        signer.hasher = HASH_ALGORITHMS[signer.signature_algorithm]
        policy = CanonicalizationPolicy.from_c_value(canonicalization)
        digest = signer.hasher(policy.canonicalize_body(signer.body)).digest()
        fields = {
            "v": b"1",
            "a": signer.signature_algorithm,
            "q": b"dns/txt",
            "c": canonicalization,
            "s": selector.encode(),
            "d": domain.encode(),
            "t": str(int(datetime.now(UTC).timestamp())).encode(),
            "h": " : ".join(signed).encode(),
            "bh": base64.b64encode(digest),
            **tags,
            "b": b"0" * 60,
        }
        named = [(name.encode(), value) for name, value in fields.items() if value]
        names = [name.lower().encode() for name in signed]
        value = signer.gen_header(named, names, policy, b"DKIM-Signature", private_half(key))
        return b"".join((b"DKIM-Signature: ", value, raw))

    def seal(self, raw: bytes, domain: str, server: str, *, selector: str = "arc") -> bytes:
        """The mail with one more ARC set by this domain; ``server`` wrote the Authentication-Results that are sealed."""
        self.publish(domain, selector)
        covered = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type", b"content-transfer-encoding"]
        return b"".join(dkim.ARC(raw).sign(selector.encode(), domain.encode(), Keys.RSA_2048, server.encode(), covered)) + raw


def private_half(key: bytes) -> Any:
    """A key as dkimpy signs with it."""
    if key is Keys.ED25519:
        return nacl.signing.SigningKey(key, encoder=nacl.encoding.Base64Encoder)
    return parse_pem_private_key(key)


def public_half(key: bytes) -> bytes:
    """A key as it stands in DNS."""
    private = private_half(key)
    if key is Keys.ED25519:
        return b"".join((b"k=ed25519; p=", private.verify_key.encode(nacl.encoding.Base64Encoder)))
    numbers = (private["modulus"], private["publicExponent"])
    der = b"".join(_der(0x02, number.to_bytes(number.bit_length() // 8 + 1)) for number in numbers)
    # As everybody publishes it: SubjectPublicKeyInfo round the key (RFC 5280 section 4.1), for RSA.
    return b"k=rsa; p=" + base64.b64encode(_der(0x30, _RSA_ENCRYPTION + _der(0x03, b"\0" + _der(0x30, der))))


_RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")


def _der(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x82]) + len(content).to_bytes(2) + content


@pytest.fixture(scope="session")
def _dns_server() -> Iterator[DnsServer]:
    server = DnsServer()
    yield server
    server.close()


@pytest.fixture
def dns_server(_dns_server: DnsServer) -> DnsServer:
    """A DNS server with an empty zone."""
    _dns_server.zone.clear()
    _dns_server.asked.clear()
    _dns_server.ttl = 300
    _dns_server.was_asked.clear()
    return _dns_server


@pytest.fixture
def signer(dns_server: DnsServer) -> Signer:
    """Signs mails; the keys are published by ``dns_server``."""
    return Signer(dns_server)


@pytest.fixture
def keys() -> type[Keys]:
    """Keys to sign with."""
    return Keys


@pytest.fixture
def program() -> Callable[[str], str]:
    """Find a program by its name, which is also that of its Debian package; where there is none the test is skipped, in CI failed."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is not None:
            return path
        why = f"SKIPPED FOR LACK OF {name}: install the Debian package of that name"
        if "CI" in os.environ:
            pytest.fail(why)
        pytest.skip(why)

    return find
