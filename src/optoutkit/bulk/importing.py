"""From a list into a store."""

from collections.abc import Callable, Iterator

import attrs

from optoutkit.bulk.entries import Defaults, EntryReader
from optoutkit.bulk.listing import Listing
from optoutkit.bulk.rejects import Rejects
from optoutkit.bulk.rows import BadRow, Row
from optoutkit.errors import InvalidInput
from optoutkit.optouts import OptOut
from optoutkit.stores.base import OptOutStore

__all__ = ["BATCH", "ImportReport", "import_list"]

BATCH = 10_000
"""How many rows go into the store at a time."""

_MOST_REJECTED = 1_000_000
"""How many characters of bad lines wait for the end of the batch."""


@attrs.frozen(kw_only=True)
class ImportReport:
    """What an import has done so far.

    Attributes:
        rows: How many rows were read.
        new: How many entries were not in force before.
        known: How many told nothing new, or came too late to revive a withdrawn one. Both are 0 where nothing is recorded.
        entries: How many entries there were in the rows.
        passed_over: How many rows say themselves that nobody opted out.
        bad: How many rows could not be used.
        last_line: A line up to which all is done.
    """

    rows: int = 0
    entries: int = 0
    new: int = 0
    known: int = 0
    passed_over: int = 0
    bad: int = 0
    last_line: int = 0


def import_list(
    listing: Listing,
    store: OptOutStore | None,
    defaults: Defaults = Defaults(),  # noqa: B008 - frozen
    *,
    rejects: Rejects | None = None,
    after_line: int = 0,
    on_bad: Callable[[BadRow], None] = lambda _: None,
    on_progress: Callable[[ImportReport], None] = lambda _: None,
) -> ImportReport:
    """Put the opt-outs of a list into a store, in batches. To import a list twice does no harm.

    Args:
        listing: The list, just opened.
        store: Where they go; None only reads and counts.
        defaults: What holds for rows that say nothing else.
        rejects: Where bad lines are kept.
        after_line: Where an earlier import stopped, its ``last_line``: rows up to there are passed over.
        on_bad: Is told of each bad row.
        on_progress: Is told what is done, after each batch.

    Returns:
        What was done.

    Raises:
        StoreError: As :meth:`optoutkit.OptOutStore.record` does. What the last report of ``on_progress`` tells is done.
        InvalidInput: The list cannot be read from some place on. What stands before it is done, and reported.

    Example::

        with open_list("suppressed.csv") as listing, open_store("sqlite:///optouts.db") as store:
            report = import_list(listing, store, Defaults(source="the old tool"))
    """
    reader = EntryReader(listing.layout.columns, defaults, listing.layout.tool.reason if listing.layout.tool else None)
    report = ImportReport()
    for batch in _batches(listing, reader, after_line):
        if store is not None and batch.opt_outs:
            recorded = store.record(batch.opt_outs)
            report = attrs.evolve(report, new=report.new + recorded.new, known=report.known + recorded.known)
        if rejects is not None:
            rejects.write(batch.bad)
        report = attrs.evolve(
            report,
            rows=report.rows + batch.rows,
            entries=report.entries + len(batch.opt_outs),
            passed_over=report.passed_over + batch.passed_over,
            bad=report.bad + len(batch.bad),
            last_line=batch.last_line or report.last_line,
        )
        for bad in batch.bad:
            on_bad(bad)
        on_progress(report)
    return report


@attrs.define
class _Batch:
    """Rows that are settled together."""

    opt_outs: list[OptOut] = attrs.field(factory=list)
    bad: list[BadRow] = attrs.field(factory=list)
    bad_characters: int = 0
    rows: int = 0
    passed_over: int = 0
    last_line: int = 0

    @property
    def is_full(self) -> bool:
        return self.rows >= BATCH or self.bad_characters >= _MOST_REJECTED

    def take(self, row: Row | BadRow, reader: EntryReader) -> None:
        self.rows += 1
        if isinstance(row, Row):
            try:
                found = reader.read(row.cells)
            except InvalidInput as error:
                row = BadRow(row.line, row.text, str(error))
            else:
                self.opt_outs += found
                self.passed_over += not found
        if isinstance(row, BadRow):
            self.bad.append(row)
            self.bad_characters += len(row.text)


def _batches(listing: Listing, reader: EntryReader, after_line: int) -> Iterator[_Batch]:
    """The rows in batches; what stands before an error in one of its own."""
    batch, failure = _Batch(), None
    shared_lines = listing.layout.form == "json"  # of a document a line may have more rows
    try:
        for row in listing:
            if row.line > after_line:
                batch.take(row, reader)
                batch.last_line = row.line - shared_lines
                if batch.is_full:
                    yield batch
                    batch = _Batch()
    except InvalidInput as error:
        failure = error
    if batch.rows:
        yield batch
    if failure is not None:
        raise failure
