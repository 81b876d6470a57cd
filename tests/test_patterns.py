"""Every regular expression of the package takes a time in proportion to its text, whatever the text: steps are counted, not seconds.

The engine of ``re`` cannot be asked how many steps it took. So its way of matching, with all its going back, is walked here over the
parsed pattern, with a counter; that it finds what ``re`` finds is tested as well. The texts are made of the pattern itself: what each of
its repetitions would take, many times, after what leads there and before what spoils the match. Large limits are made small in the
same way for all, so that the texts can be short.
"""

import ast
import importlib
import inspect
import itertools
import pkgutil
import re
from collections.abc import Iterable, Iterator
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import pytest

import optoutkit
from optoutkit.errors import MissingExtra

SHORT, LONG = 30, 60
LIMIT = 6
"""Repetitions that a pattern limits to more are limited to this many."""
FREE = 30
"""Steps for each character that need no comparison: no pattern that is not linear is content with so few."""
REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
SINGLE = (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN)
SAMPLES = {
    sre.CATEGORY_DIGIT: "1",
    sre.CATEGORY_NOT_DIGIT: "a",
    sre.CATEGORY_SPACE: " ",
    sre.CATEGORY_NOT_SPACE: ".",
    sre.CATEGORY_WORD: "a",
    sre.CATEGORY_NOT_WORD: "-",
}


class TooManySteps(Exception):
    """More than any linear pattern needs."""


class Walk:
    """Matches as ``re`` does, and counts each character looked at and each way gone back."""

    def __init__(self, pattern: re.Pattern[Any], text: str, most: int) -> None:
        self.tree = list(_parser.parse(pattern.pattern, pattern.flags))
        self.flags = pattern.flags
        self.is_bytes = isinstance(pattern.pattern, bytes)
        self.text = text
        self.most = most
        self.steps = 0
        self.groups: dict[int, str] = {}
        self.is_exact = True  # until a limit was made smaller

    def spans(self, *, anchored: bool = False) -> Iterator[tuple[int, int]]:
        """What ``finditer`` finds that is not empty; or what ``match`` does."""
        place = 0
        while place <= len(self.text):
            ends = self._sequence(self.tree, 0, place, self.flags)
            end = next((end for end in itertools.islice(ends, 2) if end > place), place)
            if end > place:
                yield place, end
            if anchored:
                return
            place = max(end, place + 1)

    def _step(self) -> None:
        self.steps += 1
        if self.steps > self.most:
            raise TooManySteps

    def _sequence(self, nodes: list[Any], index: int, place: int, flags: int) -> Iterator[int]:
        """Where the nodes from one on can end, in the order in which ``re`` tries."""
        if index == len(nodes):
            yield place
            return
        kind, value = nodes[index]
        for end in self._node(kind, value, place, flags):
            yield from self._sequence(nodes, index + 1, end, flags)

    def _node(self, kind: Any, value: Any, place: int, flags: int) -> Iterator[int]:  # noqa: C901, PLR0912 - one case a kind
        if kind in SINGLE:
            self._step()
            if place < len(self.text) and self._takes(kind, value, self.text[place], flags):
                yield place + 1
        elif kind is sre.BRANCH:
            for branch in value[1]:
                self._step()
                yield from self._sequence(list(branch), 0, place, flags)
        elif kind is sre.SUBPATTERN:
            group, added, removed, inner = value
            for end in self._sequence(list(inner), 0, place, (flags | added) & ~removed):
                if group is not None:
                    self.groups[group] = self.text[place:end]
                yield end
        elif kind in REPEATS:
            yield from self._repeat(kind, value, place, flags)
        elif kind is sre.ATOMIC_GROUP:
            yield from itertools.islice(self._sequence(list(value), 0, place, flags), 1)
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            direction, inner = value
            start = place if direction > 0 else place - inner.getwidth()[0]
            ends = self._sequence(list(inner), 0, start, flags) if start >= 0 else iter(())
            if any(direction > 0 or end == place for end in ends) == (kind is sre.ASSERT):
                yield place
        elif kind is sre.AT:
            self._step()
            if self._is_at(value, place, flags):
                yield place
        elif kind is sre.GROUPREF:
            group = self.groups.get(value)
            self._step()
            if group is not None and self.text.startswith(group, place):
                yield place + len(group)
        else:
            pytest.fail(f"this walk does not know {kind}")

    def _repeat(self, kind: Any, value: Any, place: int, flags: int) -> Iterator[int]:
        inner = list(value[2])
        least, most = min(value[0], LIMIT), value[1] if value[1] is sre.MAXREPEAT else min(value[1], LIMIT)
        self.is_exact &= (least, most) == value[:2]
        if len(inner) == 1 and inner[0][0] in SINGLE:
            run, (single, content) = 0, inner[0]
            while run < most and next(self._node(single, content, place + run, flags), None) is not None:
                run += 1
            runs = range(run, least - 1, -1) if kind is not sre.MIN_REPEAT else range(least, run + 1)
            for length in itertools.islice(runs, 1 if kind is sre.POSSESSIVE_REPEAT else None):
                self._step()
                yield place + length
        elif kind is sre.POSSESSIVE_REPEAT:
            count, end = 0, place
            while count < most:
                found = next(self._sequence(inner, 0, end, flags), None)
                if found is None or (found == end and count >= least):
                    break
                count, end = count + 1, found
            if count >= least:
                yield end
        else:
            yield from self._rounds(inner, least, most, place, flags, 0, is_greedy=kind is sre.MAX_REPEAT)

    def _rounds(self, inner: list[Any], least: int, most: Any, place: int, flags: int, count: int, *, is_greedy: bool) -> Iterator[int]:
        self._step()
        if not is_greedy and count >= least:
            yield place
        if count < most:
            for end in self._sequence(inner, 0, place, flags):
                if end > place or count < least:
                    yield from self._rounds(inner, least, most, end, flags, count + 1, is_greedy=is_greedy)
        if is_greedy and count >= least:
            yield place

    def _takes(self, kind: Any, value: Any, character: str, flags: int) -> bool:
        if kind is sre.ANY:
            return bool(flags & re.DOTALL) or character != "\n"
        items = [(sre.LITERAL, value)] if kind is not sre.IN else value
        negated = kind is sre.NOT_LITERAL or items[0][0] is sre.NEGATE
        forms = {character, character.lower(), character.upper()} if flags & re.IGNORECASE else {character}
        return negated != any(self._is_in(item, form) for item in items for form in forms if len(form) == 1)

    def _is_in(self, item: Any, character: str) -> bool:
        kind, value = item
        if kind is sre.LITERAL:
            return bool(ord(character) == value)
        if kind is sre.RANGE:
            return bool(value[0] <= ord(character) <= value[1])
        if kind is sre.CATEGORY:
            known = not self.is_bytes or character.isascii()
            found = {
                "DIGIT": known and character.isdecimal(),
                "SPACE": known and character.isspace(),
                "WORD": known and (character.isalnum() or character == "_"),
            }[str(value).rpartition("_")[2]]
            return found != ("_NOT_" in str(value))
        return False

    def _is_at(self, value: Any, place: int, flags: int) -> bool:
        is_start, is_end = place == 0, place == len(self.text)
        if value in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING):
            return is_start or (value is sre.AT_BEGINNING and bool(flags & re.MULTILINE) and self.text[place - 1] == "\n")
        if value is sre.AT_END_STRING:
            return is_end
        if value is sre.AT_END:
            last = place == len(self.text) - 1 or bool(flags & re.MULTILINE)
            return is_end or (last and self.text[place] == "\n")
        word = (sre.CATEGORY, sre.CATEGORY_WORD)
        before, after = not is_start and self._is_in(word, self.text[place - 1]), not is_end and self._is_in(word, self.text[place])
        return (before != after) == (value is sre.AT_BOUNDARY)


# What a pattern would take


def samples(kind: Any, value: Any) -> list[str]:  # noqa: PLR0911 - one case a kind
    """Short texts that a node takes, each in another way; a few of them."""
    if kind is sre.LITERAL:
        return [chr(value)]
    if kind is sre.ANY:
        return ["a"]
    if kind in (sre.NOT_LITERAL, sre.IN):
        items = [(sre.NEGATE, None), (sre.LITERAL, value)] if kind is sre.NOT_LITERAL else value
        if items[0][0] is sre.NEGATE:
            probe = Walk(re.compile(""), "", 1)
            return [sample for sample in 'a1 .\n<"é漢' if probe._takes(sre.IN, items, sample, 0)][:3]
        firsts = {sre.LITERAL: chr, sre.RANGE: lambda ends: chr(ends[0]), sre.CATEGORY: SAMPLES.__getitem__}
        return list(dict.fromkeys(firsts[item](content) for item, content in items))[:3]
    if kind is sre.BRANCH:
        return list(dict.fromkeys(text for branch in value[1] for text in phrases(list(branch))[:1]))[:4]
    if kind is sre.SUBPATTERN:
        return phrases(list(value[3]))
    if kind is sre.ATOMIC_GROUP:
        return phrases(list(value))
    if kind in REPEATS:
        return [text * min(max(value[0], 1), LIMIT) for text in phrases(list(value[2]))]
    return [""]


def phrases(nodes: list[Any]) -> list[str]:
    """The same for nodes in a row; each varies by itself."""
    choices = [samples(*node) or [""] for node in nodes]
    first = [choice[0] for choice in choices]
    varied = ("".join([*first[:index], text, *first[index + 1 :]]) for index, choice in enumerate(choices) for text in choice)
    return list(dict.fromkeys(["".join(first), *varied]))[:6]


def inner(kind: Any, value: Any) -> list[Any]:
    """What a node is made of."""
    if kind in REPEATS:
        return [value[2]]
    if kind is sre.BRANCH:
        return list(value[1])
    if kind is sre.SUBPATTERN:
        return [value[3]]
    if kind is sre.ATOMIC_GROUP:
        return [value]
    return [value[1]] if kind in (sre.ASSERT, sre.ASSERT_NOT) else []


def walked(nodes: Iterable[Any]) -> Iterator[Any]:
    """Every node."""
    for node in nodes:
        yield node
        for nested in inner(*node):
            yield from walked(nested)


def repetitions(nodes: Iterable[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """What leads to each repetition of a pattern, and what one round of it takes."""
    for kind, value in nodes:
        if kind in REPEATS and value[1] > LIMIT:
            yield from ((before, text) for text in phrases(list(value[2])))
        for nested in inner(kind, value):
            yield from repetitions(nested, before)
        before += (samples(kind, value) or [""])[0]


def spoilers(nodes: Iterable[Any]) -> list[str]:
    """What sets of a pattern leave out, and so ends their repetition; a few."""
    left_out: list[Any] = []
    for kind, value in walked(nodes):
        if kind is sre.NOT_LITERAL:
            left_out.append((sre.LITERAL, value))
        elif kind is sre.IN and value[0][0] is sre.NEGATE:
            left_out += value
    found = [chr(value) for kind, value in left_out if kind is sre.LITERAL]
    return list(dict.fromkeys(found))[:2]


def attacks(pattern: re.Pattern[Any], count: int) -> Iterator[str]:
    """Hostile texts."""
    tree = _parser.parse(pattern.pattern, pattern.flags)
    found = dict.fromkeys(pair for pair in repetitions(tree) if pair[1])
    whole = phrases(list(tree))[:2]
    for before, text in found:
        for lead, end in itertools.product(dict.fromkeys((before, "")), ("", "\0", *spoilers(tree))):
            yield lead + text * count + end
        yield (before + text) * count
    for text in (*whole, "a", " ", "\n"):
        yield text * count


# The patterns


def sources() -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every module of the package: name, names in it, source."""
    for info in pkgutil.walk_packages(optoutkit.__path__, "optoutkit."):
        if info.name.endswith("__main__"):
            continue
        try:
            module = importlib.import_module(info.name)
        except (MissingExtra, ImportError):  # the tests run in CI with all of them
            continue
        yield info.name, vars(module), inspect.getsource(module)


def held(value: Any, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    """The patterns in a value: it is one, or holds some."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict) and depth < 3:
        yield from itertools.chain.from_iterable(held(item, depth + 1) for item in value.values())
    elif isinstance(value, (tuple, list, set, frozenset)) and depth < 3:
        yield from itertools.chain.from_iterable(held(item, depth + 1) for item in value)


def written(source: str) -> Iterator[tuple[re.Pattern[Any], bool]]:
    """The patterns that are written where they are used, and whether they are searched for."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=way), args=[ast.Constant(value=pattern), *_]) if (
                way != "compile"
            ):
                yield re.compile(pattern), way not in ("match", "fullmatch")


def patterns() -> dict[tuple[str, bool], re.Pattern[Any]]:
    """Every pattern of the package, by where it stands, and whether it is only ever matched at one place."""
    found: dict[tuple[str, bool], re.Pattern[Any]] = {}
    for module, names, source in sources():
        for name, value in names.items():
            uses = set(re.findall(rf"\b{name}(?:\[\w+\])?\.(\w+)", source))
            for number, pattern in enumerate(held(value)):
                found.setdefault((f"{module}.{name}.{number}", bool(uses) and uses <= {"match", "fullmatch"}), pattern)
        for number, (pattern, is_searched) in enumerate(written(source)):
            found[f"{module}.{number}", not is_searched] = pattern
    return found


PATTERNS = patterns()


def steps(pattern: re.Pattern[Any], text: str, *, anchored: bool, most: int = 1_000_000) -> int:
    """How many it takes to find all that is to be found."""
    walk = Walk(pattern, text, most)
    list(walk.spans(anchored=anchored))
    return walk.steps


def is_linear(pattern: re.Pattern[Any], *, anchored: bool) -> str:
    """Empty; or the beginning of a text that takes too long."""
    for short, long in zip(attacks(pattern, SHORT), attacks(pattern, LONG), strict=True):
        try:
            taken = steps(pattern, long, anchored=anchored, most=4000 * len(long))
        except TooManySteps:
            return long[:LONG]
        if taken > FREE * len(long) and taken > 2.7 * steps(pattern, short, anchored=anchored):
            return long[:LONG]
    return ""


@pytest.mark.parametrize(("name", "anchored"), PATTERNS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_pattern_is_linear(name: str, anchored: bool) -> None:
    """Twice the text takes about twice the steps, whatever the text."""
    assert is_linear(PATTERNS[name, anchored], anchored=anchored) == ""


def test_no_pattern_escapes() -> None:
    """There are as many as the sources compile, or more."""
    compiled = sum(source.count("re.compile(") for _, _, source in sources())
    assert len(set(PATTERNS.values())) > 0.9 * compiled


@pytest.mark.parametrize(
    "pattern",
    [r"(a+)+$", r"(a|a)*b", r"a+b", r"\s*[ \t]*x", r"(?:a|ab|b)*?c\Z", r"<[^>]*>", r"x*y*z", r"(?:[^;]+|\"[^\"]*\")+\Z", r".*a", r"\s+\Z"],
)
def test_slow_patterns_are_found(pattern: str) -> None:
    """Those that every textbook warns of, and those that are searched for from every place."""
    assert is_linear(re.compile(pattern), anchored=False)


@pytest.mark.parametrize("pattern", [r"a+", r"(?:a++)++b?", r"[^\s@]{1,64}@", r"(?>a+)", r"-[0-9]{7}", r"<[^<>]*>", r"(?<!a)a++b"])
def test_quick_patterns_pass(pattern: str) -> None:
    """Each of them is linear, wherever it is searched for."""
    assert is_linear(re.compile(pattern), anchored=False) == ""


def test_the_walk_finds_what_re_finds() -> None:
    """In the texts that are made for each pattern, unless a limit was made smaller."""
    compared = 0
    for pattern in PATTERNS.values():
        for text in itertools.islice(attacks(pattern, 5), 40):
            data: Any = text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
            seen = data.decode("latin-1") if isinstance(data, bytes) else data
            expected = [match.span() for match in pattern.finditer(data) if match[0]]
            walk = Walk(pattern, seen, 1_000_000)
            found = list(walk.spans())
            if walk.is_exact:
                assert found == expected, (pattern, text)
                compared += bool(expected)
    assert compared > 1000
