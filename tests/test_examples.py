"""The examples, and the commands of the README that use them."""

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from optoutkit.cli.exit_codes import ExitCode
from optoutkit.cli.program import PROGRAM

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
README = ROOT / "README.md"

# What becomes of each mail of the inbox if the mailbox is trusted, its form and language, the orders it names, the buyer.
INBOX: dict[str, tuple[str, str | None, str | None, tuple[str, ...], str | None]] = {
    "01-direct-italian": ("recorded", "direct", "it", ("404-5812973-2204361",), "3kq7vz2hx9tw4bd@marketplace.amazon.it"),
    "02-direct-english": ("recorded", "direct", "en", ("112-6604815-9273042",), None),
    "03-direct-japanese": ("recorded", "direct", "ja", ("249-3306172-8814539",), None),
    "04-auto-forwarded-german": ("recorded", "auto_forwarded", "de", ("302-4471806-5590237",), None),
    "05-forwarded-by-hand-gmail-french": ("recorded", "inline_forward", "fr", ("403-7725590-1168324",), None),
    "06-forwarded-by-hand-outlook-english": ("recorded", "inline_forward", "en", ("204-8830215-6649971",), None),
    "07-attached-italian": ("recorded", "attached", "it", ("408-2290647-7713358",), "w8ntk5p2rj7zq4h@marketplace.amazon.it"),
    "08-message-of-a-buyer-german": ("ignored", None, None, (), None),
    "09-bounce": ("ignored", None, None, (), None),
    "10-account-restricted-english": ("ignored", "direct", "en", ("113-4027739-8802615",), None),
    "11-look-alike-german": ("quarantined", "direct", "de", ("302-7715408-2263914",), None),
}

# What becomes of each draft of the outbox, recipient by recipient, once the inbox is read and the orders are linked; and by which rule.
OUTBOX: dict[str, tuple[str, ...]] = {
    "01-address-question-german": ("send critical",),
    "02-engraving-question-english": ("send critical",),
    "03-delivery-appointment-french": ("send critical",),
    "04-review-request-english": ("suppress opted_out",),
    "05-review-request-italian-other-order": ("suppress opted_out",),
    "06-address-question-with-review-plea-german": ("suppress opted_out",),
    "07-reply-english": ("suppress opted_out",),
    "08-several-recipients-italian": ("suppress opted_out", "send not_opted_out", "send not_opted_out"),
    "09-shipping-confirmation-japanese": ("suppress opted_out",),
    "10-invoice-marked-important-german": ("suppress opted_out",),
    "11-review-request-french": ("send not_opted_out",),
    "12-care-instructions-german": ("send not_opted_out",),
    "13-thank-you-english-other-order": ("suppress opted_out",),
}

Run = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a copy of the examples; see the JSON it writes."""
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("optouts.db*", "quarantine"))
    monkeypatch.chdir(tmp_path / "examples")
    monkeypatch.delenv("OPTOUTKIT_STORE", raising=False)

    def run(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
        result = CliRunner().invoke(PROGRAM, [*arguments, "--format", "json"], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    return run


def by_stem(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By the name of the file, without folder and ending."""
    return {Path(record["file"]).stem: record for record in records}


def test_the_inbox_is_read_as_told(run: Run) -> None:
    """Every mail is recorded, ignored or quarantined as its name promises, with the orders and the buyer it names."""
    found = {}
    for name, record in by_stem(run("ingest", "inbox", "--minimum-trust", "unverified", "--quarantine", "quarantine", "--verbose")).items():
        notice = record["notice"] or {}
        found[name] = (
            record["status"],
            notice.get("form"),
            notice.get("language"),
            tuple(notice.get("order_ids", ())),
            notice.get("buyer"),
        )
    assert found == INBOX


def test_nothing_of_the_inbox_is_proved(run: Run) -> None:
    """The mails bear no signatures: without the owner's word, none is recorded."""
    records = run("ingest", "inbox")
    assert {record["status"] for record in records} == {"quarantined", "ignored"}
    assert [name for name, record in by_stem(records).items() if record["trust"] == "forged"] == ["11-look-alike-german"]


def test_the_outbox_is_judged_as_told(run: Run) -> None:
    """Every draft goes, or not, as its name promises."""
    run("ingest", "inbox", "--minimum-trust", "unverified")
    run("link", "order-report.tsv")
    records = by_stem(run("check", "outbox", code=1))
    found = {
        name: tuple(f"{decision['action']} {decision['reason']}" for decision in record["decisions"]) for name, record in records.items()
    }
    assert found == OUTBOX


def test_a_reply_goes_by_the_users_word(run: Run) -> None:
    """Its headers alone do not make it one."""
    run("ingest", "inbox", "--minimum-trust", "unverified")
    (record,) = run("check", "outbox/07-reply-english.eml", "--reply")
    assert [decision["reason"] for decision in record["decisions"]] == ["declared_reply"]


def test_another_order_of_a_buyer_is_known_by_links_only(run: Run) -> None:
    """From a notice that names the buyer, or from an order report; a notice of 2017 names neither buyer nor other orders."""
    run("ingest", "inbox", "--minimum-trust", "unverified")
    run("check", "outbox/05-review-request-italian-other-order.eml", code=1)
    run("check", "outbox/13-thank-you-english-other-order.eml", code=0)
    run("link", "order-report.tsv")
    run("check", "outbox/13-thank-you-english-other-order.eml", code=1)


def blocks(kind: str) -> list[str]:
    """The fenced blocks of one kind in the README."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_the_first_command_of_the_readme_shows_the_main_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it runs after the installation works twice, makes nothing that git does not ignore, and shows what the README says."""
    (line,) = blocks("sh")[0].splitlines()
    assert line.startswith("python3 -m venv .venv && .venv/bin/python -m pip install ")
    commands = [shlex.split(command.strip(" ()")) for command in line.split("&&")]
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("optouts.db*", "quarantine"))
    monkeypatch.chdir(tmp_path / "examples")
    monkeypatch.delenv("OPTOUTKIT_STORE", raising=False)
    before = set(Path().rglob("*"))
    first_shown = set[str]()
    for _ in range(2):
        shown = ""
        for program, *arguments in commands:
            if program.endswith("/optoutkit"):
                result = CliRunner().invoke(PROGRAM, arguments, catch_exceptions=False)
                assert result.exit_code == 0, result.output
                shown += result.output
        assert all(f"{name}.eml" in shown for name in (*INBOX, *OUTBOX))
        assert "this mailbox is mine" in shown
        first_shown = first_shown or set(shown.splitlines())
    (extract, *_) = blocks("console")
    assert set(extract.splitlines()) <= first_shown
    made = {path.parts[0] for path in set(Path().rglob("*")) - before}
    assert made <= {"optouts.db", "optouts.db-wal", "optouts.db-shm", "quarantine"}


def test_the_second_command_of_the_readme_runs_the_tests() -> None:
    """CI runs this very line."""
    assert blocks("sh")[1:] == [
        "python3 -m venv .venv-test && .venv-test/bin/python -m pip install --quiet 'nox[uv]' && .venv-test/bin/nox --session tests\n"
    ]


def test_the_readme_has_the_exit_codes_of_the_help() -> None:
    """One table, in two places."""
    rows = README.read_text(encoding="utf-8").replace("`", "").splitlines()
    assert {f"| {code.value} | {code.meaning} |" for code in ExitCode} <= set(rows)
    commands = {name for row in rows if row.startswith("| ") for name in row.split("|")[1].replace(",", "").split()}
    assert set(PROGRAM.list_commands(None)) <= commands  # type: ignore[arg-type]
