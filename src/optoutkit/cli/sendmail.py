"""``sendmail``: a drop-in for sendmail(8) in front of a mail server, for mail that does not leave through Python."""

import getpass
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

import attrs
import click
from click.core import ParameterSource

from optoutkit.cli.guarding import no_log, policy_option, topic_option
from optoutkit.cli.options import open_existing_store, seller_option, store_option
from optoutkit.cli.output import Output
from optoutkit.cli.relays import MARK, ProgramRelay, Refusal, Relay, ServerRelay
from optoutkit.cli.submissions import completed, header_recipients, read_addresses, read_mail_from, without_bcc
from optoutkit.cli.sysexits import Failed, SysExit
from optoutkit.errors import Held, InvalidInput, InvalidMessage, MessageTooLarge, MissingExtra, StoreError
from optoutkit.guard import Action, Delivery, Guard, Policy, enveloped
from optoutkit.senders.proxies import allowed

__all__ = ["sendmail"]

F = TypeVar("F", bound=Callable[..., Any])

_SMTP_PORT, _LMTP_PORT, _LAST_PORT = 25, 24, 65_535
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]/\s]+)(?::([0-9]{1,5}))?")
_NOT_WRITABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # a line end would begin a command, or a header field, of its own
_LONGEST = 64 * 2**20


class _Command(click.Command):
    """Tells wrong usage by the code that the callers of sendmail(8) know."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the command line."""
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            Output("text").error(error.format_message())
            raise click.exceptions.Exit(SysExit.USAGE) from None


@attrs.frozen(kw_only=True)
class _Call:
    """What the command line says."""

    recipients: tuple[str, ...]
    from_header: bool
    ignores_dots: bool
    sender: str | None
    full_name: str | None
    options: tuple[str, ...]
    body: str | None
    notify: str | None
    returned: str | None
    envelope_id: str | None
    smtp: str | None
    lmtp: str | None
    through: str | None
    topic: str | None
    policy: Policy
    reports: bool
    uri: str
    seller: str

    @property
    def envelope_sender(self) -> str:
        """The envelope sender; empty for the null sender."""
        if self.sender is None:
            return _this_user()
        return self.sender.strip().removeprefix("<").removesuffix(">")

    @property
    def for_program(self) -> tuple[str, ...]:
        """The options that another sendmail is given as well."""
        options = (("-F", self.full_name), ("-B", self.body), ("-N", self.notify), ("-R", self.returned), ("-V", self.envelope_id))
        return tuple(text for name, value in options if value is not None for text in (name, value))


def _mode(_ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value not in (None, "m"):
        raise click.BadParameter(f"-b{value}: a mail is taken from standard input (-bm), and nothing else is done here.", param=param)


def _ignored(*names: str, **attributes: Any) -> Callable[[F], F]:
    return click.option(*names, expose_value=False, hidden=True, **attributes)


@click.command(cls=_Command, context_settings={"help_option_names": ["--help"]})  # sendmail(8) has another -h
@click.argument("recipients", metavar="[RECIPIENT]...", nargs=-1)
@click.option("-t", "from_header", is_flag=True, help="Send to the recipients that To, Cc and Bcc name, beside those given here.")
@click.option("-i", "ignores_dots", is_flag=True, help="A line with nothing but a dot does not end the mail; also -oi.")
@click.option("-f", "-r", "sender", metavar="ADDRESS", help="The envelope sender.  [default: this user at this machine]")
@click.option("-F", "full_name", metavar="NAME", help="The author's name, where the mail has no From field.")
@click.option("-o", "options", metavar="OPTION", multiple=True, help="Such as -oi; all others are ignored.")
@click.option("-b", "mode", metavar="MODE", callback=_mode, expose_value=False, help="-bm, the default, is all there is.")
@click.option("-B", "body", metavar="TYPE", help="For --through; otherwise seen from the mail.")
@click.option("-N", "notify", metavar="WHEN", help="For --through.")
@click.option("-R", "returned", metavar="WHAT", help="For --through.")
@click.option("-V", "envelope_id", metavar="ID", help="For --through.")
@_ignored("-v", "-n", "-m", "-G", "-U", is_flag=True)
@_ignored("-A", "-C", "-h", "-L", "-O", "-X", "-e", "-p", multiple=True)
@click.option("--smtp", metavar="HOST[:PORT]", envvar="OPTOUTKIT_SMTP", show_envvar=True, help="The mail server that takes the mail.")
@click.option(
    "--lmtp", metavar="HOST[:PORT]", envvar="OPTOUTKIT_LMTP", show_envvar=True, help="The same by LMTP; with a / in it, a Unix socket."
)
@click.option("--through", metavar="PROGRAM", envvar="OPTOUTKIT_THROUGH", show_envvar=True, help="Another sendmail(8) that takes the mail.")
@topic_option
@policy_option
@click.option("--report-suppressed", "reports", is_flag=True, help="Exit with 77 if a recipient was suppressed. The others get the mail.")
@store_option
@seller_option
@click.pass_context
def sendmail(ctx: click.Context, /, **given: Any) -> int:
    """Send the mail on standard input, in place of the usual sendmail, to those of its recipients whom it may go to.

    It goes on at once to a mail server or to another sendmail(8): name one of --smtp, --lmtp and --through. Nothing is queued here, and a
    Bcc field never goes along. Options of sendmail(8) that are not below are ignored, or refused where they ask for something else.

    Exit codes are those of sysexits: 0 the mail has been taken over, or all of its recipients are suppressed; 64 wrong usage; 65 the
    mail cannot be read; 67, 68, 69, 77 the relay refuses it; 75 nothing has been sent, try again later; 78 wrong settings.
    """
    call, out = _Call(**given), Output("text")
    try:
        return _send(call, _relay(ctx, call), out)
    except Failed as error:
        code = error.code
        out.error(str(error))
    except Held as error:
        code = SysExit.TEMPORARY
        out.error(str(error))
    except (InvalidMessage, MessageTooLarge) as error:
        code = SysExit.DATA_ERROR
        out.error(str(error))
    except (InvalidInput, MissingExtra) as error:
        code = SysExit.CONFIG
        out.error(str(error))
    except OSError as error:
        code = SysExit.TEMPORARY
        out.error(f"the mail cannot be read: {error.strerror}")
    return code


def _send(call: _Call, relay: Relay, out: Output) -> int:
    with click.open_file("-", "rb") as stdin:
        raw = read_mail_from(stdin, dot_ends=not (call.ignores_dots or "i" in call.options), longest=_LONGEST)
    sender = call.envelope_sender
    _check_writable(sender, call.full_name or "", *call.recipients)
    recipients = [address for given in call.recipients for address in read_addresses(given, "a recipient")]
    recipients = list(dict.fromkeys([*recipients, *(header_recipients(raw) if call.from_header else ())]))
    if not recipients:
        raise Failed(SysExit.USAGE, "there is no recipient: name one, or have them taken from the mail with -t")
    _check_writable(*recipients)
    raw = without_bcc(raw)
    if not relay.completes:
        raw = completed(raw, sender=sender, full_name=call.full_name or "", now=datetime.now(UTC))
    with _store(call.uri) as store:
        guard = Guard(store, seller=call.seller, policy=call.policy, hook=no_log)
        with guard.declare(topic=call.topic):
            delivery = guard.deliver(enveloped(raw, recipients), lambda verdict: relay.send(sender, allowed(recipients, verdict), raw))
    return _told(delivery, out, reports=call.reports)


def _check_writable(*texts: str) -> None:
    if any(map(_NOT_WRITABLE.search, texts)):
        raise Failed(SysExit.DATA_ERROR, "there is a control character in an address or a name, or one that is no UTF-8")


def _told(delivery: Delivery[list[Refusal]], out: Output, *, reports: bool) -> int:
    """Tell of those who do not get the mail; recipients by their number, as standard error often ends in a log."""
    decisions = delivery.verdict.decisions
    for number, decision in enumerate(decisions, 1):
        if decision.action is Action.SUPPRESS:
            out.note(f"not sent to recipient {number} of {len(decisions)}. {decision.explanation}")
    refusals = delivery.answer or []
    for refusal in refusals:
        out.error(f"the relay refused a recipient: {refusal.text}")
    codes = [refusal.code for refusal in refusals]
    if SysExit.TEMPORARY in codes:
        return SysExit.TEMPORARY
    if reports and delivery.verdict.suppressed:
        codes.append(SysExit.NO_PERMISSION)
    return codes[0] if codes else SysExit.OK


class _NoAnswer:
    """Stands for a store that could not even be opened: critical mail must go all the same."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def lookup(self, *_args: Any, **_kwargs: Any) -> Any:
        raise self._error

    link = lookup


@contextmanager
def _store(uri: str) -> Iterator[Any]:
    try:
        store = open_existing_store(uri)
    except (StoreError, OSError) as error:
        yield _NoAnswer(error)
        return
    try:
        yield store
    finally:
        with suppress(StoreError, OSError):  # the mail has gone
            store.close()


def _relay(ctx: click.Context, call: _Call) -> Relay:
    given = {name: getattr(call, name) for name in ("smtp", "lmtp", "through") if getattr(call, name) is not None}
    here = {name: at for name, at in given.items() if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    chosen = here or given  # the command line goes before the environment
    if len(chosen) != 1:
        raise Failed(SysExit.CONFIG, "name the one place where mail goes from here: --smtp HOST, --lmtp HOST or --through PROGRAM")
    ((name, at),) = chosen.items()
    if name == "through":
        if MARK in os.environ:
            raise Failed(SysExit.CONFIG, "--through leads back to this program: name the mail server's own sendmail")
        return ProgramRelay(at, call.for_program)
    if name == "lmtp" and "/" in at:
        return ServerRelay(at, 0, lmtp=True)
    place = _PLACE.fullmatch(at)
    port = int(place[2] or (_LMTP_PORT if name == "lmtp" else _SMTP_PORT)) if place else 0
    if place is None or not 0 < port <= _LAST_PORT:
        raise Failed(SysExit.CONFIG, f"--{name}: not a mail server, such as localhost or localhost:{_SMTP_PORT}: {at!r}")
    return ServerRelay(place[1].strip("[]"), port, lmtp=name == "lmtp")


def _this_user() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user may have no name
        user = "nobody"
    return f"{user}@{socket.gethostname()}"
