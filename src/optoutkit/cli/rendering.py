"""What each kind of result looks like: as JSON, whose fields are a contract, and as text for people."""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from optoutkit.cli.output import Line
from optoutkit.identities import Address
from optoutkit.optouts import OptOut

if TYPE_CHECKING:  # each command loads the rooms it needs, and no other
    from optoutkit.classifier import Classification, Evidence
    from optoutkit.guard import Verdict
    from optoutkit.intake import IntakeResult, QuarantinedMail
    from optoutkit.messages import Message
    from optoutkit.notices import Notice

__all__ = [
    "classification_lines",
    "classification_record",
    "delivery_lines",
    "delivery_record",
    "entry_lines",
    "intake_lines",
    "intake_record",
    "notice_lines",
    "notice_record",
    "quarantined_lines",
    "quarantined_record",
    "spoken",
    "verdict_lines",
    "verdict_record",
]

_ACTION_STYLES = {"send": "bold green", "suppress": "bold red", "hold": "bold yellow"}
_STATUS_STYLES = {"recorded": "green", "known": "green", "ignored": "dim", "quarantined": "bold red", "retry": "bold yellow"}
_FOR, _AGAINST = "bold green", "bold red underline"  # towards critical, away from it; told apart without colours, too


def spoken(name: str) -> str:
    """A name such as ``shipping_address`` as people write it."""
    return name.replace("_", " ").replace("opt out", "opt-out")


def classification_record(file: str | None, classification: "Classification") -> dict[str, Any]:
    """A classified message."""
    return {
        "file": file,
        "critical": classification.critical,
        "solicits": classification.solicits,
        "topic": str(classification.topic),
        "confidence": round(classification.confidence, 4),
        "language": classification.language,
        "evidence": [
            {
                "part": evidence.part,
                "start": evidence.start,
                "end": evidence.end,
                "text": evidence.text,
                "weight": round(evidence.weight, 4),
                "label": evidence.label,
            }
            for evidence in classification.evidence
        ],
    }


def classification_lines(file: str, message: "Message", classification: "Classification", *, highlight: bool) -> Iterator[Line]:
    """A classified message.

    Args:
        file: Its name.
        message: The message.
        classification: What it is.
        highlight: Whether to show its text with the evidence in it, too.
    """
    verdict = ("critical", _FOR) if classification.critical else ("not critical", _AGAINST)
    sure = f"{_percent(classification.confidence)} sure" if classification.confidence else "no text to judge by"
    known = ", ".join(part for part in (spoken(classification.topic), classification.language, sure) if part)
    yield ((file, "bold"), ": ", verdict, f" ({known})")
    if highlight:
        for part, name in (("subject", "Subject: "), ("text", ""), ("alternative", "not shown, but there: ")):
            text = getattr(message, part)
            inside = [evidence for evidence in classification.evidence if evidence.part == part]
            if inside or (text.strip() and part != "alternative"):
                yield from _quoted(name, text, inside)
    for evidence in classification.evidence:
        style = _FOR if evidence.weight > 0 else _AGAINST
        yield "  ", (f"{evidence.weight:+6.2f}", style), f"  {spoken(evidence.label)}: ", f'"{" ".join(evidence.text.split())}"'


def _quoted(name: str, text: str, evidence: "Iterable[Evidence]") -> Iterator[Line]:
    """A text with its evidence in colour, each line behind a bar; where two phrases overlap, the stronger one is shown."""
    styles = ("", _FOR, _AGAINST)
    painted = bytearray(len(text))  # for each character, which style
    for found in sorted(evidence, key=lambda found: abs(found.weight)):
        painted[found.start : found.end] = bytes([1 if found.weight > 0 else 2]) * (found.end - found.start)
    position = 0
    for line in text.rstrip().split("\n"):
        pieces: list[str | tuple[str, str]] = [("  | ", "dim"), name]
        name = ""
        end = position + len(line)
        for style, run in groupby(painted[position:end]):
            start, position = position, position + len(list(run))
            pieces.append((text[start:position], styles[style]))
        yield tuple(pieces)
        position = end + 1


def notice_record(notice: "Notice | None") -> dict[str, Any] | None:
    """A notice; None where a mail is none."""
    if notice is None:
        return None
    return {
        "kind": notice.kind.value,
        "order_ids": [str(order_id) for order_id in notice.order_ids],
        "buyer": _text_or_none(notice.buyer),
        "marketplace": notice.marketplace.domain if notice.marketplace else None,
        "language": notice.language,
        "form": notice.form.value,
        "sent_at": _time(notice.sent_at),
        "message_id": notice.message_id,
        "confidence": round(notice.confidence, 4),
        "evidence": [
            {"kind": evidence.kind, "text": evidence.text, "source": evidence.source, "verified": evidence.verified}
            for evidence in notice.evidence
        ],
    }


def notice_lines(file: str, notice: "Notice | None") -> Iterator[Line]:
    """A notice, or that a mail is none."""
    if notice is None:
        yield (file, "bold"), ": no notice"
        return
    yield (file, "bold"), ": ", (f"{spoken(notice.kind)} notice", "bold"), f" ({_percent(notice.confidence)} sure, if the mail is genuine)"
    for name, value in (
        ("orders", ", ".join(map(str, notice.order_ids))),
        ("buyer", _text_or_none(notice.buyer)),
        ("marketplace", notice.marketplace and notice.marketplace.domain),
        ("language", notice.language),
        ("form", spoken(notice.form)),
        ("sent at", _time(notice.sent_at)),
        ("Message-ID", notice.message_id),
        *((f"by its {evidence.kind}", evidence.text) for evidence in notice.evidence),
    ):
        yield (f"  {name:<15}", "dim"), value or "-"


def intake_record(file: str, result: "IntakeResult") -> dict[str, Any]:
    """What became of a mail."""
    return {
        "file": file,
        "status": result.status.value,
        "reason": result.reason,
        "trust": result.authentication.trust.value if result.authentication else None,
        "notice": notice_record(result.notice),
        "recorded": [entry.to_dict() for entry in result.recorded],
        "contradicted": [str(order_id) for order_id in result.contradicted],
        "mail_id": result.mail_id,
        "is_set_aside": result.is_set_aside,
    }


def intake_lines(file: str, result: "IntakeResult") -> Iterator[Line]:
    """What became of a mail."""
    if result.notice is None:
        what = "no notice"
    else:
        named = [f"order {order_id}" for order_id in result.notice.order_ids]
        named += [f"buyer {result.notice.buyer}"] if result.notice.buyer else []
        what = ", ".join([spoken(result.notice.kind), *named])
    reason = f"; {result.reason}" if result.reason else ""
    yield (f"{result.status:<13}", _STATUS_STYLES[result.status]), (file, "bold"), f": {what}{reason}"
    if result.contradicted:
        yield (f"{'':<13}already known as another buyer's: {', '.join(map(str, result.contradicted))}",)


def delivery_record(seller: str, result: "IntakeResult") -> dict[str, Any]:
    """What became of a mail that was delivered; such lines end up in logs, so no address and no order is in it."""
    return {
        "seller": seller,
        "status": result.status.value,
        "reason": result.reason,
        "trust": result.authentication.trust.value if result.authentication else None,
        "recorded": len(result.recorded),
        "contradicted": len(result.contradicted),
        "mail_id": result.mail_id,
        "is_set_aside": result.is_set_aside,
    }


def delivery_lines(seller: str, result: "IntakeResult") -> Iterator[Line]:
    """What became of a mail that was delivered, without any address or order."""
    whose = f", seller {seller}" if seller else ""
    trust = result.authentication.trust.value if result.authentication else "not asked"
    contradicted = f", {len(result.contradicted)} contradicted links" if result.contradicted else ""
    reason = f"; {result.reason}" if result.reason else ""
    what = f": {len(result.recorded)} opt-outs (trust {trust}{contradicted}){reason}"
    yield (f"{result.status:<13}", _STATUS_STYLES[result.status]), (f"mail {result.mail_id}", "bold"), f"{whose}{what}"


def quarantined_record(mail: "QuarantinedMail") -> dict[str, Any]:
    """A mail in quarantine."""
    return {
        "id": mail.id,
        "since": _time(mail.since),
        "arrived": _time(mail.arrived),
        "reason": mail.reason,
        "trust": mail.trust or None,
        "kind": mail.kind or None,
        "sender": mail.sender,
        "orders": list(mail.orders),
        "size": mail.size,
    }


def quarantined_lines(mail: "QuarantinedMail") -> Iterator[Line]:
    """A mail in quarantine."""
    orders = f", order {', '.join(mail.orders)}" if mail.orders else ""
    sender = f", from {mail.sender}" if mail.sender else ""
    yield (mail.id, "bold"), f"  {mail.since:%Y-%m-%d %H:%M}  {spoken(mail.kind) or 'unread'}{orders}{sender}; {mail.reason}"


def verdict_record(file: str, subject: str, verdict: "Verdict") -> dict[str, Any]:
    """What may become of a draft."""
    return {"file": file, "subject": subject, **verdict.to_dict()}


def verdict_lines(file: str, subject: str, verdict: "Verdict") -> Iterator[Line]:
    """What may become of a draft, a recipient a line."""
    yield (file, "bold"), f': "{subject}"'
    for decision in verdict.decisions:
        yield "  ", (f"{decision.action:<8}", _ACTION_STYLES[decision.action]), "  ", (decision.recipient, "bold")
        yield (f"{'':<12}{decision.explanation}",)


def entry_lines(entry: OptOut, now: datetime) -> Iterator[Line]:
    """An entry of the list."""
    kind = "buyer" if isinstance(entry.identity, Address) else entry.identity.kind
    since = f"since {entry.since:%Y-%m-%d}" if entry.since else ""
    until = f"{'until' if entry.in_force(now) else 'expired'} {entry.expires_at:%Y-%m-%d}" if entry.expires_at else ""
    proof = "verified" if entry.verified else ""
    line = f"{kind:<7} {entry.identity!s:<42} {spoken(entry.reason):<14} {since:<17}{until:<19}{proof:<9} {entry.source}"
    yield (line.rstrip(),)


def _percent(probability: float) -> str:
    return f"{math.floor(probability * 100)}%"  # 99.9 is not 100


def _time(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)
