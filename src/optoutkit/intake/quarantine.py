"""A folder of mails that were not believed, each with a few words why, until somebody looks at them."""

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

from optoutkit.errors import InvalidInput

__all__ = ["Quarantine", "QuarantinedMail"]

_ID = re.compile(r"[0-9a-f]{16}")
_TRIED = ".tried"
_REMEMBERED = timedelta(days=30)


@attrs.frozen(kw_only=True)
class QuarantinedMail:
    """A mail in quarantine.

    Attributes:
        id: Its name there: a digest of its bytes.
        since: When it was set aside (UTC).
        arrived: When it had come in (UTC).
        reason: Why, in a few words.
        trust: How far it is trusted, as the value of :class:`optoutkit.Trust`; empty if nobody had to ask.
        kind: What it claims to be, as the value of :class:`optoutkit.NoticeKind`; empty if it could not be read.
        sender: Its From; empty unless there is exactly one.
        orders: The orders that it says buyers have opted out by, of all notices in it.
        size: Bytes of the mail.
    """

    id: str
    since: datetime
    arrived: datetime
    reason: str = ""
    trust: str = ""
    kind: str = ""
    sender: str = ""
    orders: tuple[str, ...] = ()
    size: int = 0


def _sync(folder: Path) -> None:
    """Put the names in a folder on the disk, where the system can (Windows cannot, and need not)."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Quarantine:
    """A folder of mails: ``ID.eml`` is the mail byte for byte, ``ID.json`` tells why it is there.

    Only the owner can read it. Several processes may use it at once. An empty hidden file remembers, for a month, since when a mail has
    waited that is not there yet.

    Args:
        folder: Where; it is made if it is not there.

    Raises:
        InvalidInput: It cannot be made or written to; the text says why.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder: Path = Path(folder)
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise InvalidInput(f"cannot keep mails in the quarantine folder {self.folder}: {error.strerror}") from None
        self._forget(datetime.now(UTC) - _REMEMBERED)

    def add(self, mail: QuarantinedMail, raw: bytes) -> None:
        """Set a mail aside; it is on the disk when this returns. One that is there already stays as it is.

        Raises:
            OSError: The folder cannot be written to.
        """
        if self._file(mail.id).exists():
            return
        about = attrs.asdict(mail, value_serializer=lambda _, __, value: value.isoformat() if isinstance(value, datetime) else value)
        self._write(self._about(mail.id), json.dumps(about, ensure_ascii=False, indent=1).encode())
        self._write(self._file(mail.id), raw)

    def first_tried(self, mail_id: str, now: datetime) -> datetime:
        """Since when a mail has waited for DNS or the store: from now on, if nobody has asked so far.

        Raises:
            OSError: The folder cannot be written to.
        """
        path = self._tried(mail_id)
        try:
            path.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            return datetime.fromtimestamp(path.stat().st_mtime, UTC)
        os.utime(path, (now.timestamp(), now.timestamp()))
        return now

    def __iter__(self) -> Iterator[QuarantinedMail]:
        """The mails, longest there first."""
        mails = []
        for path in self.folder.glob("*.eml"):
            with contextlib.suppress(InvalidInput):  # not of the intake's making, or removed since
                mails.append(self.describe(path.stem))
        return iter(sorted(mails, key=lambda mail: (mail.since, mail.id)))

    def describe(self, mail_id: str) -> QuarantinedMail:
        """What is known of a mail; where its description is damaged, what its file tells.

        Raises:
            InvalidInput: There is no such mail.
        """
        path = self._file(mail_id)
        try:
            status = path.stat()
        except FileNotFoundError:
            raise InvalidInput(f"there is no mail {mail_id} in quarantine") from None
        found = datetime.fromtimestamp(status.st_mtime, UTC)
        about: Any = {}
        with contextlib.suppress(OSError, ValueError):
            about = json.loads(self._about(mail_id).read_bytes())
        try:
            return QuarantinedMail(
                id=mail_id,
                since=datetime.fromisoformat(about["since"]).astimezone(UTC),
                arrived=datetime.fromisoformat(about["arrived"]).astimezone(UTC),
                orders=tuple(map(str, about["orders"])),
                size=status.st_size,
                **{name: str(about[name]) for name in ("reason", "trust", "kind", "sender")},
            )
        except (KeyError, TypeError, ValueError):
            return QuarantinedMail(id=mail_id, since=found, arrived=found, reason="its description is damaged", size=status.st_size)

    def read(self, mail_id: str) -> bytes:
        """A mail, byte for byte.

        Raises:
            InvalidInput: There is no such mail.
        """
        try:
            return self._file(mail_id).read_bytes()
        except FileNotFoundError:
            raise InvalidInput(f"there is no mail {mail_id} in quarantine") from None

    def remove(self, mail_id: str) -> None:
        """Delete a mail. One that is not there is not missed.

        Raises:
            InvalidInput: That cannot be the name of one.
        """
        for path in (self._file(mail_id), self._about(mail_id), self._tried(mail_id)):
            path.unlink(missing_ok=True)

    def empty(self) -> int:
        """Delete all mails; returns how many."""
        mails = list(self)
        for mail in mails:
            self.remove(mail.id)
        return len(mails)

    def _file(self, mail_id: str) -> Path:
        if not _ID.fullmatch(mail_id):
            raise InvalidInput(f"not the name of a mail in quarantine: {mail_id!r}")
        return self.folder / f"{mail_id}.eml"

    def _about(self, mail_id: str) -> Path:
        return self._file(mail_id).with_suffix(".json")

    def _tried(self, mail_id: str) -> Path:
        return self.folder / f".{self._file(mail_id).stem}{_TRIED}"

    def _forget(self, before: datetime) -> None:
        """Remember no longer which mails waited before a time."""
        for path in self.folder.glob(f".*{_TRIED}"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()

    def _write(self, path: Path, content: bytes) -> None:
        """All of it or nothing, and on the disk."""
        descriptor, temporary = tempfile.mkstemp(dir=self.folder, prefix=".")
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
            _sync(self.folder)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
