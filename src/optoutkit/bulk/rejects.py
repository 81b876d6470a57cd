"""Bad lines, kept as they were below a note of their number and what is wrong, so that they can be mended and imported again."""

import io
import os
from pathlib import Path

from optoutkit.bulk.lines import as_rejected
from optoutkit.bulk.rows import BadRow
from optoutkit.errors import InvalidInput

__all__ = ["Rejects", "free_name"]


class Rejects:
    """A file of bad lines; it is made when there is one, never overwritten, and readable for its owner only.

    Args:
        path: Where to.
        header: The line of the list that names its columns.
    """

    def __init__(self, path: str | os.PathLike[str], header: str = "") -> None:
        self.path: Path = Path(path)
        self._header = header
        self._file: io.TextIOWrapper | None = None

    def write(self, rows: list[BadRow]) -> None:
        """Keep these; they are in the file when this returns.

        Raises:
            InvalidInput: The file cannot be written, or is there already.
        """
        try:
            if rows and self._file is None:
                self._file = self._opened()
            if self._file is not None:
                self._file.writelines(as_rejected(row.line, row.text, row.why) for row in rows)
                self._file.flush()
        except OSError as error:
            raise InvalidInput(f"cannot write {self.path}: {error.strerror}") from None

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _opened(self) -> io.TextIOWrapper:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        # Bytes that were no UTF-8 were read as lone surrogates, and become again what they were.
        file = open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="")  # noqa: PTH123, SIM115 - a descriptor
        if self._header:
            file.write(self._header.rstrip("\r\n") + "\n")
        return file


def free_name(path: str | os.PathLike[str]) -> Path:
    """This path, or with the first number behind it under which there is nothing yet."""
    wanted = Path(path)
    found, number = wanted, 2
    while found.exists():
        found = wanted.with_name(f"{wanted.name}.{number}")
        number += 1
    return found
