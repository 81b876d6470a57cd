"""Folders on a real Dovecot: which mails come, and how they are marked."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from optoutkit.authentication import Trust
from optoutkit.errors import InvalidInput, StoreUnavailable
from optoutkit.intake import Intake, IntakeStatus
from optoutkit.sources import feed, open_source
from optoutkit.stores.memory import MemoryStore

NOTICE = (
    b"From: Amazon.de <auto-communication@amazon.de>\r\n\r\nDear Seller,\r\n\r\nWe were unable to deliver the message you sent for order "
    b"[302-1234567-7654321] because the buyer has chosen to opt out of receiving unsolicited messages from sellers.\r\n"
)
SEEN = {"\\Seen"}


@pytest.fixture
def mail(mail: bytes) -> bytes:
    """A mail with the line ends of the network."""
    return mail.replace(b"\n", b"\r\n")


def test_mails_come_as_they_are(box: Any, mail: bytes) -> None:
    """Byte for byte, the oldest first, with the time of their arrival; being fetched changes nothing."""
    box.deliver(mail % b"\xe4", arrived='"21-Sep-2026 16:18:33 +0200"')
    box.deliver(mail % b"2")
    first, second = open_source(box.uri)
    assert [first.raw, second.raw] == [mail % b"\xe4", mail % b"2"]
    assert first.arrived == datetime(2026, 9, 21, 14, 18, 33, tzinfo=UTC)
    assert first.name == "127.0.0.1/INBOX#1"
    assert box.flags() == {1: set(), 2: set()}


def test_what_is_done_is_seen(box: Any, mail: bytes) -> None:
    """And does not come again; what was left does; what somebody else has seen or deleted never comes."""
    box.deliver(mail % b"1", mail % b"2")
    box.deliver(mail % b"3", flags="(\\Seen \\Flagged)")
    box.deliver(mail % b"4", flags="(\\Deleted)")
    for item in open_source(box.uri):
        (item.done if b"1" in item.raw else item.leave)()
    assert box.flags() == {1: SEEN, 2: set(), 3: {"\\Seen", "\\Flagged"}, 4: {"\\Deleted"}}
    assert [item.raw for item in open_source(box.uri)] == [mail % b"2"]


def test_marked_too_late(box: Any, mail: bytes) -> None:
    """When the source is closed already, nothing is marked: the mail comes again, which does no harm."""
    box.deliver(mail % b"1")
    (item,) = list(open_source(box.uri))
    item.done()
    assert box.flags() == {1: set()}


def test_saved_first(box: Any, mail: bytes) -> None:
    """While the store records, the mail is not marked yet; if the store does not answer, it stays as it is."""
    seen: list[dict[int, set[str]]] = []

    class Store(MemoryStore):
        is_down = True

        def record(self, opt_outs: Any) -> Any:
            seen.append(box.flags())
            if self.is_down:
                raise StoreUnavailable("down")
            return super().record(opt_outs)

    box.deliver(NOTICE, mail % b"x")
    store = Store()
    intake = Intake(store, minimum_trust=Trust.UNVERIFIED)
    assert [result.status for _, result in feed(open_source(box.uri), intake)] == [IntakeStatus.RETRY, IntakeStatus.IGNORED]
    assert box.flags() == {1: set(), 2: SEEN}
    store.is_down = False
    assert [result.status for _, result in feed(open_source(box.uri), intake)] == [IntakeStatus.RECORDED]
    assert seen == [{1: set(), 2: set()}, {1: set(), 2: SEEN}]
    assert box.flags() == {1: SEEN, 2: SEEN}


@pytest.mark.parametrize(("option", "flag"), [("OptOutKit", "OptOutKit"), ("flagged", "\\Flagged")])
def test_another_flag(box: Any, mail: bytes, option: str, flag: str) -> None:
    """People may read the mails before, and do not see what was done with them: being seen means nothing then."""
    box.deliver(mail % b"1", flags="(\\Seen)")
    for _ in range(2):
        for item in open_source(box.uri_of(flag=option)):
            item.done()
    assert box.flags() == {1: {"\\Seen", flag}}
    assert list(open_source(box.uri_of(flag=option))) == []


@pytest.mark.parametrize("folder", ["Done", "Erledigt%20%26%20f%C3%BCr%20gut"])
def test_moved_away(box: Any, mail: bytes, folder: str) -> None:
    """Seen or not, into a folder that is made if it is not there; what was left stays."""
    box.deliver(mail % b"1", mail % b"2", mail % b"3", flags="(\\Seen)")
    for item in open_source(box.uri_of(move=folder)):
        (item.leave if b"2" in item.raw else item.done)()
    assert set(box.flags()) == {2}
    assert [item.raw for item in open_source(box.uri_of(folder, flag="x"))] == [mail % b"1", mail % b"3"]


@pytest.mark.parametrize(
    ("server", "left"), [("older_dovecot", {2: {"\\Deleted"}}), ("bare_dovecot", {1: {"\\Deleted"}, 2: {"\\Deleted"}})]
)
def test_moved_where_the_server_cannot_move(request: pytest.FixtureRequest, mail: bytes, server: str, left: dict[int, set[str]]) -> None:
    """Copied, and only this mail taken away: what others have marked as deleted is theirs to take away."""
    box = request.getfixturevalue(server).box()
    box.deliver(mail % b"1")
    box.deliver(mail % b"2", flags="(\\Deleted)")
    for _ in range(2):
        for item in open_source(box.uri_of(move="Done")):
            item.done()
    assert box.flags() == left
    assert set(box.flags("Done")) == {1}


def test_too_large(box: Any, mail: bytes) -> None:
    """No more is fetched than it takes to know."""
    box.deliver(mail % (b"x" * 1000))
    assert [item.raw for item in open_source(box.uri, max_bytes=100)] == [(mail % (b"x" * 1000))[:101]]


def test_folders_with_any_name(box: Any, mail: bytes) -> None:
    """Names are in the modified UTF-7 of RFC 3501 on the wire, and in UTF-8 in a URI."""
    with box.client() as client:
        client.create('"Post f&APw-r \\"uns\\""')
        client.append('"Post f&APw-r \\"uns\\""', "", None, mail % b"1")
    (item,) = open_source(box.uri_of("Post%20f%C3%BCr%20%22uns%22"))
    assert item.name == '127.0.0.1/Post für "uns"#1'


def test_more_mails_than_fit_into_one_answer(box: Any, mail: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are searched for in portions."""
    monkeypatch.setattr("optoutkit.sources.imap.session._WINDOW", 2)
    box.deliver(*(mail % b"%d" % number for number in range(5)))
    assert [item.raw for item in open_source(box.uri)] == [mail % b"%d" % number for number in range(5)]


def test_an_empty_folder(box: Any) -> None:
    """Has no mails."""
    assert list(open_source(box.uri)) == []


def test_taken_away_meanwhile(box: Any, mail: bytes) -> None:
    """What somebody else deletes is not missed, before it is fetched nor after."""
    box.deliver(mail % b"1", mail % b"2", mail % b"3")
    source = open_source(box.uri)
    first = next(source)
    with box.client("INBOX") as client:
        client.store("1:2", "+FLAGS.SILENT", "(\\Deleted)")
        client.expunge()
    first.done()
    assert [item.raw for item in source] == [mail % b"3"]


def test_a_folder_that_is_not_there(box: Any) -> None:
    """A wrong name is told as such."""
    with pytest.raises(InvalidInput, match=r"^there is no folder Notcies on 127\.0\.0\.1$"):
        list(open_source(box.uri_of("Notcies")))


def test_a_target_that_cannot_be_made(box: Any) -> None:
    """It is told before any mail is read."""
    with pytest.raises(InvalidInput, match=r"^the folder a//b on 127\.0\.0\.1 is not there, and cannot be made$"):
        list(open_source(box.uri_of(move="a//b")))


def test_a_target_that_went_away(box: Any, mail: bytes) -> None:
    """What cannot be moved comes again, and that is told once all are read."""
    box.deliver(mail % b"1", mail % b"2")
    source = open_source(box.uri_of(move="Done"))
    first = next(source)
    with box.client() as client:
        client.delete("Done")
    first.done()
    next(source).done()
    with pytest.raises(InvalidInput, match=r"^of the mails in 127\.0\.0\.1/INBOX 2 cannot be marked or moved, so that they come again$"):
        next(source)
    assert set(box.flags()) == {1, 2}


def test_a_wrong_password(box: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither it nor the user is in the error."""
    monkeypatch.setenv("OPTOUTKIT_IMAP_PASSWORD", "wrong one")
    with pytest.raises(InvalidInput, match=r"^127\.0\.0\.1 refuses the user or the password$") as raised:
        list(open_source(box.uri))
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_passwords_from_everywhere(box: Any, mail: bytes, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the URI, in another variable, in a file with a line end."""
    from urllib.parse import quote

    from .conftest import PASSWORD

    box.deliver(mail % b"1")
    monkeypatch.delenv("OPTOUTKIT_IMAP_PASSWORD")
    monkeypatch.setenv("MINE", PASSWORD)
    (tmp_path / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    with_password = box.uri.replace("@", f":{quote(PASSWORD)}@")
    for uri in (with_password, box.uri_of(password_env="MINE"), box.uri_of(password_file=str(tmp_path / "password"))):
        assert len(list(open_source(uri))) == 1
    with pytest.raises(InvalidInput, match=r"^there is no password for 127\.0\.0\.1: set OPTOUTKIT_IMAP_PASSWORD, or name a file"):
        list(open_source(box.uri))


Scripted = Callable[..., Any]


def test_a_server_that_keeps_no_keywords(scripted: Scripted) -> None:
    """It is told before any mail is read; the usual flag it keeps."""
    server = scripted(
        SELECT=b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [PERMANENTFLAGS (\\Seen \\Deleted)] x\r\nTAG OK [READ-WRITE] done\r\n"
    )
    with pytest.raises(InvalidInput, match=r"INBOX does not keep the flag mine; try flag=Seen, or move=FOLDER$"):
        list(open_source(server.uri + "&flag=mine"))
    assert len(list(open_source(server.uri))) == 1


def test_a_server_that_does_not_say_what_it_keeps(scripted: Scripted) -> None:
    """RFC 9051 section 6.3.2: then it keeps all."""
    server = scripted(SELECT=b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\nTAG OK [READ-WRITE] done\r\n")
    assert len(list(open_source(server.uri + "&flag=mine"))) == 1


def test_a_folder_that_may_only_be_read(scripted: Scripted) -> None:
    """Its mails would come again for ever."""
    server = scripted(SELECT=b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\nTAG OK [READ-ONLY] done\r\n")
    with pytest.raises(InvalidInput, match=r"127\.0\.0\.1/INBOX may only be read: its mails could not be marked$"):
        list(open_source(server.uri))


def test_a_mail_that_the_server_does_not_hand_out(scripted: Scripted) -> None:
    """It comes again, the next one comes, and it is told at the end."""
    server = scripted(UID_SEARCH=b"* SEARCH 7 8\r\nTAG OK done\r\n")
    server.answers["UID FETCH"] = lambda _: (
        b"TAG NO not now\r\n"
        if server.commands.count("UID FETCH") == 1
        else b"* 2 FETCH (UID 8 BODY[]<0> {6}\r\nX: y\r\n)\r\nTAG OK done\r\n"
    )
    source = open_source(server.uri)
    assert next(source).name == "127.0.0.1/INBOX#8"
    with pytest.raises(InvalidInput, match=r"^of the mails in 127\.0\.0\.1/INBOX 1 cannot be read, so that they come again$"):
        next(source)


def test_dovecot_knows_what_the_tests_take_for_granted(box: Any, bare_dovecot: Any, older_dovecot: Any) -> None:
    """The three servers differ in what they say they can do."""

    def extensions(of: Any) -> set[str]:
        with of.client() as client:
            told = b" ".join(client.capability()[1])
            return {"IDLE", "MOVE", "UIDPLUS"} & set(told.decode().split())

    assert extensions(box) == {"IDLE", "MOVE", "UIDPLUS"}
    assert extensions(older_dovecot.box()) == {"UIDPLUS"}
    assert extensions(bare_dovecot.box()) == set()
