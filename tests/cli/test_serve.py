"""``serve``, as a process that mail servers deliver to."""

import asyncio
import contextlib
import json
import re
import signal
import smtplib
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from optoutkit.stores.opening import open_store
from optoutkit.testing.notices import notice_mail

Run = Callable[..., Any]

DEADLINE = 30
ORDER = "302-1234567-7654321"
NOTICE = notice_mail(language="de", order_ids=[ORDER])
FORGED = NOTICE.replace(b"@amazon.com", b"@arnazon.com")
USUAL = ("--minimum-trust", "unverified", "--quarantine", "q")


class Served:
    """A process that serves."""

    def __init__(self, *arguments: str, listening: int = 1) -> None:
        command = [sys.executable, "-m", "optoutkit.cli", "serve", *USUAL, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        self.notes = [self.process.stderr.readline() for _ in range(listening)]
        self.ports = [int(number) for number in re.findall(r"^note: listening by \w+ at .*:(\d+)$", "".join(self.notes), re.MULTILINE)]

    def deliver(self, raw: bytes, *recipients: str) -> tuple[int, bytes]:
        """Deliver a mail by LMTP; the answer."""
        with smtplib.LMTP("127.0.0.1", self.ports[0], timeout=DEADLINE) as client:
            client.ehlo()
            client.mail("bounce@amazon.de")
            for recipient in recipients:
                answer = client.rcpt(recipient)
                if answer[0] != 250:
                    return answer
            return client.data(raw)

    def line(self) -> str:
        """The next line of output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Ask it to end: its exit code, and what it has said since."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, out, err


@pytest.fixture
def served(_in_empty_folder: None) -> Iterator[Callable[..., Served]]:
    """Start a process; it is ended after the test."""
    made = []

    def start(*arguments: str, **options: Any) -> Served:
        made.append(Served(*arguments, **options))
        return made[-1]

    yield start
    for one in made:
        if one.process.returncode is None:
            one.process.kill()
            one.process.communicate()


def entries(seller: str = "") -> set[str]:
    """What the default store has."""
    with open_store("sqlite:///optouts.db") as store:
        return {str(entry.identity) for entry in store.scan(seller=seller)}


def test_recipients_decide_the_list(served: Any, tmp_path: Path) -> None:
    """One process for many sellers; each mail is shown at once, and all are summed up at the end."""
    process = served("--lmtp", "127.0.0.1:0", "--recipient", "notices@example.com", "--recipient", "@shop.example=Shop 1.x")
    assert process.deliver(NOTICE, "notices+tag@example.com")[0] == 250
    assert re.fullmatch(r"recorded     mail [0-9a-f]{16}: 1 opt-outs \(trust unverified\)\n", process.line())
    assert process.deliver(FORGED, "any@shop.example")[0] == 250
    assert re.fullmatch(r"quarantined  mail [0-9a-f]{16}, seller Shop 1.x: 0 opt-outs \(trust forged\); it is forged\n", process.line())
    assert process.deliver(NOTICE, "any@shop.example")[0] == 250
    process.line()
    assert process.deliver(NOTICE, "stranger@example.com")[0] == 550
    assert process.deliver(b"Subject: hello\n\n", "notices@example.com")[0] == 250
    assert process.end() == (0, "mails: 4; recorded: 2, known: 0, ignored: 1, quarantined: 1, retry: 0\n", "")
    assert entries() == entries("Shop 1.x") == {ORDER}
    assert [path.parent.name for path in tmp_path.glob("q/**/*.eml")] == ["Shop%201%2Ex"]


def test_json(served: Any, run: Run) -> None:
    """An object for each mail and seller, with no address and no order, since it may well end up in a log."""
    run("link", ORDER, "somebody-else@marketplace.amazon.de")
    process = served("--lmtp", "127.0.0.1:0", "--recipient", "a@example.com", "--format", "json", "--verbose")
    with_buyer = notice_mail(language="de", order_ids=[ORDER], buyer="abc@marketplace.amazon.de")
    for raw in (with_buyer, b"Subject: hello\n\n"):
        process.deliver(raw, "a@example.com")
    first, second = process.line(), process.line()
    assert json.loads(first) == {
        "seller": "",
        "status": "recorded",
        "reason": "",
        "trust": "unverified",
        "recorded": 2,
        "contradicted": 1,
        "mail_id": json.loads(first)["mail_id"],
        "is_set_aside": False,
    }
    assert (json.loads(second)["status"], json.loads(second)["trust"]) == ("ignored", None)
    assert process.end()[1] == ""


def test_text_of_what_was_not_asked_or_contradicts(served: Any, run: Run) -> None:
    """As much as a log needs."""
    run("link", ORDER, "somebody-else@marketplace.amazon.de")
    process = served("--lmtp", "127.0.0.1:0", "--recipient", "a@example.com", "--verbose")
    for raw in (notice_mail(language="de", order_ids=[ORDER], buyer="abc@marketplace.amazon.de"), b"Subject: hello\n\n"):
        process.deliver(raw, "a@example.com")
    assert process.line().endswith(": 2 opt-outs (trust unverified, 1 contradicted links)\n")
    assert process.line().endswith(": 0 opt-outs (trust not asked)\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_mails_in_hand_are_finished(served: Any, number: signal.Signals, code: int) -> None:
    """A client that is in the middle of its mail is answered after the signal, and what it brought is recorded."""
    process = served("--lmtp", "127.0.0.1:0", "--recipient", "a@example.com")
    client = smtplib.LMTP("127.0.0.1", process.ports[0], timeout=DEADLINE)
    idle = smtplib.LMTP("127.0.0.1", process.ports[0], timeout=DEADLINE)
    client.ehlo()
    client.mail("bounce@amazon.de")
    client.rcpt("a@example.com")
    assert client.docmd("DATA")[0] == 354
    process.process.send_signal(number)
    assert idle.getreply()[0] == 421  # it ends
    client.send(NOTICE + b".\r\n")
    assert client.getreply()[0] == 250
    assert client.getreply()[0] == 421
    client.close()
    idle.close()
    out, _ = process.process.communicate(timeout=DEADLINE)
    assert process.process.returncode == code
    assert out.startswith("recorded ")
    assert entries() == {ORDER}


def test_nobody_reads_what_it_says(served: Any) -> None:
    """Mails are taken in all the same."""
    process = served("--lmtp", "127.0.0.1:0", "--recipient", "a@example.com")
    process.process.stdout.close()
    assert process.deliver(NOTICE, "a@example.com")[0] == 250
    assert process.deliver(NOTICE, "a@example.com")[0] == 250
    assert entries() == {ORDER}


def test_where_it_listens(served: Any, tmp_path: Path) -> None:
    """Several addresses, of both protocols; a Unix socket is gone afterwards."""
    process = served("--lmtp", "./lmtp.sock", "--smtp", "127.0.0.1:0", "--smtp", "[::1]:0", "--recipient", "a@example.com", listening=3)
    assert [note.rpartition(":")[0] for note in process.notes[1:]] == [
        "note: listening by SMTP at 127.0.0.1",
        "note: listening by SMTP at [::1]",
    ]
    with smtplib.LMTP(str(tmp_path / "lmtp.sock")) as client:
        assert client.sendmail("bounce@amazon.de", ["a@example.com"], NOTICE) == {}
    with smtplib.SMTP("127.0.0.1", process.ports[0]) as client:
        assert client.sendmail("bounce@amazon.de", ["a@example.com"], NOTICE) == {}
    assert process.end()[1].splitlines()[-1] == "mails: 2; recorded: 1, known: 1, ignored: 0, quarantined: 0, retry: 0"
    assert not (tmp_path / "lmtp.sock").exists()


def test_by_default_it_speaks_lmtp(served: Any) -> None:
    """At a port of its own on this machine, unless somebody else is there."""
    (note,) = served("--recipient", "a@example.com").notes
    assert re.match(r"note: listening by LMTP at 127\.0\.0\.1:2424$|error: cannot listen at 127\.0\.0\.1:2424: ", note)


def test_other_machines(served: Any, run: Run) -> None:
    """Only if somebody says so, and then with a warning."""
    done = run("serve", *USUAL, "--recipient", "a@example.com", "--smtp", "0.0.0.0:0")
    assert (done.code, done.err) == (2, "error: other machines can reach 0.0.0.0:0, which has to be allowed expressly\n")
    process = served("--recipient", "a@example.com", "--smtp", "0.0.0.0:0", "--allow-remote", listening=2)
    assert process.notes[0] == "listening at 0.0.0.0:0, which other machines can reach\n"


def test_limits(served: Any) -> None:
    """The largest mail, and the most connections."""
    process = served("--lmtp", "127.0.0.1:0", "--recipient", "a@example.com", "--max-bytes", "1000", "--max-connections", "1")
    assert process.deliver(NOTICE + b"x" * 1000, "a@example.com")[0] == 552
    with smtplib.LMTP("127.0.0.1", process.ports[0], timeout=DEADLINE), pytest.raises(smtplib.SMTPConnectError, match="421"):
        smtplib.LMTP("127.0.0.1", process.ports[0], timeout=DEADLINE)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "Missing option '--recipient'"),
        (["--recipient", "nobody", "--quarantine", "q"], "nobody"),
        (["--recipient", "a@b.example=x", "--recipient", "a@b.example=y", "--quarantine", "q"], "a@b.example stands for two sellers"),
        (["--recipient", "a@b.example"], "Missing option '--quarantine'"),
        (["--recipient", "a@b.example=x", "--quarantine", "missing/q"], "cannot keep mails in the quarantine folder missing/q"),
        (["--recipient", "a@b.example", "--quarantine", "q", "--lmtp", "nowhere"], "not an address to listen at"),
        (["--recipient", "a@b.example", "--quarantine", "q", "--lmtp", "missing/lmtp.sock"], "cannot listen at missing/lmtp.sock"),
    ],
)
def test_wrong_options(run: Run, arguments: list[str], why: str) -> None:
    """One line each, and nothing is served."""
    done = run("serve", *arguments)
    assert (done.code, done.out) == (2, "")
    assert why in done.err
    assert done.err.count("\n") == 1


def test_a_store_that_cannot_be_reached(run: Run) -> None:
    """Told at once, with the exit code that lets a supervisor try again."""
    open_store("sqlite:///optouts.db").close()
    with contextlib.closing(sqlite3.connect("optouts.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = run("serve", *USUAL, "--recipient", "a@example.com", "--store", "sqlite:///optouts.db?timeout=0.01")
    assert done.code == 75
    assert done.err.startswith("error: ")


def test_clients_of_all_kinds(served: Any, program: Any, tmp_path: Path) -> None:
    """By both protocols; the store is the same."""
    process = served("--lmtp", "127.0.0.1:0", "--smtp", "127.0.0.1:0", "--recipient", "a@example.com", listening=2)
    (tmp_path / "notice.eml").write_bytes(NOTICE.replace(b"\r\n", b"\n"))
    for protocol, port in zip(("LMTP", "SMTP"), process.ports, strict=True):
        done = subprocess.run(
            [program("swaks"), "--server", f"127.0.0.1:{port}", "--protocol", protocol, "--to", "a@example.com", "--data", "@notice.eml"],
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert done.returncode == 0, done.stdout
    sent = aiosmtplib.send(
        NOTICE, sender="b@amazon.de", recipients=["a@example.com"], hostname="127.0.0.1", port=process.ports[1], start_tls=False
    )
    assert asyncio.run(sent)[0] == {}
    assert process.end()[1].splitlines()[-1] == "mails: 3; recorded: 1, known: 2, ignored: 0, quarantined: 0, retry: 0"
