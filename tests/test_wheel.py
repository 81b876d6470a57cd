"""The wheel that users get, built anew: all of the package, and nothing else."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

pytest.importorskip("build")
pytest.importorskip("hatchling")

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipFile]:
    """Build it from the working tree, offline."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    with ZipFile(path) as archive:
        yield archive


def test_it_holds_the_package_with_its_data_and_nothing_else(wheel: ZipFile) -> None:
    """Every file of ``src`` is in it, data files and py.typed too; beside them the metadata: no tests, training texts or documentation."""
    paths = (path.relative_to(SOURCE) for path in SOURCE.rglob("*") if path.is_file())
    files = {path.as_posix() for path in paths if not any(part.startswith((".", "__pycache__")) for part in path.parts)}
    (metadata,) = {name.split("/")[0] for name in wheel.namelist() if not name.startswith("optoutkit/")}
    assert metadata.endswith(".dist-info")
    assert set(wheel.namelist()) == files | {
        f"{metadata}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    }
    assert "optoutkit/py.typed" in files
    assert {Path(name).suffix for name in files} == {".bin", ".json", ".py", ".toml", ".txt", ".typed"}


def test_its_entry_points_lead_somewhere(wheel: ZipFile) -> None:
    """Each module that an entry point names is in it."""
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    targets = [line.partition("=")[2].strip() for line in wheel.read(name).decode().splitlines() if "=" in line]
    assert targets
    for target in targets:
        path = target.partition(":")[0].replace(".", "/")
        assert {f"{path}.py", f"{path}/__init__.py"} & set(wheel.namelist()), target


def test_it_needs_no_more_than_the_core(wheel: ZipFile) -> None:
    """Without an extra, installing it brings attrs, cachetools, dkimpy, dnspython and mail-parser."""
    (name,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    lines = wheel.read(name).decode().splitlines()
    required = [line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist: ") and "extra ==" not in line]
    assert sorted(line.partition(">")[0] for line in required) == ["attrs", "cachetools", "dkimpy", "dnspython", "mail-parser"]


def test_what_the_classifier_learnt_is_small(wheel: ZipFile) -> None:
    """Weights and lexicons take less than 3 MB of it."""
    learnt = [
        info for info in wheel.infolist() if info.filename.startswith("optoutkit/classifier/") and info.filename.endswith((".bin", ".json"))
    ]
    assert len(learnt) == 16
    assert sum(info.compress_size for info in learnt) < 3_000_000
