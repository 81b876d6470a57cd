"""Parsing notices, and turning away what is none."""

import email
from collections.abc import Iterator
from email.policy import compat32
from functools import partial
from html.parser import HTMLParser

import mailparser

from benchmarks.samples import FORWARDED_NOTICE, LONG_NOTICE, NOTICE, SELLER_MAIL
from benchmarks.timing import Result, compare
from optoutkit import parse_notice

__all__ = ["measure"]


def measure() -> Iterator[Result]:
    """Beside the standard library, and beside mail-parser and html.parser, on the same mail."""
    tasks = {
        "parse a notice": NOTICE,
        "parse a notice of 9 KB": LONG_NOTICE,
        "parse a notice forwarded by hand": FORWARDED_NOTICE,
        "turn away another mail": SELLER_MAIL,
    }
    for task, mail in tasks.items():
        work = partial(parse_notice, mail)
        yield compare(task, work, "email.message_from_bytes, compat32", partial(_standard, mail))
        yield compare(task, work, "mail-parser and html.parser", partial(_usual, mail))


def _standard(raw: bytes) -> object:
    mail = email.message_from_bytes(raw, policy=compat32)
    return [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]


class _Text(HTMLParser):
    """The text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


def _usual(raw: bytes) -> object:
    mail = mailparser.parse_from_bytes(raw)
    reader = _Text()
    for page in mail.text_html:
        reader.feed(page)
    return mail.from_, mail.subject, mail.text_plain, reader.pieces
