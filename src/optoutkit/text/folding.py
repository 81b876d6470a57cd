"""Text reduced to what it says, so that no trick of letters changes what is found in it.

Compatibility forms (full-width, mathematical, ligatures), letter case, invisible characters, stray accents, letters of other
scripts that look Latin, typographic punctuation and letters set apart are folded away; every folded character remembers where it
came from. Accents that belong to a letter stay: é, ü and ñ tell words apart.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import attrs

__all__ = ["Folded", "fold"]

# What a reader takes for a Latin letter, in capitals or not: a selection of the confusables of Unicode Technical Standard 39.
_TWINS = {
    "a": "АаΑαɑᴀ",
    "b": "ВЬΒʙ",
    "c": "СсϹϲᴄ",
    "d": "Ԁԁժᴅ",
    "e": "ЕеЄєҽΕᴇ",
    "f": "ϝꜰ",
    "g": "Ԍԍɡɢ",
    "h": "НһҺΗհʜ",
    "i": "ІіΙιӀɪɩ",
    "j": "Јјϳյᴊ",
    "k": "КкκΚᴋ",
    "l": "ӏʟ",
    "m": "МмΜᴍ",
    "n": "ΝηոռɴПп",
    "o": "ОоΟοσՕօᴏ",
    "p": "РрΡρᴘ",
    "q": "Ԛԛꞯ",
    "r": "гᴦʀ",
    "s": "ЅѕՏꜱ",
    "t": "ТтΤτᴛ",
    "u": "υՍսᴜ",
    "v": "νѴѵᴠ",
    "w": "ԜԝωᴡШш",
    "x": "ХхΧχ",
    "y": "УуҮүΥγʏ",
    "z": "Ζᴢʐ",
}
_LATIN_TWIN = {ord(twin): latin for latin, twins in _TWINS.items() for twin in twins}
_PUNCTUATION = {
    "'": "‘’‚‛′´`ʼ‹›",
    '"': "“”„‟″«»",
    "-": "‐‑‒–—―−",
    " ": "\u00a0\u1680\u2028\u2029\u202f\u205f\u3000™℠" + "".join(map(chr, range(0x2000, 0x200B))),
}
_PLAIN_FORM = {character: plain for plain, characters in _PUNCTUATION.items() for character in characters}
# Letters and signs that print as nothing, Arabic points and the stroke that lengthens a word, variation selectors.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u3164\uffa0\u2800\u0640\u0670").union(
    map(chr, [*range(0x064B, 0x0653), *range(0x0656, 0x0660), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
)
_FEW = 20  # different characters beyond ASCII; texts in Latin letters have no more
_FIRST_SCRIPT_WITH_MARKS = "\u0590"
_LONGEST_EXPANSION = 4  # one sign may stand for a phrase of 18 letters; nobody searches for those

_ASCII = re.compile(r"[\t\n\r -\x7e]*")
_BEYOND_ASCII = re.compile(r"[^\t\n\r -\x7e]")
_RUN = re.compile(r"([\t\n\r -\x7e]+)|[^\t\n\r -\x7e]+")
_LETTERS = re.compile(r"(?:[^\W\d_]|[\u00ad\u0300-\u036f\u200b-\u200f\u2060-\u2064\ufeff])++")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff\uff21-\uff5a\U0001d400-\U0001d6a5]")
_FOREIGN = re.compile(r"[\u0370-\u03ff\u0400-\u052f\u0531-\u0588]")
_WITHOUT_TWIN = re.compile(rf"(?![{''.join(map(chr, _LATIN_TWIN))}]){_FOREIGN.pattern}")
_PHONETIC = {code: latin for code, latin in _LATIN_TWIN.items() if not _FOREIGN.match(chr(code))}
_PHONETIC_LETTER = re.compile(f"[{''.join(map(chr, _PHONETIC))}]")
_LETTER = "a-zß-öø-ɏ"
_SPACED = re.compile(rf"(?<![^\W\d_])[{_LETTER}]([ .\-_*·•|/+~])[{_LETTER}]\1[{_LETTER}](?:\1[{_LETTER}]){{1,99}}(?![^\W\d_])")


_MAY_BE_SPACED = re.compile(
    rf"([ .\-_*·•|/+~])[{_LETTER}]\1[{_LETTER}]\1[{_LETTER}]"
)  # the same from its first gap on: far fewer places to try


@attrs.frozen(eq=False)
class Folded:
    """Folded text, and where its characters come from.

    Attributes:
        text: The folded text.
        offsets: For each of its characters the offset of the one it comes from; one more entry, the length of the original.
    """

    text: str
    offsets: Sequence[int] = attrs.field(repr=False)

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Map a span of the folded text to the span of the original that it comes from.

        Args:
            start: First code point.
            end: One after the last; not before ``start``.

        Returns:
            Code points of the original text. What was dropped inside the span belongs to it.
        """
        if end <= start:
            return self.offsets[start], self.offsets[start]
        return self.offsets[start], max(self.offsets[end], self.offsets[end - 1] + 1)


def fold(text: str) -> Folded:
    """Fold a text for matching. Linear in the length of the text.

    Example:
        >>> fold("Plеase “r e v i e w” u\u200bs").text    # the first е is Cyrillic
        'please "review" us'
    """
    if _ASCII.fullmatch(text):
        return _closed_up(text.lower(), range(len(text) + 1))
    in_place = _folded_in_place(text)
    if in_place is not None:
        return _closed_up(in_place, range(len(text) + 1))
    pieces: list[str] = []  # single characters, and whole runs of ASCII
    offsets: list[int] = []
    for run in _RUN.finditer(_unmasked(text)):
        if run[1]:
            pieces.append(run[1].lower())
            offsets.extend(range(*run.span()))
            continue
        for offset, character in enumerate(run[0], run.start()):
            for folded in _folded(character):
                if not _is_mark(folded):
                    pieces.append(folded)
                    offsets.append(offset)
                elif pieces:
                    _add_mark(pieces, offsets, folded, offset)
    offsets.append(len(text))
    return _closed_up("".join(pieces), offsets)


def _folded_in_place(text: str) -> str | None:
    """The folded text where each character has one to take its place, as in most European mail; None where it takes more."""
    others = set(_BEYOND_ASCII.findall(text))
    if len(others) > _FEW or _FOREIGN.search("".join(others)):
        return None
    for character in others:
        stand_in = _stand_in(character)
        if not stand_in:
            return None
        text = text.replace(character, stand_in)
    return text.lower()  # the stand-ins are lower case


def _unmasked(text: str) -> str:
    """Put Latin letters for those dressed up as such, one for one, so that offsets stay."""
    if _PHONETIC_LETTER.search(text):
        text = text.translate(_PHONETIC)
    if not _FOREIGN.search(text):
        return text
    # A word made of nothing but twins is Greek or Cyrillic only where other words are.
    everywhere = not _WITHOUT_TWIN.search(text)
    return _LETTERS.sub(lambda word: word[0].translate(_LATIN_TWIN) if everywhere or _LATIN.search(word[0]) else word[0], text)


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    if character in _PLAIN_FORM:
        return _PLAIN_FORM[character]
    if character in _INVISIBLE or unicodedata.category(character) in ("Cf", "Cs"):
        return ""
    if unicodedata.category(character) == "Cc":
        return " " if character.isspace() else ""
    form = unicodedata.normalize("NFKC", character)
    if len(form) > _LONGEST_EXPANSION:
        return character
    form = unicodedata.normalize("NFKC", form.casefold().replace("ı", "i"))  # Turkish capitals fold to i as well
    form = form.translate(_PHONETIC)  # the capital of a twin, as Ʀ, is no twin itself
    return "".join(_PLAIN_FORM.get(part, part) for part in form if part not in _INVISIBLE)


@lru_cache(maxsize=4096)
def _stand_in(character: str) -> str:
    """The one character that takes its place wherever it stands; empty if it vanishes, joins the one before it, or becomes several."""
    folded = _folded(character)
    return folded if len(folded) == 1 and not _is_mark(folded) and folded == folded.lower() else ""


@lru_cache(maxsize=4096)
def _is_mark(character: str) -> bool:
    """Whether it belongs to the letter before it: an accent, a vowel sign, the rest of a Korean syllable."""
    return character > "\u02ff" and (unicodedata.category(character)[0] == "M" or "\u1160" < character < "\u1200")


def _add_mark(pieces: list[str], offsets: list[int], mark: str, offset: int) -> None:
    """Compose a mark with the letter before it, or drop it where the script has no use for it."""
    letter = pieces[-1][-1]
    composed = unicodedata.normalize("NFC", letter + mark)
    if len(composed) == 1:
        if len(pieces[-1]) > 1:
            pieces[-1:] = pieces[-1][:-1], composed
        else:
            pieces[-1] = composed
    elif letter >= _FIRST_SCRIPT_WITH_MARKS:
        pieces.append(mark)
        offsets.append(offset)


def _closed_up(text: str, offsets: Sequence[int]) -> Folded:
    """Put letters together that were set apart: ``r e v i e w``, ``r.e.v.i.e.w``."""
    if not _MAY_BE_SPACED.search(text):
        return Folded(text, offsets)
    texts: list[str] = []
    kept: list[int] = []
    position = 0
    for spaced in _SPACED.finditer(text):
        start, end = spaced.span()
        texts += text[position:start], text[start:end:2]
        kept += offsets[position:start]
        kept += offsets[start:end:2]
        position = end
    if not position:
        return Folded(text, offsets)
    return Folded("".join(texts) + text[position:], kept + list(offsets[position:]))
