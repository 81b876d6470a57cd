"""Files, folders, mboxes and standard input, as they lie on a disk."""

import io
import mailbox
import subprocess
import sys
import tracemalloc
from email.message import Message
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.errors import InvalidInput
from optoutkit.sources import open_source, read_file, read_stream

SEPARATOR = b"From a@example.com Mon Nov 23 08:00:00 2026\n"


def contents(location: object, **options: int) -> list[bytes]:
    """The mails of a source."""
    return [item.raw for item in open_source(location, **options)]  # type: ignore[arg-type]


def test_a_file(tmp_path: Path, mail: bytes) -> None:
    """One mail, byte for byte, under the name of its file; being read changes nothing."""
    path = tmp_path / "a.eml"
    path.write_bytes(mail % b"x\r\ny\0")
    (item,) = open_source(path)
    assert (item.name, item.raw, item.arrived) == (str(path), mail % b"x\r\ny\0", None)
    item.done()
    item.leave()
    assert path.read_bytes() == mail % b"x\r\ny\0"
    assert "Subject" not in repr(item)


def test_an_empty_file(tmp_path: Path) -> None:
    """Is a mail without anything."""
    (tmp_path / "a").touch()
    assert contents(tmp_path / "a") == [b""]


def test_too_large(tmp_path: Path, mail: bytes) -> None:
    """No more is read than it takes to know."""
    (tmp_path / "a").write_bytes(mail)
    (tmp_path / "m").write_bytes(SEPARATOR + mail * 9 + b"\n" + SEPARATOR + b"X: y\n\n")
    assert contents(tmp_path / "a", max_bytes=10) == [mail[:11]]
    assert contents(tmp_path / "m", max_bytes=10) == [mail[:11], b"X: y\n"]


def test_a_folder(tmp_path: Path, mail: bytes) -> None:
    """All files in the order of their names, those below it too, mboxes opened, hidden ones left out."""
    for name in ("b.eml", "a.eml", "sub/c", ".hidden", ".sub/d", "sub/.x/e"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(mail % name.encode())
    (tmp_path / "z.mbox").write_bytes(SEPARATOR + b"X: 1\n\n" + SEPARATOR + b"X: 2\n\n")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    assert contents(str(tmp_path)) == [mail % b"a.eml", mail % b"b.eml", b"X: 1\n", b"X: 2\n", mail % b"sub/c"]


def test_files_that_cannot_be_read(tmp_path: Path, mail: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are named at the end, after all others were read."""
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(mail % name.encode())
    opened = Path.open

    def forbidden(self: Path, *args: object, **options: object) -> object:
        if self.name in ("a", "b"):  # root may read anything, so a real file will not do
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", forbidden)
    found: list[bytes] = []

    def collect() -> None:
        for item in open_source(tmp_path):
            found.append(item.raw)  # noqa: PERF401 - what came before the error stays

    with pytest.raises(InvalidInput, match=f"cannot read {tmp_path}/a: Permission denied; cannot read {tmp_path}/b: Permission denied"):
        collect()
    assert found == [mail % b"c"]


def test_folders_that_must_not_be_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in them cannot even be looked at; that is told like any other file that cannot be read."""
    (tmp_path / "a").touch()

    def refuse(_self: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", refuse)  # not every Python raises there
    with pytest.raises(InvalidInput, match=f"cannot read {tmp_path}/a: Permission denied"):
        list(open_source(tmp_path))
    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(InvalidInput, match=f"cannot read {tmp_path}/a: Permission denied"):
        open_source(tmp_path / "a")


def test_nothing_there(tmp_path: Path) -> None:
    """A wrong name is told as such."""
    with pytest.raises(InvalidInput, match=f"no file or folder {tmp_path}/x"):
        open_source(tmp_path / "x")
    with pytest.raises(InvalidInput, match=f"cannot read {tmp_path}: Is a directory"):
        list(read_file(tmp_path))


# mbox


def test_an_mbox_that_python_wrote(tmp_path: Path) -> None:
    """The standard library's mbox, quoted lines undone."""
    box = mailbox.mbox(tmp_path / "m")
    for number in range(3):
        message = Message()
        message["Subject"] = str(number)
        message.set_payload("Hello\nFrom here on\n>From there\n")
        box.add(message)
    box.close()
    assert contents(tmp_path / "m") == [b"Subject: %d\n\nHello\nFrom here on\nFrom there\n" % number for number in range(3)]
    assert [item.name for item in open_source(tmp_path / "m")] == [f"{tmp_path / 'm'}#{number}" for number in (1, 2, 3)]


def test_lines_that_part_nothing(tmp_path: Path) -> None:
    """A sentence that begins with From, a separator without a blank line before it, and one that is far too long."""
    text = b"X: y\n\nFrom now on it is 8:00 o'clock.\n" + SEPARATOR + b"\nFrom " + b"1:00 " * 100 + b"2026\n"
    (tmp_path / "m").write_bytes(SEPARATOR + text)
    assert contents(tmp_path / "m") == [text]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_line_ends(tmp_path: Path, newline: bytes) -> None:
    """The blank line that an mbox adds is taken away again, whatever its form; more stay."""
    (tmp_path / "m").write_bytes(
        (SEPARATOR + b"X: 1\n\na\n\n" + SEPARATOR + b"X: 2\n\nb\n\n\n" + SEPARATOR + b"X: 3\n\nc").replace(b"\n", newline)
    )
    assert contents(tmp_path / "m") == [text.replace(b"\n", newline) for text in (b"X: 1\n\na\n", b"X: 2\n\nb\n\n", b"X: 3\n\nc")]


@given(
    st.lists(
        st.lists(st.sampled_from([b"a", b"", b"From x", b">From y", b">>From z", b"b" * 70_000, b"\xe4\0"]), min_size=1, max_size=6),
        min_size=1,
        max_size=4,
    )
)
def test_there_and_back(bodies: list[list[bytes]]) -> None:
    """Whatever was put into an mbox, quoted as mboxrd is (RFC 4155), comes out."""
    mails = [b"X: y\n\n" + b"\n".join(lines) + b"\n" for lines in bodies]
    box = b"".join(SEPARATOR + quoted(raw) + b"\n" for raw in mails)
    assert [item.raw for item in read_stream(io.BytesIO(box), "box")] == mails


def quoted(raw: bytes) -> bytes:
    """A mail with its From lines quoted."""
    return b"".join(b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in raw.splitlines(keepends=True))


def test_constant_memory(tmp_path: Path) -> None:
    """An mbox of 40 MB takes the memory of its largest mail, cut off where it is too large."""
    with (tmp_path / "m").open("wb") as file:
        for _ in range(40):
            file.write(SEPARATOR + b"X: y\n\n" + b"x" * 1_000_000 + b"\n\n")
    tracemalloc.start()
    assert sum(1 for _ in open_source(tmp_path / "m", max_bytes=500_000)) == 40
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


# Standard input


def test_standard_input(mail: bytes) -> None:
    """A mail from procmail, which puts a From line on top; one from a pipe, which does not; and an mbox."""
    code = "from optoutkit.sources import open_source\nfor item in open_source('-'): print(item.name, len(item.raw))"

    def piped(data: bytes) -> list[str]:
        return subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True).stdout.decode().splitlines()

    assert piped(mail) == [f"- {len(mail)}"]
    assert piped(SEPARATOR + mail) == [f"-#1 {len(mail)}"]
    assert piped(SEPARATOR + mail + b"\n" + SEPARATOR + mail) == [f"-#1 {len(mail)}", f"-#2 {len(mail)}"]
    assert piped(b"") == ["- 0"]
