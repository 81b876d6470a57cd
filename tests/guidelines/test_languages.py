"""The rules in which words matter, in every language: what breaks them, and what comes near."""

import tomllib
from pathlib import Path

import pytest

from optoutkit.guidelines import check_guidelines, words

SENTENCES = tomllib.loads((Path(__file__).parent / "sentences.toml").read_text(encoding="utf-8"))
CASES = [(language, rule) for language, cases in SENTENCES.items() for rule in cases]
SKIPPED = ("missing_order_id",)


@pytest.mark.parametrize(("language", "rule"), CASES)
def test_what_breaks_a_rule_is_found(language: str, rule: str) -> None:
    """And nothing else is, but that a link or number of no use is one more."""
    assert rule in {violation.rule for violation in check_guidelines(SENTENCES[language][rule][0], skip=SKIPPED)}


@pytest.mark.parametrize(("language", "rule"), CASES)
def test_what_comes_near_is_let_go(language: str, rule: str) -> None:
    """A false alarm makes people switch a linter off."""
    assert [(found.rule, found.text) for found in check_guidelines(SENTENCES[language][rule][1], skip=SKIPPED)] == []


def test_every_language_has_the_same_rules() -> None:
    """Fourteen languages, and in each the same signs."""
    assert len(words.LANGUAGES) == 14
    assert set(SENTENCES) == set(words.LANGUAGES)
    assert len({tuple(cases) for cases in SENTENCES.values()}) == 1
    assert len({frozenset(words.phrases(language)) for language in words.LANGUAGES}) == 1


def test_every_phrase_can_be_found() -> None:
    """No phrase is written in a way that the search cannot find, such as a Japanese one that begins with a digit."""
    from optoutkit.text.folding import fold
    from optoutkit.text.tokens import tokenize

    for language in words.LANGUAGES:
        for label, phrases in words.phrases(language).items():
            for phrase in phrases:
                text = fold(phrase.replace("*", "")).text
                assert label in {found.label for found in words.find(list(tokenize(text)))}, (language, phrase)
