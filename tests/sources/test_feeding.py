"""From a source into an intake: saved first, marked as read after."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from optoutkit.authentication import Trust
from optoutkit.errors import InvalidInput, StoreClosed, StoreUnavailable
from optoutkit.intake import AsyncIntake, Intake, IntakeResult, IntakeStatus
from optoutkit.optouts import OptOut
from optoutkit.sources import Item, feed, feed_async, open_source
from optoutkit.stores.base import RecordReport
from optoutkit.stores.memory import AsyncMemoryStore, MemoryStore

NOTICE = (
    b"From: Amazon.de <auto-communication@amazon.de>\n\nDear Seller,\n\nWe were unable to deliver the message you sent for order "
    b"[302-1234567-7654321] because the buyer has chosen to opt out of receiving unsolicited messages from sellers.\n"
)
Fed = list[tuple[Item, IntakeResult]]
Feed = Callable[..., Fed]


class FailingStore(MemoryStore):
    """A store that can be down, and looks at what happens while it records."""

    failure: Exception | None = None
    while_recording: Callable[[], None] = staticmethod(lambda: None)

    def record(self, opt_outs: Iterable[OptOut]) -> RecordReport:
        """Record, or fail."""
        self.while_recording()
        if self.failure:
            raise self.failure
        return super().record(opt_outs)


@pytest.fixture
def store() -> FailingStore:
    """A store."""
    return FailingStore()


@pytest.fixture(params=["sync", "async"])
def give(request: pytest.FixtureRequest, store: FailingStore) -> Feed:
    """Feed an intake, blocking or with asyncio."""

    def blocking(items: Iterable[Item], **options: Any) -> Fed:
        return list(feed(items, Intake(store, minimum_trust=Trust.UNVERIFIED, **options)))

    def awaited(items: Iterable[Item], **options: Any) -> Fed:
        async_store = AsyncMemoryStore()
        async_store._store = store
        intake = AsyncIntake(async_store, minimum_trust=Trust.UNVERIFIED, **options)

        async def collected() -> Fed:
            return [pair async for pair in feed_async(items, intake)]

        return asyncio.run(collected())

    return blocking if request.param == "sync" else awaited


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A Maildir with a notice, a mail that is none, and a look-alike."""
    for name in ("new", "cur", "tmp"):
        (tmp_path / "box" / name).mkdir(parents=True)
    (tmp_path / "box/new/1").write_bytes(NOTICE)
    (tmp_path / "box/new/2").write_bytes(b"Subject: hello\n\n")
    (tmp_path / "box/new/3").write_bytes(NOTICE.replace(b"@amazon", b"@arnazon"))
    return tmp_path / "box"


def waiting(box: Path) -> list[str]:
    """What will come again."""
    return sorted(path.name for path in (box / "new").iterdir())


def test_marked_after_it_was_saved(give: Feed, box: Path, store: FailingStore) -> None:
    """While the store records, the mail still lies where it was; without a quarantine folder the look-alike stays there."""
    seen: list[list[str]] = []
    store.while_recording = lambda: seen.append(waiting(box))
    results = give(open_source(box))
    assert [result.status for _, result in results] == [IntakeStatus.RECORDED, IntakeStatus.IGNORED, IntakeStatus.QUARANTINED]
    assert [item.name for item, _ in results] == [str(box / "new" / name) for name in "123"]
    assert seen == [["1", "2", "3"]]
    assert waiting(box) == ["3"]


def test_with_a_quarantine_folder(give: Feed, box: Path, tmp_path: Path) -> None:
    """What is set aside is done with."""
    give(open_source(box), quarantine=tmp_path / "quarantine")
    assert waiting(box) == []


def test_what_failed_comes_again(give: Feed, box: Path, store: FailingStore) -> None:
    """A store that is down loses nothing: the same mails come again."""
    store.failure = StoreUnavailable("down")
    (_, first), *_ = give(open_source(box))
    assert first.status is IntakeStatus.RETRY
    assert waiting(box) == ["1", "3"]
    store.failure = None
    (_, first), *_ = give(open_source(box))
    assert first.status is IntakeStatus.RECORDED


def test_a_source_is_told_before_an_error_is_raised(give: Feed, store: FailingStore) -> None:
    """A closed store ends the feeding; the mail is left where it was."""
    told: list[str] = []
    store.failure = StoreClosed("closed")
    with pytest.raises(StoreClosed):
        give([Item(name="x", raw=NOTICE, done=lambda: told.append("done"), leave=lambda: told.append("left"))])
    assert told == ["left"]


def test_errors_of_the_source(give: Feed, store: FailingStore) -> None:
    """Come through, after what came before them."""

    def broken() -> Iterator[Item]:
        yield Item(name="x", raw=NOTICE)
        raise InvalidInput("cannot read y: Permission denied")

    with pytest.raises(InvalidInput, match="cannot read y"):
        give(broken())
    assert len(list(store.scan())) == 1
