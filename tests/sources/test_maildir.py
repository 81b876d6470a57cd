"""Maildirs, with another program at work in them."""

import errno
import mailbox
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from optoutkit.errors import InvalidInput
from optoutkit.sources import is_maildir, open_source, read_maildir


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """An empty Maildir."""
    for name in ("new", "cur", "tmp"):
        (tmp_path / "box" / name).mkdir(parents=True)
    return tmp_path / "box"


def names(box: Path) -> list[str]:
    """All mails of a Maildir."""
    return sorted(str(path.relative_to(box)) for path in box.glob("*/*"))


def test_one_that_python_wrote(tmp_path: Path, mail: bytes) -> None:
    """The standard library delivers, we read, and it sees what was seen."""
    box = mailbox.Maildir(tmp_path / "box")
    key = box.add(mail)
    assert is_maildir(tmp_path / "box")
    (item,) = open_source(tmp_path / "box")
    assert item.raw == mail
    item.done()
    assert box.get_message(key).get_flags() == "S"
    assert list(open_source(tmp_path / "box")) == []


def test_new_and_unseen(box: Path) -> None:
    """What nobody has seen, oldest first, wherever it lies; what is seen, thrown away, hidden or half delivered is left alone."""
    for name in ("new/3.x.h", "cur/2.x.h:2,", "cur/1.x.h:2,RF", "cur/4.x.h", "cur/5.x.h:2,FS", "cur/6.x.h:2,T", "new/.hidden", "tmp/7.x.h"):
        (box / name).write_bytes(name.encode())
    items = list(read_maildir(box))
    assert [item.raw for item in items] == [b"cur/1.x.h:2,RF", b"cur/2.x.h:2,", b"new/3.x.h", b"cur/4.x.h"]
    for item in items:
        item.done()
    expected = [
        "cur/1.x.h:2,FRS",
        "cur/2.x.h:2,S",
        "cur/3.x.h:2,S",
        "cur/4.x.h:2,S",
        "cur/5.x.h:2,FS",
        "cur/6.x.h:2,T",
        "new/.hidden",
        "tmp/7.x.h",
    ]
    assert names(box) == expected


def test_left_where_it_was(box: Path) -> None:
    """Until somebody says that it is done, it comes again."""
    (box / "new/1.x.h").touch()
    for _ in range(2):
        (item,) = read_maildir(box)
        item.leave()
    assert names(box) == ["new/1.x.h"]


def test_arrival(box: Path) -> None:
    """Is when it was delivered."""
    (box / "new/1.x.h").touch()
    os.utime(box / "new/1.x.h", (1_700_000_000, 1_700_000_000))
    (item,) = read_maildir(box)
    assert item.arrived == datetime.fromtimestamp(1_700_000_000, UTC)


def test_too_large(box: Path) -> None:
    """No more is read than it takes to know."""
    (box / "new/1.x.h").write_bytes(b"x" * 100)
    assert [item.raw for item in open_source(box, max_bytes=10)] == [b"x" * 11]


@pytest.mark.parametrize(("old", "new"), [("new/1[?*].x.h", "cur/1[?*].x.h:2,R"), ("cur/1[?*].x.h:2,", "cur/1[?*].x.h:2,R")])
def test_renamed_meanwhile(box: Path, old: str, new: str) -> None:
    """Another program moves or flags a mail between reading and saving: the flag is added to its new name, and to no other's."""
    (box / old).touch()
    (box / "cur/1x.x.h:2,").touch()
    item = next(item for item in read_maildir(box) if "[" in item.name)
    (box / old).rename(box / new)
    item.done()
    assert names(box) == ["cur/1[?*].x.h:2,RS", "cur/1x.x.h:2,"]


def test_taken_away_meanwhile(box: Path) -> None:
    """What somebody else has deleted is not missed, before it is read nor after."""
    for name in ("1", "2"):
        (box / "new" / name).touch()
    source = read_maildir(box)
    item = next(source)
    for name in ("1", "2"):
        (box / "new" / name).unlink()
    item.done()
    assert list(source) == []
    assert names(box) == []


def test_mails_that_cannot_be_read(box: Path) -> None:
    """They are named after all others were read."""
    (box / "new/1.x.h").mkdir()
    (box / "new/2.x.h").write_bytes(b"x")
    source = read_maildir(box)
    assert next(source).raw == b"x"
    with pytest.raises(InvalidInput, match=f"cannot read {box}/new/1.x.h: Is a directory"):
        next(source)


def test_mails_that_cannot_be_marked(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a Maildir that this user may only read: all are read, and it is told once, at the end; they come again."""

    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self), None, str(target))

    monkeypatch.setattr(Path, "rename", refuse)
    for name in ("1", "2"):
        (box / "new" / name).touch()
    source = read_maildir(box)
    for name in ("1", "2"):
        item = next(source)
        item.done()
        assert item.name == f"{box}/new/{name}"
    with pytest.raises(InvalidInput, match=rf"that they come again: 2; let this user write the Maildir \({box}/new/1: Permission denied\)"):
        next(source)
    assert names(box) == ["new/1", "new/2"]


def test_no_maildir(tmp_path: Path) -> None:
    """A folder that is none."""
    assert not is_maildir(tmp_path)
    with pytest.raises(InvalidInput, match=f"cannot read {tmp_path}/new: No such file"):
        list(read_maildir(tmp_path))
