"""Maildirs, mboxes and folders that are looked at again and again."""

import mailbox
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optoutkit.errors import InvalidInput
from optoutkit.sources import Item, read_file
from optoutkit.sources.later import Later
from optoutkit.sources.local import FilesMailbox, MaildirMailbox

SEPARATOR = b"From a@example.com Mon Nov 23 08:00:00 2026\n"


class Clock:
    """Tells the time that a test wants it to be."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock."""
    return Clock()


@pytest.fixture
def folder(tmp_path: Path, clock: Clock) -> FilesMailbox:
    """A folder, empty at first."""
    (tmp_path / "box").mkdir()
    return FilesMailbox(tmp_path / "box", read=read_file, max_bytes=1000, later=Later(clock=clock))


@pytest.fixture
def look(folder: FilesMailbox) -> Callable[..., list[bytes]]:
    """Look at the folder, and call ``done`` for all mails but those with a word in them that are left."""

    def look(*left: bytes) -> list[bytes]:
        found = []
        for item in folder.look():
            (item.leave if any(word in item.raw for word in left) else item.done)()
            found.append(item.raw)
        return found

    return look


def test_only_what_is_new(tmp_path: Path, look: Callable[..., list[bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that came, one that changed; files that did not are not even opened."""
    (tmp_path / "box" / "a").write_bytes(b"X: 1")
    (tmp_path / "box" / "b").write_bytes(b"X: 2")
    assert look() == [b"X: 1", b"X: 2"]
    opened: list[str] = []
    real: Any = Path.open

    def spy(self: Path, mode: str = "r", **options: Any) -> Any:
        if mode == "rb":
            opened.append(self.name)
        return real(self, mode, **options)

    monkeypatch.setattr(Path, "open", spy)
    assert look() == []
    assert opened == []
    (tmp_path / "box" / "b").write_bytes(b"X: 22")
    (tmp_path / "box" / "c").write_bytes(b"X: 3")
    assert look() == [b"X: 22", b"X: 3"]
    assert opened == ["b", "c"]


def test_a_file_about_to_be_written(tmp_path: Path, look: Callable[..., list[bytes]]) -> None:
    """Nothing is in it yet: it is no mail, and comes when there is."""
    (tmp_path / "box" / "a").touch()
    assert look() == []
    (tmp_path / "box" / "a").write_bytes(b"X: 1")
    assert look() == [b"X: 1"]


def test_an_mbox_that_grows(tmp_path: Path, look: Callable[..., list[bytes]]) -> None:
    """Mails that were in it before do not come again, also when some of them have been taken out."""
    one, two, three = (SEPARATOR + b"X: %d\n\n" % number for number in (1, 2, 3))
    (tmp_path / "box" / "m").write_bytes(one + two)
    assert look() == [b"X: 1\n", b"X: 2\n"]
    (tmp_path / "box" / "m").write_bytes(two + three)
    assert look() == [b"X: 3\n"]
    (tmp_path / "box" / "m").unlink()
    assert look() == []
    (tmp_path / "box" / "m").write_bytes(one)
    assert look() == [b"X: 1\n"]


def test_what_was_left_comes_again(tmp_path: Path, look: Callable[..., list[bytes]], clock: Clock) -> None:
    """After a minute, though the file has not changed; the others in it do not."""
    (tmp_path / "box" / "m").write_bytes(SEPARATOR + b"X: 1\n\n" + SEPARATOR + b"X: 2\n\n")
    assert look(b"1") == [b"X: 1\n", b"X: 2\n"]
    assert look() == []
    clock.now = 60
    assert look(b"1") == [b"X: 1\n"]
    clock.now = 120
    assert look() == []
    clock.now = 180
    assert look() == [b"X: 1\n"]
    clock.now = 9999
    assert look() == []


def test_one_file_that_comes_and_goes(tmp_path: Path, mail: bytes) -> None:
    """As an mbox does that is taken away when it is empty."""
    box = FilesMailbox(tmp_path / "m", read=read_file, max_bytes=1000)
    assert box.name == str(tmp_path / "m")
    assert list(box.look()) == []
    (tmp_path / "m").write_bytes(mail)
    assert [item.raw for item in box.look()] == [mail]


def test_what_cannot_be_read(
    tmp_path: Path, look: Callable[..., list[bytes]], folder: FilesMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told when all others have been read, and tried again."""
    for name in "abc":
        (tmp_path / "box" / name).write_bytes(f"X: {name}".encode())
    opened: Any = Path.open
    stat = Path.stat

    def forbidden(self: Path, *args: str) -> Any:
        if self.name == "a":
            raise PermissionError(13, "Permission denied")
        return opened(self, *args)

    def broken(self: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if self.name == "b" and self in asked:
            raise OSError(5, "Input/output error")
        asked.append(self)
        return stat(self, follow_symlinks=follow_symlinks)

    asked: list[Path] = []
    found: list[Item] = []

    def collect() -> None:
        for item in folder.look():
            found.append(item)
            item.done()

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", forbidden)
        patched.setattr(Path, "stat", broken)
        asked.append(tmp_path / "box" / "b")
        patched.setattr(Path, "is_file", lambda _: True)
        with pytest.raises(InvalidInput, match=r"cannot read .*/box/a: Permission denied; cannot read .*/box/b: Input/output error"):
            collect()
    assert [item.raw for item in found] == [b"X: c"]
    assert look() == [b"X: a", b"X: b"]


def test_a_maildir(tmp_path: Path, mail: bytes, clock: Clock) -> None:
    """What was done is marked as seen; what was left comes again after a minute."""
    box = mailbox.Maildir(tmp_path / "box")
    keys = {word: box.add(mail % word) for word in (b"1", b"2")}
    watched = MaildirMailbox(tmp_path / "box", max_bytes=1000, later=Later(clock=clock))
    for item in watched.look():
        (item.done if b"Subject: 1" in item.raw else item.leave)()
    assert box.get_message(keys[b"1"]).get_flags() == "S"
    assert list(watched.look()) == []
    clock.now = 60
    assert [item.raw for item in watched.look()] == [mail % b"2"]
