"""The rules in their order: a table of what becomes of a message, and what holds in every case of it."""

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from optoutkit.classifier import Classifier, Topic
from optoutkit.errors import StoreClosed, StoreUnavailable
from optoutkit.guard import Action, Decision, DecisionReason, Guard, Guidelines, Policy
from optoutkit.guidelines import Violation
from optoutkit.identities import Address, Digest, OrderId
from optoutkit.messages import Message
from optoutkit.optouts import SHARED, OptOut, Reason

BUYER = Address("abc123@marketplace.amazon.de")
SUPPLIER = Address("sales@supplier.example")
ORDER, OTHER_ORDER = OrderId("302-1234567-1234567"), OrderId("302-7654321-7654321")

TO: dict[str, tuple[str, ...]] = {
    "buyer": (str(BUYER),),
    "supplier": (str(SUPPLIER),),
    "unreadable": ("undisclosed recipients",),
    "order": (),
}
SAID: dict[str, dict[str, Any]] = {
    "nothing": {},
    "reply": {"reply_to_buyer": True},
    "custom": {"custom_order": True},
    "address": {"topic": "shipping_address"},
    "key": {"topic": "digital_access"},
    "review": {"topic": "review_request"},
    "unheard-of": {"topic": "unheard_of"},
}
TEXT: dict[str, dict[str, Any] | None] = {
    "address": {"topic": "shipping_address", "critical": True},
    "key": {"topic": "digital_access", "critical": True},
    "thanks": {"topic": "thank_you"},
    "solicits": {"topic": "review_request", "solicits": True},
    "fails": None,
}
LISTS = ("empty", "own", "order", "linked", "down")

# to / said / text / list, then what AMAZON and STRICT make of it.
TABLE = """
buyer       nothing     address   own     send critical              send critical
buyer       nothing     address   down    send critical              send critical
buyer       nothing     key       own     send critical              suppress opted_out
buyer       nothing     key       down    send critical              hold store_unavailable
buyer       nothing     thanks    empty   send not_opted_out         send not_opted_out
buyer       nothing     thanks    own     suppress opted_out         suppress opted_out
buyer       nothing     thanks    order   suppress opted_out         suppress opted_out
buyer       nothing     thanks    linked  suppress opted_out         suppress opted_out
buyer       nothing     thanks    down    hold store_unavailable     hold store_unavailable
buyer       nothing     solicits  own     suppress opted_out         suppress opted_out
buyer       nothing     fails     empty   send not_opted_out         send not_opted_out
buyer       nothing     fails     own     suppress opted_out         suppress opted_out
buyer       nothing     fails     down    hold store_unavailable     hold store_unavailable
buyer       reply       thanks    own     send declared_reply        send declared_reply
buyer       reply       thanks    down    send declared_reply        send declared_reply
buyer       reply       fails     own     send declared_reply        send declared_reply
buyer       reply       solicits  own     send declared_reply        suppress opted_out
buyer       reply       solicits  empty   send declared_reply        send not_opted_out
buyer       reply       solicits  down    send declared_reply        hold store_unavailable
buyer       custom      thanks    own     send custom_order          send custom_order
buyer       custom      solicits  down    send custom_order          send custom_order
buyer       address     thanks    own     send declared_critical     send declared_critical
buyer       address     fails     down    send declared_critical     send declared_critical
buyer       address     solicits  own     suppress opted_out         suppress opted_out
buyer       address     solicits  down    hold store_unavailable     hold store_unavailable
buyer       key         thanks    own     send declared_critical     suppress opted_out
buyer       key         fails     own     send declared_critical     suppress opted_out
buyer       review      address   own     suppress opted_out         suppress opted_out
buyer       review      address   down    hold store_unavailable     hold store_unavailable
buyer       review      address   empty   send not_opted_out         send not_opted_out
buyer       unheard-of  address   own     send critical              suppress opted_out
buyer       unheard-of  thanks    own     suppress opted_out         suppress opted_out
supplier    nothing     thanks    empty   send not_opted_out         send not_opted_out
supplier    nothing     thanks    own     suppress opted_out         suppress opted_out
supplier    nothing     thanks    order   send not_opted_out         send not_opted_out
supplier    nothing     thanks    linked  send not_opted_out         send not_opted_out
supplier    nothing     thanks    down    send store_unavailable     send store_unavailable
supplier    nothing     address   own     send critical              send critical
supplier    reply       thanks    own     send declared_reply        send declared_reply
unreadable  nothing     thanks    order   send unreadable_address    send unreadable_address
unreadable  nothing     thanks    down    send unreadable_address    send unreadable_address
unreadable  nothing     address   down    send critical              send critical
order       nothing     thanks    empty   send not_opted_out         send not_opted_out
order       nothing     thanks    order   suppress opted_out         suppress opted_out
order       nothing     thanks    linked  suppress opted_out         suppress opted_out
order       nothing     thanks    own     send not_opted_out         send not_opted_out
order       nothing     thanks    down    hold store_unavailable     hold store_unavailable
order       nothing     address   down    send critical              send critical
order       custom      solicits  order   send custom_order          send custom_order
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]


@pytest.fixture
def decided(store: Any, saying: Any, failing: Any) -> Callable[..., Decision]:
    """Decide one case of the table."""

    def decide(to: str, said: str, text: str, listed: str, policy: Policy) -> Decision:
        fill(store, to, listed)
        says = TEXT[text]
        classify = saying(**says) if says else failing
        guard = Guard(store, policy=policy, classify=classify, check_guidelines=lambda _message: (), hook=lambda _event: None)
        (decision,) = guard.check(Message("Subject", "Body", to=TO[to], order_ids=ORDER, **SAID[said])).decisions
        assert decision.recipient == (TO[to][0] if TO[to] else str(ORDER))
        return decision

    return decide


def fill(store: Any, to: str, listed: str) -> None:
    """Bring the store into a state of the table."""
    address = BUYER if to != "supplier" else SUPPLIER
    if listed == "own":
        store.record([OptOut(address)])
    elif listed == "order":
        store.record([OptOut(ORDER)])
    elif listed == "linked":
        store.record([OptOut(OTHER_ORDER)])
        store.link([(OTHER_ORDER, address), *([(ORDER, address)] if to == "order" else [])])
    elif listed == "down":
        store.down = StoreUnavailable("the database is locked")


@pytest.mark.parametrize("row", ROWS, ids=["-".join(row[:4]) for row in ROWS])
def test_each_row_of_the_table_holds(decided: Any, row: list[str]) -> None:
    """The table above says what becomes of a message, and why."""
    case, expected = row[:4], row[4:]
    outcomes = [decided(*case, policy) for policy in (Policy.AMAZON, Policy.STRICT)]
    assert [word for decision in outcomes for word in (decision.action, decision.reason)] == expected


CASES = list(itertools.product(TO, SAID, TEXT, LISTS))


@pytest.mark.parametrize("case", CASES, ids=map("-".join, CASES))
def test_what_holds_in_every_case(decided: Any, store: Any, case: tuple[str, ...]) -> None:
    """The promises of the policies, over all combinations of recipient, word, text and list."""
    to, said, text, listed = case
    amazon = decided(*case, Policy.AMAZON)
    looked_up = bool(store.lookups)
    strict, audit = decided(*case, Policy.STRICT), decided(*case, Policy.AUDIT)
    if said in ("reply", "custom") or (text in ("address", "key") and said != "review"):
        assert amazon.action is Action.SEND, "an exempt or critical message is never held back"
        assert not looked_up, "and asks nothing of the store, so that an outage cannot touch it"
    if text == "solicits" or said == "review":
        assert amazon.reason not in (DecisionReason.CRITICAL, DecisionReason.DECLARED_CRITICAL)
    if amazon.action is Action.SUPPRESS:
        assert amazon.opt_out is not None, "nobody is suppressed without an entry"
        assert to != "supplier" or amazon.opt_out.identity == SUPPLIER, "elsewhere only by an entry for that very address"
    assert amazon.action is not Action.HOLD or (listed == "down" and to in ("buyer", "order")), "only an outage holds, and only buyers"
    assert amazon.action is Action.SEND or strict.action is not Action.SEND, "STRICT lets nothing go that AMAZON does not"
    assert (audit.action, audit.unenforced, audit.reason) == (Action.SEND, amazon.action, amazon.reason)
    assert amazon.unenforced is None
    for decision in (amazon, strict, audit):
        assert decision.explanation.endswith(".")
        assert "@" not in decision.explanation
        assert str(ORDER) not in decision.explanation


def test_all_recipients_and_orders_are_looked_up_in_one_batch(store: Any, saying: Any) -> None:
    """One lookup, each identity once, whatever the number of recipients; the answers go to their recipients in order."""
    second = Address("def456@marketplace.amazon.fr")
    store.record([OptOut(second)])
    guard = Guard(store, classify=saying("thank_you"))
    to = [str(second), "Sales <sales@supplier.example>", "nobody", "ABC123+7f0e@marketplace.amazon.de", str(BUYER)]
    verdict = guard.check(Message("s", "b", to=to, order_ids=[ORDER]))
    assert store.lookups == [(second, SUPPLIER, BUYER, ORDER)]
    assert [decision.recipient for decision in verdict.decisions] == to
    assert [decision.action for decision in verdict.decisions] == ["suppress", "send", "send", "send", "send"]


def test_a_declared_critical_topic_never_touches_the_store(store: Any, saying: Any) -> None:
    """Neither to decide, by whatever verb, nor before the send; only then is it told whose order it is, if the policy wants it."""
    message = Message("s", "b", to=str(BUYER), order_ids=ORDER, topic="shipping_address")
    store.down = AssertionError("asked")
    for learns in (False, True):
        told: list[Any] = []
        guard = Guard(store, policy=Policy(learn_links=learns), classify=saying("other"), hook=told.append)
        assert guard.check(message).sends
        assert guard.check_many([message] * 2)[1].sends
        guard.deliver(message, lambda verdict, told=told: told.append(verdict.outage))  # type: ignore[misc]
        assert told.pop(4) is None, "sent before the store was told anything"
        assert len(told) - 4 == learns, "the link that failed"
    assert store.lookups == []


def test_a_message_for_nobody_has_no_decision(store: Any, saying: Any) -> None:
    """Neither recipient nor order: nothing to decide, and nothing to ask the store."""
    verdict = Guard(store, classify=saying("thank_you")).check(Message("s", "b"))
    assert verdict.decisions == ()
    assert verdict.sends
    assert store.lookups == []


def test_each_order_without_recipient_answers_for_itself(store: Any, saying: Any) -> None:
    """Of two orders without a recipient, only the one that is opted out is suppressed."""
    store.record([OptOut(OTHER_ORDER)])
    verdict = Guard(store, classify=saying("thank_you")).check(Message("s", "b", order_ids=[ORDER, OTHER_ORDER]))
    assert [(decision.recipient, decision.action) for decision in verdict.decisions] == [
        (str(ORDER), Action.SEND),
        (str(OTHER_ORDER), Action.SUPPRESS),
    ]


def test_lists_are_the_sellers_own_and_the_shared_one(store: Any, saying: Any) -> None:
    """A guard asks for its own seller; another seller's entry means nothing to it, a shared one does."""
    message = Message("s", "b", to=str(BUYER))
    store.record([OptOut(BUYER, "other")])
    guard = Guard(store, seller="mine", classify=saying("thank_you"))
    assert (guard.seller, guard.policy) == ("mine", Policy.AMAZON)
    assert guard.check(message).decisions[0].action is Action.SEND
    store.record([OptOut(BUYER, SHARED)])
    assert guard.check(message).decisions[0].action is Action.SUPPRESS


def test_the_recipients_own_entry_is_the_one_reported(store: Any, saying: Any) -> None:
    """Where both the buyer and the order are listed, the decision names the buyer's entry."""
    store.record([OptOut(ORDER), OptOut(BUYER, reason=Reason.MANUAL)])
    decision = Guard(store, classify=saying("thank_you")).check(Message("s", "b", to=str(BUYER), order_ids=ORDER)).decisions[0]
    assert decision.opt_out is not None
    assert decision.opt_out.identity == BUYER


def test_a_store_of_digests_can_name_a_supplier(store: Any, saying: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that is only a digest of an address counts as an entry for the address that was asked about; that of an order does not."""
    for kind, action in (("address", Action.SUPPRESS), ("order", Action.SEND)):
        found = {SUPPLIER: OptOut(Digest(kind, "2026", bytes(16)))}  # type: ignore[arg-type]
        monkeypatch.setattr(store, "lookup", lambda *_args, found=found, **_kwargs: found)
        guard = Guard(store, classify=saying("thank_you"))
        assert guard.check(Message("s", "b", to=str(SUPPLIER))).decisions[0].action is action


@pytest.mark.parametrize("answer", [None, [], {BUYER: "on the list"}])
def test_an_answer_of_a_store_that_is_none_is_an_outage(store: Any, saying: Any, monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    """A store may be somebody else's."""
    monkeypatch.setattr(store, "lookup", lambda *_args, **_kwargs: answer)
    verdict = Guard(store, classify=saying("thank_you")).check(Message("s", "b", to=str(BUYER)))
    assert verdict.held
    assert isinstance(verdict.outage, TypeError)


@pytest.mark.parametrize("answer", [None, True, "shipping_address"])
def test_an_answer_of_a_classifier_that_is_none_counts_as_a_failure(store: Any, answer: Any) -> None:
    """So the message is not critical, and the failure is nobody's exception."""
    store.record([OptOut(BUYER)])
    decision = Guard(store, classify=lambda _message: answer).check(Message("s", "b", to=str(BUYER))).decisions[0]
    assert (decision.action, decision.classification) == (Action.SUPPRESS, None)


@pytest.mark.parametrize("error", [StoreUnavailable("locked"), StoreClosed("closed"), TimeoutError(), KeyError("a bug of the store's")])
def test_whatever_keeps_the_store_from_answering_is_an_outage(store: Any, saying: Any, error: Exception) -> None:
    """The store's own errors, those of a socket that a backend lets through, and its bugs: none comes out of the guard."""
    store.down = error
    told: list[Any] = []
    verdict = Guard(store, classify=saying("thank_you"), hook=told.append).check(Message("s", "b", to=str(BUYER)))
    assert verdict.held
    assert verdict.outage is error
    assert told[0].verdict.outage is error


def test_block_always_withholds_even_critical_mail(store: Any, saying: Any) -> None:
    """Only for the reasons it names, by the buyer's entry or the order's; an outage does not hold critical mail; replies stay exempt."""
    guard = Guard(store, policy=Policy(block_always={"complaint"}), classify=saying("shipping_address", critical=True))
    message = Message("s", "b", to=str(BUYER), order_ids=ORDER)
    store.record([OptOut(BUYER)])
    assert guard.check(message).decisions[0].reason is DecisionReason.CRITICAL
    store.record([OptOut(ORDER, reason=Reason.COMPLAINT)])
    decision = guard.check(message).decisions[0]
    assert (decision.action, decision.reason) == (Action.SUPPRESS, DecisionReason.BLOCKED_REASON)
    assert decision.opt_out is not None
    assert decision.opt_out.identity == ORDER
    assert guard.check(attrs.evolve(message, reply_to_buyer=True)).decisions[0].action is Action.SEND
    store.down = StoreUnavailable("locked")
    verdict = guard.check(message)
    assert (verdict.decisions[0].action, verdict.decisions[0].reason) == (Action.SEND, DecisionReason.CRITICAL)
    assert verdict.outage is store.down


def test_exemptions_can_be_taken_back(store: Any, saying: Any) -> None:
    """Without its exemption a reply, or a custom order, is a message like any other."""
    store.record([OptOut(BUYER)])
    guard = Guard(store, policy=Policy(replies_exempt=False, custom_orders_exempt=False), classify=saying("thank_you"))
    for said in ("reply", "custom"):
        assert guard.check(Message("s", "b", to=str(BUYER), **SAID[said])).decisions[0].action is Action.SUPPRESS


def test_what_an_outage_means_is_the_policys_choice(down: Any, saying: Any) -> None:
    """Buyers and others apart."""
    guard = Guard(down, policy=Policy(on_outage=Action.SEND, outage_elsewhere=Action.HOLD), classify=saying("thank_you"))
    verdict = guard.check(Message("s", "b", to=[str(BUYER), str(SUPPLIER)]))
    assert [decision.action for decision in verdict.decisions] == [Action.SEND, Action.HOLD]


def test_an_own_critical_topic_is_believed(store: Any, saying: Any) -> None:
    """A classifier says which of its own topics are critical, also where one is declared; a policy with topics goes before it."""
    store.record([OptOut(BUYER)])
    message = Message("s", "b", to=str(BUYER), topic="engraving")
    own = Classifier(topics={"engraving": True, "gift_wrap": False, "invoice": True})
    guard = Guard(store, classify=own.classify)
    for topic, action in (("engraving", Action.SEND), ("invoice", Action.SEND), ("gift_wrap", Action.SUPPRESS), ("typo", Action.SUPPRESS)):
        assert guard.check(attrs.evolve(message, topic=topic)).decisions[0].action is action
    guard = Guard(store, policy=Policy(critical_topics={"engraving"}), classify=saying("other"))
    assert guard.check(message).decisions[0].reason is DecisionReason.DECLARED_CRITICAL


def test_the_classifier_gets_the_message_with_its_topic_and_its_answer_is_kept(store: Any, saying: Any) -> None:
    """The classifier may use what was declared; the decision carries what it said, and nothing where it was not asked."""
    seen: list[Message] = []

    def classify(message: Message) -> Any:
        seen.append(message)
        return saying("thank_you")(message)

    guard = Guard(store, classify=classify)
    with guard.declare(topic="thank_you"):
        decision = guard.check(Message("s", "b", to=str(BUYER))).decisions[0]
    assert seen[0].topic == "thank_you"
    assert decision.classification is not None
    assert decision.classification.topic == "thank_you"
    assert guard.check(Message("s", "b", to=str(BUYER), reply_to_buyer=True)).decisions[0].classification is None
    assert len(seen) == 1


@attrs.frozen
class Broken:
    """A rule that a message breaks."""

    rule: str


GUIDELINES = Policy(guidelines="enforce")
A_VIOLATION = Violation(rule="emoji", explanation="No emoji.", part="body", start=0, end=1, text="b")


def test_guidelines_are_enforced_towards_buyers(store: Any, saying: Any) -> None:
    """What breaks them is withheld from buyers only; an opt-out is the first reason; critical mail goes, and the verdict tells."""
    message = Message("s", "b", to=[str(BUYER), str(SUPPLIER)])
    guard = Guard(store, policy=GUIDELINES, classify=saying("thank_you"), check_guidelines=lambda _message: [Broken("external_link")])
    verdict = guard.check(message)
    assert [(decision.action, decision.reason) for decision in verdict.decisions] == [
        (Action.SUPPRESS, DecisionReason.GUIDELINE_VIOLATION),
        (Action.SEND, DecisionReason.NOT_OPTED_OUT),
    ]
    assert "external link" in verdict.decisions[0].explanation
    assert verdict.guidelines is Guidelines.VIOLATED
    assert verdict.to_dict()["violations"] == ["external_link"]
    verdict = guard.check(attrs.evolve(message, topic="shipping_address"))
    assert [decision.action for decision in verdict.decisions] == [Action.SEND, Action.SEND]
    assert verdict.violations == (Broken("external_link"),)
    store.record([OptOut(BUYER)])
    assert guard.check(message).decisions[0].reason is DecisionReason.OPTED_OUT


def test_guidelines_may_be_reported_only(store: Any, saying: Any) -> None:
    """Verdict and explanation name what is broken, each rule once, and nothing is withheld for it; off, nobody looks."""
    found = [Broken("emoji"), Broken("emoji"), Broken("promotion"), Broken("external_link"), Broken("tracking_pixel")]
    message = Message("s", "b", to=[str(BUYER), str(SUPPLIER)])
    verdict = Guard(store, policy=Policy(guidelines="report"), classify=saying("thank_you"), check_guidelines=lambda _message: found).check(
        message
    )
    assert (verdict.guidelines, len(verdict.violations)) == (Guidelines.VIOLATED, 5)
    told = "It breaks Amazon's communication guidelines (emoji, promotion, external link and 1 more)."
    plain = "It may go: the recipient is not on the opt-out list."
    assert [(decision.action, decision.explanation) for decision in verdict.decisions] == [
        (Action.SEND, f"{plain} {told}"),
        (Action.SEND, plain),
    ]
    verdict = Guard(store, classify=saying("thank_you"), check_guidelines=lambda _message: found).check(message)
    assert (verdict.guidelines, verdict.violations) == (Guidelines.OFF, ())


def test_a_message_that_keeps_the_guidelines_goes(store: Any, saying: Any) -> None:
    """And the verdict says that they were checked."""
    verdict = Guard(store, policy=GUIDELINES, classify=saying("thank_you"), check_guidelines=lambda _message: ()).check(
        Message("s", "b", to=str(BUYER))
    )
    assert verdict.guidelines is Guidelines.PASSED
    assert verdict.decisions[0].explanation == "It may go: the recipient is not on the opt-out list."


def test_guidelines_that_cannot_be_checked_are_not_passed_in_silence(store: Any, saying: Any, failing: Any) -> None:
    """With a broken checker STRICT works, and says so in verdict and explanation; not where no buyer is concerned."""
    guard = Guard(store, policy=Policy.STRICT, classify=saying("thank_you"), check_guidelines=failing)
    verdict = guard.check(Message("s", "b", to=[str(BUYER), str(SUPPLIER)]))
    assert verdict.guidelines is Guidelines.NOT_CHECKED
    assert verdict.decisions[0].explanation.endswith("guidelines were not checked.")
    assert "guidelines" not in verdict.decisions[1].explanation
    assert guard.check(Message("s", "b", to=str(SUPPLIER))).guidelines is Guidelines.OFF


@pytest.mark.parametrize("found", [None, 5, ["external_link"]])
def test_an_answer_of_a_checker_that_is_none_counts_as_a_failure(store: Any, saying: Any, found: Any) -> None:
    """A checker may be somebody else's."""
    guard = Guard(store, policy=Policy.STRICT, classify=saying("thank_you"), check_guidelines=lambda _message: found)
    verdict = guard.check(Message("s", "b", to=str(BUYER)))
    assert (verdict.guidelines, verdict.violations) == (Guidelines.NOT_CHECKED, ())


def test_a_rule_that_cannot_be_checked_withholds_nothing(store: Any, saying: Any) -> None:
    """It is told in verdict and explanation, and not where others are broken."""
    unchecked = attrs.evolve(A_VIOLATION, rule="phone_number", checked=False)
    found = [unchecked]
    guard = Guard(store, policy=GUIDELINES, classify=saying("thank_you"), check_guidelines=lambda _message: found)
    message = Message("s", "b", to=str(BUYER))
    verdict = guard.check(message)
    assert (verdict.guidelines, verdict.violations) == (Guidelines.INCOMPLETE, ())
    assert verdict.decisions[0].action is Action.SEND
    assert verdict.decisions[0].explanation.endswith("Not all of Amazon's communication guidelines could be checked.")
    found.insert(0, A_VIOLATION)
    verdict = guard.check(message)
    assert (verdict.guidelines, verdict.violations) == (Guidelines.VIOLATED, (A_VIOLATION,))
    assert "could be checked" not in verdict.decisions[0].explanation


def test_the_guidelines_are_checked_without_being_asked_for_by_name(store: Any, saying: Any) -> None:
    """STRICT needs nothing but itself."""
    guard = Guard(store, policy=Policy.STRICT, classify=saying("thank_you"))
    good = Message("Order 302-1234567-7654321", "Welchen Namen sollen wir auf den Ring gravieren?", to=str(BUYER))
    assert guard.check(good).guidelines is Guidelines.PASSED
    bad = attrs.evolve(good, body=good.body + " Entdecken Sie auch unsere Ketten 😊")
    verdict = guard.check(bad)
    assert {violation.rule for violation in verdict.violations} == {"promotion", "emoji"}
    assert verdict.decisions[0].reason is DecisionReason.GUIDELINE_VIOLATION


def test_explanations_tell_how_an_entry_is_known(store: Any, saying: Any) -> None:
    """Since when, for what reason, and by which way the store came to it, in plain words."""
    since = datetime(2026, 9, 10, tzinfo=UTC)

    def explained(identity: Any, to: Any, **details: Any) -> str:
        store.record([OptOut(identity, since=since, **details)])
        verdict = Guard(store, classify=saying("thank_you")).check(Message("s", "b", to=to, order_ids=ORDER))
        store.erase([identity])
        return verdict.decisions[0].explanation

    assert explained(BUYER, str(BUYER)) == (
        "It must not go: the buyer opted out of messages that are not critical (since 2026-09-10), "
        "and the message is not critical (topic: thank you)."
    )
    assert "as is known of this order" in explained(ORDER, str(BUYER), reason=Reason.COMPLAINT)
    assert "the recipient was put on the opt-out list by hand" in explained(SUPPLIER, str(SUPPLIER), reason=Reason.MANUAL)
    store.link([(OTHER_ORDER, BUYER)])
    assert "known of another order of the same buyer" in explained(OTHER_ORDER, str(BUYER))
    store.link([(ORDER, BUYER)])
    assert "as is known of the buyer's address" in explained(BUYER, ())


def test_explanations_tell_why_a_message_is_not_critical(store: Any, saying: Any, failing: Any) -> None:
    """By the caller's word, by its text, by the policy, or because nobody could tell."""
    store.record([OptOut(BUYER)])

    def explained(classify: Any, policy: Policy = Policy.AMAZON, topic: str | None = None) -> str:
        verdict = Guard(store, policy=policy, classify=classify).check(Message("s", "b", to=str(BUYER), topic=topic))
        return verdict.decisions[0].explanation

    assert "could not be classified" in explained(failing)
    assert "solicits (topic: review request)" in explained(saying("review_request", solicits=True))
    assert "declared a topic that is not critical (invoice)" in explained(saying("invoice"), topic="invoice")
    assert "policy does not count its topic as critical (digital access)" in explained(
        saying("digital_access", critical=True), Policy(critical_topics={"customization"})
    )
    assert "declared a topic that is critical to the order (shipping address)" in explained(failing, topic="shipping_address")
    assert "(topic: shipping address), which an opt-out does not stop" in explained(saying("shipping_address", critical=True))
    assert "withholds all messages for that reason" in explained(
        saying("shipping_address", critical=True), Policy(block_always={Reason.BUYER_OPT_OUT})
    )


def test_decisions_can_be_written_as_json(store: Any, saying: Any) -> None:
    """``to_dict`` gives plain types, with the entry's identity as its key and its times in ISO 8601."""
    store.record([OptOut(BUYER, since=datetime(2026, 9, 10, tzinfo=UTC), expires_at=datetime(2099, 1, 1, tzinfo=UTC), source="a mail")])
    verdict = Guard(store, policy=Policy.AUDIT, classify=saying(Topic.THANK_YOU)).check(Message("s", "b", to=[str(BUYER), "nobody"]))
    first, second = verdict.to_dict()["decisions"]
    assert first == {
        "recipient": str(BUYER),
        "action": "send",
        "reason": "opted_out",
        "classification": {
            "critical": False,
            "solicits": False,
            "topic": "thank_you",
            "confidence": 0.9,
            "language": "en",
            "evidence": [],
        },
        "opt_out": {
            "identity": BUYER.key,
            "seller": "",
            "reason": "buyer_opt_out",
            "since": "2026-09-10T00:00:00+00:00",
            "expires_at": "2099-01-01T00:00:00+00:00",
            "source": "a mail",
            "verified": False,
        },
        "explanation": "Only reported. It must not go: the buyer opted out of messages that are not critical (since 2026-09-10), "
        "and the message is not critical (topic: thank you).",
        "unenforced": "suppress",
    }
    assert second["opt_out"] is None
    assert json.dumps(first["classification"]["topic"]) == '"thank_you"'
    assert type(first["classification"]["topic"]) is str
    assert verdict.to_dict()["guidelines"] == "off"
