"""Sentences in many scripts, in lists, tables and wrapped lines."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.text.folding import fold
from optoutkit.text.sentences import sentences


def split(text: str) -> list[str]:
    """The sentences themselves."""
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Really?! Yes... Good… Fine", ["Really?!", "Yes...", "Good…", "Fine"]),
        ('He said "Yes." Then (maybe!) left.', ['He said "Yes."', "Then (maybe!)", "left."]),
        ("お世話になります。サイズは？教えてください！次", ["お世話になります。", "サイズは？", "教えてください！", "次"]),
        ("「赤です。」と書く。", ["「赤です。」", "と書く。"]),
        ("ما المقاس؟ شكرا.", ["ما المقاس؟", "شكرا."]),
        ("नाम बताएं। धन्यवाद।", ["नाम बताएं।", "धन्यवाद।"]),
        ("请告诉我们尺寸。谢谢！再见", ["请告诉我们尺寸。", "谢谢！", "再见"]),
        ("We shipped it.Please wait", ["We shipped it.", "Please wait"]),
        ("What colour?Which size", ["What colour?", "Which size"]),
        ("See www.example.com/a?b=1 or a@b.example now", ["See www.example.com/a?b=1 or a@b.example now"]),
        ("Mr. Miller of Smith Inc. ordered no. 5, e.g. red.", ["Mr. Miller of Smith Inc. ordered no. 5, e.g. red."]),
        ("Lieferung z.B. am 3. Mai, Nr. 7, bzw. später. Gut?", ["Lieferung z.B. am 3. Mai, Nr. 7, bzw. später.", "Gut?"]),
        ("It costs 3.50 now. It is from 2026. So", ["It costs 3.50 now.", "It is from 2026.", "So"]),
        ("Ask J. Smith", ["Ask J. Smith"]),
        ("T. Mende\nz. B. morgen", ["T. Mende", "z. B. morgen"]),
        ("Is it red? No. Is it no. 5?", ["Is it red?", "No.", "Is it no. 5?"]),
        ("Size 5.\nColour", ["Size 5.", "Colour"]),
        ("one\ntwo\r\nthree\rfour\tfive", ["one", "two", "three", "four", "five"]),
        (
            "- one\n* two\n• three\n1) four\n2. five\n(3) six\na) seven\n– eight",
            ["one", "two", "three", "four", "five", "six", "seven", "eight"],
        ),
        ("• one • two", ["one", "two"]),
        ("> quoted\n>> deeper", ["quoted", "deeper"]),
        ("  \n\n ... \n---\n!\n", []),
        ("", []),
    ],
)
def test_text_is_split_where_sentences_end(text: str, expected: list[str]) -> None:
    """Ends of sentences, lines, items and cells; not abbreviations, numbers, initials, addresses."""
    assert split(text) == expected


def test_lines_that_a_mail_program_wrapped_are_read_as_one() -> None:
    """A long line that goes on with a letter was broken at the margin; one that ends a sentence, or is short, was not."""
    wrapped = "We have received your order and would like to know which of the two\ncolours you prefer for the frame.\nThank you"
    assert split(wrapped) == [wrapped[:-10], "Thank you"]
    unwrapped = "We have received your order and would like to thank you for it today.\nWhich colour do you prefer"
    assert split(unwrapped) == unwrapped.split("\n")
    listed = "We have received your order and need the following three things of you:\ncolour"
    assert split(listed) == listed.split("\n")
    paragraph = "We have received your order and would like to know which of the two\n\ncolours"
    assert split(paragraph) == paragraph.split("\n\n")
    endless = "word " * 40 + "\nword"
    assert len(split(endless)) == 2
    assert len(split("word " * 13 + "\n")) == 1


def test_a_stretch_of_the_text_is_split_alone() -> None:
    """Offsets are those of the whole text."""
    text = "Red one. Blue one. Green one."
    assert sentences(text, 9, 18) == [(9, 18)]
    assert sentences(text, 4, 24) == [(4, 8), (9, 18), (19, 24)]


@given(st.text(), st.data())
def test_sentences_lie_in_their_stretch_in_order(text: str, data: st.DataObject) -> None:
    """They do not overlap, hold something, and no letter or digit is in none of them but a list marker."""
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    position = start
    outside = ""
    for begin, stop in sentences(text, start, end):
        assert position <= begin < stop <= end
        assert any(character.isalnum() or character == "_" for character in text[begin:stop])
        outside += text[position:begin] + "\n"
        position = stop
    outside += text[position:end]
    assert all(len(word) <= 2 or not word.isalpha() for word in outside.split())


@given(st.lists(st.sampled_from(["One two.", "Which colour?", "Ja, gut!", "教えてください。", "ما المقاس؟"])))
def test_folding_does_not_change_the_number_of_sentences(pieces: list[str]) -> None:
    """The classifier reads folded text."""
    text = " ".join(pieces)
    assert len(split(text)) == len(split(fold(text).text)) == len(pieces)


PATTERNS = [
    ". ",
    "! ",
    "a. ",
    "1. ",
    "。",
    "...",
    "? ! ",
    "e.g. ",
    "- ",
    "• ",
    "a!a",
    "(",
    '"',
    "no. 5 ",
    "\n",
    "\t",
    " ",
    "a\n",
    "x" * 70 + "\na",
    "a.A",
    ")]",
    "--",
    "a",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_hostile_text_takes_linear_time(pattern: str, assert_linear: Callable[..., None]) -> None:
    """No pattern makes splitting slow."""
    assert_linear(sentences, pattern)


@pytest.mark.parametrize("unit", [".", "?!", "。", "!'", "…", "a.", ".'"])
def test_what_almost_ends_a_sentence_many_times_takes_no_longer(unit: str, assert_linear: Callable[..., None]) -> None:
    """Each sign is looked at once, though a letter after the last one spoils it."""
    assert_linear(lambda text: sentences(text + "x"), unit)
