"""A folder on an IMAP server: which of its mails are still to be taken in, and how they are marked when they are."""

import functools
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from optoutkit.errors import InvalidInput, SourceUnavailable
from optoutkit.sources.imap.session import Refused, Session
from optoutkit.sources.imap.uri import ImapUri
from optoutkit.sources.item import MAX_BYTES, Item
from optoutkit.sources.later import Later

__all__ = ["ImapMailbox", "read_imap"]

_RENEWAL = 10 * 60.0  # seconds; RFC 2177 asks for less than 29 minutes, and routers on the way forget a silent connection sooner
_MOST_FAILURES = 3
_RECONNECT_AFTER = (0.0, 1.0, 2.0, 4.0)


class ImapMailbox:
    r"""A folder on an IMAP server, over as many connections as it takes.

    The server is the memory: what was taken in is flagged there or moved away, and all else comes again. So a run that was killed loses
    nothing, and at worst takes the last mail in twice.

    Args:
        uri: Such as ``imaps://me@imap.shop.example/Notices``.
        max_bytes: No more of any one mail is read, and one byte, which makes a parser with this limit refuse it.
        later: When mails that were left come again.

    Attributes:
        name: The host and the folder.

    Raises:
        InvalidUri: It lacks a part, or an option is wrong.
    """

    def __init__(self, uri: str, *, max_bytes: int = MAX_BYTES, later: Later[int] | None = None) -> None:
        self._uri = ImapUri.parse(uri)
        self._max_bytes = max_bytes
        self._session: Session | None = None
        self._validity: int | None = None
        self._later: Later[int] = later or Later()
        self._saved: set[int] = set()  # and not yet marked
        self._unread: set[int] = set()
        self._unmarked: set[int] = set()
        self._suspects: Counter[int] = Counter()  # how often the connection was lost while a mail was fetched
        self._has_found = self._had_told = False
        self.name: str = self._uri.name

    def open(self) -> None:
        """Connect, unless that is done, and look whether the folder can be used.

        Raises:
            InvalidInput: It is not there or cannot be used, or the server refuses the user or the password.
            SourceUnavailable: The server does not answer.
        """
        self._ready()

    def look(self) -> Iterator[Item]:
        """Fetch the mails that wait, the oldest first, but for those that were left a short while ago.

        An item is to be marked before the next one is asked for, as :func:`optoutkit.sources.feed` does.

        Raises:
            InvalidInput: As :meth:`open` does; or some mails could not be read or marked, and then this is raised when all others have
                been.
            SourceUnavailable: The server does not answer, or went away. Ask again: what was marked does not come again.
        """
        session, waiting = self._ready()
        self._has_found = bool(waiting)
        for uid in sorted(waiting, key=lambda uid: (self._suspects[uid], uid)):
            try:
                mail = session.fetch(uid)
            except Refused:
                self._give_up(uid)
                continue
            except SourceUnavailable:
                self._suspects[uid] += 1
                if self._suspects[uid] == _MOST_FAILURES:  # it may be the mail's fault
                    self._give_up(uid)
                raise
            del self._suspects[uid]
            if mail is not None:
                yield Item(
                    name=f"{self.name}#{uid}",
                    raw=mail.raw,
                    arrived=mail.arrived,
                    done=functools.partial(self._done, self._validity, uid),
                    leave=functools.partial(self._later.put_off, uid),
                )
        problems = [
            f"{count} {problem}"
            for count, problem in ((len(self._unread), "cannot be read"), (len(self._unmarked), "cannot be marked or moved"))
            if count
        ]
        self._unread.clear()
        self._unmarked.clear()
        if problems:
            raise InvalidInput(f"of the mails in {self.name} {' and '.join(problems)}, so that they come again")

    def listen(self) -> tuple[socket.socket | None, float | None]:
        """Ask the server to tell of new mail.

        Returns:
            A socket on which something is to be read as soon as there is news, if this server can do that, and after how many seconds
            to look in any case; None where that is for the caller to decide.

        Raises:
            SourceUnavailable: The server went away.
        """
        connection, has_told = self._awake().idle()
        if connection is None:
            return None, None
        if has_told and (self._has_found or not self._had_told):  # some servers always say something
            self._had_told = True
            return None, 0.0
        self._had_told = False
        return connection, min(_RENEWAL, self._later.seconds)

    def close(self) -> None:
        """Log out."""
        if self._session is not None:
            self._session.close()

    def _ready(self) -> tuple[Session, list[int]]:
        """A session that has the folder selected, and the mails in it that are due."""
        session = self._awake()
        selected = session.select(self._uri.folder)
        if selected.validity != self._validity:  # the numbers of mails mean other mails than before, RFC 9051 section 2.3.1.1
            self._validity = selected.validity
            self._later.keep(())
            self._saved.clear()
            self._suspects.clear()
        if not self._uri.move and not selected.keeps(self._uri.flag):
            raise InvalidInput(f"{self.name} does not keep the flag {self._uri.flag}; try flag=Seen, or move=FOLDER")
        for uid in sorted(self._saved):
            self._mark(session, uid)
        waiting = session.search(self._criteria(), selected.count)
        self._later.keep(set(waiting))
        return session, [uid for uid in waiting if self._later.is_due(uid)]

    def _awake(self) -> Session:
        """A session that takes commands."""
        if self._session is not None and self._session.is_idle:
            try:
                self._session.end_idle()
            except (SourceUnavailable, Refused):  # many servers hang up after a while, which is nothing to speak of
                self._session.close()
        if self._session is None or not self._session.is_open:
            self._session = None
            session = Session(self._uri, max_bytes=self._max_bytes)
            self._session = session
            if self._uri.move:
                session.make_folder(self._uri.move)
        return self._session

    def _criteria(self) -> list[str]:
        if self._uri.move:
            return ["UNDELETED"]
        if self._uri.flag.startswith("\\"):
            return ["UNDELETED", f"UN{self._uri.flag[1:].upper()}"]
        return ["UNDELETED", "UNKEYWORD", self._uri.flag]

    def _done(self, validity: int | None, uid: int) -> None:
        """Mark a mail that is saved, at once or, if the server is away, when it is back."""
        if validity == self._validity:
            self._saved.add(uid)
            if self._session is not None and self._session.is_open:
                with suppress(SourceUnavailable):
                    self._mark(self._session, uid)

    def _give_up(self, uid: int) -> None:
        """Leave a mail that the server does not hand out to a later time: those behind it shall not wait for it."""
        del self._suspects[uid]
        self._unread.add(uid)
        self._later.put_off(uid)

    def _mark(self, session: Session, uid: int) -> None:
        try:
            if self._uri.move:
                session.move(uid, self._uri.move)
            else:
                session.flag(uid, self._uri.flag)
        except Refused:
            self._unmarked.add(uid)
            self._later.put_off(uid)
        self._saved.discard(uid)


def read_imap(uri: str, *, max_bytes: int = MAX_BYTES) -> Iterator[Item]:
    r"""Read the mails of a folder on an IMAP server that have not been taken in yet, the oldest first.

    Args:
        uri: ``imaps://USER@HOST/FOLDER``, or ``imap://`` for a server that begins TLS with STARTTLS. The options that may follow a ``?``
            are told on the page :doc:`mailboxes`.
        max_bytes: No more of any one mail is read, and one byte, which makes a parser with this limit refuse it.

    Raises:
        InvalidUri: The URI lacks a part, or an option is wrong.
        InvalidInput: The folder is not there or cannot be used, the server refuses the user or the password, or mails could not be marked.
        SourceUnavailable: The server does not answer; or it went away, and did not come back within a few seconds.
        MissingExtra: IMAPClient is not installed.
    """
    return _read(ImapMailbox(uri, max_bytes=max_bytes))


def _read(mailbox: ImapMailbox) -> Iterator[Item]:
    try:
        mailbox.open()
        delays = iter(_RECONNECT_AFTER)
        while True:
            try:
                for item in mailbox.look():
                    yield item
                    delays = iter(_RECONNECT_AFTER)
            except SourceUnavailable:
                delay = next(delays, None)
                if delay is None:
                    raise
                time.sleep(delay)
            else:
                return
    finally:
        mailbox.close()
