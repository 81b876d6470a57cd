"""What is done with a mail: read it, judge it, record it, or set it aside."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs

from optoutkit.authentication import Authentication, Trust
from optoutkit.errors import MessageTooLarge, StoreUnavailable
from optoutkit.flows import Flow, Request, ask
from optoutkit.identities import Address, Digest, Identity, OrderId
from optoutkit.intake.judging import Judge, Judgement
from optoutkit.intake.quarantine import Quarantine, QuarantinedMail
from optoutkit.intake.results import IntakeResult, IntakeStatus, mail_id
from optoutkit.notices import Notice, NoticeKind
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores.base import LinkPair
from optoutkit.stores.requests import Link, Record

__all__ = ["RETRY_FOR", "FirstTried", "ResolveOrder", "Rules", "SetAside", "ingest_flow", "release_flow"]

RETRY_FOR = timedelta(days=3)
"""How long a mail waits for DNS or the store after it was first tried; then it is set aside."""


@attrs.frozen
class ResolveOrder(Request[Address | str | None]):
    """Whose order is this? Asked of the user's own order database."""

    order: OrderId

    def call(self, resolve: Callable[[OrderId], Any] | None) -> Any:
        """Ask the user's function, if there is one; what it returns may have to be awaited."""
        return resolve(self.order) if resolve else None


@attrs.frozen
class SetAside(Request[None]):
    """Put a mail into quarantine."""

    mail: QuarantinedMail
    raw: bytes

    def call(self, quarantine: Quarantine) -> None:
        """Do so; it is on the disk when this returns."""
        quarantine.add(self.mail, self.raw)


@attrs.frozen
class FirstTried(Request[datetime]):
    """Since when has this mail had to wait? From now on, if it has not yet."""

    mail_id: str
    now: datetime

    def call(self, quarantine: Quarantine) -> datetime:
        """Ask the quarantine folder, which remembers it from one run to the next."""
        return quarantine.first_tried(self.mail_id, self.now)


@attrs.frozen(kw_only=True)
class Rules:
    """What an intake goes by.

    Attributes:
        seller: Whose list.
        judge: Reads and judges notices.
        has_quarantine: Whether there is a folder for what is not believed.
        now: Tells the time (aware).
    """

    seller: str
    judge: Judge
    has_quarantine: bool
    now: Callable[[], datetime]


def ingest_flow(raw: bytes, rules: Rules, arrived: datetime | None = None) -> Flow[IntakeResult]:
    """Take in one mail.

    Yields requests to DNS, to the store, to the user's order database and to the quarantine folder.

    Args:
        raw: The mail as it came.
        rules: What to go by.
        arrived: When it came in; None is now.
    """
    case = _Case(raw, rules, arrived)
    try:
        opt_outs = case.read()
        judgements = yield from rules.judge.judge(raw, opt_outs, case.arrived)
    except Exception as error:  # noqa: BLE001 - a poison mail must not stop those behind it
        why = str(error) if isinstance(error, MessageTooLarge) else f"it cannot be read ({type(error).__name__})"
        return (yield from case.set_aside(why))
    if not judgements:
        return case.ended(IntakeStatus.IGNORED)
    return (yield from _recorded(case, judgements))


def _recorded(case: "_Case", judgements: Sequence[Judgement]) -> Flow[IntakeResult]:
    """Record what is trusted enough; the mail is done with only if that is all of it."""
    doubts = [_doubt(judgement, case.rules.judge.needed) for judgement in judgements]
    case.show(next((judgement for judgement, doubt in zip(judgements, doubts, strict=True) if doubt), judgements[0]))
    try:
        for judgement, doubt in zip(judgements, doubts, strict=True):
            if not doubt:
                yield from case.record(judgement.notices, is_proved=judgement.authentication.trust is Trust.AMAZON)
    except StoreUnavailable:
        return (yield from case.wait("the store does not answer"))
    if any(judgement.authentication.trust is Trust.TEMPORARY for judgement in judgements):
        return (yield from case.wait("DNS does not answer"))
    if any(doubts):
        return (yield from case.set_aside("; ".join(dict.fromkeys(filter(None, doubts)))))
    return case.ended(IntakeStatus.RECORDED if case.is_new else IntakeStatus.KNOWN)


def release_flow(raw: bytes, rules: Rules, arrived: datetime | None = None) -> Flow[IntakeResult]:
    """Record what a mail says because its owner vouches for it.

    What is recorded so is never called verified, and never goes onto the list that holds for all sellers.
    """
    case = _Case(raw, rules, arrived)
    if rules.seller == SHARED:
        return case.ended(IntakeStatus.QUARANTINED, "the list for all sellers takes only what Amazon is proved to have sent")
    try:
        opt_outs = case.read()
    except MessageTooLarge as error:
        return case.ended(IntakeStatus.QUARANTINED, str(error))
    if not any(_buyers(notice) for notice in opt_outs):
        return case.ended(IntakeStatus.QUARANTINED, "it is no notice of an opt-out that names an order or a buyer")
    try:
        yield from case.record(opt_outs, is_proved=False)
    except StoreUnavailable:
        return case.ended(IntakeStatus.RETRY, "the store does not answer")
    return case.ended(IntakeStatus.RECORDED if case.is_new else IntakeStatus.KNOWN)


def _doubt(judgement: Judgement, needed: Trust) -> str:
    """Why the notices of a judgement are not to be recorded; empty if they are."""
    trust = judgement.authentication.trust
    if judgement.objection:
        return judgement.objection
    if trust is Trust.TEMPORARY:
        return "DNS does not answer"
    if trust is Trust.FORGED:
        return "it is forged"
    if trust < needed:
        return f"its sender is not proved ({trust.value} mail, {needed.value} is needed)"
    return "" if any(map(_buyers, judgement.notices)) else "it names neither an order nor a buyer"


def _buyers(notice: Notice) -> tuple[Identity, ...]:
    """Whom a notice names."""
    return (*notice.order_ids, *filter(None, [_alias(notice)]))


def _alias(notice: Notice) -> Address | None:
    """The buyer's address, if the notice names one; any address that is not an alias of Amazon's is no buyer's."""
    return notice.buyer if notice.buyer is not None and notice.buyer.is_buyer_alias else None


class _Case:
    """One mail on its way through the intake: what is known of it so far, and the ways it can end."""

    def __init__(self, raw: bytes, rules: Rules, arrived: datetime | None) -> None:
        self.raw = raw
        self.rules = rules
        self.now = rules.now()
        if arrived is not None and arrived.tzinfo is None:
            raise ValueError(f"a time needs a time zone, such as datetime.now(UTC): {arrived!r}")
        self.arrived = min(arrived or self.now, self.now)
        self.notice: Notice | None = None
        self.orders: tuple[OrderId, ...] = ()
        self.authentication: Authentication | None = None
        self.recorded: list[OptOut] = []
        self.contradicted: list[OrderId | Digest] = []
        self.problems: list[str] = []
        self.is_new = False

    def read(self) -> tuple[Notice, ...]:
        """The notices of opt-outs in the mail; the first of any kind is kept to be shown."""
        notices = self.rules.judge.parser.parse_all(self.raw)
        opt_outs = tuple(notice for notice in notices if notice.kind is NoticeKind.OPT_OUT)
        self.notice = next(iter(opt_outs or notices), None)
        self.orders = tuple(dict.fromkeys(order for notice in opt_outs for order in notice.order_ids))
        return opt_outs

    def show(self, judgement: Judgement) -> None:
        """Say that the result is about this judgement."""
        self.notice, self.authentication = judgement.notices[0], judgement.authentication

    def record(self, notices: Iterable[Notice], *, is_proved: bool) -> Flow[None]:
        """Put opt-outs and links into the store. To be repeated safely, if the store fails halfway."""
        for notice in notices:
            opt_outs = tuple(self._opt_out(identity, notice, is_proved=is_proved) for identity in _buyers(notice))
            report = yield from ask(Record(opt_outs))
            self.recorded.extend(opt_outs)
            self.is_new |= report.new > 0
            if (buyer := _alias(notice)) and len(notice.order_ids) == 1:
                yield from self._link([(notice.order_ids[0], buyer)], replace=is_proved)
            yield from self._link((yield from self._resolved(notice.order_ids)), replace=True)

    def _opt_out(self, identity: Identity, notice: Notice, *, is_proved: bool) -> OptOut:
        since = notice.sent_at and min(notice.sent_at, self.arrived)
        return OptOut(identity, self.rules.seller, since=since, source=notice.message_id, verified=is_proved)

    def _link(self, pairs: Iterable[LinkPair], *, replace: bool) -> Flow[None]:
        wanted = tuple(pairs)
        if wanted:
            report = yield from ask(Link(wanted, seller=self.rules.seller, replace=replace))
            self.contradicted.extend(report.contradicted)
            self.is_new |= report.new > 0

    def _resolved(self, orders: Iterable[OrderId]) -> Flow[list[LinkPair]]:
        """Whose orders these are, as far as the user's own database knows; its failure is told, and stops nothing."""
        pairs: list[LinkPair] = []
        for order in orders:
            try:
                buyer = yield from ask(ResolveOrder(order))
                if buyer is not None:
                    pairs.append((order, buyer if isinstance(buyer, Address) else Address(buyer)))
            except Exception as error:  # noqa: BLE001 - it is the user's, and may raise anything
                self.problems.append(f"resolve_order failed ({type(error).__name__})")
        return pairs

    def wait(self, reason: str) -> Flow[IntakeResult]:
        """Leave the mail where it was, or set it aside if it has waited long enough.

        What counts is when it was first tried: a mail that had lain in its mailbox for years has not waited for the store.
        """
        if self.rules.has_quarantine:
            try:
                since = yield from ask(FirstTried(mail_id(self.raw), self.now))
            except OSError as error:
                return self.ended(IntakeStatus.RETRY, f"{reason}; and the quarantine folder cannot be written to: {error.strerror}")
            if self.now - since > RETRY_FOR:
                return (yield from self.set_aside(f"{reason}, and it has waited for three days"))
        return self.ended(IntakeStatus.RETRY, reason)

    def set_aside(self, reason: str) -> Flow[IntakeResult]:
        """Put a copy of the mail into quarantine, if there is a folder for it."""
        if not self.rules.has_quarantine:
            return self.ended(IntakeStatus.QUARANTINED, reason)
        mail = QuarantinedMail(
            id=mail_id(self.raw),
            since=self.now,
            arrived=self.arrived,
            reason=reason,
            trust=self.authentication.trust.value if self.authentication else "",
            kind=self.notice.kind.value if self.notice else "",
            sender=self.authentication.sender if self.authentication else "",
            orders=tuple(map(str, self.orders)),
            size=len(self.raw),
        )
        try:
            yield from ask(SetAside(mail, self.raw))
        except OSError as error:
            return self.ended(IntakeStatus.RETRY, f"{reason}; and the quarantine folder cannot be written to: {error.strerror}")
        return self.ended(IntakeStatus.QUARANTINED, reason, is_set_aside=True)

    def ended(self, status: IntakeStatus, reason: str = "", *, is_set_aside: bool = False) -> IntakeResult:
        """The result."""
        return IntakeResult(
            status=status,
            mail_id=mail_id(self.raw),
            reason="; ".join(dict.fromkeys([*filter(None, [reason]), *self.problems])),
            notice=self.notice,
            authentication=self.authentication,
            recorded=tuple(self.recorded),
            contradicted=tuple(self.contradicted),
            is_set_aside=is_set_aside,
        )
