"""The adapter for the standard library's SMTP clients: ``smtplib.SMTP``, ``SMTP_SSL``, ``LMTP`` and whatever is derived from them."""

import smtplib
from collections.abc import Callable, Iterable
from contextlib import suppress
from email.message import Message as StandardMessage
from email.utils import getaddresses
from typing import Any

import attrs

from optoutkit.errors import Held, Suppressed, UnknownSender
from optoutkit.guard import AsyncGuard, Decision, Guard, Verdict, enveloped
from optoutkit.messages import Message
from optoutkit.senders.proxies import ContextProxy, allowed, encoded, listed, refused_text, with_suppressed

__all__ = ["ADAPTER", "GuardedSMTP", "HeldSMTP", "SmtplibAdapter", "guarded_client"]

_TAKEN = (250, 251)  # RFC 5321 section 3.3


class HeldSMTP(Held, smtplib.SMTPResponseException):
    """Held, also for those who catch the SMTP client's own exceptions: a temporary failure with code 451.

    Its text begins with 4.3.0, "other or undefined mail system status" (RFC 3463 section 3.4): this end's opt-out store is what fails.

    Attributes:
        verdict: The verdict that led to it.
        smtp_code: 451.
        smtp_error: The text, as bytes.
    """

    def __init__(self, message: str, verdict: Verdict | None = None) -> None:
        """Say the same to both kinds of readers."""
        smtplib.SMTPResponseException.__init__(self, 451, f"4.3.0 {message}".encode("ascii", "replace"))
        self.verdict = verdict


class GuardedSMTP(ContextProxy):
    """An SMTP client behind a guard, which ``send_message`` and ``sendmail`` pass, and ``data``.

    The last is for programs that give SMTP's commands one by one, and for methods of a derived class that call ``super().sendmail``,
    which does so. The server has the recipients by then, so that the mail goes to all of them or to none: ``data`` raises
    SMTPDataError with code 550 where one is suppressed.
    """

    _guarded_envelope: list[str]

    def __init__(self, sender: smtplib.SMTP, guard: Guard) -> None:
        super().__init__(sender, guard)
        object.__setattr__(self, "_guarded_envelope", [])

    def send_message(
        self, msg: StandardMessage, from_addr: str | None = None, to_addrs: str | Iterable[str] | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        """See :meth:`smtplib.SMTP.send_message`; suppressed recipients come back as refused."""
        recipients = _header_recipients(msg) if to_addrs is None else listed(to_addrs)
        return self._deliver(
            enveloped(msg, recipients), recipients, lambda to: self._sender.send_message(msg, from_addr, to, *args, **kwargs)
        )

    def sendmail(self, from_addr: str, to_addrs: str | Iterable[str], msg: str | bytes, *args: Any, **kwargs: Any) -> Any:
        """See :meth:`smtplib.SMTP.sendmail`; suppressed recipients come back as refused."""
        recipients = listed(to_addrs)
        return self._deliver(
            enveloped(encoded(msg), recipients), recipients, lambda to: self._sender.sendmail(from_addr, to, msg, *args, **kwargs)
        )

    def mail(self, *args: Any, **kwargs: Any) -> Any:
        """See :meth:`smtplib.SMTP.mail`."""
        self._guarded_envelope.clear()
        return self._sender.mail(*args, **kwargs)

    def rcpt(self, recip: str, *args: Any, **kwargs: Any) -> Any:
        """See :meth:`smtplib.SMTP.rcpt`."""
        reply = self._sender.rcpt(recip, *args, **kwargs)
        if reply[0] in _TAKEN:
            self._guarded_envelope.append(recip)
        return reply

    def data(self, msg: str | bytes) -> Any:
        """See :meth:`smtplib.SMTP.data`; to all recipients that ``rcpt`` named, or to none."""
        if not self._guarded_envelope:
            return self._sender.data(msg)  # the server knows what to say to that

        def send_to_all(verdict: Verdict) -> Any:
            _raise_if_suppressed(verdict)
            return self._sender.data(msg)

        try:
            delivery = self._guard.deliver(enveloped(encoded(msg), self._guarded_envelope), send_to_all, held=HeldSMTP)
            _raise_if_suppressed(delivery.verdict)
        except (Held, Suppressed, smtplib.SMTPDataError):
            with suppress(smtplib.SMTPException):  # what it says to that is less than what is raised
                self._sender.rset()
            raise
        return delivery.answer

    def _deliver(self, message: Message, recipients: list[str], send: Callable[[list[str]], Any]) -> Any:
        if not recipients:
            return send(recipients)  # the client knows what to say to that

        def send_what_may_go(verdict: Verdict) -> Any:
            try:
                return send(allowed(recipients, verdict))
            except smtplib.SMTPRecipientsRefused as error:
                error.recipients = with_suppressed(error.recipients, recipients, verdict, _reply)
                error.args = (error.recipients,)
                raise

        delivery = self._guard.deliver(message, send_what_may_go, held=HeldSMTP)
        if not delivery.verdict.suppressed:
            return delivery.answer
        return with_suppressed(delivery.answer or {}, recipients, delivery.verdict, _reply)


def guarded_client(client: Any, guard: Guard | AsyncGuard) -> Any:
    """What a sender has for its connection: a client of SMTP is put behind the guard as well, all else stays as it is."""
    return guard.wrap(client) if isinstance(client, smtplib.SMTP) else client


@attrs.frozen
class SmtplibAdapter:
    """Puts a :class:`optoutkit.Guard` round an SMTP client of the standard library."""

    wraps: str = "smtplib.SMTP and classes derived from it (Guard)"

    def knows(self, sender: object) -> bool:
        """Whether it is such a client."""
        return isinstance(sender, smtplib.SMTP)

    def wrap(self, sender: smtplib.SMTP, guard: Guard | AsyncGuard) -> GuardedSMTP:
        """Put the guard round it.

        Raises:
            UnknownSender: The guard is an AsyncGuard.
        """
        if not isinstance(guard, Guard):
            raise UnknownSender("smtplib's clients block: wrap them with a Guard, or use aiosmtplib")
        return GuardedSMTP(sender, guard)


ADAPTER = SmtplibAdapter()
"""What the entry point ``smtplib`` of the group ``optoutkit.senders`` leads to."""


def _raise_if_suppressed(verdict: Verdict) -> None:
    if verdict.suppressed:
        raise smtplib.SMTPDataError(*_reply("", verdict.suppressed[0]))


def _reply(_recipient: str, decision: Decision) -> tuple[int, bytes]:
    return 550, refused_text(decision).encode("ascii")


def _header_recipients(message: StandardMessage) -> list[str]:
    """The envelope that ``smtplib.SMTP.send_message`` takes from the headers, read as it does it, in its order."""
    resent = message.get_all("Resent-Date")
    if resent is not None and len(resent) > 1:
        raise ValueError("message has more than one 'Resent-' header block")
    prefix = "Resent-" if resent else ""
    fields = (message[prefix + name] for name in ("To", "Bcc", "Cc"))
    return [address for _, address in getaddresses([str(field) for field in fields if field is not None])]
