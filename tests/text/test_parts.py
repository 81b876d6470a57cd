"""The parts of a mail in its bytes: boundaries that nest, lie, or never come."""

from collections.abc import Callable
from email.generator import BytesGenerator
from email.message import EmailMessage
from email.policy import SMTP
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.errors import MessageTooLarge
from optoutkit.text.parts import Limits, Part, read_parts

MIXED = b'Content-Type: multipart/mixed; boundary="B"\n\n'


def parts(raw: bytes, **limits: int) -> Part:
    """The outermost part."""
    return read_parts(raw, 0, Limits(**limits))


def bodies(part: Part) -> Any:
    """The tree of bodies."""
    return [bodies(child) for child in part.children] if part.children else part.raw[part.start : part.end]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_parts_are_cut_out_byte_for_byte(newline: bytes) -> None:
    """The line break before a boundary belongs to the boundary, whatever the line end (RFC 2046 section 5.1.1)."""
    raw = newline.join(
        [
            b"Content-Type: multipart/mixed; boundary=B",
            b"",
            b"preamble",
            b"--B",
            b"",
            b"one",
            b"",
            b"--B  ",
            b"A: 1",
            b"",
            b"two",
            b"--B--",
            b"end",
        ]
    )
    assert bodies(parts(raw)) == [b"one" + newline, b"two"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (MIXED + b"--B\n\none\n--B\n\ntwo", [b"one", b"two"]),
        (MIXED + b"--B\n\none\n--B--\n--B\n\ntwo", [b"one"]),
        (MIXED + b"--B\nA: 1\n--B\n\ntwo\n--B--", [b"", b"two"]),
        (MIXED + b"--B\n--B--", [b""]),
        (MIXED + b"--B", [b""]),
        (MIXED + b"--B\n\none\n--Bx\n--b\n - --B\n--B--", [b"one\n--Bx\n--b\n - --B"]),
        (MIXED + b"no boundary", b"no boundary"),
        (b"Content-Type: multipart/mixed\n\n--B\n\none", b"--B\n\none"),
        (b"Content-Type: text/plain; boundary=B\n\n--B\n\none", b"--B\n\none"),
        (b'Content-Type: multipart/mixed; boundary="B--"\n\n--B--\n\none\n--B----\n', [b"one"]),
        (
            MIXED + b'--B\nContent-Type: multipart/alternative; boundary="C"\n\n--C\n\none\n--C\n\ntwo\n--C--\n--B\n\nthree\n--B--',
            [[b"one", b"two"], b"three"],
        ),
        (
            MIXED + b'--B\nContent-Type: multipart/alternative; boundary="C"\n\n--C\n\none\n--B\n\ntwo\n--C\n--B--',
            [[b"one"], b"two\n--C"],
        ),
        (MIXED + b"--B\n" + MIXED + b"inner\n--B\n\none\n--B--", [b"inner", b"one"]),
        (MIXED + b'--B\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary="C"\n\n--C\n\n--C--\n--B--', None),
    ],
)
def test_damaged_nests_are_read(raw: bytes, expected: Any) -> None:
    """Missing ends, boundaries used twice, boundaries that never come, parts without an empty line."""
    if expected is None:
        expected = [b'Content-Type: multipart/mixed; boundary="C"\n\n--C\n\n--C--']
    assert bodies(parts(raw)) == expected


@pytest.mark.parametrize(
    ("declared", "content_type"),
    [
        (b"Content-Type: Text/HTML; charset=utf-8", "text/html"),
        (b"Content-Type: text", "text/plain"),
        (b"Content-Type: ", "text/plain"),
        (b"Content-Type: a/b/c", "text/plain"),
        (b"Subject: none", "text/plain"),
    ],
)
def test_a_type_that_makes_no_sense_is_plain_text(declared: bytes, content_type: str) -> None:
    """RFC 2045 section 5.2."""
    assert parts(declared + b"\n\n").content_type == content_type


def test_the_parts_of_a_digest_are_mails_unless_they_say_otherwise() -> None:
    """RFC 2046 section 5.1.5."""
    digest = parts(b"Content-Type: multipart/digest; boundary=B\n\n--B\n\nA: 1\n\n--B\nContent-Type: text/plain\n\nx\n--B--")
    assert [child.content_type for child in digest.children] == ["message/rfc822", "text/plain"]


def test_a_part_knows_its_name_disposition_and_content() -> None:
    """The name in Content-Disposition goes before that in Content-Type; comments beside an encoding don't matter."""
    fields = b"Content-Type: text/plain; name=b.txt\nContent-Disposition: Attachment; filename=a.txt\n"
    part = parts(fields + b"Content-Transfer-Encoding: BASE64 x\n\nSGk=\n")
    assert (part.filename, part.disposition, part.content()) == ("a.txt", "attachment", b"Hi")
    part = parts(b"Content-Type: text/plain; name=b.txt\n\nHi")
    assert (part.filename, part.disposition, part.content()) == ("b.txt", "", b"Hi")


def test_walking_goes_through_the_mail_in_its_order() -> None:
    """A part comes before those in it, and those before the next."""
    root = parts(MIXED + b'--B\nContent-Type: multipart/alternative; boundary="C"\n\n--C\n\n--C\n\n--C--\n--B\n\n--B--')
    assert list(root.walk()) == [root, root.children[0], *root.children[0].children, root.children[1]]
    assert [part.is_multipart for part in root.walk()] == [True, True, False, False, False]


def nested(depth: int) -> bytes:
    """Multiparts within one another."""
    return b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level) for level in range(depth))


def test_depth_is_limited_before_anything_grows() -> None:
    """As many multiparts as allowed are read, one more is refused, and so are two thousand."""
    assert sum(part.is_multipart for part in parts(nested(7), max_depth=7).walk()) == 7
    for depth in (8, 2000):
        with pytest.raises(MessageTooLarge, match="deeper than 7"):
            parts(nested(depth), max_depth=7)


def test_the_number_of_parts_is_limited() -> None:
    """As many parts as allowed are read, the mail itself included, and one more is refused."""
    assert len(parts(MIXED + b"--B\n\n" * 6, max_parts=7).children) == 6
    with pytest.raises(MessageTooLarge, match="more than 7 parts"):
        parts(MIXED + b"--B\n\n" * 7, max_parts=7)


def test_the_headers_of_all_parts_are_limited_together() -> None:
    """What is folded, what has no end and what stands in parts counts as well; the body does not."""
    fields = b"a: b\n c\n" * 10
    assert parts(fields + b"\n" + b"x" * 1000, max_header_bytes=len(fields) + 1).start == len(fields) + 1
    for raw in (fields + b"\n", fields, b" b\n" * 30 + b"\n", b"Subject: " + b"x" * 100, MIXED + (b"--B\n" + fields[:40] + b"\n") * 3):
        parts(raw + b"\n", max_header_bytes=200)
        with pytest.raises(MessageTooLarge, match="header"):
            parts(raw + b"\n", max_header_bytes=79)


@pytest.mark.parametrize("name", ["max_bytes", "max_parts", "max_depth", "max_header_bytes"])
def test_limits_are_positive(name: str) -> None:
    """A limit of nothing is a mistake of the caller."""
    with pytest.raises(ValueError, match=name):
        Limits(**{name: 0})


bytes_bodies = st.binary(max_size=40)
trees = st.recursive(bytes_bodies, lambda children: st.lists(children, min_size=1, max_size=4), max_leaves=12)


def build(tree: Any) -> EmailMessage:
    """A message of the standard library with such parts."""
    message = EmailMessage()
    if isinstance(tree, bytes):
        message.set_content(tree, "application", "octet-stream")
    else:
        message.make_mixed()
        for child in tree:
            message.attach(build(child))
    return message


def contents(part: Part) -> Any:
    """The tree of contents."""
    return [contents(child) for child in part.children] if part.is_multipart else part.content()


@given(trees)
def test_every_tree_that_the_standard_library_writes_is_read(tree: Any) -> None:
    """Parts, their order and their bytes come back."""
    out = BytesIO()
    BytesGenerator(out, policy=SMTP).flatten(build(tree))
    assert contents(parts(out.getvalue())) == tree


tokens = st.lists(
    st.sampled_from(
        [
            b"--B",
            b"--C",
            b"--B--",
            b"--C--",
            b"\n",
            b"\r\n",
            b"\r",
            b" ",
            b"x",
            MIXED,
            MIXED.replace(b"B", b"C"),
            b"A: 1\n",
            b"Content-Type: text/html\n",
        ]
    )
    | st.binary(max_size=3)
)


@given(tokens)
def test_any_bytes_have_parts_that_lie_in_their_order(pieces: list[bytes]) -> None:
    """Bodies lie within those around them, one after the other, and nothing but the limits is raised."""
    root = parts(MIXED + b"".join(pieces))
    for part in root.walk():
        assert 0 <= part.start <= part.end <= len(part.raw)
        for before, after in zip(part.children, part.children[1:], strict=False):
            assert before.end <= after.start
        for child in part.children:
            assert child.end <= part.end


@pytest.mark.parametrize("pattern", [b"--\n", b"--C\n", b"--B--\n", b"\n--", b"-", b"\r", b"--C--\n", b"a:b\n"])
def test_hostile_bodies_take_linear_time(pattern: bytes, assert_linear: Callable[..., None]) -> None:
    """No pattern makes finding the parts slow."""
    assert_linear(parts, pattern, MIXED)
    assert_linear(parts, pattern, nested(49))
