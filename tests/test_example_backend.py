"""The backend that the documentation gives as an example."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from optoutkit.errors import StoreCorrupt, StoreUnavailable
from optoutkit.optouts import OptOut
from optoutkit.testing.stores import DurableStoreConformance, StoreFactory
from optoutkit.testing.stores.fixtures import PLAIN

EXAMPLE = SimpleNamespace(**runpy.run_path(str(Path(__file__).parent.parent / "docs" / "json_store.py")))


class TestJsonStore(DurableStoreConformance):
    """The sync store."""

    @pytest.fixture
    def make_store(self, tmp_path: Path) -> StoreFactory:
        """All on one file."""
        return lambda clock: EXAMPLE.JsonStore(tmp_path / "optouts.json", clock=clock)


class TestAsyncJsonStore(DurableStoreConformance):
    """The async store."""

    @pytest.fixture
    def make_store(self, tmp_path: Path) -> StoreFactory:
        """All on one file."""
        return lambda clock: EXAMPLE.AsyncJsonStore(tmp_path / "optouts.json", clock=clock)


def test_its_entry_point_opens_both_by_uri(tmp_path: Path) -> None:
    """What the backend object gives for a URI works on the file named there."""
    uri = f"json:///{tmp_path}/optouts.json?link_days=90"
    with EXAMPLE.BACKEND.open(uri) as store:
        assert store.record([OptOut(PLAIN)]).new == 1
    assert isinstance(EXAMPLE.BACKEND.open_async(uri), EXAMPLE.AsyncJsonStore)


def test_its_errors_are_ours(tmp_path: Path) -> None:
    """A damaged file and a missing folder raise what the contract names."""
    (tmp_path / "damaged.json").write_bytes(b"{\xff")
    with pytest.raises(StoreCorrupt, match="restore it from a backup"):
        EXAMPLE.JsonStore(tmp_path / "damaged.json").lookup([PLAIN])
    with pytest.raises(StoreUnavailable, match="No such file"):
        EXAMPLE.JsonStore(tmp_path / "nowhere" / "optouts.json").health()
