"""Maildirs, mboxes, folders and files that are looked at again and again."""

import functools
import socket
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import attrs

from optoutkit.errors import InvalidInput
from optoutkit.intake.results import mail_id
from optoutkit.sources.files import list_files
from optoutkit.sources.item import Item
from optoutkit.sources.later import Later
from optoutkit.sources.maildir import read_maildir

__all__ = ["FilesMailbox", "MaildirMailbox"]


class _LocalMailbox:
    """What does not tell of new mail by itself, and needs no connection."""

    def __init__(self, path: Path, *, max_bytes: int, later: Later[str] | None = None) -> None:
        self.name: str = str(path)
        self._path = path
        self._max_bytes = max_bytes
        self._later: Later[str] = later or Later()

    def open(self) -> None:
        """Nothing is to be done for it."""

    def listen(self) -> tuple[socket.socket | None, float | None]:
        """Nobody tells of new mail."""
        return None, None

    def close(self) -> None:
        """Nothing is kept open."""


class MaildirMailbox(_LocalMailbox):
    """A Maildir, which itself knows what was taken in."""

    def look(self) -> Iterator[Item]:
        """The mails that nobody has seen, but for those that were left a short while ago."""
        waiting = set()
        for item in read_maildir(self._path, max_bytes=self._max_bytes):
            waiting.add(item.name)
            if self._later.is_due(item.name):
                yield attrs.evolve(item, leave=functools.partial(self._later.put_off, item.name))
        self._later.keep(waiting)


@attrs.define
class _File:
    """A file as it was when it was last read.

    Attributes:
        signature: Changes with its contents; None while not all of it is taken in.
        done: Its mails that are.
    """

    signature: tuple[int, ...] | None = None
    done: set[str] = attrs.field(factory=set)


class FilesMailbox(_LocalMailbox):
    """A file, an mbox or a folder of them. None of them is changed: for as long as this object lives, it knows what was taken in.

    Args:
        path: Where it is.
        read: Reads one file.
        max_bytes: No more of any one mail is read, and one byte.
        later: When mails that were left come again.
    """

    def __init__(self, path: Path, *, read: Callable[..., Iterator[Item]], max_bytes: int, later: Later[str] | None = None) -> None:
        super().__init__(path, max_bytes=max_bytes, later=later)
        self._read = read
        self._files: dict[Path, _File] = {}

    def look(self) -> Iterator[Item]:
        """The mails that are new, and those that were left and are due. Files that have not changed are not read."""
        problems: list[str] = []
        there: dict[Path, _File] = {}
        waiting: set[str] = set()
        for path in list_files(self._path, problems) if self._path.is_dir() else [self._path]:
            try:
                about = path.stat()
                signature = (about.st_ino, about.st_size, about.st_mtime_ns)
                file = there[path] = self._files.get(path, _File())
                if about.st_size and file.signature != signature:  # an empty one is about to be written
                    left = yield from self._new(path, file)
                    file.signature = None if left else signature
                    waiting |= left
            except FileNotFoundError:  # some programs take an mbox away when it is empty
                continue
            except OSError as error:
                problems.append(f"cannot read {path}: {error.strerror}")
            except InvalidInput as error:
                problems.append(str(error))
        self._files = there
        self._later.keep(waiting)
        if problems:
            raise InvalidInput("; ".join(problems))

    def _new(self, path: Path, file: _File) -> Generator[Item, None, set[str]]:
        """The mails of one file that are not done; returns which of them still are not."""
        found = set()
        for item in self._read(path, max_bytes=self._max_bytes):
            key = mail_id(item.raw)
            found.add(key)
            if key not in file.done and self._later.is_due(key):
                yield attrs.evolve(item, done=functools.partial(file.done.add, key), leave=functools.partial(self._later.put_off, key))
        file.done &= found
        return found - file.done
