"""Authentication-Results: what the user's own receiving servers say, and what strangers write under their names."""

from collections.abc import Callable
from typing import Any

import pytest

from optoutkit.authentication import Authentication, Trust

Check = Callable[..., Authentication]
SERVER = "mx.shop.example"
PASSED = "dkim=pass header.d=amazon.de"
TYPE = b"X-Space-Notification-Type: BUYER_OPTED_OUT_BSM_MESSAGES\r\n"


def said(results: str, server: str = SERVER) -> bytes:
    """The field of a server."""
    return f"Authentication-Results: {server};\r\n\t{results}\r\n".encode()


@pytest.fixture
def signed(signer: Any, notice: bytes) -> bytes:
    """A genuine mail, whose key is not to be had: only a server can vouch for it."""
    mail: bytes = signer.sign(notice, "amazon.de", publish=False)
    return mail


@pytest.mark.parametrize(
    "results",
    [
        PASSED,
        "dkim=pass header.i=@amazon.de",
        "dkim=pass (2048-bit key; secure) header.i=@mail.amazon.de header.d=amazon.de",
        "dkim=fail header.d=amazonses.com; " + PASSED,
        "dkim=fail header.d=amazon.de; dkim = pass header.d = amazon.de",
        "dkim/1=PASS header.d=Amazon.DE.",
        "dmarc=pass (p=QUARANTINE sp=QUARANTINE dis=NONE) header.from=amazon.de",
        'dmarc=pass policy.dmarc=quarantine header.from="amazon.de"',
        "spf=pass (sender SPF authorized) smtp.mailfrom=2026+x@bounces.amazon.de",
        "spf=pass smtp.mailfrom=amazon.de; dkim=neutral",
        "spf=fail smtp.mailfrom=someone@example.com; " + PASSED,
    ],
)
def test_a_named_server_proves(check: Check, dns_server: Any, signed: bytes, results: str) -> None:
    """An aligned pass of any of the three by a server the user named is a proof, and asks nothing of DNS."""
    found = check(said(results) + signed, authserv_ids=[SERVER.upper()])
    assert (found.trust, found.domain) == (Trust.AMAZON, "amazon.de"), found
    assert not dns_server.asked


@pytest.mark.parametrize(
    "results",
    [
        "none",
        "dkim=fail header.d=amazon.de",
        "dkim=pass header.d=amazonses.com",
        "dkim=pass header.d=amazon.it",
        "dkim=pass header.d=amazon.de.evil.example",
        "dkim=pass header.d=xamazon.de",
        "dkim=pass header.d=marketplace.amazon.de",
        "dkim=pass",
        "spf=pass smtp.mailfrom=x@amazonses.com",
        "spf=softfail smtp.mailfrom=x@amazon.de",
        "spf=pass smtp.helo=amazon.de",
        'spf=pass smtp.mailfrom="x@amazon.de"@evil.example',
        "spf=pass smtp.mailfrom=evil.example; spf=pass smtp.mailfrom=amazon.de",
        "spf=pass smtp.mailfrom=evil.example smtp.mailfrom=amazon.de",
        "spf=pass (mailfrom is smtp.mailfrom=amazon.de) smtp.mailfrom=evil.example",
        'spf=pass smtp.mailfrom="a; dkim=pass header.d=amazon.de; "@evil.example',
        "dmarc=pass header.from=evil.example",
        "dmarc=pass",
        "dmarc=none header.from=amazon.de",
        "dmarc=pass header.from=amazon.de; dmarc=pass header.from=amazon.de",
        "arc=pass header.d=amazon.de",
        "auth=pass smtp.auth=x@amazon.de",
    ],
)
def test_results_that_prove_nothing(check: Check, signed: bytes, results: str) -> None:
    """Another domain, another method, no pass, or words smuggled in where a stranger may write."""
    assert check(said(results) + signed, authserv_ids=[SERVER]).trust is Trust.UNVERIFIED


@pytest.mark.parametrize(
    "server", ["mx.other.example", "", '"', "shop.example", "mx.shop.example.evil.example", f"{SERVER}/1", f"x={SERVER}"]
)
def test_other_servers_are_not_heard(check: Check, signed: bytes, server: str) -> None:
    """Anybody can write such a field."""
    assert check(said(PASSED, server) + signed, authserv_ids=[SERVER]).trust is Trust.UNVERIFIED


def test_no_server_is_heard_by_itself(check: Check, signed: bytes) -> None:
    """Without a name given, none counts."""
    assert check(said(PASSED) + signed).trust is Trust.UNVERIFIED


def test_a_server_s_version_is_no_part_of_its_name(check: Check, signed: bytes) -> None:
    """RFC 8601 section 2.2."""
    assert check(said(PASSED, f'"{SERVER}" 1') + signed, authserv_ids=[SERVER]).trust is Trust.AMAZON


def test_only_the_topmost_of_a_server_counts(check: Check, signed: bytes) -> None:
    """What stands below may have come with the mail."""
    below = said("dkim=fail header.d=amazon.de") + said("spf=pass smtp.mailfrom=x.example", "mx.other.example")
    assert check(below + said(PASSED) + signed, authserv_ids=[SERVER]).trust is Trust.UNVERIFIED
    assert check(said(PASSED) + said("dkim=fail header.d=amazon.de") + signed, authserv_ids=[SERVER]).trust is Trust.AMAZON


def test_one_of_two_named_servers(check: Check, signed: bytes) -> None:
    """Each named server has a say."""
    both = said("none") + said(PASSED, "gate.shop.example")
    assert check(both + signed, authserv_ids=[SERVER, "gate.shop.example"]).trust is Trust.AMAZON


def test_a_server_says_forged(check: Check, signed: bytes, signer: Any) -> None:
    """``dmarc=fail`` is a forgery, unless the signature itself proves the opposite."""
    failed = said("dmarc=fail header.from=amazon.de")
    assert check(failed + signed, authserv_ids=[SERVER]).trust is Trust.FORGED
    assert check(said("dmarc=fail") + said(PASSED, "gate.example") + signed, authserv_ids=[SERVER, "gate.example"]).trust is Trust.FORGED
    signer.publish("amazon.de")
    assert check(failed + signed, authserv_ids=[SERVER]).trust is Trust.AMAZON


def test_forged_in_another_s_name(check: Check, notice: bytes) -> None:
    """It holds for any sender; and a failure of another domain says nothing about this one."""
    mail = notice.replace(b'"Amazon.de" <auto-communication@amazon.de>', b"x@example.com")
    assert check(said("dmarc=fail header.from=example.com") + mail, authserv_ids=[SERVER]).trust is Trust.FORGED
    assert check(said("dmarc=fail header.from=amazon.de") + mail, authserv_ids=[SERVER]).trust is Trust.UNVERIFIED


# What is vouched for


@pytest.mark.parametrize("results", [PASSED, "dmarc=pass header.from=amazon.de"])
def test_a_field_put_on_a_genuine_mail(check: Check, signed: bytes, results: str) -> None:
    """The signature passes again at the server; what it does not cover is not proved all the same."""
    found = check(said(results) + TYPE + signed, authserv_ids=[SERVER])
    assert found.trust is Trust.AMAZON
    assert TYPE not in found.proved
    assert b"Subject: Your message" in found.proved


def test_handed_over_by_amazon_s_own_server(check: Check, notice: bytes) -> None:
    """With SPF nobody was in between, so every field counts; DMARC passes by SPF where there is no signature."""
    for results in ("spf=pass smtp.mailfrom=x@bounces.amazon.de", "dmarc=pass header.from=amazon.de"):
        assert TYPE in check(said(results) + TYPE + notice, authserv_ids=[SERVER]).proved


def test_a_pass_without_a_signature_in_the_mail(check: Check, notice: bytes) -> None:
    """What passed cannot be known, so nothing is covered."""
    assert check(said(PASSED) + notice, authserv_ids=[SERVER]).trust is Trust.UNVERIFIED


def test_a_pass_of_one_of_two_signatures(check: Check, signer: Any, notice: bytes) -> None:
    """A stranger adds a signature that covers more: only what both cover is proved, or what the one covers that the server points at."""
    genuine = signer.sign(TYPE + notice, "amazon.de", publish=False, selector="genuine")
    beginning = genuine.partition(b" b=")[2][:8].decode()
    both = signer.sign(genuine, "amazon.de", publish=False, signed=("from", "x-space-notification-type"), selector="added")
    found = check(said(PASSED) + both, authserv_ids=[SERVER])
    assert found.trust is Trust.AMAZON
    assert TYPE not in found.proved
    assert b"Subject" not in found.proved
    assert b"Subject" in check(said(f"{PASSED} header.b={beginning}") + both, authserv_ids=[SERVER]).proved
    assert check(said(f"{PASSED} header.b=00000000") + both, authserv_ids=[SERVER]).trust is Trust.UNVERIFIED


def test_a_pass_of_a_signature_with_a_length(check: Check, signer: Any, notice: bytes) -> None:
    """The server may have let ``l=`` pass; here it is refused."""
    signed = signer.sign(notice, "amazon.de", publish=False, tags={"l": b"10"})
    for results in (PASSED, "dmarc=pass header.from=amazon.de"):
        assert check(said(results) + signed, authserv_ids=[SERVER]).trust is Trust.UNVERIFIED


def test_signatures_beside_it(check: Check, signer: Any, signed: bytes) -> None:
    """One that cannot be read, or is somebody else's, changes nothing."""
    beside = b"DKIM-Signature: what?\r\n" + signer.sign(signed, "amazonses.com", signed=("from",))
    found = check(said(PASSED) + beside, authserv_ids=[SERVER])
    assert found.trust is Trust.AMAZON
    assert b"Subject" in found.proved
