"""What servers the user named say about a sender, and which fields of the mail that vouches for.

A server that says ``dkim=pass`` or ``dmarc=pass`` does not say what the signature covers: anybody can add a field to a genuine mail and
send it on, and it passes again. So what is vouched for is what the sender's own signatures in the mail cover. An SPF pass is different:
the sender's own server handed the mail over, and nobody was in between.
"""

from collections import Counter
from functools import reduce
from operator import and_

from optoutkit.authentication.header_block import HeaderBlock
from optoutkit.authentication.results import Finding, ServerResults, read_results
from optoutkit.authentication.signatures import Refusal, Signature, aligned, check_cover, read_signature

__all__ = ["denied", "named_results", "vouched"]


def named_results(block: HeaderBlock, authserv_ids: frozenset[str]) -> tuple[ServerResults, ...]:
    """The results of each named server: the topmost field that bears its name, since all below may be a stranger's (RFC 8601 section 5)."""
    topmost: dict[str, ServerResults] = {}
    for field in block.named("authentication-results") if authserv_ids else ():
        results = read_results(field.text)
        if results is not None and results.authserv_id in authserv_ids:
            topmost.setdefault(results.authserv_id, results)
    return tuple(topmost.values())


def denied(results: ServerResults, sender: str) -> bool:
    """Whether a server says that the mail is not from this domain."""
    return any(finding.result == "fail" and finding.domain("header.from") in ("", sender) for finding in results.of("dmarc"))


def vouched(results: ServerResults, block: HeaderBlock, sender: str) -> Counter[str] | None:
    """Which fields a server's results vouch for as those of a sender at this domain; how many of each name, counted from the bottom.

    Returns:
        None if they do not vouch for the mail at all.
    """
    spf, dmarc = results.of("spf"), results.of("dmarc")
    # A server has one opinion of each: a second one was smuggled in through a comment or an envelope address.
    if len(spf) == 1 and spf[0].result == "pass" and aligned(spf[0].domain("smtp.mailfrom"), sender):
        return Counter(block.keys)
    passed = [
        finding for finding in results.of("dkim") if finding.result == "pass" and aligned(finding.domain("header.d", "header.i"), sender)
    ]
    if passed:
        return _covered_by_all(
            [signature for signature in _signatures(block, sender) if any(_is_about(finding, signature) for finding in passed)]
        )
    if len(dmarc) == 1 and dmarc[0].result == "pass" and dmarc[0].domain("header.from") == sender:
        signatures = _signatures(block, sender)
        # DMARC passes by DKIM or by SPF (RFC 7489 section 4.2): without a signature it was SPF.
        return _covered_by_all(signatures) if signatures else Counter(block.keys)
    return None


def _signatures(block: HeaderBlock, sender: str) -> list[Signature]:
    found = []
    for field in block.named("dkim-signature"):
        try:
            signature = read_signature(field)
        except Refusal:
            continue
        if aligned(signature.domain, sender):
            found.append(signature)
    return found


def _is_about(finding: Finding, signature: Signature) -> bool:
    beginning = finding.properties.get("header.b", "")  # RFC 6008: the first characters of b=
    value = b"".join(signature.tags.get("b", b"").split()).decode("latin-1").lower()
    return finding.domain("header.d", "header.i") == signature.domain and value.startswith(beginning)


def _covered_by_all(signatures: list[Signature]) -> Counter[str] | None:
    """What is covered whichever of them it was that passed."""
    try:
        for signature in signatures:
            check_cover(signature)
    except Refusal:
        return None
    return reduce(and_, (Counter(signature.signed) for signature in signatures)) if signatures else None
