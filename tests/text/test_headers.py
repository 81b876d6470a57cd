"""Header blocks: where they end, unfolding, encoded words, parameters."""

from collections.abc import Callable
from email.header import Header
from email.message import EmailMessage

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from optoutkit.text.headers import Headers, Parameters, decode_words, read_headers


def headers(raw: bytes) -> Headers:
    """The header fields of a block."""
    return read_headers(raw)[0]


@pytest.mark.parametrize(
    ("raw", "names", "body"),
    [
        (b"A: 1\nB: 2\n\nbody", ["a", "b"], b"body"),
        (b"A: 1\r\nB: 2\r\n\r\nbody", ["a", "b"], b"body"),
        (b"A: 1\rB: 2\r\rbody", ["a", "b"], b"body"),
        (b"A : 1\n\n", ["a"], b""),
        (b"A: 1", ["a"], b""),
        (b"A:\n", ["a"], b""),
        (b"A: 1\nno field\nB: 2\n\n", ["a"], b"no field\nB: 2\n\n"),
        (b" stray\n\tone\nA: 1\n\nbody", ["a"], b"body"),
        (b"A: 1\n--part\n", ["a"], b"--part\n"),
        (b"\nbody", [], b"body"),
        (b"body", [], b"body"),
        (b"\xc3\xa4: 1\n", [], b"\xc3\xa4: 1\n"),
        (b"", [], b""),
    ],
)
def test_a_block_ends_where_its_fields_do(raw: bytes, names: list[str], body: bytes) -> None:
    """Every line end is one; what cannot be a field begins the body."""
    found, start = read_headers(raw)
    assert list(found) == names
    assert raw[start:] == body
    assert len(found) == len(names)


def test_fields_are_found_by_name_in_any_case() -> None:
    """The first value, all values, the bytes as they stand, and the default."""
    found = headers(b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n an\n alle\nsubject: two\n\n")
    assert found.get("SUBJECT") == "Grüße an alle"
    assert found.get_all("Subject") == ("Grüße an alle", "two")
    assert found.raw_all("subject") == (b" =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n an\n alle", b" two")
    assert list(found.unfolded("subject")) == ["=?utf-8?q?Gr=C3=BC=C3=9Fe?= an alle", "two"]
    assert "Subject" in found
    assert "To" not in found
    assert 3 not in found
    assert found.get("to") is None
    assert found.get("to", "nobody") == "nobody"
    assert found.get_all("to") == ()
    assert found.raw_all("to") == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("=?iso-8859-1?Q?K=FCfer=80?=", "Küfer€"),
        ("=?x-nobody-knows?Q?K=FCfer?=", "Küfer"),
        ("=?utf-8?B?R3LDvMOfZQ==?=", "Grüße"),
        ("=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),
        ("=?utf-8?b?R3LD?= =?utf-8?b?vMOfZQ==?=", "Grüße"),
        ("=?utf-8?q?a?=  =?iso-8859-1?q?b?= c =?utf-8?q?d?=", "ab c d"),
        ("x=?utf-8?q?a_b?=y", "xa by"),
        ("=?utf-8*de?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?utf-8?q?a b?=", "a b"),
        ("=?utf-8?q?=00=0Aevil:_1?=", "evil: 1"),
        ("=?iso-2022-jp?B?GyRCQ21KOBsoQg==?=", "注文"),
        ("=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        ("=?utf-8?q?unfinished", "=?utf-8?q?unfinished"),
        ("=?\0?Q?E?=", "E"),
        ("=?utf-8?q??=", ""),
    ],
)
def test_encoded_words_are_decoded(value: str, text: str) -> None:
    """RFC 2047 as it occurs: split characters, unknown charsets, blanks where none may be, control characters."""
    assert decode_words(value) == text


def test_bytes_of_no_declared_charset_are_read() -> None:
    """Fields that hold raw UTF-8, windows-1252 or ISO-2022-JP, as some mailers write them."""
    assert headers(b"A: Gr\xc3\xbc\xc3\x9fe\n").get("a") == "Grüße"
    assert headers(b"A: Gr\xfc\xdfe\n").get("a") == "Grüße"
    assert headers(b"A: \x1b$BCmJ8\x1b(B\n").get("a") == "注文"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1), st.sampled_from(["utf-8", "gb18030"]))
def test_what_the_standard_library_encodes_is_read(text: str, charset: str) -> None:
    """Any subject that it folds and encodes comes back."""
    assume("=?" not in text)
    value = Header(text, charset, header_name="Subject").encode()
    assert headers(f"Subject: {value}\n\n".encode()).get("subject") == text.removeprefix("\ufeff")


@pytest.mark.parametrize(
    ("raw", "value", "parameters"),
    [
        (b'Text/HTML; charset="UTF-8"', "text/html", {"charset": "UTF-8"}),
        (b"text/plain;charset=utf-8; format = flowed", "text/plain", {"charset": "utf-8", "format": "flowed"}),
        (b'multipart/mixed; boundary="a;b\\"c"', "multipart/mixed", {"boundary": 'a;b"c'}),
        (b'a/b; name="unfinished', "a/b", {"name": "unfinished"}),
        (b'a/b; name="unfinished\\', "a/b", {"name": "unfinished\\"}),
        (b"a/b; name=two words.txt", "a/b", {"name": "two words.txt"}),
        (b"a/b; name==?utf-8?q?=C3=A4.txt?=", "a/b", {"name": "ä.txt"}),
        (b"a/b; name*=iso-8859-1'de'%E4.txt", "a/b", {"name": "ä.txt"}),
        (b"a/b; name*0*=utf-8''%C3; name*1*=%A4.t; name*2=xt", "a/b", {"name": "ä.txt"}),
        (b"a/b; name*1=b; name*0=a", "a/b", {"name": "ab"}),
        (b"a/b; name*=plain", "a/b", {"name": "plain"}),
        (b"a/b; name=first; name=second", "a/b", {"name": "first"}),
        (b"a/b;\r\n\tname=folded", "a/b", {"name": "folded"}),
        (b"a/b;;; =x; y", "a/b", {"y": ""}),
        (b"", "", {}),
        (b";", "", {}),
    ],
)
def test_parameters_are_taken_apart(raw: bytes, value: str, parameters: dict[str, str]) -> None:
    """RFC 2045, RFC 2231 and what mailers write instead."""
    found = headers(b"Content-Type: " + raw + b"\n").parameters("content-type")
    assert found == Parameters(value=value, parameters=parameters)


def test_parameters_of_an_absent_field_are_empty() -> None:
    """No field is no error."""
    assert headers(b"A: 1\n").parameters("content-type") == Parameters(value="", parameters={})


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=100))
def test_file_names_that_the_standard_library_writes_are_read(name: str) -> None:
    """Any name survives, however it is cut into numbered pieces."""
    message = EmailMessage()
    message.add_header("Content-Disposition", "attachment", filename=("utf-8", "", name + "ä"))
    found = headers(message.as_bytes()).parameters("content-disposition")
    assert found.parameters["filename"] == (name + "ä").strip()


@given(st.binary())
def test_any_bytes_have_a_header_block(raw: bytes) -> None:
    """Nothing raises; the body begins within the bytes."""
    found, body = read_headers(raw)
    assert 0 <= body <= len(raw)
    for name in found:
        found.get_all(name)
        found.parameters(name)


PATTERNS = [
    b"a:b\n",
    b"a:\n b",
    b"=?utf-8?q?a?= ",
    b"=?utf-8?b?YQ==?=",
    b"=?",
    b"=?a?q?",
    b";",
    b"; ",
    b';"',
    b';a="\\',
    b";a*0*=%41",
    b"\r",
    b" \n",
    b"a",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_hostile_headers_take_linear_time(pattern: bytes, assert_linear: Callable[..., None]) -> None:
    """No pattern makes reading, decoding or taking apart slow."""

    def read(raw: bytes) -> None:
        found = headers(raw)
        found.get_all("a")
        found.parameters("a")

    assert_linear(read, pattern, b"A: ")


@pytest.mark.parametrize(
    "raw",
    [
        b"A:" + b"\n b" * 50_000,
        b" x\n" * 50_000,
        b'A: b; c="' + b"d" * 150_000,
        b"A: b; c=" + b"\\d" * 75_000,
        b'A: b; c="' + b"\\d" * 75_000,
    ],
)
def test_hostile_headers_take_little_memory(raw: bytes, assert_frugal: Callable[..., None]) -> None:
    """Neither folds nor quotes nor escapes."""

    def read(raw: bytes) -> None:
        headers(raw).parameters("a")

    assert_frugal(read, raw)
