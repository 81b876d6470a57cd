"""What becomes of a mail when its reader, or a server, passes it on: for the tests of those who read notices.

Each function takes a raw mail and gives another one, as the mail program or server would send it.
"""

import html
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

from optoutkit.text.html import render
from optoutkit.text.mime import Mail, read_mail

__all__ = [
    "CLIENTS",
    "FORWARDING_LANGUAGES",
    "SERVERS",
    "Client",
    "Server",
    "forward_as_attachment",
    "forward_automatically",
    "forward_inline",
]

Client = Literal["gmail", "outlook", "outlook_web", "outlook_mobile", "apple_mail", "yahoo", "thunderbird"]
"""Mail programs, by the way they write a forward."""

Server = Literal["gmail", "exchange", "icloud", "yahoo", "group", "srs", "resent", "delivered_twice"]
"""Servers and rules that forward, by the traces they leave."""

CLIENTS: tuple[Client, ...] = get_args(Client)
SERVERS: tuple[Server, ...] = get_args(Server)

_Words = Mapping[str, Any]
_LATER = timedelta(hours=3)


@cache
def _words() -> Mapping[str, _Words]:
    return tomllib.loads(resources.files("optoutkit.testing").joinpath("forwards.toml").read_text(encoding="utf-8"))


def _words_of(by: Client, language: str) -> _Words:
    words = _words()[language]
    never_translated = {"subject": "Subject", "date": "Date", "to": "To"} if by == "gmail" else {}
    return {**words, **never_translated, **words.get("by", {}).get(by, {})}


FORWARDING_LANGUAGES = tuple(sorted(_words()))
"""Languages in which the mail programs can write."""


def forward_inline(
    mail: bytes,
    *,
    by: Client = "gmail",
    language: str = "en",
    sender: str = "Toy Shop <shop@example.com>",
    to: str = "optouts@example.net",
    words: str = "",
    subject: str | None = None,
    as_html: bool = True,
) -> bytes:
    """Forward a mail the way people do: its text inside a new mail.

    Args:
        mail: What is forwarded.
        by: The mail program.
        language: The mail program's language, one of :data:`FORWARDING_LANGUAGES`.
        sender: Who forwards.
        to: To whom.
        words: What the sender writes on top.
        subject: None for the one the mail program makes.
        as_html: Whether it sends HTML beside the plain text.
    """
    read = read_mail(mail)
    told = _Told(read, _words_of(by, language))
    forward = _new_mail(sender, to, f"{told.words['prefix']}: {read.subject}" if subject is None else subject, told.sent_at + _LATER)
    forward.set_content(f"{words}\n\n{_plain_forward(told, by)}\n" if words else f"{_plain_forward(told, by)}\n", cte="quoted-printable")
    if as_html:
        forward.add_alternative(_html_forward(told, by, words), subtype="html", cte="quoted-printable")
    return forward.as_bytes()


def forward_as_attachment(
    mail: bytes,
    *,
    sender: str = "Toy Shop <shop@example.com>",
    to: str = "optouts@example.net",
    words: str = "See attached.",
    as_file: bool = False,
) -> bytes:
    """Forward a mail as an attachment, byte for byte.

    Args:
        mail: What is forwarded.
        sender: Who forwards.
        to: To whom.
        words: What the sender writes.
        as_file: As a file ``notice.eml`` in base64, as web mailers do, instead of a part of type message/rfc822.
    """
    read = read_mail(mail)
    outer = _new_mail(sender, to, f"Fwd: {read.subject}", (read.date or datetime.now().astimezone()) + _LATER)
    outer.set_content(words)
    if as_file:
        outer.add_attachment(mail, maintype="application", subtype="octet-stream", filename="notice.eml")
        return outer.as_bytes()
    outer.add_attachment(b"", maintype="application", subtype="x-place", filename="notice.eml")
    before, _, after = outer.as_bytes().partition(b"Content-Type: application/x-place")
    end = after.index(b"\r\n\r\n") + 4
    return before + b'Content-Type: message/rfc822; name="notice.eml"\r\nContent-Disposition: attachment\r\n\r\n' + mail + after[end:]


def forward_automatically(mail: bytes, *, by: Server = "gmail", to: str = "optouts@example.net") -> bytes:
    """Forward a mail as a server does: as it is, with a few fields on top.

    Args:
        mail: What is forwarded.
        by: Which server.
        to: To whom.
    """
    date = format_datetime((read_mail(mail).date or datetime.now().astimezone()) + timedelta(seconds=4))
    received = f"Received: from mail.example.com by mx.example.net with ESMTPS; {date}\r\n"
    if by == "group":
        mail = re.sub(rb'(?mi)^From: "?([^"<\r\n]*?)"? <[^>]*>', rb"""From: "'\1' via Optouts" <optouts@example.com>""", mail, count=1)
    fields = {
        "gmail": f"Delivered-To: {to}\r\n{received}X-Forwarded-To: {to}\r\nX-Forwarded-For: shop@example.com {to}\r\n",
        "exchange": f"{received}X-MS-Exchange-Inbox-Rules-Loop: shop@example.com\r\nAuto-Submitted: auto-generated\r\n",
        "icloud": f"Return-Path: <shop+SRS=x0=9Y=amazon.com=0102@icloud.com>\r\nOriginal-Recipient: rfc822;shop@icloud.com\r\n{received}",
        "yahoo": f"Delivered-To: {to}\r\n{received}X-Apparently-To: shop@yahoo.example via 203.0.113.8; {date}\r\n",
        "group": f"{received}List-ID: <optouts.example.com>\r\nX-Original-Sender: auto-communication@amazon.com\r\n",
        "srs": f"Return-Path: <SRS0=Xk2d=AB=bounces.amazon.com=0102@example.com>\r\n{received}",
        "resent": f"Resent-From: shop@example.com\r\nResent-To: {to}\r\nResent-Date: {date}\r\n{received}",
        "delivered_twice": f"Delivered-To: {to}\r\n{received}Delivered-To: shop@example.com\r\n",
    }
    return fields[by].encode() + mail


class _Told:
    """What a mail program tells of the mail it forwards."""

    def __init__(self, mail: Mail, words: _Words) -> None:
        self.words = words
        self.subject = mail.subject
        self.sent_at = mail.date or datetime.now().astimezone()
        sender = next(iter(mail.senders), None)
        self.name, self.address = (sender.name, sender.address) if sender else ("", "")
        self.to = ", ".join(mail.recipients)
        self.html = mail.html or f"<pre>{html.escape(mail.plain or '')}</pre>"
        self.plain = mail.plain or render(self.html).text

    def date(self, form: Literal["written", "short"]) -> str:
        moment = self.sent_at
        text: str = self.words[form].format(
            weekday=self.words["weekdays"][moment.weekday()],
            day=moment.day,
            month=self.words["months"][moment.month - 1],
            month_number=moment.month,
            year=moment.year,
            time=f"{moment:%H:%M}",
        )
        return text

    def lines(self, by: Client) -> list[tuple[str, str]]:
        """The header lines: word and value."""
        words, both = self.words, f"{self.name} <{self.address}>"
        subject, to = (words["subject"], self.subject), (words["to"], self.to)
        if by in ("outlook", "outlook_web", "outlook_mobile"):
            return [(words["from"], both), (words["sent"], self.date("written")), to, subject]
        if by == "apple_mail":
            return [(words["from"], f'"{self.name}" <{self.address}>'), subject, (words["date"], self.date("short")), to]
        if by == "yahoo":
            return [(words["from"], f'"{self.name}" <{self.address}>'), to, (words["sent"], format_datetime(self.sent_at)), subject]
        if by == "thunderbird":
            return [subject, (words["date"], format_datetime(self.sent_at)), (words["from"], both), to]
        return [(words["from"], both), (words["date"], self.date("short")), subject, to]

    def banner(self, by: Client) -> str:
        if by == "gmail":
            return f"---------- {self.words['gmail']} ---------"
        if by == "yahoo":
            return f"----- {self.words['yahoo']} -----"
        if by == "thunderbird":
            return f"-------- {self.words['thunderbird']} --------"
        return {"apple_mail": str(self.words["apple"]), "outlook_mobile": "_" * 32}.get(by, "")


def _plain_forward(told: _Told, by: Client) -> str:
    lines = [f"{word}: {value}" for word, value in told.lines(by)]
    if by == "outlook":
        lines[0] = lines[0].replace(f"<{told.address}>", f"[mailto:{told.address}]")
    body = [*lines, "", *told.plain.split("\n")]
    if by == "apple_mail":
        body = ["", *(f"> {line}" for line in body)]
    elif by == "yahoo":
        body = [line and f" {line}" for line in body]
    return "\n".join([told.banner(by), *body] if told.banner(by) else body)


def _html_forward(told: _Told, by: Client, words: str) -> str:
    on_top = f"<div>{html.escape(words)}</div><br>" if words else ""
    fields = [(html.escape(word), html.escape(value)) for word, value in told.lines(by)]
    banner = html.escape(told.banner(by))
    if by == "gmail":
        lines = "".join(f"{word}: {value}<br>" for word, value in fields)
        return (
            f'<div dir="ltr">{on_top}<div class="gmail_quote"><div class="gmail_attr">{banner}<br>{lines}</div><br>{told.html}</div></div>'
        )
    if by == "apple_mail":
        lines = "".join(f"<div><b>{word}: </b>{value}<br></div>" for word, value in fields)
        return f'<body>{on_top}<div>{banner}</div><blockquote type="cite">{lines}<br><div>{told.html}</div></blockquote></body>'
    if by == "yahoo":
        lines = "".join(f"<div><b>{word}:</b> {value}</div>" for word, value in fields)
        return f'<div>{on_top}<div class="yahoo_quoted">{banner}{lines}<div>{told.html}</div></div></div>'
    if by == "thunderbird":
        rows = "".join(f'<tr><th align="RIGHT" nowrap>{word}: </th><td>{value}</td></tr>' for word, value in fields)
        return f'<body>{on_top}<div class="moz-forward-container"><br>{banner}<table>{rows}</table><br>{told.html}</div></body>'
    lines = "<br>".join(f"<b>{word}:</b> {value}" for word, value in fields)
    return f"<body>{on_top}<hr><div><p>{lines}</p></div>{told.html}</body>"


def _new_mail(sender: str, to: str, subject: str, sent_at: datetime) -> EmailMessage:
    mail = EmailMessage(policy=SMTP.clone(max_line_length=998))
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(sent_at)
    mail["Message-ID"] = f"<{int(sent_at.timestamp())}@mail.example.com>"
    return mail
