"""A connection of Django's behind a guard."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

from optoutkit.errors import Held
from optoutkit.guard import Verdict
from optoutkit.senders.django.messages import copies_for, messages_in
from optoutkit.senders.proxies import ContextProxy
from optoutkit.senders.smtplib import HeldSMTP, guarded_client

__all__ = ["GuardedConnection", "HeldMessages"]


class HeldMessages(HeldSMTP):
    """Held, also for those who catch what Django's own SMTP backend raises: a temporary failure with code 451.

    Attributes:
        email_messages: The messages that were held, to be sent again; all others of the same call have gone.
    """

    email_messages: Sequence[Any] = ()


class GuardedConnection(ContextProxy):
    """An object of an e-mail backend behind a guard, which ``send_messages`` passes, where all ways of Django's to send end."""

    def __deepcopy__(self, _memo: Any) -> Self:
        """A message keeps the connection that it was sent by, and Django's backend for tests copies messages."""
        return self

    @property
    def connection(self) -> Any:
        """What a backend has for its connection; a client of SMTP is behind the guard as well."""
        return guarded_client(self._sender.connection, self._guard)

    def send_messages(self, email_messages: Iterable[Any]) -> int:
        """See Django's ``BaseEmailBackend.send_messages``: send messages, and count those that were sent.

        Raises:
            Held: Messages must be sent again; in ``email_messages`` are which. Not raised where the backend is to fail silently.
        """
        mails = list(email_messages or ())
        sending = _Sending(self._sender, keeps_open=len(mails) > 1)
        count, waiting = 0, []
        try:
            for mail in mails:
                try:
                    count += self._send_guarded(mail, sending)
                except Held as error:
                    waiting.append((mail, error))
        finally:
            sending.end()
        if waiting and not self._is_silent:
            first: Any = waiting[0][1]
            first.email_messages = [mail for mail, _ in waiting]
            raise first
        return count

    def _send_guarded(self, mail: Any, sending: "_Sending") -> int:
        inner = self._sender
        if not mail.recipients():
            return sending.send([mail])  # the backend knows what to say to that
        if not _is_anymail(inner):
            delivery = self._guard.deliver_together(
                messages_in(mail, {}), lambda verdicts: sending.send(copies_for(mail, verdicts, needs_to=False)), held=HeldMessages
            )
            return delivery.answer or 0
        return self._send_by_anymail(mail, sending)

    def _send_by_anymail(self, mail: Any, sending: "_Sending") -> int:
        from optoutkit.senders.django.anymail import HeldByAnymail, report  # noqa: PLC0415 - imports the library

        def send_what_may_go(verdicts: tuple[Verdict, ...]) -> int:
            copies = copies_for(mail, verdicts, needs_to=True)
            try:
                return min(sending.send(copies), 1)
            finally:
                report(mail, copies, verdicts)

        messages = messages_in(mail, self._sender.send_defaults)
        delivery = self._guard.deliver_together(messages, send_what_may_go, held=HeldByAnymail)
        if delivery.answer is None:
            report(mail, (), delivery.verdicts)
        return delivery.answer or 0

    @property
    def _is_silent(self) -> bool:
        inner = self._sender
        if issubclass(type(inner), GuardedConnection):
            silent: bool = inner._is_silent  # noqa: SLF001 - of its own class
            return silent
        own = vars(inner)  # Django 6.1 warns of the attribute where a backend has none of its own
        return bool(own.get("fail_silently", own.get("_fail_silently", False)))


def _is_anymail(connection: Any) -> bool:
    library: Any = sys.modules.get("anymail.backends.base")
    return library is not None and isinstance(connection, library.AnymailBaseBackend)


class _Sending:
    """One call of ``send_messages``: it opens the connection when the first of several messages goes, as the backend itself would."""

    def __init__(self, connection: Any, *, keeps_open: bool) -> None:
        self._connection = connection
        self._open: Callable[[], Any] | None = connection.open if keeps_open else None
        self._was_opened = False

    def send(self, mails: list[Any]) -> int:
        if not mails:
            return 0
        if self._open is not None:
            self._was_opened, self._open = bool(self._open()), None
        return self._connection.send_messages(mails) or 0

    def end(self) -> None:
        if self._was_opened:
            self._connection.close()
