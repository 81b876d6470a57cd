"""A list of opt-outs, opened: its form, compression, encoding and columns are found out, and its rows can be read."""

import codecs
import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TextIO

import attrs

from optoutkit.bulk.cells import is_identity, plain_name
from optoutkit.bulk.columns import Column, Sample, assign
from optoutkit.bulk.delimited import Dialect, read_table, split, survey
from optoutkit.bulk.documents import is_document, read_document, read_json_lines
from optoutkit.bulk.lines import Lines, detect_encoding
from optoutkit.bulk.rows import BadRow, Row, cell
from optoutkit.bulk.streams import HEAD, ByteSource
from optoutkit.bulk.vocabulary import Field, Form, vocabulary
from optoutkit.errors import InvalidInput

__all__ = ["Layout", "Listing", "open_list"]

_SAMPLED = 100
"""How many rows are looked at before the columns are assigned."""

_MOST_COLUMNS = 1000
_LONGEST_NAME = 60  # as it is shown


@attrs.frozen(kw_only=True)
class Layout:
    """How a list is written.

    Attributes:
        form: ``csv``, ``jsonl``, ``json`` (a document with an array) or ``plain`` (one value a line).
        separator: What stands between the values of CSV.
        compression: ``gzip``, ``zstd``, or empty.
        encoding: Such as ``UTF-8``.
        header: The line that names the columns, as it stands in the list; empty if there is none.
        columns: What each column tells, and how that is known.
        tool: Whose list it is; None if that is not known.
    """

    form: str
    separator: str
    compression: str
    encoding: str
    header: str
    columns: tuple[Column, ...]
    tool: Form | None


class Listing:
    """A list of opt-outs that is open for reading, once; a context manager. :func:`open_list` makes it.

    Attributes:
        name: What it is called.
        layout: How it is written.
        size: How many bytes it has, packed as they are; None where that cannot be known.
    """

    def __init__(self, file: BinaryIO, name: str, columns: Mapping[str, Field | str | None], *, is_ours: bool) -> None:
        self.name = name
        self._file = file if is_ours else None
        self._source = ByteSource(file)
        self.size: int | None = self._source.size
        encoding = detect_encoding(self._source.head)
        self._text = io.TextIOWrapper(self._source.unpacked, encoding.codec, encoding.errors, newline="")
        head = codecs.getincrementaldecoder(encoding.codec)(encoding.errors).decode(self._source.head)
        first = _first_lines(head, is_whole=len(self._source.head) < HEAD)
        if not first:
            raise InvalidInput("there is nothing in it")
        form, dialect, header, self._rows = _rows(self._text, first)
        self._sampled = list(islice(self._rows, _SAMPLED))
        samples = _samples([row for row in self._sampled if isinstance(row, Row)], split(header, dialect) if header else [])
        told = {column: Field(field) if field else None for column, field in columns.items()}
        has_names = bool(header) or form.startswith("json")
        tool = vocabulary().form_of(frozenset(plain_name(sample.name) for sample in samples)) if has_names else None
        self.layout: Layout = Layout(
            form=form,
            separator=dialect.separator,
            compression=self._source.compression,
            encoding=encoding.name,
            header=header,
            columns=assign(samples, told, tool, has_names=has_names),
            tool=tool,
        )

    @property
    def position(self) -> int:
        """How many bytes have been read, packed as they are; comparable with ``size``."""
        return self._source.position

    def __iter__(self) -> Iterator[Row | BadRow]:
        """The rows, in their order.

        Raises:
            InvalidInput: It cannot be read from some place on.
        """
        try:
            yield from chain(self._sampled, self._rows)
        except InvalidInput as error:
            raise InvalidInput(f"{self.name}: {error}") from None
        except OSError as error:
            raise _unreadable(self.name, error) from None

    def close(self) -> None:
        """Let go of the list."""
        self._text.close()
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_list(
    location: str | os.PathLike[str] | BinaryIO, *, columns: Mapping[str, Field | str | None] | None = None, name: str | None = None
) -> Listing:
    """Open a list of opt-outs: CSV, JSON Lines, a JSON document, or one address or order ID a line; packed with gzip or Zstandard or not.

    Args:
        location: A file, ``-`` for standard input, or something open for reading bytes.
        columns: What columns tell where that cannot be guessed, by their names (or numbers, in a table without names); None for one that
            is to be left alone.
        name: What to call it; by default its file's name.

    Raises:
        InvalidInput: It cannot be read, is no list, or no column tells who opted out; the text names it.
        MissingExtra: It is packed with Zstandard, and the extra ``zstd`` is not installed.
        ValueError: There is no such field.

    Example::

        with open_list("suppressed.csv.gz") as listing:
            print(listing.layout.columns)
    """
    if location == "-":
        return _listing(sys.stdin.buffer, name or "standard input", columns)
    if not isinstance(location, str | os.PathLike):
        return _listing(location, name or "the list", columns)
    known_as = name or os.fspath(location)
    try:
        file = Path(location).open("rb")  # noqa: SIM115 - the listing closes it
    except OSError as error:
        raise _unreadable(known_as, error) from None
    with ExitStack() as on_failure:
        on_failure.callback(file.close)
        listing = _listing(file, known_as, columns, is_ours=True)
        on_failure.pop_all()
    return listing


def _listing(file: BinaryIO, name: str, columns: Mapping[str, Field | str | None] | None, *, is_ours: bool = False) -> Listing:
    try:
        return Listing(file, name, columns or {}, is_ours=is_ours)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error}") from None
    except OSError as error:
        raise _unreadable(name, error) from None


def _unreadable(name: str, error: OSError) -> InvalidInput:
    return InvalidInput(f"cannot read {name}: {error.strerror or error}")


def _first_lines(head: str, *, is_whole: bool) -> list[str]:
    """The first lines that say anything; without the last one, if it is cut off and not the only one."""
    lines = list(islice(Lines(io.StringIO(head, newline="")).starts(), _SAMPLED))
    if len(lines) > 1 and not is_whole and head.endswith(lines[-1]):
        del lines[-1]
    return lines


def _rows(text: TextIO, first: Sequence[str]) -> tuple[str, Dialect, str, Iterator[Row | BadRow]]:
    """The form of a list, how its table is written, the line with its names, and its rows."""
    if first[0].lstrip().startswith(("{", "[")):
        if is_document(first[0], is_whole=first[0].endswith(("\r", "\n"))):
            return "json", Dialect(), "", read_document(text.read)
        return "jsonl", Dialect(), "", read_json_lines(Lines(text))
    dialect = survey(first, vocabulary().names)
    lines = Lines(text)
    starts = lines.starts()
    if dialect.declared:
        next(starts)
        first = first[1:]
    top = split(first[0], dialect) if first else []
    header = next(starts) if _are_names(top) else ""
    return "csv" if dialect.separator else "plain", dialect, header, read_table(lines, dialect, len(top) or None)


def _are_names(cells: Sequence[str]) -> bool:
    """Whether these are the names of columns: none is an address, an order or a number, no two are the same, and one alone is known."""
    names = [plain_name(name) for name in cells]
    if any("@" in name or is_identity(name.strip()) for name in cells):
        return False
    if any(name in vocabulary().names for name in names):
        return True
    return len(names) > 1 and all(names) and len(set(names)) == len(names) and not any(name.isdigit() for name in names)


def _samples(rows: Sequence[Row], names: Sequence[str]) -> list[Sample]:
    keys: dict[int | str, str] = {}
    for row in rows:
        if isinstance(row.cells, Mapping):
            keys |= {name: name[:_LONGEST_NAME] for name in row.cells}
    width = max([len(names), len(keys), *(len(row.cells) for row in rows)])
    if width > _MOST_COLUMNS:
        raise InvalidInput(f"it has {width} columns; {_MOST_COLUMNS} are the most that can be")
    if not keys:
        keys = {key: names[key].strip()[:_LONGEST_NAME] if key < len(names) else str(key + 1) for key in range(width)}
    return [Sample(name, key, tuple(value for row in rows if (value := cell(row.cells, key).strip()))) for key, name in keys.items()]
