"""Mails: whose text is shown, what is attached, who sent it when; and that no bytes are too bad."""

import base64
import email
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage, Message
from email.policy import SMTP, compat32
from email.utils import format_datetime
from typing import Any, cast

import mailparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.errors import InvalidMessage, MessageTooLarge
from optoutkit.text.mime import Attachment, Limits, Mail, Mailbox, peek, raw_bytes, read_mail

HEAD = (
    b"From: Anna <anna@example.com>\nTo: b@example.com\nSubject: Hello\nDate: Fri, 1 May 2026 10:00:00 +0200\nMessage-ID: <1@example.com>\n"
)


def everything(mail: Mail) -> tuple[Any, ...]:
    """All that a mail says of itself."""
    return (
        (mail.is_mail, mail.subject, mail.senders, mail.reply_to, mail.recipients, mail.date, mail.message_id),
        (mail.plain, mail.html, mail.attached, mail.attachments),
    )


def multipart(kind: str, *parts: bytes) -> bytes:
    """A multipart with these parts; its boundary occurs nowhere else."""
    boundary = f"b{random.Random(repr(parts)).getrandbits(64)}".encode()
    body = b"".join(b"--" + boundary + b"\n" + part + b"\n" for part in parts)
    return b'Content-Type: multipart/%s; boundary="%s"\n\n%s--%s--\n' % (kind.encode(), boundary, body, boundary)


PLAIN = b"Content-Type: text/plain; charset=utf-8\n\nplain"
PAGE = b"Content-Type: text/html; charset=utf-8\n\n<p>page</p>"
PICTURE = b"Content-Type: image/png; name=logo.png\nContent-Transfer-Encoding: base64\nContent-Disposition: inline\n\niVBORw0KGgo="


def test_a_simple_mail_is_read() -> None:
    """Every field of the contract, from a mail without surprises."""
    mail = read_mail(
        HEAD + b"Reply-To: c@example.com\nCc: C <c@example.com>\nContent-Type: text/plain; charset=iso-8859-1\n\nGr\xfc\xdfe\r\n"
    )
    assert everything(mail) == (
        (
            True,
            "Hello",
            (Mailbox("Anna", "anna@example.com"),),
            (Mailbox("", "c@example.com"),),
            ("b@example.com", "c@example.com"),
            datetime(2026, 5, 1, 8, tzinfo=UTC),
            "<1@example.com>",
        ),
        ("Grüße\n", None, (), ()),
    )
    assert mail.headers.get("cc") == "C <c@example.com>"


@pytest.mark.parametrize(
    "before",
    [b"", b"\n\n", b"\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n", b"From anna Fri May  1 10:00:00 2026\n", b">From x\r\n", b"\nFrom x\n"],
)
def test_what_stands_before_the_headers_is_skipped(before: bytes) -> None:
    """A byte order mark, blank lines, the line of an mbox file."""
    mail = read_mail(before + HEAD + b"\nbody")
    assert everything(mail) == everything(read_mail(HEAD + b"\nbody"))
    assert mail.raw == before + HEAD + b"\nbody"
    assert peek(before + HEAD).get("subject") == "Hello"


@pytest.mark.parametrize("raw", [b"", b"\n", b"no header at all", b"\n\nbody", b"\xff\xfe", b"{}", b"From x\n"])
def test_bytes_without_a_header_are_no_mail(raw: bytes) -> None:
    """Not every file in a mail folder is one."""
    mail = read_mail(raw)
    assert not mail.is_mail
    assert everything(mail)[0] == (False, "", (), (), (), None, "")


@pytest.mark.parametrize(
    ("body", "plain", "page"),
    [
        (PLAIN, "plain", None),
        (PAGE, None, "<p>page</p>"),
        (b"\nplain", "plain", None),
        (multipart("alternative", PLAIN, PAGE), "plain", "<p>page</p>"),
        (multipart("alternative", PAGE), None, "<p>page</p>"),
        (multipart("alternative", PLAIN, PAGE, b"Content-Type: text/plain\n\nsecond"), "plain", "<p>page</p>"),
        (multipart("alternative", PLAIN, multipart("related", PAGE, PICTURE)), "plain", "<p>page</p>"),
        (multipart("alternative", PLAIN, multipart("mixed", PAGE, PICTURE)), "plain", "<p>page</p>"),
        (multipart("related", multipart("alternative", PLAIN, PAGE), PICTURE), "plain", "<p>page</p>"),
        (multipart("related", PICTURE, PAGE, PLAIN), None, "<p>page</p>"),
        (multipart("related", PICTURE), None, None),
        (multipart("signed", PLAIN, b"Content-Type: application/pgp-signature\n\nx"), "plain", None),
        (multipart("mixed", PLAIN, PICTURE, b"\n<footer>"), "plain\n<footer>", None),
        (multipart("mixed", PAGE, b"\na < b"), "a < b", "<p>page</p>\n<pre>a &lt; b</pre>"),
        (multipart("mixed", multipart("alternative", PLAIN, PAGE), b"\nend"), "plain\nend", "<p>page</p>\n<pre>end</pre>"),
        (
            multipart("mixed", multipart("mixed", PLAIN), multipart("alternative", PLAIN, PAGE)),
            "plain\nplain",
            "<pre>plain</pre>\n<p>page</p>",
        ),
        (multipart("mixed", PICTURE), None, None),
        (multipart("mixed", b"\n", PLAIN), "plain", None),
        (
            multipart(
                "report",
                b"\nnotice",
                b"Content-Type: message/delivery-status\n\nStatus: 5.1.1",
                b"Content-Type: text/rfc822-headers\n\nA: 1",
            ),
            "notice",
            None,
        ),
        (b"Content-Type: text/plain; name=body.txt\n\nplain", "plain", None),
        (b"Content-Type: text/plain; name=body.txt\nContent-Disposition: inline\n\nplain", "plain", None),
        (b"Content-Type: text/plain\nContent-Disposition: attachment\n\nplain", None, None),
        (b"Content-Type: multipart/mixed\n\nno boundary", "no boundary", None),
        (b"Content-Type: application/pdf\n\n%PDF", None, None),
        (b"Content-Type: text/calendar\n\nBEGIN", None, None),
    ],
)
def test_the_text_that_is_shown(body: bytes, plain: str | None, page: str | None) -> None:
    """RFC 2046 section 5.1 and RFC 2387: alternatives, related pictures, several parts in a row, attachments left out."""
    mail = read_mail(HEAD + body)
    assert (mail.plain, mail.html) == (plain, page)


@pytest.mark.parametrize(
    ("encoding", "charset", "encoded"),
    [
        ("8bit", "utf-8", "Grüße".encode()),
        ("quoted-printable", "utf-8", b"Gr=C3=BC=C3=9Fe"),
        ("base64", "windows-1252", b"R3L832U="),
        ("7bit", "iso-2022-jp", "注文".encode("iso-2022-jp")),
        ("8bit", "shift_jis", "注文".encode("cp932")),
        ("base64", "x-unknown", b"R3LDvMOfZQ=="),
        ("7bit", "\0", b"plain"),
    ],
)
def test_encodings_and_charsets_are_undone(encoding: str, charset: str, encoded: bytes) -> None:
    """Every transfer encoding and the charsets that occur; a label of NUL makes other readers raise."""
    mail = read_mail(f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n".encode() + encoded)
    assert mail.plain in ("Grüße", "注文", "plain")


INNER = b"From: x@example.com\r\nSubject: inner\r\n\r\nGr\xc3\xbc\xc3\x9fe  \r\n\r\n"


@pytest.mark.parametrize(
    "part",
    [
        b"Content-Type: message/rfc822\n\n" + INNER,
        b"Content-Type: message/rfc822; name=fwd.eml\nContent-Disposition: attachment\n\n" + INNER,
        b"Content-Type: message/global\n\n" + INNER,
        b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(INNER),
        b"Content-Type: application/octet-stream; name=Notice.EML\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(INNER),
        b"Content-Type: text/plain; name=fwd.eml\nContent-Disposition: attachment\n\n" + INNER,
    ],
)
def test_an_attached_mail_comes_out_byte_for_byte_and_stays_out_of_the_text(part: bytes) -> None:
    """Its signature can be checked, and its words are never taken for those of the mail around it."""
    mail = read_mail(HEAD + multipart("mixed", PLAIN, part))
    assert mail.attached == (INNER,)
    assert mail.plain == "plain"
    assert mail.senders == (Mailbox("Anna", "anna@example.com"),)
    assert [attachment.size for attachment in mail.attachments] == [len(INNER)]
    assert read_mail(mail.attached[0]).subject == "inner"


def test_the_mails_of_a_digest_are_attached() -> None:
    """RFC 2046 section 5.1.5."""
    mail = read_mail(HEAD + multipart("mixed", PLAIN, multipart("digest", b"\nSubject: 1\n\none", b"\nSubject: 2\n\ntwo")))
    assert mail.attached == (b"Subject: 1\n\none", b"Subject: 2\n\ntwo")
    assert mail.plain == "plain"


def test_a_mail_that_is_nothing_but_another_mail() -> None:
    """The outermost part itself may be an attached mail."""
    mail = read_mail(HEAD + b"Content-Type: message/rfc822\n\n" + INNER)
    assert (mail.plain, mail.html, mail.attached) == (None, None, (INNER,))


def test_attachments_are_told_by_name_type_and_size() -> None:
    """The size is that of the content, not of its encoding; an .eml file shown as text is no attached mail."""
    mail = read_mail(
        HEAD + multipart("mixed", PLAIN, PICTURE, b"Content-Type: text/csv\n\na,b", b"Content-Type: text/plain; name=shown.eml\n\nx")
    )
    assert mail.attachments == (
        Attachment(filename="logo.png", content_type="image/png", size=8),
        Attachment(filename="", content_type="text/csv", size=3),
    )
    assert mail.attached == ()
    assert read_mail(b"Content-Type: multipart/mixed\n\nno boundary").attachments == ()


@pytest.mark.parametrize(
    ("fields", "recipients"),
    [
        (
            b"To: a@x.example, B <b@x.example>\nCc: c@x.example\nBcc: d@x.example\n",
            ("a@x.example", "b@x.example", "c@x.example", "d@x.example"),
        ),
        (b"To: a@x.example\nTo: b@x.example\n", ("a@x.example", "b@x.example")),
        (b"To: undisclosed-recipients:;\n", ()),
        (b"To: a@x.example\nResent-To: b@x.example\nResent-Cc: c@x.example\n", ("b@x.example", "c@x.example")),
        (b"To: a@x.example\nResent-From: b@x.example\n", ("a@x.example",)),
        (b"To: a@x.example; b@x.example\n", ("a@x.example", "b@x.example")),
    ],
)
def test_recipients_are_the_envelope(fields: bytes, recipients: tuple[str, ...]) -> None:
    """To, Cc and Bcc, or the Resent fields instead (RFC 5322 section 3.6.6)."""
    assert read_mail(fields + b"\n").recipients == recipients


@pytest.mark.parametrize(
    ("value", "senders"),
    [
        (b"From: a@x.example\nFrom: b@x.example", ["a@x.example", "b@x.example"]),
        (b"From: a@x.example\n , b@x.example", ["a@x.example", "b@x.example"]),
        (b'From: "donotreply@amazon.de" <evil@x.example>', ["evil@x.example"]),
        (b"From: donotreply@amazon.de <evil@x.example>", ["evil@x.example"]),
        (b"From: <donotreply@amazon.de> <evil@x.example>", []),
        (b"From: donotreply@amazon.de\\,evil@x.example", []),
        (b"From:", []),
    ],
)
def test_a_sender_counts_only_if_both_readers_find_it(value: bytes, senders: list[str]) -> None:
    """All From fields are seen; what mail-parser or the scanner finds ambiguous is nobody."""
    assert [mailbox.address for mailbox in read_mail(value + b"\n\n").senders] == senders


@pytest.mark.parametrize(
    ("value", "date"),
    [
        (b"Fri, 1 May 2026 10:00:00 +0200", datetime(2026, 5, 1, 8, tzinfo=UTC)),
        (b"1 May 26 10:00 EST (comment)", datetime(2026, 5, 1, 15, tzinfo=UTC)),
        (b"Fri 1 May 2026 10:00:00 -0000", datetime(2026, 5, 1, 10, tzinfo=UTC)),
        (b"Fri, 1 May 126 10:00:00 +0000", datetime(2026, 5, 1, 10, tzinfo=UTC)),
        (b"Fri, 99 May 2026 10:00:00 +0000", None),
        (b"Fri, 1 May 99999999999 10:00:00 +0000", None),
        (b"Fri, 31 Dec 9999 23:59:59 -2300", None),
        (b"tomorrow", None),
        (b"", None),
    ],
)
def test_dates_are_read_in_utc(value: bytes, date: datetime | None) -> None:
    """RFC 5322 section 3.3, obsolete and broken forms; None where there is no saying."""
    assert read_mail(b"Date: " + value + b"\n\n").date == date


def mail_of(name: str, local: str, when: datetime) -> bytes:
    """A mail from somebody at some time, as the standard library writes it."""
    message = Message()
    message["From"] = email.utils.formataddr((name, f"{local}@example.com"))
    message["Reply-To"] = f"{local}@example.com, x@example.com"
    message["Date"] = format_datetime(when)
    return message.as_bytes()


EARLIEST, LATEST = datetime(1981, 1, 1), datetime(2079, 12, 31)  # noqa: DTZ001 - the strategy adds the time zone
ORDINARY = st.builds(
    mail_of,
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20),
    st.from_regex(r"[a-z0-9+-]{1,10}", fullmatch=True),
    st.datetimes(EARLIEST, LATEST, timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))])),
)


@given(ORDINARY)
def test_the_result_is_the_same_where_mail_parser_raises(raw: bytes) -> None:
    """Whoever wrote a mail, whatever their name: without mail-parser the same is read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mailparser, "MailParser", _failing)
        without = everything(read_mail(raw))
    assert everything(read_mail(raw)) == without
    assert len(read_mail(raw).senders) == 1


def _failing(*_: object) -> None:
    raise ValueError("embedded null character")


def test_a_failure_of_mail_parser_is_logged_without_an_address(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The log says that it failed and how, and nothing of the mail."""
    monkeypatch.setattr(mailparser, "MailParser", _failing)
    with caplog.at_level(logging.DEBUG, "optoutkit"):
        assert read_mail(HEAD).senders
    assert "ValueError" in caplog.text
    assert "anna" not in caplog.text


def test_mail_parser_sees_neither_long_fields_nor_other_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes it long, or leads it astray, never reaches it."""
    views: list[Message] = []

    class Spy(mailparser.MailParser):  # type: ignore[misc]
        def __init__(self, view: Message) -> None:
            views.append(view)
            super().__init__(view)

    monkeypatch.setattr(mailparser, "MailParser", Spy)
    assert read_mail(HEAD + multipart("mixed", PLAIN, b"Content-Type: message/rfc822\n\n" + INNER)).senders
    assert [sorted(view.keys()) for view in views] == [["Date", "From", "Reply-To"]]
    assert not views[0].get_payload()
    assert len(read_mail(b"From: " + b"a@x.example," * 2000 + b"\n\n").senders) == 2000
    assert len(views) == 1


def test_limits_hold_for_bytes_parts_and_depth() -> None:
    """Too much is refused with the one error there is, by the full reader and by the quick one."""
    raw = HEAD + multipart("mixed", multipart("mixed", PLAIN))
    assert read_mail(raw, limits=Limits(max_bytes=len(raw), max_parts=3, max_depth=2)).plain == "plain"
    with pytest.raises(MessageTooLarge, match="bytes"):
        read_mail(raw, limits=Limits(max_bytes=len(raw) - 1))
    with pytest.raises(MessageTooLarge, match="bytes"):
        peek(raw, Limits(max_bytes=len(raw) - 1))
    with pytest.raises(MessageTooLarge, match="parts"):
        read_mail(raw, limits=Limits(max_parts=2))
    with pytest.raises(MessageTooLarge, match="deeper"):
        read_mail(raw, limits=Limits(max_depth=1))
    with pytest.raises(MessageTooLarge, match="header"):
        read_mail(raw, limits=Limits(max_header_bytes=read_mail(raw).header_bytes - 1))
    with pytest.raises(MessageTooLarge, match="header"):
        peek(raw, Limits(max_header_bytes=len(HEAD) - 1))
    assert read_mail(raw, limits=Limits(max_header_bytes=read_mail(raw).header_bytes)).plain == "plain"


@pytest.mark.parametrize(
    ("text_bytes", "plain", "html", "is_cut"),
    [
        (None, "one\ntwo ü\n", "<p>three", False),
        (20, "one\ntwo ü\n", "<p>three", False),
        (14, "one\ntwo ü\n", "<p>", True),
        (8, "one\n", "", True),
    ],
)
def test_the_first_of_the_text_is_read(text_bytes: int | None, plain: str, html: str, is_cut: bool) -> None:
    """Of texts that are too long whole lines are read, in the order of the mail, whatever else is attached."""
    texts = [b"Content-Type: text/plain; charset=utf-8\n\n" + "one\ntwo ü\n".encode(), b"Content-Type: text/html\n\n<p>three"]
    raw = HEAD + multipart("mixed", multipart("alternative", *texts), b"Content-Type: application/pdf\n\n" + b"x" * 1000)
    mail = read_mail(raw, text_bytes=text_bytes)
    assert (mail.plain, mail.html, mail.is_cut) == (plain, html, is_cut)
    assert mail.attachments == read_mail(raw).attachments


@pytest.mark.parametrize("size", range(8, 16))
def test_a_text_is_not_cut_within_a_character(size: int) -> None:
    """Else all of it would be read in another charset."""
    plain = read_mail(HEAD + b"\n" + "füü€€😀😀".encode() * 100, text_bytes=size).plain or ""
    assert plain
    assert "füü€€😀😀".startswith(plain)


def test_two_thousand_multiparts_are_refused_and_deep_ones_read() -> None:
    """No recursion, neither here nor in a parser behind: the limit decides, even a generous one."""
    raw = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level) for level in range(2000)) + PLAIN
    with pytest.raises(MessageTooLarge):
        read_mail(raw)
    assert everything(read_mail(raw, limits=Limits(max_depth=3000, max_parts=3000)))[1][0] == "plain"


TWINS = [
    HEAD
    + b"X: a\n b\n"
    + multipart("mixed", multipart("alternative", PLAIN, PAGE), PICTURE, b"Content-Type: message/rfc822\n\nA: 1\n\ntext\n"),
    b"\n\n" + HEAD + b"Content-Transfer-Encoding: quoted-printable\n\na =\nb\n\nc=20\n",
    b"From anna Fri May\n" + HEAD + b"Content-Transfer-Encoding: base64\n\nSGVs\nbG8=\n",
]


@pytest.mark.parametrize("raw", TWINS)
@pytest.mark.parametrize("newline", [b"\r\n", b"\r"])
def test_line_ends_make_no_difference(raw: bytes, newline: bytes) -> None:
    """The same mail with CRLF or CR gives the same result, but for the bytes of what is attached."""
    twin = read_mail(raw.replace(b"\n", newline))
    mail = read_mail(raw)
    assert everything(twin)[0] == everything(mail)[0]
    assert (twin.plain, twin.html) == (mail.plain, mail.html)
    assert [part.replace(newline, b"\n") for part in twin.attached] == list(mail.attached)
    assert [attachment.filename for attachment in twin.attachments] == [attachment.filename for attachment in mail.attachments]


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type:charset=\x00\nContent-Transfer-Encoding:o\n=",
        b" \nu:=?\x00?Q?E?=",
        b" \nContent-Type:;name*0;name*",
        b" \nContent-Type:;name*0*=\x00''",
        b" \nContent-Type:multipart/;boundary=B\n--B\nContent-Type:multipart/;boundary",
        b"e:\x0bm:",
        b" \nContent-Type:charset=\xe0\n\x80",
    ],
)
def test_mails_that_make_other_parsers_raise_are_read(raw: bytes) -> None:
    """Each of these made mail-parser 4.8 or the standard library raise something of its own."""
    everything(read_mail(raw))


LINES = [
    *(
        b"From: a <b@c.example>",
        b"To: x,y",
        b"Date: Fri, 1 May 2026 10:00:00 +0200",
        b"Subject: =?utf-8?q?=C3?=",
        b"Subject: =?x?b?",
        b"Message-ID: <",
        b" folded",
    ),
    *(
        b"Content-Type: multipart/mixed; boundary=B",
        b"Content-Type: multipart/alternative; boundary=C",
        b"Content-Type: message/rfc822",
        b"Content-Type: text/html; charset=x",
    ),
    *(
        b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: quoted-printable",
        b"Content-Disposition: attachment; filename*=x''%ff.eml",
    ),
    *(b"--B", b"--C", b"--B--", b"--C--", b"", b"", b"text =3D", b"SGk=", b"\xff\x00\x1b$B"),
]


@given(st.binary() | st.lists(st.sampled_from(LINES) | st.binary(max_size=8)).map(b"\n".join))
def test_no_bytes_raise_anything_but_too_large(raw: bytes) -> None:
    """Any bytes, and any pieces of mails put together, are read; whatever is attached is taken from them."""
    mail = read_mail(raw)
    everything(mail)
    for attached in mail.attached:
        everything(read_mail(attached))
    for text in (mail.subject, mail.plain or "", mail.html or "", mail.message_id):
        text.encode("utf-8")


@given(st.binary(max_size=60), st.sampled_from(["plain", "html"]), st.sampled_from(["base64", "quoted-printable"]))
def test_what_the_standard_library_writes_is_read(data: bytes, subtype: str, encoding: str) -> None:
    """Text in any encoding comes back as it was, with LF as line end."""
    text = data.decode("latin-1").replace("\x85", " ").replace("\x1b", " ")  # escapes are Japanese, whatever the label says
    message = EmailMessage(SMTP)
    message.set_content(text, subtype, "utf-8", cte=encoding)
    mail = read_mail(message.as_bytes())
    shown = mail.plain if subtype == "plain" else mail.html
    lines = "".join(line + "\n" for line in text.replace("\r\n", "\n").replace("\r", "\n").splitlines())
    assert (shown or "").split() == lines.split()


def test_message_objects_of_the_standard_library_are_written_out() -> None:
    """Both kinds of them, and bytes as they are."""
    message = EmailMessage()
    message["Subject"] = "Grüße"
    message.set_content("From here\n")
    assert read_mail(raw_bytes(message)).subject == "Grüße"
    assert read_mail(raw_bytes(message)).plain == "From here\n"
    assert read_mail(raw_bytes(email.message_from_bytes(HEAD))).subject == "Hello"
    assert raw_bytes(HEAD) == raw_bytes(bytearray(HEAD)) == raw_bytes(memoryview(HEAD)) == HEAD


def test_a_message_object_that_its_own_policy_cannot_write_is_written_by_another() -> None:
    """A charset that nobody knows makes policy.default raise, and compat32 not."""
    message = email.message_from_bytes(
        b"Subject: =?utf-8?q?=C3=A4?=\nContent-Type: text/plain; charset=x-unknown\n\nGr\xc3\xbc\xc3\x9fe", policy=email.policy.default
    )
    assert read_mail(raw_bytes(message)).subject == "ä"


@pytest.mark.parametrize("value", ["text", None, 3])
def test_what_is_no_mail_is_refused(value: Any) -> None:
    """The error names the type that was given."""
    with pytest.raises(InvalidMessage, match=type(value).__name__):
        raw_bytes(value)


def test_a_message_object_that_nobody_can_write_is_refused() -> None:
    """Whatever the standard library raises becomes our error."""
    message = Message(compat32)
    message.set_payload(cast("str", object()))
    with pytest.raises(InvalidMessage, match="cannot be written"):
        raw_bytes(message)


@pytest.mark.parametrize(
    "field",
    [b"From: ", b"Reply-To: ", b"To: ", b"Date: ", b"Subject: ", b"Message-ID: ", b"Content-Type: multipart/mixed; boundary=", b"\n", b""],
)
@pytest.mark.parametrize(
    "pattern", [b",", b"<", b"(", b'"', b"a@b,", b"=?utf-8?q?a?= ", b"=?utf-8?b?", b"a ", b"\n", b"1 ", b"(a)", b"\0", b"--\n"]
)
def test_hostile_mails_take_linear_time(field: bytes, pattern: bytes, assert_linear: Callable[..., None]) -> None:
    """No pattern in any field makes reading slow."""
    assert_linear(lambda raw: everything(read_mail(raw)), pattern, field)
