"""The page of figures about the stores."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def script() -> ModuleType:
    """The script that makes the figures of the page."""
    spec = importlib.util.spec_from_file_location("store_figures", DOCS / "store_figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_what_was_measured(script: ModuleType) -> None:
    """Its tables are those that the script makes of the committed results."""
    page = (DOCS / "scaling.md").read_text(encoding="utf-8")
    assert script.filled(page, script.Figures()) == page
    assert all(made in page for made in script.parts(script.Figures()).values())


def test_a_goal_that_is_missed_is_called_so(script: ModuleType, tmp_path: Path) -> None:
    """The verdicts follow the figures."""
    record = json.loads((DOCS / "store-figures.json").read_text(encoding="utf-8"))
    path = tmp_path / "figures.json"
    for ratio, verdict in ((1.0, " reached |"), (2.5, "**missed** |")):
        for result in record["results"]:
            result["ratio"] = ratio
        path.write_text(json.dumps(record), encoding="utf-8")
        speed = script.parts(script.Figures(path))["speed"].splitlines()
        assert [line.endswith(verdict) for line in speed[2:] if "CachedStore" not in line] == [True] * 9
