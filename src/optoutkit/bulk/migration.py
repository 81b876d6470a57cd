"""From one store into another, as a whole, and checked in the end."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar

import attrs

from optoutkit.bulk.checkpoints import Checkpoint
from optoutkit.errors import InvalidInput
from optoutkit.identities import Identity
from optoutkit.optouts import OptOut
from optoutkit.stores.base import LinkPair, OptOutStore, utc_now
from optoutkit.stores.inventory import TellsLinks, TellsSellers

__all__ = ["MigrationProgress", "MigrationReport", "migrate"]

T = TypeVar("T")

_BATCH = 5_000
_CHECKED = 1_000
_EXAMPLES = 10


@attrs.frozen(kw_only=True)
class MigrationProgress:
    """How far a migration is.

    Attributes:
        doing: ``"copying"`` or ``"checking"``.
        done: Entries copied or checked.
        total: How many there are.
    """

    doing: str
    done: int
    total: int


@attrs.frozen(kw_only=True)
class MigrationReport:
    """What a migration has done.

    Attributes:
        sellers: Whose lists were copied.
        entries: How many entries were copied, in earlier runs too.
        links: How many links; None if they were left out.
        contradicted: How many links say otherwise in the target, and stay as they are there.
        source_entries: How many entries the source has, counted in the end.
        target_entries: How many the target has in the same lists.
        lost: How many addresses and orders are opted out in the source, and in the target not, for a weaker reason, or not as long; one
            that has links may be counted twice.
        examples: Some of them.
    """

    sellers: tuple[str, ...]
    entries: int
    links: int | None
    contradicted: int
    source_entries: int
    target_entries: int
    lost: int
    examples: tuple[Identity, ...]

    @property
    def is_complete(self) -> bool:
        """Whether nothing of the source is missing in the target."""
        return not self.lost and self.target_entries >= self.source_entries


def migrate(
    source: OptOutStore,
    target: OptOutStore,
    *,
    sellers: Iterable[str] | None = None,
    with_links: bool = True,
    checkpoint: Checkpoint | None = None,
    on_progress: Callable[[MigrationProgress], None] | None = None,
) -> MigrationReport:
    """Copy the opt-outs and links of one store into another, and check in the end that whoever is opted out there is opted out here.

    What the target has already stays; entries are merged. The history of withdrawn entries is not copied: it cannot be read. Links count as
    learnt today.

    Args:
        source: The one store. What is written to it meanwhile may be missed; the check then tells, and to migrate once more brings it.
        target: The other.
        sellers: Whose lists; by default all of them, if the source can tell them.
        with_links: Whether links are copied.
        checkpoint: Where to keep the place; an interrupted migration goes on from there.
        on_progress: Is told how far it is; for its sake, entries are counted beforehand.

    Returns:
        What was done; see :attr:`MigrationReport.is_complete`.

    Raises:
        InvalidInput: The source cannot tell its sellers, and none is named; or it cannot tell its links, and they are wanted.
        StoreError: As the verbs do.
        ValueError: Source and target are the same.

    Example::

        with open_store("sqlite:///optouts.db") as source, open_store("sqlite:///new.db") as target:
            report = migrate(source, target)
    """
    if source is target:
        raise ValueError("source and target are the same store")
    if with_links and not isinstance(source, TellsLinks):
        raise InvalidInput(
            "this store cannot tell its links, and without them an opt-out by order no longer holds for the buyer's address; "
            "say so if they are to be left behind"
        )
    whose = tuple(dict.fromkeys(sellers)) if sellers is not None else _sellers(source)
    total = sum(_count(source, seller) for seller in whose) if on_progress else 0

    def tell(doing: str, done: int) -> None:
        if on_progress is not None:
            on_progress(MigrationProgress(doing=doing, done=done, total=total))

    copy = _Copy(source, target, checkpoint, lambda done: tell("copying", done))
    for seller in whose:
        copy.entries_of(seller)
        if with_links:
            copy.links_of(seller)
    check = _Check(source, target, utc_now(), lambda done: tell("checking", done))
    for seller in whose:
        check.entries_of(seller)
        if with_links:
            check.links_of(seller)
    if checkpoint is not None:
        checkpoint.remove()
    return MigrationReport(
        sellers=whose,
        entries=copy.entries,
        links=copy.links if with_links else None,
        contradicted=copy.contradicted,
        source_entries=check.entries,
        target_entries=sum(_count(target, seller) for seller in whose),
        lost=check.lost,
        examples=tuple(check.examples),
    )


class _Copy:
    """Copies, and counts."""

    def __init__(self, source: OptOutStore, target: OptOutStore, checkpoint: Checkpoint | None, tell: Callable[[int], None]) -> None:
        self._source, self._target = source, target
        self._checkpoint = checkpoint
        self._tell = tell
        self.entries = checkpoint.entries if checkpoint else 0
        self.links = self.contradicted = 0

    def entries_of(self, seller: str) -> None:
        if self._checkpoint and seller in self._checkpoint.finished:
            return
        after = self._checkpoint.place(seller) if self._checkpoint else None
        safe = self.entries
        for batch in _batches(self._source.scan(seller=seller, after=after), _BATCH):
            self._target.record(batch)
            self.entries += len(batch)
            if place := _safe_place(batch):
                after = place
                safe = self.entries - sum(entry.identity == batch[-1].identity for entry in batch)
            self._save(seller, after, safe)
            self._tell(self.entries)
        if self._checkpoint:
            self._checkpoint.finished.append(seller)
            self._save(None, None, self.entries)

    def links_of(self, seller: str) -> None:
        """All of them, also when the entries had been copied before: to link again is cheap, and links have no order to go on in."""
        for batch in _batches(_links(self._source, seller), _BATCH):
            report = self._target.link(batch, seller=seller)
            self.links += report.new + report.known
            self.contradicted += len(report.contradicted)

    def _save(self, seller: str | None, after: Identity | None, entries: int) -> None:
        """Keep the place, and how many entries stand up to there: those behind it will be copied, and counted, again."""
        if self._checkpoint:
            self._checkpoint.entries = entries
            self._checkpoint.save(seller, after)


class _Check:
    """Looks up in both stores whoever the source names, and counts who is worse off in the target."""

    def __init__(self, source: OptOutStore, target: OptOutStore, at: datetime, tell: Callable[[int], None]) -> None:
        self._source, self._target = source, target
        self._at = at
        self._tell = tell
        self.entries = self.lost = 0
        self.examples: list[Identity] = []

    def entries_of(self, seller: str) -> None:
        for batch in _batches(self._source.scan(seller=seller), _CHECKED):
            self._compare([entry.identity for entry in batch], seller, through_links=False)
            self.entries += len(batch)
            self._tell(self.entries)

    def links_of(self, seller: str) -> None:
        for batch in _batches(_links(self._source, seller), _CHECKED):
            self._compare([end for pair in batch for end in pair], seller, through_links=True)

    def _compare(self, identities: Sequence[Identity], seller: str, *, through_links: bool) -> None:
        """Compare what both stores find; who is found in the shared list is a matter of that list."""
        there = self._source.lookup(identities, seller=seller, at=self._at)
        here = self._target.lookup(identities, seller=seller, at=self._at)
        for identity, entry in there.items():
            found = here.get(identity)
            is_through_link = entry.identity != identity
            if entry.seller != seller or (through_links and not is_through_link):
                continue
            # What a link leads to can be judged when it has been looked at; but whoever has an entry must be found in any case.
            is_well = found is not None and found.seller == seller
            if through_links or not is_through_link:
                is_well = self._is_held(identity, found, entry)
            if not is_well:
                self.lost += 1
                if len(self.examples) < _EXAMPLES:
                    self.examples.append(identity)

    def _is_held(self, identity: Identity, found: OptOut | None, wanted: OptOut) -> bool:
        """Whether the target holds somebody as long as wanted: behind an entry that ends earlier a link may lead to one that does not."""
        while not _holds(found, wanted) and found is not None and found.expires_at is not None:
            found = self._target.lookup([identity], seller=wanted.seller, at=found.expires_at).get(identity)
        return _holds(found, wanted)


def _holds(found: OptOut | None, wanted: OptOut) -> bool:
    """Whether what was found is as good as what was wanted."""
    if found is None or found.seller != wanted.seller or found.reason.strength < wanted.reason.strength:
        return False
    ends_earlier = found.expires_at is not None and (wanted.expires_at is None or found.expires_at < wanted.expires_at)
    return found.reason != wanted.reason or not ends_earlier


def _sellers(source: OptOutStore) -> tuple[str, ...]:
    if not isinstance(source, TellsSellers):
        raise InvalidInput("this store cannot tell whose lists it has; name each seller")
    return tuple(source.sellers())


def _links(source: OptOutStore, seller: str) -> Iterator[LinkPair]:
    return source.scan_links(seller=seller) if isinstance(source, TellsLinks) else iter(())


def _count(store: OptOutStore, seller: str) -> int:
    return sum(1 for _ in store.scan(seller=seller))


def _safe_place(batch: Sequence[OptOut]) -> Identity | None:
    """The last identity all of whose entries are in the batch: the last one of all may have more for other reasons."""
    last = batch[-1].identity
    return next((entry.identity for entry in reversed(batch) if entry.identity != last), None)


def _batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    return iter(lambda: list(islice(items, size)), [])
