"""Labelled phrases found in a text in one pass over its words, however many phrases there are.

A phrase is matched on whole words; a trailing ``*`` stands for any ending, also of an inner word. In Japanese and Chinese, which
write without spaces, it is matched anywhere.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from optoutkit.text.folding import fold
from optoutkit.text.tokens import CJK_START, Token, tokenize

__all__ = ["Phrase", "Phrases"]

_Entry = tuple[Sequence[str], str]
"""Of a phrase the words after its first one, and its label."""

_HEAD = 2  # characters by which a phrase without spaces is looked up
_MOST_WORDS = 20_000  # that are kept
_LONGEST_KEPT = 40


class Phrase(NamedTuple):
    """A phrase found.

    Attributes:
        label: What it is a sign of.
        start: Offset of its first code point in the text searched.
        end: Offset behind its last one.
    """

    label: str
    start: int
    end: int


class Phrases:
    """Phrases ready to be searched for together.

    Args:
        labelled: A mapping from label to phrases.

    Example:
        >>> finder = Phrases({"plea": ["leave a review", "rat* us"]})
        >>> text = "please rate us"
        >>> finder.find(list(tokenize(text)))
        [Phrase(label='plea', start=7, end=14)]
    """

    def __init__(self, labelled: Mapping[str, Iterable[str]]) -> None:
        self._index = _Index()
        for label, texts in labelled.items():
            for text in texts:
                self._add(text, label)
        self._beginning_with = _Cache(self._index)

    @classmethod
    def restore(cls, data: Any) -> "Phrases":
        """Make the phrases that :meth:`data` was got from; some ten times as fast as from their texts."""
        phrases = cls({})
        phrases._index.words, phrases._index.stems, phrases._index.runs = data
        phrases._beginning_with = _Cache(phrases._index)
        return phrases

    def data(self) -> Any:
        """The phrases ready for use, as something that JSON can hold."""
        return [self._index.words, self._index.stems, self._index.runs]

    def _add(self, phrase: str, label: str) -> None:
        folded = fold(phrase.strip()).text
        tokens = list(tokenize(folded))
        if not tokens:
            return
        if tokens[0].cjk:
            run = tokens[0].text
            rest = [token.text + ("*" if token.cjk else "") for token in tokens[1:]]
            self._index.runs.setdefault(run[:_HEAD], []).append((run, rest, label))
            return
        # A run after a word goes on without a space: it need only begin as it should.
        first, *rest = (token.text + ("*" if token.cjk or folded[token.end : token.end + 1] == "*" else "") for token in tokens)
        index = self._index.stems if first.endswith("*") else self._index.words
        index.setdefault(first.removesuffix("*"), []).append((tuple(rest), label))

    def find(self, tokens: Sequence[Token]) -> list[Phrase]:
        """Find the phrases that stand in a folded text, in the order of their first word.

        Args:
            tokens: The words of the text, or of a part of it.
        """
        found = []
        for label, index, words, start, length in self._hits([token.text for token in tokens]):
            begin = tokens[index].start
            end = begin + start + length if length and words == 1 else tokens[index + words - 1].end
            found.append(Phrase(label, begin + start, end))
        return found

    def places(self, words: Sequence[str]) -> list[tuple[str, range]]:
        """For each phrase found its label, and which of the words it is in, by their number."""
        return [(label, range(index, index + count)) for label, index, count, _, _ in self._hits(words)]

    def labels(self, words: Sequence[str]) -> list[str]:
        """The labels of the phrases that :meth:`find` finds, each once; the words are the texts of the tokens.

        The loop is that of :meth:`_hits` without the places: every sentence that is classified goes through it.
        """
        found: list[str] = []
        runs, last = self._index.runs, len(words) - 1
        for index, beginning in enumerate(map(self._beginning_with.__getitem__, words)):
            if beginning is not None:
                labels, longer, stems = beginning
                if labels:
                    found += labels
                if index < last and (longer or stems):
                    following = words[index + 1]
                    if following in longer:
                        found += [label for rest, label in longer[following] if not rest or _follows(rest, words, index + 2)]
                    for stem, rest, label in stems:
                        if following.startswith(stem) and (not rest or _follows(rest, words, index + 2)):
                            found.append(label)
            elif runs and words[index][0] >= CJK_START:
                found += [hit[0] for hit in self._in_run(words, index)]
        return list(dict.fromkeys(found))

    def _hits(self, words: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
        """Label, number of the first word, and how many words; of a run instead where in it, and how many characters."""
        runs, last = self._index.runs, len(words) - 1
        for index, beginning in enumerate(map(self._beginning_with.__getitem__, words)):
            if beginning is None:
                if runs and words[index][0] >= CJK_START:
                    yield from self._in_run(words, index)
                continue
            for label in beginning.labels:
                yield label, index, 1, 0, 0
            if index < last:
                following = words[index + 1]
                stems = [(rest, label) for stem, rest, label in beginning.stems if following.startswith(stem)]
                for rest, label in (*beginning.longer.get(following, ()), *stems):
                    if _follows(rest, words, index + 2):
                        yield label, index, len(rest) + 2, 0, 0

    def _in_run(self, words: Sequence[str], index: int) -> Iterator[tuple[str, int, int, int, int]]:
        run, runs = words[index], self._index.runs
        for start in range(len(run)):
            head = run[start : start + _HEAD]
            for phrase, rest, label in (*runs.get(head, ()), *(runs.get(head[0], ()) if len(head) > 1 else ())):
                if run.startswith(phrase, start) and (not rest or (start + len(phrase) == len(run) and _follows(rest, words, index + 1))):
                    yield label, index, len(rest) + 1, start, len(phrase)


class _Index:
    """Where phrases are found: by their first word, by its stem, by their first two characters."""

    def __init__(self) -> None:
        self.words: dict[str, list[_Entry]] = {}
        self.stems: dict[str, list[_Entry]] = {}
        self.runs: dict[str, list[tuple[str, Sequence[str], str]]] = {}


class _Beginning(NamedTuple):
    """What begins with a word: phrases of that word alone, of more by their second word, and those whose second is a stem.

    An entry of the latter two has the words after the second one.
    """

    labels: list[str]
    longer: dict[str, list[_Entry]]
    stems: list[tuple[str, Sequence[str], str]]


class _Cache(dict[str, _Beginning | None]):
    """What begins with each word, looked up once; None where nothing does."""

    def __init__(self, index: _Index) -> None:
        super().__init__()
        self._index = index
        self._stem_lengths = sorted({len(stem) for stem in index.stems})

    def __missing__(self, word: str) -> _Beginning | None:
        if word[0] >= CJK_START:
            return None
        entries = list(self._index.words.get(word, ()))
        for length in self._stem_lengths:
            if length > len(word):
                break
            entries += self._index.stems.get(word[:length], ())
        if len(self) >= _MOST_WORDS:
            self.clear()
        found = _sorted(entries) if entries else None
        if len(word) <= _LONGEST_KEPT:
            self[word] = found
        return found


def _sorted(entries: Iterable[_Entry]) -> _Beginning:
    found = _Beginning([], {}, [])
    for rest, label in entries:
        if not rest:
            found.labels.append(label)
        elif rest[0].endswith("*"):
            found.stems.append((rest[0].removesuffix("*"), rest[1:], label))
        else:
            found.longer.setdefault(rest[0], []).append((rest[1:], label))
    return found


def _follows(rest: Sequence[str], words: Sequence[str], index: int) -> bool:
    if index + len(rest) > len(words):
        return False
    for wanted, word in zip(rest, words[index : index + len(rest)], strict=True):
        if wanted != word and not (wanted[-1] == "*" and word.startswith(wanted[:-1])):
            return False
    return True
