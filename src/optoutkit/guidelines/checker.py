"""The check of a message: all rules, one after another."""

from collections.abc import Iterable, Iterator
from email.message import Message as StandardMessage

from optoutkit.guidelines.attachments import check_attachments
from optoutkit.guidelines.contacts import check_addresses, check_phones
from optoutkit.guidelines.links import check_links, check_logo_names, check_opt_out_words
from optoutkit.guidelines.orders import check_language, check_order_id
from optoutkit.guidelines.pictures import check_emoji, check_pictures
from optoutkit.guidelines.purposes import check_purpose
from optoutkit.guidelines.sources import Found, Reading
from optoutkit.guidelines.styling import check_line_breaks, check_styling
from optoutkit.guidelines.values import Violation, known_rules, rules
from optoutkit.guidelines.wording import check_wording
from optoutkit.messages import Message

__all__ = ["check_guidelines"]

_CHECKS = (
    check_opt_out_words,
    check_logo_names,
    check_addresses,
    check_wording,
    check_purpose,
    check_emoji,
    check_pictures,
    check_line_breaks,
    check_styling,
    check_attachments,
    check_order_id,
)
_PARTS = ("subject", "body", "html", "")


def check_guidelines(
    message: Message | StandardMessage | bytes | str,
    *,
    skip: Iterable[str] = (),
    allowed_domains: Iterable[str] = (),
    order_language: str | None = None,
) -> tuple[Violation, ...]:
    """Find what breaks Amazon's communication guidelines in a message or a template.

    Only what a program can see in a message is looked for: ``docs/guidelines.md`` has all rules, and what is not checked. Placeholders of
    templates (``{{name}}``, ``{order_id}``, ``%s``, ``[[buyer]]``) break no rule. Mails that are quoted are passed over. The time is
    linear in the length of the message.

    Args:
        message: A message; a mail, raw or as an object of the standard library; or a str, which is a body without a subject.
        skip: IDs of rules that are not wanted.
        allowed_domains: Where links may lead, such as ``"shop.example"``, which includes what is below it. Links to Amazon, and those
            that help with a delivery, a warranty or the use of what was bought, are fine in any case.
        order_language: ISO 639-1 code of the buyer's language. Without it the languages of the store count whose alias the message
            goes to, and without such a recipient the language is not looked at.

    Returns:
        Violations in the order of the sources: subject, body, HTML, then what concerns the message as a whole. Rules that could not be
        checked come last, each once, with ``checked`` False.

    Raises:
        ValueError: ``skip`` names a rule that there is not.
        InvalidMessage: It is no message.
        MessageTooLarge: The mail is beyond the limits of :func:`optoutkit.text.mime.read_mail`.

    Example:
        >>> message = Message("Order 302-1234567-7654321", "Please send us a picture of the damage. 😊")
        >>> [(violation.rule, violation.part, violation.start) for violation in check_guidelines(message)]
        [('emoji', 'body', 40)]
        >>> check_guidelines(message, skip=["emoji"])
        ()
    """
    unwanted = known_rules(skip)
    if isinstance(message, str):
        message = Message("", message)
    elif not isinstance(message, Message):
        message = Message.from_email(message)
    reading = Reading(message)
    domains = tuple(
        domain.strip().lower().strip(".") for domain in ([allowed_domains] if isinstance(allowed_domains, str) else allowed_domains)
    )
    found = [one for one in _find(reading, domains, order_language, skip=unwanted) if one.rule not in unwanted]
    if message.reply_to_buyer:
        found = [one for one in found if rules()[one.rule].replies]
    order = {rule: number for number, rule in enumerate(rules())}
    found.sort(key=lambda one: (bool(one.why_unchecked), _PARTS.index(one.part), one.start, order[one.rule], one.end))
    return tuple(_violation(one) for one in dict.fromkeys(found))


def _find(reading: Reading, domains: tuple[str, ...], order_language: str | None, *, skip: frozenset[str]) -> Iterator[Found]:
    for check in _CHECKS:
        yield from check(reading)
    yield from check_links(reading, domains)
    yield from check_language(reading, order_language)
    if "phone_number" not in skip:  # the one that takes long
        yield from check_phones(reading)


def _violation(found: Found) -> Violation:
    return Violation(
        rule=found.rule,
        explanation=found.why_unchecked or rules()[found.rule].explanation,
        part=found.part,
        start=found.start,
        end=found.end,
        text=found.text,
        checked=not found.why_unchecked,
    )
