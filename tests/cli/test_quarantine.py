"""``quarantine``: mails that were not believed, listed, looked at, released, deleted."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optoutkit.stores.opening import open_store
from optoutkit.testing.notices import notice_mail

Run = Callable[..., Any]

ORDER, BUYER = "302-1234567-7654321", "3kq7vz2hx9tw4bd@marketplace.amazon.de"
NOTICE = notice_mail(language="de", order_ids=[ORDER], buyer=BUYER)
FORGED = NOTICE.replace(b"@amazon.com", b"@arnazon.com").replace(ORDER.encode(), b"302-7777777-8888889")
NAMELESS = notice_mail(language="de", order_ids=[])


@pytest.fixture
def ids(run: Run, tmp_path: Path) -> dict[str, str]:
    """A quarantine folder ``q`` with a notice that nobody vouched for, a forged one, and one that names nobody."""
    found = {}
    for name, raw in (("unproved", NOTICE), ("forged", FORGED), ("nameless", NAMELESS)):
        done = run("ingest", "-", "--quarantine", "q", "--format", "json", stdin=raw)
        found[name] = done.record["mail_id"]
    return found


def entries(seller: str = "") -> set[str]:
    """What the default store has."""
    with open_store("sqlite:///optouts.db") as store:
        return {str(entry.identity) for entry in store.scan(seller=seller)}


def left(tmp_path: Path) -> set[str]:
    """The mails that are still there."""
    return {path.stem for path in (tmp_path / "q").glob("*.eml")}


def test_list(run: Run, ids: dict[str, str], tmp_path: Path) -> None:
    """Why each is there, for people and as JSON, longest there first."""
    done = run("quarantine", "list", "q")
    assert done.code == 0
    first, second, third = done.out.splitlines()
    assert first.startswith(f"{ids['unproved']}  ")
    assert first.endswith(
        f"  opt-out, order {ORDER}, from auto-communication@amazon.com; its sender is not proved (unverified mail, forwarder is needed)"
    )
    assert second.endswith("it is forged")
    assert third.startswith(f"{ids['nameless']}  ")
    record, *_ = run("quarantine", "list", "q", "--format", "json").records
    assert record.pop("since") == record.pop("arrived")
    assert record == {
        "id": ids["unproved"],
        "reason": "its sender is not proved (unverified mail, forwarder is needed)",
        "trust": "unverified",
        "kind": "opt_out",
        "sender": "auto-communication@amazon.com",
        "orders": [ORDER],
        "size": len(NOTICE),
    }


def test_list_what_could_not_be_read(run: Run, ids: dict[str, str], tmp_path: Path) -> None:
    """A mail whose description is damaged is listed all the same."""
    (tmp_path / "q" / f"{ids['forged']}.json").write_text("{")
    record = next(record for record in run("quarantine", "list", "q", "--format", "json").records if record["id"] == ids["forged"])
    assert (record["kind"], record["trust"], record["orders"]) == (None, None, [])
    assert f"{ids['forged']}  " in (out := run("quarantine", "list", "q").out)
    assert "unread; its description is damaged" in out


def test_an_empty_folder(run: Run, tmp_path: Path) -> None:
    """People are told that it is empty; a script gets nothing."""
    (tmp_path / "q").mkdir()
    done = run("quarantine", "list", "q")
    assert (done.code, done.out, done.err) == (0, "", "note: the quarantine is empty\n")


@pytest.mark.parametrize("command", [["list"], ["show", "0" * 16], ["release", "0" * 16], ["empty"]])
def test_a_folder_that_is_not_there(run: Run, tmp_path: Path, command: list[str]) -> None:
    """It is a slip of the pen, and not made."""
    done = run("quarantine", command[0], "q", *command[1:])
    assert (done.code, done.out) == (2, "")
    assert "Directory 'q' does not exist" in done.err
    assert not list(tmp_path.iterdir())


def test_show(run: Run, ids: dict[str, str]) -> None:
    """Why it is there, and what it says."""
    done = run("quarantine", "show", "q", ids["forged"], ids["unproved"], "--format", "json")
    assert done.code == 0
    assert [record["reason"].split()[0] for record in done.records] == ["it", "its"]
    assert done.records[1]["notice"]["buyer"] == BUYER
    shown = run("quarantine", "show", "q", ids["unproved"]).out
    assert shown.startswith(f"{ids['unproved']}  ")
    assert f"  orders         {ORDER}\n" in shown


def test_show_what_is_too_large_to_be_read(run: Run, tmp_path: Path) -> None:
    """It is known why it is there."""
    (tmp_path / "big.eml").write_bytes(b"Subject: x\r\n\r\n" + b"x" * 33 * 2**20)
    mail_id = run("ingest", "big.eml", "--quarantine", "q", "--format", "json").record["mail_id"]
    done = run("quarantine", "show", "q", mail_id, "--format", "json")
    assert (done.code, done.record["notice"]) == (0, None)
    done = run("quarantine", "release", "q", mail_id)
    assert done.code == 2
    assert left(tmp_path) == {mail_id}


def test_release(run: Run, ids: dict[str, str], tmp_path: Path) -> None:
    """Its owner vouches for it: it is recorded, not as verified, and gone from the folder."""
    done = run("quarantine", "release", "q", ids["unproved"], "--format", "json")
    assert (done.code, done.record["status"], done.err) == (0, "recorded", "")
    assert {entry["verified"] for entry in done.record["recorded"]} == {False}
    assert entries() == {ORDER, BUYER}
    assert left(tmp_path) == {ids["forged"], ids["nameless"]}


def test_release_for_a_seller(run: Run, ids: dict[str, str], tmp_path: Path) -> None:
    """Onto that seller's list; never onto the one for all."""
    done = run("quarantine", "release", "q", ids["unproved"], "--seller", "*")
    assert done.code == 2
    assert "takes only what Amazon is proved to have sent" in done.err
    assert ids["unproved"] in left(tmp_path)
    assert run("quarantine", "release", "q", ids["unproved"], "--seller", "shop").out.startswith(f"recorded     {ids['unproved']}: opt-out")
    assert entries("shop") == {ORDER, BUYER}
    assert entries() == entries("*") == set()


def test_what_cannot_be_released_stays(run: Run, ids: dict[str, str], tmp_path: Path) -> None:
    """The others are done with all the same."""
    done = run("quarantine", "release", "q", ids["nameless"], "0" * 16, "x", ids["unproved"])
    assert done.code == 2
    assert done.err.splitlines() == [
        f"error: {ids['nameless']} stays in quarantine: it is no notice of an opt-out that names an order or a buyer",
        "error: there is no mail 0000000000000000 in quarantine",
        "error: not the name of a mail in quarantine: 'x'",
    ]
    assert left(tmp_path) == {ids["forged"], ids["nameless"]}
    assert run("quarantine", "show", "q", ids["unproved"]).code == 2


def test_release_without_a_store(run: Run, ids: dict[str, str], tmp_path: Path, silent_store: str) -> None:
    """The mail waits where it is, and the exit code says so."""
    done = run("quarantine", "release", "q", ids["unproved"], "--store", silent_store)
    assert done.code == 75
    assert done.err == f"error: {ids['unproved']} stays in quarantine: the store does not answer\n"
    assert ids["unproved"] in left(tmp_path)


def test_empty(run: Run, ids: dict[str, str], tmp_path: Path) -> None:
    """All of them, or those that nobody released in time."""
    about = tmp_path / "q" / f"{ids['forged']}.json"
    about.unlink()  # then the time of its file counts
    os.utime(about.with_suffix(".eml"), (time.time() - 40 * 86400,) * 2)
    done = run("quarantine", "empty", "q", "--older-than", 30)
    assert (done.code, done.out) == (0, "deleted: 1\n")
    assert left(tmp_path) == {ids["unproved"], ids["nameless"]}
    assert run("quarantine", "empty", "q", "--format", "json").record == {"deleted": 2}
    assert list((tmp_path / "q").iterdir()) == []
