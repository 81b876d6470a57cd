"""``classify`` and ``check``: messages that have not been sent yet."""

from collections import Counter
from collections.abc import Iterator

import click

from optoutkit.classifier import classify as classify_message
from optoutkit.cli import rendering
from optoutkit.cli.exit_codes import ExitCode
from optoutkit.cli.guarding import no_log, policy_option, topic_option
from optoutkit.cli.inputs import Input, read_drafts
from optoutkit.cli.options import format_option, open_existing_store, reading, seller_option, store_option
from optoutkit.cli.output import Output
from optoutkit.errors import OptOutKitError, StoreUnavailable
from optoutkit.guard import Action, Guard, Policy
from optoutkit.identities import OrderId
from optoutkit.messages import Message

__all__ = ["check", "classify"]


@click.command()
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--text", help="The text of a message, instead of files.")
@click.option("--subject", help="Its subject.")
@format_option
def classify(files: tuple[str, ...], text: str | None, subject: str | None, out: Output) -> ExitCode:
    """Say whether a message is critical to its order, what it is about, and which phrases say so.

    FILE is a mail (.eml), a folder of them, or - for standard input. On a terminal the phrases are highlighted in the text. The exit
    code does not tell the answer; "check" is the command for scripts that ask whether a mail may go.

    JSON: an object a message, with file, critical, solicits, topic, confidence (0 to 1), language, evidence (a list of part, start,
    end, text, weight, label; offsets are characters of the subject or of the text that the buyer sees).
    """
    if bool(files) == (text is not None or subject is not None):
        raise click.UsageError('Give either files (or "-"), or a message with --text and --subject.')
    if not files:
        _show_classification(None, Message(subject or "", text or ""), out)
    for draft, message in _read_messages(files, out):
        _show_classification(draft.name, message, out)
    return out.exit_code


def _show_classification(file: str | None, message: Message, out: Output) -> None:
    found = classify_message(message)
    out.result(
        rendering.classification_record(file, found),
        lambda: rendering.classification_lines(file or "message", message, found, highlight=out.is_terminal),
    )


@click.command()
@click.argument("drafts", metavar="DRAFT...", nargs=-1, required=True)
@click.option("--reply", is_flag=True, help="They answer a message of the buyer on its thread. No header can prove that: it is your word.")
@click.option("--custom-order", is_flag=True, help="They are about a Handmade or Custom order, whose buyers cannot opt out.")
@topic_option
@click.option(
    "--order-id",
    "order_ids",
    metavar="ORDER",
    multiple=True,
    callback=reading(OrderId),
    help="An order they are about, beside those they name.",
)
@policy_option
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even if a draft must not go to somebody.")
@store_option
@seller_option
@format_option
def check(
    drafts: tuple[str, ...],
    *,
    reply: bool,
    custom_order: bool,
    topic: str | None,
    order_ids: tuple[OrderId, ...],
    policy: Policy,
    exit_zero: bool,
    uri: str,
    seller: str,
    out: Output,
) -> ExitCode:
    """Show for each draft, recipient by recipient, whether it may go, and why. Nothing is sent, and nothing is stored.

    DRAFT is a mail (.eml), a folder of them, or - for standard input.

    Policies: "amazon" is Amazon's own practice; "strict" lets only the three critical topics through that Amazon names; "audit"
    decides like "amazon", but lets everything go and only says what it would do.

    JSON: an object a draft, with file, subject, decisions (a list of recipient, action (send, suppress or hold), reason,
    classification, opt_out, explanation, unenforced), guidelines, violations.
    """
    counts = Counter[str]()
    outages = set[str]()
    with open_existing_store(uri) as store:
        guard = Guard(store, seller=seller, policy=policy, hook=no_log)
        for draft, message in _read_messages(drafts, out):
            with guard.declare(topic=topic, reply_to_buyer=reply, custom_order=custom_order, order_ids=order_ids):
                verdict = guard.check(message)
            if not verdict.decisions:
                out.error(f"{draft.name}: it names neither a recipient (To, Cc, Bcc) nor an order: add one, or give --order-id")
                continue
            out.result(
                rendering.verdict_record(draft.name, message.subject, verdict),
                lambda: rendering.verdict_lines(draft.name, message.subject, verdict),  # noqa: B023 - called at once
            )
            counts["drafts"] += 1
            counts.update(decision.action for decision in verdict.decisions)
            if verdict.outage is not None and str(verdict.outage) not in outages:  # said once, not for each draft
                outages.add(str(verdict.outage))
                passes = isinstance(verdict.outage, StoreUnavailable | OSError)  # a damaged store does not heal by waiting
                out.error(str(verdict.outage), ExitCode.TRY_AGAIN if passes else ExitCode.BAD_INPUT)
            if verdict.suppressed and not exit_zero:
                out.codes.add(ExitCode.REFUSED)
    if counts["drafts"]:
        actions = ", ".join(f"{action.value}: {counts[action]}" for action in Action)
        out.lines([(f"drafts: {counts['drafts']}; recipients to {actions}",)])
    return out.exit_code


def _read_messages(paths: tuple[str, ...], out: Output) -> Iterator[tuple[Input, Message]]:
    for draft in read_drafts(paths, out):
        try:
            message = Message.from_email(draft.raw)
        except OptOutKitError as error:
            out.error(f"{draft.name}: {error}")
        else:
            yield draft, message
