"""The guard: decides for each recipient of a message whether it may go, and stands between a program and its sender."""

from optoutkit.guard.adapters import SenderAdapter
from optoutkit.guard.contact_reasons import topic_of_contact_reason
from optoutkit.guard.decisions import Action, Decision, DecisionReason, Guidelines, Verdict
from optoutkit.guard.envelopes import enveloped
from optoutkit.guard.guards import AsyncGuard, Delivery, Guard, JointDelivery
from optoutkit.guard.hooks import Decided, GuardEvent, Hook, LedgerFailed, LinkContradicted, LinkFailed, LogHook
from optoutkit.guard.parties import read_address
from optoutkit.guard.policy import Policy

__all__ = [
    "Action",
    "AsyncGuard",
    "Decided",
    "Decision",
    "DecisionReason",
    "Delivery",
    "Guard",
    "GuardEvent",
    "Guidelines",
    "Hook",
    "JointDelivery",
    "LedgerFailed",
    "LinkContradicted",
    "LinkFailed",
    "LogHook",
    "Policy",
    "SenderAdapter",
    "Verdict",
    "enveloped",
    "read_address",
    "topic_of_contact_reason",
]
