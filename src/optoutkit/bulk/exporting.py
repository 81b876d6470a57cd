"""From a store into a list."""

import gzip
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from optoutkit.bulk.writers import line_writer
from optoutkit.errors import InvalidInput
from optoutkit.stores.base import OptOutStore, utc_now

__all__ = ["atomic", "export_list"]

_PAGE = 1000


def export_list(
    store: OptOutStore,
    target: str | os.PathLike[str] | BinaryIO,
    *,
    seller: str = "",
    form: str = "jsonl",
    compression: str = "",
    on_progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write the opt-outs of one list, in the order of addresses and orders.

    A file is complete or not there at all: it takes its name when all has been written. It is readable for its owner only.

    Args:
        store: The store. Expired entries are written too, but not into a plain list; withdrawn ones and links are not.
        target: The file, which is replaced if it is there; or something open for writing bytes, which is left open.
        seller: Whose list.
        form: ``jsonl`` or ``csv``, from which everything comes back, or ``plain``: an address or order ID a line.
        compression: ``gzip``, ``zstd``, or empty.
        on_progress: Is told now and then how many entries are written.

    Returns:
        How many entries were written.

    Raises:
        InvalidInput: The file cannot be written.
        MissingExtra: Zstandard is wanted, and the extra ``zstd`` is not installed.
        StoreError: As :meth:`optoutkit.OptOutStore.scan` does.
        ValueError: There is no such form or compression.

    Example::

        with open_store("sqlite:///optouts.db") as store:
            export_list(store, "optouts.csv", form="csv")
    """
    first, line = line_writer(form, utc_now())
    count = 0
    with ExitStack() as stack:
        file = stack.enter_context(atomic(Path(target))) if isinstance(target, str | os.PathLike) else target
        text = stack.enter_context(_packed(file, compression))
        text.write(first)
        entries = store.scan(seller=seller)
        while page := list(islice(entries, _PAGE)):
            lines = [written for entry in page if (written := line(entry))]
            text.writelines(lines)
            count += len(lines)
            on_progress(count)
    return count


@contextmanager
def _packed(file: BinaryIO, compression: str) -> Iterator[io.TextIOWrapper]:
    """A text that is written into a file, which stays open."""
    match compression:
        case "":
            packed = file
        case "gzip":
            packed = cast("BinaryIO", gzip.GzipFile(fileobj=file, mode="wb", mtime=0))
        case "zstd":
            from optoutkit.bulk.zstd import compressed  # noqa: PLC0415 - an extra

            packed = compressed(file)
        case _:
            raise ValueError(f"a list is packed with gzip or zstd, not with {compression!r}")
    with ExitStack() as stack:
        if packed is not file:
            stack.callback(packed.close)
        text = io.TextIOWrapper(packed, "utf-8", newline="")
        stack.callback(text.detach)  # which writes what is left
        yield text


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its name when it is complete. What is no file, such as a pipe, is written to as it is."""
    try:
        path = path.resolve()  # a link stays one
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
            return
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror or error}") from None
