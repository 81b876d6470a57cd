"""Finding out how a list is written: compression, encoding, form, names of columns."""

import gzip
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.bulk import Listing, open_list
from optoutkit.bulk.rows import BadRow, Row
from optoutkit.errors import InvalidInput, MissingExtra

Read = Callable[..., Any]

WHO = ["anna@example.com", "jörg@example.org", "302-1234567-7654321"]
PLAIN = "".join(f"{who}\n" for who in WHO)
CSV = "E-Mail,Note,Order ID\n" + f'{WHO[0]},"a ""b"",\nc",\n{WHO[1]},é,\n,,{WHO[2]}\n'
JSON_LINES = f'{{"email": "{WHO[0]}"}}\n{{"email": "{WHO[1]}"}}\n{{"order-id": "{WHO[2]}"}}\n'
DOCUMENT = f'{{"total": 3, "items": [\n{{"email": "{WHO[0]}"}},\n{{"email": "{WHO[1]}"}}, {{"order-id": "{WHO[2]}"}}], "next": null}}'
FORMS = {"plain": PLAIN, "csv": CSV, "jsonl": JSON_LINES, "json": DOCUMENT}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": lambda raw: gzip.compress(raw[:50]) + gzip.compress(raw[50:]),
    "zstd": lambda raw: zstandard.compress(raw[:50]) + zstandard.compress(raw[50:]),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("compression", PACKERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"])
def test_every_form_in_every_compression_and_encoding(read: Read, form: str, compression: str, encoding: str) -> None:
    """The same opt-outs come out, packed in several members, too."""
    done = read(PACKERS[compression](FORMS[form].encode(encoding)))
    assert done.keys == WHO
    layout = done.listing.layout
    assert (layout.form, layout.compression) == (form, compression)
    assert layout.encoding == {"utf-8-sig": "UTF-8", "latin-1": "Windows-1252", "cp1252": "Windows-1252"}.get(
        encoding, encoding.upper().removesuffix("-LE").removesuffix("-BE")
    )


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_of_every_system(read: Read, ends: str) -> None:
    """Also without an end of the last one, and with blank ones between."""
    assert read(ends.join(["email", "", WHO[0], " ", WHO[2]])).keys == [WHO[0], WHO[2]]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("header", [True, False])
def test_what_separates_is_what_leaves_addresses_alone(read: Read, separator: str, header: bool) -> None:
    """Whatever other signs there are more of."""
    noise = "".join(sign * 3 for sign in ",;|" if sign != separator)
    rows = [["Name", "Contact", "Kind of thing"]] * header + [[f"{noise}x{number}", f"b{number}@example.com", noise] for number in range(3)]
    done = read("".join(separator.join(row) + "\n" for row in rows))
    assert done.listing.layout.separator == separator
    assert done.keys == ["b0@example.com", "b1@example.com", "b2@example.com"]


@pytest.mark.parametrize("separator", [";", "#"])
def test_excel_declares_its_separator(read: Read, separator: str) -> None:
    """The first line is believed, and is no row."""
    done = read(f"sep={separator}\nemail{separator}x\na@b.example{separator},,,\n")
    assert (done.keys, done.fields) == (["a@b.example"], {"email": "address", "x": None})


def test_a_declaration_alone_is_no_list(read: Read) -> None:
    """There is no column in it."""
    with pytest.raises(InvalidInput, match="no column has addresses"):
        read("sep=;\n")


class TestNames:
    """Whether the first line names the columns."""

    @pytest.mark.parametrize("first", ["a@b.example,x", "302-1234567-1234567,x", "bad@@b,x", "1,2", "x,x", "x,"])
    def test_a_first_line_that_may_be_a_row_is_one(self, read: Read, first: str) -> None:
        """Better a bad line that is told than an opt-out that is lost."""
        done = read(first + "\nc@d.example,y\nd@e.example,z\n")
        assert done.listing.layout.header == ""
        assert done.report.rows == 3

    @pytest.mark.parametrize("first", ["email,", "Email", "Kunde,Notiz", "email,email"])
    def test_names(self, read: Read, first: str) -> None:
        """Known ones, or different words."""
        done = read(first + "\nc@d.example,y\nd@e.example,z\n" if "," in first else first + "\nc@d.example\n")
        assert done.listing.layout.header == first + "\n"
        assert "c@d.example" in done.keys

    def test_one_unknown_word_is_a_bad_line(self, read: Read) -> None:
        """In a plain list."""
        assert [bad.line for bad in read("anna\na@b.example\nb@b.example\n").bad] == [1]

    def test_a_table_without_rows_is_an_empty_list(self, read: Read) -> None:
        """As an export of nobody is."""
        done = read("created,email,ip\n")
        assert (done.report.rows, done.fields) == (0, {"created": "since", "email": "address", "ip": None})


class TestSources:
    """Files, standard input, whatever is open."""

    def test_a_file(self, tmp_path: Path) -> None:
        """Its size and place are known, and it is closed in the end."""
        path = tmp_path / "list.txt"
        path.write_text(PLAIN)
        with open_list(path) as listing:
            assert (listing.name, listing.size) == (str(path), len(PLAIN.encode()))
            assert len(list(listing)) == 3
            assert listing.position == listing.size

    def test_standard_input(self) -> None:
        """A pipe, which gives what it has, and whose size nobody knows."""
        program = (
            "import sys; from optoutkit.bulk import open_list\n"
            "with open_list('-') as listing: print(listing.name, listing.size, *(row.text.strip() for row in listing), sep=',')"
        )
        with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdin is not None
            for letter in b"a@b.example\nb@b.example\n":
                child.stdin.write(bytes([letter]))
                child.stdin.flush()
            child.stdin.close()
            assert child.stdout is not None
            assert child.stdout.read() == b"standard input,None,a@b.example,b@b.example\n"

    def test_an_open_file_stays_open(self) -> None:
        """It belongs to the caller."""
        file = io.BytesIO(PLAIN.encode())
        with open_list(file, name="mine") as listing:
            assert listing.name == "mine"
        assert not file.closed

    def test_what_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        """And the system's word for it."""
        with pytest.raises(InvalidInput, match=r"cannot read .*missing.csv: No such file"):
            open_list(tmp_path / "missing.csv")
        with pytest.raises(InvalidInput, match=r"cannot read .*: Is a directory"):
            open_list(os.fspath(tmp_path))

    def test_what_fails_on_the_way_is_named(self) -> None:
        """At the beginning, and far behind it."""

        class Failing(io.RawIOBase):
            def __init__(self, good: bytes) -> None:
                self.good = io.BytesIO(good)

            def read(self, size: int = -1) -> bytes:
                if piece := self.good.read(size):
                    return piece
                raise OSError(5, "Input/output error")

        failing: Any = Failing(b"")
        with pytest.raises(InvalidInput, match="cannot read the list: Input/output error"):
            open_list(failing)
        failing = Failing(b"a@b.example\n" * 50_000)
        with open_list(failing) as listing, pytest.raises(InvalidInput, match="cannot read the list: Input/output error"):
            list(listing)

    @pytest.mark.parametrize(
        ("raw", "why"),
        [
            (b"", "there is nothing in it"),
            (b"\n \r\n# line 3: x\n", "there is nothing in it"),
            (b"PK\x03\x04rest", "Excel workbook"),
            (b"\xd0\xcf\x11\xe0rest", "old Excel workbook"),
            (b"BZh91AY", "bzip2"),
            (b"\xfd7zXZ\x00", "xz"),
            (b"SQLite format 3\x00", "use migrate"),
            (b"%PDF-1.7", "PDF"),
            (b"hello, world\nhow are you\n", "no column has addresses or order IDs"),
            (b'{"a": 1}\n{"a": 2}\n', "no column has addresses or order IDs; say which one does. There is: 'a'"),
            (b"[]", "no column has addresses"),
            (b"[1, 2]", "no column has addresses"),
            (b"," * 1000 + b"\n", "it has 1001 columns; 1000 are the most that can be"),
            (b'{"a' + b'": 1, "b'.join(b"%d" % number for number in range(1001)) + b'": 1}', "it has 1001 columns"),
            (b",".join(b"n%d" % n for n in range(30)), "'n18', 'n19', …"),
        ],
    )
    def test_what_is_no_list_is_told(self, read: Read, raw: bytes, why: str) -> None:
        """With what it is, where that can be seen."""
        with pytest.raises(InvalidInput, match="the list: ") as caught:
            read(raw)
        assert why in str(caught.value)


class TestCompression:
    """gzip and Zstandard."""

    @pytest.mark.parametrize("compression", ["gzip", "zstd"])
    def test_a_file_that_was_not_copied_whole(self, compression: str) -> None:
        """What can be read comes, and then it is told: nobody believes that it was all."""
        numbers = [int.from_bytes(os.urandom(6)) for _ in range(30_000)]
        packed = PACKERS[compression]("".join(f"b{number}@example.com\n" for number in numbers).encode())
        rows: list[Row | BadRow] = []
        with open_list(io.BytesIO(packed[: len(packed) // 2])) as listing, pytest.raises(InvalidInput, match="not copied whole"):
            rows.extend(listing)
        assert len(rows) > 1000

    @pytest.mark.parametrize("compression", ["gzip", "zstd"])
    def test_a_damaged_file(self, compression: str) -> None:
        """The same, for bytes that changed on the way."""
        numbers = [int.from_bytes(os.urandom(6)) for _ in range(30_000)]
        packed = bytearray(PACKERS[compression]("".join(f"b{number}@example.com\n" for number in numbers).encode()))
        middle = len(packed) // 2
        packed[middle : middle + 2000] = b"\xff" * 2000
        with open_list(io.BytesIO(packed)) as listing, pytest.raises(InvalidInput, match="data cannot be unpacked"):
            list(listing)

    def test_a_bomb_takes_no_memory(self) -> None:
        """A hundred megabytes of one letter in some kilobytes is one bad line."""
        compressor = zstandard.ZstdCompressor().compressobj()
        bomb = b"".join(compressor.compress(b"x" * 2**20) for _ in range(100)) + compressor.flush()
        packed = zstandard.compress(b"a@b.example\n") + bomb
        with open_list(io.BytesIO(packed)) as listing:
            _, bad = listing
        assert isinstance(bad, BadRow)
        assert len(bad.text) <= 256 * 1024
        assert len(packed) < 100_000

    def test_a_frame_that_wants_too_much_memory(self) -> None:
        """It is refused."""
        parameters = zstandard.ZstdCompressionParameters(window_log=28)
        packed = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        raw = packed.compress(PLAIN.encode()) + packed.flush()
        with pytest.raises(InvalidInput, match="cannot be unpacked"):
            open_list(io.BytesIO(raw))

    def test_without_the_extra_it_is_said_how_to_get_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """For reading."""
        monkeypatch.setitem(sys.modules, "zstandard", None)
        monkeypatch.delitem(sys.modules, "optoutkit.bulk.zstd", raising=False)
        with pytest.raises(MissingExtra, match=r"optoutkit\[zstd\]"):
            open_list(io.BytesIO(zstandard.compress(b"a@b.example")))


@given(st.binary(max_size=400) | st.text(alphabet=st.sampled_from('a@b.e-1,;\t"\n\r{}[]: #'), max_size=400).map(str.encode))
def test_whatever_the_bytes_it_is_read_or_told(raw: bytes) -> None:
    """No error but ours, and every line is a row, a bad one, or belongs to one."""
    try:
        listing: Listing = open_list(io.BytesIO(raw))
    except (InvalidInput, MissingExtra):
        return
    with listing:
        try:
            lines = [row.line for row in listing]
        except InvalidInput:
            return
    assert lines == sorted(lines)
