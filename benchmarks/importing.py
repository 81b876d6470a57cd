"""Importing the package, each time in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from benchmarks.timing import Result, compare

__all__ = ["measure"]

_TASKS = {
    "import optoutkit": "import optoutkit",
    "make a guard": "from optoutkit import Guard, open_store; Guard(open_store('memory://'))",
    "classify the first message": "from optoutkit import classify; classify('Hello')",
    "parse the first notice": "from optoutkit import parse_notice; parse_notice(b'Subject: Hello')",
}


def measure() -> Iterator[Result]:
    """Beside a Python that imports nothing."""
    for task, code in _TASKS.items():
        yield compare(f"python: {task}", partial(_python, code), "python: pass", partial(_python, "pass"), calls=1)


def _python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)
