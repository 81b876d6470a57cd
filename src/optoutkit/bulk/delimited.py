"""Tables in text: values separated by commas, semicolons, tabs or bars, and lists of one value a line.

Quoting is that of RFC 4180, which must not be trusted too far: an inch mark at the beginning of a cell opens a quotation that ends at
the next inch mark, however many lines below, and swallows all opt-outs between. So a quotation that ends too late, or in which other
rows of the table seem to stand, is taken for a slip: its first line is a bad one, and those below are read anew.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

import attrs

from optoutkit.bulk.cells import is_identity, plain_name
from optoutkit.bulk.lines import LONGEST_LINE, Lines
from optoutkit.bulk.rows import BadRow, Row

__all__ = ["Dialect", "read_table", "split", "survey"]

MOST_LINES = 100
"""Over how many lines a row with quoted values may extend; no more characters than a line may have, either."""

_SEPARATORS = (",", ";", "\t", "|")
_DECLARATION = "sep="  # Excel's, as the first line


@attrs.frozen
class Dialect:
    """How a table is written.

    Attributes:
        separator: What stands between two values; empty for a list of one value a line.
        declared: Whether the first line says so, as Excel writes it.
    """

    separator: str = ""
    declared: bool = False

    @property
    def quotes(self) -> bool:
        """Whether values can be quoted. Amazon's tab-separated tables quote nothing: there a quotation mark is an inch."""
        return self.separator not in ("", "\t")


def split(line: str, dialect: Dialect) -> list[str]:
    """The values of a line that is known to be a whole row, or of what comes nearest to it."""
    if not dialect.separator:
        return [line.strip().strip('"')]
    if dialect.quotes and '"' in line:
        try:
            return next(csv.reader([line], delimiter=dialect.separator), [])
        except csv.Error:  # a value beyond the limit of that module
            return []
    cells = line.rstrip("\r\n").split(dialect.separator)
    return cells if dialect.quotes else [value.strip('"') for value in cells]


def survey(head: Sequence[str], known: Iterable[str]) -> Dialect:
    """Find out how a table is written.

    What separates is what leaves most rows with an address or order ID in a cell by itself; then most known names in the first line;
    then what cuts most lines into as many cells.

    Args:
        head: Its first lines, whole ones.
        known: Names of columns, as :func:`optoutkit.bulk.cells.plain_name` has them.
    """
    declared = head[0].strip() if head else ""
    if declared.lower().startswith(_DECLARATION) and len(declared) == len(_DECLARATION) + 1:
        return Dialect(declared[-1], declared=True)
    known = frozenset(known)
    whole = sum(is_identity(split(line, Dialect())[0]) for line in head)
    best, most = Dialect(), (whole, 0, 0)
    for separator in _SEPARATORS:
        score = _score(head, Dialect(separator), known)
        if score > most:
            best, most = Dialect(separator), score
    return best


def _score(head: Sequence[str], dialect: Dialect, known: frozenset[str]) -> tuple[int, int, int]:
    rows = [cells for line in head if len(cells := split(line, dialect)) > 1]
    if not rows:
        return 0, 0, 0
    with_identity = sum(any(is_identity(value.strip()) for value in cells) for cells in rows)
    (_, alike), *_ = Counter(map(len, rows)).most_common(1)
    return with_identity, sum(plain_name(name) in known for name in rows[0]), alike


def read_table(lines: Lines, dialect: Dialect, width: int | None) -> Iterator[Row | BadRow]:
    """Read the rows of a table.

    Args:
        lines: Its lines, from where the rows begin.
        dialect: How it is written.
        width: How many columns it has; None if that is not known.
    """
    for line in lines.starts():
        number = lines.number
        if len(line) >= LONGEST_LINE:
            yield BadRow(number, line, f"longer than {LONGEST_LINE:,} characters, and cut off there")
        elif dialect.quotes and '"' in line:
            yield _read_quoted(lines, line, dialect, width)
        else:
            yield _checked(number, line, split(line, dialect), width)


def _read_quoted(lines: Lines, first: str, dialect: Dialect, width: int | None) -> Row | BadRow:
    number = lines.number
    taken: list[str] = []

    def feed() -> Iterator[str]:
        length = 0
        for line in chain([first], islice(lines, MOST_LINES - 1)):
            taken.append(line)
            yield line
            length += len(line)
            if length > LONGEST_LINE:
                return

    cells: list[str] = []
    try:
        cells = next(csv.reader(feed(), delimiter=dialect.separator, strict=True))
        why = "its quotation marks swallow other rows" if _swallows(taken[1:], dialect, width) else ""
    except csv.Error as error:
        why = f"its quotation marks are not closed: {error}" if len(taken) > 1 else f"not a row of a table: {error}"
    if not why:
        return _checked(number, "".join(taken), cells, width)
    lines.put_back(taken[1:])
    return BadRow(number, first, why)


def _swallows(more: Sequence[str], dialect: Dialect, width: int | None) -> bool:
    """Whether one of the lines that a quoted value goes on over looks like a row by itself."""
    return any(len(cells := split(line, dialect)) == width and any(is_identity(value.strip()) for value in cells) for line in more)


def _checked(number: int, text: str, cells: list[str], width: int | None) -> Row | BadRow:
    if width is not None and len(cells) > width and any(value.strip() for value in cells[width:]):
        return BadRow(number, text, f"it has {len(cells)} columns instead of {width}")
    return Row(number, text, cells)
