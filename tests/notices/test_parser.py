"""What the parser takes, and what it refuses."""

import email
import email.policy
from collections.abc import Callable

import pytest

from optoutkit.errors import InvalidMessage, MessageTooLarge
from optoutkit.notices import Limits, Notice, NoticeParser, parse_notice
from optoutkit.testing.notices import notice_mail

ORDER = "112-4821973-6650218"
ENGLISH = (
    f"We were unable to deliver the message you sent for order [{ORDER}] because the buyer has chosen to opt out of receiving "
    "unsolicited messages from sellers."
)

Write = Callable[..., bytes]
Read = Callable[..., Notice | None]


def orders_of(notice: Notice | None) -> list[str]:
    """The order IDs as text; fails where there is no notice."""
    assert notice is not None
    return [str(order) for order in notice.order_ids]


def test_message_objects(write: Write) -> None:
    """A message object of the standard library will do, under any policy; anything else is refused."""
    raw = write(ENGLISH)
    for policy in (email.policy.compat32, email.policy.default, email.policy.SMTP):
        assert orders_of(parse_notice(email.message_from_bytes(raw, policy=policy))) == [ORDER]
    with pytest.raises(InvalidMessage):
        parse_notice("a text")  # type: ignore[arg-type]


def _digest(mail: bytes, count: int) -> bytes:
    return b"From: a@b.example\nContent-Type: multipart/digest; boundary=d\n\n" + (b"--d\n\n" + mail + b"\n") * count + b"--d--\n"


def _nested(levels: int) -> bytes:
    mail = notice_mail()
    for _ in range(levels):
        mail = b"From: a@b.example\nContent-Type: message/rfc822\n\n" + mail
    return mail


def test_limits() -> None:
    """Size, parts and depth are bounded, of the mail and of what is attached to it, even where it is plainly no notice."""
    many = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 1001 + b"--b--"
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(60))
    for raw in (b"Subject: x\n\n" + b"x" * (32 * 2**20), many, deep, _nested(51)):
        with pytest.raises(MessageTooLarge):
            parse_notice(raw)
    assert parse_notice(_nested(40)) is not None
    for limits in (Limits(max_bytes=100), Limits(max_parts=3), Limits(max_depth=2)):
        with pytest.raises(MessageTooLarge):
            NoticeParser(limits=limits).parse(_nested(4))
    assert NoticeParser(limits=Limits(max_depth=5)).parse(_nested(4)) is not None
    long = notice_mail(order_ids=[]).replace(b"</body>", b"<p>" + b"x" * 200_000)
    with pytest.raises(MessageTooLarge, match="characters of text"):
        parse_notice(_digest(long, 30))


def test_long_headers_are_refused() -> None:
    """The header has a limit of its own, and those of attached mails count together."""
    with pytest.raises(MessageTooLarge, match="header"):
        parse_notice(b"Subject: " + b"x" * 2**20 + b"\n\n")
    long = notice_mail(order_ids=[]).replace(b"Subject:", b"X-Padding: " + b"x" * 200_000 + b"\nSubject:")
    assert parse_notice(_digest(long, 5)) is not None
    with pytest.raises(MessageTooLarge, match="headers"):
        parse_notice(_digest(long, 30))


@pytest.mark.parametrize("megabytes", [0.5, 3])
def test_a_large_attachment_hides_no_notice(megabytes: float) -> None:
    """Whether it stands before the text or after it."""
    for before, after in ((int(megabytes * 2**20), 0), (0, int(megabytes * 2**20))):
        pieces = [b"Content-Type: multipart/mixed; boundary=b\nFrom: auto-communication@amazon.com\n\n"]
        for body in (b"x\n" * (before // 2), ENGLISH.encode(), b"x\n" * (after // 2)):
            kind = b"application/pdf" if body.startswith(b"x") else b"text/plain"
            pieces.append(b"--b\nContent-Type: " + kind + b"\n\n" + body + b"\n")
        notice = parse_notice(b"".join(pieces) + b"--b--")
        assert notice is not None
        assert [evidence.kind for evidence in notice.evidence] == ["wording"]


@pytest.mark.parametrize("head", ["", "Content-Type: text/html\n"])
@pytest.mark.parametrize("rest", ["word " * 70_000, "word " * 300_000])
def test_a_notice_says_that_not_all_was_read(read: Read, head: str, rest: str) -> None:
    """Of a notice whose text goes on and on, the beginning is read; more orders may stand in the rest."""
    notice = parse_notice(f"From: auto-communication@amazon.com\n{head}\n{ENGLISH}\n\n{rest}".encode())
    assert notice is not None
    assert [evidence.kind for evidence in notice.evidence] == ["wording", "limit"]
    short = read(ENGLISH)
    assert short is not None
    assert [evidence.kind for evidence in short.evidence] == ["wording"]


def test_the_end_of_a_long_text_is_not_read(read: Read) -> None:
    """Nobody forwards a notice below half a megabyte of words."""
    forward = f"---------- Forwarded message ---------\nFrom: Amazon.it\nDate: x\nSubject: Notice\n\n{ENGLISH}"
    assert read(f"{'word ' * 1000}\n\n{forward}", sender="Tom <tom@shop.example>") is not None
    assert read(f"{'word ' * 60_000}\n\n{forward}", sender="Tom <tom@shop.example>") is None
