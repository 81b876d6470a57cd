"""``import`` and ``export``: lists of opt-outs, from other tools and for them."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import attrs
import click

from optoutkit.bulk import BadRow, Defaults, Field, ImportReport, Layout, Listing, Rejects, export_list, import_list, open_list
from optoutkit.bulk.columns import read_mapping
from optoutkit.bulk.rejects import free_name
from optoutkit.bulk.writers import FORMS
from optoutkit.cli.exit_codes import ExitCode
from optoutkit.cli.options import format_option, open_existing_store, read_time, reading, seller_option, store_option, warn_of_memory
from optoutkit.cli.output import Output
from optoutkit.errors import InvalidInput, StoreError
from optoutkit.optouts import Reason
from optoutkit.stores.opening import open_store

__all__ = ["export_lists", "import_lists"]

_SHOWN = 10
"""How many bad lines, and columns that are not used, are told one by one."""

_FORMS_BY_SUFFIX = {".csv": "csv", ".txt": "plain"}
_PACKED_BY_SUFFIX = {".gz": "gzip", ".zst": "zstd"}
_SEPARATOR_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_FORM_NAMES = {"csv": "CSV", "jsonl": "JSON Lines", "json": "a JSON document", "plain": "one value a line"}


@click.command("import")
@click.argument("file")
@click.option(
    "--map",
    "columns",
    metavar="COLUMN=FIELD",
    multiple=True,
    callback=reading(read_mapping),
    help=f"What a column tells: {', '.join(Field)}; nothing leaves it out. In a table without names they are called 1, 2 and so on.",
)
@click.option(
    "--reason",
    type=click.Choice([reason.value for reason in Reason]),
    help="Why, where the list does not say, or in words that are not known.  [default: what is usual in such a list, else manual]",
)
@click.option("--since", metavar="DATE", callback=reading(read_time), help="When they opted out, where the list does not say.")
@click.option("--source", metavar="TEXT", help="Where you know it from, where the list does not say.  [default: the list's name]")
@click.option("--rejects", metavar="FILE", help="Where bad lines are kept.  [default: the list's name with .rejects, in this folder]")
@click.option("--after-line", type=click.IntRange(0), default=0, metavar="NUMBER", help="Go on where an import was interrupted.")
@click.option("--dry-run", is_flag=True, help="Only read and count; nothing is written.")
@store_option
@seller_option
@format_option
def import_lists(
    file: str,
    *,
    columns: tuple[tuple[str, Field | None], ...],
    reason: str | None,
    since: datetime | None,
    source: str | None,
    rejects: str | None,
    after_line: int,
    dry_run: bool,
    uri: str,
    seller: str,
    out: Output,
) -> ExitCode:
    """Put the opt-outs of a list into the store: of one that another tool has exported, or of your own.

    FILE (- for standard input) is CSV, JSON Lines, a JSON document, or an address or order ID a line; packed with gzip or Zstandard, or
    not. What its columns tell is found out and shown. Lines that cannot be used are kept in a file, each below its number and what is
    wrong: mend them there, and import that file. To import a list twice does no harm.

    JSON: an object with columns (what each tells, by its name), rows, entries, new, known, passed_over and bad (numbers), rejects (the
    file of bad lines, or null) and dry_run.
    """
    if rejects and Path(rejects).exists():
        raise click.UsageError(f"{rejects} is there already, and may hold lines that are still to be mended: name another file.")
    name = "standard input" if file == "-" else click.format_filename(file)
    with open_list(file, columns=dict(columns), name=name) as listing:
        for line in _description(name, listing.layout):
            out.note(line)
        if not dry_run:
            warn_of_memory(uri, out)
        base = "stdin" if file == "-" else Path(name).name
        kept = None if dry_run else Rejects(rejects or free_name(f"{base}.rejects"), listing.layout.header)
        told_source = f"import of {base}" if source is None else source
        defaults = Defaults(seller=seller, reason=Reason(reason) if reason else None, since=since, source=told_source)
        with (
            contextlib.nullcontext() if dry_run else open_store(uri) as store,
            contextlib.closing(kept) if kept else contextlib.nullcontext(),
            out.meter("rows") as show,
            _Watch(listing, out, show, ImportReport(last_line=after_line)) as watch,
        ):
            import_list(listing, store, defaults, rejects=kept, after_line=after_line, on_bad=watch.bad_row, on_progress=watch.progress)
    report = watch.done
    where = str(kept.path) if kept is not None and report.bad else None
    if where:
        out.note(f"bad lines are kept in {where}: mend them there, and import that file")
    told = {column.name: column.field and column.field.value for column in listing.layout.columns}
    record: dict[str, Any] = {"columns": told, **attrs.asdict(report), "rejects": where, "dry_run": dry_run}
    del record["last_line"]
    counts = f"entries: {report.entries}" if dry_run else f"new: {report.new}, known before: {report.known}"
    more = f", not opted out: {report.passed_over}" if report.passed_over else ""
    out.result(record, lambda: [(f"rows: {report.rows}, {counts}{more}, bad: {report.bad}",)])
    return out.exit_code


@attrs.define
class _Watch:
    """Tells on the way what happens, and what to do when it stops."""

    listing: Listing
    out: Output
    show: Callable[[int, int, int | None], None]
    done: ImportReport
    bad: int = 0

    def bad_row(self, row: BadRow) -> None:
        self.bad += 1
        if self.bad <= _SHOWN:
            self.out.error(f"{self.listing.name}, line {row.line}: {row.why}")

    def progress(self, done: ImportReport) -> None:
        self.done = done
        self.show(done.rows, self.listing.position, self.listing.size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if isinstance(error, KeyboardInterrupt | StoreError):
            line = self.done.last_line
            self.out.note(
                f"all up to line {line} is done: go on with --after-line {line}, or run the same command again, which does no harm"
            )
        elif isinstance(error, InvalidInput):
            self.out.error(str(error))
        if self.bad > _SHOWN:
            self.out.error(f"{self.listing.name}: {self.bad - _SHOWN} more bad lines")
        return isinstance(error, InvalidInput)


def _description(name: str, layout: Layout) -> Iterator[str]:
    """What has been found out about a list, for people."""
    separated = f" separated by {_SEPARATOR_NAMES.get(layout.separator, layout.separator)}" if layout.separator else ""
    parts = [_FORM_NAMES[layout.form] + separated, layout.encoding]
    parts += [f"packed with {layout.compression}"] if layout.compression else []
    parts += [f"as of {layout.tool.tool}"] if layout.tool else []
    yield f"{name}: {', '.join(parts)}"
    for column in layout.columns:
        if column.field:
            yield f"column {column.name!r}: {column.field} ({column.why})"
    unused = [f"{column.name!r} ({column.why})" for column in layout.columns if not column.field]
    if unused:
        yield f"not used: {', '.join([*unused[:_SHOWN], *['…'] * (len(unused) > _SHOWN)])}"


@click.command("export")
@click.argument("file", default="-")
@click.option(
    "--as",
    "form",
    type=click.Choice(FORMS),
    help="csv or jsonl, from which all comes back, or plain: an address or order ID a line.  [default: by FILE's name, else jsonl]",
)
@click.option("--compress", "compression", type=click.Choice(["gzip", "zstd"]), help="How to pack it.  [default: by FILE's name]")
@store_option
@seller_option
@format_option
def export_lists(file: str, *, form: str | None, compression: str | None, uri: str, seller: str, out: Output) -> ExitCode:
    """Write the opt-outs in the store to FILE, or to standard output.

    The file takes its name when it is complete. Entries that have expired are written, too, but not into a plain list. Links and withdrawn
    entries are not: to move a store, use "migrate".

    JSON: an object with file and entries (how many were written); none if the list itself goes to standard output.
    """
    suffixes = [suffix.lower() for suffix in Path(file).suffixes]
    packed = compression or next((_PACKED_BY_SUFFIX[suffix] for suffix in suffixes[-1:] if suffix in _PACKED_BY_SUFFIX), "")
    form = form or next((_FORMS_BY_SUFFIX[suffix] for suffix in suffixes[-2:] if suffix in _FORMS_BY_SUFFIX), "jsonl")
    target = file if file != "-" else sys.stdout.buffer if sys.stdout else os.devnull  # the caller may have closed it
    with open_existing_store(uri) as store, out.meter("entries") as show:

        def tell(count: int) -> None:
            show(count, count, None)

        count = export_list(store, target, seller=seller, form=form, compression=packed, on_progress=tell)
    if file == "-":
        out.note(f"entries written: {count}")
    else:
        out.result({"file": file, "entries": count}, lambda: [(f"entries written: {count}",)])
    return out.exit_code
