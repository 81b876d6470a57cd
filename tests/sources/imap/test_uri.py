"""URIs of mailboxes on servers."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.errors import InvalidInput, InvalidUri
from optoutkit.sources import open_source
from optoutkit.sources.imap.uri import ImapUri


def test_a_uri_is_taken_apart() -> None:
    """Each part is decoded, and none is needed but user and host."""
    uri = ImapUri.parse("imaps://me%40shop.example:p%3Aw@Imap.Shop.example:1993/Post%20f%C3%BCr/uns?move=Done&timeout=5&ca=/etc/ca.pem")
    assert (uri.host, uri.port, uri.user, uri.folder) == ("imap.shop.example", 1993, "me@shop.example", "Post für/uns")
    assert (uri.is_wrapped, uri.is_plain, uri.ca, uri.move, uri.timeout) == (True, False, "/etc/ca.pem", "Done", 5.0)
    assert uri.password() == "p:w"
    assert uri.name == "imap.shop.example/Post für/uns"
    least = ImapUri.parse("IMAP://me@shop.example@imap.shop.example")
    assert (least.host, least.port, least.user, least.folder) == ("imap.shop.example", 143, "me@shop.example", "INBOX")
    assert (least.is_wrapped, least.is_plain, least.flag, least.move) == (False, False, "\\Seen", "")
    assert ImapUri.parse("imap://me@[::1]/").host == "::1"
    assert ImapUri.parse("imap://me@localhost?tls=none").is_plain


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("pop3://me:secret@host", "begins with imaps:// or imap://"),
        ("imaps://imap.shop.example/INBOX", "lacks a user or a host"),
        ("imaps://me:secret@/INBOX", "lacks a user or a host"),
        ("imaps://me:secret@host:port/INBOX", "a host or port that cannot be read"),
        ("imaps://me:secret@host?folder=x", "no option 'folder'; there is: flag, move, tls, ca, timeout, password_env, password_file"),
        ("imaps://me:secret@host?tls=none", "imaps:// is TLS"),
        ("imap://me:secret@host?tls=off", "the option tls of imap:// is wrong: only none can be said"),
        ("imaps://me:secret@host?flag=a%20b", "the option flag of imaps:// is wrong: Seen, Flagged, or a word"),
        ("imaps://me:secret@host?move=A&flag=x", "move names another folder, and stands in place of flag"),
        ("imaps://me:secret@host/A/?move=A", "move names another folder"),
        ("imaps://me:secret@host?move=", "the option move of imaps:// is wrong: it is empty"),
        ("imaps://me:secret@host?timeout=0", "the option timeout of imaps:// is wrong: seconds, more than 0"),
        ("imaps://me:secret@host?timeout=nan", "the option timeout of imaps:// is wrong"),
        ("imaps://me:secret@host?timeout=x", "the option timeout of imaps:// is wrong"),
        ("imaps://me:secret@host?password_env=X", "has a password, and password_env besides"),
        ("imaps://me:secret@host?password_file=X", "has a password, and password_file besides"),
        ("imaps://me%0D%0Ax:secret@host", "a control character in the user of the IMAP URI"),
        ("imaps://me:secret@host/a%0Ab", "a control character in the folder of the IMAP URI"),
        ("imaps://me:secret@host/?move=a%00b", "a control character in the move of the IMAP URI"),
    ],
)
def test_what_is_wrong_with_it_is_told_without_repeating_it(uri: str, why: str) -> None:
    """At once, before anything is asked for; there may be a password in it."""
    with pytest.raises(InvalidUri) as raised:
        ImapUri.parse(uri)
    assert why in str(raised.value)
    assert "secret" not in str(raised.value)
    if uri.startswith("imap"):
        with pytest.raises(InvalidUri):
            open_source(uri)


def test_options_are_those_of_the_documentation() -> None:
    """The page has each, and no other."""
    page = (Path(__file__).parents[3] / "docs" / "mailboxes.md").read_text(encoding="utf-8")
    table = page.partition("| option | meaning |")[2].partition("\n\n")[0]
    with pytest.raises(InvalidUri) as raised:
        ImapUri.parse("imaps://me@host?x=1")
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == str(raised.value).partition("there is: ")[2].split(", ")


def test_nothing_shows_a_password() -> None:
    """Neither where it stands itself, nor where it is to be found."""
    assert "secret" not in repr(ImapUri.parse("imaps://me:secret@host"))
    assert "secret" not in repr(ImapUri.parse("imaps://me@host?password_file=/secret"))


def test_passwords_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line end would be a command of its own."""
    monkeypatch.setenv("EMPTY", "")
    (tmp_path / "two lines").write_text("a\nLOGOUT\n")
    (tmp_path / "no text").write_bytes(b"\xff")
    for option, why in [
        ("password_env=EMPTY", "what stands in EMPTY is no password: it is empty, or has a control character in it"),
        ("password_env=MISSING", "there is no password for host: set MISSING"),
        (f"password_file={tmp_path}/two%20lines", "what stands in password_file is no password"),
        (f"password_file={tmp_path}/missing", "cannot read the password of host from its file: No such file or directory"),
        (f"password_file={tmp_path}/no%20text", "cannot read the password of host from its file: it is no text in UTF-8"),
    ]:
        with pytest.raises(InvalidInput, match=why):
            ImapUri.parse(f"imaps://me@host?{option}").password()


@given(st.text() | st.text(alphabet="a:/?&=%[]#@0\n").map("imaps://".__add__))
def test_any_text_is_a_uri_or_refused(text: str) -> None:
    """No text raises anything but InvalidUri."""
    with suppress(InvalidUri):
        ImapUri.parse(text)
