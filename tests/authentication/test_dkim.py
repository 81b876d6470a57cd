"""Mails that are signed for real, checked against keys in a real DNS server: what proves its sender, and what does not."""

import email
import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import dkim
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optoutkit.authentication import Authentication, Trust, authenticate, authenticate_async, authentication_flow, trusted_parties
from optoutkit.flows import run
from optoutkit.intake import Intake

AMAZON = "amazon.de"
KEY_NAME = "s1._domainkey.amazon.de"
Check = Callable[..., Authentication]


def seconds(time: datetime) -> bytes:
    """As in ``t=`` and ``x=``."""
    return str(int(time.timestamp())).encode()


def dkim_results(found: Authentication) -> list[str]:
    """How the signatures came out, in order."""
    return [check.result for check in found.checks if check.kind == "dkim"]


# What proves


def test_genuine(check: Check, signer: Any, notice: bytes) -> None:
    """Amazon's signature proves Amazon, and one question finds its key."""
    found = check(signer.sign(notice, AMAZON))
    assert found.trust is Trust.AMAZON
    assert (found.domain, found.sender) == (AMAZON, "auto-communication@amazon.de")
    assert email.message_from_bytes(found.proved)["subject"] == "Your message to a buyer could not be delivered"
    assert signer.server.asked == {KEY_NAME: 1}


@pytest.mark.parametrize("canonicalization", [b"simple/simple", b"simple/relaxed", b"relaxed/simple", b"relaxed/relaxed", b"relaxed", b""])
def test_every_canonicalization(check: Check, signer: Any, notice: bytes, canonicalization: bytes) -> None:
    """RFC 6376 section 3.4: all four pairs, a single word, and none at all."""
    signed = signer.sign(notice, AMAZON, canonicalization=canonicalization or b"simple/simple", tags={"c": canonicalization})
    assert check(signed).trust is Trust.AMAZON


def test_the_service_s_signature_beside_it(check: Check, signer: Any, notice: bytes) -> None:
    """Amazon's mails bear two signatures (amazon.md section g); the one of its mail service is passed over without a question."""
    found = check(signer.sign(signer.sign(notice, AMAZON), "amazonses.com", selector="ses"))
    assert found.trust is Trust.AMAZON
    assert dkim_results(found) == ["none", "pass"]
    assert signer.server.asked == {KEY_NAME: 1}


def test_signed_by_a_domain_below(check: Check, signer: Any, notice: bytes) -> None:
    """Alignment is relaxed, as in DMARC."""
    assert check(signer.sign(notice, "mail.amazon.de")).trust is Trust.AMAZON


def test_ed25519(check: Check, signer: Any, notice: bytes, keys: Any) -> None:
    """RFC 8463."""
    assert check(signer.sign(notice, AMAZON, key=keys.ED25519)).trust is Trust.AMAZON


def test_ed25519_without_its_package(check: Check, signer: Any, notice: bytes, keys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyNaCl such a signature proves nothing, and the check says what to install."""
    signed = signer.sign(notice, AMAZON, key=keys.ED25519)
    monkeypatch.delattr(dkim, "nacl")
    found = check(signed)
    assert found.trust is Trust.UNVERIFIED
    assert "optoutkit[ed25519]" in found.checks[-1].detail


def test_1024_bits_are_enough(check: Check, signer: Any, notice: bytes, keys: Any) -> None:
    """RFC 8301 section 3.2."""
    assert check(signer.sign(notice, AMAZON, key=keys.RSA_1024)).trust is Trust.AMAZON


def test_a_forwarded_copy_that_survives(check: Check, signer: Any, notice: bytes) -> None:
    """Fields added on the way leave the proof whole, and stay outside of it."""
    added = b"Delivered-To: notices@shop.example\r\nX-Forwarded-To: intake@tool.example\r\n"
    added += b"Received: from a by b;\r\n Mon, 23 Nov 2026 08:00:01 +0000\r\n"
    found = check(added + signer.sign(notice, AMAZON))
    assert found.trust is Trust.AMAZON
    assert b"X-Forwarded-To" not in found.proved


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\r\n\r\n", b"From MAILER-DAEMON Mon Nov 23 08:00:00 2026\n", b">From someone\r\n"])
def test_what_stands_before_the_header_is_skipped(check: Check, signer: Any, notice: bytes, before: bytes) -> None:
    """A byte order mark, blank lines and an mbox line do no harm, as they do none to the reader of mail."""
    assert check(before + signer.sign(notice, AMAZON)).trust is Trust.AMAZON


def test_lf_instead_of_crlf(check: Check, signer: Any, notice: bytes) -> None:
    """Mail in a Unix mailbox has bare LF."""
    assert check(signer.sign(notice, AMAZON).replace(b"\r\n", b"\n")).trust is Trust.AMAZON


def test_expired_after_it_arrived(check: Check, signer: Any, notice: bytes) -> None:
    """An expiry counts against the arrival, not against the day when somebody reads the mailbox (RFC 6376 section 3.5)."""
    now = datetime.now(UTC)
    tags = {"t": seconds(now - timedelta(days=9)), "x": seconds(now - timedelta(days=2))}
    signed = signer.sign(notice, AMAZON, tags=tags)
    assert check(signed, arrived=now - timedelta(days=8)).trust is Trust.AMAZON
    assert check(signed).trust is Trust.UNVERIFIED


def test_naive_times(check: Check, notice: bytes) -> None:
    """Which time zone was meant?"""
    with pytest.raises(ValueError, match="time zone"):
        check(notice, arrived=datetime(2026, 1, 1))  # noqa: DTZ001


def test_one_of_several_keys_is_there(check: Check, signer: Any, notice: bytes) -> None:
    """Every signature is tried: one whose key is gone does not spoil the next."""
    signed = signer.sign(signer.sign(notice, AMAZON, selector="s2"), AMAZON)
    del signer.server.zone[KEY_NAME]
    found = check(signed)
    assert found.trust is Trust.AMAZON
    assert dkim_results(found) == ["permerror", "pass"]


# What proves nothing


def test_no_signature(check: Check, signer: Any, notice: bytes) -> None:
    """Saying that one is Amazon is not enough, and asks nothing."""
    found = check(notice)
    assert found.trust is Trust.UNVERIFIED
    assert not found.proved
    assert not signer.server.asked


def test_changed_body(check: Check, signer: Any, notice: bytes) -> None:
    """Another order ID in the text breaks the signature."""
    found = check(signer.sign(notice, AMAZON).replace(b"302-1234567", b"302-7654321"))
    assert found.trust is Trust.UNVERIFIED
    assert (dkim_results(found), found.checks[-1].detail) == (["fail"], "the body was changed after it was signed")


def test_changed_header(check: Check, signer: Any, notice: bytes) -> None:
    """As does another subject."""
    found = check(signer.sign(notice, AMAZON).replace(b"Your message", b"Our message"))
    assert (found.trust, dkim_results(found)) == (Trust.UNVERIFIED, ["fail"])


def test_a_footer_was_added(check: Check, signer: Any, notice: bytes) -> None:
    """A signature that merely no longer verifies is no forgery."""
    assert check(signer.sign(notice, AMAZON) + b"-- \r\nScanned by a gateway\r\n").trust is Trust.UNVERIFIED


def test_text_appended_under_a_length(check: Check, signer: Any, notice: bytes) -> None:
    """With ``l=`` the signature of appended text verifies, and is refused for that."""
    length = str(len(notice.partition(b"\r\n\r\n")[2])).encode()
    appended = signer.sign(notice, AMAZON, tags={"l": length}) + b"Also order [302-7777777-8888888].\r\n"
    assert dkim.verify(appended, dnsfunc=lambda name, timeout: signer.server.zone[name.decode().rstrip(".")])
    found = check(appended)
    assert (found.trust, dkim_results(found)) == (Trust.UNVERIFIED, ["policy"])


@pytest.mark.parametrize("other", [b"From: buyer@example.com\r\n", b"from: x@example.com, auto-communication@amazon.de\r\n"])
def test_a_second_sender(check: Check, signer: Any, notice: bytes, other: bytes) -> None:
    """Amazon shares From with nobody: a second one is a forgery."""
    assert check(other + signer.sign(notice, AMAZON)).trust is Trust.FORGED


def test_sender_not_signed(check: Check, signer: Any, notice: bytes) -> None:
    """A signature that leaves From open says nothing about it (RFC 6376 section 5.4)."""
    found = check(signer.sign(notice, AMAZON, signed=("date", "subject")))
    assert (found.trust, dkim_results(found)) == (Trust.UNVERIFIED, ["policy"])


@pytest.mark.parametrize(
    "domain", ["amazonses.com", "arnazon.de", "evil.example", "amazon.it", "marketplace.amazon.de", "x.marketplace.amazon.de"]
)
def test_signed_by_another_domain(check: Check, signer: Any, notice: bytes, domain: str) -> None:
    """Every customer of Amazon's mail service has its signature, and strangers write under the domain of the aliases."""
    found = check(signer.sign(notice, domain))
    assert (found.trust, dkim_results(found)) == (Trust.UNVERIFIED, ["none"])
    assert not signer.server.asked


@pytest.mark.parametrize("domain", ["marketplace.amazon.de", "amazon.de"])
def test_sender_at_the_domain_of_the_aliases(check: Check, signer: Any, notice: bytes, domain: str) -> None:
    """A buyer's message is signed by Amazon, and is not Amazon's."""
    message = notice.replace(b"auto-communication@amazon.de", b"abc123@marketplace.amazon.de")
    assert check(signer.sign(message, domain)).trust is Trust.UNVERIFIED


def test_sender_at_a_domain_below_amazon_s(check: Check, signer: Any, notice: bytes) -> None:
    """Only the store's domain itself counts."""
    assert check(signer.sign(notice.replace(b"@amazon.de", b"@bounces.amazon.de"), "bounces.amazon.de")).trust is Trust.UNVERIFIED


def test_keys_too_short(check: Check, signer: Any, notice: bytes, keys: Any) -> None:
    """512 bits can be broken in hours."""
    found = check(signer.sign(notice, AMAZON, key=keys.RSA_512))
    assert (found.trust, dkim_results(found)) == (Trust.UNVERIFIED, ["policy"])
    assert "512 bits" in found.checks[-1].detail


def test_made_in_the_future(check: Check, signer: Any, notice: bytes) -> None:
    """Beyond what clocks may differ."""
    found = check(signer.sign(notice, AMAZON, tags={"t": seconds(datetime.now(UTC) + timedelta(hours=2))}))
    assert (found.trust, dkim_results(found)) == (Trust.UNVERIFIED, ["policy"])


def test_another_key(check: Check, signer: Any, notice: bytes, keys: Any) -> None:
    """A rotated key is no forgery."""
    signed = signer.sign(notice, AMAZON)
    signer.publish(AMAZON, key=keys.RSA_1024)
    found = check(signed)
    assert (found.trust, dkim_results(found)) == (Trust.UNVERIFIED, ["fail"])


@pytest.mark.parametrize(
    ("record", "result"),
    [
        (b"v=DKIM1; p=", "permerror"),
        (b"v=DKIM1; p=!!!", "permerror"),
        (b"v=DKIM1; p=QUJD", "permerror"),
        (b"hello", "permerror"),
        (b"v=DKIM1; p=" + b"A" * 5000, "permerror"),
        ([b"v=DKIM1; p=QUJD", b"v=DKIM1; p=QUJE"], "permerror"),
        ([b"v=spf1 -all", b"verify=1"], "permerror"),
    ],
)
def test_useless_keys(check: Check, signer: Any, notice: bytes, record: Any, result: str) -> None:
    """Revoked, unreadable, too large, ambiguous or absent: a definite answer, which proves nothing."""
    signed = signer.sign(notice, AMAZON)
    signer.server.zone[KEY_NAME] = record
    found = check(signed)
    assert (found.trust, dkim_results(found)) == (Trust.UNVERIFIED, [result])


@pytest.mark.parametrize(
    ("more", "trust"),
    [
        (b"t=y; ", Trust.UNVERIFIED),
        (b"t=s; ", Trust.AMAZON),
        (b"h=sha1; ", Trust.UNVERIFIED),
        (b"h=sha1:sha256; ", Trust.AMAZON),
        (b"s=tlsrpt; ", Trust.UNVERIFIED),
        (b"s=email; ", Trust.AMAZON),
        (b"n=a note; ", Trust.AMAZON),
    ],
)
def test_what_a_key_is_for(check: Check, signer: Any, notice: bytes, more: bytes, trust: Trust) -> None:
    """RFC 6376 section 3.6.1: testing, subdomains, hashes, services."""
    signed = signer.sign(notice, AMAZON)
    signer.publish(AMAZON, more=more)
    assert check(signed).trust is trust


def test_a_strict_key_signs_for_no_domain_below(check: Check, signer: Any, notice: bytes) -> None:
    """``t=s`` and an identity below the domain do not go together."""
    signed = signer.sign(notice, AMAZON, tags={"i": b"@mail.amazon.de"})
    assert check(signed).trust is Trust.AMAZON
    signer.publish(AMAZON, more=b"t=s; ")
    assert check(signed).trust is Trust.UNVERIFIED


def test_a_key_of_the_other_kind(check: Check, signer: Any, notice: bytes, keys: Any) -> None:
    """An RSA signature is not held against an Ed25519 key."""
    signed = signer.sign(notice, AMAZON)
    signer.publish(AMAZON, key=keys.ED25519)
    assert dkim_results(check(signed)) == ["permerror"]


@pytest.mark.parametrize("there", [True, False])
def test_no_key(check: Check, signer: Any, dns_server: Any, notice: bytes, there: bool) -> None:
    """A name without text and a name that does not exist are definite answers."""
    signed = signer.sign(notice, AMAZON)
    del dns_server.zone[KEY_NAME]
    if there:
        dns_server.zone[KEY_NAME] = dns_server.NO_DATA
    found = check(signed)
    assert (found.trust, dkim_results(found)) == (Trust.UNVERIFIED, ["permerror"])


# DNS does not answer


def test_dns_fails(check: Check, signer: Any, dns_server: Any, notice: bytes) -> None:
    """SERVFAIL is not the end of the matter."""
    signed = signer.sign(notice, AMAZON)
    dns_server.zone[KEY_NAME] = dns_server.SERVFAIL
    found = check(signed)
    assert (found.trust, dkim_results(found)) == (Trust.TEMPORARY, ["temperror"])


def test_dns_is_silent(check: Check, signer: Any, dns_server: Any, notice: bytes) -> None:
    """Nor is silence, which lasts no longer than the budget; that is five seconds unless somebody says otherwise."""
    assert [inspect.signature(way).parameters["budget"].default for way in (authenticate, authenticate_async, Intake)] == [5.0] * 3
    signed = signer.sign(notice, AMAZON)
    dns_server.zone[KEY_NAME] = dns_server.SILENT
    assert check(signed, budget=0.2).trust is Trust.TEMPORARY


def test_the_budget_is_one_for_all_questions(check: Check, signer: Any, dns_server: Any, notice: bytes) -> None:
    """When the first question has used it up, the second is not asked, though it would be answered."""
    signed = signer.sign(signer.sign(notice, AMAZON, selector="s2"), AMAZON)
    dns_server.zone[KEY_NAME] = dns_server.SILENT
    found = check(signed, budget=0.2)
    assert (found.trust, dkim_results(found)) == (Trust.TEMPORARY, ["temperror", "temperror"])
    assert "s2._domainkey.amazon.de" not in dns_server.asked


def test_dns_fails_for_one_key_of_two(check: Check, signer: Any, dns_server: Any, notice: bytes) -> None:
    """A proof elsewhere makes the failure of no matter; a refusal elsewhere does not."""
    both = signer.sign(signer.sign(notice, AMAZON, selector="s2"), AMAZON)
    dns_server.zone[KEY_NAME] = dns_server.SERVFAIL
    assert check(both).trust is Trust.AMAZON
    del dns_server.zone["s2._domainkey.amazon.de"]
    assert check(both).trust is Trust.TEMPORARY


def test_offline(signer: Any, notice: bytes) -> None:
    """Where DNS is not to be asked, a signature proves nothing, and the check says why."""

    def nobody(request: Any) -> Any:
        raise AssertionError(request)

    found = run(authentication_flow(signer.sign(notice, AMAZON), trusted_parties(), offline=True), nobody)
    assert (found.trust, found.checks[0].detail) == (Trust.UNVERIFIED, "DNS was not to be asked")


# Bounds


def test_no_more_than_five_signatures(check: Check, signer: Any, notice: bytes) -> None:
    """A heap of signatures costs no more than five questions, wherever the genuine one lies."""
    signed = signer.sign(notice, AMAZON)
    for number in range(6):
        signed = signer.sign(signed, AMAZON, selector=f"junk{number}", publish=False)
    found = check(signed)
    assert found.trust is Trust.UNVERIFIED
    assert sum(signer.server.asked.values()) == 5


def test_a_long_run_of_blanks(check: Check, signer: Any, notice: bytes) -> None:
    """By itself, dkimpy would take hours over this body."""
    signed = signer.sign(notice, AMAZON, canonicalization=b"relaxed/relaxed")
    assert check(signed + b" " * 3_000_000 + b"x").trust is Trust.UNVERIFIED
    assert check(signed.replace(b"Dear Seller,", b"Dear" + b" " * 3_000_000 + b"Seller," + b"\t" * 1000)).trust is Trust.AMAZON


def test_answers_are_kept(signer: Any, dns_server: Any, notice: bytes) -> None:
    """For their time to live, and no longer."""
    signed = signer.sign(notice, AMAZON)
    resolver = dns_server.resolver()
    for _ in range(3):
        assert authenticate(signed, resolver).trust is Trust.AMAZON
    assert dns_server.asked[KEY_NAME] == 1
    dns_server.ttl = 0
    resolver = dns_server.resolver()
    for _ in range(3):
        assert authenticate(signed, resolver).trust is Trust.AMAZON
    assert dns_server.asked[KEY_NAME] == 4


# What is proved


def test_fields_that_are_not_signed_are_not_proved(check: Check, signer: Any, notice: bytes) -> None:
    """A type header, a second subject or date that somebody put on top of a genuine mail: none of them is in what is proved."""
    added = b"X-Space-Notification-Type: BUYER_OPTED_OUT_BSM_MESSAGES\r\n"
    added += b"Subject: order 302-7777777-8888888\r\nDate: Tue, 1 Jan 2030 00:00:00 +0000\r\n"
    found = check(added + signer.sign(notice, AMAZON))
    assert found.trust is Trust.AMAZON
    proved = email.message_from_bytes(found.proved)
    assert "x-space-notification-type" not in proved
    assert proved.get_all("subject") == ["Your message to a buyer could not be delivered"]
    assert proved.get_all("date") == ["Mon, 23 Nov 2026 08:00:00 +0000"]


def test_a_signed_type_header_is_proved(check: Check, signer: Any, notice: bytes) -> None:
    """Where Amazon signs it, it counts."""
    typed = b"X-Space-Notification-Type: BUYER_OPTED_OUT_BSM_MESSAGES\r\n" + notice
    found = check(signer.sign(typed, AMAZON, signed=("from", "x-space-notification-type")))
    assert b"X-Space-Notification-Type: BUYER_OPTED_OUT_BSM_MESSAGES" in found.proved


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    body=st.lists(st.sampled_from([b"a", b" ", b"\t", b"\r\n", b"\n", b"\r", b"\0", b"\xe4", b".", b"b  "]), max_size=30).map(b"".join),
    subject=st.sampled_from([b"x", b"  x  y\t", b"a\r\n\tb\r\n  c", b""]),
    canonicalization=st.sampled_from([b"simple/simple", b"simple/relaxed", b"relaxed/simple", b"relaxed/relaxed"]),
    cut=st.integers(0, 200),
    put=st.sampled_from([b"", b" ", b"\r\n", b"x", b"\t", b"\r\n\r\n"]),
)
def test_dkimpy_agrees(signer: Any, body: bytes, subject: bytes, canonicalization: bytes, cut: int, put: bytes) -> None:
    """For any mail, changed or not, what is proved is what dkimpy by itself would verify; unless the header is malformed."""
    mail = b"From: auto-communication@amazon.de\r\nSubject:" + subject + b"\r\n\r\n" + body
    signed = signer.sign(mail, AMAZON, canonicalization=canonicalization, signed=("from", "subject"))
    at = len(signed) - cut
    changed = signed[:at] + put + signed[at:]
    found = authenticate(changed, signer.server.resolver())
    try:
        verified = dkim.verify(changed, dnsfunc=lambda name, timeout: signer.server.zone[KEY_NAME])
    except Exception:  # noqa: BLE001 - it raises of all kinds
        verified = False
    if any(check.kind == "header" for check in found.checks):
        assert found.trust <= Trust.UNVERIFIED
    else:
        assert (found.trust is Trust.AMAZON) == verified
