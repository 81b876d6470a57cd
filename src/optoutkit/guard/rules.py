"""The order of the rules: from a message and what the store answers to a verdict.

1. A reply on the buyer's own thread, or a custom order, by the caller's word: it goes.
2. Critical: it goes, and the store is not asked (unless the policy blocks some reasons even then).
3. Otherwise all recipients and orders are looked up in one batch: a hit suppresses, an outage holds, a miss lets it go (where the
   guidelines allow it).

There is no I/O here: the one question to the store is a request of the flow.
"""

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from optoutkit.flows import Flow, ask
from optoutkit.guard.decisions import Action, BrokenRule, Decision, DecisionReason, Guidelines, Verdict
from optoutkit.guard.explanations import ONLY_REPORTED, explain
from optoutkit.guard.hooks import log_failure
from optoutkit.guard.parties import Party, parties
from optoutkit.guard.policy import Policy
from optoutkit.identities import Address, Digest, Identity
from optoutkit.messages import Message
from optoutkit.optouts import OptOut
from optoutkit.stores.requests import Lookup

if TYPE_CHECKING:
    from optoutkit.classifier.results import Classification

__all__ = ["Case", "CheckGuidelines", "Classify", "Rules"]

Classify = Callable[[Message], "Classification"]
CheckGuidelines = Callable[[Message], Sequence[BrokenRule]]

_NOTHING: Mapping[Identity, OptOut] = MappingProxyType({})
_CRITICAL = (DecisionReason.CRITICAL, DecisionReason.DECLARED_CRITICAL)


@attrs.frozen(kw_only=True)
class Rules:
    """A policy with what it takes to apply it.

    Attributes:
        policy: The policy.
        seller: Whose lists are asked.
        classify: The classifier.
        check_guidelines: What finds broken guidelines.
        counts_requests: Whether requests are counted, so that a custom order must be classified though it is exempt.
    """

    policy: Policy
    seller: str
    classify: Classify
    check_guidelines: CheckGuidelines
    counts_requests: bool = False

    def decide(self, message: Message) -> Flow[Verdict]:
        """Decide on each recipient of a message, with one lookup at most."""
        everyone = parties(message)
        judged = self._judge(message)
        addressed = (party.identity for party in everyone if party.identity is not None)
        identities: tuple[Identity, ...] = tuple(dict.fromkeys((*addressed, *message.order_ids)))
        found: Mapping[Identity, OptOut] = _NOTHING
        outage: Exception | None = None
        if identities and (judged.passes is None or (judged.passes in _CRITICAL and self.policy.block_always)):
            try:
                found = _entries((yield from ask(Lookup(identities=identities, seller=self.seller, at=None))))
            except Exception as error:  # noqa: BLE001 - a store that fails, however it does, has not answered
                outage = error
        guidelines: Guidelines = Guidelines.OFF
        violations: Sequence[BrokenRule] = ()
        if self.policy.guidelines != "off" and any(party.is_buyer for party in everyone):
            guidelines, violations = self._hold_against_guidelines(message)
        case = Case(
            policy=self.policy,
            message=message,
            passes=judged.passes,
            classification=judged.classification,
            declared_critical=judged.declared_critical,
            found=found,
            outage=outage,
            guidelines=guidelines,
            violations=violations,
        )
        decisions = tuple(map(case.decide, everyone))
        return Verdict(decisions=decisions, guidelines=guidelines, violations=violations, outage=outage)

    def _judge(self, message: Message) -> "_Judgement":
        """Apply the rules that need no store."""
        exempt_reply = message.reply_to_buyer and self.policy.replies_exempt
        if exempt_reply and self.policy.soliciting_replies_exempt:
            return _Judgement(passes=DecisionReason.DECLARED_REPLY)
        exempt_order = message.custom_order and self.policy.custom_orders_exempt
        if exempt_order and not self.counts_requests:
            return _Judgement(passes=DecisionReason.CUSTOM_ORDER)
        classification: Classification | None = None
        try:
            classification = _classified(self.classify(message))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a classifier, the message counts as not critical
            log_failure(logging.WARNING, "the classifier", error)
        solicits = classification is not None and classification.solicits
        declared = _declared_criticality(message.topic, self.policy, classification)
        passes = None
        if exempt_order:
            passes = DecisionReason.CUSTOM_ORDER
        elif exempt_reply and not solicits:
            passes = DecisionReason.DECLARED_REPLY
        elif declared and not solicits:
            passes = DecisionReason.DECLARED_CRITICAL
        elif declared is None and classification is not None and classification.critical and self._counts(classification.topic):
            passes = DecisionReason.CRITICAL
        return _Judgement(passes=passes, classification=classification, declared_critical=declared)

    def _counts(self, topic: str) -> bool:
        return self.policy.critical_topics is None or topic in self.policy.critical_topics

    def _hold_against_guidelines(self, message: Message) -> tuple[Guidelines, Sequence[BrokenRule]]:
        try:
            found = tuple(self.check_guidelines(message))
            broken = tuple(violation for violation in found if str(violation.rule) and getattr(violation, "checked", True))
        except Exception as error:  # noqa: BLE001 - said in the verdict; a broken linter must not stop the mail
            log_failure(logging.WARNING, "the guideline checker", error)
            return Guidelines.NOT_CHECKED, ()
        if broken:
            return Guidelines.VIOLATED, broken
        return (Guidelines.INCOMPLETE if found else Guidelines.PASSED), ()


@attrs.frozen(kw_only=True)
class _Judgement:
    """What is known of a message before the store is asked; see :class:`Case`."""

    passes: DecisionReason | None = None
    classification: "Classification | None" = None
    declared_critical: bool | None = None


@attrs.frozen(kw_only=True)
class Case:
    """What is known of a message when its recipients are decided on.

    Attributes:
        policy: The policy.
        message: The message.
        passes: The rule that lets it go whatever the store holds; None where the store decides.
        classification: The classifier's answer; None where it was not asked or failed.
        declared_critical: Whether the topic that the caller declared is critical; None without one.
        found: What the store answered.
        outage: Why it did not.
        guidelines: Whether the message was held against the guidelines.
        violations: Which of them it breaks.
    """

    policy: Policy
    message: Message
    passes: DecisionReason | None
    classification: "Classification | None"
    declared_critical: bool | None
    found: Mapping[Identity, OptOut]
    outage: Exception | None
    guidelines: Guidelines
    violations: Sequence[BrokenRule]

    def decide(self, party: Party) -> Decision:
        """Decide on one recipient."""
        action, reason, opt_out = self._rule(party)
        explanation = explain(action, reason, opt_out, party, self)
        unenforced = None
        if self.policy.report_only:
            action, unenforced, explanation = Action.SEND, action, ONLY_REPORTED + explanation
        return Decision(
            recipient=party.given,
            action=action,
            reason=reason,
            classification=self.classification,
            opt_out=opt_out,
            explanation=explanation,
            unenforced=unenforced,
        )

    def _rule(self, party: Party) -> tuple[Action, DecisionReason, OptOut | None]:
        hits = self._hits(party)
        if self.passes is not None:
            blocking = next((hit for hit in hits if hit.reason in self.policy.block_always), None)
            return (Action.SUPPRESS, DecisionReason.BLOCKED_REASON, blocking) if blocking else (Action.SEND, self.passes, None)
        if party.identity is None:
            return Action.SEND, DecisionReason.UNREADABLE_ADDRESS, None
        if self.outage is not None:
            action = self.policy.on_outage if party.is_buyer else self.policy.outage_elsewhere
            return action, DecisionReason.STORE_UNAVAILABLE, None
        if hits:
            return Action.SUPPRESS, DecisionReason.OPTED_OUT, hits[0]
        if self.violations and party.is_buyer and self.policy.guidelines == "enforce":
            return Action.SUPPRESS, DecisionReason.GUIDELINE_VIOLATION, None
        return Action.SEND, DecisionReason.NOT_OPTED_OUT, None

    def _hits(self, party: Party) -> tuple[OptOut, ...]:
        """The entries that count for a recipient, its own before those of the message's orders."""
        if party.identity is None:
            return ()
        if not party.is_buyer:
            hit = self.found.get(party.identity)
            return (hit,) if hit and _is_of_the_very_address(hit, party.identity) else ()
        asked: tuple[Identity, ...] = (party.identity,)
        if isinstance(party.identity, Address):  # an order without a recipient answers for itself only
            asked += self.message.order_ids
        return tuple(self.found[identity] for identity in asked if identity in self.found)


def _classified(answer: object) -> "Classification":
    """What a classifier said, if it is an answer at all: one of somebody else's may return anything."""
    if not isinstance(answer, _kind_of_answer()):
        raise TypeError("a classifier returns a Classification")
    return answer


@functools.cache
def _kind_of_answer() -> "type[Classification]":
    from optoutkit.classifier.results import Classification  # noqa: PLC0415 - only once something is classified

    return Classification


def _entries(answer: object) -> Mapping[Identity, OptOut]:
    """The same of a store."""
    if not isinstance(answer, dict | Mapping) or (answer and not all(isinstance(entry, OptOut) for entry in answer.values())):
        raise TypeError("a store returns a mapping of opt-outs")
    return answer


def _is_of_the_very_address(hit: OptOut, address: Identity) -> bool:
    # A store of digests cannot give the address back. From an address, links lead to its orders only: a digest of an address is its own.
    return hit.identity == address or (isinstance(hit.identity, Digest) and hit.identity.kind == "address")


def _declared_criticality(topic: str | None, policy: Policy, classification: "Classification | None") -> bool | None:
    """Whether the topic that the caller declared is critical; None without one, or where nobody knows the topic."""
    if not topic:
        return None
    if policy.critical_topics is not None:
        return topic in policy.critical_topics
    if classification is not None and classification.critical and classification.topic == topic:
        return True  # a classifier may have own critical topics
    from optoutkit.classifier.topics import Topic  # noqa: PLC0415 - only where somebody declares a topic

    try:
        return Topic(topic).critical
    except ValueError:
        return None
