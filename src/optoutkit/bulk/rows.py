"""Rows: what readers give, whatever the form of the list."""

from collections.abc import Mapping, Sequence

import attrs

__all__ = ["BadRow", "Cells", "Row", "cell"]

Cells = Sequence[str] | Mapping[str, str]
"""The values of a row: by their position in a table, by their name in JSON."""


@attrs.frozen
class Row:
    """One row.

    Attributes:
        line: The number of the line on which it begins, from 1.
        text: The row as it stands in the list.
        cells: Its values.
    """

    line: int
    text: str
    cells: Cells


@attrs.frozen
class BadRow:
    """One that cannot be used.

    Attributes:
        line: The number of the line on which it begins, from 1.
        text: The row as it stands in the list.
        why: What is wrong with it.
    """

    line: int
    text: str
    why: str


def cell(cells: Cells, column: int | str) -> str:
    """One value; empty if it is not there."""
    if isinstance(column, str):
        return cells.get(column, "") if isinstance(cells, Mapping) else ""
    return cells[column] if not isinstance(cells, Mapping) and column < len(cells) else ""
