"""Sources by their names."""

import mailbox
from pathlib import Path

import pytest

from optoutkit.errors import InvalidInput, InvalidUri
from optoutkit.sources import open_mailbox, open_source
from optoutkit.sources.imap import ImapMailbox
from optoutkit.sources.local import FilesMailbox, MaildirMailbox
from optoutkit.sources.opening import local_path


@pytest.fixture
def places(tmp_path: Path, mail: bytes) -> Path:
    """A folder with one of each."""
    box = mailbox.Maildir(tmp_path / "a Maildir")
    box.add(mail % b"maildir")
    old = mailbox.mbox(tmp_path / "an mbox?#%")
    old.add(mail % b"mbox")
    old.close()
    (tmp_path / "empty").touch()
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / "a.eml").write_bytes(mail % b"folder")
    return tmp_path


@pytest.mark.parametrize(
    ("uri", "word"),
    [
        ("maildir://{}/a%20Maildir", b"maildir"),
        ("FILE://localhost{}/a Maildir", b"maildir"),
        ("mbox://{}/an%20mbox%3F%23%25", b"mbox"),
        ("file://{}/an%20mbox?#%25", b"mbox"),
        ("file://{}/a%20folder", b"folder"),
        ("file://{}/a%20folder/a.eml", b"folder"),
    ],
)
def test_uris(places: Path, uri: str, word: bytes) -> None:
    """As paths, with ``%20`` and the like decoded; they can be watched, too."""
    (item,) = open_source(uri.format(places))
    assert b"Subject: " + word in item.raw
    (watched,) = open_mailbox(uri.format(places)).look()
    assert watched.raw == item.raw


def test_an_empty_mbox(places: Path) -> None:
    """Has no mails, where a file that is named as nothing in particular is an empty mail."""
    assert list(open_source(f"mbox://{places}/empty")) == []
    assert [item.raw for item in open_source(f"file://{places}/empty")] == [b""]


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("maildir://{}/a%20folder", "/a folder is no Maildir: it lacks new, cur or tmp$"),
        ("mbox://{}/a%20folder/a.eml", "/a folder/a.eml is no mbox: it does not begin with From$"),
        ("mbox://{}/a%20Maildir", "^cannot read .*/a Maildir: Is a directory$"),
        ("mbox://{}/missing", "^there is no file or folder .*/missing$"),
    ],
)
def test_something_else_than_the_uri_says(places: Path, uri: str, why: str) -> None:
    """Is told, with its path."""
    with pytest.raises(InvalidInput, match=why):
        list(open_source(uri.format(places)))


@pytest.mark.parametrize("uri", ["maildir://home/me", "file://", "file:///", "mbox://[", "mbox://me:secret@host/x"])
def test_uris_that_are_none(uri: str) -> None:
    """Two slashes are a slip that many make; the text does not repeat it."""
    with pytest.raises(InvalidUri, match=r"^a \w+:// URI has three slashes and a path from the root, such as \w+:///var/mail/me$"):
        open_source(uri)


def test_schemes_that_there_are_not(tmp_path: Path) -> None:
    """The text names those that there are; a path is never taken for a URI."""
    with pytest.raises(InvalidUri, match=r"^there is no source for pop3://; there is: file://, imap://, imaps://, maildir://, mbox://$"):
        open_source("pop3://me:secret@host")
    assert local_path(Path("pop3://x")) == Path("pop3:/x")


def test_where_it_leads() -> None:
    """To a path, or to none."""
    assert local_path("a/b") == Path("a/b")
    assert local_path("mbox:///a%20b") == Path("/a b")
    assert local_path("-") is None
    assert local_path("imaps://me@host/x") is None


def test_what_can_be_watched(places: Path) -> None:
    """All but standard input."""
    assert isinstance(open_mailbox(places / "a Maildir"), MaildirMailbox)
    assert isinstance(open_mailbox(places), FilesMailbox)
    assert isinstance(open_mailbox("imaps://me@host/x"), ImapMailbox)
    assert open_mailbox("imaps://me@host/x").name == "host/x"
    with pytest.raises(InvalidInput, match="standard input ends by itself"):
        open_mailbox("-")
    with pytest.raises(InvalidInput, match="there is no file or folder"):
        open_mailbox(places / "missing")
