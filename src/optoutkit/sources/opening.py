"""Sources and mailboxes by their names: paths, ``-`` for standard input, and URIs."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from optoutkit.errors import InvalidInput, InvalidUri
from optoutkit.sources.files import read_file, read_folder, read_mbox, read_stdin
from optoutkit.sources.item import MAX_BYTES, Item
from optoutkit.sources.local import FilesMailbox, MaildirMailbox
from optoutkit.sources.maildir import is_maildir, read_maildir
from optoutkit.sources.watching import Mailbox

__all__ = ["local_path", "open_mailbox", "open_source"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SERVERS = ("imap", "imaps")
_LOCAL = ("file", "maildir", "mbox")


def open_source(location: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Iterator[Item]:
    """Read mails from wherever a name leads.

    Args:
        location: ``-`` for standard input; the path of a Maildir, a folder of mails, an mbox, or a file that is a mail; or one of these as
            a URI, such as ``maildir:///home/me/Maildir``, ``mbox:///var/mail/me`` or ``file:///srv/mails``; or a folder on an IMAP
            server, as :func:`read_imap` takes it.
        max_bytes: No more of any one mail is read, and one byte, which makes a parser with this limit refuse it.

    Raises:
        InvalidInput: There is nothing there, or it cannot be read; the text names it and says why.
        SourceUnavailable: A server does not answer.

    Example::

        for item, result in feed(open_source("Maildir"), intake):
            print(item.name, result.status)
    """
    if location == "-":
        return read_stdin(max_bytes=max_bytes)
    if _scheme(location) in _SERVERS:
        from optoutkit.sources.imap import read_imap  # noqa: PLC0415 - few need it

        return read_imap(str(location), max_bytes=max_bytes)
    kind, path = _found(location)
    reader = {"maildir": read_maildir, "mbox": read_mbox, "folder": read_folder, "file": read_file}[kind]
    return reader(path, max_bytes=max_bytes)


def open_mailbox(location: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Mailbox:
    """Open what a name leads to for :func:`watch`.

    Args:
        location: As for :func:`open_source`, but for standard input, which ends by itself.
        max_bytes: As there.

    Raises:
        InvalidInput: There is nothing there, or it is standard input.
    """
    if location == "-":
        raise InvalidInput("standard input ends by itself and cannot be watched")
    if _scheme(location) in _SERVERS:
        from optoutkit.sources.imap import ImapMailbox  # noqa: PLC0415 - few need it

        return ImapMailbox(str(location), max_bytes=max_bytes)
    kind, path = _found(location)
    if kind == "maildir":
        return MaildirMailbox(path, max_bytes=max_bytes)
    return FilesMailbox(path, read=read_mbox if kind == "mbox" else read_file, max_bytes=max_bytes)


def local_path(location: str | os.PathLike[str]) -> Path | None:
    """The path to which a name leads; None if it is standard input or a server.

    Raises:
        InvalidUri: It looks like a URI, and is none of a source.
    """
    scheme = _scheme(location)
    if location == "-" or scheme in _SERVERS:
        return None
    if not scheme:
        return Path(location)
    from urllib.request import url2pathname  # noqa: PLC0415 - slow, and few need it

    try:
        parts = urlsplit(str(location).replace("#", "%23").replace("?", "%3F"))
    except ValueError:
        parts = None
    if parts is None or parts.netloc not in ("", "localhost") or not parts.path.strip("/"):
        raise InvalidUri(f"a {scheme}:// URI has three slashes and a path from the root, such as {scheme}:///var/mail/me")
    return Path(url2pathname(parts.path))


def _scheme(location: str | os.PathLike[str]) -> str:
    """The scheme of a URI, lower case; empty for a path.

    Raises:
        InvalidUri: There is no such source.
    """
    match = _SCHEME.match(location) if isinstance(location, str) else None
    scheme = match[1].lower() if match else ""
    if scheme and scheme not in _SERVERS + _LOCAL:
        raise InvalidUri(f"there is no source for {scheme}://; there is: {', '.join(f'{name}://' for name in sorted(_SERVERS + _LOCAL))}")
    return scheme


def _found(location: str | os.PathLike[str]) -> tuple[str, Path]:
    """What is there: a ``maildir``, an ``mbox`` for sure, a ``folder`` or a ``file``."""
    path = local_path(location)
    assert path is not None  # noqa: S101 - for the type checker
    scheme = _scheme(location)
    try:
        if not path.exists():
            raise InvalidInput(f"there is no file or folder {path}")
        if is_maildir(path) and scheme != "mbox":
            return "maildir", path
        if scheme == "maildir":
            raise InvalidInput(f"{path} is no Maildir: it lacks new, cur or tmp")
        if path.is_dir() and scheme != "mbox":
            return "folder", path
    except OSError as error:  # a folder above it must not be entered
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from None
    return ("mbox" if scheme == "mbox" else "file"), path
