"""ARC chains (RFC 8617): what servers that passed a mail on, and changed it, say about it as they got it.

A chain is believed only as far as sealers that the user named reach, from the newest set down without a gap: an unknown party after
them may have changed anything. So no other party's key is ever asked for.
"""

import re
from datetime import datetime

import attrs

from optoutkit.authentication.header_block import Field, HeaderBlock
from optoutkit.authentication.parties import TrustedParties
from optoutkit.authentication.results import ServerResults, read_results
from optoutkit.authentication.signatures import Refusal, Signature, check_algorithm, check_cover, check_times, read_signature

__all__ = ["CANONICALIZATION", "Chain", "read_chain"]

CANONICALIZATION = b"relaxed/relaxed"
"""How ARC fields are made ready for signing where they do not say so (RFC 8617 section 4.1)."""

_NAMES = ("arc-authentication-results", "arc-message-signature", "arc-seal")
_MOST_SETS = 20  # RFC 8617 section 4.2.1 allows 50; a mail that went through more than a handful is odd
_INSTANCE = re.compile(rb"\s*i\s*=\s*([0-9]{1,2})\s*(?:;|\Z)")


@attrs.frozen(kw_only=True)
class Chain:
    """A chain whose newest sealer is a named one, to be checked still.

    Attributes:
        message: The newest message signature, which covers the mail as it is now.
        seal: The newest seal, which covers all sets.
        sealed: The names of the fields that the seal covers, in order.
        results: What the named sealers found, newest first.
    """

    message: Signature
    seal: Signature
    sealed: tuple[str, ...]
    results: tuple[ServerResults, ...]


def read_chain(block: HeaderBlock, parties: TrustedParties, *, now: datetime, arrived: datetime) -> Chain | None:
    """Read the chain of a mail.

    Returns:
        None if there is none, or if its newest sealer was not named.

    Raises:
        Refusal: The chain is broken or is not accepted (RFC 8617 section 5.2).
    """
    sets = _sets(block)
    if not sets:
        return None
    seals = [_seal(fields["arc-seal"], instance) for instance, fields in enumerate(sets, 1)]
    trusted = 0
    while trusted < len(seals) and parties.is_sealer(seals[-1 - trusted].domain):
        trusted += 1
    if not trusted:
        return None
    message, seal = _message(sets[-1]["arc-message-signature"]), seals[-1]
    if not parties.is_sealer(message.domain):
        raise Refusal("policy", "its message signature is not by a named sealer")
    for signature in (message, seal):
        check_times(signature, now=now, arrived=arrived)
    found = (_results(fields["arc-authentication-results"]) for fields in reversed(sets[-trusted:]))
    return Chain(
        message=message, seal=seal, sealed=(_NAMES * len(sets))[:-1], results=tuple(results for results in found if results is not None)
    )


def _sets(block: HeaderBlock) -> list[dict[str, Field]]:
    """The ARC sets from the first to the newest; each must be whole, and none missing."""
    fields = [field for field in block.fields if field.key in _NAMES]
    sets: dict[int, dict[str, Field]] = {}
    for field in fields:
        instance = _INSTANCE.match(field.value)
        if not instance:
            raise Refusal("fail", "a set has no number")
        sets.setdefault(int(instance[1]), {})[field.key] = field
    if len(sets) > _MOST_SETS:
        raise Refusal("policy", "it has too many sets")
    # As many fields as that, and each set with one of each name: so none stands twice.
    if (
        sorted(sets) != list(range(1, len(sets) + 1))
        or len(fields) != len(_NAMES) * len(sets)
        or any(len(members) < len(_NAMES) for members in sets.values())
    ):
        raise Refusal("fail", "a set is not whole")
    return [sets[instance] for instance in sorted(sets)]


def _seal(field: Field, instance: int) -> Signature:
    seal = read_signature(field)
    check_algorithm(seal.tags)
    if "h" in seal.tags or seal.tags.get("cv") != (b"pass" if instance > 1 else b"none"):
        raise Refusal("fail", "a seal does not say that the chain was whole")
    return seal


def _message(field: Field) -> Signature:
    signature = read_signature(field)
    check_cover(signature)
    if "arc-seal" in signature.signed:
        raise Refusal("fail", "its message signature covers a seal")
    return signature


def _results(field: Field) -> ServerResults | None:
    return read_results(field.text.partition(";")[2])
