"""A Django project, set up once for all tests of a process, and its messages."""

from typing import Any

import django
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from optoutkit.testing.senders.conformance import Letter

SHOP = "shop@shop.example"
HAS_MAILERS = django.VERSION >= (6, 1)

if not settings.configured:
    settings.configure(INSTALLED_APPS=["optoutkit.senders.django"], DEFAULT_FROM_EMAIL=SHOP, USE_TZ=True)
    django.setup()


def email(letter: Letter, kind: Any = EmailMultiAlternatives, **attributes: Any) -> Any:
    """A letter as a message of Django's, which has the same bytes for equal letters but for boundaries."""
    message = kind(
        letter.subject,
        "" if letter.textless else letter.text,
        SHOP,
        list(letter.to),
        cc=list(letter.cc),
        bcc=list(letter.bcc),
        headers={"Date": "Thu, 26 Nov 2026 12:00:00 +0000", "Message-ID": "<1@shop.example>"},
    )
    if letter.html is not None:
        message.attach_alternative(letter.html, "text/html")
    for name, value in attributes.items():
        setattr(message, name, value)
    return message


def connection(kind: Any, **options: Any) -> Any:
    """An object of a backend, made as Django makes it."""
    return kind(**options, **({"alias": "default"} if HAS_MAILERS else {}))
