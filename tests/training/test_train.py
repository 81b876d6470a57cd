"""The training as a whole, on a few of the messages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MESSAGES = 24  # of each language
MADE = ("weights.bin", "model.json")


def _copied(folder: Path) -> Path:
    """A repository with a few messages, and nothing made of them yet."""
    for name in ("src", "training"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", *MADE, "*.jsonl"))
    for file in (ROOT / "training").glob("*.jsonl"):
        with file.open(encoding="utf-8") as lines:
            few = [line for line, _ in zip(lines, range(MESSAGES), strict=False)]
        (folder / "training" / file.name).write_text("".join(few), encoding="utf-8")
    return folder


@pytest.mark.skipif(not hasattr(os, "fork"), reason="training makes its processes by fork")
def test_the_same_texts_give_the_same_bytes(tmp_path: Path) -> None:
    """In another process, in another folder, whatever the order of Python's sets is there."""
    made = []
    for seed in ("1", "2"):
        folder = _copied(tmp_path / seed)
        environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": "1"}
        run = subprocess.run(
            [sys.executable, "training/train.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        made.append([(folder / "src" / "optoutkit" / "classifier" / name).read_bytes() for name in MADE])
    assert made[0] == made[1]
    check = [sys.executable, "training/train.py", "--check"]
    assert subprocess.run(check, cwd=folder, env=environment, capture_output=True, check=False).returncode == 0
    (folder / "src" / "optoutkit" / "classifier" / MADE[0]).write_bytes(made[0][0][:-1])
    assert subprocess.run(check, cwd=folder, env=environment, capture_output=True, check=False).returncode == 1
