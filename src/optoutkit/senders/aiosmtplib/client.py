"""aiosmtplib behind a guard."""

import functools
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from email.message import Message as StandardMessage
from types import TracebackType
from typing import Any, Self

import aiosmtplib
from aiosmtplib.email import extract_recipients

from optoutkit.errors import Held, Suppressed
from optoutkit.guard import AsyncGuard, Decision, Verdict, enveloped
from optoutkit.senders.proxies import SenderProxy, allowed, encoded, listed, refused_text, with_suppressed

__all__ = ["GuardedSMTP", "HeldSMTP", "guarded"]

Answer = tuple[dict[str, aiosmtplib.SMTPResponse], str]


class HeldSMTP(Held, aiosmtplib.SMTPResponseException):
    """Held, also for those who catch aiosmtplib's own exceptions: a temporary failure with code 451.

    Its text begins with 4.3.0, "other or undefined mail system status" (RFC 3463 section 3.4).

    Attributes:
        verdict: The verdict that led to it.
        code: 451.
        message: The text.
    """

    def __init__(self, message: str, verdict: Verdict | None = None) -> None:
        """Say the same to both kinds of readers."""
        aiosmtplib.SMTPResponseException.__init__(self, 451, f"4.3.0 {message}")
        self.verdict = verdict


class GuardedSMTP(SenderProxy):
    """An aiosmtplib client behind a guard, which ``send_message`` and ``sendmail`` pass, and ``data``.

    ``send_message_sync`` and ``sendmail_sync`` end in the first two. ``data`` is for programs that give SMTP's commands one by one, and
    for methods of a derived class that call ``super().sendmail``, which does so. The server has the recipients by then, so that the mail
    goes to all of them or to none: ``data`` raises SMTPDataError with code 550 where one is suppressed.
    """

    _guarded_envelope: list[str]

    def __init__(self, sender: aiosmtplib.SMTP, guard: AsyncGuard) -> None:
        super().__init__(sender, guard)
        object.__setattr__(self, "_guarded_envelope", [])

    async def __aenter__(self) -> Self:
        await self._sender.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> Any:
        return await self._sender.__aexit__(kind, error, trace)

    async def send_message(self, message: StandardMessage, /, *, recipients: str | Iterable[str] | None = None, **kwargs: Any) -> Answer:
        """See :meth:`aiosmtplib.SMTP.send_message`; suppressed recipients come back as refused."""
        return await _deliver(self._guard, message, recipients, lambda to: self._sender.send_message(message, recipients=to, **kwargs))

    async def sendmail(self, sender: str, recipients: str | Iterable[str], message: str | bytes, /, **kwargs: Any) -> Answer:
        """See :meth:`aiosmtplib.SMTP.sendmail`; suppressed recipients come back as refused."""
        return await _deliver(self._guard, message, recipients, lambda to: self._sender.sendmail(sender, to, message, **kwargs))

    async def mail(self, sender: str, /, **kwargs: Any) -> Any:
        """See :meth:`aiosmtplib.SMTP.mail`."""
        self._guarded_envelope.clear()
        return await self._sender.mail(sender, **kwargs)

    async def rcpt(self, recipient: str, /, **kwargs: Any) -> Any:
        """See :meth:`aiosmtplib.SMTP.rcpt`, which raises where the server does not take the recipient."""
        response = await self._sender.rcpt(recipient, **kwargs)
        self._guarded_envelope.append(recipient)
        return response

    async def data(self, message: str | bytes, /, **kwargs: Any) -> Any:
        """See :meth:`aiosmtplib.SMTP.data`; to all recipients that ``rcpt`` named, or to none."""
        if not self._guarded_envelope:
            return await self._sender.data(message, **kwargs)  # the server knows what to say to that

        async def send_to_all(verdict: Verdict) -> Any:
            _raise_if_suppressed(verdict)
            return await self._sender.data(message, **kwargs)

        try:
            delivery = await self._guard.deliver(enveloped(encoded(message), self._guarded_envelope), send_to_all, held=HeldSMTP)
            _raise_if_suppressed(delivery.verdict)
        except (Held, Suppressed, aiosmtplib.SMTPDataError):
            with suppress(aiosmtplib.SMTPException):  # what it says to that is less than what is raised
                await self._sender.rset()
            raise
        return delivery.answer


def guarded(sender: Any, guard: AsyncGuard) -> Any:
    """An aiosmtplib client, or aiosmtplib's ``send``, behind a guard."""
    return _guarded_send(sender, guard) if sender is aiosmtplib.send else GuardedSMTP(sender, guard)


def _guarded_send(send: Callable[..., Awaitable[Answer]], guard: AsyncGuard) -> Callable[..., Awaitable[Answer]]:
    """``aiosmtplib.send`` behind a guard; with all recipients suppressed it does not even connect."""

    @functools.wraps(send)
    async def guarded(message: StandardMessage | str | bytes, /, *, recipients: str | Iterable[str] | None = None, **kwargs: Any) -> Answer:
        return await _deliver(guard, message, recipients, lambda to: send(message, recipients=to, **kwargs))

    return guarded


async def _deliver(
    guard: AsyncGuard,
    mail: StandardMessage | str | bytes,
    recipients: str | Iterable[str] | None,
    send: Callable[[list[str]], Awaitable[Answer]],
) -> Answer:
    if recipients is None and isinstance(mail, StandardMessage):
        recipients = extract_recipients(mail)
    envelope = listed(recipients or ())
    if not envelope:
        return await send(envelope)  # the library knows what to say to that

    async def send_what_may_go(verdict: Verdict) -> Answer:
        try:
            return await send(allowed(envelope, verdict))
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = {refusal.recipient: refusal for refusal in error.recipients}
            error.recipients = list(with_suppressed(refused, envelope, verdict, _refusal).values())
            error.args = (error.recipients,)
            raise

    delivery = await guard.deliver(enveloped(encoded(mail), envelope), send_what_may_go, held=HeldSMTP)
    refused, answer = delivery.answer or ({}, "")
    return with_suppressed(refused, envelope, delivery.verdict, _response), answer


def _raise_if_suppressed(verdict: Verdict) -> None:
    if verdict.suppressed:
        raise aiosmtplib.SMTPDataError(550, refused_text(verdict.suppressed[0]))


def _response(_recipient: str, decision: Decision) -> aiosmtplib.SMTPResponse:
    return aiosmtplib.SMTPResponse(550, refused_text(decision))


def _refusal(recipient: str, decision: Decision) -> aiosmtplib.SMTPRecipientRefused:
    return aiosmtplib.SMTPRecipientRefused(550, refused_text(decision), recipient)
