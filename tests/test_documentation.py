"""What the documentation says, held against the code: every example runs, and what is told in tables is true."""

import doctest
import importlib
import itertools
import os
import re
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import attrs
import click
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from sybil import Document, Example
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser, SkipParser
from sybil.typing import Parser

import optoutkit
from optoutkit import Address, Classification, Guard, Message, OptOut, OrderId, Policy, Topic, open_store
from optoutkit.cli.exit_codes import ExitCode
from optoutkit.cli.program import PROGRAM
from optoutkit.errors import StoreUnavailable
from optoutkit.marketplaces import MARKETPLACES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
PACKAGE = Path(optoutkit.__file__).parent
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class LoopbackController(Controller):
    """An SMTP server at a port that the system chooses."""

    def _trigger_server(self) -> None:
        """Find out the port before aiosmtpd connects to it."""
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture
def smtp_at_default_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let ``smtplib.SMTP("localhost")``, and aiosmtplib, find a server, as they do on many machines."""
    controller = LoopbackController(Sink(), hostname="127.0.0.1", port=0)
    controller.start()
    monkeypatch.setattr(smtplib.SMTP, "default_port", controller.port)
    monkeypatch.setattr("aiosmtplib.smtp.SMTP_PORT", controller.port)
    yield
    controller.stop()


def run_console(example: Example) -> str | None:
    """Run the lines that begin with ``$``; what they print, errors too, must be what stands below them."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", example.parsed, re.MULTILINE):
        done = subprocess.run(
            command, shell=True, env={**os.environ, "PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if not doctest.OutputChecker().check_output(expected, done.stdout, OPTIONS):
            return f"$ {command}\nExpected:\n{expected}\nGot:\n{done.stdout}"
    return None


def a_message() -> EmailMessage:
    """What an example may take for granted: the reader's own ``message``."""
    message = EmailMessage()
    message["From"] = "shop@example.com"
    message["To"] = "7yxwc3c8k00p1k3@marketplace.amazon.de"
    message["Subject"] = "Your order 302-1234567-7654321"
    message.set_content("Thank you! Please leave us a review.")
    return message


@pytest.mark.usefixtures("smtp_at_default_port")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after another, beside ``examples``, with an SMTP server at the default port."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    parsers: list[Parser] = [PythonCodeBlockParser(doctest_optionflags=OPTIONS), SkipParser()]
    if page.parent == DOCS:  # those of the README are for mailboxes of the reader's
        parsers.append(CodeBlockParser("console", run_console))
    document = Document.parse(str(page), *parsers)
    document.namespace["message"] = a_message()
    try:
        for example in document.examples():
            example.evaluate()
    finally:
        for value in document.namespace.values():  # as when the reader's program ends
            if hasattr(value, "close") and not isinstance(value, type):
                value.close()


def modules_with_examples() -> list[str]:
    """The names of all modules of the package in whose docstrings there are examples."""
    files = (file for file in sorted(PACKAGE.rglob("*.py")) if ">>> " in file.read_text(encoding="utf-8"))
    return [".".join(("optoutkit", *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__") for file in files]


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_in_docstrings_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the public names at hand, as a reader would import them."""
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    names = {public: getattr(optoutkit, public) for public in optoutkit.__all__} | vars(module)
    assert doctest.testmod(module, globs=names, optionflags=OPTIONS).failed == 0


def test_every_public_name_is_in_the_reference() -> None:
    """Each name of the top level, and each error, has its place there."""
    reference = (DOCS / "reference.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\.\. (?:auto|py:)\w+:: optoutkit\.(\w+)$", reference, re.MULTILINE))
    assert {name for name in optoutkit.__all__ if getattr(getattr(optoutkit, name), "__module__", "") != "optoutkit.errors"} <= documented
    assert ".. automodule:: optoutkit.errors" in reference


# amazon.md


def test_citations_lead_somewhere() -> None:
    """Every section that the code cites is on the page, and so is every source that code or page names."""
    page = (DOCS / "amazon.md").read_text(encoding="utf-8")
    files = (file for kind in ("*.py", "*.toml") for file in PACKAGE.rglob(kind))
    code = "\n".join(file.read_text(encoding="utf-8") for file in files)
    cited = {letter for pair in re.findall(r"amazon\.md\s+sections? (\w)\b(?: and (\w)\b)?", code) for letter in pair if letter}
    assert cited
    assert cited <= set(re.findall(r"^## (\w)\. ", page, re.MULTILINE))
    told = "\n".join([page, *(line for line in code.splitlines() if "amazon.md" in line)])
    named = set(re.findall(r"\[([A-Z][A-Z0-9-]+)\]", told))
    assert named == set(re.findall(r"^\* \[([A-Z0-9-]+)\] ", page, re.MULTILINE))


def test_marketplaces_are_those_of_the_code() -> None:
    """The table of section f has a row for each, and no other."""
    page = (DOCS / "amazon.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w\w) \| (\w+) \| (amazon\.[\w.]+) \| ([\w, ]+) \|$", page, re.MULTILINE)
    assert rows == [(store.country, store.id, store.domain, ", ".join(store.languages)) for store in MARKETPLACES]


# classify.md


def test_topics_are_sorted_as_in_the_code() -> None:
    """The page names each topic, the critical ones in the table."""
    page = (DOCS / "classify.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == {topic.value for topic in Topic if topic.critical}
    others = page.partition("These are not:")[2].partition("Amazon itself")[0]
    assert set(re.findall(r"`(\w+)`", others)) == {topic.value for topic in Topic if not topic.critical}


# command-line.md


def test_commands_and_options_are_those_of_the_program() -> None:
    """The table has a row for each command, with all of its options."""
    page = (DOCS / "command-line.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\|([^|]*)\|$", page, re.MULTILINE)
    documented = {command: set(re.findall(r"`(--[\w-]+)`", options)) for command, options in rows}
    context: Any = None
    commands = {name: PROGRAM.get_command(context, name) for name in PROGRAM.list_commands(context)}
    assert documented == {
        name: {option for parameter in parameters(command) for option in parameter.opts if option.startswith("--")}
        for name, command in commands.items()
        if command is not None
    }


def parameters(command: click.Command) -> list[click.Parameter]:
    """The options and arguments of a command, and of those below it."""
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return [*command.params, *(parameter for one in below for parameter in parameters(one))]


def test_exit_codes_are_those_of_the_program() -> None:
    """No more and no less."""
    page = (DOCS / "command-line.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (\d+) \|", page, re.MULTILINE) == [str(code.value) for code in ExitCode]


# guard.md

ORDER = OrderId("302-1234567-7654321")
PARTIES = {"is a buyer": "abc123@marketplace.amazon.de", "is somebody else": "supplier@example.com", "is no address": "nobody"}
DECLARED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a reply": {"reply_to_buyer": True},
    "a custom order": {"custom_order": True},
    "a critical topic": {"topic": "customization"},
    "a topic that is not critical": {"topic": "invoice"},
}
STORES = ("does not answer", "lists the address", "lists the order", "lists neither")


def text_is(critical: bool, solicits: bool) -> Classification:
    """A classifier's answer."""
    topic = Topic.CUSTOMIZATION if critical else Topic.REVIEW_REQUEST if solicits else Topic.INVOICE
    return Classification(critical=critical, solicits=solicits, topic=topic, confidence=1.0, language="en")


TEXTS: dict[frozenset[str], Classification | None] = {
    frozenset({"is critical", "does not solicit"}): text_is(critical=True, solicits=False),
    frozenset({"does not solicit"}): text_is(critical=False, solicits=False),
    frozenset({"solicits"}): text_is(critical=False, solicits=True),
    frozenset({"fails the classifier", "does not solicit"}): None,
}


class Outage:
    """A store that does not answer."""

    def __getattr__(self, name: str) -> Any:
        raise StoreUnavailable(f"no answer to {name}")


@attrs.frozen
class Row:
    """A row of the truth table: conditions, and what comes of them."""

    conditions: tuple[str, ...]
    outcome: tuple[str, str]

    def fits(self, *told: frozenset[str]) -> bool:
        """Whether each condition is met, or is a dash."""
        return all(condition == "–" or condition in facts for condition, facts in zip(self.conditions, told, strict=True))


def truth_table() -> list[Row]:
    """The rows of the table in guard.md."""
    table = (DOCS / "guard.md").read_text(encoding="utf-8").partition("## The order of rules")[2].partition("\n\n*")[0]
    cells = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")]
    return [Row(tuple(row[:4]), (row[4], row[5])) for row in cells[2:]]


@pytest.mark.parametrize("declared", DECLARED)
@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ", ".join(sorted(text)))
def test_the_guards_truth_table_is_true(declared: str, text: frozenset[str]) -> None:
    """For every combination of what a row can ask for, the first row that fits tells what the guard decides."""

    def classify(_message: Message) -> Classification:
        found = TEXTS[text]
        if found is None:
            raise RuntimeError("a broken classifier")
        return found

    for (party, recipient), listed in itertools.product(PARTIES.items(), STORES):
        with open_store("memory://") as memory:
            if listed == "lists the address" and party != "is no address":
                memory.record([OptOut(Address(recipient))])
            elif listed == "lists the order":
                memory.record([OptOut(ORDER)])
            store: Any = Outage() if listed == "does not answer" else memory
            guard = Guard(memory, policy=Policy.AMAZON, classify=classify)
            guard._store = store
            message = Message("", "", to=recipient, order_ids=ORDER, **DECLARED[declared])
            (decision,) = guard.check(message).decisions
        told = (frozenset({declared}), text, frozenset({party}), frozenset({listed}))
        row = next(row for row in truth_table() if row.fits(*told))
        assert (decision.action.value, decision.reason.value) == row.outcome, told


def test_every_row_of_the_truth_table_is_reached() -> None:
    """No row is there in vain, and each condition is one that the test above knows."""
    known = (set(DECLARED), set().union(*TEXTS), set(PARTIES), set(STORES))
    reached = {
        next(
            number
            for number, row in enumerate(truth_table())
            if row.fits(frozenset({declared}), text, frozenset({party}), frozenset({listed}))
        )
        for declared, text, party, listed in itertools.product(DECLARED, TEXTS, PARTIES, STORES)
    }
    assert reached == set(range(len(truth_table())))
    for row in truth_table():
        assert all(condition in {"–", *there} for condition, there in zip(row.conditions, known, strict=True))


def test_policy_fields_and_defaults_are_those_of_the_code() -> None:
    """The page has each field of a policy."""
    page = (DOCS / "guard.md").read_text(encoding="utf-8")
    table = page.partition("| field | default | meaning |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [field.name for field in attrs.fields(Policy)]
