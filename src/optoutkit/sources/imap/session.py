"""One connection to an IMAP server by IMAPClient, which no other module knows.

Source: RFC 9051 (IMAP4rev2) and RFC 3501, RFC 2177 (IDLE), RFC 4315 (UIDPLUS), RFC 6851 (MOVE), RFC 5530 (response codes).

What the server says is believed as little as a mail is: no answer is larger than it may be, none is waited for without end, and nothing of
its words gets into an error text.
"""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, TypeVar

import attrs

from optoutkit.errors import InvalidInput, MissingExtra, OptOutKitError, SourceUnavailable
from optoutkit.sources.imap.uri import ImapUri

__all__ = ["Mail", "Refused", "Selected", "Session"]

T = TypeVar("T")

_WINDOW = 50_000  # mails searched at a time: imaplib takes no line of more than a million bytes
_LONGEST_ANSWER = 2**20  # bytes beside the mail itself
_MOST_MAILS = 2**32  # RFC 9051 section 2.3.1.1
_LATER = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]")


class Refused(Exception):
    """The server answers a command with NO or BAD; the connection goes on."""


@attrs.frozen(kw_only=True)
class Selected:
    r"""A folder as the server shows it when it is selected.

    Attributes:
        validity: While it stays the same, so do the UIDs of mails (UIDVALIDITY).
        count: How many mails are in the folder.
        flags: The flags that the server keeps, in lower case; ``\*`` means any keyword. None if it does not say, which means all.
    """

    validity: int
    count: int
    flags: frozenset[str] | None

    def keeps(self, flag: str) -> bool:
        """Whether a flag that is set today is still there tomorrow."""
        return self.flags is None or flag.lower() in self.flags or (not flag.startswith("\\") and "\\*" in self.flags)


@attrs.frozen(kw_only=True)
class Mail:
    """A mail as the server has it.

    Attributes:
        raw: Its bytes; cut off where it is too large.
        arrived: When it came into the folder, if the server says so.
    """

    raw: bytes = attrs.field(repr=False)
    arrived: datetime | None


class Session:
    """A connection, logged in.

    Args:
        uri: Where, and who.
        max_bytes: No more of any one mail is fetched, and one byte.

    Attributes:
        is_open: Whether it still stands, as far as known.
        is_idle: Whether the server has been asked to tell of new mail.

    Raises:
        InvalidInput: The server is not who it should be, or refuses the user or the password.
        SourceUnavailable: It does not answer. So it is with every method, which also ends the connection.
        MissingExtra: IMAPClient is not installed.
    """

    def __init__(self, uri: ImapUri, *, max_bytes: int) -> None:
        self._host = uri.host
        self._timeout = uri.timeout
        self._max_bytes = max_bytes
        self.is_open: bool = False
        self.is_idle: bool = False
        password = uri.password()
        with self._guarded():
            self._client = _connected(uri)
            self._budget = _Budget(self._client._imap)  # noqa: SLF001 - imaplib reads whatever size a server names
            self.is_open = True
        try:
            self._begin(uri, password)
        except BaseException:
            self.close()
            raise

    def _begin(self, uri: ImapUri, password: str) -> None:
        if not (uri.is_wrapped or uri.is_plain):
            try:
                with self._guarded():
                    self._client.starttls(_tls_context(uri))
            except Refused:
                raise InvalidInput(f"{self._host} offers no TLS here: try imaps://, or tls=none if nobody can listen") from None
        try:
            with self._guarded():
                is_plain = self._client.has_capability("AUTH=PLAIN") or not (uri.user + password).isascii()  # LOGIN is for ASCII only
                (self._client.plain_login if is_plain else self._client.login)(uri.user, password)
        except Refused as refusal:
            if any(code in str(refusal).upper() for code in _LATER):
                raise SourceUnavailable(f"{self._host} takes no log-ins at the moment") from None
            raise InvalidInput(f"{self._host} refuses the user or the password") from None

    def select(self, folder: str) -> Selected:
        """Open a folder, or look at it again.

        Raises:
            InvalidInput: There is no such folder, or nothing may be changed in it.
        """
        readonly = import_module("imapclient.exceptions").IMAPClientReadOnlyError
        try:
            with self._guarded():
                try:
                    told = self._client.select_folder(folder)
                except readonly:
                    raise InvalidInput(f"{self._host}/{folder} may only be read: its mails could not be marked") from None
                flags = told.get(b"PERMANENTFLAGS")
                selected = Selected(
                    validity=int(told[b"UIDVALIDITY"]),
                    count=int(told[b"EXISTS"]),
                    flags=None if flags is None else frozenset(flag.decode("ascii").lower() for flag in flags),
                )
                if selected.count >= _MOST_MAILS:
                    raise ValueError("nobody has that many")
        except Refused:
            raise InvalidInput(f"there is no folder {folder} on {self._host}") from None
        return selected

    def make_folder(self, folder: str) -> None:
        """Make sure that there is a folder.

        Raises:
            InvalidInput: It cannot be made.
        """
        try:
            with self._guarded():
                if not self._client.folder_exists(folder):
                    self._client.create_folder(folder)
        except Refused:
            raise InvalidInput(f"the folder {folder} on {self._host} is not there, and cannot be made") from None

    def search(self, criteria: list[str], count: int) -> list[int]:
        """The UIDs of the mails of the selected folder that meet criteria.

        Args:
            criteria: Search keys.
            count: How many mails are in the folder.
        """
        found: list[int] = []
        try:
            for first in range(1, count + 1, _WINDOW):
                with self._guarded():
                    found += map(int, self._client.search([f"{first}:{min(first + _WINDOW - 1, count)}", *criteria]))
        except Refused:
            self._shut()
            raise SourceUnavailable(f"{self._host} does not say which mails there are") from None
        return found

    def fetch(self, uid: int) -> Mail | None:
        """Get a mail without marking it as read; None if it is gone."""
        with self._guarded():
            self._budget.allow(self._max_bytes)
            told = self._client.fetch([uid], ["INTERNALDATE", f"BODY.PEEK[]<0.{self._max_bytes + 1}>"]).get(uid, {})
            raw, arrived = told.get(b"BODY[]<0>"), told.get(b"INTERNALDATE")  # it is named by where it begins, RFC 9051 section 7.5.2
            if raw is None:
                return None
            return Mail(raw=bytes(raw[: self._max_bytes + 1]), arrived=arrived and arrived.astimezone(UTC))

    def flag(self, uid: int, flag: str) -> None:
        """Set a flag of a mail.

        Raises:
            Refused: The server does not do it.
        """
        with self._guarded():
            self._client.add_flags([uid], [flag], silent=True)

    def move(self, uid: int, folder: str) -> None:
        r"""Move a mail to another folder.

        Where the server knows neither MOVE nor UIDPLUS, the mail is copied, and left behind with the flag ``\Deleted``: EXPUNGE would take
        away what others have marked so, too.

        Raises:
            Refused: The server does not do it.
        """
        with self._guarded():
            if self._client.has_capability("MOVE"):
                self._client.move([uid], folder)
                return
            self._client.copy([uid], folder)
            self._client.add_flags([uid], ["\\Deleted"], silent=True)
            if self._client.has_capability("UIDPLUS"):
                self._client.uid_expunge([uid])

    def idle(self) -> tuple[socket.socket | None, bool]:
        """Ask the server to tell of new mail (RFC 2177).

        Returns:
            A socket on which there is something to be read as soon as it has told, or None if this server cannot; and whether it has told
            something already.
        """
        try:
            with self._guarded():
                if not self._client.has_capability("IDLE"):
                    return None, False
                self._client.idle()
                self.is_idle = True
                connection: socket.socket = self._client.socket()
                return connection, self._has_told(connection)
        except Refused:  # or it said something else first, which IMAPClient cannot tell apart
            self._shut()
            raise SourceUnavailable(f"{self._host} did not begin to tell of new mail") from None

    def _has_told(self, connection: socket.socket) -> bool:
        """Whether there is something in the buffers of imaplib or of TLS, of which the socket knows nothing."""
        imap = self._client._imap  # noqa: SLF001 - IMAPClient overlooks this
        file = getattr(imap, "_file", None) or imap.file  # from Python 3.14 on the first
        connection.settimeout(0)
        try:
            return bool(file.peek(1))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            connection.settimeout(self._timeout)

    def end_idle(self) -> None:
        """Go on with other commands, whatever the server has told."""
        self.is_idle = False
        with self._guarded():
            self._client.idle_done()

    def close(self) -> None:
        """Log out, if the server still listens, and end the connection."""
        if self.is_open:
            with suppress(OptOutKitError, Refused), self._guarded():
                if self.is_idle:
                    self.end_idle()
                self._client.logout()
            self._shut()

    def _shut(self) -> None:
        if self.is_open:
            self.is_open = self.is_idle = False
            with suppress(Exception):
                self._client.shutdown()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Tell a refusal from a connection that is of no more use, whatever the libraries raise, and end the latter."""
        if self.is_open:
            self._budget.allow(0)
        try:
            yield
        except (OptOutKitError, Refused):
            raise
        except ssl.SSLCertVerificationError as error:
            self._shut()
            raise InvalidInput(f"{self._host} is not who it should be: {error.verify_message}") from None
        except Exception as error:  # noqa: BLE001 - the libraries raise whatever a server makes them stumble over
            names = import_module("imapclient.exceptions")
            is_lost = not isinstance(error, names.IMAPClientError) or isinstance(error, names.IMAPClientAbortError | names.ProtocolError)
            if self.is_open and not is_lost:
                raise Refused(str(error)) from None
            was_open = self.is_open
            self._shut()
            raise SourceUnavailable(_why(self._host, error, was_open=was_open)) from None
        except BaseException:  # Ctrl-C within a command: nobody knows what the server will say next
            self._shut()
            raise


class _Budget:
    """How much imaplib may still read for one command."""

    def __init__(self, imap: Any) -> None:
        self._left = _LONGEST_ANSWER
        imap.read = self._counted(imap.read, imap.abort)
        imap.readline = self._counted(imap.readline, imap.abort)

    def allow(self, size: int) -> None:
        """Begin with a new command, whose answer holds a mail of this size."""
        self._left = size + _LONGEST_ANSWER

    def _counted(self, read: Callable[..., bytes], abort: type[Exception]) -> Callable[..., bytes]:
        def counted(*size: int) -> bytes:
            if self._left < sum(size):
                raise abort("the answer is too large")
            data = read(*size)
            self._left -= len(data)
            return data

        return counted


def _connected(uri: ImapUri) -> Any:
    """A client of IMAPClient that has read the server's greeting."""
    try:
        imapclient = import_module("imapclient")
    except ImportError:
        raise MissingExtra("IMAP", "imap") from None
    client = imapclient.IMAPClient(
        uri.host, uri.port, ssl=uri.is_wrapped, ssl_context=_tls_context(uri) if uri.is_wrapped else None, timeout=uri.timeout
    )
    client.normalise_times = False
    return client


def _tls_context(uri: ImapUri) -> ssl.SSLContext:
    """What verifies certificate and name, by the system's certificates or the user's."""
    try:
        return ssl.create_default_context(cafile=uri.ca or None)
    except OSError as error:  # ssl.SSLError, where there is no certificate in it
        raise InvalidInput(f"the certificates in {uri.ca} cannot be read: {error.strerror or error}") from None


def _why(host: str, error: Exception, *, was_open: bool) -> str:
    if isinstance(error, TimeoutError):
        return f"{host} does not answer"
    if was_open:
        return f"the connection to {host} was lost"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "it hangs up, or does not speak IMAP"
    return f"cannot connect to {host}: {reason}"
