"""The store of digests: the contract with what differs, several secrets, erasing, and that nothing in clear gets through."""

# ruff: noqa: D102 - each class says by its name which store it tests

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from optoutkit.errors import StoreUnavailable
from optoutkit.identities import Address, Digest, Identity, OrderId
from optoutkit.optouts import SHARED, OptOut, Reason
from optoutkit.stores import AsyncHashedStore, EraseReport, HashedStore, OptOutStore, RecordReport, entries_by_secret
from optoutkit.stores.base import LinkPair
from optoutkit.stores.memory import AsyncMemoryStore, MemoryStore
from optoutkit.stores.sqlite import AsyncSqliteStore, SqliteStore
from optoutkit.testing.stores import DurableStoreConformance, ManualClock, RekeyConformance, StoreConformance, StoreFactory

ALIAS, OTHER_ALIAS = Address("abc123@marketplace.amazon.de"), Address("xyz789@marketplace.amazon.de")
PLAIN = Address("buyer@example.com")
ORDER, SECOND_ORDER = OrderId("302-1234567-1234567"), OrderId("302-2222222-1234567")
SECRETS = {"2024": b"4" * 32, "2025": b"5" * 32, "2026": b"6" * 16}
OLD = {"2025": SECRETS["2025"]}
NEW = {"2026": SECRETS["2026"]}


class Names:
    """Whose digests these are: whoever was named to a store that was told to remember."""

    def __init__(self) -> None:
        self.known: dict[Identity, Identity] = {}

    def learn(self, identities: Iterable[Identity | None]) -> None:
        for identity in identities:
            if isinstance(identity, Address | OrderId):
                self.known |= {Digest(identity.kind, name, identity.digest(secret)): identity for name, secret in SECRETS.items()}  # type: ignore[arg-type]

    def revealed(self, entry: OptOut) -> OptOut:
        return attrs.evolve(entry, identity=self.known.get(entry.identity, entry.identity))

    def scanned(self, entries: Iterable[OptOut], after: Identity | None) -> list[OptOut]:
        ordered = sorted(map(self.revealed, entries), key=lambda entry: (entry.identity.key, -entry.reason.strength))
        return [entry for entry in ordered if after is None or entry.identity.key > after.key]


class Revealing(HashedStore):
    """A store of digests that can be asked for whom they stand, so that its answers can be held against those of a plain one."""

    def __init__(self, store: OptOutStore, secrets: Mapping[str, bytes], names: Names) -> None:
        super().__init__(store, secrets)
        self.names = names

    def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        found = super().lookup(identities, seller=seller, at=at)
        return {asked: self.names.revealed(entry) for asked, entry in found.items()}

    def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        told = tuple(opt_outs)
        self.names.learn(getattr(one, "identity", None) for one in told)
        return super().record(told)

    def scan(self, *, seller: str = "", after: Identity | None = None) -> Iterator[OptOut]:
        yield from self.names.scanned(super().scan(seller=seller), after)


class AsyncRevealing(AsyncHashedStore):
    """The same for asyncio."""

    def __init__(self, store: Any, secrets: Mapping[str, bytes], names: Names) -> None:
        super().__init__(store, secrets)
        self.names = names

    async def lookup(self, identities: Iterable[Identity], *, seller: str = "", at: datetime | None = None) -> Mapping[Identity, OptOut]:
        found = await super().lookup(identities, seller=seller, at=at)
        return {asked: self.names.revealed(entry) for asked, entry in found.items()}

    async def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        told = tuple(opt_outs)
        self.names.learn(getattr(one, "identity", None) for one in told)
        return await super().record(told)

    async def scan(self, *, seller: str = "", after: Identity | None = None) -> AsyncIterator[OptOut]:
        for entry in self.names.scanned([entry async for entry in AsyncHashedStore.scan(self, seller=seller)], after):
            yield entry


class HashedDifferences:
    """Where a store of digests is not to do what a plain one does: what was in force goes on refusing after it was erased."""

    @pytest.mark.parametrize("asked", [ALIAS, ORDER, SECOND_ORDER])
    def test_erasing_leaves_nothing(self, store: OptOutStore, asked: Identity) -> None:
        """Nothing but the bare opt-out: history and links are gone, nobody else is touched."""
        store.link([(ORDER, ALIAS), (SECOND_ORDER, ALIAS)])
        store.record([OptOut(ALIAS, reason=Reason.MANUAL, source="a call"), OptOut(OTHER_ALIAS)])
        store.withdraw([ALIAS])
        store.record([OptOut(ORDER, source="a mail", verified=True)])
        assert store.erase([asked]) == EraseReport(erased=2, still_refusing=1)
        assert store.lookup([ALIAS, ORDER, SECOND_ORDER, OTHER_ALIAS]).keys() == {asked, ORDER, OTHER_ALIAS}
        assert [entry for entry in store.scan() if entry.source or entry.verified or entry.since] == []
        assert store.record([OptOut(ALIAS, reason=Reason.MANUAL)]) == RecordReport(new=1)  # no withdrawal stands in its way

    def test_what_was_withdrawn_and_revived_is_erased_once(self, store: OptOutStore, clock: ManualClock) -> None:
        """An entry with a history counts as one; it was in force, and goes on refusing until it expires as it would have."""
        store.record([OptOut(PLAIN)])
        store.withdraw([PLAIN])
        expiry = clock.now.replace(year=2027)
        store.record([OptOut(PLAIN, since=clock.advance(days=1), expires_at=expiry)])
        assert store.erase([PLAIN]) == EraseReport(erased=1, still_refusing=1)
        assert store.erase([PLAIN]) == EraseReport(erased=1, still_refusing=1)
        assert store.lookup([PLAIN]) == {PLAIN: OptOut(PLAIN, expires_at=expiry)}
        assert store.lookup([PLAIN], at=expiry) == {}

    def test_erasing_touches_one_list(self, store: OptOutStore) -> None:
        """Each list is erased by itself, and an opt-out of the shared list does not come to stand in a seller's own."""
        for seller in ("", "a", SHARED):
            store.link([(ORDER, ALIAS)], seller=seller)
            store.record([OptOut(ORDER, seller, source=seller)])
        assert store.erase([ALIAS], seller="a") == EraseReport(erased=1, still_refusing=1)
        assert store.erase([ALIAS], seller="never heard of") == EraseReport()
        assert store.lookup([ALIAS], seller="a")[ALIAS] == OptOut(ALIAS, "a")
        assert store.lookup([ALIAS])[ALIAS] == OptOut(ORDER)
        assert store.erase([ORDER], seller=SHARED) == EraseReport(erased=1, still_refusing=1)
        assert store.lookup([ORDER], seller="b")[ORDER] == OptOut(ORDER, SHARED)

    def test_what_is_no_longer_in_force_is_erased_whole(self, store: OptOutStore, clock: ManualClock) -> None:
        """What has expired or was withdrawn refuses nobody."""
        store.record([OptOut(PLAIN, expires_at=clock.now), OptOut(ORDER)])
        store.withdraw([ORDER])
        assert store.erase([PLAIN, ORDER]) == EraseReport(erased=2)
        assert list(store.scan()) == []

    def test_a_large_batch_of_many_kinds(self, store: OptOutStore) -> None:
        """What is erased in one call is erased for all, and refuses on for all."""
        buyers = [Address(f"buyer{number}@example.com") for number in range(600)]
        store.record(OptOut(buyer, reason=reason) for buyer in buyers for reason in (Reason.MANUAL, Reason.COMPLAINT))
        assert store.erase(buyers[:300]) == EraseReport(erased=600, still_refusing=300)
        assert store.lookup(buyers).keys() == set(buyers)
        assert len(list(store.scan())) == 900

    def test_then_the_earliest_comes_first(self, store: OptOutStore, clock: ManualClock) -> None:
        """Of equal opt-outs that were found by links the earliest is reported; which digest is the least nobody can tell."""
        store.link([(ORDER, ALIAS), (SECOND_ORDER, ALIAS)])
        store.record([OptOut(ORDER), OptOut(SECOND_ORDER)])
        assert store.lookup([ALIAS])[ALIAS].identity in (ORDER, SECOND_ORDER)
        store.record([OptOut(SECOND_ORDER, since=clock.now)])
        assert store.lookup([ALIAS])[ALIAS].identity == SECOND_ORDER

    def test_a_scan_is_stable_while_others_write(self, store: OptOutStore) -> None:
        """Digests come in the order of their keys, and a scan goes on after any of them."""
        behind: Any = getattr(store, "_store", store)
        behind = behind._stores[0]
        if isinstance(behind, MemoryStore | SqliteStore):
            store.record(OptOut(Address(f"buyer{number}@example.com")) for number in range(600))
            entries = list(HashedStore(behind, OLD).scan())
            assert [entry.identity.key for entry in entries] == sorted(entry.identity.key for entry in entries)
            assert list(HashedStore(behind, OLD).scan(after=entries[320].identity)) == entries[321:]


class TestHashedMemory(HashedDifferences, StoreConformance):
    @pytest.fixture
    def make_store(self) -> StoreFactory:
        return lambda clock: Revealing(MemoryStore(clock=clock), OLD, Names())


class TestAsyncHashedSqlite(HashedDifferences, DurableStoreConformance):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> StoreFactory:
        names = Names()
        return lambda clock: AsyncRevealing(AsyncSqliteStore(tmp_path / "optouts.db", clock=clock), OLD | NEW, names)


# What gets through


class Spy(MemoryStore):
    """A store that remembers all that it was told and asked."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Identity] = []
        self.fails_at = -1
        self.calls = 0

    def _note(self, identities: Iterable[Identity]) -> list[Any]:
        self.calls += 1
        if self.calls == self.fails_at:
            raise StoreUnavailable("the line is cut")
        found = list(identities)
        self.seen += found
        return found

    def lookup(self, identities: Iterable[Identity], **options: Any) -> Mapping[Identity, OptOut]:
        return super().lookup(self._note(identities), **options)

    def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        told = list(opt_outs)
        self._note(one.identity for one in told)
        return super().record(told)

    def link(self, pairs: Iterable[LinkPair], **options: Any) -> Any:
        told = list(pairs)
        self._note(one for pair in told for one in pair)
        return super().link(told, **options)

    def withdraw(self, identities: Iterable[Identity], **options: Any) -> int:
        return super().withdraw(self._note(identities), **options)

    def erase(self, identities: Iterable[Identity], **options: Any) -> EraseReport:
        return super().erase(self._note(identities), **options)

    def rekey(self, pairs: Iterable[tuple[Digest, Digest]]) -> None:
        told = list(pairs)
        self._note(one for pair in told for one in pair)
        super().rekey(told)


def test_nothing_in_clear_gets_through() -> None:
    """Whatever is asked and told, under one secret or several, the store behind meets digests only, of the newest when it is written to."""
    behind = Spy()
    store = HashedStore(behind, SECRETS)
    store.record([OptOut(PLAIN), OptOut(ORDER)])
    store.link([(ORDER, ALIAS)])
    store.lookup([PLAIN, ORDER, ALIAS])
    store.withdraw([PLAIN], why="asked for it")
    store.erase([ORDER, PLAIN])
    list(store.scan(after=PLAIN))
    assert {type(identity) for identity in behind.seen} == {Digest}
    assert {entry.identity.key_id for entry in behind.scan() if isinstance(entry.identity, Digest)} == {"2026"}
    assert behind.lookup([ORDER, ALIAS, PLAIN]) == {}


def test_another_secret_gives_other_digests(tmp_path: Path) -> None:
    """Who does not know the secret finds nobody, in a file that holds no address and no order."""
    path = tmp_path / "optouts.db"
    with HashedStore(SqliteStore(path), OLD) as store:
        store.record([OptOut(PLAIN), OptOut(ORDER)])
        store.link([(SECOND_ORDER, ALIAS)])
        assert store.lookup([PLAIN, ORDER]).keys() == {PLAIN, ORDER}
    with HashedStore(SqliteStore(path), {"2025": b"x" * 32}) as store:
        assert store.lookup([PLAIN, ORDER]) == {}
    content = path.read_bytes()
    assert [text for text in (b"buyer", b"example", b"302-", b"abc123") if text in content] == []


def test_what_was_found_by_a_link_is_named_if_it_was_asked_about(tmp_path: Path) -> None:
    """The order of an opt-out is told to one who knows it; to others, its digest."""
    with HashedStore(SqliteStore(tmp_path / "optouts.db"), OLD) as store:
        store.link([(ORDER, ALIAS)])
        store.record([OptOut(ORDER)])
        assert store.lookup([ALIAS, ORDER])[ALIAS].identity == ORDER
        assert store.lookup([ALIAS])[ALIAS].identity == Digest("order", "2025", ORDER.digest(SECRETS["2025"]))
        assert store.link([(ORDER, OTHER_ALIAS)]).contradicted == (ORDER,)


def test_digests_are_taken_as_they_are() -> None:
    """What a scan yields can be withdrawn and erased, without the secret it was made with."""
    store = HashedStore(MemoryStore(), OLD)
    store.record([OptOut(PLAIN), OptOut(ORDER)])
    digest = Digest("address", "2025", PLAIN.digest(SECRETS["2025"]))
    assert store.lookup([digest, PLAIN]).keys() == {digest, PLAIN}
    assert store.withdraw([digest]) == 1
    assert store.lookup([PLAIN, ORDER]).keys() == {ORDER}


@pytest.mark.parametrize(
    ("secrets", "error", "says"),
    [
        ({}, ValueError, "at least one secret"),
        ({"k": b"short"}, ValueError, "16 to 64 bytes"),
        ({"k": b"l" * 65}, ValueError, "16 to 64 bytes"),
        ({"a:b": b"x" * 32}, ValueError, "key_id"),
        ({"x" * 25: b"x" * 32}, ValueError, "at most 24"),
        ({"a.erasing": b"x" * 32}, ValueError, "does not end in"),
    ],
)
def test_secrets_that_cannot_be_are_refused(secrets: Any, error: type[Exception], says: str) -> None:
    """Names and lengths are checked when the store is made, and no error repeats a secret."""
    with pytest.raises(error, match=says) as raised:
        HashedStore(MemoryStore(), secrets)
    assert "short" not in str(raised.value).replace("too short", "")


def test_several_secrets_need_a_store_that_can_move_entries() -> None:
    """With one secret any store will do."""

    class Other:
        """A store that has the verbs only."""

    other: Any = Other()
    HashedStore(other, OLD)
    with pytest.raises(TypeError, match="which Other cannot"):
        HashedStore(other, SECRETS)


# Several secrets


@pytest.fixture(params=["memory", "sqlite"])
def behind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A store for digests."""
    with MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "optouts.db") as store:
        yield store


def test_a_hit_is_rewritten_under_the_newest_secret(behind: Any) -> None:
    """Whoever is asked about and found moves; a report says what each secret still bears, and the old one can go when that is nothing."""
    HashedStore(behind, OLD).record([OptOut(PLAIN, source="a mail"), OptOut(ORDER), OptOut(OTHER_ALIAS)])
    store = HashedStore(behind, OLD | NEW)
    store.record([OptOut(SECOND_ORDER)])
    assert store.entries_by_secret() == {"2025": 3, "2026": 1}
    assert store.lookup([PLAIN, ALIAS]) == {PLAIN: OptOut(PLAIN, source="a mail")}
    assert store.entries_by_secret() == {"2025": 2, "2026": 2}
    assert store.lookup([ORDER, OTHER_ALIAS]).keys() == {ORDER, OTHER_ALIAS}
    assert store.entries_by_secret() == {"2025": 0, "2026": 4}
    assert HashedStore(behind, NEW).lookup([PLAIN, ORDER, OTHER_ALIAS, SECOND_ORDER]).keys() == {PLAIN, ORDER, OTHER_ALIAS, SECOND_ORDER}


def test_a_cluster_is_not_torn_apart(behind: Any) -> None:
    """An order that opts out under the new secret holds for a buyer whose link was learnt under the old one, and for all their orders."""
    HashedStore(behind, OLD).link([(ORDER, ALIAS), (SECOND_ORDER, ALIAS)])
    store = HashedStore(behind, OLD | NEW)
    store.record([OptOut(ORDER)])
    for _ in range(2):  # as found, and as moved
        for asked in (SECOND_ORDER, ALIAS, ORDER):
            assert store.lookup([asked]).keys() == {asked}
    assert store.link([(SECOND_ORDER, OTHER_ALIAS)]).contradicted == (SECOND_ORDER,)
    assert store.withdraw([SECOND_ORDER]) == 1


def test_what_was_withdrawn_stays_so_under_a_new_secret(behind: Any) -> None:
    """An old notice revives nobody because the secret has changed."""
    with HashedStore(behind, OLD) as old:
        old.record([OptOut(PLAIN)])
        old.withdraw([PLAIN])
        store = HashedStore(behind, OLD | NEW)
        assert store.record([OptOut(PLAIN)]) == RecordReport(known=1)
        assert store.lookup([PLAIN]) == {}


def test_a_lookup_is_answered_though_nothing_can_be_moved() -> None:
    """A store that can be read but not written still tells who opted out."""
    behind = Spy()
    HashedStore(behind, OLD).record([OptOut(PLAIN)])
    behind.fails_at = behind.calls + 2
    store = HashedStore(behind, OLD | NEW)
    assert store.lookup([PLAIN]).keys() == {PLAIN}
    assert store.entries_by_secret() == {"2025": 1, "2026": 0}
    assert store.lookup([PLAIN]).keys() == {PLAIN}
    assert store.entries_by_secret() == {"2025": 0, "2026": 1}


def test_the_report_is_the_same_for_asyncio() -> None:
    """And it counts what is in clear, too."""

    async def scenario() -> dict[str, int]:
        async with AsyncMemoryStore() as behind:
            await behind.record([OptOut(PLAIN), OptOut(PLAIN, "a")])
            store = AsyncHashedStore(behind, OLD | NEW)
            await store.record([OptOut(ORDER)])
            return await store.entries_by_secret()

    assert asyncio.run(scenario()) == {"2025": 0, "2026": 1, "": 1}
    assert entries_by_secret([]) == {}


# Rekeying


class TestRekeyingMemory(RekeyConformance):
    @pytest.fixture
    def make_store(self) -> StoreFactory:
        return lambda clock: MemoryStore(clock=clock)


class TestRekeyingSqlite(RekeyConformance):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> StoreFactory:
        return lambda clock: SqliteStore(tmp_path / "optouts.db", clock=clock)


# Erasing


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6, 1000])
def test_an_erasure_that_is_interrupted_can_be_repeated(step: int) -> None:
    """Wherever it breaks off, after it was repeated the opt-out refuses on, bare, and nothing is left over."""
    behind = Spy()
    store = HashedStore(behind, SECRETS)
    store.link([(ORDER, ALIAS)])
    store.record([OptOut(ORDER, source="a mail")])
    behind.fails_at = behind.calls + step
    calls = behind.calls
    try:
        report = store.erase([ALIAS])
    except StoreUnavailable:
        report = store.erase([ALIAS])
    else:
        assert behind.calls == calls + 6  # all steps were tried
    assert report.still_refusing >= 1
    assert store.lookup([ALIAS, ORDER]).keys() == {ALIAS, ORDER}
    assert [entry.source for entry in store.scan()] == ["", ""]
    assert store.entries_by_secret() == {"2024": 0, "2025": 0, "2026": 2}


# Long random histories

IDENTITIES: list[Any] = [Address(f"{name}@marketplace.amazon.de") for name in "abc"] + [OrderId(f"302-{n:07}-1234567") for n in range(4)]
some = st.lists(st.sampled_from(IDENTITIES), max_size=4)
pairs = st.lists(st.tuples(st.sampled_from(IDENTITIES[3:]), st.sampled_from(IDENTITIES[:3])), max_size=4)
sellers = st.sampled_from(["", "a", SHARED])


class HashedAgainstPlain(RuleBasedStateMachine):
    """Whatever is done in whatever order, and whenever the secrets change, stores of digests answer as one that keeps all in clear."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.folder = tempfile.TemporaryDirectory()
        self.plain = MemoryStore(clock=self.clock)
        self.behind: list[Any] = [MemoryStore(clock=self.clock), SqliteStore(Path(self.folder.name, "optouts.db"), clock=self.clock)]
        self.secrets: list[str] = []

    @initialize()
    def begin(self) -> None:
        self.secrets = ["2024"]

    @rule()
    def bring_a_new_secret(self) -> None:
        self.secrets = list(SECRETS)[: len(self.secrets) + 1]

    @property
    def hashed(self) -> list[HashedStore]:
        return [HashedStore(behind, {name: SECRETS[name] for name in self.secrets}) for behind in self.behind]

    @rule(days=st.sampled_from([1, 100, 181]))
    def wait(self, days: int) -> None:
        self.clock.advance(days=days)

    @rule(data=st.data(), who=some)
    def record(self, data: st.DataObject, who: list[Identity]) -> None:
        offsets = st.none() | st.integers(-3, 3).map(lambda days: timedelta(days=days))
        told = [
            OptOut(
                identity,
                data.draw(sellers),
                since=None if (since := data.draw(offsets)) is None else self.clock.now + since,
                expires_at=None if (expiry := data.draw(offsets)) is None else self.clock.now + expiry,
                source=data.draw(st.sampled_from("xyz")),
                verified=data.draw(st.booleans()),
            )
            for identity in who
        ]
        expected = self.plain.record(told)
        for store in self.hashed:
            assert store.record(told) == expected

    @rule(told=pairs, seller=sellers, replace=st.booleans())
    def link(self, told: list[LinkPair], seller: str, replace: bool) -> None:
        expected = self.plain.link(told, seller=seller, replace=replace)
        for store in self.hashed:
            assert store.link(told, seller=seller, replace=replace) == expected

    @rule(asked=some, seller=sellers)
    def withdraw(self, asked: list[Identity], seller: str) -> None:
        expected = self.plain.withdraw(asked, seller=seller)
        for store in self.hashed:
            assert store.withdraw(asked, seller=seller) == expected

    @rule(asked=some, seller=sellers)
    def lookup(self, asked: list[Identity], seller: str) -> None:
        expected = self.plain.lookup(asked, seller=seller)
        for store in self.hashed:  # what is found is moved
            assert store.lookup(asked, seller=seller).keys() == expected.keys()

    @invariant()
    def everybody_is_found_as_in_clear(self) -> None:
        for seller in ("", "a", SHARED):
            expected = self.plain.lookup(IDENTITIES, seller=seller)
            for behind in self.behind:
                read_only = HashedStore(cast("Any", Unmoved(behind)), {name: SECRETS[name] for name in self.secrets})
                found = read_only.lookup(IDENTITIES, seller=seller)
                assert {asked: (entry.seller, entry.since) for asked, entry in found.items()} == {
                    asked: (entry.seller, entry.since) for asked, entry in expected.items()
                }
                assert sum(1 for _ in behind.scan(seller=seller)) == sum(1 for _ in self.plain.scan(seller=seller))

    def teardown(self) -> None:
        self.behind[1].close()
        self.folder.cleanup()


class Unmoved:
    """A store that is looked at, and not changed by that."""

    def __init__(self, store: Any) -> None:
        self.lookup = store.lookup

    def rekey(self, _: object) -> None:
        raise StoreUnavailable("read only")


HashedAgainstPlain.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


TestHashedAgainstPlain = HashedAgainstPlain.TestCase
