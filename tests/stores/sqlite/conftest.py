"""What the tests of the SQLite store share."""

# ruff: noqa: D103 - fixtures

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optoutkit.testing.stores import ManualClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "optouts.db"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def raw(path: Path) -> Callable[..., list[Any]]:
    """Run a statement on the file as another program would."""

    def run(statement: str, *parameters: Any) -> list[Any]:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            return connection.execute(statement, parameters).fetchall()
        finally:
            connection.close()

    return run


@pytest.fixture
def start() -> Callable[..., "subprocess.Popen[str]"]:
    """Run a script in a process of its own, with arguments; its output can be read."""

    def popen(script: str, *arguments: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return popen


@pytest.fixture
def run(start: Callable[..., "subprocess.Popen[str]"]) -> Callable[..., str]:
    """Run a script in a process of its own to its end, and give what it prints."""

    def finish(script: str, *arguments: object) -> str:
        process = start(script, *arguments)
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        return output

    return finish
