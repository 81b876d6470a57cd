"""Where results, notes and errors go: text or JSON Lines, in colour on a terminal only, and progress where somebody watches."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

from optoutkit.cli.exit_codes import ExitCode, worst

__all__ = ["Line", "Output", "printable"]

Line = tuple[str | tuple[str, str], ...]
"""A line of text in pieces; a piece in a style is a pair of text and style, such as ``("opted out", "red")``."""


def printable(text: str) -> str:
    """A text from outside as a terminal may see it, with as many characters: control sequences could fake or hide what is shown."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter == "\n" else " " if letter.isspace() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


class Output:
    """The output of one command, and its exit code.

    Args:
        form: ``"text"`` or ``"json"``.

    Attributes:
        codes: What has become of things so far.
    """

    def __init__(self, form: str) -> None:
        self._json = form == "json"
        self._results = _console(stderr=False)
        self._notes = _console(stderr=True)
        self.codes: set[ExitCode] = set()

    @property
    def exit_code(self) -> ExitCode:
        """The exit code for all that was done."""
        return worst(self.codes)

    @property
    def is_terminal(self) -> bool:
        """Whether the results are text on a terminal."""
        return self._results.is_terminal and not self._json

    def result(self, record: Mapping[str, Any], lines: Callable[[], Iterable[Line]]) -> None:
        """Write one result.

        Args:
            record: What it is in JSON.
            lines: What it is in text; only called if text is wanted.
        """
        if self._json:
            self._results.file.write(json.dumps(record) + "\n")
        else:
            self.lines(lines())

    def document(self, text: str) -> None:
        """Write a text as it is, such as a JSON document of several lines."""
        self._results.file.write(text + "\n")

    def flush(self) -> None:
        """Let whoever reads the results have them now."""
        self._results.file.flush()

    def lines(self, lines: Iterable[Line]) -> None:
        """Write lines that only people need; nothing where JSON is wanted."""
        if not self._json:
            for line in lines:
                _write(self._results, line)

    def note(self, text: str) -> None:
        """Tell people something on standard error."""
        _write(self._notes, (("note: ", "bold"), text))

    def error(self, text: str, code: ExitCode = ExitCode.BAD_INPUT) -> None:
        """Tell in one line what went wrong with one thing, and go on with the next."""
        self.codes.add(code)
        _write(self._notes, (("error: ", "bold red"), " ".join(text.split())))

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[], None]]:
        """Count on the terminal, if there is one, what is being worked on.

        Args:
            what: What is counted, such as ``"mails"``.

        Yields:
            A function to be called for each.
        """
        if not self._notes.is_terminal:
            yield lambda: None
            return
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - slow, and seldom needed

        columns = (SpinnerColumn("line"), TextColumn("{task.completed:,.0f} " + what), TimeElapsedColumn())
        results = self._results
        with Progress(*columns, console=self._notes, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
            task = bar.add_task(what, total=None)
            if results.is_terminal:
                self._results = self._notes  # which writes above the moving line
            try:
                yield lambda: bar.advance(task)
            finally:
                self._results = results


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise  # noqa: PLE0704 - it is called while BrokenPipeError is handled, and would end the process


def _console(*, stderr: bool) -> Console:
    return _Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)


def _write(console: Console, line: Line) -> None:
    pieces = [(piece, "") if isinstance(piece, str) else piece for piece in line]
    shown = [(printable(text), style) for text, style in pieces]
    if console.is_terminal:
        console.print(Text.assemble(*shown))
    else:  # ten times as fast
        console.file.write("".join(text for text, _ in shown) + "\n")
