"""Content transfer encodings (RFC 2045 section 6): from what stands in the mail to the bytes that were meant."""

import binascii
import re

__all__ = ["base64_bytes", "transfer_decode"]

_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_PADDING = re.compile(rb"=[=\s]*")
_WHOLE_LINES = re.compile(rb"[A-Za-z0-9+/\r\n]*")


def transfer_decode(data: bytes, encoding: str) -> bytes:
    """Undo base64 or quoted-printable; anything else is returned as it is. Damaged input gives what can be read of it."""
    encoding = encoding.strip().lower()
    if encoding == "base64":
        return base64_bytes(data)
    if encoding == "quoted-printable":
        # Blanks at the end of a line are added on the way and don't count (rule 3); a2b_qp reads a CR without LF wrongly.
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b" \n" in data or b"\t\n" in data or data.endswith((b" ", b"\t")):
            data = b"\n".join([line.rstrip(b" \t") for line in data.split(b"\n")])
        return binascii.a2b_qp(data)
    return data


def base64_bytes(data: bytes) -> bytes:
    """Decode base64 whatever stands between its characters; padding is neither needed nor trusted.

    After padding, further whole lines of base64 are taken as another encoded piece, anything else as text that a mailing list
    or a scanner has appended.
    """
    first, *more = _PADDING.split(data)
    pieces = [_unpadded(first)]
    for piece in more:
        if not _WHOLE_LINES.fullmatch(piece):
            break
        pieces.append(_unpadded(piece))
    return b"".join(pieces)


def _unpadded(data: bytes) -> bytes:
    data = data.translate(None, _NOT_BASE64)
    if len(data) % 4 == 1:
        data = data[:-1]
    return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
