"""What the classifier says of a message, and what moved it."""

from typing import Literal

import attrs

from optoutkit.classifier.topics import Topic

__all__ = ["Classification", "Evidence"]


@attrs.frozen(kw_only=True)
class Evidence:
    """A phrase that moved the verdict.

    Attributes:
        part: Where it stands: ``"subject"``, ``"text"`` (what the buyer sees) or ``"alternative"`` (a plain body that differs from the
            HTML shown, or text hidden in it).
        start: Offset of its first code point in ``message.subject``, ``message.text`` or ``message.alternative``.
        end: Offset behind its last one.
        text: The phrase itself.
        weight: How strongly it moved the verdict; positive towards critical, negative away from it.
        label: What its sentence does, such as ``"need:shipping_address"`` or ``"review_request"``.
    """

    part: Literal["subject", "text", "alternative"]
    start: int
    end: int
    text: str
    weight: float
    label: str


@attrs.frozen(kw_only=True)
class Classification:
    """The classifier's answer.

    Attributes:
        critical: Whether the message may go to a buyer who opted out.
        solicits: Whether it asks for feedback or a review, sells, or invites to follow.
        topic: What it is about. A message that mixes bears the topic of what makes it not critical.
        confidence: Calibrated probability (0 to 1) that ``critical`` is right; 0 where there was no text to read.
        language: ISO 639-1 code, None if unknown.
        evidence: What moved the verdict, the strongest first.
    """

    critical: bool
    solicits: bool
    topic: Topic | str
    confidence: float
    language: str | None
    evidence: tuple[Evidence, ...] = ()
