"""Notices by LMTP and SMTP, delivered by real clients to a real server."""

import asyncio
import contextlib
import importlib
import logging
import re
import smtplib
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiosmtplib
import attrs
import pytest

from optoutkit.authentication import Trust
from optoutkit.errors import InvalidInput, MissingExtra, StoreClosed
from optoutkit.intake import AsyncIntake, IntakeResult, IntakeStatus
from optoutkit.sources.lmtp import NoticeServer
from optoutkit.sources.lmtp import desk as desk_room
from optoutkit.stores.opening import open_async_store, open_store

DEADLINE = 20
SHOP, OTHER = "notices@shop.example", "notices@other.example"
NOBODY: dict[str, AsyncIntake] = {}
RECORDED, KNOWN, IGNORED, QUARANTINED, RETRY = IntakeStatus


def notice(order: str = "302-1234567-7654321", *, sender: str = "auto-communication@amazon.de") -> bytes:
    """A notice, with a line that begins with dots."""
    return (
        f"From: Amazon.de <{sender}>\r\nDate: Mon, 02 Nov 2026 08:00:00 +0000\r\nMessage-ID: <1@amazonses.com>\r\n"
        f"Subject: Your message to a buyer could not be delivered\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        f"Dear Seller,\r\n\r\n...\r\n.\r\nWe were unable to deliver the message you sent for order [{order}] because the buyer has "
        "chosen to opt out of receiving unsolicited messages from sellers.\r\n"
    ).encode()


class House:
    """A server in a thread of its own. Its intakes are one for SHOP and one for OTHER, unless a test has others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[IntakeResult] = []
        self.intakes: dict[str, AsyncIntake] = {}
        self.server: Any = None
        self.addresses: list[str] = []
        self._stopping: tuple[asyncio.AbstractEventLoop, asyncio.Future[float]]
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread: threading.Thread | None = None

    def uri(self, recipient: str) -> str:
        """Where the opt-outs of a recipient are kept; an outage shows at once."""
        return f"sqlite:///{self.folder}/{recipient}.db?timeout=0.01"

    def entries(self, recipient: str = SHOP) -> set[str]:
        """What is kept for it."""
        with open_store(self.uri(recipient)) as store:
            return {str(entry.identity) for entry in store.scan()}

    @contextlib.contextmanager
    def outage(self, recipient: str) -> Iterator[None]:
        """Let somebody hold a lock on the store of a recipient."""
        open_store(self.uri(recipient)).close()
        with contextlib.closing(sqlite3.connect(self.folder / f"{recipient}.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
            other.execute("ROLLBACK")

    def start(
        self,
        *listening: str,
        intake: Mapping[str, Any] = {"minimum_trust": Trust.UNVERIFIED},
        route: Callable[[dict[str, AsyncIntake]], Any] = lambda intakes: intakes.get,
        quarantine: bool = True,
        **limits: Any,
    ) -> "House":
        """Start, with ``lmtp 127.0.0.1:0`` if nothing else is said."""

        async def main() -> None:
            stopping: asyncio.Future[float] = asyncio.get_running_loop().create_future()
            self._stopping = (asyncio.get_running_loop(), stopping)
            async with contextlib.AsyncExitStack() as stack:
                for name in (SHOP, OTHER):
                    store = await stack.enter_async_context(open_async_store(self.uri(name)))
                    folder = self.folder / f"{name}.quarantine" if quarantine else None
                    self.intakes[name] = AsyncIntake(store, **{"hook": self.told.append, "quarantine": folder, **intake})
                self.server = NoticeServer(route(self.intakes), **limits)
                for protocol, at in map(str.split, listening or ["lmtp 127.0.0.1:0"]):
                    self.addresses.append(await self.server.listen(protocol, at))
                self._ready.set()
                await self.server.stop(await stopping)

        self._thread = threading.Thread(target=lambda: asyncio.run(main()))
        self._thread.start()
        assert self._ready.wait(DEADLINE)
        return self

    def begin_to_stop(self, grace: float = DEADLINE) -> None:
        """Ask the server to stop."""
        loop, stopping = self._stopping
        loop.call_soon_threadsafe(stopping.set_result, grace)

    def join(self) -> None:
        """Wait for the end."""
        assert self._thread is not None
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()
        self._thread = None

    def end(self) -> None:
        """Stop, if it is still running."""
        if self._thread is not None:
            self.begin_to_stop(0)
            self.join()

    @property
    def port(self) -> int:
        """Of the first address."""
        return int(self.addresses[0].rpartition(":")[2])


class Wire:
    """A connection on which lines are written and read by hand."""

    def __init__(self, house: House, *, greeting: str = "220") -> None:
        self._socket = socket.create_connection(("127.0.0.1", house.port), DEADLINE)
        self._file = self._socket.makefile("rb")
        self.expect(greeting)

    def say(self, *lines: str | bytes) -> "Wire":
        """Write lines."""
        self._socket.sendall(b"".join(line if isinstance(line, bytes) else f"{line}\r\n".encode() for line in lines))
        return self

    def expect(self, *codes: str) -> list[str]:
        """Read replies, which must have these codes."""
        replies = []
        for code in codes:
            lines = [self._file.readline().decode()]
            while lines[-1][3:4] == "-":
                lines.append(self._file.readline().decode())
            assert lines[-1][:3] == code, lines
            replies.append("".join(lines))
        return replies

    def announce(self, *recipients: str, hello: str = "LHLO") -> "Wire":
        """Begin a mail."""
        self.say(f"{hello} me", "MAIL FROM:<>", *(f"RCPT TO:<{recipient}>" for recipient in recipients), "DATA")
        self.expect("250", "250", *["250"] * len(recipients), "354")
        return self

    def mail(self, raw: bytes) -> "Wire":
        """Send it."""
        return self.say(re.sub(rb"^\.", b"..", raw, flags=re.MULTILINE), ".")

    def is_over(self) -> bool:
        """Wait until the server closes the connection."""
        try:
            return self._file.read() == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A server that is not started yet."""
    made = House(tmp_path)
    yield made
    made.end()


@pytest.fixture
def wire(house: House) -> Iterator[Callable[..., Wire]]:
    """Connect to the server by hand."""
    made = []

    def connect(**options: Any) -> Wire:
        made.append(Wire(house, **options))
        return made[-1]

    yield connect
    for one in made:
        one.close()


# Clients


def by_lmtp(house: House, raw: bytes) -> None:
    """The standard library's."""
    with smtplib.LMTP("127.0.0.1", house.port, timeout=DEADLINE) as client:
        assert client.sendmail("bounce@amazon.de", [SHOP], raw) == {}


def by_smtp(house: House, raw: bytes) -> None:
    """The standard library's."""
    with smtplib.SMTP("127.0.0.1", house.port, timeout=DEADLINE) as client:
        assert client.sendmail("bounce@amazon.de", [SHOP], raw) == {}


def by_aiosmtplib(house: House, raw: bytes) -> None:
    """Asyncio's."""
    refused, reply = asyncio.run(
        aiosmtplib.send(raw, sender="bounce@amazon.de", recipients=[SHOP], hostname="127.0.0.1", port=house.port, start_tls=False)
    )
    assert refused == {}
    assert "recorded" in reply


def swaks(protocol: str) -> Callable[[House, bytes], None]:
    """A client in Perl."""

    def deliver(house: House, raw: bytes) -> None:
        path = house.folder / "sent.eml"
        path.write_bytes(raw.replace(b"\r\n", b"\n"))
        command = ["swaks", "--server", f"127.0.0.1:{house.port}", "--protocol", protocol, "--from", "bounce@amazon.de", "--to", SHOP]
        done = subprocess.run([*command, "--data", f"@{path}"], capture_output=True, text=True, timeout=DEADLINE, check=False)
        assert done.returncode == 0, done.stdout
        assert "<-  250 2.0.0 mail " in done.stdout

    return deliver


CLIENTS = {
    "smtplib.LMTP": ("lmtp", by_lmtp),
    "smtplib.SMTP": ("smtp", by_smtp),
    "aiosmtplib": ("smtp", by_aiosmtplib),
    "swaks, LMTP": ("lmtp", swaks("LMTP")),
    "swaks, SMTP": ("smtp", swaks("SMTP")),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_what_a_client_delivers_arrives_byte_for_byte(house: House, signer: Any, dns_server: Any, program: Any, client: str) -> None:
    """Amazon's signature still verifies, dots at the beginning of lines and all."""
    if client.startswith("swaks"):
        program("swaks")
    protocol, deliver = CLIENTS[client]
    house.start(f"{protocol} 127.0.0.1:0", intake={"minimum_trust": Trust.AMAZON, "resolver": dns_server.async_resolver()})
    deliver(house, signer.sign(notice(), "amazon.de"))
    (result,) = house.told
    assert (result.status, result.authentication and result.authentication.trust) == (RECORDED, Trust.AMAZON)
    assert house.entries() == {"302-1234567-7654321"}


def test_a_client_may_send_all_at_once(house: House, wire: Any) -> None:
    """PIPELINING (RFC 2920), which LMTP demands, is announced and works."""
    house.start()
    connection = wire()
    (hello,) = connection.say("LHLO me").expect("250")
    assert "250-PIPELINING" in hello.splitlines()
    assert "250-8BITMIME" in hello.splitlines()
    for _ in range(2):  # a connection may be used again
        connection.say("MAIL FROM:<a@example.com>", f"RCPT TO:<{SHOP}>", "DATA").mail(notice())
        connection.expect("250", "250", "354", "250")
    connection.say("QUIT").expect("221")
    assert connection.is_over()
    assert [result.status for result in house.told] == [RECORDED, KNOWN]


def test_internationalized_addresses(house: House) -> None:
    """A mail server would have to send a mail back to its sender if they were not understood (RFC 6531)."""
    house.start("smtp 127.0.0.1:0")
    with smtplib.SMTP("127.0.0.1", house.port, timeout=DEADLINE) as client:
        assert client.sendmail("grün@käufer.example", [SHOP], notice(), ["SMTPUTF8", "BODY=8BITMIME"]) == {}
    assert [result.status for result in house.told] == [RECORDED]


def test_lines_longer_than_allowed(house: House, wire: Any) -> None:
    """Some programs write them (RFC 5321 section 4.5.3.1.6 allows 1,000 bytes); a notice is not lost for it."""
    house.start()
    wire().announce(SHOP).mail(notice() + b"x" * 200_000 + b"\r\n.y" + b"z" * 2000 + b"\r\n").expect("250")
    assert house.entries() == {"302-1234567-7654321"}


# Recipients


def test_recipients_decide_the_list(house: House, wire: Any) -> None:
    """Each gets an answer of its own; a mail for two sellers is taken in for each, and once for two addresses of the same."""
    house.start(route=lambda intakes: {**intakes, "more@shop.example": intakes[SHOP]}.get)
    connection = wire().announce(SHOP, OTHER, "more@shop.example").mail(notice())
    replies = connection.expect("250", "250", "250")
    assert [reply.split()[-1] for reply in replies] == ["recorded"] * 3
    assert len(house.told) == 2
    assert house.entries(SHOP) == house.entries(OTHER) == {"302-1234567-7654321"}


def test_unknown_recipients_are_refused(house: House, wire: Any) -> None:
    """For good, and before the mail is sent; the others get it."""
    house.start()
    connection = wire().say("LHLO me", "MAIL FROM:<>", "RCPT TO:<stranger@shop.example>", "DATA").expect("250", "250", "550", "503")
    assert house.told == []
    connection = wire().say("LHLO me", "MAIL FROM:<>", "RCPT TO:<stranger@shop.example>", f"RCPT TO:<{SHOP}>", "DATA")
    connection.expect("250", "250", "550", "250", "354")
    connection.mail(notice()).expect("250")


def test_a_database_may_be_asked_for_the_recipient(house: House, wire: Any) -> None:
    """The route may be a coroutine function."""

    def route(intakes: dict[str, AsyncIntake]) -> Any:
        async def asked(recipient: str) -> AsyncIntake | None:
            await asyncio.sleep(0)
            return intakes.get(recipient.lower())

        return asked

    house.start(route=route)
    wire().announce(SHOP.upper()).mail(notice()).expect("250")
    assert house.entries() == {"302-1234567-7654321"}


def test_if_the_recipient_cannot_be_looked_up_the_client_tries_again(house: House, wire: Any, caplog: Any) -> None:
    """What the route raised is not told to anybody."""

    def fail(_recipient: str) -> Any:
        raise RuntimeError(f"no connection to database with password secret for {SHOP}")

    house.start(route=lambda _: fail)
    replies = wire().say("LHLO me", "MAIL FROM:<>", f"RCPT TO:<{SHOP}>").expect("250", "250", "451")
    assert "secret" not in replies[-1]
    assert [record.getMessage() for record in caplog.records] == ["a command could not be answered (RuntimeError)"]


# Nothing is lost


def test_a_store_that_is_down(house: House, wire: Any) -> None:
    """The mail server keeps the mail for the recipient whose store is down, and the other's is in."""
    house.start()
    with house.outage(OTHER):
        wire().announce(SHOP, OTHER).mail(notice()).expect("250", "451")
    assert house.entries(SHOP)
    assert not house.entries(OTHER)
    wire().announce(OTHER).mail(notice()).expect("250")
    assert house.entries(OTHER)


def test_over_smtp_all_are_given_again(house: House, wire: Any) -> None:
    """There is one answer for all; those who had it know it then."""
    house.start("smtp 127.0.0.1:0")
    with house.outage(OTHER):
        wire().announce(SHOP, OTHER, hello="EHLO").mail(notice()).expect("451")
    wire().announce(SHOP, OTHER, hello="EHLO").mail(notice()).expect("250")
    assert [result.status for result in house.told] == [RECORDED, RETRY, KNOWN, RECORDED]


def test_dns_that_does_not_answer(house: House, wire: Any, signer: Any, dns_server: Any) -> None:
    """The mail server tries again."""
    house.start(intake={"resolver": dns_server.async_resolver()})
    signed = signer.sign(notice(), "amazon.de")
    dns_server.zone["s1._domainkey.amazon.de"] = dns_server.SERVFAIL
    wire().announce(SHOP).mail(signed).expect("451")
    assert house.told[0].status is RETRY
    signer.publish("amazon.de")
    wire().announce(SHOP).mail(signed).expect("250")
    assert house.entries() == {"302-1234567-7654321"}


def test_a_closed_store(house: House, wire: Any, caplog: Any) -> None:
    """What is broken for longer does not lose a mail either; the log says what it is."""
    house.start()

    async def closed(*_: Any, **__: Any) -> Any:
        raise StoreClosed("sqlite:///secret was closed")

    house.intakes[SHOP].ingest = closed  # type: ignore[method-assign]
    wire().announce(SHOP).mail(notice()).expect("451")
    assert "could not be taken in (StoreClosed)" in caplog.text
    assert "secret" not in caplog.text


def test_what_is_not_believed(house: House, wire: Any) -> None:
    """It is accepted, and lies in the quarantine folder, byte for byte; ordinary mail is accepted and forgotten."""
    house.start()
    forged = notice(sender="auto-communication@arnazon.de")
    (reply,) = wire().announce(SHOP).mail(forged).expect("250")
    quarantine = house.intakes[SHOP].quarantine
    assert quarantine is not None
    (mail,) = quarantine
    assert reply == f"250 2.0.0 mail {mail.id}: quarantined\r\n"
    assert quarantine.read(mail.id) == forged
    wire().announce(SHOP).mail(b"Subject: hello\r\n\r\n").expect("250")
    assert [result.status for result in house.told] == [QUARANTINED, IGNORED]


def test_without_a_quarantine_folder(house: House, wire: Any) -> None:
    """What would be kept nowhere is not accepted."""
    house.start(quarantine=False)
    wire().announce(SHOP).mail(notice(sender="auto-communication@arnazon.de")).expect("550")


def test_after_three_days_of_trying_in_vain(house: House, wire: Any) -> None:
    """A mail goes to quarantine before the mail server gives it up; it is known again by its bytes."""
    house.start()
    intake, desk = house.intakes[SHOP], house.server._sessions.desk

    def later(**time: int) -> None:
        desk._now = lambda: datetime.now(UTC) + timedelta(**time)
        intake._rules = attrs.evolve(intake._rules, now=desk._now)

    with house.outage(SHOP):
        wire().announce(SHOP).mail(notice()).expect("451")
        later(days=2, hours=23)
        wire().announce(SHOP).mail(notice()).expect("451")
        later(days=3, hours=1)
        wire().announce(SHOP).mail(notice("302-7777777-8888889")).expect("451")  # another has not waited
        wire().announce(SHOP).mail(notice()).expect("250")
    assert house.told[-1].status is QUARANTINED
    assert "it has waited for three days" in house.told[-1].reason


def test_what_waits_is_not_remembered_without_end(
    house: House, wire: Any, signer: Any, dns_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of ever more mails that have to be given again, those that were longest not seen are forgotten."""
    monkeypatch.setattr(desk_room, "_REMEMBERED", 2)
    house.start(intake={"resolver": dns_server.async_resolver()})
    mails = [signer.sign(notice(f"302-1234567-765432{number}"), "amazon.de") for number in (1, 2, 3)]
    dns_server.zone["s1._domainkey.amazon.de"] = dns_server.SERVFAIL
    for index in (0, 1, 0, 2):
        wire().announce(SHOP).mail(mails[index]).expect("451")
    known = [mail for _, mail in house.server._sessions.desk._came_first]
    assert known == [house.told[index].mail_id for index in (2, 3)]


# Limits


def test_too_large(house: House, wire: Any) -> None:
    """The limit is announced, held before the mail is sent where the client tells its size, and after it for every recipient."""
    house.start(max_bytes=1000)
    connection = wire()
    (hello,) = connection.say("LHLO me").expect("250")
    assert "250-SIZE 1000" in hello.splitlines()
    connection.say("MAIL FROM:<> SIZE=1001").expect("552")
    connection.announce(SHOP, OTHER).mail(b"Subject: x\r\n\r\n" + b"x" * 985 + b"\r\n").expect("552", "552")
    connection.announce(SHOP).mail(b"Subject: x\r\n\r\n" + b"x" * 3_000_000 + b"\r\n").expect("552")
    connection.announce(SHOP).mail(b"Subject: x\r\n\r\n" + b"x" * 984 + b"\r\n").expect("250")
    assert len(house.told) == 1


def test_too_many_connections(house: House, wire: Any) -> None:
    """One more is sent away; when another ends, there is room again."""
    house.start(max_connections=2)
    first, second = wire(), wire()
    assert wire(greeting="421").is_over()
    second.say("LHLO me").expect("250")
    first.say("QUIT").expect("221")
    assert first.is_over()
    wire()


def test_too_many_recipients(house: House, wire: Any) -> None:
    """The client gives the mail again for those that were too many (RFC 5321 section 4.5.3.1.10)."""
    house.start(max_recipients=2)
    wire().say("LHLO me", "MAIL FROM:<>", *[f"RCPT TO:<{SHOP}>"] * 3).expect("250", "250", "250", "250", "452")


def test_too_many_commands(house: House, wire: Any) -> None:
    """Nobody keeps a connection busy for ever."""
    house.start()
    connection = wire().say(*["NOOP"] * 1001)
    connection.expect(*["250"] * 1000, "421")
    assert connection.is_over()


def test_clients_that_say_nothing(house: House, wire: Any) -> None:
    """Are cut, between commands and in the middle of a mail."""
    house.start(timeout=0.2)
    assert wire().is_over()
    assert wire().announce(SHOP).say("Subject: x").is_over()
    assert house.told == []


@pytest.mark.parametrize("lines", [[], ["LHLO me", "MAIL FROM:<>", f"RCPT TO:<{SHOP}>", "DATA", "Subject: x"]])
def test_clients_that_hang_up(house: House, wire: Any, caplog: Any, lines: Sequence[str]) -> None:
    """Nothing comes of their mail, and the next one is served; nobody is told of it."""
    house.start(max_connections=1)
    connection = wire().say(*lines)
    connection.expect(*["250", "250", "250", "354"][: len(lines)])
    connection.close()
    house.begin_to_stop()
    house.join()
    assert house.told == []
    assert caplog.records == []


def test_a_client_that_resets_the_connection(house: House, wire: Any, caplog: Any) -> None:
    """While it is being answered, say."""
    house.start()
    connection = wire().announce(SHOP).mail(notice())
    connection._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
    house.begin_to_stop()
    house.join()
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        (["EHLO me"], ["500"]),
        (["DATA"], ["503"]),
        (["LHLO me", "DATA"], ["250", "503"]),
        (["LHLO me", "MAIL FROM:<>", f"RCPT TO:<{SHOP}>", "RSET", "DATA"], ["250", "250", "250", "250", "503"]),
        (["LHLO me", "MAIL FROM:<>", f"RCPT TO:<{SHOP}>", "DATA now"], ["250", "250", "250", "501"]),
        (["LHLO me", "MAIL FROM:<>", 'RCPT TO:<"', f"RCPT TO:<{'x' * 300}@shop.example>"], ["250", "250", "451", "550"]),
        (["x" * 5000, b"\xff\xfe \0\r\n", "\0", "LHLO me"], ["500", "500", "500", "250"]),
    ],
)
def test_clients_that_do_not_know_the_protocol(house: House, wire: Any, lines: Any, codes: Any) -> None:
    """Each command is answered, and the connection goes on."""
    house.start()
    wire().say(*lines, "NOOP").expect(*codes, "250")


# Logs


def test_no_address_in_a_log(house: House, wire: Any, caplog: Any) -> None:
    """Whatever is logged at its most talkative."""
    caplog.set_level(logging.DEBUG)
    house.start(intake={"minimum_trust": Trust.UNVERIFIED, "hook": None})
    wire().announce(SHOP).mail(notice()).say("VRFY somebody@shop.example", "somebody@shop.example").expect("250", "252", "500")
    wire().say("LHLO me", "MAIL FROM:<>", "RCPT TO:<stranger@shop.example>").expect("250", "250", "550")
    assert "mail " in caplog.text
    assert "@" not in caplog.text
    assert "302-1234567" not in caplog.text


# Listening


def test_a_unix_socket(house: House, tmp_path: Path) -> None:
    """It takes the place of one that a crash left behind, is open to user and group, and goes at the end."""
    path = tmp_path / "lmtp.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    house.start(f"lmtp {path}")
    assert house.addresses == [str(path)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    with smtplib.LMTP(str(path)) as client:
        assert client.sendmail("bounce@amazon.de", [SHOP], notice()) == {}
    assert house.entries() == {"302-1234567-7654321"}
    house.end()
    assert not path.exists()


def test_several_addresses_at_once(house: House) -> None:
    """Both protocols, IPv4 and IPv6, one list."""
    house.start("lmtp 127.0.0.1:0", "smtp [::1]:0", "smtp localhost:0")
    assert [address.rpartition(":")[0] for address in house.addresses] == ["127.0.0.1", "[::1]", "localhost"]
    for host, address in zip(("::1", "localhost"), house.addresses[1:], strict=True):
        with smtplib.SMTP(host, int(address.rpartition(":")[2]), timeout=DEADLINE) as client:
            assert client.sendmail("bounce@amazon.de", [SHOP], notice()) == {}


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("0.0.0.0:0", "other machines can reach 0.0.0.0:0"),
        (":0", "other machines can reach :0"),
        ("[::]:0", "other machines can reach"),
        ("mail.shop.example:25", "other machines can reach"),
        ("2424", "not an address to listen at"),
        ("127.0.0.1:x", "not an address to listen at"),
        ("127.0.0.1:65536", "not an address to listen at"),
        ("127.0.0.1:²", "not an address to listen at"),
        ("missing/folder/lmtp.sock", "cannot listen at missing/folder/lmtp.sock: No such file or directory"),
        ("x/" * 100, "cannot listen at"),
        ("a\0/b", "not an address to listen at"),
        ("./taken", "cannot listen at taken"),
    ],
)
def test_where_it_does_not_listen(at: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says why."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_bytes(b"")

    async def listen() -> None:
        async with NoticeServer(NOBODY.get) as server:
            await server.listen("lmtp", at)

    with pytest.raises(InvalidInput, match=re.escape(why)):
        asyncio.run(listen())


def test_other_machines_only_on_demand(caplog: Any) -> None:
    """And with a warning; a name that nobody has is told."""

    async def listen() -> None:
        async with NoticeServer(NOBODY.get) as server:
            assert (await server.listen("smtp", "0.0.0.0:0", allow_remote=True)).startswith("0.0.0.0:")
            assert (await server.listen("smtp", ":0", allow_remote=True)).startswith(":")
            with pytest.raises(InvalidInput, match="cannot listen at"):
                await server.listen("smtp", f"{'x' * 70}.example:0", allow_remote=True)

    asyncio.run(listen())
    assert "listening at 0.0.0.0:0, which other machines can reach" in caplog.text


# The end


def test_at_the_end_idle_clients_are_told(house: House, wire: Any) -> None:
    """And nobody else can connect."""
    house.start()
    connection = wire().say("LHLO me")
    connection.expect("250")
    house.begin_to_stop()
    connection.expect("421")
    assert connection.is_over()
    house.join()
    with pytest.raises(ConnectionRefusedError):
        wire()


def test_mails_in_hand_are_finished(house: House, wire: Any, signer: Any, dns_server: Any) -> None:
    """The client gets its answer; then the connection ends."""
    house.start(intake={"resolver": dns_server.async_resolver()})
    dns_server.may_answer.clear()
    connection = wire().announce(SHOP).mail(signer.sign(notice(), "amazon.de"))
    assert dns_server.was_asked.wait(DEADLINE)
    idle = wire()
    house.begin_to_stop()
    idle.expect("421")
    dns_server.may_answer.set()
    connection.expect("250", "421")
    assert connection.is_over()
    house.join()
    assert house.entries() == {"302-1234567-7654321"}


def test_not_for_ever(house: House, wire: Any) -> None:
    """A client that does not come to an end is cut; it has no answer, so it keeps its mail."""
    house.start()
    connection = wire().announce(SHOP).say("Subject: x")
    house.begin_to_stop(grace=0)
    assert connection.is_over()
    house.join()
    assert house.told == []


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a bare ImportError."""
    for name in [name for name in sys.modules if name.startswith("optoutkit.sources.lmtp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aiosmtpd.lmtp", None)
    with pytest.raises(MissingExtra, match=r"pip install 'optoutkit\[lmtp\]'"):
        importlib.import_module("optoutkit.sources.lmtp")


def test_another_programs_log_is_left_as_it_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the level that nobody chose is changed."""
    log = logging.getLogger("mail.log")
    for before, after in ((logging.DEBUG, logging.DEBUG), (logging.NOTSET, logging.ERROR)):
        log.setLevel(before)
        monkeypatch.delitem(sys.modules, "optoutkit.sources.lmtp.sessions")
        importlib.import_module("optoutkit.sources.lmtp.sessions")
        assert log.level == after
