"""Folding: tricks go, differences that matter stay, and every character knows where it came from."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.text.folding import fold


@pytest.mark.parametrize(
    "trick",
    [
        "review",
        "REVIEW",
        "Ｒｅｖｉｅｗ",
        "𝓻𝓮𝓿𝓲𝓮𝔀",
        "ⓡⓔⓥⓘⓔⓦ",
        "ʀᴇᴠɪᴇᴡ",
        "ƦᴇᴠƖᴇᴡ",
        "rеviеw",
        "rеνіеԝ",
        "re\u200bvi\u200dew",
        "r\ufeffe\u2060v\u00adiew",
        "r\u0338e\u0336v\u0335iew",
        "re\u034fview",
        "rev\x00iew",
        "r e v i e w",
        "r.e.v.i.e.w",
        "r-e-v-i-e-w",
        "r\u00a0e\u00a0v\u00a0i\u00a0e\u00a0w",
        "R_E_V_I_E_W",
        "ｒ е ｖ і е ｗ",
        "r\u200b e\u200b v\u200b i\u200b e\u200b w",
    ],
)
def test_a_word_in_disguise_is_the_word(trick: str) -> None:
    """Case, width, look-alikes, invisible characters, stray marks and spacing don't hide it."""
    assert fold(trick).text == "review"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("“Don’t” – ‘now’ …", "\"don't\" - 'now' ..."),
        ("12\u00a0€ №5 ½ ²", "12 € no5 1⁄2 2"),
        ("Straße GRÖSSE Größe", "strasse grösse grösse"),
        ("e\u0301, É, ñ, ç", "é, é, ñ, ç"),
        ("KAPI kapı İyi", "kapi kapi iyi"),
        ("ﬁn", "fin"),
        ("ﾚﾋﾞｭｰ を ヷ か\u3099", "レビュー を ヷ が"),
        ("評価①", "評価1"),
        ("مُرَاجَعـة", "مراجعة"),
        ("समीक्षा दें।", "समीक्षा दें।"),
        ("후기", "후기"),
        ("Привет, как дела? Отзыв", "привет, как дела? отзыв"),
        ("Καλημέρα κόσμε", "καλημέρα κόσμε"),
        ("👍🏽 1\ufe0f\u20e3", "👍🏽 1"),
        ("review™ now", "review  now"),
        ("a\u2028b\x0bc\td\re\n", "a b c\td\re\n"),
        ("\u0301start", "start"),
        ("ﷺ", "ﷺ"),
        ("", ""),
    ],
)
def test_what_tells_words_apart_stays(text: str, folded: str) -> None:
    """Accents, other scripts and digits are kept; punctuation is made plain."""
    assert fold(text).text == folded


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("leave   a   r e v i e w   now", "leave   a   review   now"),
        ("f e e d b a c k!", "feedback!"),
        ("U.S.A. and a b c", "u.s.a. and a b c"),
        ("S M L XL", "s m l xl"),
        ("r.e v.i e.w", "r.e v.i e.w"),
        ("ä ö ü ß", "ä ö ü ss"),
        ("お 客 様 の", "お 客 様 の"),
        ("1 2 3 4 5", "1 2 3 4 5"),
    ],
)
def test_letters_set_apart_are_closed_up(text: str, folded: str) -> None:
    """Four or more single Latin letters with the same sign between them are a word; fewer are initials or sizes."""
    assert fold(text).text == folded


def test_a_word_of_twins_alone_is_latin_only_among_latin_text() -> None:
    """``сосо`` is Russian where other Russian stands, and a trick where none does."""
    assert fold("Buy сосо").text == "buy coco"
    assert fold("Купи сосо").text == "купи сосо"
    assert fold("Купи rеviеw").text == "купи review"


@pytest.mark.parametrize(
    ("text", "word", "original"),
    [
        ("please review", "review", "review"),
        ("PLEASE R E V I E W us", "review", "R E V I E W"),
        ("re\u200bvi\u200bew us", "review", "re\u200bvi\u200bew"),
        ("un caf\u0065\u0301 noir", "café", "cafe\u0301"),
        ("die Straße!", "strasse", "Straße"),
        ("ein ﬁlm", "f", "ﬁ"),
        ("ﾚﾋﾞｭｰ", "ビ", "ﾋﾞ"),
    ],
)
def test_a_span_is_mapped_back(text: str, word: str, original: str) -> None:
    """What is found in the folded text is shown in the original."""
    folded = fold(text)
    start = folded.text.index(word)
    begin, end = folded.original(start, start + len(word))
    assert text[begin:end] == original


def test_an_empty_span_is_mapped_to_an_empty_one() -> None:
    """Its place is that of the character that follows."""
    folded = fold("ß!")
    assert folded.original(2, 2) == (1, 1)
    assert folded.original(3, 3) == (2, 2)
    assert repr(folded) == "Folded(text='ss!')"


@given(st.text())
def test_offsets_lead_back_into_the_text(text: str) -> None:
    """One for each folded character and one for the end, never going back; every span lies within."""
    folded = fold(text)
    offsets = list(folded.offsets)
    assert len(offsets) == len(folded.text) + 1
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(text)
    for start in range(len(folded.text)):
        begin, end = folded.original(start, start + 1)
        assert 0 <= begin < end <= len(text)


@given(st.text(st.sampled_from("Aaäö Éß“”–’…½\u00a0\u00ad\u0301ᴀІеЖ漢·.\nÅİıꭰ")))
def test_a_text_folds_alike_whatever_stands_below_it(text: str) -> None:
    """Whether its characters are replaced where they stand, or one by one because something below it becomes several."""
    alone, together = fold(text), fold(f"{text}\n½")
    assert together.text == f"{alone.text}\n1\N{FRACTION SLASH}2"
    assert [*together.offsets][: len(alone.offsets)] == [*alone.offsets]


@given(st.text(st.characters(max_codepoint=0x2FF) | st.characters(min_codepoint=0x3000, max_codepoint=0x9FFF)))
def test_folded_text_is_stable(text: str) -> None:
    """Folding twice changes nothing more."""
    folded = fold(text).text
    assert fold(folded).text == folded


# Greek and Cyrillic letters with an accent are no twins of Latin ones, unless the accent stands by itself.
ACCENTED = {
    letter for letter in map(chr, (*range(0x0370, 0x0530), *range(0x1F00, 0x2000))) if len(unicodedata.normalize("NFD", letter)) > 1
}
TEXTS = st.text().filter(lambda text: ACCENTED.isdisjoint(unicodedata.normalize("NFC", text)))


@given(TEXTS, TEXTS)
def test_case_and_composition_do_not_matter(before: str, after: str) -> None:
    """However letters are composed, the same comes out."""
    text = before + "Müller é" + after
    assert fold(unicodedata.normalize("NFC", text)).text == fold(unicodedata.normalize("NFD", text)).text


PATTERNS = [
    "a",
    "é",
    "\u200b",
    "e\u0301",
    "\u0301",
    "a\u0301\u0301",
    "क\u0301",
    "あ",
    "ﾋﾞ",
    "а",
    "аb ",
    "Я",
    "a ",
    "a.",
    "a-",
    "a b.",
    "ﷺ",
    "㌖",
    "\x00",
    "\ud83d",
    "İ",
    "𝓻",
    "™",
    "\ufdfa",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_hostile_text_takes_linear_time(pattern: str, assert_linear: Callable[..., None]) -> None:
    """No pattern makes folding slow."""
    assert_linear(fold, pattern)


@pytest.mark.parametrize("pattern", ["a ", "аb"])
def test_hostile_text_takes_little_memory(pattern: str, assert_frugal: Callable[..., None]) -> None:
    """Neither endless spacing nor endless words."""
    assert_frugal(fold, pattern * 75_000)
