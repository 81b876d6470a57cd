"""The top level: which names it has, and that it is lazy."""

import ast
import importlib.metadata
import inspect
import os
import pathlib
import subprocess
import sys

import pytest

import optoutkit

PINNED = [
    "SHARED",
    "Action",
    "Address",
    "AsyncGuard",
    "AsyncIntake",
    "AsyncOptOutStore",
    "Authentication",
    "Classification",
    "Classifier",
    "Decision",
    "Evidence",
    "Form",
    "Guard",
    "Held",
    "Identity",
    "Intake",
    "IntakeResult",
    "Marketplace",
    "Message",
    "MessageTooLarge",
    "Notice",
    "NoticeKind",
    "NoticeParser",
    "OptOut",
    "OptOutKitError",
    "OptOutStore",
    "OrderId",
    "Policy",
    "Reason",
    "StoreUnavailable",
    "Topic",
    "Trust",
    "Verdict",
    "Violation",
    "authenticate",
    "check_guidelines",
    "classify",
    "open_async_store",
    "open_store",
    "parse_notice",
]


def test_names_are_pinned() -> None:
    """A name is added or taken away on purpose only."""
    assert sorted(optoutkit.__all__) == sorted(PINNED)


@pytest.mark.parametrize("name", PINNED)
def test_each_name_is_there(name: str) -> None:
    """And leads to the object of that name."""
    value = getattr(optoutkit, name)
    assert getattr(value, "__name__", name) == name
    assert name in dir(optoutkit)


def test_type_checkers_see_the_same_names() -> None:
    """The imports under TYPE_CHECKING are those of the lazy table."""
    tree = ast.parse(pathlib.Path(inspect.getfile(optoutkit)).read_text(encoding="utf-8"))
    seen = {
        (node.module.removeprefix("optoutkit."), alias.name)
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    assert seen == {(module, name) for module, names in optoutkit._MODULES.items() for name in names}
    assert {name for _, name in seen} == set(optoutkit.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    """As with any module."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = optoutkit.nothing


def test_version_is_the_package_s() -> None:
    """One truth for the version: the metadata."""
    assert optoutkit.__version__ == importlib.metadata.version("optoutkit")


def test_import_is_lazy() -> None:
    """Importing the package loads neither a model nor a driver, nor any of its own modules."""
    heavy = ("optoutkit", "attr", "dns", "dkim", "mailparser", "sqlite3")
    code = f"import sys, optoutkit; print(*sorted(name for name in sys.modules if name.startswith({heavy})))"
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=unmeasured).stdout.split()
    assert loaded == ["optoutkit"]
