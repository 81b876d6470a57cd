"""Notices from a mail server that delivers them by LMTP (RFC 2033) or SMTP (RFC 5321); needs the extra ``lmtp``."""

from optoutkit.sources.lmtp.desk import Route
from optoutkit.sources.lmtp.server import NoticeServer

__all__ = ["NoticeServer", "Route"]
