"""How a mail came: straight, passed on by a machine, or back because it could not be delivered."""

import re

from optoutkit.notices.surroundings import surroundings
from optoutkit.text.mime import Mail

__all__ = ["is_passed_on", "is_returned"]

# Envelope senders rewritten on the way: SRS, Gmail's +caf_=, Postfix and others by prefix.
_REWRITTEN = re.compile(r"\A\s*+<?(?:srs[01][=+-]|[^@>]*\+caf_=|prvs=[^@>]*srs[01]|[^@>]*\+srs[0-9=])", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>();@]{1,64}@[^\s<>();@]{1,253}")
# In the address or, where there is none, in the name; "Postmaster" may be a person as well, who forwards mail like anybody else.
_MAILER = re.compile(r"(?:^|[\s<\"'])(?:mailer-daemon|mail-daemon|mdaemon|double-bounce)(?=[@>\s\"']|$)", re.IGNORECASE)
_POSTMASTER = re.compile(r"(?:^|[\s<])postmaster@", re.IGNORECASE)
# Each server that delivers a mail adds its own: most the first, Yahoo the second, iCloud the third ("rfc822;shop@icloud.com").
_DELIVERY_FIELDS = ("delivered-to", "x-apparently-to", "original-recipient")
_REPORTS = frozenset({"delivery-status", "disposition-notification", "feedback-report"})
# What autoresponders older than RFC 3834 wrote, and many write still beside its Auto-Submitted.
_ANSWER_FIELDS = ("x-failed-recipients", "x-autoreply", "x-autorespond")


def is_returned(mail: Mail) -> bool:
    """Whether it is a report on another mail, or an automatic answer to one: what it holds of that mail did not come as a notice.

    Bounces (RFC 3464), receipts (RFC 8098), complaints (RFC 5965), absence notes (RFC 3834); and bounces in no form at all, by their
    sender.
    """
    headers = mail.headers
    content = headers.parameters("content-type")
    if content.value == "multipart/report" and content.parameters.get("report-type", "delivery-status").lower() in _REPORTS:
        return True
    submitted = (headers.get("auto-submitted") or "").lower()
    if submitted.startswith("auto-replied") or any(name in headers for name in _ANSWER_FIELDS):
        return True
    if (headers.get("precedence") or "").lower() == "auto_reply":
        return True
    author = headers.get("from") or ""
    if _MAILER.search(author):
        return True
    return bool(_POSTMASTER.search(author)) and (submitted.startswith("auto") or (headers.get("return-path") or "").strip() == "<>")


def is_passed_on(mail: Mail) -> bool:
    """Whether a server or a rule has forwarded it, so that its own header still leads."""
    headers = mail.headers
    if any(name in headers for name in surroundings().forwarding_fields):
        return True
    if any(_REWRITTEN.match(value) for value in headers.get_all("return-path")):
        return True
    deliveries = {address.lower() for name in _DELIVERY_FIELDS for value in headers.get_all(name) for address in _ADDRESS.findall(value)}
    return len(deliveries) > 1
