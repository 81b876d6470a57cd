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


def test_the_end_of_a_long_text_is_not_read(read: Read) -> None:
    """Nobody forwards a notice below half a megabyte of words."""
    forward = f"---------- Forwarded message ---------\nFrom: Amazon.it\nDate: x\nSubject: Notice\n\n{ENGLISH}"
    assert read(f"{'word ' * 1000}\n\n{forward}", sender="Tom <tom@shop.example>") is not None
    assert read(f"{'word ' * 60_000}\n\n{forward}", sender="Tom <tom@shop.example>") is None
