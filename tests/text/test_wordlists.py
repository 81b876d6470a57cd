"""Word lists: each file is there, complete, and written as its readers expect."""

import pytest

from optoutkit.text.wordlists import HEADER_FIELDS, LANGUAGES, WordList, word_list


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_list_is_complete(language: str) -> None:
    """Nothing is empty, everything lower case and without blanks around it, but for the parts of attribution lines."""
    words = word_list(language)
    assert words.language == language
    for name in ("function_words", "greetings", "closings", "reply_prefixes", "subject_marks", "forward_banners"):
        listed = getattr(words, name)
        assert listed, name
        assert all(word == word.strip().lower() != "" for word in listed), name
    assert all(word == word.strip().lower() != "" for word in words.abbreviations)
    assert all(start.lower() == start and end.lower() == end and (start or end).strip() for start, end in words.wrote_lines)
    assert set(words.header_words) == set(HEADER_FIELDS)
    assert all(word == word.strip().lower() for listed in words.header_words.values() for word in listed)
    assert all(words.header_words[field] for field in ("from", "to", "subject", "date"))


def test_a_word_list_is_loaded_once() -> None:
    """It is the same object for all who ask."""
    first: WordList = word_list("en")
    assert word_list("en") is first


@pytest.mark.parametrize("language", ["xx", " ", "../en", "EN"])
def test_a_language_without_list_is_told(language: str) -> None:
    """Only the languages that exist are looked for among the files."""
    with pytest.raises(KeyError, match=language):
        word_list(language)
