"""The part of decision-table.md that tells what becomes of a message, made by guards: ``python docs/decision_table.py`` writes it anew."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import attrs

from optoutkit import SHARED, Address, Classification, Guard, Message, OptOut, OrderId, Policy, Reason, StoreUnavailable, Topic, Verdict
from optoutkit.guard import Action
from optoutkit.ledgers import open_ledger
from optoutkit.stores.memory import MemoryStore

PAGE = Path(__file__).parent / "decision-table.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"

BUYER, SECOND_BUYER = "7yxwc3c8k00p1k3@marketplace.amazon.de", "kr3b15szg6bmv7w@marketplace.amazon.fr"
SUPPLIER, NOBODY = "sales@supplier.example", "undisclosed-recipients:;"
ORDER, EARLIER_ORDER = OrderId("302-1234567-1234567"), OrderId("302-7654321-1234567")
NAMES = {BUYER: "buyer", SECOND_BUYER: "second buyer", SUPPLIER: "supplier"}
NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)

CRITICAL = Classification(critical=True, solicits=False, topic=Topic.SHIPPING_ADDRESS, confidence=0.98, language="en")
OTHER_CRITICAL = attrs.evolve(CRITICAL, topic=Topic.DIGITAL_ACCESS)
UNSURE = Classification(critical=False, solicits=False, topic=Topic.SHIPPING_ADDRESS, confidence=0.51, language="en")
THANKS = Classification(critical=False, solicits=False, topic=Topic.THANK_YOU, confidence=0.97, language="en")
ASKS = Classification(critical=False, solicits=True, topic=Topic.REVIEW_REQUEST, confidence=0.99, language="en")
NO_TEXT = Classification(critical=False, solicits=False, topic=Topic.OTHER, confidence=0.0, language=None)

LISTED = (OptOut(Address(BUYER)),)
NAMED = {"AMAZON": Policy.AMAZON, "STRICT": Policy.STRICT, "AUDIT": Policy.AUDIT}


@attrs.frozen
class Case:
    """A message on its way.

    Attributes:
        words: What is particular about it, for the page.
        text: What the classifier says; None where it fails.
        to: The recipients.
        order_ids: The orders that it names.
        declares: What ``guard.declare`` is told.
        listed: What is on the opt-out list.
        linked: The orders of the buyer that the store knows.
        withdrawn: Whether what is listed was withdrawn again.
        down: Whether the store does not answer.
        breaks: What the checker of guidelines finds; None where it fails.
        requests: What the ledger knows of the order: "sent", "pending", "down", or nothing; None without a ledger.
        mail: A mail, in place of recipients and text.
    """

    words: str
    text: Classification | None = THANKS
    to: Sequence[str] = attrs.field(default=(BUYER,), kw_only=True)
    order_ids: Sequence[OrderId] = attrs.field(default=(ORDER,), kw_only=True)
    declares: Mapping[str, Any] = attrs.field(factory=dict, kw_only=True)
    listed: Sequence[OptOut] = attrs.field(default=(), kw_only=True)
    linked: Sequence[OrderId] = attrs.field(default=(), kw_only=True)
    withdrawn: bool = attrs.field(default=False, kw_only=True)
    down: bool = attrs.field(default=False, kw_only=True)
    breaks: Sequence[str] | None = attrs.field(default=(), kw_only=True)
    requests: str | None = attrs.field(default=None, kw_only=True)
    mail: EmailMessage | None = attrs.field(default=None, kw_only=True)


@attrs.frozen
class Group:
    """Cases that belong together.

    Attributes:
        title: What they are about.
        cases: The cases.
        policies: The policies that are shown beside one another.
        setting: What holds in all of them, for the page.
    """

    title: str
    cases: Sequence[Case]
    policies: Mapping[str, Policy] = attrs.field(factory=lambda: NAMED, kw_only=True)
    setting: str = attrs.field(default="", kw_only=True)


@attrs.frozen
class Broken:
    """A rule of the guidelines that a message breaks."""

    rule: str


def a_mail(**fields: str) -> EmailMessage:
    """A mail with these recipients."""
    mail = EmailMessage()
    mail["Subject"] = f"Your order {ORDER}"
    for name, value in fields.items():
        mail[name] = value
    mail.set_content("Thank you.")
    return mail


GROUPS = (
    Group(
        "What the caller declares",
        (
            Case("a reply", declares={"reply_to_buyer": True}, listed=LISTED),
            Case("a reply; the text solicits", ASKS, declares={"reply_to_buyer": True}, listed=LISTED),
            Case("a reply; the classifier fails", None, declares={"reply_to_buyer": True}, listed=LISTED),
            Case("a Handmade or custom order", declares={"custom_order": True}, listed=LISTED),
            Case("a Handmade or custom order; the text solicits", ASKS, declares={"custom_order": True}, listed=LISTED),
            Case("a critical topic that Amazon names", declares={"topic": "shipping_address"}, listed=LISTED),
            Case("another critical topic", declares={"topic": "digital_access"}, listed=LISTED),
            Case("a critical topic; the text solicits", ASKS, declares={"topic": "shipping_address"}, listed=LISTED),
            Case("a critical topic; the classifier fails", None, declares={"topic": "shipping_address"}, listed=LISTED),
            Case("a topic that is not critical; the text is", CRITICAL, declares={"topic": "invoice"}, listed=LISTED),
            Case("a topic that nobody knows; the text is critical", CRITICAL, declares={"topic": "gift_wrap"}, listed=LISTED),
            Case("a topic that nobody knows", declares={"topic": "gift_wrap"}, listed=LISTED),
            Case(
                "the contact reason *Confirm customization details*",
                declares={"contact_reason": "Confirm customization details"},
                listed=LISTED,
            ),
            Case("the contact reason *Problem with order*", declares={"contact_reason": "Problem with order"}, listed=LISTED),
            Case(
                "the contact reason *Problem with order*; the text solicits",
                ASKS,
                declares={"contact_reason": "Problem with order"},
                listed=LISTED,
            ),
            Case(
                "the contact reason *Ask product review*; the text is critical",
                CRITICAL,
                declares={"contact_reason": "Ask product review"},
                listed=LISTED,
            ),
            Case(
                "a contact reason that nobody knows; the text is critical",
                CRITICAL,
                declares={"contact_reason": "Say hello"},
                listed=LISTED,
            ),
        ),
        setting="The buyer is on the list.",
    ),
    Group(
        "What the text is",
        (
            Case("critical, on a topic that Amazon names", CRITICAL, listed=LISTED),
            Case("critical, on another topic", OTHER_CRITICAL, listed=LISTED),
            Case("the classifier is not sure", UNSURE, listed=LISTED),
            Case("not critical", THANKS, listed=LISTED),
            Case("soliciting, whatever else it says", ASKS, listed=LISTED),
            Case("there is none (a template, an attachment)", NO_TEXT, listed=LISTED),
            Case("the classifier fails", None, listed=LISTED),
            Case("the classifier fails, and the buyer is not on the list", None),
        ),
        setting="Nothing is declared, and the buyer is on the list.",
    ),
    Group(
        "Where the opt-out is found",
        (
            Case("nowhere"),
            Case("at the buyer's address", listed=LISTED),
            Case("at the address, written with a case number", to=(BUYER.replace("@", "+4711@"),), listed=LISTED),
            Case("at the order of the message", listed=(OptOut(ORDER),)),
            Case("at an earlier order, which is linked to the buyer", listed=(OptOut(EARLIER_ORDER),), linked=(EARLIER_ORDER,)),
            Case("at an earlier order, of which no link is known", listed=(OptOut(EARLIER_ORDER),)),
            Case("at the buyer of the order, where the message has no recipient", to=(), listed=LISTED, linked=(ORDER,)),
            Case("in the list that holds for all sellers", listed=(OptOut(Address(BUYER), SHARED),)),
            Case("in the list of another seller", listed=(OptOut(Address(BUYER), "another"),)),
            Case("expired", listed=(OptOut(Address(BUYER), expires_at=NOW),)),
            Case("withdrawn", listed=LISTED, withdrawn=True),
            *(Case(f"for the reason `{reason.value}`", listed=(OptOut(Address(BUYER), reason=reason),)) for reason in Reason),
        ),
        setting="The message is not critical.",
    ),
    Group(
        "`block_always`",
        (
            *(
                Case(f"critical, listed for `{reason.value}`", CRITICAL, listed=(OptOut(Address(BUYER), reason=reason),))
                for reason in Reason
            ),
            Case(
                "critical by the caller's word, listed for `complaint`",
                declares={"topic": "shipping_address"},
                listed=(OptOut(Address(BUYER), reason=Reason.COMPLAINT),),
            ),
            Case("critical, the order listed for `complaint`", CRITICAL, listed=(OptOut(ORDER, reason=Reason.COMPLAINT),)),
            Case(
                "a reply, listed for `complaint`",
                declares={"reply_to_buyer": True},
                listed=(OptOut(Address(BUYER), reason=Reason.COMPLAINT),),
            ),
            Case("critical, and the store is down", CRITICAL, down=True),
        ),
        policies={
            "AMAZON": Policy.AMAZON,
            "… with `block_always={COMPLAINT}`": attrs.evolve(Policy.AMAZON, block_always={Reason.COMPLAINT}),
            "… with all reasons": attrs.evolve(Policy.AMAZON, block_always=frozenset(Reason)),
        },
    ),
    Group(
        "While the store does not answer",
        (
            Case("not critical, to a buyer", down=True),
            Case("critical, to a buyer", CRITICAL, down=True),
            Case("critical on another topic than Amazon names, to a buyer", OTHER_CRITICAL, down=True),
            Case("a critical topic is declared", declares={"topic": "shipping_address"}, down=True),
            Case("a reply", declares={"reply_to_buyer": True}, down=True),
            Case("a custom order", declares={"custom_order": True}, down=True),
            Case("the classifier fails", None, down=True),
            Case("not critical, to a supplier", to=(SUPPLIER,), down=True),
            Case("not critical, to both", to=(BUYER, SUPPLIER), down=True),
            Case("not critical, about an order without recipient", to=(), down=True),
        ),
    ),
    Group(
        "Whom it is for",
        (
            Case("a buyer and a supplier, the buyer on the list", to=(BUYER, SUPPLIER), listed=LISTED),
            Case("two buyers, one on the list", to=(SECOND_BUYER, BUYER), order_ids=(), listed=LISTED),
            Case("To the supplier, Cc the buyer, who is on the list", mail=a_mail(To=SUPPLIER, Cc=BUYER), listed=LISTED),
            Case("To the supplier, Bcc the buyer, who is on the list", mail=a_mail(To=SUPPLIER, Bcc=BUYER), listed=LISTED),
            Case("To two buyers, the order of one on the list", mail=a_mail(To=f"{BUYER}, {SECOND_BUYER}"), listed=(OptOut(ORDER),)),
            Case("a supplier, who is on the list", to=(SUPPLIER,), listed=(OptOut(Address(SUPPLIER), reason=Reason.MANUAL),)),
            Case("a supplier, about an order that is on the list", to=(SUPPLIER,), listed=(OptOut(ORDER),)),
            Case(
                "To a group: the buyer, who is on the list, and a supplier", mail=a_mail(To=f"Friends: {BUYER}, {SUPPLIER};"), listed=LISTED
            ),
            Case("a group of nobody", to=(NOBODY,), listed=(OptOut(ORDER),)),
            Case("what is no address", to=("nobody",), listed=(OptOut(ORDER),)),
            Case("an order on the list, without recipient", to=(), listed=(OptOut(ORDER),)),
            Case("nobody, about nothing", to=(), order_ids=()),
        ),
        setting="The message is not critical.",
    ),
    Group(
        "Amazon's guidelines",
        (
            Case("keeps them"),
            Case("breaks one", breaks=("emoji",)),
            Case("breaks one, and the buyer is on the list", breaks=("emoji",), listed=LISTED),
            Case("breaks one, and is critical", CRITICAL, breaks=("emoji",)),
            Case("breaks one, and is a reply", breaks=("emoji",), declares={"reply_to_buyer": True}),
            Case("breaks one, to a supplier", to=(SUPPLIER,), breaks=("emoji",)),
            Case("the checker fails", breaks=None),
        ),
        policies={
            "AMAZON": Policy.AMAZON,
            '… with `guidelines="report"`': attrs.evolve(Policy.AMAZON, guidelines="report"),
            "STRICT": Policy.STRICT,
            "AUDIT": Policy.AUDIT,
        },
    ),
    Group(
        "One request an order",
        (
            Case("the first request", ASKS, requests=""),
            Case("a request was sent before", ASKS, requests="sent"),
            Case("a request was sent before; this one is about a custom order", ASKS, requests="sent", declares={"custom_order": True}),
            Case(
                "a request was sent before; this one has the topic declared",
                THANKS,
                requests="sent",
                declares={"topic": "feedback_request"},
            ),
            Case("a request was sent before; this is none", THANKS, requests="sent"),
            Case("a request was sent before; this is critical", CRITICAL, requests="sent"),
            Case("a request was sent before; this is a reply that solicits", ASKS, requests="sent", declares={"reply_to_buyer": True}),
            Case("a request was sent before, and the buyer is on the list", ASKS, requests="sent", listed=LISTED),
            Case("a request was sent before; this one names no order", ASKS, requests="sent", order_ids=()),
            Case("a request was sent before; this one has no recipient, but the order", ASKS, requests="sent", to=()),
            Case("another one is being sent", ASKS, requests="pending"),
            Case("another one is being sent; this is to the buyer and a supplier", ASKS, requests="pending", to=(BUYER, SUPPLIER)),
            Case("the ledger does not answer", ASKS, requests="down"),
            Case("the ledger does not answer; this is no request", THANKS, requests="down"),
        ),
        setting="The guard has a ledger.",
    ),
)


class Down:
    """A store or a ledger that does not answer."""

    def lookup(self, *_asked: object, **_options: object) -> Any:
        """Fail."""
        raise StoreUnavailable("no answer")


def verdict(case: Case, policy: Policy) -> Verdict:
    """What a guard makes of a case."""

    def classify(_message: Message) -> Classification:
        if case.text is None:
            raise RuntimeError("the classifier fails")
        return case.text

    def check_guidelines(_message: Message) -> list[Broken]:
        if case.breaks is None:
            raise RuntimeError("the checker fails")
        return [Broken(rule) for rule in case.breaks]

    store = MemoryStore(clock=lambda: NOW)
    store.record(case.listed)
    store.link([(order_id, Address(BUYER)) for order_id in case.linked])
    if case.withdrawn:
        store.withdraw([entry.identity for entry in case.listed])
    there: Any = Down() if case.down else store
    guard = Guard(
        there, policy=policy, classify=classify, check_guidelines=check_guidelines, ledger=a_ledger(case.requests), hook=lambda _event: None
    )
    message = case.mail or Message("Subject", "Body", to=case.to, order_ids=case.order_ids)
    with guard.declare(**case.declares):
        return guard.check(message)


def a_ledger(requests: str | None) -> Any:
    """A ledger that knows this of the order."""
    if requests is None:
        return None
    if requests == "down":
        return Down()
    ledger = open_ledger("memory://")
    if requests:
        reservation = ledger.reserve([ORDER])
        if requests == "sent":
            ledger.confirm(reservation)
    return ledger


def outcome(found: Verdict) -> str:
    """A verdict in a few words."""
    told = []
    for decision in found.decisions:
        action = decision.action.value if decision.unenforced in (None, Action.SEND) else f"send (would {decision.unenforced.value})"
        name = NAMES.get(decision.recipient, "buyer")
        told.append((name, f"{action} `{decision.reason.value}`"))
    if len(told) == 1:
        return told[0][1]
    return "<br>".join(f"{name}: {what}" for name, what in told) or "left to the sender"


def table() -> str:
    """All of it."""
    return "\n".join(line for group in GROUPS for line in lines(group))


def lines(group: Group) -> Iterator[str]:
    """A group as it stands on the page."""
    yield f"## {group.title}\n"
    if group.setting:
        yield f"{group.setting}\n"
    yield f"| case | {' | '.join(group.policies)} |"
    yield "|---" * (len(group.policies) + 1) + "|"
    for case in group.cases:
        cells = (outcome(verdict(case, policy)) for policy in group.policies.values())
        yield f"| {case.words} | {' | '.join(cells)} |"
    yield ""


if __name__ == "__main__":
    import logging

    logging.disable()  # it tells of classifiers that fail
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
