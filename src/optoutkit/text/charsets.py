"""Bytes to text, whatever the label says, so that no text is lost and nothing ever raises.

Labels on real mail are old, wrong or missing. What mail programs make of them in practice is written down in the WHATWG Encoding
Standard: ``iso-8859-1`` means windows-1252, ``shift_jis`` means windows-31J, ``gb2312`` means gb18030.
"""

import encodings.aliases
import re
from collections.abc import Iterator
from functools import cache

__all__ = ["decode"]

# Codecs of bytes to bytes, one that needs Windows, and one that the other libraries of this kind don't know either.
_NOT_A_CHARSET = frozenset({"base64_codec", "bz2_codec", "hex_codec", "mbcs", "quopri_codec", "rot_13", "uu_codec", "zlib_codec"})
_WIDER = {
    "ascii": "cp1252",
    "big5": "big5hkscs",
    "cp950": "big5hkscs",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859_11": "cp874",
    "iso8859_9": "cp1254",
    "latin_1": "cp1252",
    "shift_jis": "cp932",
    "tis_620": "cp874",
} | {codec: "iso2022_jp" for codec in set(encodings.aliases.aliases.values()) if codec.startswith("iso2022_jp")}
_MORE_LABELS = {
    "cp50220": "iso2022_jp",
    "cp50221": "iso2022_jp",
    "iso_2022_jp_ms": "iso2022_jp",
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_8_i": "iso8859_8",
    "windows_874": "cp874",
    "windows_936": "gb18030",
    "x_gbk": "gb18030",
    "x_sjis": "cp932",
}
# A closed table: a label that a stranger chose must never reach codecs.lookup, which tries to import a module of that name.
_CODECS = {
    name: _WIDER.get(codec, codec)
    for alias, codec in encodings.aliases.aliases.items()
    if codec not in _NOT_A_CHARSET
    for name in (alias, codec)
} | _MORE_LABELS
_MAX_LABEL = 40  # RFC 2978 section 2.3: no registered name is longer
_SINGLE_BYTE = re.compile(r"cp(?!9(?:32|49)$)[0-9]+|iso8859_[0-9]+|koi8_.|mac_.*|kz1048|ptcp154|hp_roman8")

# What a codec cannot read comes out of "surrogateescape" as U+DC80…U+DCFF; each such byte is then read as windows-1252, whose
# five holes stand for the control characters of the same number. Any other lone surrogate (utf-7 makes some) is no text.
_WINDOWS_1252 = {0xDC00 + byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0x100)}
_SURROGATE = re.compile("[\ud800-\udfff]")

_OFTEN_WRONG = frozenset({None, "utf_8", "cp1252"})  # what is declared by default, whatever the text
_KANA = re.compile("[\u3041-\u30fe]")
_HAN = re.compile("[\u4e00-\u9fff]")
_ARABIC = re.compile("[\u0621-\u064a]")
_FRENCH_IN_CP1256 = re.compile("[\u00e0-\u00fc]")  # Cyrillic and Greek bytes make some of these; Arabic text has none
_FEWEST_LETTERS = 8
_UTF_8_PAIR = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
_ASCII_BYTES = bytes(range(0x80))
_TELLING_LETTERS = {  # inside a word: in windows-1252 these are signs, or letters of Icelandic
    "iso8859_2": re.compile(rb"[a-z][\xb1\xb6\xbc][a-z]"),
    "cp1250": re.compile(rb"[a-z][\xb3\xb9][a-z]"),
    "cp1254": re.compile(rb"[a-z][\xf0\xfd\xfe][a-z]"),
}
_ESCAPE = b"\x1b"
_JIS_ESCAPE = re.compile(rb"\x1b(\$\([@A-Z]|\$[@AB]|\([A-Z])")
_JIS_TEXT = re.compile(rb"\x1b\$[@B]")
_JIS_X_0208 = frozenset({b"$@", b"$B", b"$(@", b"$(B", b"$(O"})  # and JIS X 0213, which contains it
_PAIR = re.compile(rb"[!-~]{2}")
_EIGHTH_BIT = bytes(byte | 0x80 if 0x21 <= byte <= 0x7E else byte for byte in range(256))  # noqa: PLR2004 - the printable ones


def decode(data: bytes, label: str | None = None) -> str:
    r"""Read bytes as text.

    The declared charset is believed if the bytes fit it. If they don't, or none is declared that is known: UTF-8 if they fit that,
    ISO-2022-JP if its escape sequences are there, another old charset if its letters are, and what still cannot be read, byte by byte as
    windows-1252.

    Args:
        data: Bytes without transfer encoding.
        label: The charset as the mail names it; None if it names none.

    Returns:
        Text without lone surrogates. A byte order mark at its beginning is dropped.

    Example:
        >>> decode(b"100 \x80", "iso-8859-1")
        '100 €'
    """
    codec = _codec(label)
    if codec in _OFTEN_WRONG and data.isascii() and _ESCAPE not in data:
        return data.decode("ascii")  # as most headers are, and many texts
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") and codec in (None, "utf_16"):
        codec = "utf_16"
    if codec == "iso2022_jp" or (codec in _OFTEN_WRONG and _JIS_TEXT.search(data)):
        return _iso_2022_jp(data)
    return _mended(next(text for text in _readings(data, codec) if text is not None))


def _readings(data: bytes, codec: str | None) -> Iterator[str | None]:
    """Readings of the bytes, the most believable first; None where they don't fit."""
    # Every byte fits a single-byte charset, and Shift JIS nearly so: that proves nothing. What is valid UTF-8 is so on purpose.
    if codec not in (None, "cp932") and not _SINGLE_BYTE.fullmatch(codec):
        yield _strictly(data, codec)
    yield _strictly(data, "utf_8")
    if codec in _OFTEN_WRONG:
        yield _japanese(data)
        yield _by_its_letters(data)
    yield _leniently(data, codec or "utf_8")


def _codec(label: str | None) -> str | None:
    if not label or len(label) > _MAX_LABEL:
        return None
    return _CODECS.get(re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_"))


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeError:
        return None


def _japanese(data: bytes) -> str | None:
    """Unlabelled Japanese, known by its kana; the bytes of Western text don't make any."""
    for codec in ("cp932", "euc_jp"):
        text = _strictly(data, codec)
        if text is not None and len(_KANA.findall(text)) * 5 > len(text):
            return text
    return None


def _by_its_letters(data: bytes) -> str | None:
    """Unlabelled text in another old charset, known by what the bytes of Western text don't make."""
    for chinese in ("gb2312", "big5"):
        text = _strictly(data, chinese)
        if text is not None and _is_mostly(_HAN, text):
            return text
    if len(_UTF_8_PAIR.findall(data)) * 4 > len(data.translate(None, _ASCII_BYTES)):
        return None  # UTF-8 with a broken character somewhere
    arabic = data.decode("cp1256", "replace")
    if _is_mostly(_ARABIC, arabic) and not _FRENCH_IN_CP1256.search(arabic):
        return arabic
    codec = next((codec for codec, letters in _TELLING_LETTERS.items() if letters.search(data)), None)
    return _leniently(data, codec) if codec else None


def _is_mostly(letters: re.Pattern[str], text: str) -> bool:
    """Whether a text has so many of these letters that it is in their script; a few can come of any word with an accent."""
    count = len(letters.findall(text))
    return count >= _FEWEST_LETTERS and count * 5 > len(text) * 2


def _leniently(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec, "surrogateescape")
    except UnicodeError:  # what cannot be read are bytes of ASCII, which that handler does not take
        return data.decode(codec, "replace") if codec.startswith(("utf_16", "utf_32")) else data.decode("utf_8", "surrogateescape")


def _mended(text: str) -> str:
    text = text.removeprefix("\ufeff")
    if _SURROGATE.search(text):
        text = _SURROGATE.sub("\ufffd", text.translate(_WINDOWS_1252))
    return text


def _iso_2022_jp(data: bytes) -> str:
    """ISO-2022-JP (RFC 1468) with what Windows adds to it: the rows of NEC and IBM, half-width katakana."""
    out, charset, position = [], b"(B", 0
    for escape in _JIS_ESCAPE.finditer(data):
        out.append(_jis_text(data[position : escape.start()], charset))
        charset, position = escape[1], escape.end()
    out.append(_jis_text(data[position:], charset))
    return "".join(out)


def _jis_text(data: bytes, charset: bytes) -> str:
    if not data:
        return ""
    if charset in _JIS_X_0208:
        rows = _windows_31j()
        return _PAIR.sub(lambda pair: rows[pair[0]], data).decode("cp932", "replace")
    if charset == b"$(D":  # JIS X 0212
        return _PAIR.sub(lambda pair: b"\x8f" + pair[0], data).translate(_EIGHTH_BIT).decode("euc_jp", "replace")
    if charset == b"$A":
        return data.translate(_EIGHTH_BIT).decode("gb2312", "replace")
    if charset == b"(I":  # half-width katakana
        return data.translate(_EIGHTH_BIT).decode("cp932", "replace")
    return _mended(data.decode("utf_8", "surrogateescape"))


@cache
def _windows_31j() -> dict[bytes, bytes]:
    """Where windows-31J has the 94 rows of 94 that JIS X 0208 writes in two 7-bit bytes, Microsoft's rows among them."""
    rows = {}
    for row in range(94):
        for cell in range(94):
            lead = 0x81 + row // 2
            trail = 0x40 + cell + 94 * (row % 2)
            pair = bytes([lead if lead < 0xA0 else lead + 0x40, trail if trail < 0x7F else trail + 1])  # noqa: PLR2004 - A0…DF and 7F are taken
            rows[bytes([0x21 + row, 0x21 + cell])] = pair
    return rows
