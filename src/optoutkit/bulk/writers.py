"""How opt-outs are written: as CSV, JSON Lines, or a plain list.

A spreadsheet takes a cell that begins with ``=`` and the like for a formula, and the source of an opt-out may be a stranger's words (a
Message-ID, say). So such a cell gets an apostrophe in front, and readers take it away again. Identities are written as keys, such as
``address:=1+1@example.com``, and need none.
"""

import csv
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from optoutkit.optouts import OptOut

__all__ = ["FORMS", "LineWriter", "escaped", "line_writer", "unescaped"]

FORMS = ("csv", "jsonl", "plain")
"""The forms of a list."""

LineWriter = Callable[[OptOut], str]
"""Gives the line of an entry, with its end; empty for one that is left out."""

_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_ESCAPED = re.compile("'+[=+\\-@\t\r\n＝＋－＠]")
_COLUMNS = ("identity", "seller", "reason", "since", "expires_at", "source", "verified")


def escaped(text: str) -> str:
    """A text as a cell of CSV has it, which no spreadsheet runs; the inverse is :func:`unescaped`."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescaped(text: str) -> str:
    """Take away the apostrophe that :func:`escaped` has put in front."""
    return text[1:] if _ESCAPED.match(text) else text


def line_writer(form: str, now: datetime) -> tuple[str, LineWriter]:
    """The first line of a list, which may be empty, and what writes the others.

    Args:
        form: One of :data:`FORMS`.
        now: By which to judge what has expired: a plain list has room for no expiry, and must not make it opt-outs for ever.
    """
    match form:
        case "csv":
            return _csv_line(_COLUMNS), lambda entry: _csv_line(_csv_cells(entry))
        case "jsonl":
            return "", lambda entry: json.dumps(entry.to_dict(), ensure_ascii=False) + "\n"
        case "plain":
            return "", _plain_writer(now)
        case _:
            raise ValueError(f"a list is written as {', '.join(FORMS)}, not as {form!r}")


class _Echo:
    """Gives back what is written to it."""

    @staticmethod
    def write(text: str) -> str:
        return text


_csv_line: Callable[[Any], str] = csv.writer(_Echo()).writerow


def _csv_cells(entry: OptOut) -> list[str]:
    cells = entry.to_dict() | {"verified": "yes" if entry.verified else "no"}
    return [cells["identity"], *(escaped(cells[name] or "") for name in _COLUMNS[1:])]


def _plain_writer(now: datetime) -> LineWriter:
    last = ""

    def line(entry: OptOut) -> str:
        nonlocal last
        name = str(entry.identity)
        if name == last or not entry.in_force(now):
            return ""
        last = name
        return name + "\n"

    return line
