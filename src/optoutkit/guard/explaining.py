"""What a seller's support needs to know of a buyer, an order or a message: what goes and what does not, and where that was learnt."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from optoutkit.errors import InvalidInput
from optoutkit.flows import Flow, ask
from optoutkit.guard.decisions import Verdict
from optoutkit.guard.parties import parties
from optoutkit.guard.rules import Rules
from optoutkit.identities import Address, Digest, Identity, OrderId, read_identity
from optoutkit.ledgers.base import Standing
from optoutkit.ledgers.requests import LookUp
from optoutkit.messages import Message
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores.requests import Lookup

if TYPE_CHECKING:
    from optoutkit.classifier.results import Classification

__all__ = ["Explanation", "Finding", "grounds", "message_about", "of_what_is_not_critical"]

_STANDINGS = {
    Standing.SENT: "a request was sent for it, and Amazon allows one",
    Standing.PENDING: "a request for it is being sent right now",
}


@attrs.frozen(kw_only=True)
class Finding:
    """An entry of the opt-out list that holds for somebody.

    Attributes:
        asked: For whom it was found.
        opt_out: The entry: since when, why, by what source, in whose list. Of several that hold, it is the strongest.
    """

    asked: Identity
    opt_out: OptOut

    @property
    def by_link(self) -> bool:
        """Whether it is an entry of somebody linked to the one asked for: of an order of the buyer, or of the buyer of the order."""
        found = self.opt_out.identity
        # A store of digests does not give back what was asked; a digest of the same kind is taken for that of the very one.
        return found != self.asked and not (isinstance(found, Digest) and found.kind == self.asked.kind)

    def __str__(self) -> str:
        entry = self.opt_out
        link = f" by way of {_named(entry.identity)}, which is linked to it" if self.by_link else ""
        told = [
            entry.reason.value.replace("_", " "),
            f"since {entry.since:%Y-%m-%d}" if entry.since else "since when is not known",
            f"until {entry.expires_at:%Y-%m-%d}" if entry.expires_at else "",
            "in the list that all sellers share" if entry.seller == SHARED else "",
            f"learnt from {entry.source}" if entry.source else "",
            "proved to be Amazon's word" if entry.verified else "",
        ]
        return f"{_named(self.asked)} is on the opt-out list{link}: {', '.join(filter(None, told))}."


@attrs.frozen(kw_only=True)
class Explanation:
    """Why a message goes or does not, for people: ``str()`` of it is a text of a few lines. It names buyers and orders in clear.

    Attributes:
        subject: What was asked about: a buyer's address, an order, or the message.
        verdict: The decisions: on the message, else on one to that buyer, or about that order, that is not critical and of which
            nothing is declared.
        findings: The entries that hold for the recipients and orders, whether they decided or not (critical mail goes all the same).
        requests: How the orders stand in the ledger for which a request is known; empty without a ledger.
        outage: Why store or ledger could not be asked; None if they were.
    """

    subject: Address | OrderId | Message
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    requests: Mapping[OrderId, Standing] = attrs.field(factory=dict)
    outage: Exception | None = attrs.field(default=None, eq=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The same in types that JSON knows: subject (a key; None for a message), verdict, findings, requests (by order ID)."""
        return {
            "subject": None if isinstance(self.subject, Message) else self.subject.key,
            "verdict": self.verdict.to_dict(),
            "findings": [{"asked": one.asked.key, "by_link": one.by_link, "opt_out": one.opt_out.to_dict()} for one in self.findings],
            "requests": {str(order_id): standing.value for order_id, standing in self.requests.items()},
        }

    def __str__(self) -> str:
        what = "" if isinstance(self.subject, Message) else ", for a message that is not critical"
        lines = [f"{decision.recipient}{what}: {decision.explanation}" for decision in self.verdict.decisions]
        lines += map(str, self.findings)
        lines += [f"order {order_id}: {_STANDINGS[standing]}." for order_id, standing in self.requests.items()]
        if self.outage is not None:
            lines.append(f"What is known of them could not be looked up ({type(self.outage).__name__}).")
        return "\n".join(lines)


def message_about(subject: str | Identity) -> tuple[Address | OrderId, Message]:
    """Who, or what order, is meant, and a message to the one or about the other.

    Raises:
        InvalidInput: It is neither an address nor an order ID.
    """
    identity = read_identity(subject) if isinstance(subject, str) else subject
    if isinstance(identity, Address):
        return identity, Message("", "", to=str(identity))
    if isinstance(identity, OrderId):
        return identity, Message("", "", order_ids=identity)
    raise InvalidInput("a digest tells neither a buyer nor an order: ask for the address or the order ID")


def of_what_is_not_critical(rules: Rules) -> Rules:
    """The same rules for a message of which nothing is known but that it is not critical."""
    return attrs.evolve(rules, classify=_not_critical, policy=attrs.evolve(rules.policy, guidelines="off"))


def grounds(subject: Address | OrderId | Message, message: Message, verdict: Verdict, *, seller: str, counts: bool) -> Flow[Explanation]:
    """Look up what is known of a message's recipients and orders, beside the verdict on it.

    Args:
        subject: What was asked about.
        message: The message.
        verdict: The verdict on it.
        seller: Whose lists to ask.
        counts: Whether there is a ledger to ask.
    """
    addressed = (party.identity for party in parties(message) if party.identity is not None)
    asked: tuple[Identity, ...] = tuple(dict.fromkeys((*addressed, *message.order_ids)))
    findings: Sequence[Finding] = ()
    requests: Mapping[OrderId, Standing] = {}
    outage = verdict.outage
    try:
        if asked:
            entries = yield from ask(Lookup(asked, seller=seller))
            findings = [Finding(asked=identity, opt_out=entries[identity]) for identity in asked if identity in entries]
        if counts and message.order_ids:
            requests = yield from ask(LookUp(message.order_ids, seller))
    except Exception as error:  # noqa: BLE001 - told; support wants to read what else there is
        outage = error
    return Explanation(subject=subject, verdict=verdict, findings=tuple(findings), requests=dict(requests), outage=outage)


def _not_critical(_message: Message) -> "Classification":
    from optoutkit.classifier.results import Classification  # noqa: PLC0415 - where a guard never classifies, it loads no classifier

    return Classification(critical=False, solicits=False, topic="other", confidence=1.0, language=None)


def _named(identity: Identity) -> str:
    return f"order {identity}" if isinstance(identity, OrderId) else str(identity)
