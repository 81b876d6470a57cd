"""What a message to a buyer can be about, and which of it is critical to an order."""

import enum

__all__ = ["Topic"]


class Topic(enum.StrEnum):
    """The subject matter of a message; the first six are critical (amazon.md section e)."""

    CUSTOMIZATION = "customization"
    """Which name, colour, size or photo; a proof to approve."""
    DELIVERY_SCHEDULING = "delivery_scheduling"
    """An appointment, a time window, access for something heavy, a service at home."""
    SHIPPING_ADDRESS = "shipping_address"
    """An address that is missing, wrong or to be confirmed; a parcel that came back or waits at the depot."""
    ORDER_PROBLEM_NEEDS_BUYER = "order_problem_needs_buyer"
    """A problem that only the buyer's decision can solve."""
    LEGAL_OR_SAFETY = "legal_or_safety"
    """A recall, a safety notice; papers, proofs and numbers that the law or the customs ask for."""
    DIGITAL_ACCESS = "digital_access"
    """A key or a download without which the purchase cannot be used."""

    FEEDBACK_REQUEST = "feedback_request"
    REVIEW_REQUEST = "review_request"
    ORDER_CONFIRMATION = "order_confirmation"
    SHIPPING_CONFIRMATION = "shipping_confirmation"
    DELIVERY_CONFIRMATION = "delivery_confirmation"
    REFUND_CONFIRMATION = "refund_confirmation"
    """Money comes back; an order is cancelled, whatever the reason."""
    THANK_YOU = "thank_you"
    PROACTIVE_SUPPORT = "proactive_support"
    MANUAL_OR_TIPS = "manual_or_tips"
    WARRANTY = "warranty"
    OUT_OF_STOCK = "out_of_stock"
    DELAY_NOTICE = "delay_notice"
    ALTERNATIVE_OFFER = "alternative_offer"
    MARKETING = "marketing"
    SOCIAL = "social"
    INVOICE = "invoice"
    OTHER = "other"

    @property
    def critical(self) -> bool:
        """Whether a message of this topic may reach a buyer who opted out."""
        return self in _CRITICAL

    @property
    def solicits(self) -> bool:
        """Whether a message of this topic wants something for the seller: a rating, a follower, a sale."""
        return self in _SOLICITING


_CRITICAL = frozenset(list(Topic)[:6])
_SOLICITING = frozenset({Topic.FEEDBACK_REQUEST, Topic.REVIEW_REQUEST, Topic.MARKETING, Topic.SOCIAL})
