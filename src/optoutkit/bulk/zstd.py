"""Zstandard (RFC 8878), by the package ``zstandard``: the only module that imports it."""

import io
from typing import BinaryIO, cast

from optoutkit.errors import InvalidInput, MissingExtra

try:
    import zstandard
except ImportError:
    raise MissingExtra("Reading and writing Zstandard", "zstd") from None

__all__ = ["ZstdReader", "compressed"]

_CHUNK = 1024
"""How many bytes are unpacked in one go. At worst they become 32 MiB: four bytes can stand for a block of 128 KiB."""

_LARGEST_WINDOW = 2**27
"""What a frame may ask for of memory: 128 MiB, the most that ``zstd`` writes unless it is told ``--long``."""


class ZstdReader(io.RawIOBase):
    """The unpacked bytes of a file of Zstandard frames; a file that ends within one is told, which the package's own reader does not.

    Args:
        file: Open for reading bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._packed = b""
        self._unpacked = memoryview(b"")
        self._frame: zstandard.ZstdDecompressionObj | None = None

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # one kind of buffer is all that is handed in
        """Fill a buffer as far as there is something; 0 is the end.

        Raises:
            InvalidInput: The file is damaged, ends too early, or wants too much memory.
        """
        while not self._unpacked:
            packed = self._packed or self._file.read(_CHUNK)
            if not packed and self._frame is not None:
                raise InvalidInput("it ends in the middle of its Zstandard data: it was not copied whole")
            if not packed:
                return 0
            self._unpack(packed)
        count = min(len(buffer), len(self._unpacked))
        buffer[:count] = self._unpacked[:count]
        self._unpacked = self._unpacked[count:]
        return count

    def _unpack(self, packed: bytes) -> None:
        if self._frame is None:
            self._frame = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW).decompressobj()
        try:
            self._unpacked = memoryview(self._frame.decompress(packed))
        except zstandard.ZstdError as error:
            raise InvalidInput(f"its Zstandard data cannot be unpacked: {error}") from None
        self._packed = b""
        if self._frame.eof:
            self._packed = self._frame.unused_data
            self._frame = None


def compressed(file: BinaryIO) -> BinaryIO:
    """A file to write to, which packs what it is given into the file given; closing it completes the frame, and leaves that file open."""
    return cast("BinaryIO", zstandard.ZstdCompressor(write_checksum=True).stream_writer(file, closefd=False))
