"""What support is told of a buyer, an order or a message."""

import json
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from optoutkit.errors import InvalidInput, InvalidMessage, StoreUnavailable
from optoutkit.guard import Action, DecisionReason, Explanation, Guard, Policy
from optoutkit.identities import Address, Digest, OrderId
from optoutkit.ledgers import Standing, open_async_ledger, open_ledger
from optoutkit.messages import Message
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores import HashedStore
from optoutkit.stores.memory import MemoryStore

BUYER, SUPPLIER = Address("abc123@marketplace.amazon.de"), Address("sales@supplier.example")
ORDER, OTHER_ORDER = OrderId("302-1234567-1234567"), OrderId("302-7654321-7654321")
SINCE, UNTIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2126, 3, 1, tzinfo=UTC)


def explained(bench: Any, about: Any) -> Explanation:
    """What either kind of guard explains."""
    explanation: Explanation = bench.done(bench.guard.explain(about))
    return explanation


@pytest.fixture
def asking(bench: Any, saying: Any) -> Any:
    """A guard over each real store, to whose classifier everything is a request for a review."""
    return bench.guarded(classify=saying("review_request", solicits=True))


@pytest.mark.parametrize("about", [BUYER, str(BUYER), "ABC123+7f0e@marketplace.amazon.de", BUYER.key])
def test_an_entry_of_a_buyer_is_told_with_all_that_is_known(asking: Any, about: Any) -> None:
    """Since when, until when, why, from where, and how sure; and what becomes of a message."""
    asking.record(BUYER, since=SINCE, expires_at=UNTIL, source="<1@amazon.de>", verified=True)
    explanation = explained(asking, about)
    assert explanation.subject == BUYER
    assert [(decision.action, decision.reason) for decision in explanation.verdict.decisions] == [
        (Action.SUPPRESS, DecisionReason.OPTED_OUT)
    ]
    name = explanation.verdict.decisions[0].recipient
    assert str(explanation) == (
        f"{name}, for a message that is not critical: It must not go: the buyer opted out of messages that are not critical "
        "(since 2026-03-01), and the message is not critical.\n"
        f"{name} is on the opt-out list: buyer opt out, since 2026-03-01, until 2126-03-01, learnt from <1@amazon.de>, "
        "proved to be Amazon's word."
    )


def test_a_link_is_told_from_both_ends(asking: Any) -> None:
    """The entry is the order's; it holds for its buyer, and for the buyer's other orders."""
    asking.record(ORDER, since=SINCE)
    asking.link(ORDER, BUYER)
    asking.link(OTHER_ORDER, BUYER)
    for about in (BUYER, OTHER_ORDER):
        (finding,) = explained(asking, about).findings
        assert (finding.asked, finding.opt_out.identity, finding.by_link) == (about, ORDER, True)
        assert f" is on the opt-out list by way of order {ORDER}, which is linked to it: buyer opt out, since 2026" in str(finding)
    (finding,) = explained(asking, str(ORDER)).findings
    assert not finding.by_link
    asking.record(BUYER, reason=Reason.COMPLAINT)
    assert f"by way of {BUYER}" in str(explained(asking, ORDER))


def test_who_is_not_listed_may_get_everything(asking: Any) -> None:
    """One line, and nothing found."""
    explanation = explained(asking, SUPPLIER)
    assert explanation.findings == ()
    assert str(explanation) == f"{SUPPLIER}, for a message that is not critical: It may go: the recipient is not on the opt-out list."


def test_the_shared_list_is_named(asking: Any) -> None:
    """So that it is clear where the entry can be withdrawn."""
    asking.done(asking.store.record([OptOut(BUYER, SHARED)]))
    assert "in the list that all sellers share" in str(explained(asking, BUYER))


def test_a_critical_message_goes_though_its_buyer_is_listed(bench: Any, saying: Any) -> None:
    """Support sees both: why it went, and the entry that does not matter to it."""
    bench.guarded(classify=saying("shipping_address", critical=True))
    bench.record(BUYER)
    mail = EmailMessage()
    mail["To"] = f"{BUYER}, {SUPPLIER}, nobody:;"
    mail["Subject"] = f"Your order {ORDER}"
    mail.set_content("Which house number?")
    for about in (Message("s", "b", to=[str(BUYER), "nobody"], order_ids=ORDER), mail, mail.as_bytes()):
        explanation = explained(bench, about)
        assert explanation.verdict.sends
        assert [finding.asked for finding in explanation.findings] == [BUYER]
        assert isinstance(explanation.subject, Message)
        assert explanation.subject.order_ids == (ORDER,)
    assert bench.events == [], "nothing was decided on"


def test_declarations_count_for_messages_only(asking: Any) -> None:
    """For a buyer the question is what becomes of a message of which nothing is known."""
    asking.record(BUYER)
    with asking.guard.declare(reply_to_buyer=True):
        assert explained(asking, Message("s", "b", to=str(BUYER))).verdict.sends
        assert not explained(asking, BUYER).verdict.sends


@pytest.mark.parametrize("standing", [Standing.SENT, Standing.PENDING])
def test_requests_are_told(bench: Any, saying: Any, standing: Standing) -> None:
    """With a ledger: of an order, and of the orders of a message, whose verdict they may decide."""
    ledger: Any = (open_async_ledger if bench.is_async else open_ledger)("memory://")
    bench.guarded(classify=saying("review_request", solicits=True), ledger=ledger)
    reservation = bench.done(ledger.reserve([ORDER]))
    if standing is Standing.SENT:
        bench.done(ledger.confirm(reservation))
    explanation = explained(bench, Message("s", "b", to=str(BUYER), order_ids=[ORDER, OTHER_ORDER]))
    assert explanation.requests == {ORDER: standing}
    assert not explanation.verdict.sends
    explanation = explained(bench, ORDER)
    assert explanation.requests == {ORDER: standing}
    assert explanation.verdict.sends, "a message that asks for nothing may still go"
    assert f"order {ORDER}: a request" in str(explanation)
    assert json.loads(json.dumps(explanation.to_dict()))["requests"] == {str(ORDER): standing.value}
    assert explained(bench, BUYER).requests == {}


def test_an_outage_is_told(down: Any, saying: Any) -> None:
    """Support learns that nothing is known, and not that nothing is listed; the store's text, which may name somebody, stays out."""
    for classify in (saying("thank_you"), saying("shipping_address", critical=True)):
        explanation = Guard(down, classify=classify).explain(Message("s", "b", to=str(BUYER)))
        assert explanation.outage is down.down
        assert str(explanation).endswith("What is known of them could not be looked up (StoreUnavailable).")
    assert Guard(down).explain(BUYER).verdict.held


def test_a_ledger_that_fails_leaves_the_entries(store: Any, saying: Any) -> None:
    """What was found is told."""

    class Failing:
        def lookup(self, *_args: Any, **_options: Any) -> Any:
            raise StoreUnavailable("gone")

    store.record([OptOut(ORDER)])
    explanation = Guard(store, ledger=Failing()).explain(ORDER)  # type: ignore[arg-type]
    assert [finding.asked for finding in explanation.findings] == [ORDER]
    assert isinstance(explanation.outage, StoreUnavailable)


def test_a_store_of_digests_tells_what_it_can(saying: Any) -> None:
    """It does not give back whom it found, but whether it was of the same kind."""
    store = HashedStore(MemoryStore(), {"2026": bytes(32)})
    store.record([OptOut(ORDER)])
    store.link([(ORDER, BUYER)])
    guard = Guard(store, classify=saying("thank_you"))
    assert [finding.by_link for finding in guard.explain(ORDER).findings] == [False]
    assert [finding.by_link for finding in guard.explain(BUYER).findings] == [True]


def test_it_can_be_written_as_json(asking: Any) -> None:
    """With keys, times and the verdict as everywhere."""
    asking.record(BUYER, since=SINCE)
    told = json.loads(json.dumps(explained(asking, BUYER).to_dict()))
    assert told["subject"] == BUYER.key
    assert told["verdict"]["decisions"][0]["reason"] == "opted_out"
    (finding,) = told["findings"]
    assert (finding["asked"], finding["by_link"], finding["opt_out"]["since"]) == (BUYER.key, False, "2026-03-01T00:00:00+00:00")
    assert explained(asking, Message("s", "b")).to_dict()["subject"] is None


def test_a_buyer_is_explained_without_classifier_and_guidelines(store: Any, failing: Any) -> None:
    """There is no text that they could read."""
    guard = Guard(store, classify=failing, policy=Policy.STRICT, check_guidelines=failing)
    assert guard.explain(BUYER).verdict.decisions[0].explanation == "It may go: the recipient is not on the opt-out list."


def test_what_names_nobody_is_refused(asking: Any) -> None:
    """With an error of ours that says what it takes."""
    with pytest.raises(InvalidInput):
        explained(asking, "nobody")
    with pytest.raises(InvalidInput, match="a digest tells neither"):
        explained(asking, Digest("order", "2026", bytes(16)).key)
    with pytest.raises(InvalidInput, match="a digest tells neither"):
        explained(asking, Digest("order", "2026", bytes(16)))
    with pytest.raises(InvalidMessage):
        explained(asking, 5)
