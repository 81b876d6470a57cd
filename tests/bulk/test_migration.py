"""From one store into another."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.bulk import Checkpoint, MigrationProgress, migrate
from optoutkit.bulk import migration as module
from optoutkit.errors import InvalidInput, StoreUnavailable
from optoutkit.identities import Address, Identity, OrderId
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores import OptOutStore, RecordReport, open_store
from optoutkit.stores.memory import MemoryStore

ALIAS, OTHER = Address("abc123@marketplace.amazon.de"), Address("xyz789@marketplace.amazon.de")
ORDER, SECOND, THIRD = (OrderId(f"302-{number}234567-1234567") for number in range(3))
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
SOURCE, TARGET = "sqlite:///source.db", "sqlite:///target.db"

identities = st.sampled_from([Address(f"b{number}@example.com") for number in range(5)] + [ORDER, SECOND, THIRD])
times = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone follows
expiries = st.none() | st.sampled_from([NOW - DAY, NOW + DAY, NOW + 9 * DAY])
sellers = st.sampled_from(["", SHARED, "a"])
entries = st.builds(OptOut, identities, sellers, reason=st.sampled_from(Reason), since=times, expires_at=expiries, verified=st.booleans())
links = st.tuples(sellers, st.sampled_from([ORDER, SECOND, THIRD]), st.sampled_from([Address("b1@example.com"), ALIAS]))


class Bare:
    """A store with the verbs of the contract, and nothing else."""

    def __init__(self, store: OptOutStore) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        if name in ("sellers", "scan_links"):
            raise AttributeError(name)
        return getattr(self.store, name)


class Losing(MemoryStore):
    """A store that says it has recorded, and has not."""

    def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """Keep every second one."""
        return super().record(list(opt_outs)[::2])


@given(st.lists(entries, max_size=12), st.lists(links, max_size=4), st.lists(entries, max_size=6))
def test_whoever_is_opted_out_stays_so(told: list[OptOut], linked: list[Any], there: list[OptOut]) -> None:
    """All lists, all reasons, through links too, as strongly and as long; what the target has already stays."""
    with open_store("memory://") as source, open_store("memory://") as target:
        source.record(told)
        for seller, order, address in linked:
            source.link([(order, address)], seller=seller)
        before = list(source.scan())
        target.record(there)
        report = migrate(source, target)
        assert report.is_complete
        assert report.lost == 0
        assert report.entries == report.source_entries == sum(1 for seller in ("", SHARED, "a") for _ in source.scan(seller=seller))
        for entry in [*told, *there]:
            found = {other.reason: other for other in target.scan(seller=entry.seller) if other.identity == entry.identity}[entry.reason]
            assert entry.since is None or (found.since is not None and found.since <= entry.since)
            assert found.expires_at is None or (entry.expires_at is not None and found.expires_at >= entry.expires_at)
            assert found.verified >= entry.verified
        asked: list[Identity] = [*(entry.identity for entry in told), ORDER, SECOND, THIRD, ALIAS]
        for seller in ("", SHARED, "a", "b"):
            there_now, here_now = source.lookup(asked, seller=seller), target.lookup(asked, seller=seller)
            assert there_now.keys() <= here_now.keys()
        assert list(source.scan()) == before


class TestLinks:
    """Which order belongs to whom."""

    def test_an_entry_of_the_target_that_ends_earlier_hides_no_link(self) -> None:
        """When it has ended, the link leads to the one that goes on."""
        with open_store("memory://") as source, open_store("memory://") as target:
            source.record([OptOut(ORDER)])
            source.link([(ORDER, ALIAS)])
            target.record([OptOut(ALIAS, expires_at=NOW + DAY)])
            assert migrate(source, target).is_complete
            assert target.lookup([ALIAS], at=NOW + 2 * DAY)

    def test_they_are_copied(self) -> None:
        """An opt-out by order holds for its buyer's other orders there as here."""
        with open_store("memory://") as source, open_store("memory://") as target:
            source.record([OptOut(ORDER)])
            source.link([(ORDER, ALIAS), (SECOND, ALIAS)])
            source.link([(THIRD, OTHER)], seller="only links")
            report = migrate(source, target)
            assert (report.links, report.contradicted, report.is_complete) == (3, 0, True)
            assert target.lookup([SECOND, ALIAS]).keys() == {SECOND, ALIAS}
            target.record([OptOut(OTHER, "only links")])
            assert target.lookup([THIRD], seller="only links")

    def test_a_store_that_cannot_tell_them_is_refused(self) -> None:
        """Nobody loses them without knowing; whoever knows may go on."""
        source: Any = Bare(MemoryStore())
        source.record([OptOut(ORDER)])
        source.link([(ORDER, ALIAS)])
        target = MemoryStore()
        with pytest.raises(InvalidInput, match="cannot tell its links"):
            migrate(source, target, sellers=[""])
        assert migrate(source, target, sellers=[""], with_links=False).links is None
        assert target.lookup([ORDER, ALIAS]).keys() == {ORDER}

    def test_a_link_that_says_otherwise_in_the_target_is_told(self) -> None:
        """It stays; and whoever is no longer opted out for it is counted, and named."""
        source, target = MemoryStore(), MemoryStore()
        source.record([OptOut(ORDER)])
        source.link([(ORDER, ALIAS)])
        target.link([(ORDER, OTHER)])
        report = migrate(source, target)
        assert (report.contradicted, report.lost, report.examples, report.is_complete) == (1, 1, (ALIAS,), False)


class TestSellers:
    """Whose lists are copied."""

    def test_all_or_those_named(self) -> None:
        """By default every one that the source has."""
        source = MemoryStore()
        source.record([OptOut(ALIAS, seller) for seller in ("", "a", "b", SHARED)])
        target = MemoryStore()
        assert migrate(source, target, sellers=["a", "b", "a"]).sellers == ("a", "b")
        assert list(target.sellers()) == ["a", "b"]
        assert migrate(source, target).sellers == ("", SHARED, "a", "b")
        assert list(target.sellers()) == ["", SHARED, "a", "b"]

    def test_a_store_that_cannot_tell_them_needs_them_named(self) -> None:
        """No list is left behind because nobody thought of it."""
        source: Any = Bare(MemoryStore())
        with pytest.raises(InvalidInput, match="cannot tell whose lists"):
            migrate(source, MemoryStore(), with_links=False)

    def test_what_the_shared_list_says_is_a_matter_of_that_list(self) -> None:
        """A seller's own list is complete without it."""
        source, target = MemoryStore(), MemoryStore()
        source.record([OptOut(ALIAS, SHARED), OptOut(OTHER, "a")])
        source.link([(ORDER, ALIAS)], seller="a")
        assert migrate(source, target, sellers=["a"]).is_complete
        assert target.lookup([ALIAS], seller="a") == {}


class TestCheck:
    """What is found out in the end."""

    def test_a_store_that_loses_is_found_out(self) -> None:
        """By the look-ups and by the counts; some are named."""
        source = MemoryStore()
        source.record(OptOut(Address(f"b{number:02}@example.com")) for number in range(40))
        report = migrate(source, Losing())
        assert (report.source_entries, report.target_entries, report.lost, report.is_complete) == (40, 20, 20, False)
        assert len(report.examples) == 10
        assert str(report.examples[0]) == "b01@example.com"

    def test_a_reason_that_is_lost_shows_in_the_counts(self) -> None:
        """Even if the buyer is opted out for another one."""
        source = MemoryStore()
        source.record([OptOut(ALIAS, reason=Reason.COMPLAINT), OptOut(ALIAS, reason=Reason.MANUAL)])
        report = migrate(source, Losing())
        assert (report.lost, report.is_complete) == (0, False)

    @pytest.mark.parametrize(
        "wanted", [OptOut(ALIAS, reason=Reason.COMPLAINT), OptOut(ALIAS, expires_at=NOW + 9 * DAY), OptOut(ALIAS, since=NOW - DAY)]
    )
    def test_who_was_withdrawn_in_the_target_is_told(self, wanted: OptOut) -> None:
        """An older opt-out does not put anybody back there; somebody has to look at it."""
        source, target = MemoryStore(), MemoryStore()
        source.record([wanted])
        target.record([wanted])
        target.withdraw([ALIAS])
        report = migrate(source, target)
        assert (report.lost, report.examples, report.is_complete) == (1, (ALIAS,), False)

    @pytest.mark.parametrize(
        "found",
        [
            OptOut(ALIAS, reason=Reason.MANUAL),
            OptOut(ALIAS, expires_at=NOW + DAY),
            OptOut(ALIAS, SHARED),
        ],
    )
    def test_what_is_weaker_is_not_as_good(self, found: OptOut) -> None:
        """A weaker reason, an earlier end, or only the shared list."""

        class Weakening(MemoryStore):
            def record(self, _opt_outs: Iterable[OptOut]) -> RecordReport:
                return super().record([found])

        source = MemoryStore()
        source.record([OptOut(ALIAS, expires_at=NOW + 9 * DAY)])
        assert migrate(source, Weakening(), sellers=[""]).lost == 1

    def test_what_comes_meanwhile_is_told(self) -> None:
        """One recorded behind the copying is missed, and the check says so; to migrate once more brings it."""
        source, target = MemoryStore(), MemoryStore()
        source.record([OptOut(OTHER)])

        def meanwhile(now: MigrationProgress) -> None:
            if now.doing == "copying":
                source.record([OptOut(ALIAS)])

        assert migrate(source, target, on_progress=meanwhile).lost == 1
        assert migrate(source, target).is_complete

    def test_a_store_into_itself_is_a_slip(self) -> None:
        """In the caller's code."""
        store = MemoryStore()
        with pytest.raises(ValueError, match="the same store"):
            migrate(store, store)

    def test_progress_is_told(self) -> None:
        """With how many there are."""
        source = MemoryStore()
        source.record(OptOut(Address(f"b{number}@example.com")) for number in range(1500))
        told: list[MigrationProgress] = []
        migrate(source, MemoryStore(), on_progress=told.append)
        assert [(now.doing, now.done, now.total) for now in told] == [
            ("copying", 1500, 1500),
            ("checking", 1000, 1500),
            ("checking", 1500, 1500),
        ]


class TestGoingOn:
    """A migration that was interrupted."""

    @pytest.fixture(autouse=True)
    def _small_batches(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(module, "_BATCH", 7)

    @pytest.fixture
    def source(self) -> MemoryStore:
        """Several lists; some have entries for several reasons, which a batch may part."""
        store = MemoryStore()
        addresses = [Address(f"b{number:03}@example.com") for number in range(60)]
        for seller in ("", "a"):
            store.record(OptOut(address, seller, reason=reason) for address in addresses for reason in list(Reason)[:2])
            store.link([(ORDER, ALIAS)], seller=seller)
        return store

    @pytest.mark.parametrize("fails_at", [1, 2, 5, 18, 19, 30, 36])
    def test_it_goes_on_where_it_stopped(self, source: MemoryStore, fails_at: int) -> None:
        """Nothing is missing, and what was copied is not copied again, but for one identity."""
        told: list[int] = []

        class Failing(MemoryStore):
            def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
                told.append(len(batch := list(opt_outs)))
                if len(told) == fails_at:
                    raise StoreUnavailable("gone")
                return super().record(batch)

        target = Failing()
        with pytest.raises(StoreUnavailable):
            migrate(source, target, checkpoint=Checkpoint("state", source=SOURCE, target=TARGET))
        report = migrate(source, target, checkpoint=Checkpoint("state", source=SOURCE, target=TARGET))
        assert report.is_complete
        assert report.entries == report.target_entries == 240
        assert report.links == 2
        assert sum(told) - 7 <= 240 + 2
        assert not Path("state").exists()

    def test_after_a_kill_it_goes_on(self) -> None:
        """It is ended in the midst of it with no time for anything: the same call completes it."""
        with open_store(SOURCE) as store:
            store.record(OptOut(Address(f"b{number:04}@example.com")) for number in range(900))
        program = (
            "import sys\n"
            "from optoutkit.bulk import Checkpoint, migrate, migration\n"
            "from optoutkit.stores import open_store\n"
            "migration._BATCH = 30\n"
            f"with open_store({SOURCE!r}) as source, open_store({TARGET!r}) as target:\n"
            f"    checkpoint = Checkpoint('state', source={SOURCE!r}, target={TARGET!r})\n"
            "    migrate(source, target, checkpoint=checkpoint, on_progress=lambda now: print(now.done, flush=True) or input())\n"
        )
        with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            for _ in range(5):
                child.stdout.readline()
                child.stdin.write(b"\n")
                child.stdin.flush()
            child.stdout.readline()
            child.send_signal(signal.SIGKILL)
        told = json.loads(Path("state").read_text())
        assert told["entries"] == 179  # up to the place, behind which it goes on
        assert told["after"] is not None
        assert stat.S_IMODE(os.stat("state").st_mode) == 0o600  # noqa: PTH116 - a name alone
        with open_store(SOURCE) as source, open_store(TARGET) as target:
            report = migrate(source, target, checkpoint=Checkpoint("state", source=SOURCE, target=TARGET))
        assert report.is_complete
        assert report.target_entries == 900

    def test_a_target_that_was_made_anew_is_found_out(self, source: MemoryStore) -> None:
        """The place is that of another target: the check counts what is missing, and the next migration begins anew."""
        checkpoint = Checkpoint("state", source=SOURCE, target=TARGET)
        checkpoint.finished.append("")
        checkpoint.save(None, None)
        target = MemoryStore()
        assert not migrate(source, target, checkpoint=Checkpoint("state", source=SOURCE, target=TARGET)).is_complete
        assert migrate(source, target, checkpoint=Checkpoint("state", source=SOURCE, target=TARGET)).is_complete

    def test_no_password_is_kept(self) -> None:
        """Nor any option, which may hold a secret."""
        uri = "postgresql://me:hunter2@db.example:5432/shop?password=hunter3"
        Checkpoint("state", source=uri, target=TARGET).save("", ALIAS)
        kept = Path("state").read_text()
        assert "hunter" not in kept
        assert "postgresql://db.example:5432/shop" in kept
        with pytest.raises(InvalidInput, match=r"of another migration, from postgresql://db\.example:5432/shop to sqlite:///target\.db"):
            Checkpoint("state", source=SOURCE, target=TARGET)

    @pytest.mark.parametrize(
        "content", ["", "[]", "{}", "\0", "1", '{"entries": 1, "finished": [], "seller": null, "after": "x", "about": [1, 2]}']
    )
    def test_a_file_of_something_else_is_left_alone(self, content: str) -> None:
        """It is named, and stays."""
        Path("state").write_text(content)
        with pytest.raises(InvalidInput, match="is no file of a migration"):
            Checkpoint("state", source=SOURCE, target=TARGET)
        assert Path("state").read_text() == content

    def test_a_file_that_cannot_be_read_or_written(self) -> None:
        """The system's word for it."""
        Path("folder").mkdir()
        with pytest.raises(InvalidInput, match="cannot read folder: Is a directory"):
            Checkpoint("folder", source=SOURCE, target=TARGET)
        with pytest.raises(InvalidInput, match="cannot write"):
            Checkpoint("missing/state", source=SOURCE, target=TARGET).save("", None)


def test_without_a_checkpoint_it_is_copied_from_the_beginning() -> None:
    """Which does no harm."""
    source, target = MemoryStore(), MemoryStore()
    source.record([OptOut(ALIAS)])
    assert migrate(source, target).is_complete
    assert migrate(source, target).entries == 1
