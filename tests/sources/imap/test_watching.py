"""Mailboxes that are read as mail comes in."""

import mailbox
import queue
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from optoutkit.errors import InvalidInput, SourceUnavailable
from optoutkit.sources import Stop, open_mailbox, watch
from optoutkit.sources.imap import ImapMailbox
from optoutkit.sources.later import Later

from .conftest import DEADLINE

LONG = 3600.0
Scripted = Callable[..., Any]


class Watching:
    """A watch in a thread: what it yields is marked, but for mails that are to be left, and can be waited for, as can what it tells."""

    def __init__(self, mailboxes: list[Any], interval: float) -> None:
        self.stop = Stop()
        self.items: queue.Queue[str] = queue.Queue()
        self.told: queue.Queue[str] = queue.Queue()
        self.leave = False
        self._thread = threading.Thread(target=self._run, args=(mailboxes, interval))
        self._thread.start()

    def _run(self, mailboxes: list[Any], interval: float) -> None:
        for item in watch(mailboxes, stop=self.stop, tell=self.told.put, interval=interval):
            (item.leave if self.leave else item.done)()
            self.items.put(item.name)

    def item(self) -> str:
        """The name of the next mail."""
        return self.items.get(timeout=DEADLINE)

    def trouble(self) -> str:
        """What is told next."""
        return self.told.get(timeout=DEADLINE)

    def close(self) -> None:
        """End it."""
        self.stop.set()
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()


@pytest.fixture
def watching() -> Iterator[Callable[..., Watching]]:
    """Watch mailboxes, by their names or as they are."""
    all_of_them: list[Watching] = []

    def start(*mailboxes: Any, interval: float = LONG) -> Watching:
        opened = [open_mailbox(one) if isinstance(one, str | Path) else one for one in mailboxes]
        all_of_them.append(Watching(opened, interval))
        return all_of_them[-1]

    yield start
    for one in all_of_them:
        one.close()


def test_new_mail_by_idle(box: Any, mail: bytes, watching: Callable[..., Watching]) -> None:
    """It comes as soon as it is there, and is marked; nobody waits for the interval."""
    box.deliver(mail % b"1")
    watch = watching(box.uri)
    for uid in (1, 2, 3):
        assert watch.item() == f"127.0.0.1/INBOX#{uid}"
        box.deliver(mail % b"more")
    assert watch.item().endswith("#4")
    assert set(map(frozenset, box.flags().values())) == {frozenset({"\\Seen"})}


def test_over_tls(box: Any, mail: bytes, watching: Callable[..., Watching]) -> None:
    """News may lie in the buffers of TLS, of which the socket knows nothing."""
    from .conftest import CERTIFICATE

    watch = watching(f"imaps://{box.user}@localhost:{box.server.tls_port}?ca={CERTIFICATE}")
    for uid in (1, 2, 3):
        box.deliver(mail % b"x")
        assert watch.item() == f"localhost/INBOX#{uid}"


def test_a_server_without_idle(bare_dovecot: Any, mail: bytes, watching: Callable[..., Watching]) -> None:
    """It is asked from time to time."""
    box = bare_dovecot.box()
    watch = watching(box.uri, interval=0.05)
    for uid in (1, 2):
        box.deliver(mail % b"x")
        assert watch.item().endswith(f"#{uid}")


def test_a_server_that_goes_away_and_comes_back(own_dovecot: Any, mail: bytes, watching: Callable[..., Watching]) -> None:
    """It is told once that it is away, and that it is back; nothing is missed."""
    box = own_dovecot.box()
    box.deliver(mail % b"1")
    watch = watching(box.uri)
    assert watch.item().endswith("#1")
    own_dovecot.kill()
    told = [watch.trouble()]
    own_dovecot.start()
    box.deliver(mail % b"2")
    assert watch.item().endswith("#2")
    while told[-1] != "127.0.0.1/INBOX works again":
        told.append(watch.trouble())
    possible = {  # killed while it waited, while it did something else, or while it tried again
        "cannot connect to 127.0.0.1: Connection refused; trying again",
        "cannot connect to 127.0.0.1: Connection reset by peer; trying again",
        "the connection to 127.0.0.1 was lost; trying again",
    }
    assert len(told) == len(set(told)) <= 1 + len(possible)
    assert set(told[:-1]) <= possible


def test_a_server_that_is_away_from_the_beginning(own_dovecot: Any, mail: bytes, watching: Callable[..., Watching]) -> None:
    """It is waited for."""
    box = own_dovecot.box()
    box.deliver(mail % b"1")
    own_dovecot.kill()
    watch = watching(box.uri)
    assert watch.trouble() == "cannot connect to 127.0.0.1: Connection refused; trying again"
    own_dovecot.start()
    assert watch.item().endswith("#1")
    assert watch.trouble() == "127.0.0.1/INBOX works again"


def test_a_server_that_hangs_up_on_idlers(scripted: Scripted, watching: Callable[..., Watching]) -> None:
    """Nothing is told of that; the connection is made anew."""
    server = scripted(CAPABILITY=b"* CAPABILITY IMAP4rev1 IDLE\r\nTAG OK done\r\n", DONE=b"")
    server.answers["IDLE"] = lambda _: b"+ idling\r\n* 2 EXISTS\r\n" if server.commands.count("IDLE") == 1 else b"+ idling\r\n"
    watch = watching(server.uri)
    assert watch.item() == watch.item() == "127.0.0.1/INBOX#7"
    assert server.commands.count("LOGIN") == 2
    assert watch.told.empty()


def test_what_cannot_be_used_right_from_the_beginning(box: Any) -> None:
    """A slip of the pen is not waited for."""
    with pytest.raises(InvalidInput, match="there is no folder Notcies"):
        next(watch([open_mailbox(box.uri_of("Notcies"))], stop=Stop(), tell=print))


def test_what_cannot_be_used_later(tmp_path: Path, mail: bytes, box: Any, watching: Callable[..., Watching]) -> None:
    """It is told once, and the others are read; it is told when it works again."""
    maildir = mailbox.Maildir(tmp_path / "box")
    maildir.add(mail % b"1")
    watch = watching(tmp_path / "box", box.uri, interval=0.05)
    assert watch.item().startswith(f"{tmp_path}/box/new/")
    shutil.rmtree(tmp_path / "box" / "new")
    assert watch.trouble() == f"cannot read {tmp_path}/box/new: No such file or directory; trying again"
    box.deliver(mail % b"1")
    assert watch.item() == "127.0.0.1/INBOX#1"
    (tmp_path / "box" / "new").mkdir()
    assert watch.trouble() == f"{tmp_path}/box works again"


def test_a_password_that_is_no_longer_taken(scripted: Scripted, watching: Callable[..., Watching]) -> None:
    """The server may have its reasons for a while."""
    server = scripted()
    watch = watching(server.uri, interval=0.01)
    watch.item()
    server.answers |= {"LOGIN": b"TAG NO [AUTHENTICATIONFAILED] secret\r\n", "SELECT": b""}
    assert watch.trouble() == "the connection to 127.0.0.1 was lost; trying again"
    assert watch.trouble() == "127.0.0.1 refuses the user or the password; trying again"


def test_what_was_left_comes_again(box: Any, mail: bytes, watching: Callable[..., Watching]) -> None:
    """Later, though nobody tells of it; what is done does not."""
    box.deliver(mail % b"1")
    watch = watching(ImapMailbox(box.uri, later=Later(first=0.05)))
    watch.leave = True
    assert watch.item() == watch.item()
    watch.leave = False
    while not box.flags()[1]:
        watch.item()


@pytest.mark.parametrize("is_told_at_once", [True, False])
def test_news_before_anybody_listens(scripted: Scripted, is_told_at_once: bool) -> None:
    """What comes with the answer to IDLE is heard. A server that always says something there is not asked over and over."""
    news = b"* 2 EXISTS\r\n" if is_told_at_once else b""
    server = scripted(
        CAPABILITY=b"* CAPABILITY IMAP4rev1 IDLE\r\nTAG OK done\r\n",
        IDLE=b"+ idling\r\n" + news,
        UID_SEARCH=b"* SEARCH 7\r\nTAG OK done\r\n",
    )
    box = ImapMailbox(server.uri)
    (item,) = box.look()
    if is_told_at_once:
        assert box.listen() == (None, 0.0)
        server.answers["UID SEARCH"] = b"* SEARCH 8\r\nTAG OK done\r\n"
        server.answers["UID FETCH"] = b"* 2 FETCH (UID 8 BODY[]<0> {6}\r\nX: y\r\n)\r\nTAG OK done\r\n"
        assert len(list(box.look())) == 1
        assert box.listen() == (None, 0.0)
        server.answers["UID SEARCH"] = b"* SEARCH\r\nTAG OK done\r\n"
        assert list(box.look()) == []
    bell, seconds = box.listen()
    assert bell is not None
    assert seconds == 600
    assert item.name.endswith("#7")
    box.close()
    assert server.commands[-2:] == ["DONE", "LOGOUT"]


@pytest.mark.parametrize("answer", [b"TAG NO not now\r\n", b"* 2 EXISTS\r\n+ idling\r\n", b""])
def test_a_server_that_does_not_go_idle(scripted: Scripted, answer: bytes) -> None:
    """The connection is given up; the next look makes it anew."""
    server = scripted(CAPABILITY=b"* CAPABILITY IMAP4rev1 IDLE\r\nTAG OK done\r\n", IDLE=answer)
    box = ImapMailbox(server.uri)
    box.open()
    with pytest.raises(SourceUnavailable):
        box.listen()
    assert len(list(box.look())) == 1
    box.close()
    box.close()


def test_stopped_at_the_next_mail(box: Any, mail: bytes) -> None:
    """The one in hand is finished, and no other is fetched."""
    box.deliver(mail % b"1", mail % b"2")
    stop = Stop()
    found = []
    for item in watch([open_mailbox(box.uri)], stop=stop, tell=print):
        found.append(item.name)
        stop.set()
        item.done()
    assert found == ["127.0.0.1/INBOX#1"]
    assert box.flags() == {1: {"\\Seen"}, 2: set()}
