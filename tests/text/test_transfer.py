"""Content transfer encodings, damaged ones above all."""

import base64
import quopri
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.text.transfer import base64_bytes, transfer_decode


@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        (b"SGVsbG8=", b"Hello"),
        (b"SGVsbG8", b"Hello"),
        (b"SGVs\r\nbG8=\r\n", b"Hello"),
        (b"SG!Vs-bG_8=", b"Hello"),
        (b"SGVsb", b"Hel"),
        (b"SGVsbG8=\nSGVsbG8=\n", b"HelloHello"),
        (b"SGVsbG8=\n-- \nlist footer", b"Hello"),
        (b"SGVsbG8=\nVisit our list\n", b"Hello"),
        (b"====", b""),
        (b"", b""),
    ],
)
def test_damaged_base64_gives_what_can_be_read(encoded: bytes, decoded: bytes) -> None:
    """Junk, missing padding, several pieces in a row and text after the end."""
    assert base64_bytes(encoded) == decoded


@given(st.binary(), st.integers(1, 80))
def test_base64_comes_back(data: bytes, width: int) -> None:
    """Whatever was encoded is decoded, however its lines were broken."""
    encoded = base64.b64encode(data)
    lines = [encoded[at : at + width] for at in range(0, len(encoded), width)]
    assert transfer_decode(b"\r\n".join(lines), " BASE64 ") == data


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_quoted_printable_is_read_with_every_line_end(newline: bytes) -> None:
    """Soft breaks join lines, also with blanks added on the way; a stray = stays (RFC 2045 section 6.7)."""
    encoded = newline.join([b"Gr=C3=BC=C3=9Fe =", b"from=  ", b" us =zz =3D", b"end"])
    assert transfer_decode(encoded, "quoted-printable") == "Grüße from us =zz =\nend".encode()


@given(st.binary())
def test_quoted_printable_comes_back(data: bytes) -> None:
    """Whatever the standard library encodes is decoded; all line ends become LF."""
    text = data.replace(b"\r", b"\n")
    assert transfer_decode(quopri.encodestring(text, quotetabs=True), "Quoted-Printable") == text


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "binary", "", "x-nonsense"])
def test_other_encodings_change_nothing(encoding: str) -> None:
    """What is not encoded, or in a way that nobody knows, is taken as it is."""
    assert transfer_decode(b"a=3D\r\nb\xff", encoding) == b"a=3D\r\nb\xff"


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
@pytest.mark.parametrize("pattern", [b"=", b"=A", b"A", b" ", b"= \n", b"=\n", b"=4", b"A=\nB"])
def test_hostile_encodings_take_linear_time(pattern: bytes, encoding: str, assert_linear: Callable[..., None]) -> None:
    """No pattern makes decoding slow."""
    assert_linear(lambda data: transfer_decode(data, encoding), pattern)
