"""The factory of forwards."""

import email
import email.policy

import pytest

from optoutkit.testing.forwarding import (
    CLIENTS,
    FORWARDING_LANGUAGES,
    SERVERS,
    Client,
    Server,
    forward_as_attachment,
    forward_automatically,
    forward_inline,
)
from optoutkit.text.mime import read_mail

MAIL = (
    b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\r\nTo: shop@example.com\r\nSubject: Hello\r\n"
    b"Date: Thu, 10 Sep 2026 08:15:30 +0000\r\n\r\nFirst line\r\nSecond line\r\n"
)


@pytest.mark.parametrize("language", FORWARDING_LANGUAGES)
@pytest.mark.parametrize("by", CLIENTS)
def test_a_forward_tells_what_it_forwards(by: Client, language: str) -> None:
    """Header lines, words on top and the text, in plain text and in HTML; a subject of the program's own, or the one given."""
    forward = email.message_from_bytes(forward_inline(MAIL, by=by, language=language, words="Look & see"), policy=email.policy.default)
    assert forward["Subject"].endswith(": Hello")
    for part, sign in ((forward.get_body(["plain"]), "&"), (forward.get_body(["html"]), "&amp;")):
        assert part is not None
        text = part.get_content()
        assert text.index(f"Look {sign} see") < text.index("Jürgen") < text.index("First line") < text.index("Second line")
        assert "2026" in text
    assert email.message_from_bytes(forward_inline(MAIL, by=by, subject="Mine"))["Subject"] == "Mine"
    assert email.message_from_bytes(forward_inline(MAIL, by=by, as_html=False)).get_content_type() == "text/plain"


def test_mails_that_lack_what_a_forward_tells() -> None:
    """No sender, no date: a forward is made all the same."""
    assert b"Hello" in forward_inline(b"Subject: x\n\nHello")
    assert b"Hello" in forward_as_attachment(b"Subject: x\n\nHello")
    assert b"Hello" in forward_automatically(b"Subject: x\n\nHello")


@pytest.mark.parametrize("as_file", [True, False])
def test_an_attached_mail_is_untouched(as_file: bool) -> None:
    """Byte for byte, so that its signature stays good."""
    raw = forward_as_attachment(MAIL, as_file=as_file)
    outer = email.message_from_bytes(raw)
    attached = outer.get_payload(1)
    assert isinstance(attached, email.message.Message)
    if as_file:
        assert attached.get_payload(decode=True) == MAIL
    else:
        assert attached.get_content_type() == "message/rfc822"
        assert MAIL in raw


@pytest.mark.parametrize("by", SERVERS)
def test_servers_keep_the_mail(by: Server) -> None:
    """Body and header stay; fields come on top, and a list changes From."""
    raw = forward_automatically(MAIL, by=by)
    assert raw.endswith(MAIL.partition(b"\r\n\r\n")[2])
    mail = email.message_from_bytes(raw)
    assert mail["Subject"] == "Hello"
    (sender,) = read_mail(raw).senders
    assert sender.name == ("'Jürgen' via Optouts" if by == "group" else "Jürgen")
    assert len(raw) > len(MAIL)
