"""Word lists for reading mail, one file a language: data that a native speaker can check, loaded when first needed."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

import attrs

__all__ = ["HEADER_FIELDS", "LANGUAGES", "WordList", "word_list"]

_FOLDER = resources.files("optoutkit.text") / "languages"

LANGUAGES: tuple[str, ...] = tuple(sorted(file.name.removesuffix(".toml") for file in _FOLDER.iterdir() if file.name.endswith(".toml")))
"""ISO 639-1 codes of the languages that have a word list."""

HEADER_FIELDS = ("from", "to", "cc", "subject", "date", "reply_to")
"""The fields of a forwarded mail's header lines, as :attr:`WordList.header_words` names them."""


@attrs.frozen(kw_only=True)
class WordList:
    """The words of one language that tell the parts of a mail from one another; lower case, as they stand in text.

    Attributes:
        language: ISO 639-1 code.
        function_words: Frequent short words, or particles and characters, that tell it from its neighbours.
        common_words: Other words that are frequent in mails about orders and in no other language of the lists.
        greetings: First words of a greeting line.
        closings: Closings with which a signature begins.
        reply_prefixes: Prefixes of a subject, without colon.
        subject_marks: What stands inside a ``[…]`` mark of a subject.
        abbreviations: With their dot; they end no sentence.
        wrote_lines: Start and end of the line above a quotation; either may be empty.
        forward_banners: Lines above a forwarded mail, without dashes.
        header_words: Field of :data:`HEADER_FIELDS` to its names in the header lines of a forwarded mail.
    """

    language: str
    function_words: frozenset[str]
    common_words: frozenset[str]
    greetings: tuple[str, ...]
    closings: tuple[str, ...]
    reply_prefixes: tuple[str, ...]
    subject_marks: tuple[str, ...]
    abbreviations: frozenset[str]
    wrote_lines: tuple[tuple[str, str], ...]
    forward_banners: tuple[str, ...]
    header_words: Mapping[str, tuple[str, ...]]


@cache
def word_list(language: str) -> WordList:
    """Load the word list of one of :data:`LANGUAGES`.

    Raises:
        KeyError: The language has none.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    data = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return WordList(
        language=data["language"],
        function_words=frozenset(data["function_words"]),
        common_words=frozenset(data.get("common_words", ())),
        greetings=tuple(data["greetings"]),
        closings=tuple(data["closings"]),
        reply_prefixes=tuple(data["reply_prefixes"]),
        subject_marks=tuple(data["subject_marks"]),
        abbreviations=frozenset(data["abbreviations"]),
        wrote_lines=tuple((start, end) for start, end in data["wrote_lines"]),
        forward_banners=tuple(data["forward_banners"]),
        header_words={field: tuple(data["header_words"].get(field, ())) for field in HEADER_FIELDS},
    )
