"""What a notice says, once it is read."""

import enum
from datetime import datetime
from typing import Literal

import attrs

from optoutkit.identities import Address, OrderId
from optoutkit.marketplaces import Marketplace

__all__ = ["Form", "Notice", "NoticeEvidence", "NoticeKind"]


class NoticeKind(enum.StrEnum):
    """Why Amazon did not deliver a seller's message (amazon.md sections b and c)."""

    OPT_OUT = "opt_out"
    """The buyer does not want unsolicited messages."""
    GUIDELINE_BLOCK = "guideline_block"
    """The message did not meet the communication guidelines."""
    ACCOUNT_RESTRICTED = "account_restricted"
    """The seller may not send proactive messages for a while."""
    UNAUTHORISED_SENDER = "unauthorised_sender"
    """It came from an address that is not registered for the account."""
    ATTACHMENT_REJECTED = "attachment_rejected"
    """The attachment is too large or of a type that is not allowed."""


class Form(enum.StrEnum):
    """How a notice came; the later ones say less about who wrote it."""

    DIRECT = "direct"
    """From the sender it names, to this mailbox."""
    AUTO_FORWARDED = "auto_forwarded"
    """Passed on by a mail server or a rule, its own headers in place."""
    ATTACHED = "attached"
    """A mail attached to another, its own headers in place."""
    INLINE_FORWARD = "inline_forward"
    """Text inside another mail, below what a mail program wrote of its headers."""


@attrs.frozen
class NoticeEvidence:
    """One thing that made a mail a notice.

    Attributes:
        kind: ``"header"``: Amazon's notification type in the mail's header. ``"wording"``: the deciding clause. ``"link"``: the
            notification type in a link of the text. ``"limit"``: not all of a very long text was read; more orders may stand there.
        text: What was found, as it stands in the mail.
        source: Where optoutkit knows it from.
        verified: False for a wording that nobody has seen on a real notice yet.
    """

    kind: Literal["header", "wording", "link", "limit"]
    text: str
    source: str
    verified: bool = True


@attrs.frozen(kw_only=True)
class Notice:
    """What a mail claims to be. Whether the claim is true is another question: :func:`optoutkit.authenticate` answers it.

    Attributes:
        kind: Which notice.
        order_ids: The orders it is about, in its order, each once. Empty where only the header tells what it is.
        buyer: The buyer's address, if the notice itself names it; most do not.
        marketplace: The store, if header, display name, alias or links tell; never guessed from the sender's domain or an order ID.
        language: ISO 639-1 code of its language; None if unknown.
        form: How it came.
        sent_at: When it was sent (UTC), never later than it arrived; None if nothing says.
        message_id: The Message-ID of the mail in ``source``; empty if it has none.
        confidence: How sure it is that this is such a notice, 0 to 1, if the mail is genuine.
        evidence: What decided it.
        source: The bytes of the very mail that carries the notice: an attached one, not the one around it. These are to be authenticated.
    """

    kind: NoticeKind
    order_ids: tuple[OrderId, ...]
    buyer: Address | None
    marketplace: Marketplace | None
    language: str | None
    form: Form
    sent_at: datetime | None
    message_id: str
    confidence: float
    evidence: tuple[NoticeEvidence, ...]
    source: bytes = attrs.field(repr=False)
