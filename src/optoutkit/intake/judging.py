"""How much a notice is worth, from who sent the mail that carries it.

A proof of the sender is no proof of the words. Amazon signs what buyers write, copies of what the seller wrote, and comments on returns, so
only its senders of notices count; and a mail that forwards another in its text is its own sender's word, whoever is quoted in it. Of
what is proved, only the header fields that the proof covers are read.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import attrs

from optoutkit.authentication import DNS_BUDGET, Authentication, Check, Trust, TrustedParties, authentication_flow
from optoutkit.authentication.lookalikes import is_amazon
from optoutkit.errors import InvalidAddress
from optoutkit.flows import Flow
from optoutkit.identities import Address
from optoutkit.marketplaces import Marketplace
from optoutkit.notices import Form, Notice, NoticeKind, NoticeParser
from optoutkit.notices.surroundings import surroundings
from optoutkit.text.mailboxes import read_mailboxes
from optoutkit.text.mime import peek

__all__ = ["Judge", "Judgement"]

_SEEN_OF_HEADER = 256 * 1024
# Where lists and forwarding services that put themselves into From keep the author.
_AUTHOR_FIELDS = ("x-original-from", "x-google-original-from", "x-original-sender", "reply-to")


@attrs.frozen(kw_only=True)
class Judgement:
    """What one or more notices, carried by one mail in one way, are worth.

    Attributes:
        notices: The notices; once they are proved, as the proof covers them.
        authentication: How far they are trusted.
        objection: Why they are not to be recorded even where nothing needs a proof; empty if they may be.
    """

    notices: tuple[Notice, ...]
    authentication: Authentication
    objection: str = ""


@attrs.frozen(kw_only=True)
class Judge:
    """Judges the notices of mails.

    Attributes:
        parties: Whom the user named.
        parser: Reads again what was proved.
        needed: The trust that will do; UNVERIFIED asks nothing of DNS.
        budget: Seconds that the questions of one mail may take together.
        clock: Seconds of a clock that never goes back.
    """

    parties: TrustedParties
    parser: NoticeParser
    needed: Trust
    budget: float = DNS_BUDGET
    clock: Callable[[], float] = time.monotonic

    def judge(self, raw: bytes, notices: Sequence[Notice], arrived: datetime) -> Flow[list[Judgement]]:
        """Judge the notices of one mail; those that came in the same way together."""
        groups: dict[tuple[bytes, bool], list[Notice]] = {}
        for notice in notices:
            groups.setdefault((notice.source, notice.form is Form.INLINE_FORWARD), []).append(notice)
        case = _Case(self, raw, arrived, deadline=self.clock() + self.budget)
        judgements = []
        for (source, is_inline), group in groups.items():
            judgements.append((yield from case.judgement(source, tuple(group), is_inline=is_inline)))
        return judgements


class _Case:
    """One mail, and what was found out about it and the mails attached to it."""

    def __init__(self, judge: Judge, raw: bytes, arrived: datetime, *, deadline: float) -> None:
        self.judge = judge
        self.raw = raw
        self.arrived = arrived
        self.deadline = deadline
        self.found: dict[bytes, Authentication] = {}

    def judgement(self, source: bytes, notices: tuple[Notice, ...], *, is_inline: bool) -> Flow[Judgement]:
        found = yield from self._authentication(source)
        if found.trust is Trust.FORGED:
            return Judgement(notices=notices, authentication=found)
        if found.trust is not Trust.FORWARDER and (objection := _objection(source, is_inline=is_inline)):
            return Judgement(notices=notices, authentication=_unproved(found, objection), objection=objection)
        if found.proved:
            if proved := self._read_again(found.proved, found.proved, notices):
                return Judgement(notices=proved, authentication=found)
            found = _unproved(found, "what makes it a notice is not signed")
        if source == self.raw:
            return Judgement(notices=notices, authentication=found)
        return (yield from self._carried(source, notices, found))

    def _carried(self, source: bytes, notices: tuple[Notice, ...], found: Authentication) -> Flow[Judgement]:
        """Judge an attached mail that does not prove itself, or not yet, by the mail round it."""
        outer = yield from self._authentication(self.raw)
        both = attrs.evolve(found, checks=(*found.checks, *outer.checks))
        if outer.trust is Trust.FORWARDER and not (found.trust is Trust.TEMPORARY and self.judge.needed is Trust.AMAZON):
            proved = self._read_again(outer.proved, source, notices)
            trusted = attrs.evolve(both, trust=Trust.FORWARDER, domain=outer.domain, proved=outer.proved)
            return Judgement(notices=proved, authentication=trusted) if proved else Judgement(notices=notices, authentication=both)
        if outer.trust in (Trust.FORGED, Trust.TEMPORARY):
            both = attrs.evolve(both, trust=outer.trust)
        return Judgement(notices=notices, authentication=both)

    def _authentication(self, mail: bytes) -> Flow[Authentication]:
        if mail not in self.found:
            judge = self.judge
            self.found[mail] = yield from authentication_flow(
                mail,
                judge.parties,
                arrived=self.arrived,
                offline=judge.needed is Trust.UNVERIFIED,
                budget=self.deadline - judge.clock(),
                clock=judge.clock,
            )
        return self.found[mail]

    def _read_again(self, proved: bytes, source: bytes, notices: tuple[Notice, ...]) -> tuple[Notice, ...]:
        """The opt-outs among what was proved that the mail ``source`` carries in the same way as ``notices``."""
        form = notices[0].form
        is_inline = form is Form.INLINE_FORWARD
        return tuple(
            attrs.evolve(notice, form=form)  # the fields that tell how it came are seldom signed
            for notice in self.judge.parser.parse_all(proved)
            if notice.kind is NoticeKind.OPT_OUT and notice.source == source and (notice.form is Form.INLINE_FORWARD) == is_inline
        )


def _unproved(found: Authentication, why: str) -> Authentication:
    checks = (*found.checks, Check("intake", "policy", "", why))
    return attrs.evolve(found, trust=Trust.UNVERIFIED, domain="", proved=b"", checks=checks)


def _objection(source: bytes, *, is_inline: bool) -> str:
    """Why a mail that the seller has not signed must not be believed, whoever else has."""
    from_amazon = [address for address in _addresses(source, ("from",)) if is_amazon(address.domain)]
    if is_inline:
        return "Amazon passes on what others write, and quote" if from_amazon else ""
    senders = from_amazon or _addresses(source, _AUTHOR_FIELDS)
    return "" if any(map(_sends_notices, senders)) else "it is not from an address from which Amazon sends notices"


def _addresses(source: bytes, names: Sequence[str]) -> Iterator[Address]:
    headers = peek(source[:_SEEN_OF_HEADER])
    for name in names:
        for value in headers.unfolded(name):
            for mailbox in read_mailboxes(value):
                try:
                    yield Address(mailbox.address)
                except InvalidAddress:
                    continue


def _sends_notices(address: Address) -> bool:
    store = Marketplace.by_domain(address.domain)
    return store is not None and store.domain == address.domain and address.local in surroundings().notice_senders
