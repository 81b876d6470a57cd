"""Tables in text, and what hostile or careless ones do."""

import contextlib
import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from optoutkit.bulk.delimited import MOST_LINES, Dialect, read_table
from optoutkit.bulk.lines import LONGEST_LINE, Lines, mended
from optoutkit.bulk.rows import BadRow, Row

Read = Callable[..., Any]
COMMAS = Dialect(",")

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from('\t,;"\n\r'), max_size=30)


def rows_of(text: str, dialect: Dialect = COMMAS, width: int | None = None) -> list[Row | BadRow]:
    """What a table gives."""
    return list(read_table(Lines(io.StringIO(text, newline="")), dialect, width))


class TestQuotes:
    """Values in quotation marks."""

    def test_they_may_hold_everything(self) -> None:
        """Separators, quotation marks, ends of lines; each row knows its line and its text."""
        text = 'a@b.example,"x, ""y""\n\nz"\nb@b.example,"\r\n"\n'
        first, second = rows_of(text)
        assert isinstance(first, Row)
        assert isinstance(second, Row)
        assert (first.line, first.text, first.cells) == (1, text[: text.index("b@b")], ["a@b.example", 'x, "y"\n\nz'])
        assert (second.line, second.cells) == (4, ["b@b.example", "\r\n"])

    def test_an_inch_mark_swallows_nobody(self) -> None:
        """It opens a quotation that ends at the next inch mark: only its own line is a bad one, though the columns would fit."""
        rows = rows_of('a@b.example,"5 inch,x\nb@b.example,cup,x\nc@b.example,9",x\nd@b.example,"ok",x\n', width=3)
        assert [(row.line, type(row)) for row in rows] == [(1, BadRow), (2, Row), (3, Row), (4, Row)]
        assert isinstance(rows[0], BadRow)
        assert rows[0].text == 'a@b.example,"5 inch,x\n'
        assert "swallow" in rows[0].why

    def test_a_quotation_that_never_ends(self) -> None:
        """At the end of the list, and in the midst of a long one."""
        for more in (3, 3 * MOST_LINES):
            rows = rows_of('a@b.example,"open\n' + "b@b.example\n" * more)
            assert [type(row) for row in rows] == [BadRow] + [Row] * more
            assert [row.line for row in rows] == list(range(1, more + 2))

    def test_a_quotation_that_is_broken_off(self) -> None:
        """As a careless program writes it."""
        (bad, good) = rows_of('a@b.example,"x"y\nb@b.example,\n')
        assert isinstance(bad, BadRow)
        assert "not a row of a table" in bad.why
        assert isinstance(good, Row)

    def test_a_value_beyond_all_measure(self) -> None:
        """One that the csv module refuses, in one line or over many, is bad; what comes behind is not."""
        for filling in ("x" * 140_000, "\n".join(["x" * 1500] * 99), '","\n'.join(["x" * 9000] * 60)):
            rows = rows_of(f'a@b.example,"{filling}"\nb@b.example,\n')
            assert isinstance(rows[0], BadRow)
            assert rows[-1].cells == ["b@b.example", ""]  # type: ignore[union-attr]

    def test_such_a_value_at_the_very_beginning(self, read: Read) -> None:
        """Where it is found out how the table is written."""
        done = read(f'a@b.example,"{"x" * 140_000}"\nb@b.example,\n')
        assert (done.keys, len(done.bad)) == (["b@b.example"], 1)

    def test_a_line_that_only_by_itself_would_have_such_a_value(self) -> None:
        """As the second line of a row it is none."""
        rows = rows_of('a@b.example,"\n",' + "x," * 70_000 + '"end"\nb@b.example,\n')
        assert [type(row) for row in rows] == [Row, Row]

    def test_tabs_quote_nothing(self) -> None:
        """As in Amazon's reports: an inch is an inch; marks round a whole value are taken away."""
        rows = rows_of('"a@b.example"\t5"\nb@b.example\t"x\n', Dialect("\t"))
        assert [row.cells for row in rows if isinstance(row, Row)] == [["a@b.example", "5"], ["b@b.example", "x"]]


class TestLines:
    """Lines, and rows of other lengths."""

    @pytest.mark.parametrize("dialect", [COMMAS, Dialect("\t"), Dialect()])
    @pytest.mark.parametrize("length", [LONGEST_LINE, 3 * LONGEST_LINE + 7])
    def test_a_line_without_end_is_cut(self, dialect: Dialect, length: int) -> None:
        """It is a bad one, of which only the beginning is kept."""
        bad, good = rows_of("x" * length + "\nb@b.example\n", dialect)
        assert isinstance(bad, BadRow)
        assert len(bad.text) == LONGEST_LINE
        assert (good.line, good.text) == (2, "b@b.example\n")

    def test_more_columns_than_names(self, read: Read) -> None:
        """A separator too many moves the values: such a row is bad. Blank ones at the end are none."""
        done = read("name,email\nB, Anna,a@b.example\nx,b@b.example,,\n")
        assert done.keys == ["b@b.example"]
        assert [(bad.line, bad.why) for bad in done.bad] == [(2, "it has 3 columns instead of 2")]

    def test_fewer_columns_than_names(self, read: Read) -> None:
        """What is there is read."""
        done = read("email,since\na@b.example\nb@b.example,2026-01-01\n")
        assert done.keys == ["a@b.example", "b@b.example"]

    def test_notes_are_passed_over_only_where_a_row_may_begin(self, read: Read) -> None:
        """Within a quotation the same words are text, and other words behind a # are a row."""
        done = read('email,note\n# line 3: bad\n#1@b.example,x\na@b.example,"\n# line 4: x\n"\n')
        assert done.keys == ["#1@b.example", "a@b.example"]


@given(st.lists(st.tuples(texts, texts), max_size=8), st.sampled_from(",;|"))
@example([("", "# line 1: "), ("0", "x@y.example\r")], ",")
def test_what_a_spreadsheet_writes_is_read_back(rows: list[tuple[str, str]], separator: str) -> None:
    """Whatever is in the cells."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator, quoting=csv.QUOTE_ALL)
    for number, row in enumerate(rows):
        writer.writerow([f"b{number}@example.com", *row])
    read = rows_of(file.getvalue(), Dialect(separator), 3)
    assert [row.cells for row in read if isinstance(row, Row)] == [[f"b{number}@example.com", *row] for number, row in enumerate(rows)]


@given(st.text(alphabet=st.sampled_from('a@b.c,"\n\r x'), max_size=200), st.sampled_from(["", ",", "\t"]))
def test_no_line_is_lost(text: str, separator: str) -> None:
    """Every line that is not blank is in exactly one row, as it stands."""
    rows = rows_of(text, Dialect(separator))
    kept = "".join(row.text for row in rows)
    assert [line for line in kept.splitlines() if line.strip()] == [line for line in text.splitlines() if line.strip()]


@given(st.binary(max_size=60))
def test_bytes_of_any_encoding_become_text(raw: bytes) -> None:
    """Text that can be written, and UTF-8 stays what it is."""
    text = mended(raw.decode("utf-8", "surrogateescape"))
    text.encode()
    with contextlib.suppress(UnicodeDecodeError):
        assert text == raw.decode()


def test_half_characters_are_replaced() -> None:
    """JSON can write some."""
    assert mended("a\ud800b") == "a?b"
