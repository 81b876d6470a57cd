"""The program as a whole: start, help, exit codes, errors, streams."""

import os
import signal
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from optoutkit.cli.exit_codes import ExitCode, worst
from optoutkit.cli.program import PROGRAM
from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores.opening import open_store

Run = Callable[..., Any]
Draft = Callable[..., Path]

BUYER = Address("5vd9kx2mz7rq8tn@marketplace.amazon.de")
COMMANDS = PROGRAM.list_commands(None)  # type: ignore[arg-type]


class TestHelp:
    """``--help`` and ``--version``."""

    def test_it_names_every_command_and_exit_code(self, run: Run) -> None:
        """So that nobody needs the manual for a script."""
        done = run("--help")
        assert done.code == 0
        for name in [*COMMANDS, *(str(code.value) for code in ExitCode)]:
            assert f"\n  {name} " in done.out

    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_loads_and_explains_itself(self, run: Run, command: str) -> None:
        """Its JSON, too; only sendmail has none, for which ``-h`` is a number of hops."""
        for option in ("--help", "-h")[: 1 if command == "sendmail" else 2]:
            done = run(command, option)
            assert done.code == 0
            assert f"Usage: optoutkit {command} " in done.out
            assert ("JSON: an object" in done.out) == (command != "sendmail")

    def test_without_a_command_it_shows_the_help(self, run: Run) -> None:
        """And says by the exit code that nothing was done."""
        done = run()
        assert (done.code, done.out) == (2, run("--help").out)

    def test_it_tells_its_version(self, run: Run) -> None:
        """The package's own."""
        import optoutkit

        assert run("--version").out == f"optoutkit {optoutkit.__version__}\n"

    @pytest.mark.parametrize("arguments", [["--help"], ["list", "--help"], ["add", "a@b.example", "--store", "memory://"]])
    def test_it_starts_without_what_it_does_not_need(self, arguments: list[str]) -> None:
        """No model, no DNS, no signature checking, no mail parser for help and list."""
        program = (
            "import sys; from optoutkit.cli.program import PROGRAM; PROGRAM.main(sys.argv[1:], standalone_mode=False);"
            "print(*sys.modules, sep='\\n')"
        )
        done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
        heavy = {"dns", "dkim", "mailparser", "optoutkit.classifier", "optoutkit.authentication", "optoutkit.notices", "numpy"}
        assert not heavy & set(done.stdout.splitlines())
        if arguments == ["--help"]:
            assert "rich.console" not in done.stdout.splitlines()


class TestExtra:
    """The extra ``cli``."""

    @pytest.mark.parametrize("missing", ["click", "rich"])
    def test_without_it_one_line_says_how_to_get_it(self, missing: str) -> None:
        """And no traceback."""
        program = f"import sys; sys.modules[{missing!r}] = None; from optoutkit.cli.__main__ import main; main()"
        done = subprocess.run([sys.executable, "-c", program, "--help"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "error: The command line needs an optional package. Install it with: pip install 'optoutkit[cli]'\n"


class TestErrors:
    """Whatever goes wrong is one line on standard error and a documented exit code."""

    @pytest.mark.parametrize(
        ("arguments", "code", "why"),
        [
            (["nonsense"], 2, "No such command 'nonsense'. See: optoutkit --help"),
            (["--nonsense"], 2, "No such option"),
            (["list", "--nonsense"], 2, "No such option"),
            (["list", "--format", "xml"], 2, "Invalid value for '--format'"),
            (["list", "--store", "optouts.db"], 2, "a store URI begins with a scheme and ://"),
            (["list", "--store", "mysql://x"], 2, "there is no store for mysql://; there is: memory://, "),
            (["list", "--store", "memory://?x=1"], 2, "memory:// has no option 'x'"),
            (["add", "a@b.example", "--store", "sqlite:///missing/optouts.db"], 75, "its folder does not exist"),
            (["add", "a@b.example", "--store", "sqlite:///."], 75, "it is a folder"),
            (["list", "--store", "sqlite:///notes.txt"], 2, "it is not an SQLite file"),
            (["list", "--store", "sqlite:///newer.db"], 2, "newer"),
        ],
    )
    @pytest.mark.parametrize("by", ["run", "process"])
    def test_one_line(self, request: pytest.FixtureRequest, tmp_path: Path, by: str, arguments: list[str], code: int, why: str) -> None:
        """In the process of a test and in one of its own."""
        (tmp_path / "notes.txt").write_text("these are my notes " * 100)
        open_store("sqlite:///newer.db").close()
        with closing(sqlite3.connect("newer.db")) as connection:
            connection.execute("PRAGMA user_version = 999")
        done = request.getfixturevalue(by)(*arguments)
        assert (done.code, done.out) == (code, "")
        assert done.err.startswith("error: ")
        assert why in done.err
        assert done.err.count("\n") == 1

    def test_a_folder_that_cannot_be_written(self, run: Run, tmp_path: Path, unprivileged: Any) -> None:
        """The store says what to do."""
        run("list", "--store", "memory://")  # loads what it needs
        tmp_path.chmod(0o555)
        with unprivileged():
            done = run("add", BUYER)
        assert done.code == 75
        assert done.err.count("\n") == 1
        assert "optouts.db: it cannot be made, Permission denied: let this user write its folder, or name a file elsewhere" in done.err

    def test_a_folder_that_must_not_be_entered(self, run: Run, tmp_path: Path, unprivileged: Any) -> None:
        """A store in it may be there all the same."""
        run("list", "--store", "memory://")  # loads what it needs
        (tmp_path / "secrets").mkdir(mode=0)
        with unprivileged():
            done = run("list", "--store", "sqlite:///secrets/optouts.db")
        assert done.code == 75
        assert done.err.count("\n") == 1
        assert "let this user" in done.err

    def test_a_locked_store_means_try_again(self, run: Run) -> None:
        """Nothing is lost, and the exit code is that of a temporary failure."""
        open_store("sqlite:///optouts.db").close()
        with closing(sqlite3.connect("optouts.db", isolation_level=None)) as other:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            done = run("add", BUYER, "--store", "sqlite:///optouts.db?timeout=0.01")
        assert done.code == 75
        assert "another program keeps it locked" in done.err

    def test_the_store_can_be_named_in_the_environment(self, process: Run) -> None:
        """And an option goes before it."""
        process("add", BUYER, OPTOUTKIT_STORE="sqlite:///elsewhere.db")
        assert process("list", "--store", "sqlite:///elsewhere.db", "--format", "json").record["identity"] == BUYER.key
        assert process("list", "--store", "memory://", OPTOUTKIT_STORE="sqlite:///elsewhere.db").out == ""

    def test_a_password_is_not_repeated(self, run: Run) -> None:
        """Error lines end up in logs."""
        assert "hunter2" not in run("list", "--store", "mysql://me:hunter2@host/x").err

    def test_called_by_a_program_it_does_not_end_it(self) -> None:
        """It returns the exit code instead."""
        assert PROGRAM.main(["list", "--store", "memory://"], standalone_mode=False) == ExitCode.DONE
        assert PROGRAM.main(["list", "--store", "foo"], standalone_mode=False) == ExitCode.BAD_INPUT


class TestStreams:
    """Standard output and error."""

    @pytest.mark.parametrize(("form", "colour"), [("text", {}), ("text", {"FORCE_COLOR": "1"}), ("json", {})])
    @pytest.mark.parametrize("command", ["list", "classify"])
    def test_a_reader_that_goes_away_is_no_error(self, draft: Draft, command: str, form: str, colour: dict[str, str]) -> None:
        """``optoutkit list | head -1`` ends without a word, whatever is still to be written."""
        with open_store("sqlite:///optouts.db") as store:
            store.record(OptOut(Address(f"{number}@example.com")) for number in range(5000))
        for number in range(50):
            draft(f"box/{number}.eml", "Please leave a product review on Amazon.\n" * 20)
        arguments = ["classify", "box"] if command == "classify" else ["list"]
        with subprocess.Popen(
            [sys.executable, "-m", "optoutkit.cli", *arguments, "--format", form],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | colour,
        ) as child:
            assert child.stdout is not None
            assert child.stderr is not None
            child.stdout.readline()
            child.stdout.close()
            assert child.stderr.read() == b""
        assert child.returncode == ExitCode.PIPE_CLOSED

    def test_ctrl_c_is_no_error(self, tmp_path: Path) -> None:
        """It ends without a word, with the exit code a shell expects."""
        os.mkfifo(tmp_path / "pipe")
        with (
            subprocess.Popen(
                [sys.executable, "-m", "optoutkit.cli", "link", "pipe"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as child,
            (tmp_path / "pipe").open("w"),
        ):  # returns when the command has opened it, and waits for what comes
            child.send_signal(signal.SIGINT)
            out, err = child.communicate()
        assert (out, err, child.returncode) == (b"", b"", ExitCode.INTERRUPTED)

    def test_ctrl_c_in_the_midst_of_a_command(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """The same, wherever it strikes."""

        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("click.Group.invoke", interrupted)
        done = run("list")
        assert (done.out, done.err, done.code) == ("", "", ExitCode.INTERRUPTED)

    def test_what_is_meant_for_users_is_a_note(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """Warnings for programmers are left to Python."""

        def warn(*_: object) -> None:
            warnings.warn("set\nthis", UserWarning, stacklevel=1)
            warnings.warn("call that", DeprecationWarning, stacklevel=1)

        monkeypatch.setattr("click.Group.invoke", warn)
        with pytest.warns(DeprecationWarning, match="call that") as others:
            done = run("list")
        assert (done.out, done.err, len(others)) == ("", "note: set this\n", 1)

    @pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
    @pytest.mark.parametrize("form", ["text", "json"])
    def test_closed_streams_are_no_error(self, closed: str, form: str) -> None:
        """As cron jobs and daemons may have them."""
        command = f'"{sys.executable}" -m optoutkit.cli add {BUYER} --format {form} {closed}'
        assert subprocess.run(["sh", "-c", command], check=False).returncode == 0
        with open_store("sqlite:///optouts.db") as store:
            assert len(list(store.scan())) == 1

    @pytest.mark.parametrize("command", ["classify", "check --store memory://", "parse", "ingest", "link"])
    def test_a_closed_standard_input_is_an_empty_one(self, command: str) -> None:
        """One line, and no traceback."""
        done = subprocess.run(
            ["sh", "-c", f'"{sys.executable}" -m optoutkit.cli {command} - <&-'], check=False, capture_output=True, text=True
        )
        assert done.returncode == 2
        assert done.stderr.startswith("error: standard input: not an ")
        assert done.stderr.count("\n") == 1

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="a file that is always full")
    def test_a_full_disk_is_one_line(self) -> None:
        """The system's own words."""
        command = f'"{sys.executable}" -m optoutkit.cli --help >/dev/full'
        done = subprocess.run(["sh", "-c", command], check=False, capture_output=True, text=True)
        assert done.returncode == 2
        assert done.stderr == "error: [Errno 28] No space left on device\n"

    @pytest.mark.parametrize("form", ["text", "json"])
    def test_letters_that_the_output_does_not_have(self, process: Run, draft: Draft, form: str) -> None:
        """They are written in ASCII, and JSON stays JSON."""
        draft("a.eml", "ご注文の商品を発送いたしました。", subject="発送のお知らせ", to=str(BUYER))
        done = process("check", "a.eml", "--store", "memory://", "--format", form, PYTHONIOENCODING="ascii")
        assert done.code == 0
        if form == "json":
            assert done.record["subject"] == "発送のお知らせ"
        else:
            assert r"\u767a\u9001" in done.out

    def test_away_from_a_terminal_there_is_no_colour(self, process: Run, draft: Draft) -> None:
        """Nothing but text, in lines that are not broken."""
        draft("a.eml", "Please leave a product review. " * 30, to=str(BUYER))
        done = process("check", "a.eml", "--store", "memory://", COLUMNS="20", TERM="xterm-256color")
        assert "\x1b" not in done.out + done.err
        assert len(done.out.splitlines()) == 4

    def test_notes_and_errors_are_kept_apart_from_results(self, terminal: Run) -> None:
        """On a terminal they stand out."""
        assert "\x1b[1mnote: \x1b[0m" in terminal("list", "--store", "memory://").out
        assert "\x1b[1;31merror: \x1b[0m" in terminal("classify", "missing.eml").out


class TestExitCodes:
    """Which exit code wins."""

    @pytest.mark.parametrize(
        ("codes", "expected"),
        [
            ([], 0),
            ([ExitCode.DONE], 0),
            ([ExitCode.REFUSED, ExitCode.DONE], 1),
            ([ExitCode.REFUSED, ExitCode.TRY_AGAIN], 75),
            ([ExitCode.TRY_AGAIN, ExitCode.BAD_INPUT, ExitCode.REFUSED], 2),
        ],
    )
    def test_the_most_urgent(self, codes: list[ExitCode], expected: int) -> None:
        """What somebody has to look at, then what is to be repeated, then what was refused."""
        assert worst(codes) == expected
