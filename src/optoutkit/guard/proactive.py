"""One proactive request an order: which messages are requests, and what the ledger has to say to them (amazon.md section e).

A message to a buyer is a request if it solicits, or if its topic is one of ``Policy.request_topics``. A reply that is exempt is none, as
the buyer began. One that names no order is not counted, as nobody can tell for which order it is.
"""

from collections.abc import Callable, Collection, Mapping

import attrs

from optoutkit.flows import Flow, ask
from optoutkit.guard.decisions import Action, Decision, DecisionReason, Verdict
from optoutkit.guard.explanations import ONLY_REPORTED, explain_request
from optoutkit.guard.hooks import GuardEvent, LedgerFailed
from optoutkit.guard.parties import Party, parties
from optoutkit.guard.policy import Policy
from optoutkit.identities import OrderId
from optoutkit.ledgers.base import Reservation, Standing
from optoutkit.ledgers.requests import Confirm, LookUp, Release, Reserve
from optoutkit.messages import Message

__all__ = ["ProactiveRequests"]

_RULES = {
    Standing.SENT: (Action.SUPPRESS, DecisionReason.ALREADY_REQUESTED),
    Standing.PENDING: (Action.HOLD, DecisionReason.REQUEST_PENDING),
}


@attrs.frozen(kw_only=True)
class ProactiveRequests:
    """The rule, which is applied to the verdict of all others.

    Attributes:
        policy: Which topics count, and what an outage means.
        seller: Whose orders are counted.
        tell: Is told what the ledger could not be told.
    """

    policy: Policy
    seller: str
    tell: Callable[[GuardEvent], None]

    def look(self, message: Message, verdict: Verdict) -> Flow[Verdict]:
        """The verdict on a message that is not being sent now: nothing is written down."""
        orders = self._orders(message, verdict)
        if not orders:
            return verdict
        try:
            found = yield from ask(LookUp(orders, self.seller))
        except Exception as error:  # noqa: BLE001 - a ledger that fails, however it does, has not answered
            return self._unanswered(message, verdict, error)
        # Where several messages are looked up at once, the answer also has what is known of the others' orders.
        return self._counted(message, verdict, {order_id: found[order_id] for order_id in orders if order_id in found})

    def reserve(self, message: Message, verdict: Verdict, together: Collection[OrderId]) -> Flow[tuple[Verdict, Reservation | None]]:
        """The verdict on a message that is about to be sent, and what is reserved for it.

        Args:
            message: The message.
            verdict: What the other rules say.
            together: The orders of requests that leave by the same call, and were before this one.
        """
        orders = self._orders(message, verdict)
        standings = {order_id: Standing.SENT for order_id in orders if order_id in together}
        asked = tuple(order_id for order_id in orders if order_id not in standings)
        reservation = None
        if asked:
            try:
                reservation = yield from ask(Reserve(asked, self.seller))
            except Exception as error:  # noqa: BLE001 - see above
                return self._unanswered(message, verdict, error), None
            standings |= reservation.refused
        verdict = self._counted(message, verdict, standings)
        if reservation is None or not reservation.granted:
            return verdict, None
        if not self._asks(message, verdict):  # as others of its orders were refused
            yield from self.settle(reservation, sent=False)
            return verdict, None
        return verdict, reservation

    def settle(self, reservation: Reservation, *, sent: bool) -> Flow[None]:
        """Tell the ledger what became of a request. Whatever goes wrong, it has been sent, or has not."""
        try:
            yield from ask(Confirm(reservation) if sent else Release(reservation))
        except Exception as error:  # noqa: BLE001 - goes to the hook
            self.tell(LedgerFailed(seller=self.seller, order_ids=reservation.granted, sent=sent, error=error))

    def _orders(self, message: Message, verdict: Verdict) -> tuple[OrderId, ...]:
        """The orders for which it is a request, if it is one and goes to a buyer."""
        if not self._is_request(message, verdict):
            return ()
        asked = self._asks(message, verdict)
        if message.to:
            return message.order_ids if asked else ()
        return tuple(party.identity for party in asked if isinstance(party.identity, OrderId))

    def _is_request(self, message: Message, verdict: Verdict) -> bool:
        if not verdict.decisions or verdict.decisions[0].reason is DecisionReason.DECLARED_REPLY:
            return False
        found = verdict.decisions[0].classification
        if found is not None and (found.solicits or found.topic in self.policy.request_topics):
            return True
        return message.topic in self.policy.request_topics

    @staticmethod
    def _asks(message: Message, verdict: Verdict) -> tuple[Party, ...]:
        """The buyers to whom it goes."""
        everyone = zip(parties(message), verdict.decisions, strict=True)
        return tuple(party for party, decision in everyone if party.is_buyer and decision.action is Action.SEND)

    def _unanswered(self, message: Message, verdict: Verdict, error: Exception) -> Verdict:
        rule = self.policy.on_outage, DecisionReason.LEDGER_UNAVAILABLE
        return attrs.evolve(self._ruled(message, verdict, lambda _party: rule), outage=error)

    def _counted(self, message: Message, verdict: Verdict, standings: Mapping[OrderId, Standing]) -> Verdict:
        if not standings:
            return verdict
        worst = max(standings.values(), key=lambda standing: standing is Standing.SENT)

        def rule(party: Party) -> tuple[Action, DecisionReason] | None:
            if isinstance(party.identity, OrderId):
                return _RULES[standings[party.identity]] if party.identity in standings else None
            return _RULES[worst]

        return self._ruled(message, verdict, rule)

    def _ruled(self, message: Message, verdict: Verdict, rule: Callable[[Party], tuple[Action, DecisionReason] | None]) -> Verdict:
        """The verdict with another decision for each buyer to whom it would go and whom the rule is for."""
        decisions = []
        for party, decision in zip(parties(message), verdict.decisions, strict=True):
            would_go = decision.action is Action.SEND and decision.unenforced in (None, Action.SEND)
            found = rule(party) if party.is_buyer and would_go else None
            decisions.append(self._decision(decision, *found) if found else decision)
        return attrs.evolve(verdict, decisions=tuple(decisions))

    def _decision(self, decision: Decision, action: Action, reason: DecisionReason) -> Decision:
        explanation = explain_request(action, reason)
        if not self.policy.report_only:
            return attrs.evolve(decision, action=action, reason=reason, explanation=explanation)
        return attrs.evolve(decision, reason=reason, explanation=ONLY_REPORTED + explanation, unenforced=action)
