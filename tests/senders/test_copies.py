"""Copies of a mail for a part of its recipients."""

from email import message_from_bytes
from email.message import EmailMessage
from email.message import Message as StandardMessage
from email.policy import SMTPUTF8, compat32
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optoutkit.guard import Guard, Verdict, read_address
from optoutkit.guard.decisions import Action, Decision, DecisionReason
from optoutkit.messages import Message
from optoutkit.senders.copies import copy_for
from optoutkit.text.mime import read_mail

GONE, STAYS = "gone@marketplace.amazon.de", "stays@marketplace.amazon.de"


def verdict_on(mail: Any, *suppressed: str) -> Verdict:
    """A verdict that suppresses some of the recipients of a mail."""
    recipients = mail.to if isinstance(mail, Message) else Message.from_email(mail).to
    unwanted = {read_address(recipient) for recipient in suppressed}
    return Verdict(
        decisions=tuple(
            Decision(
                recipient=recipient,
                action=Action.SUPPRESS if read_address(recipient) in unwanted else Action.SEND,
                reason=DecisionReason.OPTED_OUT,
            )
            for recipient in recipients
        )
    )


def copied(mail: Any, *suppressed: str) -> Any:
    """The copy without these."""
    return copy_for(mail, verdict_on(mail, *suppressed))


def test_each_address_field_loses_its_suppressed_mailboxes() -> None:
    """The other mailboxes keep their names, fields that lose nobody stay as they are, one that loses all is gone."""
    mail = EmailMessage()
    mail["To"] = f'"Gone, A" <{GONE}>, "Jürgen, B" <{STAYS}>'
    mail["Cc"] = "A <a@shop.example>,   B <b@shop.example>"
    mail["Bcc"] = f"{GONE.upper()}"
    mail["Subject"] = "Grüße"
    mail.set_content("Hello")
    copy = copied(mail, GONE)
    assert type(copy) is EmailMessage
    assert copy["To"] == f'"Jürgen, B" <{STAYS}>'
    assert copy["Cc"] is not None
    assert str(copy["Cc"]) == str(mail["Cc"])
    assert copy["Bcc"] is None
    assert copy["Subject"] == "Grüße"
    assert copy.get_content() == "Hello\n"
    assert mail["Bcc"] == GONE.upper(), "the original keeps them all"


def test_resent_fields_of_a_resent_mail() -> None:
    """Its envelope is theirs (RFC 5322 section 3.6.6)."""
    mail = message_from_bytes(f"Resent-To: {GONE}, {STAYS}\nTo: {GONE}, x@y.example\n\nHello\n".encode())
    copy = copied(mail, GONE)
    assert copy["Resent-To"] == STAYS
    assert copy["To"] == "x@y.example", "a suppressed recipient gets it by no field"


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_bytes_keep_their_body(line_end: bytes) -> None:
    """Line ends, eight-bit text, long header lines, lines that begin with From; only the address fields change."""
    lines = [
        b"Subject: " + b"long " * 40,
        f"To: Gone <{GONE}>,".encode(),
        f"  Stays <{STAYS}>".encode(),
        b"Content-Type: multipart/mixed; boundary=b",
        b"",
        b"Preamble",
        b"--b",
        b"Content-Type: text/plain; charset=latin-1",
        b"",
        "Grüße".encode("latin-1"),
        b"From here on",
        b"--b--",
        b"Epilogue",
        b"",
    ]
    raw = line_end.join(lines)
    head, _, body = copied(raw, GONE).partition(line_end * 2)
    assert body == raw.partition(line_end * 2)[2]
    assert head.split(line_end) == [lines[0], lines[3], f"To: Stays <{STAYS}>".encode()]


def test_an_address_beyond_ascii_is_kept() -> None:
    """Without its display name, which the standard library writes beside ASCII addresses only."""
    mail = message_from_bytes(f"To: {GONE}, Jürgen <jürgen@shop.example>\n\nHello\n".encode(), policy=SMTPUTF8)
    assert read_mail(copied(mail, GONE).as_bytes()).recipients == ("jürgen@shop.example",)


@pytest.mark.parametrize("how", ["bytes", "parsed", "parsed by the old policy", "written"])
def test_what_follows_a_semicolon_is_a_recipient_too(how: str) -> None:
    """The standard library keeps it in the mail, and leaves it out of the field's value."""
    raw: Any = f"To: {STAYS};{GONE}\n\nHello\n".encode()
    if how == "written":
        mail: Any = EmailMessage()
        mail["To"] = f"{STAYS};{GONE}"
        mail.set_content("Hello")
    else:
        mail = raw if how == "bytes" else message_from_bytes(raw, policy=SMTPUTF8 if how == "parsed" else compat32)
    assert Message.from_email(mail).to == (STAYS, GONE)
    assert Message.from_email(copied(mail, GONE)).to == (STAYS,)


mailboxes = st.lists(
    st.tuples(
        st.sampled_from(["", "A", '"B, C"', "=?utf-8?q?J=C3=BCrgen?=", '"x@y.example"', "(comment)"]),
        st.sampled_from([GONE, STAYS, "Gone@Marketplace.amazon.de", "gone+7f0e@marketplace.amazon.de", "supplier@shop.example"]),
    ),
    max_size=4,
)


@settings(deadline=None)
@given(to=mailboxes, cc=mailboxes, bcc=mailboxes, as_bytes=st.booleans())
def test_a_copy_never_names_who_is_suppressed_and_loses_nobody_else(to: Any, cc: Any, bcc: Any, as_bytes: bool) -> None:
    """Whatever the fields look like."""
    mail: StandardMessage | bytes = StandardMessage(policy=compat32)
    for name, pairs in (("To", to), ("Cc", cc), ("Bcc", bcc)):
        if pairs:
            mail[name] = ", ".join(f"{phrase} <{address}>" for phrase, address in pairs)  # type: ignore[index]
    mail.set_payload("Hello")  # type: ignore[union-attr]
    if as_bytes:
        mail = mail.as_bytes()  # type: ignore[union-attr]
    before = Message.from_email(mail).to
    after = Message.from_email(copied(mail, GONE)).to
    assert sorted(after) == sorted(recipient for recipient in before if read_address(recipient) != read_address(GONE))


def test_a_guard_sends_copies(guard: Guard) -> None:
    """The whole way, with a function that hands over what it gets."""
    mail = f"To: optedout@marketplace.amazon.de, {STAYS}\r\n\r\nHello\r\n".encode()
    assert guard.wrap(lambda sent: sent)(mail) == f"To: {STAYS}\r\n\r\nHello\r\n".encode()
