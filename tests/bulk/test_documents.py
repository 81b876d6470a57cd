"""JSON: lines and documents."""

import io
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.bulk.documents import VALUE, is_document, read_document
from optoutkit.bulk.lines import LONGEST_LINE
from optoutkit.bulk.rows import BadRow, Row
from optoutkit.errors import InvalidInput

Read = Callable[..., Any]

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=10)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
records = st.dictionaries(texts, scalars | st.lists(scalars, max_size=2) | st.dictionaries(texts, scalars, max_size=2), max_size=4)


def in_pieces(text: str, size: int) -> Callable[[int], str]:
    """A reader that gives so many characters at a time, whatever it is asked for."""
    pieces = itertools.chain((text[at : at + size] for at in range(0, len(text), size)), itertools.repeat(""))
    return lambda _size: next(pieces)


def records_of(text: str, size: int = 10_000) -> list[dict[str, str]]:
    """The records of a document that is read so many characters at a time."""
    rows = list(read_document(in_pieces(text, size)))
    assert all(isinstance(row, Row) for row in rows)
    return [dict(row.cells) for row in rows]  # type: ignore[arg-type, union-attr]


@given(st.lists(records, max_size=5), st.sampled_from([None, 2]), st.integers(1, 30), st.booleans())
def test_a_document_gives_its_records_however_it_comes(told: list[Any], indent: int | None, size: int, wrapped: bool) -> None:
    """In an array or in an object that has one, on one line or many, read in pieces of any size."""
    document = {"count": 12, "items": told, "next": {"page": [1, "x"]}} if wrapped else told
    read = list(read_document(in_pieces(json.dumps(document, indent=indent, ensure_ascii=False), size)))
    if told or not wrapped:
        assert [json.loads(row.text) for row in read] == told
    else:
        assert read == []


def test_texts_in_an_array_are_rows() -> None:
    """Of one column."""
    assert records_of('["a@b.example", "c"]') == [{VALUE: "a@b.example"}, {VALUE: "c"}]


def test_several_documents_in_a_row() -> None:
    """As several pages of an interface are saved, empty ones too; and objects over many lines, one after another."""
    pages = '{"items": [{"a": 1}]}{"items": [], "paging": {"next": "u"}}\n{"items": [{"a": 2}]} [{"a": 3}]\n'
    pages += '{"email": "a@b.example", "tags": []}'
    assert records_of(pages, 1) == [{"a": "1"}, {"a": "2"}, {"a": "3"}, {"email": "a@b.example", "tags": ""}]


def test_single_values_are_text_and_others_nothing() -> None:
    """Numbers as they are written, true and false as yes and no."""
    assert records_of('[{"a": 1, "b": 1.5, "c": true, "d": false, "e": null, "f": [1], "g": {}, "h": "x"}]') == [
        {"a": "1", "b": "1.5", "c": "yes", "d": "no", "e": "", "f": "", "g": "", "h": "x"}
    ]


def test_rows_know_their_lines() -> None:
    """Each that on which it begins."""
    rows = list(read_document(in_pieces('{\n"items":\n[\n{"a": 1},\n\n{"a":\n2}, {"a": 3}]}\n{"a":\n4}', 3)))
    assert [row.line for row in rows] == [4, 6, 7, 8]


def test_what_is_no_record_is_a_bad_row() -> None:
    """Within an array of others."""
    first, second, third = read_document(in_pieces('[{"a": 1}, 5, [2]]', 100))
    assert isinstance(first, Row)
    assert [(type(row), row.text) for row in (second, third)] == [(BadRow, "5"), (BadRow, "[2]")]


@pytest.mark.parametrize(
    ("text", "good", "why"),
    [
        ('[{"a": 1}, {"a": }]', 1, "line 1: not JSON: there is no value that can be read"),
        ('[{"a": 1}\n\n{"a": 2}]', 1, "line 3: not JSON: ] is missing"),
        ('[{"a": 1}', 1, "] is missing"),
        ("hello", 0, "neither an object nor an array"),
        ('{"a" 1}', 0, ": is missing"),
        ("{1: 2}", 0, "the name of a member must be text"),
        ("[" + "[" * 100_000, 0, "there is no value that can be read"),
        ('[{"a": "' + "x" * (2 * LONGEST_LINE), 0, "one of more than 262,144 characters"),
        ("[" + "1" * 5000 + "]", 0, "there is no value that can be read"),
    ],
)
def test_where_it_is_no_json_it_ends_with_what_is_wrong(text: str, good: int, why: str) -> None:
    """What stands before comes; no object is longer than can be kept."""
    rows: list[Row | BadRow] = []
    with pytest.raises(InvalidInput, match="not JSON") as caught:
        rows.extend(read_document(in_pieces(text, 50_000)))
    assert len(rows) == good
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("first", "whole", "expected"),
    [
        ('{"email": "a@b.example"}', True, False),
        ('{"email": "a@b.example", "tags": ["x"]}', True, False),
        ('{"items": [{"email": "a@b.example"}]}', True, True),
        ("{", True, True),
        ('{"items": [', True, True),
        ('{"email": "a@b.example",', True, True),
        ('{"email": "a@b.exam', False, True),
        ('{"email": oops}', True, False),
        ("[", True, True),
        ("{" * 100_000, True, True),
    ],
)
def test_lines_and_documents_are_told_apart_by_the_first_line(first: str, whole: bool, expected: bool) -> None:
    """An object by itself is one of many; what goes on, or has records in it, is a document."""
    assert is_document(first, is_whole=whole) is expected


def test_a_bad_line_of_json_lines_is_one_bad_row(read: Read) -> None:
    """Those around it are read."""
    lines = ['{"email": "a@b.example"}', '{"email": ', "[1]", "7", '{"email": "' + "x" * LONGEST_LINE + '"}', "[" * 99_999, '"b@b.example"']
    done = read("\n".join(lines))
    assert done.keys == ["a@b.example"]
    assert [bad.line for bad in done.bad] == [2, 3, 4, 5, 6, 7]


def test_half_characters_do_no_harm(read: Read) -> None:
    """JSON can write them."""
    done = read('{"email": "a@b.example", "source": "x\\ud800", "seller": "\\udc80"}\n', columns={"seller": "seller"})
    assert (done.entries[0].source, done.entries[0].seller) == ("x?", "€")


def test_a_long_document_takes_no_memory() -> None:
    """Only as much is kept as is being read."""
    pieces = itertools.chain(["["], ('{"email": "a@b.example"},' for _ in range(20_000)), ['"end"]'], itertools.repeat(""))
    longest = 0

    def read(size: int) -> str:
        nonlocal longest
        longest = max(longest, size)
        return next(pieces)

    assert sum(1 for _ in read_document(read)) == 20_001
    assert longest <= 64 * 1024


def test_a_document_that_is_a_file(read: Read) -> None:
    """A byte order mark, and blanks before it."""
    assert read(io.BytesIO(b'\xef\xbb\xbf \n[{"email": "a@b.example"}]').getvalue()).keys == ["a@b.example"]
