"""A client of Amazon SES behind a guard."""

from typing import TYPE_CHECKING, Any

from optoutkit.errors import Held
from optoutkit.guard import Verdict
from optoutkit.senders.proxies import SenderProxy
from optoutkit.senders.ses.calls import read_call

if TYPE_CHECKING:  # the library has no types, and a class of unknown kind would leave ours untyped

    class ClientError(Exception):
        def __getattr__(self, name: str) -> Any: ...

else:
    from botocore.exceptions import ClientError

__all__ = ["GuardedSes", "HeldEmail"]


class HeldEmail(Held, ClientError):
    """Held, also for those who catch boto3's own exceptions: a ``ServiceUnavailable`` with HTTP status 503.

    Attributes:
        verdict: The verdict that led to it.
        response: What boto3 would have made of such an answer.
    """

    def __init__(self, message: str, verdict: Verdict | None = None) -> None:
        """Say the same to both kinds of readers."""
        error = {"Code": "ServiceUnavailable", "Message": message}
        ClientError.__init__(self, {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 503, "RetryAttempts": 0}}, "SendEmail")
        self.verdict = verdict


class GuardedSes(SenderProxy):
    """A client of SES behind a guard, which every operation passes that sends mail of the caller's.

    These are ``send_email``, ``send_raw_email``, ``send_templated_email`` and ``send_bulk_templated_email`` of ``ses``, and
    ``send_email`` and ``send_bulk_email`` of ``sesv2``. Bounces and SES's own verification mails are none of the guard's business.
    """

    def _make_api_call(self, operation_name: str, api_params: dict[str, Any]) -> Any:
        """Where all operations of a client end."""
        call = read_call(self._sender.meta.service_model.service_name, operation_name, api_params)
        if call is None or not any(message.to for message in call.messages):
            return self._sender._make_api_call(operation_name, api_params)  # noqa: SLF001 - the client knows what to say to that

        def send_what_may_go(verdicts: tuple[Verdict, ...]) -> Any:
            suppressed = any(verdict.suppressed for verdict in verdicts)
            return self._sender._make_api_call(operation_name, call.params_for(verdicts) if suppressed else api_params)  # noqa: SLF001 - botocore has no other way in

        delivery = self._guard.deliver_together(call.messages, send_what_may_go, held=HeldEmail, not_taken=call.not_taken)
        if not any(verdict.suppressed for verdict in delivery.verdicts):
            return delivery.answer
        return call.answer(delivery.verdicts, delivery.answer)
