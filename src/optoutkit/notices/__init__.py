"""Amazon's notices: one mail in, what it says about undelivered messages out."""

from optoutkit.notices.parser import NoticeParser, parse_notice
from optoutkit.notices.values import Form, Notice, NoticeEvidence, NoticeKind
from optoutkit.text.mime import Limits

__all__ = ["Form", "Limits", "Notice", "NoticeEvidence", "NoticeKind", "NoticeParser", "parse_notice"]
