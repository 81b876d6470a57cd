"""``link``: which buyer an order belongs to, by hand or from an order report."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import attrs
import click

from optoutkit.cli.exit_codes import ExitCode
from optoutkit.cli.options import format_option, seller_option, store_option, warn_of_memory
from optoutkit.cli.order_reports import BadRow, Row, read_order_report
from optoutkit.cli.output import Line, Output
from optoutkit.errors import InvalidInput
from optoutkit.identities import Address, OrderId
from optoutkit.stores.base import LinkPair
from optoutkit.stores.opening import open_store

__all__ = ["link"]

_BATCH = 1000


@attrs.define
class _Tally:
    new: int = 0
    known: int = 0
    without_address: int = 0
    bad: list[BadRow] = attrs.field(factory=list)

    def record(self) -> dict[str, Any]:
        bad = [{"line": row.line, "error": row.why} for row in self.bad]
        return {"new": self.new, "known": self.known, "without_address": self.without_address, "bad_lines": bad}

    def lines(self) -> Iterator[Line]:
        yield (f"new: {self.new}, known before: {self.known}, without an address: {self.without_address}, bad lines: {len(self.bad)}",)


@click.command()
@click.argument("arguments", metavar="ORDER ADDRESS | FILE", nargs=-1, required=True)
@store_option
@seller_option
@format_option
def link(arguments: tuple[str, ...], uri: str, seller: str, out: Output) -> ExitCode:
    """Teach the store which buyer an order belongs to. An opt-out by order then holds for that buyer's other orders, too.

    Give an order and the buyer's address, or FILE (- for standard input): one of Amazon's order reports, tab-separated or CSV, whose
    first line names the columns order-id and buyer-email. A link that says otherwise is replaced. Rows that cannot be used are told with
    their line, and the others are linked all the same.

    JSON: an object with new, known and without_address (numbers of rows), bad_lines (a list of line, error).
    """
    tally = _Tally()
    match arguments:
        case (order, address):
            pairs: Iterable[LinkPair] = [_pair(order, address)]
        case (path,):
            pairs = _pairs(path, tally, out)
        case _:
            raise click.UsageError("Give an order and an address, or one file.")
    warn_of_memory(uri, out)
    remaining = iter(pairs)
    if batch := list(islice(remaining, _BATCH)):  # where there is nothing to link, a store need not be made
        with open_store(uri) as store:
            while batch:
                report = store.link(batch, seller=seller, replace=True)
                tally.new += report.new
                tally.known += report.known
                batch = list(islice(remaining, _BATCH))
    out.result(tally.record(), tally.lines)
    return out.exit_code


def _pair(order: str, address: str) -> LinkPair:
    try:
        return OrderId(order), Address(address)
    except InvalidInput as error:
        raise click.UsageError(f"{error}.") from None


def _pairs(path: str, tally: _Tally, out: Output) -> Iterator[LinkPair]:
    name = "standard input" if path == "-" else click.format_filename(path)
    try:
        with click.open_file(path, encoding="utf-8-sig", errors="replace") as lines, out.progress("rows") as advance:
            for row in read_order_report(lines):
                advance()
                if isinstance(row, Row) and row.address is not None:
                    yield row.order_id, row.address
                elif isinstance(row, Row):
                    tally.without_address += 1
                else:
                    tally.bad.append(row)
                    out.error(f"{name}, line {row.line}: {row.why}")
    except OSError as error:
        out.error(f"{name}: cannot be read: {error.strerror}")
    except InvalidInput as error:
        out.error(f"{name}: {error}")
