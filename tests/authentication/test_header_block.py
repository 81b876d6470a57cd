"""The strict reader of header blocks: it and the lenient one must never see different fields."""

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from optoutkit.authentication import Trust, authenticate
from optoutkit.authentication.header_block import HeaderBlock, MalformedHeader, read_header_block
from optoutkit.text.mime import peek

PIECES = [
    b"From: a@example.com",
    b"Subject : x",
    b"X:",
    b" folded",
    b"\tx",
    b"   ",
    b"From x",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\0",
    b":",
    b"\xef\xbb\xbf",
    b"\xe4: x",
    b"body",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
@example(b"A: b\rFrom: x\r\n\r\n")
@example(b"\xef\xbb\xbf\nFrom x\n>From y\nA: b\n\n")
def test_both_readers_see_the_same(raw: bytes) -> None:
    """Or the strict one refuses."""
    try:
        block = read_header_block(raw)
    except MalformedHeader:
        return
    lenient = peek(raw)
    assert block.keys == tuple(lenient)
    for name in set(block.keys):
        assert [field.value.replace(b"\r\n", b"\n") for field in block.named(name)] == [
            value.replace(b"\r\n", b"\n") for value in lenient.raw_all(name)
        ]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"From: a@example.com",
        b"From: a@example.com\r\n",
        b"From: a@example.com\r\nno field\r\n\r\n",
        b" folded\r\n\r\n",
        b"From: a@example.com\r\n  \r\nTo: b\r\n\r\n",
        b"From : a@example.com\r\n\r\n",
        b"X: y\rFrom: a@example.com\r\n\r\n",
        b"X: \0\r\n\r\n",
        b"X: " + b"y" * 300_000 + b"\r\n\r\n",
        b"X: y\r\n" * 1001 + b"\r\n",
        b"\r\n\r\n",
    ],
)
def test_malformed(raw: bytes) -> None:
    """What RFC 5322 section 2.2 does not allow, and what is larger than anybody needs."""
    with pytest.raises(MalformedHeader):
        read_header_block(raw)
    assert authenticate(raw).trust is Trust.UNVERIFIED


@pytest.mark.parametrize("sender", ["auto-communication@arnazon.de", "x@example.com, y@amazon.de", '"Amazon.de" <x@example.com>'])
def test_forgeries_are_seen_in_malformed_headers(sender: str) -> None:
    """Damage hides nothing."""
    found = authenticate(f"X: y\rz: u\r\nFrom: {sender}\r\n\r\n".encode())
    assert found.trust is Trust.FORGED
    assert found.checks[0].kind == "header"


@pytest.mark.parametrize(
    "sender", ["", "nobody", "undisclosed:;", "x@example.com, y@example.com", "x@-example-.com", "<a@example.com> <b@example.com>"]
)
def test_not_exactly_one_sender(sender: str) -> None:
    """Nothing to prove."""
    found = authenticate(f"From: {sender}\r\n\r\n".encode())
    assert (found.trust, found.sender) == (Trust.UNVERIFIED, "")


def test_reduced() -> None:
    """Fields of one name are covered from the bottom up, as often as the name is given, and keep their order."""
    block = read_header_block(b"A: 1\r\nB: 2\r\nA: 3\r\nC: 4\r\n five\r\nA: 6\r\n\r\nbody\n")
    assert block.reduced(["c", "a", "x", "a"]) == b"A: 3\r\nC: 4\r\n five\r\nA: 6\r\n\r\nbody\n"
    assert block.reduced(Counter(block.keys).elements()) == b"A: 1\r\nB: 2\r\nA: 3\r\nC: 4\r\n five\r\nA: 6\r\n\r\nbody\n"
    assert isinstance(block, HeaderBlock)
