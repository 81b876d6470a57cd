"""Whom the intake believes: mails signed for real, and every trick by which a stranger could silence a buyer."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from optoutkit.authentication import Trust
from optoutkit.identities import Address, OrderId
from optoutkit.intake import AsyncIntake, IntakeResult, IntakeStatus
from optoutkit.optouts import SHARED
from optoutkit.stores.opening import open_async_store

RECORDED, QUARANTINED, RETRY = IntakeStatus.RECORDED, IntakeStatus.QUARANTINED, IntakeStatus.RETRY
TYPE = "X-Space-Notification-Type: BUYER_OPTED_OUT_BSM_MESSAGES\r\n"
LEVELS = (Trust.UNVERIFIED, Trust.FORWARDER, Trust.AMAZON)
Sign = Callable[..., bytes]


def trust_of(result: IntakeResult) -> Trust:
    """How far the intake trusts the mail."""
    assert result.authentication is not None
    return result.authentication.trust


def recorded_at(bench: Any, raw: bytes, **options: Any) -> set[Trust]:
    """The minimum trusts at which a mail gets anything into the store."""
    found = set()
    for level in LEVELS:
        result = bench.make(minimum_trust=level, **options).ingest(raw)
        assert bool(result.recorded) == (result.status in (RECORDED, IntakeStatus.KNOWN))
        if result.recorded:
            found.add(level)
    return found


# Amazon's own


def test_genuine(bench: Any, mails: Any, signed: Sign) -> None:
    """A notice signed by Amazon is recorded as verified, with its date and Message-ID."""
    result = bench.ingest(signed(mails.mail()))
    assert (result.status, trust_of(result)) == (RECORDED, Trust.AMAZON)
    order = OrderId(mails.ORDER)
    (entry,) = bench.lookup(order).values()
    assert entry in result.recorded
    assert (entry.verified, entry.since, entry.source) == (True, datetime(2026, 11, 2, 8, tzinfo=UTC), "<0102@eu-west-1.amazonses.com>")
    assert bench.told == [result]


def test_at_every_level(bench: Any, mails: Any, signed: Sign) -> None:
    """And whatever the minimum; it goes onto the list for all sellers, too."""
    raw = signed(mails.mail())
    assert recorded_at(bench, raw) == set(LEVELS)
    assert bench.make(seller=SHARED, minimum_trust=Trust.UNVERIFIED).ingest(raw).status is RECORDED
    assert bench.lookup(OrderId(mails.ORDER), seller="anybody")


def test_forwarded_automatically(bench: Any, mails: Any, signed: Sign) -> None:
    """A copy whose signature survives is as good."""
    way = b"Delivered-To: notices@shop.example\r\nX-Forwarded-To: intake@tool.example\r\n"
    way += b"Received: by mx.shop.example; Mon, 02 Nov 2026 08:00:05 +0000\r\n"
    result = bench.ingest(way + signed(mails.mail()))
    assert (result.status, trust_of(result), result.notice.form) == (RECORDED, Trust.AMAZON, "auto_forwarded")


def test_attached(bench: Any, mails: Any, signed: Sign) -> None:
    """An attached notice proves itself by its own bytes, whoever sends it on, and each one by its own."""
    result = bench.ingest(mails.attached(signed(mails.mail()), sender="stranger@example.com"))
    assert (result.status, trust_of(result)) == (RECORDED, Trust.AMAZON)
    other = mails.mail(mails.CLAUSE.format(order=mails.OTHER_ORDER))
    result = bench.make().ingest(mails.attached(signed(mails.mail()), other, sender="stranger@example.com"))
    assert (result.status, trust_of(result)) == (QUARANTINED, Trust.UNVERIFIED)
    assert {opt_out.identity for opt_out in result.recorded} == {OrderId(mails.ORDER)}
    assert not bench.lookup(OrderId(mails.OTHER_ORDER))


# Not proved


@pytest.mark.parametrize("domain", ["amazonses.com", "evil.example", "marketplace.amazon.de"])
def test_signed_by_others(bench: Any, mails: Any, signed: Sign, domain: str) -> None:
    """Enough only where no proof is asked for."""
    assert recorded_at(bench, signed(mails.mail(), domain)) == {Trust.UNVERIFIED}


def test_own_mailbox_asks_nothing_of_dns(bench: Any, mails: Any, signed: Sign, dns_server: Any) -> None:
    """UNVERIFIED says "this mailbox is mine"; what is recorded is not called verified."""
    result = bench.make(minimum_trust=Trust.UNVERIFIED).ingest(signed(mails.mail()))
    assert result.status is RECORDED
    assert not result.recorded[0].verified
    assert not dns_server.asked


def test_no_notice_asks_nothing_of_dns(bench: Any, signed: Sign, dns_server: Any) -> None:
    """Nor is anything asked for a mail that is no notice."""
    result = bench.ingest(signed(b"From: auto-communication@amazon.de\r\nSubject: Your order\r\n\r\nSold, ship now.\r\n"))
    assert (result.status, result.authentication) == (IntakeStatus.IGNORED, None)
    assert not dns_server.asked


@pytest.mark.parametrize(
    "sender", ["auto-communication@arnazon.de", "auto-communication@amazon-support.example", '"Amazon.de" <notices@evil.example>']
)
def test_lookalikes(bench: Any, mails: Any, signed: Sign, sender: str) -> None:
    """Are never recorded, not even in one's own mailbox, not even attached to the seller's own mail."""
    raw = mails.mail(sender=sender)
    assert recorded_at(bench, raw) == set()
    assert trust_of(bench.told[-1]) is Trust.FORGED
    carried = signed(mails.attached(raw), "shop.example", signed=("from", "content-type"))
    assert recorded_at(bench, carried, forwarders=["shop.example"]) == set()
    assert trust_of(bench.told[-1]) is Trust.FORGED


def test_two_senders(bench: Any, mails: Any, signed: Sign) -> None:
    """A second From on a genuine mail."""
    assert recorded_at(bench, b"From: auto-communication@amazon.de\r\n" + signed(mails.mail())) == set()


# What Amazon signs, and others wrote


def test_a_buyer_s_message(bench: Any, mails: Any, signed: Sign) -> None:
    """A buyer writes the clause into a message; Amazon signs it. It is not even read as a notice."""
    raw = signed(mails.mail(more=TYPE, sender="abc123@marketplace.amazon.de"), "amazon.de")
    assert recorded_at(bench, raw) == set()


COPIES = ["donotreply@amazon.de", "atoz-guarantee-no-reply@amazon.de"]


@pytest.mark.parametrize("sender", COPIES)
def test_a_copy_of_the_seller_s_own_mail(bench: Any, mails: Any, signed: Sign, dns_server: Any, sender: str) -> None:
    """Or a comment on a return: Amazon's signature, a stranger's words. It is not even read as a notice."""
    raw = signed(mails.mail(sender=f'"Amazon.de" <{sender}>'))
    assert recorded_at(bench, raw) == set()
    assert bench.told[-1].status is IntakeStatus.IGNORED
    assert not dns_server.asked


@pytest.mark.parametrize(
    ("sender", "more"), [*((sender, TYPE) for sender in COPIES), ("no-reply@amazon.de", ""), ("auto-communicatlon@amazon.de", "")]
)
def test_other_senders_at_amazon(bench: Any, mails: Any, signed: Sign, sender: str, more: str) -> None:
    """What reads like a notice, even with the header of one, comes from a known sender of notices. Not even in one's own mailbox."""
    raw = signed(mails.mail(sender=f'"Amazon.de" <{sender}>', more=more), signed=("from", "subject", "date", "x-space-notification-type"))
    assert recorded_at(bench, raw) == set()
    assert (bench.told[-1].status, trust_of(bench.told[-1])) == (QUARANTINED, Trust.UNVERIFIED)
    assert "sends notices" in bench.told[-1].reason


@pytest.mark.parametrize("sender", [*COPIES, "auto-communication@amazon.de", "no-reply@amazon.de", "abc123@marketplace.amazon.de"])
def test_a_forward_inside_a_mail_of_amazon_s(bench: Any, mails: Any, signed: Sign, sender: str) -> None:
    """A forward written into a message that Amazon passes on is its writer's word."""
    assert recorded_at(bench, signed(mails.inline(sender=sender))) == set()


def test_a_stranger_s_mail_attached_to_amazon_s(bench: Any, mails: Any, signed: Sign) -> None:
    """Amazon's signature round a false notice proves nothing about it."""
    raw = signed(mails.attached(mails.mail(), sender="auto-communication@amazon.de"))
    assert recorded_at(bench, raw) <= {Trust.UNVERIFIED}
    assert trust_of(bench.told[-1]) is Trust.UNVERIFIED


def test_the_clause_below_a_genuine_mail_of_another_kind(bench: Any, mails: Any, signed: Sign) -> None:
    """A type header of another kind means no notice."""
    raw = signed(mails.mail(more="X-Space-Notification-Type: BBC_MESSAGE_SENT_TO_MERCHANT\r\n"))
    assert bench.ingest(raw).status is IntakeStatus.IGNORED


# Fields that nothing vouches for


def test_a_type_header_put_on_a_genuine_mail(bench: Any, mails: Any, signed: Sign) -> None:
    """A stranger has some mail of Amazon's, puts the type header on it, and sends it to the seller's intake."""
    raw = TYPE.encode() + signed(mails.mail(f"Your order [{mails.ORDER}] has been refunded.\r\n"))
    assert recorded_at(bench, raw) == {Trust.UNVERIFIED}
    result = bench.make().ingest(raw)
    assert (result.status, trust_of(result)) == (QUARANTINED, Trust.UNVERIFIED)
    assert "not signed" in result.authentication.checks[-1].detail


def test_a_signed_type_header(bench: Any, mails: Any, signed: Sign) -> None:
    """Where it is signed, it decides."""
    raw = signed(mails.mail(f"Order [{mails.ORDER}]", more=TYPE), signed=("from", "date", "x-space-notification-type", "content-type"))
    assert trust_of(bench.ingest(raw)) is Trust.AMAZON


def test_an_unsigned_type_header_beside_the_clause(bench: Any, mails: Any, signed: Sign) -> None:
    """The usual case: the header is not signed, and the signed words decide."""
    result = bench.ingest(signed(mails.mail(more=TYPE)))
    assert (result.status, trust_of(result)) == (RECORDED, Trust.AMAZON)
    assert [evidence.kind for evidence in result.notice.evidence] == ["wording"]


def test_another_date_on_a_genuine_mail(bench: Any, mails: Any, signed: Sign) -> None:
    """An old notice with a new date must not revive what was withdrawn: only the signed date counts, and none if none is signed."""
    raw = b"Date: Sun, 22 Nov 2026 08:00:00 +0000\r\n" + signed(mails.mail())
    assert [opt_out.since for opt_out in bench.ingest(raw).recorded] == [datetime(2026, 11, 2, 8, tzinfo=UTC)]
    unsigned = b"Date: Sun, 22 Nov 2026 08:00:00 +0000\r\n" + signed(mails.mail(date=""), signed=("from", "content-type"))
    assert [opt_out.since for opt_out in bench.make().ingest(unsigned).recorded] == [None]


def test_another_body_by_another_content_type(bench: Any, mails: Any, signed: Sign) -> None:
    """A second Content-Type on top makes readers see another part; what is proved is read with the signed one."""
    text = f"Sold.\r\n--XX\r\nContent-Type: text/plain\r\n\r\n{mails.CLAUSE.format(order=mails.ORDER)}--XX--\r\n"
    raw = b"Content-Type: multipart/mixed; boundary=XX\r\n" + signed(mails.mail(text))
    assert trust_of(bench.ingest(raw)) is Trust.UNVERIFIED


def test_another_sender_after_a_bare_cr(bench: Any, mails: Any, signed: Sign) -> None:
    """Where readers differ about lines, they differ about the sender: such a header proves nothing."""
    raw = b"X: y\rFrom: auto-communication@amazon.de\r\n" + signed(mails.mail(sender="donotreply@amazon.de"))
    assert recorded_at(bench, raw) == set()


# The seller's own mails


def test_forwarded_by_hand(bench: Any, mails: Any, signed: Sign) -> None:
    """A forward from a named address or domain, proved, is enough for the seller's own list; it is not called verified."""
    raw = signed(mails.inline(), "shop.example")
    assert recorded_at(bench, raw) == {Trust.UNVERIFIED}
    assert recorded_at(bench, raw, forwarders=["shop.example"]) == {Trust.UNVERIFIED, Trust.FORWARDER}
    result = bench.make(forwarders=["me@shop.example"]).ingest(raw)
    assert (result.status, trust_of(result), result.notice.form) == (IntakeStatus.KNOWN, Trust.FORWARDER, "inline_forward")
    assert not result.recorded[0].verified
    assert bench.make(forwarders=["shop.example"], seller=SHARED).ingest(raw).status is QUARANTINED


def test_attached_by_the_seller(bench: Any, mails: Any, signed: Sign) -> None:
    """An attached notice whose own signature is gone is worth what the mail round it is."""
    raw = signed(mails.attached(mails.mail()), "shop.example")
    assert recorded_at(bench, raw) == {Trust.UNVERIFIED}
    assert recorded_at(bench, raw, forwarders=["shop.example"]) == {Trust.UNVERIFIED, Trust.FORWARDER}
    assert trust_of(bench.told[-2]) is Trust.FORWARDER


def test_two_attached_by_the_seller(bench: Any, mails: Any, signed: Sign) -> None:
    """The seller's signature vouches for both."""
    other = mails.mail(mails.CLAUSE.format(order=mails.OTHER_ORDER))
    result = bench.make(forwarders=["shop.example"]).ingest(signed(mails.attached(mails.mail(), other), "shop.example"))
    assert (result.status, trust_of(result)) == (RECORDED, Trust.FORWARDER)
    assert {str(opt_out.identity) for opt_out in result.recorded} == {mails.ORDER, mails.OTHER_ORDER}


def test_attached_by_the_seller_under_an_unsigned_content_type(bench: Any, mails: Any, signed: Sign) -> None:
    """If the seller's signature leaves open how the mail is to be read, it vouches for no attachment."""
    raw = signed(mails.attached(mails.mail()), "shop.example", signed=("from", "subject"))
    assert recorded_at(bench, raw, forwarders=["shop.example"]) == {Trust.UNVERIFIED}


def test_a_copy_of_the_seller_s_own_mail_attached_by_the_seller(bench: Any, mails: Any, signed: Sign) -> None:
    """A rule that forwards everything as attachment forwards strangers' words, too."""
    raw = signed(mails.attached(mails.mail(sender="donotreply@amazon.de")), "shop.example")
    assert recorded_at(bench, raw, forwarders=["shop.example"]) == set()


def test_an_inline_forward_in_the_seller_s_answer_to_a_stranger(bench: Any, mails: Any, signed: Sign) -> None:
    """A named forwarder's signature that was broken is none."""
    raw = signed(mails.inline(), "shop.example").replace(mails.ORDER.encode(), mails.OTHER_ORDER.encode())
    assert recorded_at(bench, raw, forwarders=["shop.example"]) == {Trust.UNVERIFIED}


def test_through_a_list_that_rewrites_the_sender(bench: Any, mails: Any, signed: Sign) -> None:
    """A group in the seller's own domain signs what strangers write: no proof, though in one's own mailbox it will do."""
    raw = mails.mail(
        sender="\"'Amazon.de' via Orders\" <orders@shop.example>",
        more="List-ID: <orders.shop.example>\r\nX-Original-From: auto-communication@amazon.de\r\n",
    )
    assert recorded_at(bench, signed(raw, "shop.example"), forwarders=["shop.example"]) == {Trust.UNVERIFIED}
    stranger = raw.replace(b"X-Original-From: auto-communication@amazon.de", b"X-Original-From: Amazon.de <x@example.com>, @, x@-.example")
    assert recorded_at(bench, signed(stranger, "shop.example")) == set()


# Servers and sealers the user named


def test_a_named_server(bench: Any, mails: Any, signed: Sign, dns_server: Any) -> None:
    """Its word is a proof as well, and needs no DNS."""
    raw = b"Authentication-Results: mx.shop.example; dmarc=pass header.from=amazon.de\r\n" + signed(mails.mail(), publish=False)
    assert recorded_at(bench, raw) == {Trust.UNVERIFIED}
    dns_server.asked.clear()
    assert recorded_at(bench, raw, authserv_ids=["mx.shop.example"]) == set(LEVELS)
    assert not dns_server.asked


def test_a_named_server_says_forged(bench: Any, mails: Any) -> None:
    """Then it is not recorded anywhere."""
    raw = b"Authentication-Results: mx.shop.example; dmarc=fail header.from=amazon.de\r\n" + mails.mail()
    assert recorded_at(bench, raw, authserv_ids=["mx.shop.example"]) == set()


def test_a_named_sealer(bench: Any, mails: Any, signer: Any) -> None:
    """A forwarder that broke the signature, and sealed."""
    broken = (
        b"Authentication-Results: mx.google.com; dkim=pass header.d=amazon.de\r\n" + signer.sign(mails.mail(), "amazon.de") + b"footer\r\n"
    )
    raw = signer.seal(broken, "google.com", "mx.google.com")
    assert recorded_at(bench, raw) == {Trust.UNVERIFIED}
    assert recorded_at(bench, raw, sealers=["google.com"]) == set(LEVELS)


# DNS fails


def test_dns_fails(bench: Any, mails: Any, signed: Sign, dns_server: Any) -> None:
    """The mail is to come again, and nothing is recorded meanwhile."""
    raw = signed(mails.mail())
    dns_server.zone["s1._domainkey.amazon.de"] = dns_server.SERVFAIL
    result = bench.ingest(raw)
    assert (result.status, trust_of(result), result.reason) == (RETRY, Trust.TEMPORARY, "DNS does not answer")
    assert not bench.lookup(OrderId(mails.ORDER))


def test_dns_fails_for_one_of_two(bench: Any, mails: Any, signed: Sign, dns_server: Any) -> None:
    """What is proved is recorded, and the mail comes again for the rest."""
    other = signed(mails.mail(mails.CLAUSE.format(order=mails.OTHER_ORDER)), selector="s2")
    raw = mails.attached(signed(mails.mail()), other, sender="stranger@example.com")
    dns_server.zone["s2._domainkey.amazon.de"] = dns_server.SERVFAIL
    result = bench.ingest(raw)
    assert (result.status, trust_of(result)) == (RETRY, Trust.TEMPORARY)
    assert set(bench.lookup(OrderId(mails.ORDER), OrderId(mails.OTHER_ORDER))) == {OrderId(mails.ORDER)}


def test_dns_fails_for_an_attached_mail(bench: Any, mails: Any, signed: Sign, dns_server: Any) -> None:
    """The mail round it may be proof enough; if it is not, or not for what is needed, it is to come again."""
    raw = signed(mails.attached(signed(mails.mail())), "shop.example", selector="s2")
    dns_server.zone["s1._domainkey.amazon.de"] = dns_server.SERVFAIL
    assert bench.make(forwarders=["shop.example"]).ingest(raw).status is RECORDED
    assert bench.make(forwarders=["shop.example"], minimum_trust=Trust.AMAZON).ingest(raw).status is RETRY
    dns_server.zone["s2._domainkey.shop.example"] = dns_server.SERVFAIL
    assert bench.make(forwarders=["shop.example"]).ingest(raw).status is RETRY


def test_dns_fails_for_the_mail_round_an_attached_one(bench: Any, mails: Any, signed: Sign, dns_server: Any) -> None:
    """An attached mail that proves nothing waits for the one round it."""
    raw = signed(mails.attached(mails.mail()), "shop.example")
    dns_server.zone["s1._domainkey.shop.example"] = dns_server.SERVFAIL
    assert bench.make(forwarders=["shop.example"]).ingest(raw).status is RETRY


def test_one_budget_for_a_mail(bench: Any, mails: Any, signed: Sign, dns_server: Any) -> None:
    """The questions for all the mails inside of one share it."""
    raw = signed(mails.attached(signed(mails.mail())), "shop.example", selector="s2")
    dns_server.zone["s1._domainkey.amazon.de"] = dns_server.SILENT
    assert bench.make(forwarders=["shop.example"], budget=0.2).ingest(raw).status is RETRY
    assert "s2._domainkey.shop.example" not in dns_server.asked


def test_the_event_loop_goes_on(mails: Any, signed: Sign, dns_server: Any) -> None:
    """While DNS is silent, other tasks run: here the one that lets it answer."""
    raw = signed(mails.mail())
    dns_server.may_answer.clear()

    async def let_it_answer() -> None:
        await asyncio.to_thread(dns_server.was_asked.wait)
        dns_server.may_answer.set()

    async def both() -> IntakeResult:
        intake = AsyncIntake(open_async_store("memory://"), resolver=dns_server.async_resolver(), budget=60)
        result, _ = await asyncio.gather(intake.ingest(raw), let_it_answer())
        return result

    assert asyncio.run(both()).status is RECORDED


# Who is named


def test_an_alias_that_the_notice_names(bench: Any, mails: Any, signed: Sign) -> None:
    """Is recorded beside the order."""
    result = bench.ingest(signed(mails.html()))
    assert {opt_out.identity for opt_out in result.recorded} == {OrderId(mails.ORDER), Address(mails.ALIAS)}


def test_an_address_that_is_no_alias(bench: Any, mails: Any, signed: Sign) -> None:
    """Nobody can put a supplier on the list by naming it in a notice."""
    result = bench.ingest(signed(mails.html(alias="sales@supplier.example")))
    assert {opt_out.identity for opt_out in result.recorded} == {OrderId(mails.ORDER)}


def test_naming_nobody(bench: Any, mails: Any, signed: Sign) -> None:
    """A notice that names neither order nor buyer is for people."""
    result = bench.ingest(
        signed(mails.mail("Dear Seller, you know which.", more=TYPE), signed=("from", "x-space-notification-type", "content-type"))
    )
    assert (result.status, trust_of(result), result.reason) == (QUARANTINED, Trust.AMAZON, "it names neither an order nor a buyer")
