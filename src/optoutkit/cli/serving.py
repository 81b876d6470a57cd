"""``serve``: notices from a mail server that delivers them here."""

import asyncio
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import click

from optoutkit.authentication import Trust
from optoutkit.cli import rendering
from optoutkit.cli.exit_codes import ExitCode
from optoutkit.cli.ingesting import intake_options
from optoutkit.cli.interruption import Interruption
from optoutkit.cli.options import format_option, store_option
from optoutkit.cli.output import Output
from optoutkit.errors import InvalidInput
from optoutkit.intake import AsyncIntake, IntakeResult, IntakeStatus
from optoutkit.notices import NoticeParser
from optoutkit.sources import MAX_BYTES
from optoutkit.sources.lmtp import NoticeServer
from optoutkit.sources.recipients import Recipients
from optoutkit.stores.opening import open_async_store

__all__ = ["serve"]

_AT = "127.0.0.1:2424"
_DAY = 86_400.0


@click.command()
@click.option(
    "--recipient",
    "recipients",
    metavar="ADDRESS[=SELLER]",
    multiple=True,
    required=True,
    help="An address that takes notices, and whose list they are for. @DOMAIN takes all of a domain that are not named otherwise; what "
    "follows a + in an address need not be named.",
)
@click.option("--lmtp", metavar="HOST:PORT", multiple=True, help=f"Where to speak LMTP; with a / in it, a Unix socket.  [default: {_AT}]")
@click.option("--smtp", metavar="HOST:PORT", multiple=True, help="Where to speak SMTP.")
@click.option("--allow-remote", is_flag=True, help="Listen at an address that other machines reach, too.")
@click.option("--max-bytes", type=click.IntRange(1000, MAX_BYTES), default=MAX_BYTES, show_default=True, help="The largest mail.")
@click.option("--max-connections", type=click.IntRange(1, 10_000), default=20, show_default=True, help="The most at a time.")
@intake_options
@click.option("--verbose", "-v", is_flag=True, help="Also show mails that are no notices.")
@store_option
@format_option
def serve(
    recipients: tuple[str, ...],
    *,
    lmtp: tuple[str, ...],
    smtp: tuple[str, ...],
    allow_remote: bool,
    max_bytes: int,
    max_connections: int,
    minimum_trust: str,
    forwarders: tuple[str, ...],
    authserv_ids: tuple[str, ...],
    sealers: tuple[str, ...],
    quarantine: str | None,
    parser: NoticeParser | None,
    verbose: bool,
    uri: str,
    out: Output,
) -> ExitCode:
    """Take in the notices that a mail server delivers by LMTP or SMTP, until Ctrl-C or SIGTERM.

    The recipient decides whose list a notice is for. A mail is accepted when what matters of it is saved: if the store or DNS does not
    answer, the mail server keeps it and tries again. --quarantine is needed; the mails of a named seller go to a folder of that name in
    it. Mails that are no notices are accepted and forgotten, so let the mail server deliver copies, or only what comes from Amazon.

    It speaks neither TLS nor AUTH, and listens at this machine only, unless --allow-remote says otherwise.

    JSON: an object for each mail and seller, with seller, status (recorded, known, ignored, quarantined or retry), reason, trust,
    recorded and contradicted (numbers of entries and of orders), mail_id, is_set_aside. No address and no order is shown.
    """
    if quarantine is None:
        raise click.UsageError("Missing option '--quarantine'.")
    folder = Path(quarantine)
    lists = Recipients.parse(recipients)
    counts: Counter[IntakeStatus] = Counter()

    async def run() -> None:
        async with open_async_store(uri) as store:
            await store.health()
            intakes: dict[str | None, AsyncIntake] = {
                seller: AsyncIntake(
                    store,
                    seller=seller,
                    minimum_trust=Trust(minimum_trust),
                    forwarders=forwarders,
                    authserv_ids=authserv_ids,
                    sealers=sealers,
                    quarantine=_folder(folder, seller),
                    parser=parser,
                    hook=_Show(out, seller, verbose=verbose),
                )
                for seller in sorted(lists.sellers)
            }
            limits = {"max_bytes": max_bytes, "max_connections": max_connections}
            async with NoticeServer(lambda recipient: intakes.get(lists.seller_of(recipient)), **limits) as server:
                for at in lmtp or (() if smtp else (_AT,)):
                    out.note(f"listening by LMTP at {await server.listen('lmtp', at, allow_remote=allow_remote)}")
                for at in smtp:
                    out.note(f"listening by SMTP at {await server.listen('smtp', at, allow_remote=allow_remote)}")
                while not interruption.stop.is_set():
                    await asyncio.to_thread(interruption.stop.wait, _DAY)
            for intake in intakes.values():
                counts.update(intake.counts)

    with Interruption(waits=True) as interruption:
        asyncio.run(run())
    sums = ", ".join(f"{status}: {counts[status]}" for status in IntakeStatus)
    out.lines([(f"mails: {counts.total()}; {sums}",)])
    return interruption.exit_code


class _Show:
    """Tells what became of each mail, as it happens; what is shown may well end up in a log."""

    def __init__(self, out: Output, seller: str, *, verbose: bool) -> None:
        self._out = out
        self._seller = seller
        self._verbose = verbose

    def __call__(self, result: IntakeResult) -> None:
        if self._verbose or result.notice is not None or result.status is not IntakeStatus.IGNORED:
            self._out.result(
                rendering.delivery_record(self._seller, result),
                lambda: rendering.delivery_lines(self._seller, result),
            )
            self._out.flush()


def _folder(root: Path, seller: str) -> Path:
    """The quarantine folder of a seller."""
    if not seller:
        return root
    try:
        root.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"cannot keep mails in the quarantine folder {root}: {error.strerror}") from None
    return root / quote(seller, safe="").replace(".", "%2E")
