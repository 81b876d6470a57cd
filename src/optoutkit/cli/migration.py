"""``migrate``: from one store into another."""

from collections.abc import Iterator
from typing import Any

import click

from optoutkit.bulk import Checkpoint, MigrationProgress, MigrationReport
from optoutkit.bulk import migrate as copy
from optoutkit.cli.exit_codes import ExitCode
from optoutkit.cli.options import format_option, open_existing_store
from optoutkit.cli.output import Line, Output
from optoutkit.errors import StoreUnavailable
from optoutkit.stores.opening import open_store

__all__ = ["migrate"]


@click.command()
@click.argument("source")
@click.argument("target")
@click.option(
    "--seller",
    "sellers",
    metavar="NAME",
    multiple=True,
    help="Whose list; give it once for each, '*' is the one that holds for all.  [default: all lists, if SOURCE can tell them]",
)
@click.option(
    "--without-links", is_flag=True, help="Leave behind which order belongs to whom. Opt-outs by order then hold for that order only."
)
@click.option(
    "--state",
    metavar="FILE",
    default="optoutkit-migration.json",
    show_default=True,
    help="Where the place is kept, for as long as it is not finished.",
)
@format_option
def migrate(source: str, target: str, *, sellers: tuple[str, ...], without_links: bool, state: str, out: Output) -> ExitCode:
    """Copy the opt-outs and links of the store SOURCE into the store TARGET, both given as URIs.

    What TARGET has already stays. In the end both are read once more: whoever is opted out in SOURCE must be so in TARGET, and the entries
    are counted. If it is interrupted, the same command goes on where it stopped. SOURCE is not changed. The history of withdrawn entries
    stays behind.

    JSON: an object with sellers (a list), entries and links copied (links is null if they were left behind), contradicted_links,
    source_entries and target_entries as counted in the end, lost (how many are not as opted out in TARGET as in SOURCE).
    """
    if source == target:
        raise click.UsageError("SOURCE and TARGET are the same.")
    checkpoint = Checkpoint(state, source=source, target=target)
    if checkpoint.entries:
        out.note(f"going on after {checkpoint.entries} entries")
    with open_existing_store(source) as old, open_store(target) as new, out.meter("entries copied or checked") as show:

        def tell(now: MigrationProgress) -> None:
            done = now.done + (now.total if now.doing == "checking" else 0)
            show(done, done, 2 * now.total)

        try:
            report = copy(
                old,
                new,
                sellers=sellers or None,
                with_links=not without_links,
                checkpoint=checkpoint,
                on_progress=tell if out.is_watched else None,
            )
        except (KeyboardInterrupt, StoreUnavailable):
            out.note("it is not finished; run the same command again, and it goes on where it stopped")
            raise
    out.result(_record(report), lambda: _lines(report))
    if report.links is None:
        out.note("links were left behind")
    if report.contradicted:
        out.error(f"{report.contradicted} links say otherwise in the target, and stay as they are there")
    if report.lost:
        examples = ", ".join(map(str, report.examples))
        out.error(
            f"{report.lost} opt-outs of the source do not hold as well in the target, perhaps as they were withdrawn there: {examples}"
        )
    elif not report.is_complete:
        out.error("the target has fewer entries than the source: run the same command again")
    return out.exit_code


def _record(report: MigrationReport) -> dict[str, Any]:
    return {
        "sellers": list(report.sellers),
        "entries": report.entries,
        "links": report.links,
        "contradicted_links": report.contradicted,
        "source_entries": report.source_entries,
        "target_entries": report.target_entries,
        "lost": report.lost,
    }


def _lines(report: MigrationReport) -> Iterator[Line]:
    yield (f"lists: {len(report.sellers)}, entries copied: {report.entries}, links: {report.links or 0}",)
    yield (f"entries in the source: {report.source_entries}, in the target: {report.target_entries}, not as opted out: {report.lost}",)
