"""A notice to sign, and both ways to check it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from optoutkit.authentication import Authentication, authenticate, authenticate_async

NOTICE = (
    b'From: "Amazon.de" <auto-communication@amazon.de>\r\n'
    b"To: seller@shop.example\r\n"
    b"Subject: Your message to a buyer could not be delivered\r\n"
    b"Date: Mon, 23 Nov 2026 08:00:00 +0000\r\n"
    b"Message-ID: <0102@eu-west-1.amazonses.com>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=UTF-8\r\n"
    b"\r\n"
    b"Dear Seller,\r\n"
    b"We were unable to deliver the message you sent for order [302-1234567-7654321] because the buyer has chosen to opt out.\r\n"
)


@pytest.fixture
def notice() -> bytes:
    """A notice as Amazon would send it, not signed yet."""
    return NOTICE


@pytest.fixture(params=["sync", "async"])
def check(request: pytest.FixtureRequest, dns_server: Any) -> Callable[..., Authentication]:
    """Authenticate with a resolver of an empty cache, blocking or with asyncio: both must say the same."""

    def blocking(raw: bytes, **options: Any) -> Authentication:
        return authenticate(raw, dns_server.resolver(), **options)

    def awaited(raw: bytes, **options: Any) -> Authentication:
        return asyncio.run(authenticate_async(raw, dns_server.async_resolver(), **options))

    return blocking if request.param == "sync" else awaited
