"""The table of sender-matrix.md, made by running the conformance suite: ``python docs/sender_matrix.py`` writes it anew.

With ``--collect`` nothing is run or written: the table goes to standard output as it is if every test passes.
"""

import io
import sys
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from optoutkit.testing.senders.conformance import AsyncSenderConformance, SenderConformance

TESTS = Path(__file__).parent.parent / "tests" / "senders"
PAGE = Path(__file__).parent / "sender-matrix.md"
BEGIN, END = "<!-- matrix -->\n", "<!-- end of the matrix -->\n"


def features() -> list[str]:
    """The names of the suite's tests, in the order in which they are written."""
    rules = reversed(AsyncSenderConformance.__mro__)
    names = {name: rule for rule in rules for name in vars(rule) if name.startswith("test_")}
    order = [rule for rule in AsyncSenderConformance.__mro__ if rule in names.values()]
    return [name.removeprefix("test_") for rule in order for name in names if names[name] is rule]


class Collector:
    """Finds the classes under test, and what became of their tests."""

    def __init__(self) -> None:
        self.tested: dict[type[Any], set[str]] = {}
        self.not_passed: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out all other tests."""
        kept = [item for item in items if isinstance(item, pytest.Function) and _is_suite(item.cls)]
        for item in kept:
            assert item.cls is not None
            self.tested.setdefault(item.cls, set()).add(item.originalname.removeprefix("test_"))
        items[:] = kept

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what did not pass: skipped tests, too, as nobody knows of them."""
        if report.outcome != "passed":
            self.not_passed.append(report.nodeid)


def _is_suite(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, SenderConformance | AsyncSenderConformance)


def table(tested: Mapping[type[Any], Iterable[str]]) -> str:
    """The legend, a row a sender, and the reasons."""
    numbers = {feature: number for number, feature in enumerate(features(), 1)}
    senders = sorted(tested, key=lambda cls: cls.sender_name.lower())
    legend = "\n".join(f"{number}. {_sentence(feature)}" for feature, number in numbers.items())
    head = ("sender", *map(str, numbers.values()))
    rows = [head, ["---"] * len(head)]
    rows += [[cls.sender_name, *(_mark(cls, feature, set(tested[cls])) for feature in numbers)] for cls in senders]
    reasons = [f"* {cls.sender_name}, {_listed(cls, reason, numbers)}: {reason}" for cls in senders for reason in _reasons(cls)]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{legend}\n\n{lines}\n\n## What a library does not allow\n\n" + "\n".join(reasons) + "\n"


def _sentence(feature: str) -> str:
    """A test's name as a sentence."""
    words = {"callers": "caller's", "librarys": "library's", "cc": "Cc", "bcc": "Bcc"}
    said = " ".join(words.get(word, word) for word in feature.split("_"))
    return said[0].upper() + said[1:]


def _reasons(cls: Any) -> list[str]:
    return sorted(set(cls.not_allowed.values()))


def _listed(cls: Any, reason: str, numbers: Mapping[str, int]) -> str:
    return ", ".join(str(number) for feature, number in numbers.items() if cls.not_allowed.get(feature) == reason)


def _mark(cls: Any, feature: str, tested: set[str]) -> str:
    if feature in tested:
        return "✓"
    return "–" if feature in cls.not_allowed else " "


def main(arguments: list[str]) -> int:
    """Make the table."""
    collector = Collector()
    only_collects = "--collect" in arguments
    options = ["-q", "-p", "no:cacheprovider", *(["--collect-only"] if only_collects else [])]
    with redirect_stdout(io.StringIO()) as said:
        code = pytest.main([*options, str(TESTS)], plugins=[collector])
    if code or collector.not_passed:
        sys.stderr.write(f"{said.getvalue()}\nnot passed: {collector.not_passed}\n")
        return 1
    made = table(collector.tested)
    if only_collects:
        sys.stdout.buffer.write(made.encode())
        return 0
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
