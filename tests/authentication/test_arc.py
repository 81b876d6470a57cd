"""ARC: mails that a forwarder changed and sealed, by dkimpy."""

from collections.abc import Callable
from typing import Any

import dkim
import pytest

from optoutkit.authentication import Authentication, Trust

Check = Callable[..., Authentication]
TYPE = b"X-Space-Notification-Type: BUYER_OPTED_OUT_BSM_MESSAGES\r\n"
GOOGLE, MICROSOFT = "google.com", "microsoft.com"


def results(server: str, text: str) -> bytes:
    """The field of a server, which its seal takes in."""
    return f"Authentication-Results: {server}; {text}\r\n".encode()


@pytest.fixture
def forwarded(signer: Any, notice: bytes) -> bytes:
    """A genuine mail that Google got, added a footer to, sealed, and passed on: Amazon's own signature is broken."""
    signed = signer.sign(notice, "amazon.de")
    changed = results("mx.google.com", "dkim=pass header.d=amazon.de; dmarc=pass header.from=amazon.de") + signed + b"-- \r\na footer\r\n"
    mail: bytes = signer.seal(changed, GOOGLE, "mx.google.com")
    return mail


def twice(signer: Any, mail: bytes, second: str) -> bytes:
    """The mail after another forwarder, too."""
    sealed: bytes = signer.seal(results(f"mx.{second}", "arc=pass; dkim=fail header.d=amazon.de") + mail, second, f"mx.{second}")
    return sealed


def test_a_named_sealer_proves(check: Check, forwarded: bytes) -> None:
    """The seal says that the mail was Amazon's when the sealer got it; without the name given, it is just a broken signature."""
    found = check(forwarded, sealers=["google.com"])
    assert (found.trust, found.domain) == (Trust.AMAZON, "amazon.de"), found
    assert [(one.kind, one.result, one.domain) for one in found.checks] == [("dkim", "fail", "amazon.de"), ("arc", "pass", "google.com")]
    assert check(forwarded).trust is Trust.UNVERIFIED


def test_dkimpy_agrees_on_the_chain(signer: Any, forwarded: bytes) -> None:
    """The chain of the test is one that dkimpy by itself accepts."""
    zone = signer.server.zone
    assert dkim.arc_verify(forwarded, dnsfunc=lambda name, timeout: zone.get(name.decode().rstrip(".")))[0] == b"pass"


@pytest.mark.parametrize("sealers", [["microsoft.com"], ["oogle.com"], ["com.google"], ["mx.google.com"]])
def test_other_sealers_prove_nothing(check: Check, signer: Any, forwarded: bytes, sealers: list[str]) -> None:
    """Anybody can seal; and the key of an unknown sealer is not asked for."""
    assert check(forwarded, sealers=sealers).trust is Trust.UNVERIFIED
    assert not any("google" in name for name in signer.server.asked)


def test_changed_after_the_seal(check: Check, forwarded: bytes) -> None:
    """What comes after the newest seal is not vouched for."""
    found = check(forwarded.replace(b"302-1234567", b"302-7654321"), sealers=[GOOGLE])
    assert (found.trust, found.checks[-1].result) == (Trust.UNVERIFIED, "fail")


def test_the_results_in_the_seal_changed(check: Check, signer: Any, notice: bytes) -> None:
    """The seal covers what the server found."""
    sealed = signer.seal(
        results("mx.google.com", "dkim=fail header.d=amazon.de") + signer.sign(notice, "amazon.de", publish=False), GOOGLE, "mx.google.com"
    )
    assert check(sealed, sealers=[GOOGLE]).trust is Trust.UNVERIFIED
    found = check(sealed.replace(b"dkim=fail", b"dkim=pass"), sealers=[GOOGLE])
    assert (found.trust, found.checks[-1].result) == (Trust.UNVERIFIED, "fail")


def test_sealed_but_not_amazon_s(check: Check, signer: Any, notice: bytes) -> None:
    """A seal proves no more than what the sealer found."""
    sealed = signer.seal(results("mx.google.com", "dkim=pass header.d=evil.example; spf=none") + notice, GOOGLE, "mx.google.com")
    found = check(sealed, sealers=[GOOGLE])
    assert (found.trust, found.checks[-1].result) == (Trust.UNVERIFIED, "none")


def test_two_named_sealers(check: Check, signer: Any, forwarded: bytes) -> None:
    """The finding of the first holds through the second, and through a third of the same name."""
    mail = twice(signer, forwarded, MICROSOFT)
    assert check(mail, sealers=[GOOGLE, MICROSOFT]).trust is Trust.AMAZON
    assert check(twice(signer, mail, "sub.google.com"), sealers=[GOOGLE, MICROSOFT]).trust is Trust.AMAZON


def test_an_unknown_sealer_in_between(check: Check, signer: Any, forwarded: bytes) -> None:
    """Who is not known may have changed anything before the last one sealed, or may be that last one."""
    mail = twice(signer, forwarded, "evil.example")
    assert check(mail, sealers=[GOOGLE]).trust is Trust.UNVERIFIED
    assert check(twice(signer, mail, MICROSOFT), sealers=[GOOGLE, MICROSOFT]).trust is Trust.UNVERIFIED
    assert not any("evil" in name for name in signer.server.asked)


def test_a_field_put_on_before_the_seal(check: Check, signer: Any, notice: bytes) -> None:
    """The sealer's signature covers it, Amazon's does not: it is not proved."""
    signed = TYPE + signer.sign(notice, "amazon.de", publish=False)
    sealed = signer.seal(results("mx.google.com", "dkim=pass header.d=amazon.de") + signed, GOOGLE, "mx.google.com")
    found = check(sealed, sealers=[GOOGLE])
    assert found.trust is Trust.AMAZON
    assert TYPE not in found.proved
    assert b"Subject" in found.proved


def test_a_field_put_on_after_the_seal(check: Check, signer: Any, notice: bytes) -> None:
    """Even where the sealer got the mail from Amazon's own server, only what its signature covers is proved."""
    sealed = TYPE + signer.seal(results("mx.google.com", "spf=pass smtp.mailfrom=x@bounces.amazon.de") + notice, GOOGLE, "mx.google.com")
    found = check(sealed, sealers=[GOOGLE])
    assert found.trust is Trust.AMAZON
    assert TYPE not in found.proved


def test_dns_fails_for_the_sealer(check: Check, signer: Any, forwarded: bytes) -> None:
    """Then nothing is known yet."""
    signer.server.zone["arc._domainkey.google.com"] = signer.server.SERVFAIL
    assert check(forwarded, sealers=[GOOGLE]).trust is Trust.TEMPORARY


def test_strict_keys_serve_for_seals(check: Check, signer: Any, forwarded: bytes) -> None:
    """``i=`` of an ARC field is a number, which ``t=s`` of a key has nothing to do with."""
    signer.publish(GOOGLE, "arc", more=b"t=s; ")
    assert check(forwarded, sealers=[GOOGLE]).trust is Trust.AMAZON


def without(mail: bytes, name: bytes) -> bytes:
    """The mail without its first field of this name."""
    start = mail.index(name + b":")
    end = start
    while True:
        end = mail.index(b"\r\n", end) + 2
        if mail[end : end + 1] not in (b" ", b"\t"):
            return mail[:start] + mail[end:]


@pytest.mark.parametrize("name", [b"ARC-Seal", b"ARC-Message-Signature", b"ARC-Authentication-Results"])
def test_sets_that_are_not_whole(check: Check, forwarded: bytes, name: bytes) -> None:
    """A field that is missing, or there twice, breaks the chain (RFC 8617 section 5.2)."""
    broken = without(forwarded, name)
    start = forwarded.index(name + b":")
    field = forwarded[start : start + len(forwarded) - len(broken)]
    for mail in (broken, field + forwarded):
        found = check(mail, sealers=[GOOGLE])
        assert (found.trust, found.checks[-1].kind, found.checks[-1].result) == (Trust.UNVERIFIED, "arc", "fail")


def test_a_field_twice_and_another_not_at_all(check: Check, signer: Any, forwarded: bytes) -> None:
    """As many fields as there should be is not enough."""
    mail = twice(signer, forwarded, MICROSOFT)
    broken = without(mail, b"ARC-Seal")
    found = check(
        b"ARC-Message-Signature: i=1; a=rsa-sha256; d=google.com; s=arc; h=from; bh=AAAA; b=AAAA\r\n" + broken, sealers=[GOOGLE, MICROSOFT]
    )
    assert (found.checks[-1].kind, found.checks[-1].result) == ("arc", "fail")


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        (b"i=1; cv=none", b"i=1; cv=pass", "fail"),
        (b"i=1; cv=none", b"i=1; cv=none; h=from", "fail"),
        (b"i=1; cv=none; a=rsa-sha256", b"i=1; cv=none; a=rsa-sha1", "policy"),
        (b"i=1; cv=none", b"i=x; cv=none", "fail"),
        (b"i=1; cv=none", b"i=3; cv=none", "fail"),
        (b"ARC-Message-Signature: i=1; a=rsa-sha256", b"ARC-Message-Signature: i=1; l=5; a=rsa-sha256", "policy"),
        (b"ARC-Message-Signature: i=1; a=rsa-sha256;", b"ARC-Message-Signature: i=1; a=rsa-sha256; x=1;", "policy"),
        (b"h=from : to", b"h=from : arc-seal : to", "fail"),
        (b"c=relaxed/relaxed;\r\n d=google.com", b"c=relaxed/relaxed;\r\n d=evil.example", "policy"),
        (b"ARC-Message-Signature: i=1; a=rsa-sha256", b"ARC-Message-Signature: i=1; a", "neutral"),
    ],
)
def test_chains_that_are_refused(check: Check, signer: Any, forwarded: bytes, old: bytes, new: bytes, result: str) -> None:
    """Refused before any key of the chain is asked for."""
    assert old in forwarded
    found = check(forwarded.replace(old, new, 1), sealers=[GOOGLE])
    assert (found.trust, found.checks[-1].kind, found.checks[-1].result) == (Trust.UNVERIFIED, "arc", result)
    assert not any("google" in name for name in signer.server.asked)


def test_very_many_sets(check: Check, signer: Any, notice: bytes) -> None:
    """A chain that long is none."""
    sets = b"".join(
        b"ARC-Seal: i=%d; cv=pass; a=rsa-sha256; d=google.com; s=arc; b=AAAA\r\n"
        b"ARC-Message-Signature: i=%d; b=AAAA\r\nARC-Authentication-Results: i=%d; x\r\n" % (n, n, n)
        for n in range(30, 0, -1)
    )
    found = check(sets + notice, sealers=[GOOGLE])
    assert (found.checks[-1].kind, found.checks[-1].result) == ("arc", "policy")
    assert not signer.server.asked


def test_results_that_cannot_be_read(check: Check, signer: Any, notice: bytes) -> None:
    """A set whose results are unreadable says nothing."""
    sealed = signer.seal(results("mx.google.com", "dkim=pass header.d=amazon.de") + notice, GOOGLE, "mx.google.com")
    found = check(
        sealed.replace(b"ARC-Authentication-Results: i=1; mx.google.com;", b"ARC-Authentication-Results: i=1; ;"), sealers=[GOOGLE]
    )
    assert (found.checks[-1].kind, found.checks[-1].result) == ("arc", "none")


def test_no_chain_at_all(check: Check, notice: bytes) -> None:
    """A mail that was not sealed is not the worse for it."""
    found = check(notice, sealers=[GOOGLE])
    assert (found.trust, found.checks) == (Trust.UNVERIFIED, ())
