"""The cryptography of DKIM and ARC by dkimpy, which no other module knows. Importing this takes a while: do so when there is a key.

dkimpy gets the fields and tags as they were read here, never the mail itself, so that what is checked is what was read, and its own
pattern matching never meets a header of unbounded size.
"""

import logging
import re
from collections.abc import Sequence

import dkim

from optoutkit.authentication.header_block import Field, HeaderBlock
from optoutkit.authentication.signatures import Refusal, Signature

__all__ = ["check_signature"]

_SHORTEST_RSA_KEY = 1024  # RFC 8301 section 3.2
# dkimpy logs what it reads, addresses included; this logger belongs to no tree and drops everything.
_SILENT = logging.Logger("dkimpy", logging.CRITICAL + 1)  # noqa: LOG001 - nobody is to find it by its name
_BLANKS = re.compile(rb"[ \t]+")


def check_signature(
    block: HeaderBlock, signature: Signature, key: bytes, *, signed: Sequence[str] | None = None, canonicalization: bytes = b"simple/simple"
) -> None:
    """Check a signature against the mail and its key.

    Args:
        block: The mail.
        signature: The signature, which was not refused for its form.
        key: Its key record.
        signed: The names of the fields it covers, where its own ``h=`` does not say so (an ARC seal has none).
        canonicalization: What ``c=`` is where it is not given.

    Raises:
        Refusal: It does not match, or its key cannot be used.
    """
    tags = {name.encode("ascii"): value for name, value in signature.tags.items()}
    tags.setdefault(b"c", canonicalization)
    checker = dkim.DKIM(logger=_SILENT, minkey=_SHORTEST_RSA_KEY)
    checker.headers = [_as_dkimpy_has_it(field) for field in block.fields]
    checker.body = _body(block.body, tags[b"c"])
    checker.pk, checker.keysize = None, 0
    names = [name.encode("latin-1") for name in (signature.signed if signed is None else signed)]
    try:
        matches = checker.verify_sig(tags, names, _as_dkimpy_has_it(signature.field), lambda _name, timeout: key)  # noqa: ARG005 - dkimpy's signature
    except dkim.NaClNotFoundError:
        raise Refusal("neutral", "Ed25519 needs an optional package: pip install 'optoutkit[ed25519]'") from None
    except dkim.ValidationError:
        raise Refusal("fail", "the body was changed after it was signed") from None
    except Exception:  # noqa: BLE001 - dkimpy raises whatever odd bytes lead to, and its texts quote the mail
        matches = False
    if checker.pk is None:
        raise Refusal("permerror", "its key cannot be used")
    if checker.ktag == b"rsa" and checker.keysize < _SHORTEST_RSA_KEY:
        raise Refusal("policy", f"its key has only {checker.keysize} bits")
    if not matches:
        raise Refusal("fail", "the mail was changed after it was signed, or the key is another one now")


def _as_dkimpy_has_it(field: Field) -> list[bytes]:
    return [field.name, field.value + b"\r\n"]


def _body(body: bytes, canonicalization: bytes) -> bytes:
    """The body with CRLF line ends.

    For ``relaxed`` also with single blanks, and none at the ends of lines: dkimpy does the same to it (RFC 6376 section 3.4.4), but in
    a time that grows with the square of a run of blanks.
    """
    body = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if canonicalization.endswith(b"/relaxed"):
        body = _BLANKS.sub(b" ", body).replace(b" \r\n", b"\r\n")
    return body
