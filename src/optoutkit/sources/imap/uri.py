"""URIs of mailboxes on IMAP servers, such as ``imaps://me@imap.shop.example/Notices?move=Done``.

No error text repeats a URI: there may be a password in it.
"""

import os
import re
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import attrs

from optoutkit.errors import InvalidInput, InvalidUri
from optoutkit.stores.uris import StoreUri

__all__ = ["PASSWORD_VARIABLE", "ImapUri"]

PASSWORD_VARIABLE = "OPTOUTKIT_IMAP_PASSWORD"  # noqa: S105 - the name of a variable
"""The environment variable that is asked for a password where the URI does not say where else it is."""

_PORTS = {"imap": 143, "imaps": 993}
_SYSTEM_FLAGS = {"seen": "\\Seen", "flagged": "\\Flagged"}
_KEYWORD = re.compile(r"[A-Za-z0-9$_.-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_PASSWORD_FILE = 4096


def _printable(_mailbox: Any, attribute: "attrs.Attribute[str]", value: str) -> None:
    if _CONTROL.search(value):  # a line end would begin a command of its own
        raise InvalidUri(f"there is a control character in the {attribute.name} of the IMAP URI")


@attrs.frozen(kw_only=True)
class ImapUri:
    r"""Where a mailbox is, and how its mails are marked.

    Attributes:
        host: The server.
        port: Its port; 993 for ``imaps://``, 143 for ``imap://``.
        user: Who logs in.
        folder: Such as ``INBOX``.
        is_wrapped: Whether TLS begins with the connection (``imaps://``).
        is_plain: Whether nothing is encrypted at all (``tls=none``); otherwise ``imap://`` begins TLS with STARTTLS.
        ca: A file with certificates to believe instead of the system's.
        flag: What marks a mail that is saved: ``\Seen``, ``\Flagged`` or a keyword.
        move: The folder to which such a mail is moved instead; empty if it stays.
        timeout: Seconds to wait for the server each time.
    """

    host: str = attrs.field(validator=_printable)
    port: int
    user: str = attrs.field(validator=_printable)
    folder: str = attrs.field(default="INBOX", validator=_printable)
    is_wrapped: bool = True
    is_plain: bool = False
    ca: str = ""
    flag: str = "\\Seen"
    move: str = attrs.field(default="", validator=_printable)
    timeout: float = 60.0
    _password: str | None = attrs.field(default=None, alias="password", repr=False)
    _password_env: str = attrs.field(default=PASSWORD_VARIABLE, alias="password_env", repr=False)
    _password_file: str = attrs.field(default="", alias="password_file", repr=False)

    @property
    def name(self) -> str:
        """What to call the mailbox: neither the user nor a password is in it."""
        return f"{self.host}/{self.folder}"

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Read a URI.

        Args:
            uri: ``imaps://USER@HOST/FOLDER?OPTIONS``. Options are ``flag``, ``move``, ``tls``, ``ca``, ``timeout``, ``password_env``
                and ``password_file``.

        Raises:
            InvalidUri: It lacks a part, or an option is wrong.
        """
        parsed = StoreUri.parse(uri)
        if parsed.scheme not in _PORTS:
            raise InvalidUri("the URI of a mailbox on a server begins with imaps:// or imap://")
        options = parsed.keywords(flag=_flag, move=_given, tls=_tls, ca=str, timeout=_seconds, password_env=_given, password_file=_given)
        try:
            server = urlsplit(f"//{parsed.host}")
            port = server.port
        except ValueError:
            raise InvalidUri(f"the {parsed.scheme}:// URI has a host or port that cannot be read") from None
        if not server.hostname or not server.username:
            raise InvalidUri(f"the {parsed.scheme}:// URI lacks a user or a host: {parsed.scheme}://USER@HOST/FOLDER")
        is_wrapped, is_plain = parsed.scheme == "imaps", options.pop("tls", False)
        if is_wrapped and is_plain:
            raise InvalidUri("imaps:// is TLS; tls=none is an option of imap://")
        folder = parsed.path.strip("/") or "INBOX"
        if "move" in options and ("flag" in options or options["move"] == folder):
            raise InvalidUri("move names another folder, and stands in place of flag")
        for name in ("password_env", "password_file"):
            if name in options and server.password is not None:
                raise InvalidUri(f"the {parsed.scheme}:// URI has a password, and {name} besides")
        return cls(
            host=server.hostname,
            port=port or _PORTS[parsed.scheme],
            user=unquote(server.username),
            folder=folder,
            is_wrapped=is_wrapped,
            is_plain=is_plain,
            password=None if server.password is None else unquote(server.password),
            **options,
        )

    def password(self) -> str:
        """The password: from the URI, a file, or the environment. It is looked for anew each time, since it may change.

        Raises:
            InvalidInput: It is not there, or is none.
        """
        if self._password is not None:
            found, place = self._password, "in the URI"
        elif self._password_file:
            found, place = self._read_password_file(), "in password_file"
        elif self._password_env in os.environ:
            found, place = os.environ[self._password_env], f"in {self._password_env}"
        else:
            raise InvalidInput(f"there is no password for {self.host}: set {self._password_env}, or name a file with ?password_file=")
        if not found or _CONTROL.search(found):
            raise InvalidInput(f"what stands {place} is no password: it is empty, or has a control character in it")
        return found

    def _read_password_file(self) -> str:
        try:
            with Path(self._password_file).open(encoding="utf-8") as file:
                return file.read(_LONGEST_PASSWORD_FILE).rstrip("\r\n")
        except OSError as error:
            raise InvalidInput(f"cannot read the password of {self.host} from its file: {error.strerror}") from None
        except ValueError:
            raise InvalidInput(f"cannot read the password of {self.host} from its file: it is no text in UTF-8") from None


def _flag(text: str) -> str:
    if text.lower() in _SYSTEM_FLAGS:
        return _SYSTEM_FLAGS[text.lower()]
    if not _KEYWORD.fullmatch(text):
        raise ValueError("Seen, Flagged, or a word of letters, digits and $_.-")
    return text


def _given(text: str) -> str:
    if not text:
        raise ValueError("it is empty")
    return text


def _tls(text: str) -> bool:
    if text != "none":
        raise ValueError("only none can be said; otherwise there is TLS")
    return True


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:  # noqa: PLR2004 - an hour
        raise ValueError("seconds, more than 0 and up to 3600")
    return seconds
