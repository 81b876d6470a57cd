"""From a raw mail to the notices in it."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import Message as StandardMessage
from functools import cache

from optoutkit.notices.mails import MailReader
from optoutkit.notices.screening import Screen
from optoutkit.notices.values import Form, Notice, NoticeKind
from optoutkit.notices.wordings import load_wordings
from optoutkit.text.mime import Limits, raw_bytes

__all__ = ["NoticeParser", "parse_notice"]

_DEFAULT_LIMITS = Limits()
_FORMS = tuple(Form)  # the surest first
_KINDS = tuple(NoticeKind)  # the one that matters most first


class NoticeParser:
    r"""Reads Amazon's notices.

    Args:
        limits: What is too much of a mail.
        wordings: TOML files with further wordings or notification types, in the form of those that ship with the package;
            see :mod:`optoutkit.notices.wordings`.

    Raises:
        InvalidInput: One of the files cannot be used; the text says which and why.

    Example:
        >>> NoticeParser(limits=Limits(max_bytes=1_000_000)).parse(b"Subject: hello\n\nWhen will it arrive?") is None
        True
    """

    def __init__(self, *, limits: Limits = _DEFAULT_LIMITS, wordings: Iterable[str | os.PathLike[str]] = ()) -> None:
        """Load the wordings."""
        self._limits = limits
        self._wordings = load_wordings(wordings)
        self._screen = Screen(self._wordings)

    def parse(self, raw: bytes | StandardMessage) -> Notice | None:
        """Read a mail as a notice.

        Where it holds several of one kind, as a digest does, they are given as one with the orders of all; its ``source`` is then the whole
        mail, because no single part speaks for all of them. Of several kinds opt-outs come first. :meth:`parse_all` gives each by itself.

        Args:
            raw: A raw mail, or a message object of the standard library.

        Returns:
            None if it is no notice.

        Raises:
            MessageTooLarge: The mail is beyond the limits. No bytes make it raise anything else.
            InvalidMessage: ``raw`` is neither bytes nor a message object that can be written out.
        """
        data = raw_bytes(raw)
        return _as_one(self.parse_all(data), data)

    def parse_all(self, raw: bytes | StandardMessage) -> tuple[Notice, ...]:
        """Read every notice that a mail holds, in its order, each with the bytes of the very mail that carries it.

        Raises:
            MessageTooLarge: As for :meth:`parse`.
            InvalidMessage: As for :meth:`parse`.
        """
        reader = MailReader(wordings=self._wordings, screen=self._screen, limits=self._limits, now=datetime.now(UTC))
        return tuple(reader.read(raw_bytes(raw)))


def parse_notice(raw: bytes | StandardMessage) -> Notice | None:
    r"""Read a mail as one of Amazon's notices about a message that was not delivered.

    What decides is the clause that gives the reason, or Amazon's own notification type in the header; a newsletter, a question or a
    buyer that quotes such a notice is none. Whether the mail is what it claims to be is for :func:`optoutkit.authenticate` to find out.

    Args:
        raw: A raw mail, or a message object of the standard library.

    Returns:
        The notice; None if it is none.

    Raises:
        MessageTooLarge: The mail has more than 32 MB, 1,000 parts, 50 levels or 1 MB of header; :class:`NoticeParser` takes other
            limits. No bytes make it raise anything else.
        InvalidMessage: ``raw`` is neither bytes nor a message object that can be written out.

    Example:
        >>> notice = parse_notice(
        ...     b"From: Amazon.com <auto-communication@amazon.com>\n\nDear Seller,\n\nWe were unable to deliver the message you sent "
        ...     b"for order [112-1234567-7654321] because the buyer has chosen to opt out of receiving unsolicited messages from sellers."
        ... )
        >>> notice.kind, notice.order_ids
        (<NoticeKind.OPT_OUT: 'opt_out'>, (OrderId('112-1234567-7654321'),))
    """
    return _parser().parse(raw)


@cache
def _parser() -> NoticeParser:
    return NoticeParser()


def _as_one(notices: tuple[Notice, ...], raw: bytes) -> Notice | None:
    """One notice for all those of one kind: opt-outs, if there are any."""
    if not notices:
        return None
    kind = min((notice.kind for notice in notices), key=_KINDS.index)
    alike = [notice for notice in notices if notice.kind is kind]
    if len(alike) == 1:
        return alike[0]
    orders = tuple(dict.fromkeys(order for notice in alike for order in notice.order_ids))
    # The same notice may come twice: attached, and written into the text. Then the surest form of it is the one.
    for notice in sorted(alike, key=lambda notice: _FORMS.index(notice.form)):
        if set(notice.order_ids) == set(orders):
            return notice
    first = alike[0]

    def common(values: Iterable[object]) -> bool:
        return len(set(values)) == 1

    times = [notice.sent_at for notice in alike if notice.sent_at]
    is_one_mail = common(notice.source for notice in alike)
    return Notice(
        kind=first.kind,
        order_ids=orders,
        buyer=first.buyer if common(notice.buyer for notice in alike) else None,
        marketplace=first.marketplace if common(notice.marketplace for notice in alike) else None,
        language=first.language if common(notice.language for notice in alike) else None,
        form=max((notice.form for notice in alike), key=_FORMS.index),
        sent_at=min(times, default=None),
        message_id=first.message_id if is_one_mail else "",
        confidence=min(notice.confidence for notice in alike),
        evidence=tuple(evidence for notice in alike for evidence in notice.evidence),
        source=first.source if is_one_mail else raw,
    )
