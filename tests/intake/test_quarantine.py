"""The quarantine folder by itself."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from optoutkit.errors import InvalidInput
from optoutkit.intake import Quarantine, QuarantinedMail

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def mail(number: int, **more: object) -> QuarantinedMail:
    """The description of a mail."""
    described: dict[str, object] = {
        "id": f"{number:016x}",
        "since": NOW - timedelta(hours=number),
        "arrived": NOW,
        "reason": "grün",
        "orders": ("1",),
        "size": 3,
        **more,
    }
    return QuarantinedMail(**described)  # type: ignore[arg-type]


def test_in_and_out(tmp_path: Path) -> None:
    """What goes in is listed, longest there first, comes out as it was, and goes."""
    quarantine = Quarantine(tmp_path / "q")
    for number in (1, 2):
        quarantine.add(mail(number), b"abc")
    assert list(quarantine) == [mail(2), mail(1)]
    assert list(Quarantine(str(tmp_path / "q"))) == [mail(2), mail(1)]
    assert quarantine.read(mail(1).id) == b"abc"
    quarantine.remove(mail(1).id)
    quarantine.remove(mail(1).id)
    assert list(quarantine) == [mail(2)]
    assert quarantine.empty() == 1
    assert list((tmp_path / "q").iterdir()) == []


def test_first_come(tmp_path: Path) -> None:
    """A mail that is there stays as it is."""
    quarantine = Quarantine(tmp_path)
    quarantine.add(mail(1), b"abc")
    quarantine.add(mail(1, reason="another"), b"abc")
    assert list(quarantine) == [mail(1)]


def test_since_when_a_mail_has_waited(tmp_path: Path) -> None:
    """It is remembered by the folder, not by whoever asks, and shown nowhere; for a month, or until the mail is removed."""
    now = datetime.now(UTC).replace(microsecond=0)
    first, forgotten = now - timedelta(days=29), now - timedelta(days=31)
    assert Quarantine(tmp_path).first_tried(mail(1).id, first) == first
    assert Quarantine(tmp_path).first_tried(mail(1).id, now) == first
    assert Quarantine(tmp_path).first_tried(mail(2).id, forgotten) == forgotten
    quarantine = Quarantine(tmp_path)
    assert list(quarantine) == []
    assert quarantine.first_tried(mail(2).id, now) == now
    assert quarantine.first_tried(mail(1).id, now) == first
    quarantine.remove(mail(1).id)
    assert quarantine.first_tried(mail(1).id, now) == now


def test_for_the_owner_s_eyes(tmp_path: Path) -> None:
    """Nobody else can read it."""
    quarantine = Quarantine(tmp_path / "q")
    quarantine.add(mail(1), b"abc")
    quarantine.first_tried(mail(2).id, NOW)
    for path in (tmp_path / "q", *(tmp_path / "q").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "0" * 15, "X" * 16, "0" * 16 + "\n"])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    """No name leads out of the folder."""
    quarantine = Quarantine(tmp_path)
    for verb in (quarantine.read, quarantine.remove, quarantine.describe):
        with pytest.raises(InvalidInput, match="not the name"):
            verb(name)


def test_not_there(tmp_path: Path) -> None:
    """A name that is none of a mail there."""
    quarantine = Quarantine(tmp_path)
    for verb in (quarantine.read, quarantine.describe):
        with pytest.raises(InvalidInput, match="no mail 0000000000000001 in quarantine"):
            verb(mail(1).id)


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"since": 5}', None])
def test_damaged_descriptions(tmp_path: Path, damage: str | None) -> None:
    """The mail is there all the same; and what is not the folder's own is left alone."""
    quarantine = Quarantine(tmp_path)
    quarantine.add(mail(1), b"abc")
    about = tmp_path / f"{mail(1).id}.json"
    about.unlink() if damage is None else about.write_text(damage)
    os.utime(tmp_path / f"{mail(1).id}.eml", (NOW.timestamp(), NOW.timestamp()))
    (tmp_path / "notes.eml").write_bytes(b"mine")
    (described,) = quarantine
    assert (described.id, described.since, described.size, described.reason) == (mail(1).id, NOW, 3, "its description is damaged")
    assert quarantine.empty() == 1
    assert (tmp_path / "notes.eml").exists()


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    """A missing parent, a file in the way: one clear line, at once."""
    (tmp_path / "file").touch()
    for folder in (tmp_path / "a" / "b", tmp_path / "file"):
        with pytest.raises(InvalidInput, match=f"quarantine folder {folder}"):
            Quarantine(folder)


def test_half_a_mail_is_never_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If writing fails, nothing is left behind."""
    quarantine = Quarantine(tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        quarantine.add(mail(1), b"abc")
    assert list(tmp_path.iterdir()) == []


def test_folders_that_cannot_be_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system cannot open a folder, as Windows, the mail is there all the same."""
    quarantine = Quarantine(tmp_path)

    def refuse(path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if os.fspath(path) == str(tmp_path):  # type: ignore[call-overload]
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, mode, dir_fd=dir_fd)  # type: ignore[arg-type]

    opened = os.open
    monkeypatch.setattr(os, "open", refuse)
    quarantine.add(mail(1), b"abc")
    assert quarantine.read(mail(1).id) == b"abc"
