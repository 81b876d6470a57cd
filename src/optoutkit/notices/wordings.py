"""The wordings by which notices are known: data, one file a language, that a person can read and extend.

A file in ``wordings/``, or one that a user hands to :class:`optoutkit.NoticeParser`, looks like this::

    language = "en"
    subjects = ["Your message to a buyer could not be delivered"]    # these three are optional and never decide;
    greetings = ["Dear Seller"]                                      # they tell what may stand before the first sentence
    sign_offs = ["Amazon Seller Support"]                            # and what Amazon calls itself

    [[wordings]]
    kind = "opt_out"                                                 # a NoticeKind
    clause = "because {the|this} buyer has chosen to opt out"        # {a|b} stands for either; case, blanks and signs don't count
    confidence = "H"                                                 # optional: H seen on a real notice, M told by one party, L a guess
    verified = true                                                  # optional: whether anybody has seen it on a real notice
    source = "a notice of 2026-11-01"                                # optional
    example = "We were unable … order [{order}] because …"           # optional: a whole first sentence

    [types]                                                          # optional: values of X-Space-Notification-Type;
    SOME_OTHER_TYPE = "opt_out"                                      # "" for mail that is no notice

The clause is the part that gives the reason. What leads up to it is the same in every notice (amazon.md section 0, item 4).
"""

import itertools
import math
import os
import re
import tomllib
import unicodedata
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import attrs

from optoutkit.errors import InvalidInput
from optoutkit.notices.values import NoticeKind
from optoutkit.text.folding import fold
from optoutkit.text.spans import Span

__all__ = ["Found", "Phrases", "Wording", "Wordings", "bare_letters", "letters_of", "load_wordings"]

_LETTERS = re.compile(r"[^\W_]+")
_CHOICE = re.compile(r"\{([^{}]*)\}")
_SHORTEST_CLAUSE = 12  # letters; "opted out" is no reason
_SHORTEST_IDEOGRAPHIC_CLAUSE = 6
_CONFIDENCE = {"H": 0.97, "M": 0.9, "L": 0.75}
_MOST_TEXTS = 10_000  # that one clause may stand for; what is searched for at one place stays bounded
_KEYS = frozenset({"language", "subjects", "greetings", "sign_offs", "wordings", "types"})
_KEYS_OF_A_WORDING = {"kind": str, "clause": str, "confidence": str, "verified": bool, "source": str, "example": str}
_UNVERIFIED = 0.7  # factor: what nobody has seen on a notice may be somebody else's sentence


@attrs.frozen(kw_only=True, eq=False)
class Wording:
    """One way in which a notice gives its reason.

    Attributes:
        kind: What it makes of a mail.
        language: ISO 639-1 code.
        clause: The deciding clause as the file has it.
        example: A whole first sentence with ``{order}``, perhaps ``{buyer}`` and ``{date}``; empty if the file gives none.
        confidence: How sure it makes, 0 to 1.
        verified: Whether it was seen on a real notice.
        source: Where it is known from.
        pieces: The clause cut where texts may take each other's place: for each piece those texts, mostly one.
        anchor: Letters without which a text does not hold the clause.
    """

    kind: NoticeKind
    language: str
    clause: str
    example: str
    confidence: float
    verified: bool
    source: str
    pieces: tuple[tuple[str, ...], ...] = attrs.field(repr=False)
    anchor: str = attrs.field(repr=False)
    _pattern: re.Pattern[str] = attrs.field(repr=False, alias="pattern")

    def find(self, letters: str) -> Iterator[Span]:
        """Find the clause in the bare letters of a text. Linear: the pattern is made of literals only."""
        for match in self._pattern.finditer(letters):
            yield Span(*match.span())


@attrs.frozen
class Found:
    """A clause found in a folded text, and where."""

    wording: Wording
    start: int
    end: int


@attrs.frozen(kw_only=True)
class Phrases:
    """What else stands in the notices of a language; none of it decides.

    Attributes:
        subjects: Their subjects.
        greetings: How they begin.
        sign_offs: How they end, with what Amazon calls itself.
    """

    subjects: tuple[str, ...] = ()
    greetings: tuple[str, ...] = ()
    sign_offs: tuple[str, ...] = ()


class Wordings:
    """All that is known of how notices look, in every language.

    Args:
        files: Names and contents of wording files.

    Attributes:
        wordings: In the order of the files.
        types: Notification type, in capitals, to kind; None for mail that is no notice.
        phrases: By language.
        subjects: Those of all languages, bare letters.
        greetings: Likewise.
        sign_offs: Likewise.

    Raises:
        InvalidInput: A file is not as described above; the text says which and why.
    """

    def __init__(self, files: Iterable[tuple[str, str]]) -> None:
        wordings: list[Wording] = []
        self.types: dict[str, NoticeKind | None] = {}
        self.phrases: dict[str, Phrases] = {}
        for name, content in files:
            try:
                data = tomllib.loads(content)
                _refuse_unknown(data, _KEYS)
                language = _language(data)
                wordings += _wordings(data, language)
                self.types |= _types(data.get("types", {}))
                self.phrases[language] = _phrases(data, self.phrases.get(language, Phrases()))
            except ValueError as error:  # TOMLDecodeError is one
                raise InvalidInput(f"not a file of notice wordings: {name}: {error}") from None
        self.wordings: tuple[Wording, ...] = tuple(wordings)
        self._plain = tuple(wording for wording in self.wordings if wording.anchor.isascii())
        self.subjects: frozenset[str] = frozenset(letters_of(text) for phrases in self.phrases.values() for text in phrases.subjects)
        self.greetings: tuple[str, ...] = tuple(letters_of(text) for phrases in self.phrases.values() for text in phrases.greetings)
        self.sign_offs: frozenset[str] = frozenset(letters_of(text) for phrases in self.phrases.values() for text in phrases.sign_offs)

    def find(self, folded: str) -> list[Found]:
        """Find every clause in a folded text, in the order of the text; where two overlap, the surer one.

        That lets a wording that somebody has seen, a user's own perhaps, take the place of a guess that fits the same words.
        """
        matches = list(_LETTERS.finditer(folded))
        words = [match[0] for match in matches]
        letters = "".join(words)
        wordings = self._plain if letters.isascii() else self.wordings
        found = [(span, wording) for wording in wordings if wording.anchor in letters for span in wording.find(letters)]
        if not found:
            return []
        found.sort(key=lambda pair: (pair[0].start, -pair[1].confidence))
        surest = found[:1]
        for span, wording in found[1:]:
            if span.start >= surest[-1][0].end:
                surest.append((span, wording))
            elif wording.confidence > surest[-1][1].confidence:
                surest[-1] = (span, wording)
        starts = [match.start() for match in matches]
        counts = [0, *itertools.accumulate(map(len, words))]

        def place(letter: int) -> int:
            index = bisect_right(counts, letter) - 1
            return starts[index] + letter - counts[index]

        return [Found(wording, place(span.start), place(span.end - 1) + 1) for span, wording in surest]


def letters_of(text: str) -> str:
    """The letters and digits of a text, folded, without anything between them."""
    return bare_letters(fold(text).text)


def bare_letters(folded: str) -> str:
    """The same of a text that is folded already."""
    return "".join(_LETTERS.findall(folded))


def load_wordings(extra: Iterable[str | os.PathLike[str]] = ()) -> Wordings:
    """The wordings that ship with the package, and those of a user's own files.

    Raises:
        InvalidInput: A file cannot be read, or is no file of wordings.
    """
    return Wordings([*_shipped(), *map(_own_file, extra)])


def _own_file(path: str | os.PathLike[str]) -> tuple[str, str]:
    try:
        return str(path), Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read the file of notice wordings {path}: {error}") from None


def _shipped() -> list[tuple[str, str]]:
    room = resources.files("optoutkit.notices")
    folder = sorted(room.joinpath("wordings").iterdir(), key=lambda file: file.name)
    files = [room.joinpath("notification_types.toml"), *(file for file in folder if file.name.endswith(".toml"))]
    return [(file.name, file.read_text(encoding="utf-8")) for file in files]


def _refuse_unknown(table: Mapping[str, Any], known: Container[str]) -> None:
    """A misspelt key would be passed over without a word."""
    if unknown := next((key for key in table if key not in known), None):
        raise ValueError(f"unknown key {unknown!r}")


def _language(data: Mapping[str, Any]) -> str:
    language = data.get("language", "")
    if not isinstance(language, str):
        raise ValueError("language must be a text")  # noqa: TRY004 - wrong contents of a file, not a wrong argument
    return language


def _wordings(data: Mapping[str, Any], language: str) -> Iterator[Wording]:
    entries = data.get("wordings", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("wordings must be tables, each below a line [[wordings]]")
    for entry in entries:
        yield _wording(entry, language)


def _wording(entry: Mapping[str, Any], language: str) -> Wording:
    _refuse_unknown(entry, _KEYS_OF_A_WORDING)
    if missing := [key for key in ("kind", "clause") if key not in entry]:
        raise ValueError(f"a wording needs the text {missing[0]!r}")
    if wrong := [key for key, value in entry.items() if not isinstance(value, _KEYS_OF_A_WORDING[key])]:
        raise ValueError(f"{wrong[0]} must be {'true or false' if wrong[0] == 'verified' else 'a text'}")
    clause, letter, verified = entry["clause"], entry.get("confidence", "M"), entry.get("verified", False)
    if letter not in _CONFIDENCE:
        raise ValueError(f"confidence must be one of H, M, L, not {letter!r}")
    if not language:
        raise ValueError("the language is missing")
    pieces = _pieces(clause)
    return Wording(
        kind=_kind(entry["kind"]),
        language=language,
        clause=clause,
        example=entry.get("example", ""),
        confidence=round(_CONFIDENCE[letter] * (1 if verified else _UNVERIFIED), 3),
        verified=verified,
        source=entry.get("source", ""),
        pieces=pieces,
        pattern=_pattern(pieces),
        anchor=max((letters_of(piece[0]) for piece in pieces if len(piece) == 1), key=len),
    )


def _pieces(clause: str) -> tuple[tuple[str, ...], ...]:
    parts = _CHOICE.split(clause)  # literal, choices, literal, choices, …, literal
    pieces = tuple(tuple(part.split("|")) if index % 2 else (part,) for index, part in enumerate(parts))
    if "{" in "".join(parts[::2]) or "}" in "".join(parts[::2]):
        raise ValueError(f"a brace without its other half: {clause!r}")
    if math.prod(map(len, pieces)) > _MOST_TEXTS:
        raise ValueError(f"more than {_MOST_TEXTS:,} texts in one clause; make two of it: {clause!r}")
    letters = "".join(min(map(letters_of, piece), key=len) for piece in pieces)
    if len(letters) < (_SHORTEST_CLAUSE if letters.isascii() else _SHORTEST_IDEOGRAPHIC_CLAUSE):
        raise ValueError(f"too short to decide anything: {clause!r}")
    return pieces


def _pattern(pieces: tuple[tuple[str, ...], ...]) -> re.Pattern[str]:
    """Literals and choices between literals: at any place in a text it takes no more steps than it has letters."""
    return re.compile("".join(f"(?:{'|'.join(re.escape(letters_of(text)) for text in piece)})" for piece in pieces))


def _kind(value: Any) -> NoticeKind:
    try:
        return NoticeKind(value)
    except ValueError:
        raise ValueError(f"kind must be one of {', '.join(NoticeKind)}, not {value!r}") from None


def _types(table: object) -> dict[str, NoticeKind | None]:
    if not isinstance(table, dict):
        raise ValueError("types must be a table")  # noqa: TRY004 - wrong contents of a file, not a wrong argument
    return {unicodedata.normalize("NFKC", name).strip().upper(): _kind(value) if value else None for name, value in table.items()}


def _phrases(data: Mapping[str, Any], known: Phrases) -> Phrases:
    return Phrases(**{field: (*getattr(known, field), *_texts(data, field)) for field in ("subjects", "greetings", "sign_offs")})


def _texts(data: Mapping[str, Any], name: str) -> list[str]:
    texts = data.get(name, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{name} must be a list of texts")
    return texts
