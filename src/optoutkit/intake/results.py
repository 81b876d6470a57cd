"""What became of a mail that the intake was given."""

import enum
import hashlib

import attrs

from optoutkit.authentication import Authentication
from optoutkit.identities import Digest, OrderId
from optoutkit.notices import Notice
from optoutkit.optouts import OptOut

__all__ = ["IntakeResult", "IntakeStatus", "mail_id"]


class IntakeStatus(enum.StrEnum):
    """What became of a mail."""

    RECORDED = "recorded"
    """It is a notice of an opt-out, and something in it was new to the store."""
    KNOWN = "known"
    """It is one, and the store had it all."""
    IGNORED = "ignored"
    """It is none; a notice of another kind is in the result."""
    QUARANTINED = "quarantined"
    """It may be one, and nothing was recorded: it is not trusted enough, names nobody, or cannot be read."""
    RETRY = "retry"
    """DNS or the store did not answer: the mail is to stay where it is, and be given again later.

    Three days after it was first tried it is set aside instead, where there is a folder for that.
    """


@attrs.frozen(kw_only=True)
class IntakeResult:
    """What became of a mail, and why.

    Attributes:
        status: What became of it.
        mail_id: Names the mail in logs and in the quarantine: a digest of its bytes, 16 hexadecimal digits.
        reason: Why, in a few words for people; it names no address and no order. Empty where the status says it all.
        notice: What the mail says; once it is proved, only what the proof covers.
        authentication: How far it is trusted, by the intake's rules, too; None where nobody had to ask.
        recorded: The opt-outs that are in the store now because of it.
        contradicted: Orders that the store knows to belong to another buyer than the mail says; it was not believed in that.
        is_set_aside: Whether a copy of it lies in the quarantine folder.
    """

    status: IntakeStatus
    mail_id: str
    reason: str = ""
    notice: Notice | None = None
    authentication: Authentication | None = None
    recorded: tuple[OptOut, ...] = ()
    contradicted: tuple[OrderId | Digest, ...] = ()
    is_set_aside: bool = False

    @property
    def is_done(self) -> bool:
        """Whether the mail may be marked as read: what matters of it is in the store or in the quarantine folder.

        False after RETRY, and after QUARANTINED where there is no quarantine folder: the mail is then nowhere but where it was.
        """
        return self.status is not IntakeStatus.RETRY and (self.status is not IntakeStatus.QUARANTINED or self.is_set_aside)


def mail_id(raw: bytes) -> str:
    """A short name for a mail by which nobody can tell what is in it."""
    return hashlib.blake2b(raw, digest_size=8, person=b"optoutkit mail").hexdigest()
