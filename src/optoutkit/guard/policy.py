"""Which message may go to whom: every rule of the guard as a field."""

from collections.abc import Iterable
from typing import ClassVar, Literal

import attrs

from optoutkit.guard.decisions import Action
from optoutkit.optouts import Reason

__all__ = ["Policy"]


def _topics(values: Iterable[str]) -> frozenset[str]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"topics are a set of names, not {values!r}")  # noqa: TRY004 - one kind of error for all fields
    return frozenset(map(str, values))


def _yes_or_no(_policy: object, field: "attrs.Attribute[bool]", value: bool) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{field.name} is True or False, not {value!r}")  # noqa: TRY004 - see above


def _reasons(values: Iterable[Reason | str]) -> frozenset[Reason]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"reasons are a set of names, not {values!r}")  # noqa: TRY004 - see above
    return frozenset(map(Reason, values))


@attrs.frozen(kw_only=True)
class Policy:
    """The rules a guard decides by. Take a named one, or change a field of it with ``attrs.evolve``.

    ``Policy.AMAZON`` (the default) is Amazon's own practice. ``Policy.STRICT`` counts only the three critical topics that Amazon
    names (amazon.md section e), does not exempt a reply that solicits, and enforces Amazon's communication guidelines.
    ``Policy.AUDIT`` decides as AMAZON does, but only reports: all mail goes.

    Attributes:
        critical_topics: The only topics that can be critical; None leaves it to the classifier.
        block_always: Reasons for which even critical mail is withheld. The store names one reason, the seller's own before shared
            ones and then the strongest, so that one named here can hide behind another. An outage never holds critical mail, not
            even with this set.
        replies_exempt: Whether a reply on the buyer's own thread goes in any case (Amazon never blocks it: amazon.md section e).
        soliciting_replies_exempt: Whether that also holds for a reply that asks for a review or advertises.
        custom_orders_exempt: Whether a message about a custom order goes in any case (their buyers cannot opt out: amazon.md section e).
        request_topics: Which topics make a message to a buyer a request, of which Amazon allows one an order (amazon.md section e);
            whatever solicits is one too. It takes a ledger: ``Guard(store, ledger=...)``.
        on_outage: What becomes of a message to a buyer that is not critical while the store does not answer, or of a request while
            the ledger does not.
        outage_elsewhere: The same for recipients who are not at Amazon's alias domains.
        learn_links: Whether the store is taught which buyer an order belongs to.
        guidelines: ``"enforce"`` withholds from buyers what breaks Amazon's communication guidelines, unless it is critical or
            exempt; ``"report"`` looks and tells, and withholds nothing; ``"off"`` does not look. A checker that fails, or cannot
            check a rule, withholds nothing; verdicts and explanations say so, and so does the log.
        on_suppressed: ``"refuse"`` reports suppressed recipients the way the sender reports refused ones; ``"raise"`` raises
            Suppressed instead, before anything of the message is sent.
        report_only: Decide and tell, but let everything go.

    Raises:
        ValueError: A field has a value that is none of those above.

    Example:
        >>> import attrs
        >>> policy = attrs.evolve(Policy.AMAZON, block_always={"complaint"}, on_suppressed="raise")
    """

    critical_topics: frozenset[str] | None = attrs.field(default=None, converter=attrs.converters.optional(_topics))
    block_always: frozenset[Reason] = attrs.field(default=frozenset(), converter=_reasons)
    replies_exempt: bool = attrs.field(default=True, validator=_yes_or_no)
    soliciting_replies_exempt: bool = attrs.field(default=True, validator=_yes_or_no)
    custom_orders_exempt: bool = attrs.field(default=True, validator=_yes_or_no)
    request_topics: frozenset[str] = attrs.field(default=frozenset({"feedback_request", "review_request"}), converter=_topics)
    on_outage: Action = attrs.field(default=Action.HOLD, converter=Action)
    outage_elsewhere: Action = attrs.field(default=Action.SEND, converter=Action)
    learn_links: bool = attrs.field(default=True, validator=_yes_or_no)
    guidelines: Literal["off", "report", "enforce"] = attrs.field(
        default="off", validator=attrs.validators.in_(("off", "report", "enforce"))
    )
    on_suppressed: Literal["refuse", "raise"] = attrs.field(default="refuse", validator=attrs.validators.in_(("refuse", "raise")))
    report_only: bool = attrs.field(default=False, validator=_yes_or_no)

    AMAZON: ClassVar["Policy"]
    STRICT: ClassVar["Policy"]
    AUDIT: ClassVar["Policy"]


Policy.AMAZON = Policy()
Policy.STRICT = Policy(
    critical_topics=frozenset({"customization", "delivery_scheduling", "shipping_address"}),
    soliciting_replies_exempt=False,
    guidelines="enforce",
)
Policy.AUDIT = Policy(report_only=True)
