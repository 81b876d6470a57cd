"""From a list into a store: batches, bad lines, and going on."""

import gzip
import io
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optoutkit.bulk import BadRow, Defaults, ImportReport, Rejects, import_list, importing, open_list
from optoutkit.bulk.rejects import free_name
from optoutkit.errors import InvalidInput, StoreUnavailable
from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores import open_store

Read = Callable[..., Any]

BATCH = 500


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", BATCH)


def listing(raw: str | bytes, **options: Any) -> Any:
    """An open list."""
    return open_list(io.BytesIO(raw.encode() if isinstance(raw, str) else raw), **options)


class TestReport:
    """What an import tells."""

    def test_it_counts(self) -> None:
        """Rows, entries, what is new, what is known."""
        with open_store("memory://") as store:
            store.record([OptOut(Address("a@b.example"))])
            rows = (
                "email,reason,opted out\na@b.example,complaint,yes\nb@b.example,complaint,no\nc@,complaint,yes\na@b.example,complaint,yes\n"
            )
            done = import_list(listing(rows), store)
        assert done == ImportReport(rows=4, entries=2, new=1, known=1, passed_over=1, bad=1, last_line=5)

    def test_without_a_store_it_only_counts(self) -> None:
        """For a look beforehand."""
        assert import_list(listing("a@b.example\nx\n"), None) == ImportReport(rows=2, entries=1, bad=1, last_line=2)

    def test_an_import_once_more_does_nothing(self) -> None:
        """And one of somebody who was withdrawn does not put that one back."""
        with open_store("memory://") as store:
            for new in (2, 0):
                assert import_list(listing("a@b.example\nb@b.example\n"), store).new == new
            store.withdraw([Address("a@b.example")])
            import_list(listing("a@b.example\nb@b.example\n"), store)
            assert [str(entry.identity) for entry in store.scan()] == ["b@b.example"]

    def test_every_batch_is_told(self) -> None:
        """When it is in the store."""
        told = []
        with open_store("memory://") as store:

            def progress(done: ImportReport) -> None:
                told.append((done.rows, done.last_line, sum(1 for _ in store.scan())))

            import_list(listing("".join(f"b{number}@b.example\n" for number in range(BATCH + 5))), store, on_progress=progress)
        assert told == [(BATCH, BATCH, BATCH), (BATCH + 5, BATCH + 5, BATCH + 5)]


class TestGoingOn:
    """An import that was interrupted."""

    @pytest.mark.parametrize("error", [KeyboardInterrupt, StoreUnavailable])
    def test_it_goes_on_after_the_line_told_last(self, error: type[BaseException]) -> None:
        """Nothing is missing, nothing is counted twice."""

        class Stopping:
            calls = 0

            def record(self, opt_outs: list[OptOut]) -> Any:
                self.calls += 1
                if self.calls == 3:
                    raise error
                return store.record(opt_outs)

        raw = "email,x\n" + "".join(f"b{number}@b.example,\n" for number in range(3 * BATCH))
        last = ImportReport()

        def progress(done: ImportReport) -> None:
            nonlocal last
            last = done

        with open_store("memory://") as store:
            stopping: Any = Stopping()
            with pytest.raises(error):
                import_list(listing(raw), stopping, on_progress=progress)
            assert last.last_line == 2 * BATCH + 1
            done = import_list(listing(raw), store, after_line=last.last_line)
            assert (done.rows, done.new, last.new) == (BATCH, BATCH, 2 * BATCH)
            assert sum(1 for _ in store.scan()) == 3 * BATCH

    def test_a_line_of_a_document_is_done_when_all_its_rows_are(self) -> None:
        """An answer on one line is many rows: none of them may be passed over when the import goes on."""
        raw = "[" + ",".join(f'{{"email": "b{number}@b.example"}}' for number in range(BATCH + 5)) + "]"
        told = []
        import_list(listing(raw), None, on_progress=lambda done: told.append((done.rows, done.last_line)))
        assert told == [(BATCH, 0), (BATCH + 5, 0)]

    def test_what_stands_before_a_damage_is_recorded(self, tmp_path: Path) -> None:
        """Its bad lines are kept, too, and then the damage is told."""
        raw = gzip.compress(("bad\n" + "".join(f"b{number}@b.example\n" for number in range(20_000))).encode())
        with open_store("memory://") as store:
            rejects = Rejects(tmp_path / "rejects")
            with pytest.raises(InvalidInput, match="not copied whole"):
                import_list(listing(raw[: len(raw) // 2]), store, rejects=rejects)
            rejects.close()
            assert sum(1 for _ in store.scan()) > 5000
        assert (tmp_path / "rejects").read_text().endswith("\nbad\n")


class TestRejects:
    """The file of bad lines."""

    @pytest.mark.parametrize(
        ("raw", "wrong"),
        [
            (b'email;note\na@b.example;x\nb@\xe9@;\xe9 "\n\nd@;"x\ny"\n', b"b@\xe9@"),
            ("email\tnote\r\na@b.example\tx\r\nb@é@\tü\r\nd@\t\r\n".encode("utf-16"), "b@é@".encode()),
            (b'{"email": "a@b.example"}\n{"email": "b@\xe9@"}\n{"email": "d@"}\n', b"b@\xe9@"),
            (b"a@b.example\nb@\xe9@\nd@\n", b"b@\xe9@"),
        ],
        ids=["csv", "tabs in utf-16", "json lines", "plain"],
    )
    def test_mended_it_is_imported_like_the_list(self, tmp_path: Path, raw: bytes, wrong: bytes) -> None:
        """It has the names of the columns, and each line as it was, below its number and what is wrong."""
        path = tmp_path / "rejects"
        with open_store("memory://") as store, listing(raw) as first:
            rejects = Rejects(path, first.layout.header)
            assert import_list(first, store, rejects=rejects).bad == 2
            rejects.close()
            kept = path.read_bytes()
            assert kept.count(b"# line ") == 2
            mended = b"".join(
                line if line.startswith(b"#") else line.replace(wrong, b"b@b.example").replace(b"d@", b"d@b.example")
                for line in kept.splitlines(keepends=True)
            )
            with listing(mended) as second:
                assert import_list(second, store).bad == 0
            assert [str(entry.identity) for entry in store.scan()] == ["a@b.example", "b@b.example", "d@b.example"]

    def test_rows_of_a_document_are_kept_as_json_lines(self, tmp_path: Path) -> None:
        """A row cannot be cut out of a document as it stands."""
        rejects = Rejects(tmp_path / "rejects")
        with listing('[\n{"email": "a@b.example"},\n{"email":\n "d@"}]') as first:
            import_list(first, None, rejects=rejects)
        rejects.close()
        assert rejects.path.read_text().splitlines()[1:] == ['{"email": "d@"}']

    def test_bytes_stay_what_they_were(self, tmp_path: Path) -> None:
        """Also those that are no UTF-8."""
        rejects = Rejects(tmp_path / "rejects")
        with listing(b"a@b.example\nb\xe9\xff\x80\n") as first:
            import_list(first, None, rejects=rejects)
        rejects.close()
        assert (tmp_path / "rejects").read_bytes().splitlines()[1] == b"b\xe9\xff\x80"

    def test_it_is_made_when_needed_and_for_its_owner(self, tmp_path: Path) -> None:
        """There are addresses in it."""
        rejects = Rejects(tmp_path / "rejects")
        rejects.write([])
        assert not rejects.path.exists()
        rejects.write([BadRow(3, "x\r\n", "it is\n wrong")])
        rejects.close()
        assert rejects.path.read_bytes() == b"# line 3: it is wrong\nx\n"
        assert stat.S_IMODE(rejects.path.stat().st_mode) == 0o600

    def test_it_is_never_overwritten(self, tmp_path: Path) -> None:
        """Somebody may be mending it."""
        path = tmp_path / "rejects"
        path.write_text("mine")
        with pytest.raises(InvalidInput, match=r"cannot write .*: File exists"):
            Rejects(path).write([BadRow(1, "x", "y")])
        assert path.read_text() == "mine"
        assert free_name(path) == tmp_path / "rejects.2"
        (tmp_path / "rejects.2").touch()
        assert free_name(path) == tmp_path / "rejects.3"

    def test_many_long_bad_lines_take_no_memory(self) -> None:
        """A batch ends when they are many characters."""
        batches: list[int] = []
        raw = ("x" * 200_000 + "\n") * 20 + "a@b.example\n"
        import_list(listing(raw, columns={"1": "address"}), None, on_progress=lambda done: batches.append(done.rows))
        assert batches == [5, 10, 15, 20, 21]


def test_defaults_are_told_by_name() -> None:
    """As in the documentation."""
    with open_store("memory://") as store:
        import_list(listing("a@b.example\n"), store, Defaults(seller="s", source="the old tool"))
        assert [(entry.seller, entry.source) for entry in store.scan(seller="s")] == [("s", "the old tool")]
