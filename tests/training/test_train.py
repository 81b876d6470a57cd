"""The training as a whole, on a few of the messages."""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MESSAGES = 24  # of each language
MADE = ("weights.bin", "model.json")
SHIPPED = "src/optoutkit/classifier"


def _copied(folder: Path) -> Path:
    """A repository with a few messages, and nothing made of them yet."""
    for name in ("src", "training"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", *MADE, "*.jsonl"))
    for file in (ROOT / "training").glob("*.jsonl"):
        with file.open(encoding="utf-8") as lines:
            (folder / "training" / file.name).write_text("".join(itertools.islice(lines, MESSAGES)), encoding="utf-8")
    return folder


def _train(folder: Path, seed: str, *options: str) -> subprocess.CompletedProcess[str]:
    """In another process, in which the order of Python's sets is another one."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}  # the copy is not measured
    environment |= {"PYTHONPATH": str(folder / "src"), "PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "training/train.py", *options]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="training makes its processes by fork")
def test_the_same_texts_give_the_same_bytes(tmp_path: Path) -> None:
    """In another process, in another folder; and other bytes are told."""
    here, there = _copied(tmp_path / "here"), _copied(tmp_path / "there")
    trained = _train(here, "1")
    assert trained.returncode == 0, trained.stderr
    for name in MADE:
        shutil.copy(here / SHIPPED / name, there / SHIPPED / name)
    checked = _train(there, "2", "--check")
    assert checked.returncode == 0, checked.stderr
    assert "as they ship: weights.bin, model.json" in checked.stderr
    (there / SHIPPED / MADE[0]).write_bytes((here / SHIPPED / MADE[0]).read_bytes()[:-1])
    checked = _train(there, "2", "--check")
    assert checked.returncode == 1
    assert checked.stderr.endswith("not made from these texts: weights.bin\n")
