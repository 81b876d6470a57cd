"""``import`` and ``export``: lists of opt-outs."""

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from optoutkit.bulk.importing import BATCH
from optoutkit.cli.exit_codes import ExitCode
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores import open_store

Run = Callable[..., Any]

URI = "sqlite:///optouts.db"
TABLE = "E-Mail;Reason;Note\na@b.example;bounce;x\nb@b.example;complaint;y\n"
A, B = Address("a@b.example"), Address("b@b.example")


def entries(seller: str = "", uri: str = URI) -> list[OptOut]:
    """What is in a store."""
    with open_store(uri) as store:
        return list(store.scan(seller=seller))


class TestImport:
    """``import``."""

    def test_what_was_found_out_is_shown(self, run: Run, tmp_path: Path) -> None:
        """Beside the result, with the reason for each column."""
        (tmp_path / "list.csv.gz").write_bytes(gzip.compress(TABLE.encode()))
        done = run("import", "list.csv.gz")
        assert (done.code, done.out) == (0, "rows: 2, new: 2, known before: 0, bad: 0\n")
        assert done.err.splitlines() == [
            "note: list.csv.gz: CSV separated by semicolons, UTF-8, packed with gzip",
            "note: column 'E-Mail': address (by its name)",
            "note: column 'Reason': reason (by its name)",
            "note: not used: 'Note' (not known)",
        ]
        assert entries() == [
            OptOut(A, reason=Reason.HARD_BOUNCE, source="import of list.csv.gz"),
            OptOut(B, reason=Reason.COMPLAINT, source="import of list.csv.gz"),
        ]

    def test_the_tool_is_named(self, run: Run) -> None:
        """Where it is known by the columns."""
        done = run("import", "-", stdin=b"address\tcode\terror\tcreated_at\na@b.example\t550\tx\t2026-01-01\n")
        assert done.err.splitlines()[0] == "note: standard input: CSV separated by tabs, UTF-8, as of Mailgun, bounces"
        assert "not used: 'code' (not known), 'error' (not known)" in done.err

    def test_many_columns_are_not_all_shown(self, run: Run) -> None:
        """Those that are used are."""
        done = run(
            "import", "-", stdin=(",".join(f"n{number}" for number in range(30)) + ",email\n" + "x," * 30 + "a@b.example\n").encode()
        )
        assert "column 'email': address" in done.err
        assert done.err.endswith("'n9' (not known), …\n")

    def test_json(self, run: Run) -> None:
        """One object, with what each column tells."""
        done = run("import", "-", "--format", "json", stdin=TABLE.encode() + b"c@;bounce;z\n")
        assert done.code == 2
        assert done.record == {
            "columns": {"E-Mail": "address", "Reason": "reason", "Note": None},
            "rows": 3, "entries": 2, "new": 2, "known": 0, "passed_over": 0, "bad": 1, "rejects": "stdin.rejects", "dry_run": False,
        }  # fmt: skip

    def test_options_hold_where_the_list_says_nothing(self, run: Run) -> None:
        """Each ends up in the entries."""
        options = ["--reason", "unsubscribe", "--since", "2026-05-01", "--source", "phone", "--seller", SHARED]
        assert run("import", "-", *options, stdin=b"a@b.example\n").code == 0
        assert entries(SHARED) == [OptOut(A, SHARED, reason=Reason.UNSUBSCRIBE, since=datetime(2026, 5, 1, tzinfo=UTC), source="phone")]
        run("import", "-", "--source", "", stdin=b"b@b.example\n")
        assert entries()[0].source == ""

    def test_columns_can_be_told(self, run: Run) -> None:
        """By their names, or numbers where there are none."""
        run("import", "-", "--map", "Note=source", "--map", "reason=", stdin=TABLE.encode())
        assert entries()[0] == OptOut(A, reason=Reason.MANUAL, source="x")
        done = run("import", "-", "--map", "2=seller", "--map", "1=identity", stdin=b"c@b.example,s\nd@b.example,s\n")
        assert done.code == 0
        assert len(entries("s")) == 2

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (["--map", "x"], "not of the form COLUMN=FIELD: 'x'."),
            (["--map", "x=y"], "there is no field 'y'; there is: identity, address, order, reason"),
            (["--map", "x=since"], "error: standard input: there is no column 'x'; there is: 'E-Mail', 'Reason', 'Note'"),
            (["--map", "E-Mail="], "error: standard input: no column has addresses or order IDs"),
            (["--since", "soon"], "not a date"),
            (["--rejects", "there"], "there is there already, and may hold lines that are still to be mended: name another file."),
        ],
    )
    def test_wrong_usage_is_one_line(self, run: Run, tmp_path: Path, arguments: list[str], why: str) -> None:
        """And no store is made for it."""
        (tmp_path / "there").touch()
        done = run("import", "-", *arguments, stdin=TABLE.encode())
        assert done.code == 2
        assert why in done.err
        assert done.err.count("\n") == 1
        assert not Path("optouts.db").exists()

    def test_bad_lines_are_kept_and_told(self, run: Run) -> None:
        """The first ones each, the others by their number; mended, they are imported; no file of rejects is overwritten."""
        stdin = "email\n" + "".join(f"bad{number}@\n" for number in range(12)) + "a@b.example\nb@b.example\n"
        done = run("import", "-", stdin=stdin.encode())
        assert (done.code, done.out) == (2, "rows: 14, new: 2, known before: 0, bad: 12\n")
        errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
        assert errors[0] == "error: standard input, line 2: not an e-mail address, a part beside the @ is missing: 'bad0@'"
        assert errors[10:] == ["error: standard input: 2 more bad lines"]
        assert "note: bad lines are kept in stdin.rejects: mend them there, and import that file" in done.err
        mended = Path("stdin.rejects").read_text().replace("@\n", "@b.example\n")
        Path("stdin.rejects").write_text(mended)
        assert run("import", "stdin.rejects").out == "rows: 12, new: 12, known before: 0, bad: 0\n"
        assert run("import", "-", "--format", "json", stdin=stdin.encode()).record["rejects"] == "stdin.rejects.2"
        assert run("import", "-", "--rejects", "mine", stdin=stdin.encode()).code == 2
        assert Path("mine").read_text().startswith("email\n# line 2: ")

    def test_a_no_is_not_lost_by_a_value_that_cannot_be_read(self, run: Run) -> None:
        """Nothing is written before the user has said what is to become of such lines."""
        stdin = b"email,opted out\na@b.example,yes\nb@b.example,no\nc@b.example,perhaps\n"
        done = run("import", "-", stdin=stdin)
        assert (done.code, done.out, Path("optouts.db").exists()) == (2, "", False)
        assert done.err.startswith("error: standard input: the column 'opted out' can tell who has not opted out")
        done = run("import", "-", "--map", "opted out=opted_out", stdin=stdin)
        assert (done.code, done.out) == (2, "rows: 3, new: 1, known before: 0, not opted out: 1, bad: 1\n")
        assert Path("stdin.rejects").read_text().endswith("c@b.example,perhaps\n")

    def test_a_dry_run_writes_nothing(self, run: Run, tmp_path: Path) -> None:
        """Neither a store nor a file of bad lines."""
        done = run("import", "-", "--dry-run", stdin=b"a@b.example\nb@\nb@b.example\n")
        assert (done.code, done.out) == (2, "rows: 3, entries: 2, bad: 1\n")
        assert list(tmp_path.iterdir()) == []
        assert run("import", "-", "--dry-run", "--format", "json", stdin=b"a@b.example").record["dry_run"] is True

    def test_a_store_that_forgets_is_told(self, run: Run) -> None:
        """Nothing of the list is left; a dry run leaves nothing in any case."""
        note = "note: memory:// forgets everything when this command ends"
        assert note in run("import", "-", "--store", "memory://", stdin=b"a@b.example").err
        assert note not in run("import", "-", "--dry-run", "--store", "memory://", stdin=b"a@b.example").err

    def test_rows_that_say_no_are_told(self, run: Run) -> None:
        """They are no bad ones."""
        done = run("import", "-", stdin=b"email,opted out\na@b.example,yes\nb@b.example,no\n")
        assert (done.code, done.out) == (0, "rows: 2, new: 1, known before: 0, not opted out: 1, bad: 0\n")

    def test_a_list_that_is_damaged_is_told_with_what_was_done(self, run: Run, tmp_path: Path) -> None:
        """All that could be read is in the store."""
        packed = gzip.compress("".join(f"b{number}@b.example\n" for number in range(15_000)).encode())
        (tmp_path / "list.gz").write_bytes(packed[: len(packed) // 2])
        done = run("import", "list.gz", "--format", "json")
        assert done.code == 2
        assert done.record["new"] == len(entries()) > 5_000
        assert done.err.endswith("error: list.gz: it ends in the middle of its gzip data: it was not copied whole\n")

    def test_what_cannot_be_read_is_one_line(self, run: Run) -> None:
        """Named as the user named it."""
        assert run("import", "missing.csv").err == "error: cannot read missing.csv: No such file or directory\n"
        assert run("import", "-").err == "error: standard input: there is nothing in it\n"

    def test_a_store_that_does_not_answer_says_how_to_go_on(self, run: Run, silent_store: str) -> None:
        """And with the exit code of a temporary failure."""
        done = run("import", "-", "--store", silent_store, stdin=b"a@b.example\n")
        assert done.code == ExitCode.TRY_AGAIN
        assert "note: all up to line 0 is done: go on with --after-line 0, or run the same command again, which does no harm" in done.err

    def test_ctrl_c_says_how_to_go_on(self, tmp_path: Path) -> None:
        """What is said to be done is done, and the rest comes with the line that was told."""
        os.mkfifo(tmp_path / "pipe")
        rows = [f"b{number:06}@b.example\n" for number in range(BATCH + 50)]
        with (
            subprocess.Popen(
                [sys.executable, "-m", "optoutkit.cli", "import", "pipe"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as child,
            (tmp_path / "pipe").open("w") as pipe,
        ):
            pipe.writelines(rows)
            pipe.flush()
            while not Path("optouts.db").exists() or len(entries()) < BATCH:
                assert child.poll() is None
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=60)
        assert (out, child.returncode) == ("", ExitCode.INTERRUPTED)
        assert f"all up to line {BATCH} is done: go on with --after-line {BATCH}" in err
        Path("list").write_text("".join(rows))
        done = subprocess.run(
            [sys.executable, "-m", "optoutkit.cli", "import", "list", "--after-line", str(BATCH)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "rows: 50, new: 50, known before: 0, bad: 0\n"
        assert len(entries()) == BATCH + 50

    def test_progress_is_shown_on_a_terminal(self, terminal: Run, tmp_path: Path) -> None:
        """How many, how fast, how long it will take; gone in the end."""
        (tmp_path / "list").write_text("".join(f"b{number}@b.example\n" for number in range(BATCH)))
        done = terminal("import", "list", "--dry-run")
        assert done.code == 0
        assert "10,000 rows, " in done.out
        assert " a second" in done.out
        assert "left:" in done.out


class TestExport:
    """``export``."""

    @pytest.fixture(autouse=True)
    def _store(self) -> None:
        with open_store(URI) as store:
            store.record([OptOut(A, source="=1", since=datetime(2026, 5, 1, tzinfo=UTC)), OptOut(OrderId("302-1234567-7654321"))])
            store.record([OptOut(B, "s")])

    def test_to_standard_output(self, run: Run) -> None:
        """The list and nothing else, as ``list --format json`` shows it."""
        done = run("export")
        assert (done.code, done.err) == (0, "note: entries written: 2\n")
        assert done.out == run("list", "--format", "json").out
        assert run("export", "--as", "plain", "--seller", "s").out == "b@b.example\n"

    @pytest.mark.parametrize(
        ("file", "options", "begins"),
        [
            ("list.csv", [], b"identity,seller,"),
            ("list.CSV.gz", [], b"\x1f\x8b"),
            ("list.txt", [], b"a@b.example\n"),
            ("list.jsonl", [], b'{"identity": '),
            ("list.jsonl.zst", [], b"\x28\xb5\x2f\xfd"),
            ("list", ["--as", "csv"], b"identity,"),
            ("list.csv", ["--as", "plain", "--compress", "gzip"], b"\x1f\x8b"),
            ("list.csv.backup", ["--compress", "zstd"], b"\x28\xb5\x2f\xfd"),
        ],
    )
    def test_to_a_file(self, run: Run, file: str, options: list[str], begins: bytes) -> None:
        """Its name says in what form, unless an option does; and it comes back."""
        done = run("export", file, *options)
        assert (done.code, done.out, done.err) == (0, "entries written: 2\n", "")
        assert Path(file).read_bytes().startswith(begins)
        run("import", file, "--store", "sqlite:///other.db")
        assert [entry.identity for entry in entries(uri="sqlite:///other.db")] == [entry.identity for entry in entries()]

    def test_json_tells_of_the_file(self, run: Run) -> None:
        """Its name, and how many entries."""
        assert run("export", "list.csv", "--format", "json").record == {"file": "list.csv", "entries": 2}

    def test_a_store_that_is_not_there_is_not_made(self, run: Run) -> None:
        """Nor is the file."""
        done = run("export", "list.csv", "--store", "sqlite:///missing.db")
        assert (done.code, "there is no such store" in done.err) == (2, True)
        assert not Path("list.csv").exists()

    def test_a_file_that_cannot_be_written_is_one_line(self, run: Run) -> None:
        """With the system's word for it."""
        done = run("export", "missing/list.csv")
        assert done.code == 2
        assert done.err.count("\n") == 1
        assert "cannot write" in done.err

    @pytest.mark.parametrize("options", [[], ["--compress", "gzip"], ["--compress", "zstd"]])
    def test_a_reader_that_goes_away_is_no_error(self, options: list[str]) -> None:
        """As with ``head -1``."""
        with open_store(URI) as store:
            store.record(OptOut(Address(f"{os.urandom(8).hex()}@example.com")) for _ in range(20_000))
        with subprocess.Popen(
            [sys.executable, "-m", "optoutkit.cli", "export", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            assert child.stderr is not None
            child.stdout.read(10)
            child.stdout.close()
            assert child.stderr.read() == b""
        assert child.returncode == ExitCode.PIPE_CLOSED

    def test_a_closed_standard_output_is_no_error(self) -> None:
        """There is nobody to write for."""
        done = subprocess.run(["sh", "-c", f'"{sys.executable}" -m optoutkit.cli export >&-'], check=False, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"note: entries written: 2\n")
