"""``ingest``: Amazon's notices, from where they come in to the store, once or for as long as the command runs."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import chain, repeat
from typing import Any, TypeVar

import attrs
import click

from optoutkit.authentication import Trust
from optoutkit.cli import rendering
from optoutkit.cli.exit_codes import ExitCode
from optoutkit.cli.interruption import Interruption
from optoutkit.cli.notices import read_items, wordings_option
from optoutkit.cli.options import format_option, seller_option, store_option, warn_of_memory
from optoutkit.cli.output import Line, Output
from optoutkit.errors import StoreCorrupt, StoreUnavailable, StoreVersionError
from optoutkit.intake import Intake, IntakeResult, IntakeStatus
from optoutkit.notices import NoticeParser
from optoutkit.sources import Item, Stop, feed, open_mailbox, watch
from optoutkit.sources.watching import INTERVAL
from optoutkit.stores.base import OptOutStore
from optoutkit.stores.opening import open_store

__all__ = ["ingest", "intake_options"]

_TRUSTS = ("amazon", "forwarder", "unverified")
_WAITS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)  # seconds between attempts to reach the store; then the last one over and over
_WORKS_AGAIN = "the store works again"

F = TypeVar("F", bound=Callable[..., Any])


def intake_options(command: F) -> F:
    """What an intake asks of mails before it believes them."""
    for option in reversed(
        (
            click.option(
                "--minimum-trust",
                type=click.Choice(_TRUSTS),
                default="forwarder",
                show_default=True,
                help="How far a notice must be proved. amazon: sent by Amazon, proved by its signature. forwarder: or by an address of "
                "yours, see --forwarder. unverified: this mailbox is mine, take what is in it and ask nothing of DNS.",
            ),
            click.option(
                "--forwarder", "forwarders", metavar="NAME", multiple=True, help="An address or domain of yours that forwards notices."
            ),
            click.option(
                "--authserv-id",
                "authserv_ids",
                metavar="NAME",
                multiple=True,
                help="The name under which your own mail server writes Authentication-Results.",
            ),
            click.option(
                "--sealer", "sealers", metavar="DOMAIN", multiple=True, help="A domain whose ARC seals you believe, such as google.com."
            ),
            click.option(
                "--quarantine", metavar="DIR", type=click.Path(file_okay=False), help="Where copies of mails go that were not believed."
            ),
            wordings_option,
        )
    ):
        command = option(command)
    return command


@click.command()
@click.argument("mails", metavar="MAIL...", nargs=-1, required=True)
@click.option("--watch", "is_watch", is_flag=True, help="Run on, and take in what arrives, until Ctrl-C or SIGTERM.")
@click.option(
    "--interval",
    type=click.FloatRange(0.05, 86400),
    metavar="SECONDS",
    default=INTERVAL,
    show_default=True,
    help="With --watch, how often to look where nobody tells of new mail: files, folders, Maildirs, IMAP servers without IDLE.",
)
@intake_options
@click.option("--verbose", "-v", is_flag=True, help="Also show mails that are no notices.")
@store_option
@seller_option
@format_option
def ingest(
    mails: tuple[str, ...],
    *,
    is_watch: bool,
    interval: float,
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

    MAIL is a mail (.eml), an mbox, a folder, a Maildir, or - for standard input; or a URI: imaps://USER@HOST/FOLDER, maildir:///PATH,
    mbox:///PATH, file:///PATH. Of a Maildir only unread mails are read, and marked as read when all that matters of them is saved. So it
    is with IMAP, where another flag (?flag=) or a move to another folder (?move=) can be had instead; the password comes from the variable
    OPTOUTKIT_IMAP_PASSWORD or a file (?password_file=). Nothing else is changed. Doing it again does no harm.

    What is not proved to be Amazon's, as far as --minimum-trust asks for it, is not recorded. Forged mails are refused in any case.

    Ctrl-C and SIGTERM let the mail in hand be finished. With --watch, a store or a server that does not answer is waited for.

    JSON: an object a mail, with file, status (recorded, known, ignored, quarantined or retry), reason, trust, notice (see "parse"),
    recorded (a list of entries, see "list"), contradicted (orders that are known to be another buyer's), mail_id, is_set_aside.
    """
    tally = _Tally(is_verified=minimum_trust != "unverified")
    interruption = Interruption(waits=is_watch)
    warn_of_memory(uri, out)
    try:
        with interruption, _opened(uri, interruption, out) as store, out.progress("mails") as advance:
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
            given = _watched(mails, interval, intake, interruption.stop, out) if is_watch else _once(mails, intake, interruption, out)
            for item, result in given:
                advance()
                tally.add(result)
                if verbose or result.notice is not None or result.status is not IntakeStatus.IGNORED:
                    out.result(
                        rendering.intake_record(item.name, result),
                        lambda: rendering.intake_lines(item.name, result),  # noqa: B023 - called at once
                    )
                    if is_watch:
                        out.flush()
    except KeyboardInterrupt:
        pass  # what was done before is summed up
    except (StoreCorrupt, StoreVersionError) as error:
        if "-" not in mails:
            raise
        out.error(str(error), ExitCode.TRY_AGAIN)  # so that a mail server keeps the mail until the store is mended
    out.lines(tally.lines())
    for note in tally.notes(quarantine):
        out.note(note)
    return interruption.exit_code or out.exit_code


Given = Iterator[tuple[Item, IntakeResult]]


def _once(mails: Iterable[str], intake: Intake, interruption: Interruption, out: Output) -> Given:
    """Give all mails that are there to an intake."""
    for path in mails:
        for item, result in feed(interruption.one_by_one(read_items(path, out)), intake):
            if result.status is IntakeStatus.RETRY:
                out.codes.add(ExitCode.TRY_AGAIN)
            elif path == "-" and not result.is_done:
                out.codes.add(ExitCode.REFUSED)
            yield item, result
        if interruption.stop.is_set():
            return


def _watched(mails: Iterable[str], interval: float, intake: Intake, stop: Stop, out: Output) -> Given:
    """Give mails to an intake for as long as nobody asks for an end. What comes again with the same result is not shown again."""
    mailboxes = [open_mailbox(path) for path in mails]
    out.note(f"watching {', '.join(mailbox.name for mailbox in mailboxes)}")
    left: dict[str, tuple[IntakeStatus, str]] = {}
    for item, result in feed(watch(mailboxes, stop=stop, tell=out.note, interval=interval), _PatientIntake(intake, stop, out.note)):
        outcome = result.status, result.reason
        if result.is_done:
            left.pop(result.mail_id, None)
        elif left.get(result.mail_id) == outcome:
            continue
        else:
            left[result.mail_id] = outcome
        yield item, result


@attrs.frozen
class _PatientIntake:
    """An intake that waits for its store."""

    _intake: Intake
    _stop: Stop
    _tell: Callable[[str], object]

    def ingest(self, raw: bytes, *, arrived: datetime | None = None) -> IntakeResult:
        """Take in a mail as often as it takes, unless it is DNS that does not answer, which may be so for this mail only."""
        result = self._intake.ingest(raw, arrived=arrived)
        if not _is_outage(result):
            return result
        self._tell(f"{result.reason}; trying again")
        waits = _waits()
        while _is_outage(result) and not self._stop.is_set():
            self._stop.wait(next(waits))
            result = self._intake.ingest(raw, arrived=arrived)
        if not _is_outage(result):
            self._tell(_WORKS_AGAIN)
        return result


def _is_outage(result: IntakeResult) -> bool:
    """Whether the store, or the quarantine folder, cannot be written to."""
    is_dns = result.authentication is not None and result.authentication.trust is Trust.TEMPORARY
    return result.status is IntakeStatus.RETRY and not is_dns


def _opened(uri: str, interruption: Interruption, out: Output) -> OptOutStore:
    """The store; with ``--watch`` it is waited for."""
    try:
        return open_store(uri)
    except StoreUnavailable as error:
        if not interruption.waits:
            raise
        out.note(f"{error}; trying again")
    waits = _waits()
    while True:
        interruption.stop.wait(next(waits))
        if interruption.stop.is_set():
            raise KeyboardInterrupt
        with suppress(StoreUnavailable):
            store = open_store(uri)
            out.note(_WORKS_AGAIN)
            return store


def _waits() -> Iterator[float]:
    return chain(_WAITS, repeat(_WAITS[-1]))


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
