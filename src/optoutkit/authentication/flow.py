"""The order in which a mail is checked. It asks DNS only for what can decide: the keys of the sender's own domain and of named sealers."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from optoutkit.authentication.arc import CANONICALIZATION, read_chain
from optoutkit.authentication.header_block import HeaderBlock, MalformedHeader, read_header_block
from optoutkit.authentication.lookalikes import imitates_amazon, is_amazon, poses_as_amazon
from optoutkit.authentication.parties import TrustedParties, trusted_parties
from optoutkit.authentication.questions import (
    AsyncResolver,
    DnsQuery,
    NoAnswerYet,
    Resolver,
    default_async_resolver,
    default_resolver,
)
from optoutkit.authentication.results import ServerResults
from optoutkit.authentication.servers import denied, named_results, vouched
from optoutkit.authentication.signatures import Refusal, Signature, aligned, check_form, read_signature, usable_key
from optoutkit.authentication.trust import Authentication, Check, CheckKind, CheckResult, Trust
from optoutkit.errors import InvalidAddress
from optoutkit.flows import Flow, ask, run, run_async
from optoutkit.identities import Address
from optoutkit.text.mailboxes import Mailbox, read_mailboxes
from optoutkit.text.mime import peek

__all__ = ["DNS_BUDGET", "authenticate", "authenticate_async", "authentication_flow"]

DNS_BUDGET = 5.0
"""Seconds that the questions of one mail may take together, where nothing else is said."""

_MOST_SIGNATURES = 5
_MOST_SIGNATURE_FIELDS = 20
_SEEN_OF_ODD_HEADER = 256 * 1024
# A list signs what it passes on, whoever wrote it, and may put itself in From.
_MARKS_OF_LISTS = frozenset({"list-id", "list-post", "x-google-group-id", "x-original-from", "x-original-sender", "x-mailman-version"})


def authenticate(
    raw: bytes,
    resolver: Resolver | None = None,
    authserv_ids: Iterable[str] = (),
    sealers: Iterable[str] = (),
    forwarders: Iterable[str | Address] = (),
    *,
    arrived: datetime | None = None,
    budget: float = DNS_BUDGET,
) -> Authentication:
    r"""Find out how far a mail can be trusted to be from Amazon, or from the seller.

    A proof says who sent the mail, not that Amazon wrote what stands in it: Amazon also signs what buyers write. Which senders and which
    forms of a notice count is for the intake to judge (:class:`optoutkit.Intake`).

    Args:
        raw: The mail as it came, byte for byte; what was parsed and written out again proves nothing.
        resolver: Asks DNS for keys, such as a :class:`~optoutkit.authentication.dns_client.DnsResolver`; if None, one that uses the
            system's name servers and is shared by the whole process.
        authserv_ids: Names under which the user's own receiving servers write Authentication-Results (RFC 8601 section 2.5), such as
            ``"mx.google.com"``. Such a server must remove what strangers write under its name, as RFC 8601 section 5 demands.
        sealers: Domains whose ARC seals are believed, such as ``"google.com"``.
        forwarders: The seller's own addresses and domains. Whoever can send from such a domain can opt buyers out.
        arrived: When the mail came in (aware), if that was not now; signatures may have expired since.
        budget: Seconds that all questions to DNS may take together.

    Raises:
        InvalidInput: A name given is none, or a forwarder is a domain under which strangers have mailboxes, too.
        ValueError: ``arrived`` has no time zone.

    Example:
        >>> authenticate(b"From: auto-communication@arnazon.de\n\nHello").trust
        <Trust.FORGED: 'forged'>
    """
    parties = trusted_parties(authserv_ids=authserv_ids, sealers=sealers, forwarders=forwarders)

    def perform(query: Any) -> Any:
        return query.call(resolver or default_resolver())

    return run(authentication_flow(raw, parties, arrived=arrived, budget=budget), perform)


async def authenticate_async(
    raw: bytes,
    resolver: AsyncResolver | None = None,
    authserv_ids: Iterable[str] = (),
    sealers: Iterable[str] = (),
    forwarders: Iterable[str | Address] = (),
    *,
    arrived: datetime | None = None,
    budget: float = DNS_BUDGET,
) -> Authentication:
    """As :func:`authenticate`, without blocking the event loop while DNS is asked."""
    parties = trusted_parties(authserv_ids=authserv_ids, sealers=sealers, forwarders=forwarders)

    async def perform(query: Any) -> Any:
        return await query.call(resolver or default_async_resolver())

    return await run_async(authentication_flow(raw, parties, arrived=arrived, budget=budget), perform)


def authentication_flow(
    raw: bytes,
    parties: TrustedParties,
    *,
    arrived: datetime | None = None,
    offline: bool = False,
    budget: float = DNS_BUDGET,
    now: datetime | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Flow[Authentication]:
    """Check a mail; yields :class:`DnsQuery`.

    Args:
        raw: The mail as it came.
        parties: Whom the user named.
        arrived: When the mail came in; None is now.
        offline: Ask nothing of DNS. Servers that the user named are still heard, and look-alikes seen.
        budget: Seconds that all questions may take together.
        now: The time; None is the system's.
        clock: Seconds of a clock that never goes back.
    """
    now = now or datetime.now(UTC)
    if arrived is not None and arrived.tzinfo is None:
        raise ValueError(f"a time needs a time zone, such as datetime.now(UTC): {arrived!r}")
    try:
        block = read_header_block(raw)
    except MalformedHeader as error:
        senders = _senders(raw[:_SEEN_OF_ODD_HEADER])
        return Authentication(trust=_unproved(senders), checks=(Check("header", "fail", "", str(error)), *_spoofs(senders)))
    senders = _senders(HeaderBlock(block.fields, body=b"").reduced(["from"] * len(block.fields)))
    sender = _only_sender(block, senders)
    if sender is None:
        return Authentication(
            trust=_unproved(senders), checks=(Check("from", "fail", "", "there is not exactly one sender"), *_spoofs(senders))
        )
    inquiry = _Inquiry(block, sender, parties, now=now, arrived=arrived or now, deadline=clock() + budget, clock=clock)
    return (yield from inquiry.conclusion(senders, offline=offline))


def _senders(raw: bytes) -> tuple[Mailbox, ...]:
    return tuple(mailbox for value in peek(raw).unfolded("from") for mailbox in read_mailboxes(value))


def _only_sender(block: HeaderBlock, senders: tuple[Mailbox, ...]) -> Address | None:
    if len(senders) != 1 or len(block.named("from")) != 1:
        return None
    try:
        return Address(senders[0].address)
    except InvalidAddress:
        return None


def _spoofs(senders: Iterable[Mailbox]) -> tuple[Check, ...]:
    """What in the senders is made to be taken for Amazon, where several are given or nothing can be proved of them."""
    found = []
    for mailbox in senders:
        domain = mailbox.address.rpartition("@")[2].lower().rstrip(".")
        if imitates_amazon(domain):
            found.append(Check("from", "fail", domain, "its domain looks like Amazon's"))
        elif not is_amazon(domain) and poses_as_amazon(mailbox.name):
            found.append(Check("from", "fail", domain, "its display name is Amazon's, its address is not"))
    return tuple(found)


def _unproved(senders: tuple[Mailbox, ...]) -> Trust:
    """What a mail without exactly one readable sender comes to: Amazon never shares a From with anybody."""
    beside_amazon = len(senders) > 1 and any(is_amazon(mailbox.address.rpartition("@")[2].lower()) for mailbox in senders)
    return Trust.FORGED if beside_amazon or _spoofs(senders) else Trust.UNVERIFIED


class _Inquiry:
    """The checks of one mail that has one sender."""

    def __init__(
        self,
        block: HeaderBlock,
        sender: Address,
        parties: TrustedParties,
        *,
        now: datetime,
        arrived: datetime,
        deadline: float,
        clock: Callable[[], float],
    ) -> None:
        self.block = block
        self.sender = sender
        self.parties = parties
        self.now = now
        self.arrived = arrived
        self.deadline = deadline
        self.clock = clock
        self.checks: list[Check] = []

    def conclusion(self, senders: tuple[Mailbox, ...], *, offline: bool) -> Flow[Authentication]:
        """Weigh what a proof would be worth, then look for one where it costs least first."""
        claim = self._claim()
        servers = named_results(self.block, self.parties.authserv_ids)
        is_denied = any(denied(results, self.sender.domain) for results in servers)
        if is_denied:
            self._note("authentication-results", "fail", "a named server says that it is not from this domain")
        if claim is Trust.UNVERIFIED:
            spoofs = _spoofs(senders)
            self.checks.extend(spoofs)
            return self._without_proof(Trust.FORGED if spoofs or is_denied else claim)
        covered = None if is_denied else self._vouched(servers)
        if covered is not None:
            self._note("authentication-results", "pass", "a named server says so")
        elif offline:
            self._note("dkim", "none", "DNS was not to be asked")
        else:
            covered = yield from self._signed()
            if covered is None:
                covered = yield from self._sealed()
        if covered is not None:
            return Authentication(
                trust=claim,
                domain=self.sender.domain,
                checks=tuple(self.checks),
                sender=str(self.sender),
                proved=self.block.reduced(covered.elements()),
            )
        if any(check.result == "temperror" for check in self.checks):
            return self._without_proof(Trust.TEMPORARY)
        return self._without_proof(Trust.FORGED if is_denied else Trust.UNVERIFIED)

    def _claim(self) -> Trust:
        claim = self.parties.claim(self.sender)
        if claim is Trust.FORWARDER and not _MARKS_OF_LISTS.isdisjoint(self.block.keys):
            self._note("from", "policy", "a mailing list passed it on, and signs what anybody writes")
            return Trust.UNVERIFIED
        return claim

    def _vouched(self, all_results: Iterable[ServerResults]) -> Counter[str] | None:
        found = (vouched(results, self.block, self.sender.domain) for results in all_results)
        return next((fields for fields in found if fields is not None), None)

    def _signed(self) -> Flow[Counter[str] | None]:
        """Try the signatures, topmost first, until one proves the sender."""
        tried = 0
        for field in self.block.named("dkim-signature")[:_MOST_SIGNATURE_FIELDS]:
            domain = ""
            try:
                signature = read_signature(field)
                domain = signature.domain
                if not aligned(domain, self.sender.domain):
                    self._note("dkim", "none", "it is not by the sender's domain", domain)
                    continue
                tried += 1
                if tried > _MOST_SIGNATURES:
                    break
                check_form(signature, now=self.now, arrived=self.arrived)
                yield from self._verify(signature)
            except Refusal as refusal:
                self.checks.append(Check("dkim", refusal.result, domain, refusal.detail))
            else:
                self._note("dkim", "pass", "", domain)
                return Counter(signature.signed)
        return None

    def _sealed(self) -> Flow[Counter[str] | None]:
        """See whether a chain by named sealers says that the sender was proved when they got the mail."""
        if not self.parties.sealers:
            return None
        try:
            chain = read_chain(self.block, self.parties, now=self.now, arrived=self.arrived)
            if chain is None:
                return None
            covered = self._vouched(chain.results)
            if covered is None:
                self._note("arc", "none", "its sealers do not say that the sender was proved", chain.seal.domain)
                return None
            yield from self._verify(chain.message, canonicalization=CANONICALIZATION)
            yield from self._verify(chain.seal, signed=chain.sealed, canonicalization=CANONICALIZATION)
        except Refusal as refusal:
            self.checks.append(Check("arc", refusal.result, "", refusal.detail))
            return None
        self._note("arc", "pass", "a named sealer says so", chain.seal.domain)
        return covered & Counter(chain.message.signed)

    def _verify(
        self, signature: Signature, *, signed: Sequence[str] | None = None, canonicalization: bytes = b"simple/simple"
    ) -> Flow[None]:
        from optoutkit.authentication import dkim_client  # noqa: PLC0415 - takes 170 ms, and most mails have nothing to verify

        left = self.deadline - self.clock()
        if left <= 0:
            raise Refusal("temperror", "the time for questions to DNS is over")
        try:
            records = yield from ask(DnsQuery(signature.key_name, left))
        except NoAnswerYet as error:
            raise Refusal("temperror", str(error)) from None
        except OSError:  # a resolver that lets its socket's error through did not answer either
            raise Refusal("temperror", "DNS does not answer") from None
        dkim_client.check_signature(self.block, signature, usable_key(records, signature), signed=signed, canonicalization=canonicalization)

    def _note(self, kind: CheckKind, result: CheckResult, detail: str, domain: str | None = None) -> None:
        self.checks.append(Check(kind, result, self.sender.domain if domain is None else domain, detail))

    def _without_proof(self, trust: Trust) -> Authentication:
        return Authentication(trust=trust, checks=tuple(self.checks), sender=str(self.sender))
