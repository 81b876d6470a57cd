"""``lint``: messages and templates held against Amazon's communication guidelines."""

import os
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import attrs
import click

from optoutkit.cli import reports
from optoutkit.cli.exit_codes import ExitCode
from optoutkit.cli.inputs import NOT_A_MAIL, is_mail, read_bytes
from optoutkit.cli.options import reading
from optoutkit.cli.output import Output
from optoutkit.cli.reports import Finding
from optoutkit.errors import OptOutKitError
from optoutkit.guidelines import check_guidelines
from optoutkit.guidelines.values import known_rules
from optoutkit.messages import Message
from optoutkit.text import charsets
from optoutkit.text.mime import peek

__all__ = ["lint"]

_KINDS = {".eml": "mail", ".html": "html", ".htm": "html", ".txt": "text"}
_MAIL_FIELDS = ("from", "to", "subject", "date", "mime-version", "content-type")
_HTML_SIGNS = ("<!doctype", "<html", "<body", "<head", "<table", "<div", "<p>", "<p ")


class _Lines:
    """Where the lines of a text begin.

    Args:
        text: The text.
    """

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def place(self, offset: int) -> tuple[int, int]:
        """The line and column of a code point, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


@attrs.frozen
class _Document:
    """A message, and the file that it is from.

    Attributes:
        file: As the user named it.
        message: What is in it.
        is_mail: Whether lines are counted within its parts.
    """

    file: str
    message: Message
    is_mail: bool


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--skip",
    metavar="RULE",
    multiple=True,
    callback=reading(lambda name: next(iter(known_rules(name)))),
    help="A rule that is not wanted, such as emoji; a wrong name is answered with all there are. Can be given several times.",
)
@click.option(
    "--allow",
    "allowed",
    metavar="DOMAIN",
    multiple=True,
    help="Where links may lead beside Amazon, such as parcels.example. Can be given several times.",
)
@click.option("--language", metavar="CODE", help="The buyers' language, such as de; what is written in another one is told.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
    help="json: one object a line. sarif: SARIF 2.1.0. github: annotations of a GitHub workflow.",
)
def lint(files: tuple[str, ...], *, skip: tuple[str, ...], allowed: tuple[str, ...], language: str | None, form: str) -> ExitCode:
    """Find what breaks Amazon's communication guidelines in messages and templates.

    FILE is a mail (.eml), HTML (.html), a text (.txt), a folder, in which all files of these kinds are read, or - for standard input.
    Placeholders of templates, such as {{name}}, {order_id}, %s and [[buyer]], break no rule. Findings are told with file, line and column;
    those of a mail are counted within its subject, body or HTML, as decoded.

    The exit code is 1 if a rule is broken. A rule that could not be checked is noted, and changes nothing.

    JSON: an object a finding, with file, part, line, column, rule, explanation, text, start, end (characters of the part), checked.
    """
    out = Output("json" if form in ("json", "sarif") else "text")
    linter = _Linter(frozenset(skip), allowed, language, out)
    _REPORTS[form](linter.findings(files), out)
    for rule, why in linter.unchecked:
        out.note(f"{rule} was not checked: {why}")
    if form == "text" and linter.files:
        out.lines([(f"files: {linter.files}; rules broken: {linter.broken}",)])
    return out.exit_code


@attrs.define
class _Linter:
    """What was asked for, and what came of it so far."""

    skip: frozenset[str]
    allowed: tuple[str, ...]
    language: str | None
    out: Output
    files: int = 0
    broken: int = 0
    unchecked: dict[tuple[str, str], None] = attrs.field(factory=dict)

    def findings(self, paths: Iterable[str]) -> Iterator[Finding]:
        """Check the files one after another."""
        for file in (file for path in paths for file in _files(path, self.out)):
            document = _read(file, self.out)
            if document is not None:
                self.files += 1
                yield from self._check(document)

    def _check(self, document: _Document) -> Iterator[Finding]:
        message = document.message
        texts = {"subject": message.subject, "body": message.body, "html": message.html or "", "": ""}
        lines = {part: _Lines(text) for part, text in texts.items()}
        for violation in check_guidelines(message, skip=self.skip, allowed_domains=self.allowed, order_language=self.language):
            if violation.checked:
                self.broken += 1
                self.out.codes.add(ExitCode.REFUSED)
            else:
                self.unchecked[violation.rule, violation.explanation] = None
            line, column = lines[violation.part].place(violation.start)
            end_line, end_column = lines[violation.part].place(violation.end)
            yield Finding(
                file=document.file,
                part=violation.part if document.is_mail else "",
                line=line,
                column=column,
                end_line=end_line,
                end_column=end_column,
                violation=violation,
            )


_REPORTS: dict[str, Callable[[Iterable[Finding], Output], None]] = {
    "text": reports.write_text,
    "json": reports.write_json,
    "sarif": reports.write_sarif,
    "github": reports.write_github,
}


def _files(path: str, out: Output) -> list[str]:
    """The file, or those in a folder and below, in the order of their names."""
    if path == "-" or not Path(path).is_dir():
        return [path]
    found: list[str] = []
    failed: list[OSError] = []
    for parent, folders, names in os.walk(path, onerror=failed.append):
        folders.sort()
        found += (str(Path(parent) / name) for name in sorted(names) if Path(name).suffix.lower() in _KINDS)
    for error in failed:
        out.error(f"{click.format_filename(error.filename)}: cannot be read: {error.strerror}")
    if not found and not failed:
        out.error(f"{click.format_filename(path)}: there is no file in this folder whose name ends in {', '.join(_KINDS)}")
    return found


def _read(path: str, out: Output) -> _Document | None:
    """Read a file by its kind; None, and an error, if it cannot be read."""
    name = "standard input" if path == "-" else click.format_filename(path)
    raw = read_bytes(path, out)
    if raw is None:
        return None
    kind = _KINDS.get(Path(path).suffix.lower()) or _kind_of(raw)
    shown = click.format_filename(path)
    if kind != "mail":
        text = charsets.decode(raw).replace("\r\n", "\n").replace("\r", "\n")
        return _Document(shown, Message("", "", html=text) if kind == "html" else Message("", text), is_mail=False)
    if not is_mail(raw):
        out.error(f"{name}: {NOT_A_MAIL}")
        return None
    try:
        return _Document(shown, Message.from_email(raw), is_mail=True)
    except OptOutKitError as error:
        out.error(f"{name}: {error}")
        return None


def _kind_of(raw: bytes) -> str:
    """What a file is whose name does not tell."""
    if raw[:1000].decode("utf-8", "replace").lstrip("\ufeff \t\r\n").lower().startswith(_HTML_SIGNS):
        return "html"
    headers = peek(raw)
    return "mail" if any(name in headers for name in _MAIL_FIELDS) else "text"
