"""The server that mail servers deliver to: where it listens, and how it ends."""

import asyncio
import ipaddress
import logging
import re
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from optoutkit.errors import InvalidInput
from optoutkit.sources.item import MAX_BYTES
from optoutkit.sources.lmtp.desk import Desk, Route
from optoutkit.sources.lmtp.sessions import Limits, LmtpSession, Session, Sessions, SmtpSession

__all__ = ["NoticeServer"]

_LOG = logging.getLogger("optoutkit.lmtp")
_SOCKET_MODE = 0o660
_PORT = re.compile(r"[0-9]{1,5}")
_LAST_PORT = 65_535


class NoticeServer:
    """Takes in what a mail server delivers, and answers so that no notice is lost.

    A mail is accepted when what matters of it is saved, and not before. If the store or DNS does not answer, the answer is 451, and the
    mail server gives it again; after three days it goes to quarantine. A mail for recipients of several intakes goes into each of them.

    It speaks neither TLS nor AUTH: let a mail server stand before it.

    Args:
        route: Says which intake a recipient stands for, the same object each time; for None the answer is 550. It may be a coroutine
            function. Give the intakes a quarantine folder: without one, what is not believed is refused, and the mail server writes to
            its alleged sender.
        max_bytes: The largest mail, as it is announced; the answer to a larger one is 552.
        max_connections: The most at a time; one more is answered with 421.
        max_recipients: The most of one mail; one more is answered with 452.
        timeout: Seconds that a client may take for a command, and for a mail.

    Raises:
        MissingExtra: aiosmtpd is not installed (raised by the import).

    Example::

        intake = AsyncIntake(open_async_store("sqlite:///optouts.db"), quarantine="quarantine")
        async with NoticeServer({"notices@shop.example": intake}.get) as server:
            await server.listen("lmtp", "127.0.0.1:2424")
            await until_it_shall_end()
    """

    def __init__(
        self,
        route: Route,
        *,
        max_bytes: int = MAX_BYTES,
        max_connections: int = 20,
        max_recipients: int = 100,
        timeout: float = 300.0,
    ) -> None:
        limits = Limits(max_bytes=max_bytes, max_connections=max_connections, max_recipients=max_recipients, timeout=timeout)
        self._sessions = Sessions(Desk(route), limits)
        self._listeners: list[asyncio.Server] = []
        self._paths: list[Path] = []

    async def listen(self, protocol: Literal["lmtp", "smtp"], at: str, *, allow_remote: bool = False) -> str:
        """Begin to listen. It may be called several times.

        Args:
            protocol: What is spoken there.
            at: ``127.0.0.1:2424`` or ``[::1]:2424``, where port 0 lets the system choose one; or the path of a Unix socket, with a ``/``
                in it, which is open to the user and the group of this process.
            allow_remote: Listen at an address that other machines reach, too. Whoever reaches it can fill the quarantine folder.

        Returns:
            Where it listens, with the port that was chosen.

        Raises:
            InvalidInput: It is no such address, cannot be listened at, or is reached by other machines without ``allow_remote``.
        """
        kind = LmtpSession if protocol == "lmtp" else SmtpSession
        if "/" in at and "\0" not in at:
            return await self._listen_at_path(kind, Path(at))
        host, port = _host_and_port(at)
        if not _is_loopback(host):
            if not allow_remote:
                raise InvalidInput(f"other machines can reach {at}, which has to be allowed expressly")
            _LOG.warning("listening at %s, which other machines can reach", at)
        try:
            listener = await asyncio.get_running_loop().create_server(lambda: self._sessions.accept(kind), host or None, port)
        except (OSError, UnicodeError) as error:
            raise _cannot_listen(at, error) from None
        self._listeners.append(listener)
        return f"{at.rpartition(':')[0]}:{listener.sockets[0].getsockname()[1]}"

    async def stop(self, grace: float = 30.0) -> None:
        """Listen no longer, finish the mails in hand, and close all connections.

        Args:
            grace: Seconds after which connections are cut whose mails are not finished; their clients keep them.
        """
        for listener in self._listeners:
            listener.close()
        for path in self._paths:
            path.unlink(missing_ok=True)
        await self._sessions.close(grace)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    async def _listen_at_path(self, kind: type[Session], path: Path) -> str:
        try:
            listener = await asyncio.get_running_loop().create_unix_server(lambda: self._sessions.accept(kind), str(path))
            self._listeners.append(listener)
            self._paths.append(path)
            path.chmod(_SOCKET_MODE)  # noqa: ASYNC240 - it takes no time
        except OSError as error:
            raise _cannot_listen(str(path), error) from None
        return str(path)


def _host_and_port(at: str) -> tuple[str, int]:
    host, colon, port = at.rpartition(":")
    if not colon or not _PORT.fullmatch(port) or int(port) > _LAST_PORT:
        raise InvalidInput(f"not an address to listen at, such as 127.0.0.1:2424 or /run/optoutkit/lmtp.sock: {at!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _cannot_listen(at: str, error: OSError | UnicodeError) -> InvalidInput:
    return InvalidInput(f"cannot listen at {at}: {getattr(error, 'strerror', None) or error}")
