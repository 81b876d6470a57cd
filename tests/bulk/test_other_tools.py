"""The lists of other tools, as they come: each file of ``lists/`` gives what ``lists/expected.toml`` says."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optoutkit.bulk.cells import plain_name
from optoutkit.bulk.vocabulary import vocabulary
from optoutkit.optouts import Reason

LISTS = Path(__file__).parent / "lists"
EXPECTED = tomllib.loads((LISTS / "expected.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_list_comes_in_as_it_is(name: str, read: Callable[..., Any]) -> None:
    """The tool is known, every row is an entry, with its reason and date."""
    done = read((LISTS / name).read_bytes())
    tool = done.listing.layout.tool
    assert (tool.tool if tool else "") == EXPECTED[name]["tool"]
    assert [[entry.identity.key, entry.reason.value, *([entry.since] if entry.since else [])] for entry in done.entries] == EXPECTED[name][
        "entries"
    ]
    assert not done.bad


def test_every_file_is_expected() -> None:
    """None lies there in vain."""
    assert {file.name for file in LISTS.iterdir()} == {*EXPECTED, "expected.toml"}


def test_a_row_that_says_it_has_not_opted_out_is_no_entry(read: Callable[..., Any]) -> None:
    """It is counted by itself, and is no bad one."""
    assert read((LISTS / "feedbackwhiz.tsv").read_bytes()).report.passed_over == 1


def test_guesses_are_called_so(read: Callable[..., Any]) -> None:
    """Where nobody has seen a file of a tool, its columns say that they are guessed."""
    columns = read((LISTS / "feedback-genius.csv").read_bytes()).listing.layout.columns
    assert "a guess" in next(column.why for column in columns if column.name == "Date Added")


class TestData:
    """``columns.toml``."""

    def test_every_reason_can_be_written_as_our_own_lists_do(self) -> None:
        """So that they come back."""
        for reason in Reason:
            assert vocabulary().reason_of(reason.value) is reason

    def test_names_are_written_as_they_are_compared(self) -> None:
        """Another spelling would never be found."""
        known = vocabulary()
        for name in [*known.names, *known.reasons, *(name for form in known.forms for name in form.names)]:
            assert name == plain_name(name)

    def test_each_form_says_how_sure_it_is(self) -> None:
        """And where it is known from."""
        for form in vocabulary().forms:
            assert form.confidence in ("H", "M", "L")
            assert form.source

    def test_no_form_hides_another(self) -> None:
        """A list with just the names of a form is one of it, and of none that stands before."""
        for form in vocabulary().forms:
            assert vocabulary().form_of(form.names) is form
