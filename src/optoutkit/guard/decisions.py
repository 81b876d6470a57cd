"""What the guard decides: one decision a recipient, together the verdict on a message."""

import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from optoutkit.optouts import OptOut

if TYPE_CHECKING:  # the classifier's room is loaded when the first message is classified
    from optoutkit.classifier.results import Classification

__all__ = ["Action", "BrokenRule", "Decision", "DecisionReason", "Guidelines", "Verdict"]


class Action(enum.StrEnum):
    """What becomes of a message on its way to one recipient."""

    SEND = "send"
    SUPPRESS = "suppress"
    """It must not go, now or later."""
    HOLD = "hold"
    """Nobody can say now: try again later."""


class DecisionReason(enum.StrEnum):
    """Which rule decided."""

    DECLARED_REPLY = "declared_reply"
    CUSTOM_ORDER = "custom_order"
    CRITICAL = "critical"
    DECLARED_CRITICAL = "declared_critical"
    BLOCKED_REASON = "blocked_reason"
    """Critical, but the opt-out's reason is one that ``Policy.block_always`` names."""
    OPTED_OUT = "opted_out"
    STORE_UNAVAILABLE = "store_unavailable"
    GUIDELINE_VIOLATION = "guideline_violation"
    ALREADY_REQUESTED = "already_requested"
    """The ledger knows of a request for this order, and Amazon allows one."""
    REQUEST_PENDING = "request_pending"
    """A request for this order is being sent by somebody else right now."""
    LEDGER_UNAVAILABLE = "ledger_unavailable"
    UNREADABLE_ADDRESS = "unreadable_address"
    NOT_OPTED_OUT = "not_opted_out"


class Guidelines(enum.StrEnum):
    """Whether a message was held against Amazon's communication guidelines."""

    OFF = "off"
    """The policy does not ask for it, or no recipient is a buyer."""
    PASSED = "passed"
    VIOLATED = "violated"
    NOT_CHECKED = "not_checked"
    """The policy asks for it, but the checker failed."""
    INCOMPLETE = "incomplete"
    """No broken rule was found, but there is one that could not be checked, such as that on phone numbers without the extra ``phones``."""


class BrokenRule(Protocol):
    """What a guideline checker reports, as far as the guard reads it.

    What has an attribute ``checked`` that is False says that a rule could not be checked, and withholds nothing.
    """

    @property
    def rule(self) -> str:
        """The rule's short name."""
        ...


@attrs.frozen(kw_only=True)
class Decision:
    """What becomes of a message on its way to one recipient, and why.

    Attributes:
        recipient: The recipient as given; the order ID for an order without a recipient.
        action: What to do.
        reason: Which rule decided.
        classification: The classifier's answer; None where it was not asked (an exempt message) or failed.
        opt_out: The entry of the opt-out list that decided, if one did.
        explanation: A sentence for people. It names no address and no order.
        unenforced: What ``action`` would be, had the policy not said to report only; None with any other policy.
    """

    recipient: str
    action: Action
    reason: DecisionReason
    classification: "Classification | None" = None
    opt_out: OptOut | None = None
    explanation: str = ""
    unenforced: Action | None = None

    def to_dict(self) -> dict[str, Any]:
        """The decision in types that JSON knows; times in ISO 8601, UTC."""
        return {
            "recipient": self.recipient,
            "action": self.action.value,
            "reason": self.reason.value,
            "classification": attrs.asdict(self.classification, value_serializer=_plain) if self.classification else None,
            "opt_out": _opt_out_to_dict(self.opt_out) if self.opt_out else None,
            "explanation": self.explanation,
            "unenforced": self.unenforced.value if self.unenforced else None,
        }


@attrs.frozen(kw_only=True)
class Verdict:
    """The decisions on one message, in the order of its recipients.

    Attributes:
        decisions: One a recipient; for a message without recipients one an order; none where there is neither.
        guidelines: Whether the message was held against Amazon's guidelines.
        violations: The rules of these that it breaks.
        outage: Why the store, or the ledger, could not be asked; None if it was, or if there was no need to.
    """

    decisions: tuple[Decision, ...]
    guidelines: Guidelines = Guidelines.OFF
    violations: Sequence[BrokenRule] = ()
    outage: Exception | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def held(self) -> bool:
        """Whether the message as a whole must wait: nothing of it may be sent now."""
        return any(decision.action is Action.HOLD for decision in self.decisions)

    @property
    def suppressed(self) -> tuple[Decision, ...]:
        """The decisions that withhold the message from a recipient."""
        return tuple(decision for decision in self.decisions if decision.action is Action.SUPPRESS)

    @property
    def sends(self) -> bool:
        """Whether there is anything left to send."""
        return not self.held and len(self.suppressed) < max(len(self.decisions), 1)

    def to_dict(self) -> dict[str, Any]:
        """The verdict in types that JSON knows."""
        return {
            "decisions": [decision.to_dict() for decision in self.decisions],
            "guidelines": self.guidelines.value,
            "violations": [violation.rule for violation in self.violations],
        }


def _plain(_owner: object, _field: object, value: object) -> object:
    if isinstance(value, enum.Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def _opt_out_to_dict(opt_out: OptOut) -> dict[str, Any]:
    return {
        "identity": opt_out.identity.key,
        "seller": opt_out.seller,
        "reason": opt_out.reason.value,
        "since": opt_out.since.isoformat() if opt_out.since else None,
        "expires_at": opt_out.expires_at.isoformat() if opt_out.expires_at else None,
        "source": opt_out.source,
        "verified": opt_out.verified,
    }
