"""What the tests of this room share: mails written line by line, and a short way to what the parser says of them."""

from collections.abc import Callable

import pytest

from optoutkit.notices import Notice, parse_notice

AMAZON = '"Amazon.com" <auto-communication@amazon.com>'
ORDER = "112-4821973-6650218"
ENGLISH = (
    f"We were unable to deliver the message you sent for order [{ORDER}] because the buyer has chosen to opt out of receiving "
    "unsolicited messages from sellers."
)

Write = Callable[..., bytes]
Read = Callable[..., Notice | None]


@pytest.fixture
def english() -> str:
    """The first sentence of the English notice, for order ``112-4821973-6650218``."""
    return ENGLISH


@pytest.fixture
def write() -> Write:
    """Write a plain mail: body, From, Subject, further header lines."""

    def write(body: str, sender: str = AMAZON, subject: str = "Your message to a buyer could not be delivered", more: str = "") -> bytes:
        headers = f"From: {sender}\nTo: shop@example.com\nSubject: {subject}\nDate: Thu, 10 Sep 2026 08:15:30 +0000\n{more}"
        return f"{headers}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{body}".encode()

    return write


@pytest.fixture
def read(write: Write) -> Read:
    """Write a mail, and read it as a notice."""

    def read(body: str, **parts: str) -> Notice | None:
        return parse_notice(write(body, **parts))

    return read
