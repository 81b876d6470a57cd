"""Mails from a Maildir: those in ``new``, and those in ``cur`` that nobody has seen. What was taken in is moved to ``cur``, marked as seen.

Source: Bernstein, "Using maildir format" (cr.yp.to/proto/maildir.html).
"""

import functools
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from optoutkit.errors import InvalidInput
from optoutkit.sources.item import MAX_BYTES, Item

__all__ = ["is_maildir", "read_maildir"]

_FOLDERS = ("new", "cur", "tmp")
_INFO = ":2,"
_SEEN, _TRASHED = "S", "T"


def is_maildir(path: Path) -> bool:
    """Whether a folder is one."""
    return all((path / name).is_dir() for name in _FOLDERS)


def read_maildir(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Iterator[Item]:
    """Read the mails that nobody has seen yet, the oldest first.

    Another program may use the Maildir meanwhile: what it takes away is not missed, and what it renames is found.

    Args:
        path: The Maildir; for a folder inside of it, that folder.
        max_bytes: No more of any one mail is read, and one byte, which makes a parser with this limit refuse it.

    Raises:
        InvalidInput: It cannot be read; or some of its mails cannot, or cannot be marked as read, and then this is raised when all
            others have been, and names them.
    """
    root = Path(path)
    problems: list[str] = []
    unmarked: list[str] = []

    def done(file: Path) -> None:
        try:
            _mark_as_seen(root, file)
        except OSError as error:  # what matters of the mail is saved: it comes again, which does no harm
            unmarked.append(f"{file}: {error.strerror}")

    try:
        waiting = [file for name in ("new", "cur") for file in (root / name).iterdir() if _is_waiting(file.name)]
    except OSError as error:
        raise InvalidInput(f"cannot read {error.filename}: {error.strerror}") from None
    for file in sorted(waiting, key=lambda file: file.name):
        try:
            with file.open("rb") as stream:
                raw = stream.read(max_bytes + 1)
                arrived = datetime.fromtimestamp(os.fstat(stream.fileno()).st_mtime, UTC)
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(f"cannot read {file}: {error.strerror}")
            continue
        yield Item(name=str(file), raw=raw, arrived=arrived, done=functools.partial(done, file))
    if unmarked:
        problems.append(f"cannot mark as read, so that they come again: {len(unmarked)}; let this user write the Maildir ({unmarked[0]})")
    if problems:
        raise InvalidInput("; ".join(problems))


def _is_waiting(name: str) -> bool:
    flags = name.partition(_INFO)[2]
    return not name.startswith(".") and _SEEN not in flags and _TRASHED not in flags


def _mark_as_seen(root: Path, file: Path) -> None:
    """Move a mail to ``cur`` with the flag S beside those it has."""
    unique = file.name.partition(_INFO)[0]
    # Where somebody else has moved it meanwhile, it has kept the first part of its name.
    for place in (file, *(root / "cur").glob(f"{_literal(unique)}{_INFO}*")):
        flags = set(place.name.partition(_INFO)[2])
        try:
            place.rename(root / "cur" / f"{unique}{_INFO}{''.join(sorted(flags | {_SEEN}))}")
        except FileNotFoundError:
            continue
        return


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
