"""``quarantine``: the mails that were not believed, and what becomes of them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from optoutkit.cli import rendering
from optoutkit.cli.exit_codes import ExitCode
from optoutkit.cli.notices import wordings_option
from optoutkit.cli.options import format_option, seller_option, store_option
from optoutkit.cli.output import Output
from optoutkit.errors import InvalidInput, MessageTooLarge
from optoutkit.intake import Intake, IntakeStatus, Quarantine
from optoutkit.notices import NoticeParser
from optoutkit.stores.opening import open_store

__all__ = ["quarantine"]

F = TypeVar("F", bound=Callable[..., Any])


def _folder_argument(command: F) -> F:
    """The folder; it must be there."""

    def make(_ctx: click.Context, _param: click.Parameter, folder: str) -> Quarantine:
        return Quarantine(folder)

    return click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False), callback=make)(command)


_mails_argument = click.argument("mails", metavar="ID...", nargs=-1, required=True)


@click.group()
def quarantine() -> None:
    """Look at the mails that were not believed, record what they say after all, or delete them.

    DIR is the folder that "ingest" or "serve" were given with --quarantine; "serve" keeps the mails of a named seller in a folder below.

    JSON: an object a line, whose fields the help of each of these commands names.
    """


@quarantine.command("list")
@_folder_argument
@format_option
def show_all(folder: Quarantine, out: Output) -> ExitCode:
    """Show which mails are there, and why, longest there first.

    JSON: an object a mail, with id, since, arrived, reason, trust, kind (of the notice it claims to be), sender, orders, size (bytes).
    """
    mails = list(folder)
    for mail in mails:
        out.result(rendering.quarantined_record(mail), lambda: rendering.quarantined_lines(mail))  # noqa: B023 - called at once
    if not mails:
        out.note("the quarantine is empty")
    return out.exit_code


@quarantine.command("show")
@_folder_argument
@_mails_argument
@wordings_option
@format_option
def show(folder: Quarantine, mails: tuple[str, ...], *, parser: NoticeParser | None, out: Output) -> ExitCode:
    """Show why mails are there, and what they say. The mails themselves are the files DIR/ID.eml.

    Every notice in a mail is shown: all of them count when it is released.

    JSON: an object a mail, with the fields of "quarantine list", and notices, a list (see "parse" for the fields of each).
    """
    parser = parser or NoticeParser()
    for mail_id in mails:
        try:
            mail, raw = folder.describe(mail_id), folder.read(mail_id)
        except InvalidInput as error:
            out.error(str(error))
            continue
        try:
            notices = parser.parse_all(raw)
        except MessageTooLarge:
            notices = ()
        out.result(
            {**rendering.quarantined_record(mail), "notices": [rendering.notice_record(notice) for notice in notices]},
            lambda: [
                *rendering.quarantined_lines(mail),  # noqa: B023 - called at once
                *(line for notice in notices or [None] for line in rendering.notice_lines(mail.id, notice)),  # noqa: B023 - called at once
            ],
        )
    return out.exit_code


@quarantine.command("release")
@_folder_argument
@_mails_argument
@wordings_option
@store_option
@seller_option
@format_option
def release(folder: Quarantine, mails: tuple[str, ...], *, parser: NoticeParser | None, uri: str, seller: str, out: Output) -> ExitCode:
    """Record what mails say, and take them out: you have looked at them, and vouch for them.

    What is recorded so is not called verified, and never goes onto the list for all sellers. A mail that is no notice of an opt-out, or
    names neither order nor buyer, stays.

    JSON: an object a mail, with the fields of "ingest".
    """
    with open_store(uri) as store:
        intake = Intake(store, seller=seller, quarantine=folder.folder, parser=parser, hook=lambda _: None)
        for mail_id in mails:
            try:
                result = intake.release(mail_id)
            except InvalidInput as error:
                out.error(str(error))
                continue
            out.result(
                rendering.intake_record(mail_id, result),
                lambda: rendering.intake_lines(mail_id, result),  # noqa: B023 - called at once
            )
            if result.status is IntakeStatus.QUARANTINED:
                out.error(f"{mail_id} stays in quarantine: {result.reason}")
            elif result.status is IntakeStatus.RETRY:
                out.error(f"{mail_id} stays in quarantine: {result.reason}", ExitCode.TRY_AGAIN)
    return out.exit_code


@quarantine.command("empty")
@_folder_argument
@click.option(
    "--older-than",
    metavar="DAYS",
    type=click.FloatRange(0, 36_500),
    default=0,
    help="Only what has lain there for so long.  [default: all]",
)
@format_option
def empty(folder: Quarantine, *, older_than: float, out: Output) -> ExitCode:
    """Delete all mails that are there, or those that nobody released in time.

    JSON: an object with deleted, the number of mails.
    """
    before = datetime.now(UTC) - timedelta(days=older_than)
    mails = [mail for mail in folder if mail.since <= before]
    for mail in mails:
        folder.remove(mail.id)
    out.result({"deleted": len(mails)}, lambda: [(f"deleted: {len(mails)}",)])
    return out.exit_code
