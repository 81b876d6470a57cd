"""Turning away at once what cannot be a notice, without taking the mail apart.

Every notice has Amazon's notification type in a header or a link, or the word Amazon and the words of a deciding clause. They are
searched for in the raw bytes, with quoted-printable undone, inside base64, and without the markup and invisible characters that may cut
a word in two. A mail that passes may still be anything. One that does not is no notice.
"""

import binascii
import re
import unicodedata
from collections.abc import Iterator

import attrs

from optoutkit.notices.wordings import Wording, Wordings
from optoutkit.text.transfer import base64_bytes

__all__ = ["Screen"]

_TYPE_FIELD = b"x-space-notification-type"
_NAMES = (b"amazon", b"auto-communication", b"=?")  # the last: an encoded word, which may say "Amazon" too (RFC 2047)
_LATIN_WORD = re.compile(r"[a-z]{6,}")  # the plain letters of a word: an accented one may be written in many ways
_OTHER_WORD = re.compile(r"[^\s\x00-\x7f，。、]{3,}")
_WINDOW = 3  # ideographs or syllables; two pieces of a clause will do for one, because a line may end inside it
_ENCODINGS = ("utf-8", "cp932", "iso2022_jp", "euc_jp", "gb18030", "big5", "cp1256", "iso8859_6")
_HIGH = bytes(byte >> 7 for byte in range(256))
_HIGH_RUN = b"\1\1\1\1"  # bytes beyond ASCII in a row; accents of Latin letters don't stand so close
_ISO_2022 = b"\x1b$"
_ESCAPES = re.compile(rb"\x1b[$(][A-Z@]+")
_BASE64 = re.compile(rb"content-transfer-encoding[ \t]*:[ \t\r\n]*base64")
_BLANK_LINE = re.compile(rb"\n\r?\n|\r\r")
_BOUNDARY = re.compile(rb"[\r\n]--")
_DEEPEST = 4  # a mail in base64 in a mail in base64 …
_MOST_WORK = 4  # times the size of the mail; header lines that are not followed by what they promise cost the same text again and again
# What may stand inside a word and is not seen: tags that end no line, comments, soft hyphens, places where a line may break.
_UNSEEN = re.compile(
    rb"</?(?:a|abbr|b|big|em|font|i|ins|mark|s|small|span|strong|u|wbr)(?:[\s/][^<>]{0,2000})?>|<!--[^<>]{0,2000}-->"
    rb"|&(?:shy|zwn?j|#(?:173|820[3-5]|x0{0,4}ad|x0{0,4}200[b-d]));|\xc2\xad|\xe2\x80[\x8b-\x8d]|\xe2\x81\xa0|\xad(?=[a-z])"
)
_UNREADABLE = re.compile(rb"utf-(?:16|7|32)")  # charsets in which no byte stands for itself
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # its marks
_MOST_REFERENCES = 20  # numeric character references; a text made of them has to be read to be known

_Needles = tuple[tuple[bytes, ...], ...]
"""Byte strings of which, in each group, one must be there."""


@attrs.frozen
class _Marks:
    """What a mail must have to hold one wording: in ASCII, or in one of the encodings of other scripts."""

    latin: _Needles
    utf8: _Needles
    legacy: _Needles


class Screen:
    """A quick, one-sided test for notices.

    Args:
        wordings: What to look for.
    """

    def __init__(self, wordings: Wordings) -> None:
        self._types = tuple(name.lower().encode() for name, kind in wordings.types.items() if kind)
        marks = [_marks(wording) for wording in wordings.wordings]
        self._other_scripts = tuple(mark for mark in marks if mark.utf8)
        self._latin: dict[_Needles, list[_Needles]] = {}
        for mark in marks:
            if not mark.utf8:  # many wordings share their rarest word: it is searched for once
                self._latin.setdefault(mark.latin[:1], []).append(mark.latin[1:])

    def passes(self, raw: bytes) -> bool:
        """Whether a mail may hold a notice."""
        views = list(_views(raw, 0))
        if any(_TYPE_FIELD in view or _UNREADABLE.search(view) or view.startswith(_UTF_16) for view in views):
            return True
        if not any(name in view for name in _NAMES for view in views):
            return False
        if any(map(self._is_marked, views)):
            return True
        return any(len(seen) < len(view) and self._is_marked(seen) for view in views for seen in [_UNSEEN.sub(b"", view)])

    def _is_marked(self, view: bytes) -> bool:
        if view.count(b"&#") > _MOST_REFERENCES or any(name in view for name in self._types):
            return True
        for first, rests in self._latin.items():
            if _holds(view, first) and any(_holds(view, rest) for rest in rests):
                return True
        if not _has_other_script(view):
            return False
        return any(_holds(view, mark.latin) and (_holds(view, mark.utf8) or _holds(view, mark.legacy)) for mark in self._other_scripts)


def _holds(view: bytes, needles: _Needles) -> bool:
    for group in needles:  # plain loops: this runs dozens of times for every mail that names Amazon
        for needle in group:
            if needle in view:
                break
        else:
            return False
    return True


def _has_other_script(view: bytes) -> bool:
    return _HIGH_RUN in view.translate(_HIGH) or _ISO_2022 in view


def _views(raw: bytes, depth: int) -> Iterator[bytes]:
    """The bytes in lower case with each transfer encoding undone."""
    lower = raw.lower()
    # What is not quoted-printable loses nothing by it but a few signs of equality and what follows them.
    is_quoted = b"quoted-printable" in lower
    yield binascii.a2b_qp(raw if b"\n" in raw else raw.replace(b"\r", b"\n")).lower() if is_quoted else lower
    if b"base64" not in lower:
        return
    searched = 0
    for field in _BASE64.finditer(lower):
        blank = _BLANK_LINE.search(raw, field.end())
        if blank is None:
            return
        end = _BOUNDARY.search(raw, blank.end())
        stop = end.start() if end else len(raw)
        searched += stop - field.start()
        if depth >= _DEEPEST or searched > _MOST_WORK * len(raw):
            yield _TYPE_FIELD  # cannot be told here: let it pass
            return
        yield from _views(base64_bytes(raw[blank.end() : stop]), depth + 1)


def _marks(wording: Wording) -> _Marks:
    latin: list[tuple[bytes, ...]] = []
    other: list[tuple[str, ...]] = []
    for alternatives in wording.pieces:
        texts = [unicodedata.normalize("NFKC", alternative).casefold() for alternative in alternatives]
        words = [_LATIN_WORD.findall(text) for text in texts]
        if len(texts) == 1:
            latin += [(word.encode(),) for word in words[0]]
        elif all(words):
            latin.append(tuple(dict.fromkeys(max(found, key=len).encode() for found in words)))
        windows = [_windows(text) for text in texts]
        if all(windows):
            other.append(tuple(dict.fromkeys(window for found in windows for window in found)))
    latin.sort(key=lambda group: (len(group), -len(group[0])))
    utf8 = tuple(tuple(window.encode() for window in group) for group in other)
    legacy = tuple(tuple(sorted({_encoded(window, encoding) for window in group for encoding in _ENCODINGS} - {b""})) for group in other)
    return _Marks(tuple(latin), utf8, legacy)


def _windows(text: str) -> tuple[str, ...]:
    """Two short pieces of the longest word in a script other than Latin."""
    word = max(_OTHER_WORD.findall(text), key=len, default="")
    third = len(word) // 3
    return tuple(dict.fromkeys((word[third:][:_WINDOW], word[2 * third :][:_WINDOW]))) if word else ()


def _encoded(text: str, encoding: str) -> bytes:
    try:
        # Without the escapes of iso-2022-jp, which stand elsewhere in a longer text; lower case, as the views are.
        return _ESCAPES.sub(b"", text.encode(encoding)).lower()
    except UnicodeEncodeError:
        return b""
