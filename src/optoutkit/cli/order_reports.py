"""Amazon's order reports: which buyer each order belongs to.

They are tables with a line of column names, tab-separated as Amazon writes them, or separated by commas or semicolons as a spreadsheet
does.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence

import attrs

from optoutkit.errors import InvalidInput
from optoutkit.identities import Address, OrderId

__all__ = ["BadRow", "Row", "read_order_report"]

_ORDER_COLUMNS = ("order-id", "amazon-order-id")
_ADDRESS_COLUMN = "buyer-email"


@attrs.frozen(kw_only=True)
class Row:
    """One row.

    Attributes:
        order_id: The order.
        address: Its buyer's address; None where the report has none, as for orders from other shops.
    """

    order_id: OrderId
    address: Address | None


@attrs.frozen(kw_only=True)
class BadRow:
    """A row that cannot be used.

    Attributes:
        line: The number of the line on which it begins, from 1.
        why: What is wrong with it.
    """

    line: int
    why: str


def read_order_report(lines: Iterable[str]) -> Iterator[Row | BadRow]:
    """Read an order report; empty rows are passed over.

    Args:
        lines: Its lines, with their ends. The columns needed are ASCII: letters elsewhere that could not be decoded do not matter.

    Raises:
        InvalidInput: The first line does not name the columns ``order-id`` (or ``amazon-order-id``) and ``buyer-email``.
    """
    lines = iter(lines)
    header = next(lines, "")
    separator = max("\t;,", key=header.count)
    names = [name.strip().strip('"').lower().replace("_", "-").replace(" ", "-") for name in header.split(separator)]
    order_column = next((names.index(name) for name in _ORDER_COLUMNS if name in names), None)
    if order_column is None or _ADDRESS_COLUMN not in names:
        raise InvalidInput("not an order report: its first line must name the columns order-id and buyer-email")
    address_column = names.index(_ADDRESS_COLUMN)
    # Amazon's tab-separated reports quote nothing; a quotation mark in them is an inch.
    reader = csv.reader(lines, delimiter=separator, quotechar=None if separator == "\t" else '"', strict=True)
    while True:
        line = reader.line_num + 2  # the header was read before
        try:
            cells = next(reader)
            if any(cells):
                yield _row(cells, order_column, address_column)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(line=line, why=f"not a row of a table: {error}")
        except InvalidInput as error:
            yield BadRow(line=line, why=str(error))


def _row(cells: Sequence[str], order_column: int, address_column: int) -> Row:
    if len(cells) <= max(order_column, address_column):
        raise InvalidInput(f"it has too few columns ({len(cells)})")
    order_id, address = OrderId(cells[order_column]), cells[address_column].strip()
    return Row(order_id=order_id, address=Address(address) if address else None)
