"""Stores by URI."""

import asyncio
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest

from optoutkit.errors import InvalidUri, MissingExtra, StoreUnavailable
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import OptOut
from optoutkit.stores import opening
from optoutkit.stores.memory import AsyncMemoryStore, MemoryStore
from optoutkit.stores.opening import open_async_store, open_store
from optoutkit.stores.sqlite import AsyncSqliteStore, SqliteStore

BUYER = Address("buyer@example.com")


def test_memory_stores_are_new_each_time() -> None:
    """``memory://`` opens an empty store, sync or async."""
    with open_store("memory://") as one, open_store("memory://") as other:
        one.record([OptOut(BUYER)])
        assert other.lookup([BUYER]) == {}
        assert isinstance(one, MemoryStore)
    assert isinstance(open_async_store("memory://"), AsyncMemoryStore)


def test_a_path_is_relative_or_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three slashes lead to a file in the working directory, four to an absolute path; both to the same store."""
    monkeypatch.chdir(tmp_path)
    with open_store("sqlite:///my%20shop.db") as store:
        assert isinstance(store, SqliteStore)
        store.record([OptOut(BUYER)])
    with open_store(f"sqlite:///{tmp_path}/my%20shop.db") as store:
        assert BUYER in store.lookup([BUYER])
    assert [file.name for file in tmp_path.iterdir()] == ["my shop.db"]


def test_a_relative_path_is_that_of_the_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To change the working directory later does not move the file, not even for a store that is opened at first use."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    store = open_async_store("sqlite:///optouts.db")
    monkeypatch.chdir(tmp_path / "elsewhere")

    async def use() -> None:
        async with store:
            await store.health()

    asyncio.run(use())
    assert isinstance(store, AsyncSqliteStore)
    assert (tmp_path / "optouts.db").exists()


@pytest.mark.parametrize("opener", [open_store, open_async_store])
@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("optouts.db", "sqlite:///optouts.db"),
        ("nosuch://x", r"no store for nosuch://; there is: memory://, .*sqlite://"),
        ("memory://name", "no name"),
        ("memory:///name", "no name"),
        ("memory://?days=1", "no option 'days'"),
        ("memory://?link_days=0", "link_days must be at least 1"),
        ("sqlite://", "a file is missing"),
        ("sqlite:///", "a file is missing"),
        ("sqlite:///a%00b", "a file is missing"),
        ("sqlite://optouts.db", "sqlite:///optouts.db"),
        ("sqlite:///:memory:", "memory://"),
        ("sqlite:///x.db?link_days=many", "link_days"),
        ("sqlite:///x.db?timeout=nan", "timeout"),
        ("sqlite:///x.db?timeout=-1", "timeout"),
        ("sqlite:///x.db?password=secret", "no option 'password'; there is: link_days, timeout"),
    ],
)
def test_a_wrong_uri_is_refused_in_one_clear_line(
    opener: Callable[[str], Any], uri: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong is named, with what to write instead, and nothing is made on the disk."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidUri, match=says) as raised:
        opener(uri)
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("uri", ["memory://?link_days=1", "sqlite:///{}/optouts.db?link_days=1&timeout=2.5"])
def test_options_reach_the_store(uri: str, tmp_path: Path) -> None:
    """``link_days`` in the URI is the one the store goes by; a good number of seconds is taken."""
    with open_store(uri.format(tmp_path)) as store:
        assert isinstance(store, MemoryStore | SqliteStore)
        assert store._link_days == 1


@pytest.mark.parametrize("store", [MemoryStore, AsyncMemoryStore])
def test_links_are_kept_for_a_day_at_least(store: Callable[..., Any], tmp_path: Path) -> None:
    """A ``link_days`` below 1 is the caller's mistake."""
    for make in (store, lambda **options: SqliteStore(tmp_path / "x", **options), lambda **options: AsyncSqliteStore("x", **options)):
        with pytest.raises(ValueError, match="link_days"):
            make(link_days=0)


def test_the_async_store_reports_at_its_first_verb(tmp_path: Path) -> None:
    """Opening waits for nothing; a folder that is missing shows when the store is used, and once it is there all is well."""
    folder = tmp_path / "later"
    store = open_async_store(f"sqlite:///{folder}/optouts.db")

    async def use() -> None:
        async with store:
            with pytest.raises(StoreUnavailable, match="folder does not exist"):
                await store.health()
            folder.mkdir()
            await store.health()

    asyncio.run(use())


class OtherBackend:
    """A third party's backend."""

    def open(self, uri: str) -> MemoryStore:
        """Give any store."""
        assert uri == "other://host/x"
        return MemoryStore()

    def open_async(self, uri: str) -> AsyncMemoryStore:
        """Give any async store."""
        assert uri == "other://host/x"
        return AsyncMemoryStore()


OTHER = OtherBackend()


def raise_missing_extra() -> None:
    """What a backend does whose driver is not there."""
    raise MissingExtra("the lacking:// store", "lacking")


class Installed:
    """An entry point as a distribution brings it."""

    def __init__(self, name: str, load: Callable[[], Any]) -> None:
        self.name = name
        self.load = load


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have some backends installed."""
    points = [
        Installed("other", lambda: OTHER),
        Installed("sqlite", lambda: OTHER),
        Installed("broken", EntryPoint("broken", "no.such.module:THING", "optoutkit.stores").load),
        Installed("empty", EntryPoint("empty", "os:NO_SUCH_NAME", "optoutkit.stores").load),
        Installed("lacking", raise_missing_extra),
    ]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points if group == "optoutkit.stores" else [])


@pytest.mark.usefixtures("installed")
def test_third_parties_add_schemes() -> None:
    """A backend is found by its scheme, and gets the whole URI."""
    assert isinstance(open_store("other://host/x"), MemoryStore)
    assert isinstance(open_async_store("other://host/x"), AsyncMemoryStore)
    with pytest.raises(InvalidUri, match=r"broken://, .*lacking://, .*memory://, .*other://, .*sqlite://"):
        open_store("nosuch://")


@pytest.mark.usefixtures("installed")
def test_nobody_takes_the_place_of_a_built_in_store() -> None:
    """``sqlite://`` stays ours, whatever is installed."""
    with pytest.raises(InvalidUri, match="a file is missing"):
        open_store("sqlite://")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("uri", ["broken://", "empty://"])
def test_a_backend_that_cannot_be_loaded_is_reported(uri: str) -> None:
    """A broken distribution is a clear error of ours."""
    with pytest.raises(InvalidUri, match="could not be loaded"):
        open_store(uri)


@pytest.mark.usefixtures("installed")
def test_a_missing_extra_names_itself() -> None:
    """A backend whose driver is not installed says which extra brings it."""
    with pytest.raises(MissingExtra, match=r"pip install 'optoutkit\[lacking\]'"):
        open_store("lacking://")


def test_the_built_in_stores_need_no_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    """They open where no distribution is installed, as in a zip or a source tree."""
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [])
    with open_store("memory://") as store:
        assert store.lookup([OrderId("302-1234567-1234567")]) == {}


def test_the_entry_points_of_the_distribution_are_the_built_in_stores() -> None:
    """What the metadata says for other programs leads to the same backends."""
    points = {point.name: point.value for point in entry_points(group="optoutkit.stores")}
    assert points == {scheme: f"{module}:{name}" for scheme, (module, name) in opening._BUILT_IN.items()}
