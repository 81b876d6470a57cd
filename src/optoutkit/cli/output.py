"""Where results, notes and errors go: text or JSON Lines, in colour on a terminal only, and progress where somebody watches."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from optoutkit.cli.exit_codes import ExitCode, worst

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

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

    @property
    def is_watched(self) -> bool:
        """Whether notes and errors go to a terminal, and progress is shown there."""
        return self._notes.is_terminal

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
        if not self.is_watched:
            yield lambda: None
            return
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - slow, and seldom needed

        with self._live(SpinnerColumn("line"), TextColumn("{task.completed:,.0f} " + what), TimeElapsedColumn()) as bar:
            task = bar.add_task(what, total=None)
            yield lambda: bar.advance(task)

    @contextmanager
    def meter(self, what: str) -> Iterator[Callable[[int, int, int | None], None]]:
        """Show on the terminal, if there is one, how far long work is, how fast it goes, and how long it will take.

        Args:
            what: What is counted, such as ``"rows"``.

        Yields:
            A function to be called with how many were done so far, how much of the whole that is, and how much the whole is, in whatever
            unit; None where that is not known.
        """
        if not self.is_watched:
            yield lambda _count, _done, _total: None
            return
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn  # noqa: PLC0415 - slow, and seldom needed

        count = TextColumn("{task.fields[count]:,} {task.description}, {task.fields[rate]:,.0f} a second")
        with self._live(count, BarColumn(), TimeElapsedColumn(), TextColumn("left:"), TimeRemainingColumn()) as bar:
            task = bar.add_task(what, total=None, count=0, rate=0.0)

            def show(count: int, done: int, total: int | None) -> None:
                bar.update(task, completed=done, total=total, count=count, rate=count / (bar.tasks[0].elapsed or 1))

            yield show

    @contextmanager
    def _live(self, *columns: "ProgressColumn") -> Iterator["Progress"]:
        """A line that moves; results that go to the same terminal are written above it."""
        from rich.progress import Progress  # noqa: PLC0415 - slow, and seldom needed

        results = self._results
        with Progress(*columns, console=self._notes, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
            if results.is_terminal:
                self._results = self._notes
            try:
                yield bar
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
