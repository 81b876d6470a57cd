"""``parse`` and ``ingest``: Amazon's notices, from a mail to the store."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click

from optoutkit.authentication import Trust
from optoutkit.cli import rendering
from optoutkit.cli.exit_codes import ExitCode
from optoutkit.cli.inputs import NOT_A_MAIL, is_mail
from optoutkit.cli.options import format_option, seller_option, store_option
from optoutkit.cli.output import Line, Output
from optoutkit.errors import InvalidInput, MessageTooLarge
from optoutkit.intake import Intake, IntakeResult, IntakeStatus
from optoutkit.notices import NoticeParser
from optoutkit.sources import Item, feed, open_source
from optoutkit.stores.opening import open_store

__all__ = ["ingest", "parse"]

_TRUSTS = ("amazon", "forwarder", "unverified")

F = TypeVar("F", bound=Callable[..., Any])


def _wordings_option(command: F) -> F:
    """Further wordings of notices; the command gets a parser that knows them, or None for the usual one."""

    def make(ctx: click.Context, param: click.Parameter, files: tuple[str, ...]) -> NoticeParser | None:
        try:
            return NoticeParser(wordings=files) if files else None
        except InvalidInput as error:
            raise click.BadParameter(f"{error}.", ctx, param) from None

    return click.option(
        "--wordings",
        "parser",
        metavar="FILE",
        multiple=True,
        callback=make,
        help="A TOML file with further wordings of notices, beside those that are known.",
    )(command)


@click.command()
@click.argument("mails", metavar="MAIL...", nargs=-1, required=True)
@_wordings_option
@format_option
def parse(mails: tuple[str, ...], parser: NoticeParser | None, out: Output) -> ExitCode:
    """Show what a notice of Amazon says: its kind, orders, buyer, marketplace, language, and how it came.

    MAIL is a mail (.eml), an mbox, a folder, a Maildir (of which only unread mails are read), or - for standard input. Nothing is
    verified: a forged mail says what it likes. Nothing is recorded; that is what "ingest" does.

    JSON: an object a mail, with file and notice: null if it is none, else an object with kind, order_ids, buyer, marketplace,
    language, form, sent_at, message_id, confidence (0 to 1), evidence (a list of kind, text, source, verified).
    """
    parser = parser or NoticeParser()
    for path in mails:
        for item in _items(path, out):
            try:
                notice = parser.parse(item.raw)
            except MessageTooLarge as error:
                out.error(f"{item.name}: {error}")
                continue
            out.result(
                {"file": item.name, "notice": rendering.notice_record(notice)},
                lambda: rendering.notice_lines(item.name, notice),  # noqa: B023 - called at once
            )
    return out.exit_code


@click.command()
@click.argument("mails", metavar="MAIL...", nargs=-1, required=True)
@click.option(
    "--minimum-trust",
    type=click.Choice(_TRUSTS),
    default="forwarder",
    show_default=True,
    help="How far a notice must be proved. amazon: sent by Amazon, proved by its signature. forwarder: or by an address of yours, see "
    "--forwarder. unverified: this mailbox is mine, take what is in it and ask nothing of DNS.",
)
@click.option("--forwarder", "forwarders", metavar="NAME", multiple=True, help="An address or domain of yours that forwards notices.")
@click.option(
    "--authserv-id",
    "authserv_ids",
    metavar="NAME",
    multiple=True,
    help="The name under which your own mail server writes Authentication-Results.",
)
@click.option("--sealer", "sealers", metavar="DOMAIN", multiple=True, help="A domain whose ARC seals you believe, such as google.com.")
@click.option("--quarantine", metavar="DIR", type=click.Path(file_okay=False), help="Where copies of mails go that were not believed.")
@click.option("--verbose", "-v", is_flag=True, help="Also show mails that are no notices.")
@_wordings_option
@store_option
@seller_option
@format_option
def ingest(
    mails: tuple[str, ...],
    *,
    minimum_trust: str,
    forwarders: tuple[str, ...],
    authserv_ids: tuple[str, ...],
    sealers: tuple[str, ...],
    quarantine: str | None,
    verbose: bool,
    parser: NoticeParser | None,
    uri: str,
    seller: str,
    out: Output,
) -> ExitCode:
    """Read notices from a mailbox, and record who opted out.

    MAIL is a mail (.eml), an mbox, a folder, a Maildir, or - for standard input. Of a Maildir only unread mails are read, and marked as
    read when all that matters of them is saved; nothing else is changed. Doing it again does no harm.

    What is not proved to be Amazon's, as far as --minimum-trust asks for it, is not recorded. Forged mails are refused in any case.

    JSON: an object a mail, with file, status (recorded, known, ignored, quarantined or retry), reason, trust, notice (see "parse"),
    recorded (a list of entries, see "list"), contradicted (orders that are known to be another buyer's), mail_id, is_set_aside.
    """
    tally = _Tally(is_verified=minimum_trust != "unverified")
    with open_store(uri) as store, out.progress("mails") as advance:
        intake = Intake(
            store,
            seller=seller,
            minimum_trust=Trust(minimum_trust),
            forwarders=forwarders,
            authserv_ids=authserv_ids,
            sealers=sealers,
            quarantine=quarantine,
            parser=parser,
            hook=_no_log,
        )
        for path in mails:
            for item, result in feed(_items(path, out), intake):
                advance()
                tally.add(result)
                if result.status is IntakeStatus.RETRY:
                    out.codes.add(ExitCode.TRY_AGAIN)
                elif path == "-" and not result.is_done:
                    out.codes.add(ExitCode.REFUSED)
                if verbose or result.notice is not None or result.status is not IntakeStatus.IGNORED:
                    out.result(
                        rendering.intake_record(item.name, result),
                        lambda: rendering.intake_lines(item.name, result),  # noqa: B023 - called at once
                    )
    out.lines(tally.lines())
    for note in tally.notes(quarantine):
        out.note(note)
    return out.exit_code


def _items(path: str, out: Output) -> Iterator[Item]:
    """The mails of one source. What cannot be read is told, as is a file that is named and is no mail; in a folder there may be others."""
    try:
        for item in open_source(path):
            if is_mail(item.raw) or (path != "-" and Path(path).is_dir()):
                yield item
            else:
                name = "standard input" if item.name == "-" else item.name
                out.error(f"{name}: {NOT_A_MAIL}")
    except InvalidInput as error:
        out.error(str(error))


@attrs.define(kw_only=True)
class _Tally:
    """What became of all mails, and what their owner has to know.

    Attributes:
        is_verified: Whether mails had to be proved at all.
    """

    is_verified: bool
    _statuses: Counter[IntakeStatus] = attrs.field(factory=Counter)
    _unproved: int = 0
    _kept_nowhere: int = 0

    def add(self, result: IntakeResult) -> None:
        """Count a mail."""
        self._statuses[result.status] += 1
        self._unproved += result.authentication is not None and result.authentication.trust is Trust.UNVERIFIED
        self._kept_nowhere += result.status is IntakeStatus.QUARANTINED and not result.is_set_aside

    def lines(self) -> Iterator[Line]:
        """The sums."""
        counts = ", ".join(f"{status.value}: {self._statuses[status]}" for status in IntakeStatus)
        yield (f"mails: {self._statuses.total()}; {counts}",)

    def notes(self, quarantine: str | None) -> Iterator[str]:
        """What the sums mean for the user."""
        if self._unproved and self.is_verified:
            yield (
                f"could not be verified: {self._unproved}. There is no valid signature of Amazon's, or none that could be checked. If "
                'nobody but you can put mail there, say so with --minimum-trust unverified ("this mailbox is mine"): it is your choice.'
            )
        elif self._unproved:
            yield (
                f'taken in unverified: {self._unproved}. --minimum-trust unverified says "this mailbox is mine", its owner\'s choice. '
                "Look-alikes of Amazon are refused all the same."
            )
        if self._statuses[IntakeStatus.QUARANTINED] and quarantine is not None:
            yield f"what was quarantined lies in {quarantine}, each mail with a .json file that says why"
        elif self._kept_nowhere:
            yield "what was quarantined stayed where it was; --quarantine DIR keeps copies"
        if self._statuses[IntakeStatus.RETRY]:
            yield "DNS or the store did not answer for some; give them again later"


def _no_log(_result: IntakeResult) -> None:
    """The command tells its user all that the intake would log."""
