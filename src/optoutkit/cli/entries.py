"""``list``, ``add``, ``withdraw`` and ``erase``: the entries of the opt-out list, by hand."""

from datetime import UTC, datetime

import click

from optoutkit.cli import rendering
from optoutkit.cli.exit_codes import ExitCode
from optoutkit.cli.options import (
    format_option,
    identities_argument,
    open_existing_store,
    read_time,
    reading,
    seller_option,
    store_option,
    warn_of_memory,
)
from optoutkit.cli.output import Output
from optoutkit.identities import Identity
from optoutkit.optouts import OptOut, Reason
from optoutkit.stores.hashed import entries_by_secret
from optoutkit.stores.inventory import TellsSellers
from optoutkit.stores.opening import open_store

__all__ = ["add", "erase", "show", "withdraw"]


@click.command("list")
@click.option("--secrets", is_flag=True, help="Instead, count the entries of all sellers by the secret that their digests were made with.")
@store_option
@seller_option
@format_option
def show(*, secrets: bool, uri: str, seller: str, out: Output) -> ExitCode:
    """Show the opt-outs in the store, those that have expired included, in the order of addresses and orders.

    JSON: an object an entry, with identity (such as address:abc@marketplace.amazon.de or order:302-1234567-1234567), seller, reason, since,
    expires_at, source, verified. Other commands take such an identity, too. With --secrets: an object with the number of entries by
    the name of the secret; "" stands for those in clear.
    """
    if secrets:
        return _count_by_secret(uri, seller, out)
    now = datetime.now(UTC)
    empty = True
    with open_existing_store(uri) as store:
        for entry in store.scan(seller=seller):
            empty = False
            out.result(entry.to_dict(), lambda: rendering.entry_lines(entry, now))  # noqa: B023 - called at once
    if empty:
        out.note("the list is empty")
    return out.exit_code


def _count_by_secret(uri: str, seller: str, out: Output) -> ExitCode:
    """How many entries each secret of a store of digests still bears; the store need not know them."""
    with open_existing_store(uri) as store:
        sellers = store.sellers() if isinstance(store, TellsSellers) and not seller else [seller]
        counts = entries_by_secret(entry for name in sellers for entry in store.scan(seller=name))
    out.result(counts, lambda: [(f"{name or 'in clear'}: {count}",) for name, count in sorted(counts.items())])
    if not counts:
        out.note("the list is empty")
    return out.exit_code


@click.command()
@identities_argument
@click.option("--reason", type=click.Choice([reason.value for reason in Reason]), default="manual", show_default=True, help="Why.")
@click.option("--since", metavar="DATE", callback=reading(read_time), help="When they opted out, such as 2026-11-30 (UTC).  [default: now]")
@click.option("--expires", metavar="DATE", callback=reading(read_time), help="When the entry ceases to hold; by default never.")
@click.option("--source", metavar="TEXT", default="command line", show_default=True, help="Where you know it from.")
@store_option
@seller_option
@format_option
def add(
    identities: tuple[Identity, ...],
    *,
    reason: str,
    since: datetime | None,
    expires: datetime | None,
    source: str,
    uri: str,
    seller: str,
    out: Output,
) -> ExitCode:
    """Put buyers or orders on the opt-out list.

    One who was withdrawn before comes back, unless --since is earlier than the withdrawal.

    JSON: an object with new and known, the numbers of entries.
    """
    since = since or datetime.now(UTC)
    warn_of_memory(uri, out)
    with open_store(uri) as store:
        report = store.record(
            OptOut(identity, seller, reason=Reason(reason), since=since, expires_at=expires, source=source) for identity in identities
        )
        in_force = store.lookup(identities, seller=seller)
    record = {"new": report.new, "known": report.known}
    out.result(record, lambda: [(f"new: {report.new}, known before: {report.known}",)])
    for identity in identities:
        if identity not in in_force:
            out.error(f"{identity}: not on the list now: --expires is past, or it was withdrawn after --since")
    return out.exit_code


@click.command()
@identities_argument
@click.option("--why", metavar="TEXT", default="", help="Kept in the history.")
@store_option
@seller_option
@format_option
def withdraw(identities: tuple[Identity, ...], *, why: str, uri: str, seller: str, out: Output) -> ExitCode:
    """Take buyers off the list who opted in again, with all their orders. The history is kept.

    Old notices and imports do not put them back; a newer notice does.

    JSON: an object with withdrawn, the number of entries.
    """
    with open_existing_store(uri) as store:
        count = store.withdraw(identities, seller=seller, why=why)
    out.result({"withdrawn": count}, lambda: [(f"withdrawn: {count}",)])
    if not count:
        out.note("none of them was on this list")
    return out.exit_code


@click.command()
@identities_argument
@store_option
@seller_option
@format_option
def erase(identities: tuple[Identity, ...], *, uri: str, seller: str, out: Output) -> ExitCode:
    """Forget buyers altogether, with their orders, links and history, as the GDPR gives them a right to.

    What is forgotten cannot hold mail back: unless the store keeps digests, messages may reach these buyers again. For a buyer who
    opted in again, use "withdraw".

    JSON: an object with erased and still_refusing, the numbers of entries.
    """
    with open_existing_store(uri) as store:
        report = store.erase(identities, seller=seller)
    record = {"erased": report.erased, "still_refusing": report.still_refusing}
    out.result(record, lambda: [(f"erased: {report.erased}, still refusing mail: {report.still_refusing}",)])
    if not report.erased:
        out.note("none of them was on this list")
    return out.exit_code
