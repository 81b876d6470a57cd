"""One connection of a mail server. This is the one module that needs aiosmtpd."""

import asyncio
import logging
import socket
from typing import Any

import attrs

from optoutkit.errors import MissingExtra
from optoutkit.intake import AsyncIntake
from optoutkit.sources.lmtp.desk import Desk

try:
    from aiosmtpd.lmtp import LMTP
    from aiosmtpd.smtp import SMTP, Envelope, syntax
except ImportError:
    raise MissingExtra("Taking mail by LMTP or SMTP", "lmtp") from None

__all__ = ["Limits", "LmtpSession", "Session", "Sessions", "SmtpSession"]

_LOG = logging.getLogger("optoutkit.lmtp")
_COMMANDS = 1000  # of each kind on one connection; beyond it the client is told to connect anew, which mail servers do
_DAY = 86_400.0

_THEIR_LOG = logging.getLogger("mail.log")
if _THEIR_LOG.level == logging.NOTSET:  # aiosmtpd writes every command there, with the addresses in it
    _THEIR_LOG.setLevel(logging.ERROR)


@attrs.frozen(kw_only=True)
class Limits:
    """What clients may ask for.

    Attributes:
        max_bytes: The largest mail.
        max_connections: The most at a time.
        max_recipients: The most of one mail.
        timeout: Seconds that a client may take for a command, and for a mail.
    """

    max_bytes: int
    max_connections: int
    max_recipients: int
    timeout: float


class Sessions:
    """All connections of a server.

    Args:
        desk: Where their mails go.
        limits: What clients may ask for.

    Attributes:
        is_closing: Whether no more mails are taken than those in hand.
    """

    def __init__(self, desk: Desk, limits: Limits) -> None:
        self.desk = desk
        self.limits = limits
        self.is_closing: bool = False
        self._open: set[Session] = set()
        self._accepted = 0  # each of them is open in a moment
        self._none_left = asyncio.Event()
        self._none_left.set()

    def accept(self, kind: "type[Session]") -> asyncio.BaseProtocol:
        """A new connection, or a refusal if there are too many."""
        if self._accepted >= self.limits.max_connections:
            return _Refusal()
        self._accepted += 1
        self._none_left.clear()
        return kind(self)

    def opened(self, session: "Session") -> None:
        """A connection is there."""
        self._open.add(session)

    def closed(self, session: "Session") -> None:
        """A connection is gone."""
        self._open.remove(session)
        self._accepted -= 1
        if not self._accepted:
            self._none_left.set()

    async def close(self, grace: float) -> None:
        """Close them all when their mails in hand are answered, or after a number of seconds."""
        self.is_closing = True
        for session in self._open:
            session.close_when_idle()
        try:
            await asyncio.wait_for(self._none_left.wait(), grace)
        except TimeoutError:
            for session in self._open:
                session.abort()


class _Hooks:
    """What aiosmtpd asks in the course of a session."""

    def __init__(self, sessions: Sessions) -> None:
        self.intakes: list[AsyncIntake] = []  # one for each recipient of the mail that is being announced
        self._sessions = sessions

    async def handle_EHLO(self, _server: Any, session: Any, _envelope: Any, hostname: str, lines: list[str]) -> list[str]:  # noqa: N802 - aiosmtpd's name
        session.host_name = hostname
        return [*lines[:-1], "250-PIPELINING", lines[-1]]  # RFC 2033 section 5 demands it

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, sender: str, _options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        envelope.mail_from = sender
        self.intakes = []
        return "250 2.1.0 ok"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, recipient: str, _options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        if len(self.intakes) >= self._sessions.limits.max_recipients:
            return "452 4.5.3 too many recipients"
        intake = await self._sessions.desk.intake_of(recipient)
        if intake is None:
            return "550 5.1.1 no list is kept for this recipient"
        envelope.rcpt_tos.append(recipient)
        self.intakes.append(intake)
        return "250 2.1.5 ok"

    async def handle_exception(self, error: Exception) -> str:
        _LOG.error("a command could not be answered (%s)", type(error).__name__)
        return "451 4.3.0 it could not be done now"


class Session(SMTP):
    """What both protocols have in common."""

    has_reply_for_each = False

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._hooks = _Hooks(sessions)
        self._is_busy = False  # with a mail
        super().__init__(
            self._hooks,
            data_size_limit=sessions.limits.max_bytes,
            enable_SMTPUTF8=True,  # else a mail server has to send a mail back that has such an address in it
            hostname=socket.gethostname(),
            ident="optoutkit",
            timeout=sessions.limits.timeout,
            command_call_limit=_COMMANDS,
            loop=asyncio.get_running_loop(),
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        self._sessions.opened(self)

    def connection_lost(self, error: Exception | None) -> None:
        """End."""
        super().connection_lost(error)
        self._sessions.closed(self)

    def close_when_idle(self) -> None:
        """Close the connection, but not before the mail in hand is answered."""
        if not self._is_busy:
            self._writer.write(b"421 4.3.2 shutting down\r\n")
            self._writer.close()

    def abort(self) -> None:
        """Close the connection at once; the client keeps its mail."""
        self._writer.transport.abort()

    async def push(self, status: Any) -> None:
        """Send a reply."""
        await super().push(status)
        if self._sessions.is_closing:
            self.close_when_idle()

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        """Take a mail.

        In place of aiosmtpd's: LMTP needs a reply for each recipient, a line longer than RFC 5321 allows is no reason to lose a notice,
        and one without an end must not fill the memory.
        """
        if await self.check_helo_needed():
            return
        if arg:
            await self.push("501 5.5.4 DATA takes no argument")
        elif not (self.envelope and self.envelope.rcpt_tos):
            await self.push("503 5.5.1 no valid recipient")
        else:
            self._is_busy = True
            try:
                await self.push("354 end with a dot on a line of its own")
                replies = await self._replies(await self._read_mail())
            finally:
                self._is_busy = False
            await self.push("\r\n".join(replies))

    async def _replies(self, raw: bytes | None) -> list[str]:
        intakes = self._hooks.intakes
        self.envelope: Envelope | None = self._create_envelope()
        replies = ["552 5.3.4 the mail is too large"] * len(intakes)
        if raw is not None:
            self._reset_timeout(_DAY)  # the intake has limits of its own
            replies = await self._sessions.desk.deliver(raw, intakes)
            self._reset_timeout()
        if self.has_reply_for_each:
            return replies
        # One reply for all. If one intake needs it again, all get it again; the others then know it already.
        return [min(replies, key=lambda reply: "452".index(reply[0]))]

    async def _read_mail(self) -> bytes | None:
        """Read up to the lone dot; None if it was too much."""
        mail = bytearray()
        is_too_much = False
        is_line_start = True
        while True:
            try:
                piece = await self._reader.readuntil(b"\r\n")
            except asyncio.LimitOverrunError as error:
                piece = await self._reader.read(error.consumed)
            if is_line_start and piece == b".\r\n":
                return None if is_too_much else bytes(mail)
            mail += piece.removeprefix(b".") if is_line_start else piece
            is_line_start = piece.endswith(b"\r\n")
            if len(mail) > self._sessions.limits.max_bytes:
                is_too_much = True
                mail.clear()


class SmtpSession(Session):
    """SMTP."""


class LmtpSession(Session, LMTP):
    """LMTP: a reply for each recipient behind a mail (RFC 2033 section 4.2)."""

    has_reply_for_each = True


class _Refusal(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: Any) -> None:
        """Say so, and close it."""
        transport.write(b"421 4.3.2 too many connections\r\n")
        transport.close()
