"""``parse``: what Amazon's notices say; and the mails that a command line names."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click

from optoutkit.cli import rendering
from optoutkit.cli.exit_codes import ExitCode
from optoutkit.cli.inputs import NOT_A_MAIL, is_mail
from optoutkit.cli.options import format_option
from optoutkit.cli.output import Output
from optoutkit.errors import InvalidInput, MessageTooLarge, SourceUnavailable
from optoutkit.notices import NoticeParser
from optoutkit.sources import Item, open_source
from optoutkit.sources.opening import local_path

__all__ = ["parse", "read_items", "wordings_option"]

F = TypeVar("F", bound=Callable[..., Any])


def wordings_option(command: F) -> F:
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
@wordings_option
@format_option
def parse(mails: tuple[str, ...], parser: NoticeParser | None, out: Output) -> ExitCode:
    """Show what a notice of Amazon says: its kind, orders, buyer, marketplace, language, and how it came.

    MAIL is a mail (.eml), an mbox, a folder, a Maildir (of which only unread mails are read), - for standard input, or a URI as "ingest"
    takes it. Nothing is verified: a forged mail says what it likes. Nothing is recorded or marked; that is what "ingest" does.

    JSON: an object a mail, with file and notice: null if it is none, else an object with kind, order_ids, buyer, marketplace,
    language, form, sent_at, message_id, confidence (0 to 1), evidence (a list of kind, text, source, verified).
    """
    parser = parser or NoticeParser()
    for path in mails:
        for item in read_items(path, out):
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


def read_items(path: str, out: Output) -> Iterator[Item]:
    """The mails of one source. What cannot be read is told, as is a file that is named and is no mail; in a folder there may be others."""
    try:
        names_one = path == "-" or ((place := local_path(path)) is not None and not place.is_dir())
        for item in open_source(path):
            if is_mail(item.raw) or not names_one:
                yield item
            else:
                name = "standard input" if item.name == "-" else item.name
                out.error(f"{name}: {NOT_A_MAIL}")
    except InvalidInput as error:
        out.error(str(error))
    except SourceUnavailable as error:
        out.error(str(error), ExitCode.TRY_AGAIN)
