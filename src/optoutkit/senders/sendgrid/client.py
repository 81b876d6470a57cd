"""SendGrid's client behind a guard."""

import json
from collections.abc import Callable, Iterable
from http.client import HTTPMessage
from typing import Any

import attrs
import python_http_client
from python_http_client.client import Response
from python_http_client.exceptions import ServiceUnavailableError

from optoutkit.errors import Held, InvalidMessage
from optoutkit.guard import Verdict
from optoutkit.senders.proxies import SenderProxy
from optoutkit.senders.sendgrid.bodies import body_for, messages_in

__all__ = ["GuardedHttpClient", "GuardedSendGrid", "HeldMail"]

_SUPPRESSED = "X-Suppressed"


class HeldMail(Held, ServiceUnavailableError):  # type: ignore[misc]  # the library has no types
    """Held, also for those who catch the client's own exceptions: service unavailable, with HTTP status 503.

    Attributes:
        verdict: The verdict that led to it.
        status_code: 503.
        body: The text, as SendGrid writes its errors.
    """

    def __init__(self, message: str, verdict: Verdict | None = None) -> None:
        """Say the same to both kinds of readers."""
        Exception.__init__(self, message)
        body = json.dumps({"errors": [{"message": message}]}).encode()
        ServiceUnavailableError.__init__(self, 503, "Service Unavailable", body, HTTPMessage())
        self.verdict = verdict


class GuardedSendGrid(SenderProxy):
    """SendGrid's client behind a guard, which ``send`` passes, and ``client.mail.send.post``, where it ends."""

    @property
    def client(self) -> "GuardedHttpClient":
        """The client of the whole API."""
        return GuardedHttpClient(self._sender.client, self._guard)


class GuardedHttpClient(SenderProxy):
    """The client that builds a request from the names of a path; what is posted to ``/mail/send`` passes the guard."""

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        if isinstance(found, python_http_client.Client):
            return GuardedHttpClient(found, self._guard)
        if name == "version":
            return lambda *args, **kwargs: GuardedHttpClient(found(*args, **kwargs), self._guard)
        if name == "post" and _leads_to_mail_send(self._sender._url_path):  # noqa: SLF001 - the library has no other way in
            return lambda request_body=None, *args, **kwargs: self._post(found, request_body, *args, **kwargs)
        return found

    def _build_client(self, name: Any = None) -> "GuardedHttpClient":
        """Where the path grows by a name that is not written as an attribute."""
        return GuardedHttpClient(self._sender._build_client(name), self._guard)  # noqa: SLF001 - the library has no other way in

    def _post(self, post: Callable[..., Any], request_body: Any, *args: Any, **kwargs: Any) -> Any:
        body = _read(request_body)
        messages = messages_in(body)
        if not any(message.to for message in messages):
            return post(request_body, *args, **kwargs)  # SendGrid knows what to say to that

        def send_what_may_go(verdicts: tuple[Verdict, ...]) -> Any:
            if not any(verdict.suppressed for verdict in verdicts):
                return post(request_body, *args, **kwargs)
            shortened = body_for(body, verdicts)
            return post(json.dumps(shortened) if isinstance(request_body, str) else shortened, *args, **kwargs)

        delivery = self._guard.deliver_together(messages, send_what_may_go, held=HeldMail)
        not_sent: Any = _NotSent()
        response = Response(not_sent) if delivery.answer is None else delivery.answer
        for verdict in delivery.verdicts:
            for decision in verdict.suppressed:
                response.headers[_SUPPRESSED] = decision.recipient
        return response


@attrs.frozen
class _NotSent:
    """The answer to a message that nobody gets. SendGrid takes such a one, too, and drops it later, if it is on its own list."""

    def getcode(self) -> int:
        return 202

    def read(self) -> bytes:
        return b""

    def info(self) -> HTTPMessage:
        return HTTPMessage()


def _leads_to_mail_send(url_path: Iterable[Any]) -> bool:
    """Whether a request goes there, however the caller has put the path together."""
    path = "/".join(map(str, url_path)).lower().partition("?")[0]
    return list(filter(None, path.split("/")))[-2:] == ["mail", "send"]


def _read(request_body: Any) -> dict[str, Any]:
    """The body as the API reads it: an object, or its JSON where the caller set a content type of his own."""
    if isinstance(request_body, str):
        try:
            request_body = json.loads(request_body)
        except RecursionError:
            raise InvalidMessage("the body of the request to /mail/send is nested too deeply to be read") from None
        except ValueError:
            return {}
    return request_body if isinstance(request_body, dict) else {}
