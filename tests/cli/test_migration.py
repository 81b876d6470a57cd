"""``migrate``: from one store into another."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optoutkit.bulk import Checkpoint
from optoutkit.cli.exit_codes import ExitCode
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores import open_store

Run = Callable[..., Any]

OLD, NEW = "sqlite:///old.db", "sqlite:///new.db"
ALIAS, OTHER = Address("abc123@marketplace.amazon.de"), Address("xyz789@marketplace.amazon.de")
ORDER = OrderId("302-1234567-7654321")
STATE = Path("optoutkit-migration.json")

INTERRUPTED_STORE = """
import os, signal
from optoutkit.stores.sqlite import SqliteStore

class InterruptedStore(SqliteStore):
    calls = 0

    def record(self, opt_outs):
        self.calls += 1
        if str(self.calls) == os.environ["INTERRUPTED_AT"]:
            os.kill(os.getpid(), signal.SIGINT)
        return super().record(opt_outs)

class BACKEND:
    open = staticmethod(lambda uri: InterruptedStore("new.db"))
"""
"""A third party's store, during whose work somebody presses Ctrl-C."""


@pytest.fixture(autouse=True)
def _old_store(_in_empty_folder: None) -> None:
    with open_store(OLD) as store:
        store.record([OptOut(ORDER), OptOut(OTHER, "s"), OptOut(OTHER, SHARED)])
        store.link([(ORDER, ALIAS)])


def test_a_store_is_copied_and_checked(run: Run) -> None:
    """All lists, with the links; what was counted is told."""
    done = run("migrate", OLD, NEW)
    assert (done.code, done.err) == (0, "")
    assert done.out == "lists: 3, entries copied: 3, links: 1\nentries in the source: 3, in the target: 3, not as opted out: 0\n"
    with open_store(NEW) as store:
        assert store.lookup([ALIAS, OTHER], seller="").keys() == {ALIAS, OTHER}
        assert store.lookup([OTHER], seller="s")[OTHER].seller == "s"
    assert not STATE.exists()


def test_json(run: Run) -> None:
    """The fields that the help names."""
    assert run("migrate", OLD, NEW, "--seller", "s", "--seller", "*", "--without-links", "--format", "json").record == {
        "sellers": ["s", "*"],
        "entries": 2,
        "links": None,
        "contradicted_links": 0,
        "source_entries": 2,
        "target_entries": 2,
        "lost": 0,
    }


def test_links_that_are_left_behind_are_told(run: Run) -> None:
    """And whoever is no longer opted out for that."""
    done = run("migrate", OLD, NEW, "--without-links", "--seller", "")
    assert (done.code, done.err) == (0, "note: links were left behind\n")


def test_what_does_not_hold_in_the_target_is_told(run: Run) -> None:
    """Somebody has to look at it."""
    with open_store(NEW) as store:
        store.record([OptOut(OTHER, "s")])
        store.withdraw([OTHER], seller="s")
        store.link([(ORDER, OTHER)])
    done = run("migrate", OLD, NEW)
    assert done.code == 2
    links, lost = done.err.splitlines()
    assert links == "error: 1 links say otherwise in the target, and stay as they are there"
    assert lost.startswith("error: 2 opt-outs of the source do not hold as well in the target, perhaps as they were withdrawn there: ")
    assert lost.endswith(f": {ALIAS}, {OTHER}")


def test_entries_that_are_missing_are_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the counts alone show it."""
    monkeypatch.setattr("optoutkit.bulk.migration._Check._compare", lambda *_, **__: None)
    checkpoint = Checkpoint(STATE, source=OLD, target=NEW)
    checkpoint.finished, checkpoint.entries = ["", "*", "s"], 3
    checkpoint.save(None, None)
    done = run("migrate", OLD, NEW)
    assert done.code == 2
    assert done.err == "note: going on after 3 entries\nerror: the target has fewer entries than the source: run the same command again\n"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([OLD, OLD], "SOURCE and TARGET are the same."),
        (["sqlite:///missing.db", NEW], "there is no such store yet"),
        ([OLD, "nonsense"], "a store URI begins with a scheme"),
        (["memory://", NEW, "--state", "."], "Is a directory"),
    ],
)
def test_wrong_usage_is_one_line(run: Run, arguments: list[str], why: str) -> None:
    """And no store is made for it."""
    done = run("migrate", *arguments)
    assert (done.code, done.out) == (2, "")
    assert why in done.err
    assert done.err.count("\n") == 1
    assert not Path("new.db").exists()


def test_a_store_that_does_not_answer_says_how_to_go_on(run: Run, silent_store: str) -> None:
    """With the exit code of a temporary failure."""
    done = run("migrate", OLD, silent_store)
    assert done.code == ExitCode.TRY_AGAIN
    assert "note: it is not finished; run the same command again, and it goes on where it stopped\n" in done.err


def test_ctrl_c_leaves_its_place_and_the_same_command_goes_on(process: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What was copied is not copied again."""
    with open_store(OLD) as store:
        store.record(OptOut(Address(f"b{number:06}@example.com")) for number in range(12_000))
    site = tmp_path_factory.mktemp("site")
    (site / "interrupted_store.py").write_text(INTERRUPTED_STORE)
    about = site / "interrupted_store-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: interrupted-store\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[optoutkit.stores]\ninterrupted = interrupted_store:BACKEND\n")
    command = ["migrate", OLD, "interrupted:///new.db", "--format", "json"]
    done = process(*command, PYTHONPATH=str(site), INTERRUPTED_AT="2")
    assert (done.code, done.out) == (ExitCode.INTERRUPTED, "")
    assert done.err == "note: it is not finished; run the same command again, and it goes on where it stopped\n"
    assert json.loads(STATE.read_text())["entries"] == 5000
    again = process(*command, PYTHONPATH=str(site), INTERRUPTED_AT="never")
    assert again.code == 0
    assert again.err == "note: going on after 5000 entries\n"
    assert (again.record["source_entries"], again.record["target_entries"], again.record["lost"]) == (12_003, 12_003, 0)
    assert not STATE.exists()


def test_progress_is_shown_on_a_terminal(terminal: Run) -> None:
    """Copying and checking are one way."""
    done = terminal("migrate", OLD, NEW)
    assert done.code == 0
    assert "entries copied or checked" in done.out
