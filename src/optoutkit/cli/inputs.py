"""The drafts that a command line names: files, folders, standard input."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs
import click

from optoutkit.cli.output import Output
from optoutkit.text.mime import Limits, peek

__all__ = ["NOT_A_MAIL", "Input", "is_mail", "read_bytes", "read_drafts", "read_file"]

NOT_A_MAIL = "not an e-mail: it has no header fields such as From: or Subject:"
"""What is said of a file for which :func:`is_mail` is False."""

_LONGEST = Limits().max_bytes


@attrs.frozen
class Input:
    """One mail.

    Attributes:
        name: The file as the user named it; ``-`` for standard input.
        raw: Its bytes.
    """

    name: str
    raw: bytes


def read_drafts(paths: Iterable[str], out: Output) -> Iterator[Input]:
    """Read mails, one a file; of a folder its ``.eml`` files in the order of their names. What cannot be read is told, and passed over."""
    for path in paths:
        for file in _files(path, out):
            draft = read_file(file, out)
            if draft is not None:
                yield draft


def read_bytes(path: str, out: Output) -> bytes | None:
    """Read a file no longer than a mail may be; None, and an error, if it is not to be had."""
    name = "standard input" if path == "-" else click.format_filename(path)
    try:
        with click.open_file(path, "rb") as file:
            raw: bytes = file.read(_LONGEST + 1)
    except OSError as error:
        out.error(f"{name}: cannot be read: {error.strerror}")
        return None
    if len(raw) > _LONGEST:
        out.error(f"{name}: longer than a mail may be ({_LONGEST:,} bytes)")
        return None
    return raw


def read_file(path: str, out: Output) -> Input | None:
    """Read one mail; None, and an error, if it is not to be had or is no mail."""
    name = "standard input" if path == "-" else click.format_filename(path)
    raw = read_bytes(path, out)
    if raw is None:
        return None
    if not is_mail(raw):
        out.error(f"{name}: {NOT_A_MAIL}")
        return None
    return Input(path, raw)


def is_mail(raw: bytes) -> bool:
    """Whether it has any header field."""
    return len(peek(raw[:_LONGEST])) > 0


def _files(path: str, out: Output) -> list[str]:
    try:
        if path == "-" or not Path(path).is_dir():
            return [path]
        found = sorted(str(file) for file in Path(path).iterdir() if file.suffix.lower() == ".eml")
    except OSError as error:
        out.error(f"{click.format_filename(path)}: cannot be read: {error.strerror}")
        return []
    if not found:
        out.error(f"{click.format_filename(path)}: there is no .eml file in this folder")
    return found
