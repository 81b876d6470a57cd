"""The bytes of a list: from a file, from standard input, packed or not, with a look at their beginning."""

import gzip
import io
import os
import zlib
from typing import Any, BinaryIO, cast

from optoutkit.errors import InvalidInput

__all__ = ["HEAD", "ByteSource"]

HEAD = 64 * 1024
"""How many bytes of a list are looked at before it is read."""

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"  # RFC 1952 section 2.3.1, RFC 8878 section 3.1.1
_NO_LISTS = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook: unpack it, or save the table as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the table as CSV",
    b"BZh": "packed with bzip2: unpack it first",
    b"\xfd7zX": "packed with xz: unpack it first",
    b"SQLi": "an SQLite file; if it is an opt-out store, use migrate",
    b"%PDF": "a PDF document",
}


class ByteSource:
    """The bytes of a list, unpacked.

    Args:
        file: Open for reading bytes.

    Attributes:
        compression: ``"gzip"``, ``"zstd"`` or ``""``, by the first bytes.
        size: How many bytes the file has as it is; None where that cannot be known, as of a pipe.
        head: Its first bytes, unpacked.
        unpacked: All of them, the head included.

    Raises:
        InvalidInput: It is packed in another way, or is no list at all.
        MissingExtra: It is packed with Zstandard, and the extra ``zstd`` is not installed.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._packed = _Rewound(file, 4)
        self.size: int | None = _size(file)
        beginning = self._packed.head
        for magic, what in _NO_LISTS.items():
            if beginning.startswith(magic):
                raise InvalidInput(f"it is {what}")
        source = cast("BinaryIO", io.BufferedReader(self._packed))
        self.compression: str = ""
        if beginning.startswith(_GZIP):
            self.compression = "gzip"
            source = cast("BinaryIO", _GzipReader(source))
        elif beginning == _ZSTD:
            from optoutkit.bulk.zstd import ZstdReader  # noqa: PLC0415 - an extra

            self.compression = "zstd"
            source = cast("BinaryIO", ZstdReader(source))
        unpacked = _Rewound(source, HEAD)
        self.head: bytes = unpacked.head
        self.unpacked: io.BufferedReader[Any] = io.BufferedReader(unpacked, HEAD)

    @property
    def position(self) -> int:
        """How many bytes of the file have been read, packed as they are; comparable with ``size``."""
        return self._packed.position


class _Rewound(io.RawIOBase):
    """A file of which the first bytes have been looked at."""

    def __init__(self, file: BinaryIO, count: int) -> None:
        pieces = []
        while count > 0 and (piece := file.read(count)):
            pieces.append(piece)
            count -= len(piece)
        self.head = self._rest = b"".join(pieces)
        self.position = 0
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # one kind of buffer is all that is handed in
        piece = self._rest[: len(buffer)] or self._file.read(len(buffer))
        self._rest = self._rest[len(piece) :]
        buffer[: len(piece)] = piece
        self.position += len(piece)
        return len(piece)


class _GzipReader(io.RawIOBase):
    """The unpacked bytes of a gzip file of one or more members; what is wrong with it is told in our words."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = gzip.GzipFile(fileobj=file)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # one kind of buffer is all that is handed in
        try:
            return self._file.readinto(buffer)
        except EOFError:
            raise InvalidInput("it ends in the middle of its gzip data: it was not copied whole") from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise InvalidInput(f"its gzip data cannot be unpacked: {error}") from None


def _size(file: BinaryIO) -> int | None:
    try:
        return os.fstat(file.fileno()).st_size or None
    except (OSError, ValueError):  # no file of the system's
        return None
