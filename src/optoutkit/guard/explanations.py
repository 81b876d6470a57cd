"""Decisions in a sentence that a support person understands. No sentence names an address or an order, so that it may be logged."""

from typing import TYPE_CHECKING

from optoutkit.guard.decisions import Action, DecisionReason, Guidelines
from optoutkit.guard.parties import Party
from optoutkit.identities import Address, Digest
from optoutkit.optouts import OptOut, Reason

if TYPE_CHECKING:
    from optoutkit.guard.rules import Case

__all__ = ["ONLY_REPORTED", "explain", "explain_request"]

ONLY_REPORTED = "Only reported. "
"""What stands before the explanation of a decision that is not enforced."""

_MAX_RULES_NAMED = 3

_FIXED = {
    DecisionReason.DECLARED_REPLY: "It may go: the caller declared it a reply on the buyer's own thread, which an opt-out does not stop.",
    DecisionReason.CUSTOM_ORDER: "It may go: the caller declared it a message about a custom order, which an opt-out does not stop.",
    DecisionReason.UNREADABLE_ADDRESS: "It may go: the recipient is no e-mail address that an opt-out list could hold.",
    DecisionReason.NOT_OPTED_OUT: "It may go: the recipient is not on the opt-out list.",
}
_LISTED_BECAUSE = {
    Reason.COMPLAINT: "complained about a message",
    Reason.BUYER_OPT_OUT: "opted out of messages that are not critical",
    Reason.UNSUBSCRIBE: "unsubscribed",
    Reason.MANUAL: "was put on the opt-out list by hand",
    Reason.HARD_BOUNCE: "could not be reached before (mail came back)",
}
_ON_OUTAGE = {
    Action.SEND: "It may go all the same, by the policy",
    Action.SUPPRESS: "It must not go, by the policy",
    Action.HOLD: "It must wait, and can be tried again later",
}


_ONE_AN_ORDER = "Amazon allows one request an order, for a review, for feedback or the like"


def explain_request(action: Action, reason: DecisionReason) -> str:
    """Say why a request was not let through, or was though nobody could tell whether it is the first."""
    if reason is DecisionReason.ALREADY_REQUESTED:
        return f"It must not go: {_ONE_AN_ORDER}, and one was sent before."
    if reason is DecisionReason.REQUEST_PENDING:
        return f"It must wait, and can be tried again later: {_ONE_AN_ORDER}, and another one is being sent right now."
    return f"{_ON_OUTAGE[action]}: {_ONE_AN_ORDER}, and the ledger of requests could not be read."


def explain(action: Action, reason: DecisionReason, opt_out: OptOut | None, party: Party, case: "Case") -> str:
    """Say why a decision on one recipient was taken."""
    sentence = _FIXED.get(reason) or _sentence(action, reason, opt_out, party, case)
    if party.is_buyer and case.guidelines is Guidelines.NOT_CHECKED:
        sentence += " Amazon's communication guidelines were not checked."
    if party.is_buyer and case.guidelines is Guidelines.INCOMPLETE:
        sentence += " Not all of Amazon's communication guidelines could be checked."
    if party.is_buyer and case.violations and reason is not DecisionReason.GUIDELINE_VIOLATION:
        sentence += f" It breaks Amazon's communication guidelines ({_rules(case)})."
    return sentence


def _sentence(action: Action, reason: DecisionReason, opt_out: OptOut | None, party: Party, case: "Case") -> str:
    if reason is DecisionReason.CRITICAL and case.classification is not None:
        return f"It may go: it is critical to the order (topic: {_spoken(case.classification.topic)}), which an opt-out does not stop."
    if reason is DecisionReason.DECLARED_CRITICAL:
        return f"It may go: the caller declared a topic that is critical to the order ({_spoken(case.message.topic)})."
    if reason is DecisionReason.GUIDELINE_VIOLATION:
        return f"It must not go: it breaks Amazon's communication guidelines ({_rules(case)})."
    if opt_out is None:
        where = "" if party.is_buyer else ", and the recipient is no Amazon buyer"
        return f"{_ON_OUTAGE[action]}: the opt-out list could not be read{where}, and {_why_not_critical(case)}."
    who = "the buyer" if party.is_buyer else "the recipient"
    listed = f"{who} {_LISTED_BECAUSE[opt_out.reason]}{_since(opt_out)}{_known_by(opt_out, party, case)}"
    if reason is DecisionReason.BLOCKED_REASON:
        return f"It must not go, though it is critical: {listed}, and the policy withholds all messages for that reason."
    return f"It must not go: {listed}, and {_why_not_critical(case)}."


def _rules(case: "Case") -> str:
    rules = list(dict.fromkeys(_spoken(violation.rule) for violation in case.violations))
    more = len(rules) - _MAX_RULES_NAMED
    return ", ".join(rules[:_MAX_RULES_NAMED]) + (f" and {more} more" if more > 0 else "")


def _why_not_critical(case: "Case") -> str:
    if case.declared_critical is False:
        return f"the caller declared a topic that is not critical ({_spoken(case.message.topic)})"
    if case.classification is None:
        return "the message could not be classified, which counts as not critical"
    topic = _spoken(case.classification.topic)
    if case.classification.solicits:
        return f"the message solicits (topic: {topic})"
    if case.classification.critical:
        return f"the policy does not count its topic as critical ({topic})"
    return f"the message is not critical (topic: {topic})"


def _since(opt_out: OptOut) -> str:
    return f" (since {opt_out.since:%Y-%m-%d})" if opt_out.since else ""


def _known_by(opt_out: OptOut, party: Party, case: "Case") -> str:
    if opt_out.identity == party.identity or isinstance(opt_out.identity, Digest):
        return ""
    if isinstance(opt_out.identity, Address):
        return ", as is known of the buyer's address"
    return (
        ", as is known of this order" if opt_out.identity in case.message.order_ids else ", as is known of another order of the same buyer"
    )


def _spoken(name: str | None) -> str:
    return str(name).replace("_", " ")
