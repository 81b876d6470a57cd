"""Bytes to text: labels that lie, labels that nobody knows, bytes that fit nothing."""

import codecs
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.text.charsets import decode

LABELS = [
    "utf-8",
    "iso-8859-1",
    "iso-2022-jp",
    "shift_jis",
    "gb2312",
    "big5",
    "euc-kr",
    "utf-7",
    "utf-16",
    "hz",
    "koi8-r",
    "x-unknown",
    "",
    None,
]


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        ("größe".encode(), "utf-8", "größe"),
        ("größe".encode("latin-1"), "iso-8859-1", "größe"),
        (b"100 \x80 \x96 \x93ok\x94", "iso-8859-1", "100 € – “ok”"),
        (b"100 \x80", "us-ascii", "100 €"),
        ("ışık".encode("iso-8859-9"), "iso-8859-9", "ışık"),
        ("zażółć".encode("iso-8859-2"), "ISO-8859-2", "zażółć"),
        ("отзыв".encode("koi8-r"), "koi8-r", "отзыв"),
        ("中文评论".encode("gbk"), "gb2312", "中文评论"),
        ("㐀𠀀".encode("gb18030"), "GBK", "㐀𠀀"),
        ("評論".encode("big5"), "big5", "評論"),
        ("후기".encode("cp949"), "ks_c_5601-1987", "후기"),
        ("レビュー①㈱髙".encode("cp932"), "shift_jis", "レビュー①㈱髙"),
        ("レビュー".encode("cp932"), "x-sjis", "レビュー"),
        ("レビュー".encode("euc-jp"), "euc-jp", "レビュー"),
        ("שלום".encode("iso-8859-8"), "iso-8859-8-i", "שלום"),
        ("Grüße".encode("utf-16"), "utf-16", "Grüße"),
        ("Grüße".encode("utf-7"), "unicode-1-1-utf-7", "Grüße"),
    ],
)
def test_declared_charset_is_read_as_mail_programs_read_it(data: bytes, label: str, text: str) -> None:
    """Each charset that occurs is read, with what its larger relative on Windows adds."""
    assert decode(data, label) == text


@pytest.mark.parametrize("label", ["iso-2022-jp", "ISO-2022-JP-MS", "cp50221", "csISO2022JP", "iso-2022-jp-1"])
def test_every_relative_of_iso_2022_jp_is_read(label: str) -> None:
    """JIS X 0208 and 0212, half-width katakana and the rows of NEC and IBM come through under whatever name."""
    text = "注文302のレビュー、漢字。\nabc"
    assert decode(text.encode("iso2022_jp_ext"), label) == text
    assert decode("丂".encode("iso2022_jp_1"), label) == "丂"
    assert decode(b"\x1b(I" + bytes(byte & 0x7F for byte in "ｱｲ".encode("cp932")) + b"\x1b(B!", label) == "ｱｲ!"
    assert decode(b"\x1b$B-!-j\x1b(B", label) == "①㈱"
    assert decode("①".encode("iso2022_jp_3"), label) == "①"
    assert decode(b"\x1b$A0!\x1b(B", label) == "啊"


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        ("größe".encode(), "iso-8859-1", "größe"),
        ("größe".encode(), "x-unknown", "größe"),
        ("größe".encode("latin-1"), "x-unknown", "größe"),
        ("größe".encode("latin-1"), None, "größe"),
        ("größe".encode("latin-1"), "utf-8", "größe"),
        ("größe".encode(), "iso-2022-jp", "größe"),
        ("größe".encode(), "shift_jis", "größe"),
        ("注文のレビュー".encode("iso-2022-jp"), "us-ascii", "注文のレビュー"),
        ("注文のレビュー".encode("iso-2022-jp"), None, "注文のレビュー"),
        ("注文のレビュー".encode("cp932"), None, "注文のレビュー"),
        ("注文のレビュー".encode("euc-jp"), "iso-8859-1", "注文のレビュー"),
        (b"a\x81b", "windows-1252", "a\x81b"),
        (b"ok \xe4 \xc3\xa4", "utf-8", "ok ä ä"),
        ("Grüße".encode("utf-16"), None, "Grüße"),
        (b"\xef\xbb\xbfhello", "utf-8", "hello"),
        (b"a~\xff", "hz", "a~ÿ"),
        (b"a\x00\xff", "utf-16-le", "aÿ"),
        (b"\x00\xd8a\x00", "utf-16-le", "\ufffda"),
    ],
)
def test_wrong_or_missing_label_loses_no_text(data: bytes, label: str | None, text: str) -> None:
    """Where the bytes don't fit the label, what they do fit is taken."""
    assert decode(data, label) == text


@pytest.mark.parametrize("label", [None, "utf-8", "iso-8859-1", "us-ascii", "x-unknown"])
@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("cp1250", "Nie udało się dostarczyć wiadomości, ponieważ kupujący zrezygnował z ich otrzymywania."),
        ("iso8859_2", "Nie udało się dostarczyć wiadomości, ponieważ kupujący zrezygnował z ich otrzymywania."),
        ("cp1254", "Alıcı satıcılardan mesaj almamayı tercih ettiği için 302-1234567-7654321 numaralı sipariş"),
        ("cp1256", "تعذر علينا تسليم الرسالة التي أرسلتها بخصوص الطلب 302-1234567-7654321"),
        ("gb2312", "由于买家已选择不接收卖家发送的消息，我们无法送达您就订单302-1234567-7654321发送的消息。"),
        ("big5", "由於買家已選擇不接收賣家傳送的訊息，我們無法送達您就訂單302-1234567-7654321傳送的訊息。"),
        ("cp1252", "¿Qué tamaño? «Été» à 20 m³, cœur, 5½ ± 1, größer – naïve Ação, Åsa ønsker"),
    ],
)
def test_an_old_charset_that_nobody_names_is_known_by_its_letters(charset: str, text: str, label: str | None) -> None:
    """Those of all our languages; what is Western stays so."""
    assert decode(text.encode(charset), label) == text


@pytest.mark.parametrize(
    "text", ["É", "Réf", "é@", "ÃO", "NÃO", "ÄÖÜ", "Ça", "à ê", "¿Qué?", "Ñandú", "größe", "Ärger", "Åå", "m³", "½", "naïveté été à ÉTÉ"]
)
def test_a_short_western_text_stays_western(text: str) -> None:
    """A name, a field of a header: too little to tell another script by."""
    for label in (None, "utf-8", "iso-8859-1"):
        assert decode(text.encode("cp1252"), label) == text


@given(st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz ,.éèàçùâêîôûëïüäößñáíóúãõåæøÉÀÄÖÜÑÇ0123456789"), max_size=60))
def test_western_letters_are_read_as_such(text: str) -> None:
    """In any mixture in which most letters have no accent."""
    plain = f"{text} and what follows is written without an accent, for as long as any text has it "
    assert decode(plain.encode("cp1252"), None) == plain


def test_a_broken_character_makes_no_other_charset_of_utf_8() -> None:
    """Cut or damaged UTF-8 of any script is read as far as it is whole."""
    for text in ("zamówień żółtych wysłanej", "a😀b😀c sipariş", "تعذر علينا تسليم الرسالة", "由于买家已选择不接收", "注文のレビュー"):
        assert decode(b"a\xff" + text.encode(), "utf-8") == "aÿ" + text


@pytest.mark.parametrize(
    "label", ["rot13", "base64", "zlib", "idna", "punycode", "unicode_escape", "undefined", "os", "a" * 10_000, "\0", "../x"]
)
def test_a_label_that_is_no_charset_reaches_no_codec(label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's word is never looked up among Python's codecs, some of which take quadratic time or import modules."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    monkeypatch.setattr(codecs, "lookup", refuse)
    assert decode(b"xn--a \\u0041", label) == "xn--a \\u0041"


@given(st.binary(), st.sampled_from(LABELS) | st.text(max_size=20))
def test_any_bytes_under_any_label_give_clean_text(data: bytes, label: str | None) -> None:
    """Nothing raises, and no lone surrogate comes out, which could not be printed or stored."""
    decode(data, label).encode("utf-8")


@given(st.text(), st.sampled_from(["utf-8", "gb18030", None]))
def test_text_comes_back(text: str, label: str | None) -> None:
    """What can be written in a charset is read back, but for a byte order mark."""
    data = text.encode(label or "utf-8")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x1b$" in data:
        return
    assert decode(data, label) == text.removeprefix("\ufeff")


@pytest.mark.parametrize("label", ["utf-8", "iso-2022-jp", "gb2312", "big5", "utf-7", None])
@pytest.mark.parametrize("pattern", [b"\xff", b"a\xff", b"\x80\xff\xfe", b"\x1b$B", b"\x1b$B!!\n", b"\x1b$(", b"\x82\xa0"])
def test_hostile_bytes_take_linear_time(pattern: bytes, label: str | None, assert_linear: Callable[..., None]) -> None:
    """No byte pattern makes decoding slow."""
    assert_linear(lambda data: decode(data, label), pattern)
