"""What django-anymail's backends have beside Django's: a status for each recipient, and exceptions of their own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from anymail.message import AnymailRecipientStatus, AnymailStatus

from optoutkit.errors import Held
from optoutkit.guard import Verdict

if TYPE_CHECKING:  # the library has no types, and a class of unknown kind would leave ours untyped

    class AnymailAPIError(Exception):
        def __getattr__(self, name: str) -> Any: ...

else:
    from anymail.exceptions import AnymailAPIError

__all__ = ["HeldByAnymail", "report"]


class HeldByAnymail(Held, AnymailAPIError):
    """Held, also for those who catch anymail's own exceptions.

    Attributes:
        verdict: The verdict that led to it.
        email_messages: See :class:`optoutkit.senders.django.connection.HeldMessages`.
    """

    email_messages: Sequence[Any] = ()

    def __init__(self, message: str, verdict: Verdict | None = None) -> None:
        """Say the same to both kinds of readers."""
        AnymailAPIError.__init__(self, message)
        self.verdict = verdict


def report(mail: Any, copies: Sequence[Any], verdicts: Sequence[Verdict]) -> None:
    """Note on the caller's message, where anymail notes it, what became of each recipient: suppressed ones are rejected."""
    suppressed = [decision.recipient for verdict in verdicts for decision in verdict.suppressed]
    if not suppressed:
        return
    status = AnymailStatus()
    for sent in (copied.anymail_status for copied in copies if hasattr(copied, "anymail_status")):
        status.set_recipient_status(sent.recipients)
        status.esp_response = sent.esp_response
    status.set_recipient_status(dict.fromkeys(suppressed, AnymailRecipientStatus(message_id=None, status="rejected")))
    mail.anymail_status = status
