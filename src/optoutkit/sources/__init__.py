"""Where notices come from: files, folders, mboxes, Maildirs, standard input."""

import os
from collections.abc import Iterator
from pathlib import Path

from optoutkit.errors import InvalidInput
from optoutkit.sources.feeding import feed, feed_async
from optoutkit.sources.files import read_file, read_folder, read_stdin, read_stream
from optoutkit.sources.item import MAX_BYTES, Item
from optoutkit.sources.maildir import is_maildir, read_maildir

__all__ = [
    "MAX_BYTES",
    "Item",
    "feed",
    "feed_async",
    "is_maildir",
    "open_source",
    "read_file",
    "read_folder",
    "read_maildir",
    "read_stdin",
    "read_stream",
]


def open_source(location: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Iterator[Item]:
    """Read mails from wherever a name leads.

    Args:
        location: ``-`` for standard input, a Maildir, a folder of mails, an mbox, or a file that is a mail.
        max_bytes: No more of any one mail is read, and one byte, which makes a parser with this limit refuse it.

    Raises:
        InvalidInput: There is nothing there, or it cannot be read; the text names it and says why.

    Example::

        for item, result in feed(open_source("Maildir"), intake):
            print(item.name, result.status)
    """
    if location == "-":
        return read_stdin(max_bytes=max_bytes)
    path = Path(location)
    try:
        if not path.exists():
            raise InvalidInput(f"there is no file or folder {path}")
        if not path.is_dir():
            return read_file(path, max_bytes=max_bytes)
        return (read_maildir if is_maildir(path) else read_folder)(path, max_bytes=max_bytes)
    except OSError as error:  # a folder above it must not be entered
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from None
