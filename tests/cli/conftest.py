"""The command line as its users meet it: in this process, as a real process, and on a real terminal."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner

from optoutkit.cli.program import PROGRAM


@attrs.frozen
class Done:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The lines of JSON."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def record(self) -> dict[str, Any]:
        """The one line of JSON."""
        (record,) = self.records
        return record


Run = Callable[..., Done]
"""``run("list", "--format", "json", stdin=b"…")``"""


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default store is in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("OPTOUTKIT_STORE", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run() -> Run:
    """Run a command in this process."""

    def run(*arguments: object, stdin: bytes = b"") -> Done:
        result = CliRunner().invoke(PROGRAM, [str(argument) for argument in arguments], input=stdin, catch_exceptions=False)
        return Done(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def process() -> Run:
    """Run a command as a process of its own."""

    def process(*arguments: object, stdin: bytes = b"", **environment: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "optoutkit.cli", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            env=os.environ | environment,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return process


@pytest.fixture
def terminal() -> Run:
    """Run a command as a process whose standard error, and output if it goes nowhere else, is a terminal; see all that it is sent."""

    def terminal(*arguments: object, stdout: Any = None, **environment: str) -> Done:
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "optoutkit.cli", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=theirs if stdout is None else stdout,
            stderr=theirs,
            env=os.environ | {"TERM": "xterm-256color"} | environment,
        ) as child:
            os.close(theirs)
            shown = b""
            while chunk := _read(ours):
                shown += chunk
        os.close(ours)
        return Done(child.returncode, shown.decode(), "")

    return terminal


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux tells the end of a terminal so
        return b""


@pytest.fixture
def unprivileged() -> Callable[[], AbstractContextManager[None]]:
    """Be somebody whom file permissions bind, also where tests are run by root."""

    @contextmanager
    def unprivileged() -> Iterator[None]:
        who = os.geteuid()
        os.seteuid(who or 65534)
        try:
            yield
        finally:
            os.seteuid(who)

    return unprivileged


@pytest.fixture
def draft(tmp_path: Path) -> Callable[..., Path]:
    """Write a draft: ``draft("a.eml", REVIEW_REQUEST, to=OPTED_OUT)``."""

    def draft(name: str, text: str, *, subject: str = "Your order", **fields: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        header = "".join(f"{field.title()}: {value}\n" for field, value in fields.items())
        path.write_text(f"From: shop@example.com\nSubject: {subject}\n{header}\n{text}\n", encoding="utf-8")
        return path

    return draft


@pytest.fixture
def silent_store(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URI of a third party's store that opens, and then does not answer."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "silent_store.py").write_text(
        """
from optoutkit.errors import StoreUnavailable
from optoutkit.stores.memory import MemoryStore

class SilentStore(MemoryStore):
    def lookup(self, *_, **__):
        raise StoreUnavailable("the database is locked")

    record = link = lookup

class BACKEND:
    open = staticmethod(lambda uri: SilentStore())
"""
    )
    about = folder / "silent_store-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: silent-store\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[optoutkit.stores]\nsilent = silent_store:BACKEND\n")
    monkeypatch.syspath_prepend(folder)
    return "silent://"
