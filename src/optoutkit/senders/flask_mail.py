"""The adapter for Flask-Mail: ``Mail``, and the connections that it gives. It never imports the library."""

import copy
import sys
from collections.abc import Sequence
from typing import Any

import attrs

from optoutkit.errors import UnknownSender
from optoutkit.guard import Action, AsyncGuard, Guard, Verdict, enveloped
from optoutkit.senders.proxies import ContextProxy, SenderProxy
from optoutkit.senders.smtplib import HeldSMTP, guarded_client

__all__ = ["ADAPTER", "FlaskMailAdapter", "GuardedConnection", "GuardedMail"]

_FIELDS = ("recipients", "cc", "bcc")


class GuardedConnection(ContextProxy):
    """A connection behind a guard, which ``send`` passes, where all ways of Flask-Mail's to send end."""

    @property
    def host(self) -> Any:
        """The client of SMTP, behind the guard as well; None where nothing is sent."""
        return guarded_client(self._sender.host, self._guard)

    def send(self, message: Any, *args: Any, **kwargs: Any) -> Any:
        """See Flask-Mail's ``Connection.send``, which tells nobody of refused recipients as long as there are others."""
        recipients = _recipients(message)
        if not recipients or not message.sender or message.has_bad_headers():
            return self._sender.send(message, *args, **kwargs)  # which raises

        def send_what_may_go(verdict: Verdict) -> Any:
            return self._sender.send(_copy_for(message, verdict) if verdict.suppressed else message, *args, **kwargs)

        return self._guard.deliver(enveloped(message.as_bytes(), recipients), send_what_may_go, held=HeldSMTP).answer


class GuardedMail(SenderProxy):
    """Flask-Mail's ``Mail`` behind a guard: its connections are guarded."""

    def connect(self) -> GuardedConnection:
        """See Flask-Mail's ``Mail.connect``."""
        return GuardedConnection(self._sender.connect(), self._guard)


@attrs.frozen
class FlaskMailAdapter:
    """Puts a :class:`optoutkit.Guard` round what Flask-Mail sends with."""

    wraps: str = "flask_mail.Mail and the connections that it gives (Guard)"

    def knows(self, sender: object) -> bool:
        """Whether it comes from Flask-Mail; what an app has as ``extensions["mail"]``, too."""
        library: Any = sys.modules.get("flask_mail")
        return library is not None and isinstance(sender, (library.Mail, library._Mail, library.Connection))  # noqa: SLF001 - see above

    def wrap(self, sender: Any, guard: Guard | AsyncGuard) -> Any:
        """Put the guard round it.

        Raises:
            UnknownSender: The guard is an AsyncGuard.
        """
        if not isinstance(guard, Guard):
            raise UnknownSender("Flask-Mail blocks: wrap it with a Guard")
        return GuardedMail(sender, guard) if hasattr(type(sender), "connect") else GuardedConnection(sender, guard)


ADAPTER = FlaskMailAdapter()
"""What the entry point ``flask_mail`` of the group ``optoutkit.senders`` leads to."""


def _recipients(message: Any) -> list[str]:
    """The envelope, each once, in the order of the message. Flask-Mail makes a set of it."""
    return list(dict.fromkeys(_given(entry) for field in _FIELDS for entry in getattr(message, field) or ()))


def _given(entry: str | Sequence[str]) -> str:
    """A recipient is a string, or a pair of name and address."""
    return entry if isinstance(entry, str) else entry[1]


def _copy_for(message: Any, verdict: Verdict) -> Any:
    allowed = {decision.recipient for decision in verdict.decisions if decision.action is Action.SEND}
    shortened = copy.copy(message)
    for field in _FIELDS:
        setattr(shortened, field, [entry for entry in getattr(message, field) or () if _given(entry) in allowed])
    return shortened
