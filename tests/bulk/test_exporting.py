"""From a store into a list, and back."""

import csv
import gzip
import io
import os
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.bulk import export_list, import_list, open_list
from optoutkit.bulk.writers import escaped, unescaped
from optoutkit.errors import InvalidInput, MissingExtra, StoreUnavailable
from optoutkit.identities import Address, Digest, OrderId
from optoutkit.optouts import OptOut, Reason
from optoutkit.stores import open_store
from optoutkit.stores.memory import MemoryStore

BUYER, OTHER, ORDER = Address("a@b.example"), Address("=1+1@b.example"), OrderId("302-1234567-7654321")
NOW = datetime.now(UTC)
PAST = NOW - timedelta(days=1)

times = st.datetimes(datetime(1, 1, 2), datetime(2026, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone follows
identities = st.one_of(
    st.builds(lambda local: Address(f"{local}@b.example"), st.from_regex(r"[a-z=+'é!#|-][a-z0-9]{0,5}", fullmatch=True)),
    st.builds(OrderId, st.from_regex(r"[0-9]{3}-[0-9]{7}-[0-9]{7}", fullmatch=True).filter(str.isascii)),
    st.builds(Digest, st.sampled_from(["address", "order"]), st.just("k1"), st.binary(min_size=16, max_size=16)),
)
notes = st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from("=+-@\t\r\n\"',;#"), max_size=12
)
entries = st.builds(
    OptOut,
    identities,
    reason=st.sampled_from(Reason),
    since=st.none() | times,
    expires_at=st.none() | st.datetimes(timezones=st.just(UTC), min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)),  # noqa: DTZ001
    source=notes,
    verified=st.booleans(),
)


@given(st.lists(entries, min_size=1, max_size=6), st.sampled_from(["csv", "jsonl"]), st.sampled_from(["", "gzip", "zstd"]))
def test_what_is_written_comes_back(told: list[OptOut], form: str, compression: str) -> None:
    """Every entry, to the last microsecond and blank, whatever a stranger wrote into its source."""
    file = io.BytesIO()
    with open_store("memory://") as store, open_store("memory://") as other:
        store.record(told)
        count = export_list(store, file, form=form, compression=compression)
        file.seek(0)
        with open_list(file, columns={"verified": "verified"}) as listing:
            assert (listing.layout.form, listing.layout.compression) == (form, compression)
            assert import_list(listing, other).bad == 0
        kept = list(store.scan())
        assert list(other.scan()) == kept
        assert count == len(kept)


@given(st.lists(entries, max_size=6))
def test_a_plain_list_has_everybody_once(told: list[OptOut]) -> None:
    """Who is on the list now, and nobody whose entry has expired: the list has no room for that."""
    file = io.BytesIO()
    with open_store("memory://") as store:
        store.record(told)
        count = export_list(store, file, form="plain")
        expected = [str(identity) for identity in dict.fromkeys(entry.identity for entry in store.scan() if entry.in_force(NOW))]
    assert file.getvalue().decode().splitlines() == expected
    assert count == len(expected)


@given(notes)
def test_no_spreadsheet_runs_what_a_stranger_wrote(note: str) -> None:
    """No cell begins as a formula does; readers get the text back."""
    assert not escaped(note).startswith(tuple("=+-@\t\r\n＝＋－＠"))
    assert unescaped(escaped(note)) == note


def test_no_cell_of_a_table_is_a_formula() -> None:
    """Addresses are no exception, nor are sellers."""
    file = io.BytesIO()
    with open_store("memory://") as store:
        store.record([OptOut(OTHER, "+seller", source="=cmd|' /C calc'!A0")])
        export_list(store, file, seller="+seller", form="csv")
    for row in csv.reader(io.StringIO(file.getvalue().decode(), newline="")):
        assert not any(value.startswith(tuple("=+-@")) for value in row)


class TestFiles:
    """Where a list is written to."""

    @pytest.fixture
    def store(self) -> MemoryStore:
        """One that has something."""
        store = MemoryStore()
        store.record([OptOut(BUYER, source="é"), OptOut(BUYER, reason=Reason.MANUAL, expires_at=PAST), OptOut(ORDER)])
        return store

    def test_a_file_is_for_its_owner(self, store: MemoryStore, tmp_path: Path) -> None:
        """It has the form wanted, and nothing else is left in the folder."""
        assert export_list(store, tmp_path / "list.txt", form="plain") == 2
        assert (tmp_path / "list.txt").read_text() == f"{BUYER}\n{ORDER}\n"
        assert stat.S_IMODE((tmp_path / "list.txt").stat().st_mode) == 0o600
        assert [file.name for file in tmp_path.iterdir()] == ["list.txt"]

    def test_an_older_file_gives_way_when_the_new_one_is_complete(self, store: MemoryStore, tmp_path: Path) -> None:
        """And stays if it never is; a symbolic link stays one."""
        path, link = tmp_path / "real" / "list", tmp_path / "link"
        path.parent.mkdir()
        path.write_text("old")
        link.symlink_to(path)

        class Failing(MemoryStore):
            def scan(self, **options: Any) -> Any:
                yield from store.scan(**options)
                raise StoreUnavailable("gone")

        for compression in ("", "gzip", "zstd"):
            with pytest.raises(StoreUnavailable):
                export_list(Failing(), link, compression=compression)
        assert path.read_text() == "old"
        assert os.listdir(path.parent) == ["list"]  # noqa: PTH208 - the names alone
        export_list(store, link)
        assert link.is_symlink()
        assert path.read_bytes().count(b"\n") == 3

    def test_what_is_no_file_is_written_to(self, store: MemoryStore) -> None:
        """Such as a device or a pipe."""
        assert export_list(store, os.devnull) == 3

    def test_an_open_file_stays_open(self, store: MemoryStore) -> None:
        """Packed or not; what is packed is complete."""
        for compression, unpack in (("gzip", gzip.decompress), ("zstd", zstandard.ZstdDecompressor().decompressobj().decompress)):
            file = io.BytesIO()
            export_list(store, file, form="plain", compression=compression)
            assert not file.closed
            assert unpack(file.getvalue()) == f"{BUYER}\n{ORDER}\n".encode()

    def test_a_file_that_cannot_be_written(self, store: MemoryStore, tmp_path: Path) -> None:
        """It is named, with the system's word for it."""
        with pytest.raises(InvalidInput, match=r"cannot write .*list.*: No such file or directory"):
            export_list(store, tmp_path / "missing" / "list")
        with pytest.raises(InvalidInput, match=r"cannot write .*: Is a directory"):
            export_list(store, tmp_path)

    @pytest.mark.parametrize("wrong", [{"form": "xml"}, {"compression": "zip"}])
    def test_a_form_that_is_none(self, store: MemoryStore, tmp_path: Path, wrong: dict[str, Any]) -> None:
        """That is a slip in the caller's code, and no file is made for it."""
        with pytest.raises(ValueError, match="a list is"):
            export_list(store, tmp_path / "list", **wrong)
        assert list(tmp_path.iterdir()) == []

    def test_without_the_extra_it_is_said_how_to_get_it(self, store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """For writing."""
        monkeypatch.setitem(sys.modules, "zstandard", None)
        monkeypatch.delitem(sys.modules, "optoutkit.bulk.zstd", raising=False)
        with pytest.raises(MissingExtra, match=r"optoutkit\[zstd\]"):
            export_list(store, tmp_path / "list", compression="zstd")
        assert list(tmp_path.iterdir()) == []

    def test_progress_is_told(self, tmp_path: Path) -> None:
        """Page by page."""
        told: list[int] = []
        with open_store("memory://") as store:
            store.record(OptOut(Address(f"b{number}@b.example")) for number in range(2500))
            export_list(store, tmp_path / "list", on_progress=told.append)
        assert told == [1000, 2000, 2500]
