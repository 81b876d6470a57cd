"""Mails to find."""

import pytest

MAIL = b"From: a@example.com\nSubject: %s\n\nHello\n"


@pytest.fixture
def mail() -> bytes:
    """One with a subject to be filled in."""
    return MAIL
