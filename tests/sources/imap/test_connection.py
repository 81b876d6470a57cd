"""Connections: TLS, servers that are slow, hostile or broken, and servers that go away."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optoutkit.errors import InvalidInput, MissingExtra, SourceUnavailable
from optoutkit.intake import IntakeStatus
from optoutkit.sources import open_source
from optoutkit.sources.imap import ImapMailbox
from optoutkit.sources.imap.session import Session
from optoutkit.sources.imap.uri import ImapUri
from optoutkit.stores.opening import open_store

from .conftest import CERTIFICATE, DEADLINE
from .test_reading import NOTICE

Scripted = Callable[..., Any]
UNAVAILABLE = r"^cannot connect to 127\.0\.0\.1: "


def test_tls_with_the_connection_and_by_starttls(box: Any, mail: bytes) -> None:
    """Both, with a certificate of the user's own."""
    box.deliver(mail % b"1")
    server = box.server
    for uri in (f"imaps://{box.user}@localhost:{server.tls_port}", f"imap://{box.user}@localhost:{server.port}"):
        assert len(list(open_source(f"{uri}?ca={CERTIFICATE}"))) == 1


def test_a_certificate_of_nobody_known(box: Any) -> None:
    """Is refused, and so is one without any; nothing turns that off."""
    server = box.server
    for uri in (f"imaps://{box.user}@localhost:{server.tls_port}", f"imap://{box.user}@localhost:{server.port}"):
        with pytest.raises(InvalidInput, match=r"^localhost is not who it should be: self.signed certificate"):
            list(open_source(uri))
    with pytest.raises(InvalidInput, match=r"^the certificates in .*test_connection\.py cannot be read: "):
        list(open_source(f"{uri}?ca={__file__}"))
    with pytest.raises(InvalidInput, match=r"^the certificates in missing\.pem cannot be read: No such file or directory"):
        list(open_source(f"{uri}?ca=missing.pem"))


def test_a_server_without_tls(scripted: Scripted) -> None:
    """It gets no password."""
    server = scripted()
    with pytest.raises(InvalidInput, match=r"^127\.0\.0\.1 offers no TLS here: try imaps://, or tls=none if nobody can listen$"):
        list(open_source(server.uri.replace("tls=none&", "")))
    assert "LOGIN" not in server.commands


def test_without_imapclient(box: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says how to get it."""
    monkeypatch.setitem(sys.modules, "imapclient", None)
    with pytest.raises(MissingExtra, match=r"optoutkit\[imap\]"):
        list(open_source(box.uri))


def test_nobody_there(scripted: Scripted) -> None:
    """A server that is down, a name that there is none of, one that hangs up, one that speaks something else."""
    server = scripted()
    server.close()
    with pytest.raises(SourceUnavailable, match=UNAVAILABLE + "Connection refused$"):
        list(open_source(server.uri))
    with pytest.raises(SourceUnavailable, match=r"^cannot connect to nowhere\.invalid: "):
        list(open_source("imaps://me:secret@nowhere.invalid"))
    for greeting in (b"", b"220 smtp.example ESMTP\r\n", b"* BYE too many connections\r\n"):
        with pytest.raises(SourceUnavailable, match=UNAVAILABLE + "it hangs up, or does not speak IMAP$"):
            list(open_source(scripted(greeting=greeting).uri))


@pytest.mark.parametrize("silent", ["greeting", "LOGIN", "SELECT", "UID_SEARCH", "UID_FETCH"])
def test_a_server_that_says_nothing(scripted: Scripted, silent: str) -> None:
    """Is not waited for without end."""
    uri = scripted(**{silent: None}).uri.replace("timeout=20", "timeout=0.05")
    mailbox = ImapMailbox(uri)
    with pytest.raises(SourceUnavailable, match=r"^127\.0\.0\.1 does not answer$"):
        list(mailbox.look())
    mailbox.close()


@pytest.mark.parametrize("code", ["[UNAVAILABLE]", "[inuse]"])
def test_a_server_that_takes_no_log_ins_at_the_moment(scripted: Scripted, code: str) -> None:
    """RFC 5530: nothing is wrong with the password."""
    with pytest.raises(SourceUnavailable, match=r"^127\.0\.0\.1 takes no log-ins at the moment$"):
        list(open_source(scripted(LOGIN=f"TAG NO {code} later, secret\r\n".encode()).uri))


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("UID_FETCH", b"* 1 FETCH (UID 7 BODY[]<0> {99999999999}\r\n"),
        ("UID_FETCH", b"* 1 FETCH (UID 7 BODY[]<0> {2000000}\r\n" + b"x" * 2_000_000 + b")\r\nTAG OK done\r\n"),
        ("UID_FETCH", b"* 1 EXISTS\r\n" * 200_000),
        ("UID_FETCH", b"* 1 FETCH (UID 7 BODY[]<0> (a b))\r\nTAG OK done\r\n"),
        ("UID_FETCH", b"* 1 FETCH (UID 7 BODY[]<0> 12)\r\nTAG OK done\r\n"),
        ("UID_FETCH", b"* 1 FETCH UID\r\nTAG OK done\r\n"),
        ("UID_FETCH", b"+ what\r\n\xff\r\n"),
        ("UID_SEARCH", b"* SEARCH 1 x (\r\nTAG OK done\r\n"),
        ("SELECT", b"TAG OK done\r\n"),
        ("SELECT", b"* 99999999999 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\nTAG OK [READ-WRITE] done\r\n"),
        ("SELECT", b"* 1 EXISTS\r\n* OK [UIDVALIDITY " + b"9" * 5000 + b"] x\r\nTAG OK [READ-WRITE] done\r\n"),
    ],
)
def test_a_server_that_answers_nonsense(scripted: Scripted, command: str, answer: bytes) -> None:
    """Whatever it is, the connection is given up, and no more is read than an answer may have."""
    mailbox = ImapMailbox(scripted(**{command: answer}).uri, max_bytes=100_000)
    with pytest.raises(SourceUnavailable, match=r"^the connection to 127\.0\.0\.1 was lost$"):
        list(mailbox.look())
    mailbox.close()


def test_a_server_that_does_not_search(scripted: Scripted) -> None:
    """It is asked again later, anew."""
    server = scripted(UID_SEARCH=b"TAG NO secret\r\n")
    with pytest.raises(SourceUnavailable, match=r"^127\.0\.0\.1 does not say which mails there are$"):
        list(open_source(server.uri))


def test_odd_answers_that_are_no_harm(scripted: Scripted) -> None:
    """No body, no such mail, a mail that is longer than asked for, a time that is none."""
    for answer, expected in [
        (b"* 1 FETCH (UID 7 BODY[]<0> NIL)\r\n", []),
        (b"* 1 FETCH (UID 9 BODY[]<0> {1}\r\nx)\r\n", []),
        (b"", []),
        (b'* 1 FETCH (UID 7 INTERNALDATE "yesterday" BODY[]<0> {4}\r\nX: y)\r\n', [(b"X: ", None)]),
    ]:
        items = open_source(scripted(UID_FETCH=answer + b"TAG OK done\r\n").uri, max_bytes=2)
        assert [(item.raw, item.arrived) for item in items] == expected


def test_a_mail_that_kills_connections(scripted: Scripted) -> None:
    """Once may be chance. Then those behind it come first, and after the third time it waits for a later run, and that is told."""
    server = scripted(UID_SEARCH=b"* SEARCH 7 8\r\nTAG OK done\r\n")
    asked: list[bytes] = []

    def fetch(_tag: bytes) -> bytes:
        asked.append(b"")
        return b"* 2 FETCH (UID 8 BODY[]<0> {6}\r\nX: y\r\n)\r\nTAG OK done\r\n" if len(asked) == 2 else b""

    server.answers["UID FETCH"] = fetch
    source = open_source(server.uri)
    item = next(source)
    assert item.name.endswith("#8")
    item.leave()  # as it is not marked, this server would hand it out for ever
    with pytest.raises(InvalidInput, match=r"^of the mails in 127\.0\.0\.1/INBOX 1 cannot be read, so that they come again$"):
        next(source)
    assert len(asked) == 4


def test_a_server_that_is_killed_and_comes_back(own_dovecot: Any, mail: bytes) -> None:
    """What was saved when it died is marked when it is back, and nothing comes twice."""
    box = own_dovecot.box()
    box.deliver(*(mail % b"%d" % number for number in range(4)))
    source = open_source(box.uri)
    next(source).done()
    second = next(source)
    own_dovecot.kill()
    second.done()
    own_dovecot.start()
    assert box.flags()[2] == set()
    third = next(source)
    assert third.name.endswith("#4")  # the one during whose fetching it was gone comes last
    assert box.flags()[2] == {"\\Seen"}
    third.leave()
    own_dovecot.kill()
    own_dovecot.start()
    assert [item.name.rpartition("#")[2] for item in source] == ["3"]
    assert [uid for uid, flags in box.flags().items() if not flags] == [3, 4]


def test_a_server_that_does_not_come_back(own_dovecot: Any, mail: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for a few times, longer each time, and no longer."""
    waited: list[float] = []
    box = own_dovecot.box()
    box.deliver(mail % b"1", mail % b"2")
    source = open_source(box.uri)
    next(source)
    own_dovecot.kill()
    monkeypatch.setattr("time.sleep", waited.append)
    with pytest.raises(SourceUnavailable, match=UNAVAILABLE + "Connection refused$"):
        next(source)
    assert waited == [0.0, 1.0, 2.0, 4.0]


def test_a_folder_whose_mails_are_numbered_anew(box: Any, mail: bytes) -> None:
    """A mail that was saved under its old number marks no other that has it now; nothing that is new is missed."""
    with box.client() as client:
        client.create("Notices")
    box.deliver(mail % b"old", folder="Notices")
    mailbox = ImapMailbox(box.uri_of("Notices"))
    (old,) = mailbox.look()
    old.leave()
    box.recreate("Notices")
    box.deliver(mail % b"new", folder="Notices")
    first: list[Any] = []
    for _ in range(2):  # Dovecot ends the connection, or tells of the change
        try:
            first = list(mailbox.look())
            break
        except SourceUnavailable:
            continue
    (new,) = first
    assert (old.name, new.name) == ("127.0.0.1/Notices#1", "127.0.0.1/Notices#1")
    old.done()
    assert box.flags("Notices") == {1: set()}
    new.done()
    assert box.flags("Notices") == {1: {"\\Seen"}}
    mailbox.close()


def test_killed_between_saving_and_marking(box: Any, tmp_path: Path) -> None:
    """The mail comes again, its opt-out is known, and now it is marked."""
    box.deliver(NOTICE)
    program = f"""
import sys
from optoutkit import Intake, Trust, open_store
from optoutkit.sources import feed, open_source

def hook(result):
    print(result.status, flush=True)
    if {{wait}}:
        sys.stdin.read()

intake = Intake(open_store("sqlite:///{tmp_path}/optouts.db"), minimum_trust=Trust.UNVERIFIED, hook=hook)
list(feed(open_source({box.uri!r}), intake))
"""
    with subprocess.Popen(
        [sys.executable, "-c", program.format(wait=True)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "recorded\n"
        child.kill()
    assert box.flags() == {1: set()}
    with open_store(f"sqlite:///{tmp_path}/optouts.db") as store:
        assert len(list(store.scan())) == 1
    done = subprocess.run([sys.executable, "-c", program.format(wait=False)], capture_output=True, text=True, timeout=DEADLINE, check=True)
    assert done.stdout == f"{IntakeStatus.KNOWN}\n"
    assert box.flags() == {1: {"\\Seen"}}


def test_interrupted_within_a_command(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C nobody knows what the server says next: the connection is ended without a word."""
    server = scripted()
    session = Session(ImapUri.parse(server.uri), max_bytes=100)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session._client, "fetch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        session.fetch(7)
    assert not session.is_open
    session.close()
    assert "LOGOUT" not in server.commands
