"""Mails from files: one a file, or many in an mbox; from folders of such files; from standard input.

None of them is changed, so none remembers what was read: the store does.
"""

import itertools
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from optoutkit.errors import InvalidInput
from optoutkit.sources.item import MAX_BYTES, Item

__all__ = ["list_files", "read_file", "read_folder", "read_mbox", "read_stdin", "read_stream"]

_CHUNK = 64 * 1024
_LONGEST_SEPARATOR = 300
# RFC 4155: a line that begins with "From " and has a time and a year, after a blank one. Mails have lines that begin with the word alone.
_SEPARATOR = re.compile(rb"From (?>[^\r\n]*?[0-9]:[0-9]{2})[^\r\n]*?[0-9]{4}")
_QUOTED_FROM = re.compile(rb">+From ")


def read_file(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Iterator[Item]:
    """Read a mail, or an mbox of them, which may be larger than memory.

    Args:
        path: The file.
        max_bytes: No more of any one mail is read, and one byte, which makes a parser with this limit refuse it.

    Raises:
        InvalidInput: It cannot be read; the text names it and says why.
    """
    try:
        with Path(path).open("rb") as file:
            yield from read_stream(file, os.fspath(path), max_bytes=max_bytes)
    except OSError as error:
        raise _unreadable(os.fspath(path), error) from None


def read_mbox(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Iterator[Item]:
    """Read an mbox, which may be empty.

    Args:
        path: The file.
        max_bytes: As for :func:`read_file`.

    Raises:
        InvalidInput: It cannot be read, or is something else; the text names it and says why.
    """
    for item in read_file(path, max_bytes=max_bytes):
        if item.name != os.fspath(path):
            yield item
        elif item.raw:
            raise InvalidInput(f"{item.name} is no mbox: it does not begin with From")


def read_folder(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Iterator[Item]:
    """Read all files of a folder and of those below it, in the order of their names; hidden ones are left out.

    Args:
        path: The folder.
        max_bytes: As for :func:`read_file`.

    Raises:
        InvalidInput: Some cannot be read. This is raised when all others have been, and names them.
    """
    problems: list[str] = []
    for file in list_files(path, problems):
        try:
            yield from read_file(file, max_bytes=max_bytes)
        except InvalidInput as error:
            problems.append(str(error))
    if problems:
        raise InvalidInput("; ".join(problems))


def list_files(path: str | os.PathLike[str], problems: list[str]) -> Iterator[Path]:
    """Tell the files of a folder and of those below it, in the order of their names, without the hidden ones.

    Args:
        path: The folder.
        problems: Gets a line for each that cannot be looked at.
    """
    for folder, folders, names in os.walk(path, onerror=lambda error: problems.append(str(_unreadable(error.filename, error)))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in (Path(folder, name) for name in sorted(names) if not name.startswith(".")):
            try:
                is_file = file.is_file()
            except OSError as error:  # the folder may be listed, and not entered
                problems.append(str(_unreadable(str(file), error)))
                continue
            if is_file:
                yield file


def read_stdin(*, max_bytes: int = MAX_BYTES) -> Iterator[Item]:
    """Read a mail, or an mbox of them, from standard input: a pipe from procmail, Postfix or a ``.forward`` file."""
    return read_stream(sys.stdin.buffer, "-", max_bytes=max_bytes)


def read_stream(file: BinaryIO, name: str, *, max_bytes: int = MAX_BYTES) -> Iterator[Item]:
    """Read a mail, or an mbox of them, from an open file.

    Args:
        file: Open for reading bytes.
        name: What to call it.
        max_bytes: As for :func:`read_file`.
    """
    first = file.readline(_CHUNK)
    if first.startswith(b"From "):
        lines = itertools.chain([first], iter(lambda: file.readline(_CHUNK), b""))
        for number, raw in enumerate(_split_mbox(lines, max_bytes), 1):
            yield Item(name=f"{name}#{number}", raw=raw)
    else:
        yield Item(name=name, raw=(first + file.read(max(0, max_bytes + 1 - len(first))))[: max_bytes + 1])


def _split_mbox(lines: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    """The mails of an mbox, given its lines, the long ones in pieces; without the lines that part them."""
    next(lines)
    mail = bytearray()
    is_line_start = is_after_blank = True
    for line in lines:
        if is_line_start and is_after_blank and len(line) <= _LONGEST_SEPARATOR and _SEPARATOR.match(line):
            yield _without_last_blank(mail)
            mail = bytearray()
            continue
        if len(mail) <= max_bytes:
            mail += line[1:] if is_line_start and _QUOTED_FROM.match(line) else line
            del mail[max_bytes + 1 :]
        is_after_blank = is_line_start and not line.rstrip(b"\r\n")
        is_line_start = line.endswith(b"\n")
    yield _without_last_blank(mail)


def _without_last_blank(mail: bytearray) -> bytes:
    """An mbox has a blank line behind each mail that does not belong to it."""
    for blank in (b"\r\n\r\n", b"\n\n"):
        if mail.endswith(blank):
            return bytes(mail[: len(mail) - len(blank) // 2])
    return bytes(mail)


def _unreadable(name: str, error: OSError) -> InvalidInput:
    return InvalidInput(f"cannot read {name}: {error.strerror}")
