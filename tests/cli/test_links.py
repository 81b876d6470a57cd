"""``link``: orders and buyers, by hand and from order reports."""

import contextlib
import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.cli.order_reports import BadRow, Row, read_order_report
from optoutkit.errors import InvalidInput
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import OptOut
from optoutkit.stores.opening import open_store

Run = Callable[..., Any]

BUYER, OTHER = Address("5vd9kx2mz7rq8tn@marketplace.amazon.de"), Address("z2wq6xn9kt4vp7h@marketplace.amazon.de")
ORDER, OTHER_ORDER = OrderId("302-4471806-5590237"), OrderId("302-9951047-3386120")
URI = "sqlite:///optouts.db"

order_ids = st.from_regex(r"[0-9]{3}-[0-9]{7}-[0-9]{7}", fullmatch=True).filter(str.isascii).map(OrderId)
addresses = st.from_regex(r"[a-z0-9]{5,20}@marketplace\.amazon\.(de|it)", fullmatch=True).filter(str.isascii).map(Address)


def opted_out_through_links(order_id: OrderId, address: Address) -> bool:
    """Whether an opt-out of the order holds for the address."""
    with open_store(URI) as store:
        store.record([OptOut(order_id)])
        return address in store.lookup([address])


def test_an_order_and_an_address_are_linked(run: Run) -> None:
    """The opt-out of an order then holds for its buyer."""
    done = run("link", ORDER, BUYER, "--format", "json")
    assert (done.code, done.record) == (0, {"new": 1, "known": 0, "without_address": 0, "bad_lines": []})
    assert opted_out_through_links(ORDER, BUYER)


def test_the_user_knows_better_than_the_store(run: Run) -> None:
    """A link that says otherwise is replaced."""
    run("link", ORDER, OTHER)
    assert run("link", ORDER, BUYER).out == "new: 1, known before: 0, without an address: 0, bad lines: 0\n"
    assert opted_out_through_links(ORDER, BUYER)
    assert not opted_out_through_links(ORDER, OTHER)


AMAZON_TSV = (
    "order-id\torder-item-id\tpurchase-date\tbuyer-email\tbuyer-name\tproduct-name\n"
    f'{ORDER}\t1\t2026-09-20\t{BUYER}\tB. Brandt\tKanne 5" blau, "Lotte\n'
    f"{ORDER}\t2\t2026-09-20\t{BUYER}\tB. Brandt\tDeckel\n"
    f"{OTHER_ORDER}\t3\t2026-09-21\t{OTHER}\tJ. Groß\tTasse\n"
)


@pytest.mark.parametrize(
    "report",
    [
        AMAZON_TSV.encode(),
        AMAZON_TSV.encode("windows-1252"),
        AMAZON_TSV.encode("utf-8-sig").replace(b"\n", b"\r\n"),
        AMAZON_TSV.replace("Groß", "高橋").encode("shift_jis"),
        f'Amazon Order ID;Buyer_Email;note\n{ORDER};{BUYER};"one;\ntwo"\n\n{ORDER};{BUYER};\n{OTHER_ORDER};{OTHER};x\n'.encode(),
        f'"order-id","buyer-email"\n"{ORDER}","{BUYER}"\n"{ORDER}","{BUYER}"\n"{OTHER_ORDER}","{OTHER}"\n'.encode(),
    ],
    ids=["utf-8", "windows-1252", "bom and crlf", "shift_jis", "semicolons", "commas"],
)
@pytest.mark.parametrize("by", ["file", "standard input"])
def test_an_order_report_is_read_as_it_comes(run: Run, tmp_path: Path, report: bytes, by: str) -> None:
    """Tabs, commas or semicolons, in Amazon's encodings, with quotation marks that are inches, and several items an order."""
    if by == "file":
        (tmp_path / "report.txt").write_bytes(report)
        done = run("link", "report.txt", "--format", "json")
    else:
        done = run("link", "-", "--format", "json", stdin=report)
    assert (done.code, done.record) == (0, {"new": 2, "known": 1, "without_address": 0, "bad_lines": []})
    assert opted_out_through_links(ORDER, BUYER)
    assert opted_out_through_links(OTHER_ORDER, OTHER)


def test_bad_lines_are_told_and_the_others_are_linked(run: Run, tmp_path: Path) -> None:
    """Each with the number of its line; an order without an address is no fault."""
    rows = [
        "order-id\tx\tbuyer-email",
        f"{ORDER}\t\t{BUYER}",
        "302-12\t\ta@b.example",
        f"{OTHER_ORDER}\t\tnobody",
        f"{OTHER_ORDER}",
        f"{OTHER_ORDER}\t\t ",
    ]
    (tmp_path / "report.tsv").write_text("\n".join(rows))
    done = run("link", "report.tsv", "--format", "json")
    assert done.code == 2
    assert done.record == {
        "new": 1,
        "known": 0,
        "without_address": 1,
        "bad_lines": [
            {"line": 3, "error": "not an Amazon order ID (such as 302-1234567-1234567): '302-12'"},
            {"line": 4, "error": "not an e-mail address, there is no @ in it: 'nobody'"},
            {"line": 5, "error": "it has too few columns (1)"},
        ],
    }
    assert done.err.splitlines() == [f"error: report.tsv, line {bad['line']}: {bad['error']}" for bad in done.record["bad_lines"]]
    assert opted_out_through_links(ORDER, BUYER)


def test_a_quotation_mark_that_stays_open_is_told_where_it_begins(run: Run) -> None:
    """It swallows the rest of a CSV file, which must not happen in silence."""
    report = f'order-id,buyer-email,note\n{ORDER},{BUYER},fine\n{OTHER_ORDER},{OTHER},"5 inch\n{OTHER_ORDER},{OTHER},x\n'
    done = run("link", "-", stdin=report.encode())
    assert done.code == 2
    assert done.out == "new: 1, known before: 0, without an address: 0, bad lines: 1\n"
    assert done.err == "error: standard input, line 3: not a row of a table: unexpected end of data\n"


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"hello\n", b"order-id\tname\n", b"buyer-email\n", bytes(range(256)), "order-id\tbuyer-email".encode("utf-16")]
)
def test_what_is_no_order_report_is_one_line(run: Run, tmp_path: Path, content: bytes) -> None:
    """It says what the first line must have; nothing is linked."""
    (tmp_path / "report").write_bytes(content)
    done = run("link", "report")
    assert done.code == 2
    assert done.err == "error: report: not an order report: its first line must name the columns order-id and buyer-email\n"


def test_a_report_that_cannot_be_read_is_one_line(run: Run, tmp_path: Path) -> None:
    """Missing, or a folder."""
    assert run("link", "missing.tsv").err == "error: missing.tsv: cannot be read: No such file or directory\n"
    (tmp_path / "folder").mkdir()
    done = run("link", "folder")
    assert (done.code, done.err) == (2, "error: folder: cannot be read: Is a directory\n")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "Missing argument 'ORDER ADDRESS | FILE'."),
        (["a", "b", "c"], "Give an order and an address, or one file."),
        (["302", "a@b.example"], "not an Amazon order ID (such as 302-1234567-1234567): '302'."),
        ([str(ORDER), "b"], "not an e-mail address, there is no @ in it: 'b'."),
    ],
)
def test_wrong_usage_is_one_line(run: Run, arguments: list[str], why: str) -> None:
    """No store is made for it."""
    done = run("link", *arguments)
    assert (done.code, done.err) == (2, f"error: {why} See: optoutkit link --help\n")
    assert not Path("optouts.db").exists()


def test_more_rows_than_one_batch(run: Run) -> None:
    """Every row of a long report is linked."""
    rows = "".join(f"302-{number:07}-0000000\tbuyer{number % 700}@marketplace.amazon.de\n" for number in range(2500))
    assert run("link", "-", "--format", "json", stdin=f"order-id\tbuyer-email\n{rows}".encode()).record["new"] == 2500


@given(st.lists(st.tuples(order_ids, addresses, st.text(max_size=20).filter(lambda text: "\0" not in text))), st.sampled_from(",;\t"))
def test_a_report_written_by_a_spreadsheet_is_read_back(rows: list[tuple[OrderId, Address, str]], separator: str) -> None:
    """Whatever else is in the table, and however it is quoted."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quotechar=None if separator == "\t" else '"')
    writer.writerow(["buyer-email", "note", "order-id"])
    for order_id, address, note in rows:
        writer.writerow([address, "".join(note.split()) if separator == "\t" else note, order_id])
    read = list(read_order_report(io.StringIO(text.getvalue(), newline="")))
    assert read == [Row(order_id=order_id, address=address) for order_id, address, _ in rows]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from('\t,;"\n\r'), max_size=200))
def test_no_table_raises_anything_but_ours(text: str) -> None:
    """Rows come out read or told, with lines that are in the file."""
    lines = ("order-id,buyer-email\n" + text).splitlines(keepends=True)
    for row in read_order_report(lines):
        if isinstance(row, BadRow):
            assert 2 <= row.line <= len(lines)
    with contextlib.suppress(InvalidInput):
        list(read_order_report(text.splitlines(keepends=True)))


def test_a_slip_of_the_pen_makes_no_store(run: Run) -> None:
    """A file that is not there, or has nothing to link, leaves no empty store behind."""
    Path("empty.txt").write_text("order-id\tbuyer-email\n", encoding="utf-8")
    assert run("link", "order.txt").code == 2
    assert run("link", "empty.txt").code == 0
    assert not Path("optouts.db").exists()


def test_links_in_memory_are_of_no_use_and_that_is_said(run: Run) -> None:
    """They are gone with the command."""
    done = run("link", ORDER, BUYER, "--store", "memory://")
    assert done.code == 0
    assert done.err.startswith("note: memory:// forgets everything when this command ends")
