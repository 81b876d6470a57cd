"""``optoutkit ingest`` with mailboxes that go on: as a process of its own, with signals, a server and a store that come and go."""

import mailbox
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from optoutkit.cli.program import PROGRAM
from optoutkit.sources.later import Later
from optoutkit.stores.opening import open_store

from .conftest import DEADLINE
from .test_reading import NOTICE

TRUSTED = ("--minimum-trust", "unverified")
WATCH = ("ingest", "--watch", *TRUSTED)
FORGED = NOTICE.replace(b"amazon.de>", b"arnazon.de>")
SUMMARY = "mails: {}; recorded: {}, known: {}, ignored: {}, quarantined: {}, retry: {}\n"


class Running:
    """A command that runs, and whose lines can be waited for."""

    def __init__(self, arguments: tuple[Any, ...], folder: Path, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "optoutkit.cli", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=os.environ | environment,
            text=True,
        )
        self._alarm = threading.Timer(2 * DEADLINE, self._process.kill)
        self._alarm.start()

    def out(self, start: str) -> str:
        """Read lines of results until one starts so."""
        return self._until(self._process.stdout, start)

    def err(self, start: str) -> str:
        """The same of notes and errors."""
        return self._until(self._process.stderr, start)

    @staticmethod
    def _until(lines: Any, start: str) -> str:
        seen = []
        for line in lines:
            seen.append(line)
            if line.startswith(start):
                return str(line)
        raise AssertionError(f"no line starts with {start!r}: {seen}")

    def signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def end(self, number: int | None = None) -> tuple[int, str, str]:
        """Send a signal, and wait for the exit code and the rest of both outputs."""
        if number is not None:
            self.signal(number)
        out, err = self._process.communicate(timeout=DEADLINE)
        return self._process.returncode, out, err

    def close(self) -> None:
        """Leave nothing behind."""
        self._alarm.cancel()
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start a command in an empty folder."""
    all_of_them: list[Running] = []

    def start(*arguments: Any, **environment: str) -> Running:
        all_of_them.append(Running(arguments, tmp_path, **environment))
        return all_of_them[-1]

    yield start
    for one in all_of_them:
        one.close()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: Any, stdin: bytes = b"") -> Any:
        return CliRunner().invoke(PROGRAM, [str(argument) for argument in arguments], input=stdin, catch_exceptions=False)

    return run


@pytest.fixture
def slow_store(tmp_path: Path) -> dict[str, str]:
    """The environment in which ``slow://`` is a store that says when it records, and waits for a line in the pipe ``go`` before it does.

    A line that reads "down" makes it fail.
    """
    (tmp_path / "slow_store.py").write_text(
        """
import sys
from optoutkit.errors import StoreUnavailable
from optoutkit.stores.opening import open_store

class SlowStore:
    def __init__(self):
        self._store = open_store("sqlite:///optouts.db")

    def __getattr__(self, name):
        return getattr(self._store, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._store.close()

    def record(self, opt_outs):
        print("recording", file=sys.stderr, flush=True)
        with open("go") as pipe:
            if pipe.readline() == "down\\n":
                raise StoreUnavailable("down")
        return self._store.record(opt_outs)

class BACKEND:
    open = staticmethod(lambda uri: SlowStore())
"""
    )
    about = tmp_path / "slow_store-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: slow-store\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[optoutkit.stores]\nslow = slow_store:BACKEND\n")
    os.mkfifo(tmp_path / "go")
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    return {"PYTHONPATH": path, "OPTOUTKIT_STORE": "slow://"}


def notice(number: int) -> bytes:
    """A notice for another order."""
    return NOTICE.replace(b"7654321", b"%07d" % number)


def opted_out(folder: Path) -> int:
    """How many are on the list."""
    with open_store(f"sqlite:///{folder}/optouts.db") as store:
        return sum(1 for _ in store.scan())


class TestOnce:
    """Without ``--watch``."""

    def test_a_folder_on_a_server(self, box: Any, mail: bytes, run: Callable[..., Any]) -> None:
        """Its notices are recorded, and what is done is marked; parse marks nothing."""
        box.deliver(NOTICE, mail % b"x", FORGED)
        shown = run("parse", box.uri)
        assert shown.output.startswith("127.0.0.1/INBOX#1: opt-out notice")
        assert box.flags() == {1: set(), 2: set(), 3: set()}
        done = run("ingest", *TRUSTED, box.uri)
        assert done.exit_code == 0
        assert done.stdout.startswith("recorded     127.0.0.1/INBOX#1: opt-out, order 302-1234567-7654321")
        assert done.stdout.endswith(SUMMARY.format(3, 1, 0, 1, 1, 0))
        assert box.flags() == {1: {"\\Seen"}, 2: {"\\Seen"}, 3: set()}

    def test_a_server_that_is_down(self, own_dovecot: Any, run: Callable[..., Any], tmp_path: Path) -> None:
        """Try again later, the exit code says; the other sources are read."""
        own_dovecot.kill()
        (tmp_path / "a.eml").write_bytes(NOTICE)
        done = run("ingest", *TRUSTED, own_dovecot.box().uri, f"file://{tmp_path}/a.eml")
        assert done.exit_code == 75
        assert done.stderr.splitlines()[0] == "error: cannot connect to 127.0.0.1: Connection refused"
        assert done.stdout.startswith(f"recorded     {tmp_path}/a.eml: ")

    def test_a_store_that_cannot_be_opened(self, box: Any, run: Callable[..., Any]) -> None:
        """Nobody waits for it."""
        done = run("ingest", *TRUSTED, box.uri, "--store", "sqlite:///missing/optouts.db")
        assert (done.exit_code, done.stdout) == (75, "")
        assert "its folder does not exist" in done.stderr

    def test_a_uri_that_is_wrong(self, run: Callable[..., Any]) -> None:
        """One line, without the URI."""
        done = run("ingest", "imaps://me:secret@host?x=1")
        assert done.exit_code == 2
        assert done.stderr == ("error: imaps:// has no option 'x'; there is: flag, move, tls, ca, timeout, password_env, password_file\n")

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
    def test_the_mail_in_hand_is_finished(
        self, box: Any, start: Callable[..., Running], slow_store: dict[str, str], tmp_path: Path, number: int, code: int
    ) -> None:
        """It is saved and marked, the next one is not touched, and the summary tells of it."""
        box.deliver(notice(1), notice(2))
        running = start("ingest", *TRUSTED, box.uri, "missing.eml", **slow_store)
        running.err("recording")
        running.signal(number)
        (tmp_path / "go").write_text("\n")
        ended, out, err = running.end()
        assert ended == code
        assert out.startswith("recorded     127.0.0.1/INBOX#1: ")
        assert out.endswith(SUMMARY.format(1, 1, 0, 0, 0, 0))
        assert "missing.eml" not in err
        assert box.flags() == {1: {"\\Seen"}, 2: set()}
        assert opted_out(tmp_path) == 1

    def test_no_mail_in_hand(self, start: Callable[..., Running], tmp_path: Path) -> None:
        """Whoever waits for standard input does so no longer."""
        (tmp_path / "a.eml").write_bytes(NOTICE)
        running = start("ingest", *TRUSTED, "a.eml", "missing.eml", "-")
        running.err("error: there is no file")
        code, out, _ = running.end(signal.SIGINT)
        assert code == 130
        assert out.endswith(SUMMARY.format(1, 1, 0, 0, 0, 0))


class TestWatch:
    """With ``--watch``."""

    def test_mailboxes_of_every_kind(self, box: Any, start: Callable[..., Running], tmp_path: Path) -> None:
        """What arrives in any of them is shown at once, and SIGTERM is the usual end."""
        maildir = mailbox.Maildir(tmp_path / "Maildir")
        (tmp_path / "folder").mkdir()
        (tmp_path / "mbox").touch()
        running = start(*WATCH, box.uri, "Maildir", "folder", f"mbox://{tmp_path}/mbox", "--interval", 0.05)
        assert running.err("note: watching") == f"note: watching 127.0.0.1/INBOX, Maildir, folder, {tmp_path}/mbox\n"
        box.deliver(notice(1))
        running.out("recorded     127.0.0.1/INBOX#1: ")
        maildir.add(notice(2))
        running.out("recorded     Maildir/new/")
        (tmp_path / "folder" / "new.eml").write_bytes(notice(3))
        running.out("recorded     folder/new.eml: ")
        with (tmp_path / "mbox").open("ab") as file:
            file.write(b"From a@example.com Mon Nov 23 08:00:00 2026\n" + notice(4) + b"\n")
        running.out(f"recorded     {tmp_path}/mbox#1: ")
        code, out, err = running.end(signal.SIGTERM)
        assert (code, out) == (0, SUMMARY.format(4, 4, 0, 0, 0, 0))
        assert err.startswith("note: taken in unverified: 4.")
        assert box.flags() == {1: {"\\Seen"}}
        assert opted_out(tmp_path) == 4

    def test_ctrl_c(self, box: Any, start: Callable[..., Running]) -> None:
        """Ends it, too, and the exit code says so."""
        running = start(*WATCH, box.uri)
        running.err("note: watching")
        code, out, _ = running.end(signal.SIGINT)
        assert (code, out) == (130, SUMMARY.format(0, 0, 0, 0, 0, 0))

    def test_a_server_that_comes_later(self, own_dovecot: Any, start: Callable[..., Running]) -> None:
        """It is waited for, and standard error says so."""
        box = own_dovecot.box()
        box.deliver(NOTICE)
        own_dovecot.kill()
        running = start(*WATCH, box.uri)
        running.err("note: cannot connect to 127.0.0.1: Connection refused; trying again")
        own_dovecot.start()
        running.out("recorded     127.0.0.1/INBOX#1: ")
        running.err("note: 127.0.0.1/INBOX works again")
        assert running.end(signal.SIGTERM)[0] == 0

    def test_a_store_that_does_not_answer(
        self, box: Any, start: Callable[..., Running], slow_store: dict[str, str], tmp_path: Path
    ) -> None:
        """It is waited for with the mail in hand, and standard error says so."""
        box.deliver(NOTICE)
        running = start(*WATCH, box.uri, **slow_store)
        running.err("recording")
        (tmp_path / "go").write_text("down\n")
        running.err("note: the store does not answer; trying again")
        running.err("recording")
        assert box.flags() == {1: set()}
        (tmp_path / "go").write_text("\n")
        running.out("recorded     127.0.0.1/INBOX#1: ")
        running.err("note: the store works again")
        assert running.end(signal.SIGTERM)[0] == 0
        assert box.flags() == {1: {"\\Seen"}}

    def test_stopped_while_the_store_does_not_answer(
        self, box: Any, start: Callable[..., Running], slow_store: dict[str, str], tmp_path: Path
    ) -> None:
        """The mail stays where it is, to come again."""
        box.deliver(NOTICE)
        running = start(*WATCH, box.uri, **slow_store)
        running.err("recording")
        running.signal(signal.SIGTERM)
        (tmp_path / "go").write_text("down\n")
        code, out, _ = running.end()
        assert code == 0
        assert out.startswith("retry        127.0.0.1/INBOX#1: ")
        assert out.endswith(SUMMARY.format(1, 0, 0, 0, 0, 1))
        assert box.flags() == {1: set()}

    def test_a_store_that_cannot_be_opened(self, box: Any, start: Callable[..., Running], tmp_path: Path) -> None:
        """It is waited for before any mail is asked for."""
        box.deliver(NOTICE)
        running = start(*WATCH, box.uri, "--store", "sqlite:///later/optouts.db")
        assert "its folder does not exist" in running.err("note: ")
        (tmp_path / "later").mkdir()
        running.out("recorded     127.0.0.1/INBOX#1: ")
        running.err("note: the store works again")
        assert running.end(signal.SIGTERM)[0] == 0

    def test_stopped_while_the_store_cannot_be_opened(self, box: Any, start: Callable[..., Running]) -> None:
        """At once."""
        running = start(*WATCH, box.uri, "--store", "sqlite:///later/optouts.db")
        running.err("note: ")
        assert running.end(signal.SIGTERM)[:2] == (0, SUMMARY.format(0, 0, 0, 0, 0, 0))

    def test_what_is_not_accepted_is_shown_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Though it comes again and again, as long as there is no quarantine folder."""
        monkeypatch.setattr(Later.__init__, "__kwdefaults__", {"first": 0.01, "clock": time.monotonic})
        maildir = mailbox.Maildir(tmp_path / "Maildir")
        maildir.add(FORGED)
        shown = self._watched(tmp_path, rounds=3)
        assert len(shown) == 1
        assert shown[0].startswith("quarantined")

    @staticmethod
    def _watched(folder: Path, *, rounds: int) -> list[str]:
        """What is shown of the mails of a Maildir that are given several times."""
        from optoutkit.authentication import Trust
        from optoutkit.cli.ingesting import _watched
        from optoutkit.cli.output import Output
        from optoutkit.intake import Intake
        from optoutkit.sources import Stop
        from optoutkit.stores.memory import MemoryStore

        stop = Stop()
        given: list[None] = []

        def hook(_: Any) -> None:
            given.append(None)
            if len(given) == rounds:
                stop.set()

        intake = Intake(MemoryStore(), minimum_trust=Trust.UNVERIFIED, hook=hook)
        return [result.status.value for _, result in _watched([str(folder / "Maildir")], 0.01, intake, stop, Output("json"))]

    @pytest.mark.parametrize(("what", "why"), [("-", "standard input ends by itself"), ("missing", "there is no file or folder missing")])
    def test_what_cannot_be_watched(self, run: Callable[..., Any], what: str, why: str) -> None:
        """One line, and exit code 2."""
        done = run(*WATCH, what)
        assert done.exit_code == 2
        assert done.stderr.startswith(f"error: {why}")
