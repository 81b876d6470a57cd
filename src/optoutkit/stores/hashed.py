"""A store that keeps no addresses and no orders, only keyed digests of them.

The digests are made with secrets that the store behind never sees, so that whoever gets hold of it cannot tell whose they are,
nor find out by trying. There can be several secrets at a time, because one that may have leaked, or is old, is to be replaced:

- What is asked is asked under every one of them; what is written is written under the newest.
- What an identity has under an older secret is moved to the newest as soon as that identity is named again: all of it, entries,
  history and links, in all lists, so that it is never torn apart. That needs a store that can do it: :class:`Rekeyable`.
- An older secret may go when nothing bears it any more: :func:`entries_by_secret`.
"""

import contextlib
from collections import Counter
from collections.abc import Awaitable, Iterable, Mapping
from datetime import datetime
from typing import Protocol, overload, runtime_checkable

import attrs

from optoutkit.errors import StoreUnavailable
from optoutkit.flows import Flow, Request, ask
from optoutkit.identities import Digest, Identity, OrderId, identity_from_key
from optoutkit.optouts import OptOut
from optoutkit.stores import rules
from optoutkit.stores.base import AsyncOptOutStore, EraseReport, LinkPair, LinkReport, OptOutStore, RecordReport
from optoutkit.stores.requests import Erase, Lookup, Record
from optoutkit.stores.wrapping import AsyncWrapper, Verbs, Wrapper

__all__ = ["AsyncHashedStore", "AsyncRekeyable", "HashedStore", "Rekeyable", "entries_by_secret"]

_ERASING = ".erasing"
_MAX_KEY_ID = 32 - len(_ERASING)


@runtime_checkable
class Rekeyable(Protocol):
    """A store that can give identities another name; a :class:`HashedStore` with several secrets needs one."""

    def rekey(self, pairs: Iterable[tuple[Digest, Digest]]) -> None:
        """Move all that is kept under the first digest of each pair to the second: in every list, entries, history and links.

        What both have is merged as ``record`` does it; where both are linked, the link of the second one holds. Each pair is moved
        whole or not at all; in a store that cannot do that it is there under both before it goes from the first, and is found by whoever
        asks for both. What nothing is kept of is passed over.
        """
        ...


class AsyncRekeyable(Protocol):
    """The same for asyncio."""

    async def rekey(self, pairs: Iterable[tuple[Digest, Digest]]) -> None:
        """See :meth:`Rekeyable.rekey`."""
        ...


@attrs.frozen
class _Rekey(Request[None]):
    """See :meth:`Rekeyable.rekey`."""

    pairs: tuple[tuple[Digest, Digest], ...]

    @overload
    def call(self, store: Rekeyable) -> None: ...
    @overload
    def call(self, store: AsyncRekeyable) -> Awaitable[None]: ...
    def call(self, store: Rekeyable | AsyncRekeyable) -> Awaitable[None] | None:
        """Ask the store; an async store's answer is to be awaited."""
        return store.rekey(self.pairs)


def entries_by_secret(entries: Iterable[OptOut]) -> dict[str, int]:
    """Count entries by the secret that their digests were made with.

    Args:
        entries: Those of a list, as ``scan`` yields them; neither this nor the store needs the secrets for it.

    Returns:
        The number of entries by the name of the secret. ``""`` stands for those in clear, and a name that ends in ``.erasing`` for
        what an ``erase`` that was interrupted has left: repeat it.
    """
    return dict(Counter(entry.identity.key_id if isinstance(entry.identity, Digest) else "" for entry in entries))


class _HashingVerbs(Verbs):
    def __init__(self, store: object, secrets: Mapping[str, bytes]) -> None:
        if not secrets:
            raise ValueError("digests need at least one secret")
        for name, secret in secrets.items():
            Digest("order", name, OrderId("302-1234567-1234567").digest(secret))  # which is particular about both
            if len(name) > _MAX_KEY_ID or name.endswith(_ERASING):
                raise ValueError(f"a secret's name has at most {_MAX_KEY_ID} characters, and does not end in {_ERASING}: {name!r}")
        if len(secrets) > 1 and not isinstance(store, Rekeyable):
            raise TypeError(f"with several secrets a store is needed that can move entries, which {type(store).__name__} cannot")
        *older, self._newest = secrets.items()
        self._older = older

    def lookup(self, asked: tuple[Identity, ...], seller: str, at: datetime | None) -> Flow[Mapping[Identity, OptOut]]:
        digests = {identity: self._digests(identity) for identity in asked}
        # The oldest first, so that what is moved meanwhile is found by one of them, in a store that does one thing after another.
        names: dict[Identity, Identity] = {digest: identity for identity in reversed(asked) for digest in reversed(digests[identity])}
        found = yield from ask(Lookup(tuple(names), seller=seller, at=at))
        if self._older:
            # As that may not be one thing, while somebody moves what is asked about, to whichever of the names: once more.
            missing = tuple(digest for digest, identity in names.items() if found.keys().isdisjoint(digests[identity]))
            if missing:
                found = {**found, **(yield from ask(Lookup(missing, seller=seller, at=at)))}
        named = {digest: attrs.evolve(entry, identity=names.get(entry.identity, entry.identity)) for digest, entry in found.items()}
        answer: dict[Identity, OptOut] = {}
        old: list[Identity] = []
        for identity in asked if found else ():
            hits = [digest for digest in digests[identity] if digest in named]
            if hits:
                answer[identity] = rules.best((named[digest] for digest in hits), identity)
                if hits != digests[identity][:1]:
                    old.append(identity)
        with contextlib.suppress(StoreUnavailable):  # it could be read, if not written; the next one who asks will move them
            yield from self._move(old)
        return answer

    def record(self, told: tuple[OptOut, ...]) -> Flow[RecordReport]:
        yield from self._move([opt_out.identity for opt_out in told])
        return (yield from super().record(tuple(attrs.evolve(opt_out, identity=self._digest(opt_out.identity)) for opt_out in told)))

    def link(self, told: tuple[LinkPair, ...], seller: str, *, replace: bool) -> Flow[LinkReport]:
        yield from self._move([identity for pair in told for identity in pair])
        names = {self._digest(order): order for order, _ in told}
        report = yield from super().link(
            tuple((self._digest(order), self._digest(address)) for order, address in told), seller, replace=replace
        )
        return attrs.evolve(report, contradicted=tuple(names[order] for order in map(self._digest, report.contradicted)))

    def withdraw(self, asked: tuple[Identity, ...], seller: str, why: str) -> Flow[int]:
        yield from self._move(asked)
        return (yield from super().withdraw(tuple(map(self._digest, asked)), seller, why))

    def erase(self, asked: tuple[Identity, ...], seller: str) -> Flow[EraseReport]:
        """Forget all but that they opted out. What is to be kept is written down aside first, and found there if this is interrupted."""
        yield from self._move(asked)
        marks: dict[Identity, Digest] = {_mark(digest): self._digest(identity) for identity in asked for digest in self._digests(identity)}
        members = tuple(dict.fromkeys(marks.values()))
        found = yield from ask(Lookup((*members, *marks), seller=seller))
        kept = {}
        refusing = set()
        aside = []
        for digest, entry in found.items():
            if entry.seller != seller:  # of the shared list, which is not erased from here
                continue
            member = marks.get(digest, digest)
            place = identity_from_key(entry.source) if digest in marks else entry.identity
            refusing.add((place, entry.reason))
            bare = OptOut(member, seller, reason=entry.reason, expires_at=entry.expires_at)
            aside.append(attrs.evolve(bare, identity=_mark(self._digest(member)), source=place.key))
            for identity in (member, place):
                kept[identity, entry.reason] = attrs.evolve(bare, identity=identity)
        if aside:
            yield from ask(Record(tuple(aside)))
        report = yield from super().erase(members, seller)
        if aside:
            yield from ask(Record(tuple(kept.values())))
            yield from ask(Erase(tuple(marks), seller=seller))
        return EraseReport(erased=report.erased, still_refusing=len(refusing))

    def after(self, identity: Identity | None) -> Identity | None:
        return None if identity is None else self._digest(identity)

    def counted(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Name all secrets, those that nothing bears too."""
        return {**dict.fromkeys((name for name, _ in (*self._older, self._newest)), 0), **counts}

    def _digest(self, identity: Identity) -> Digest:
        return _made(identity, *self._newest)

    def _digests(self, identity: Identity) -> list[Digest]:
        """Its digests, that of the newest secret first. What is a digest already stays one."""
        return list(dict.fromkeys(_made(identity, *secret) for secret in (self._newest, *reversed(self._older))))

    def _move(self, identities: Iterable[Identity]) -> Flow[None]:
        if self._older:
            digests = map(self._digests, dict.fromkeys(identities))
            if pairs := tuple((old, newest) for newest, *others in digests for old in others):
                yield from ask(_Rekey(pairs))


def _made(identity: Identity, name: str, secret: bytes) -> Digest:
    return identity if isinstance(identity, Digest) else Digest(identity.kind, name, identity.digest(secret))  # type: ignore[arg-type]  # its kinds are a digest's


def _mark(digest: Digest) -> Digest:
    return attrs.evolve(digest, key_id=digest.key_id[:_MAX_KEY_ID] + _ERASING)


class HashedStore(Wrapper):
    """An :class:`~optoutkit.OptOutStore` that keeps digests of addresses and orders in another one, and nothing else of them.

    Answers are under the identities asked, as ever; ``scan``, and entries found by a link, name a
    :class:`~optoutkit.identities.Digest`. Digests are taken as they are by every verb. The ``source`` of an opt-out is kept as it is told.

    ``erase`` removes entries, history and links as in any store, but an opt-out in force goes on refusing as a bare digest, with no more
    than its reason and its expiry: of the identity asked, and of the order or address that it was found by. That takes several steps,
    and for a moment between two of them nobody is refused; if it is interrupted, repeat it.

    A process that does not know the newest secret does not find what others have written under it. So give all of them a new secret in
    an older place first (before the one that is in use), and only then the last.

    Args:
        store: The store behind; it is closed with this one. With several secrets it must be :class:`Rekeyable`, as all of
            optoutkit's own are.
        secrets: The secrets that are in use, by their names, the newest last. Each has 16 to 64 bytes, best from
            ``secrets.token_bytes(32)``; a name has up to 24 letters, digits, ``_``, ``.`` and ``-``. Who loses them loses the list.

    Raises:
        ValueError: There is no secret, or one is too short or too long, or has a name that cannot be.
        TypeError: There are several, and the store is not :class:`Rekeyable`.

    Example:
        >>> store = HashedStore(open_store("memory://"), {"2026": b"best from secrets.token_bytes(32)"})
        >>> store.record([OptOut(Address("buyer@example.com"))]).new
        1
        >>> [str(entry.identity)[:20] for entry in store.scan()]
        ['digest:address:2026:']
    """

    _verbs: _HashingVerbs

    def __init__(self, store: OptOutStore, secrets: Mapping[str, bytes]) -> None:
        super().__init__(_HashingVerbs(store, secrets), store)

    def entries_by_secret(self, *, seller: str = "") -> dict[str, int]:
        """Count the entries of a list by the secret that they bear, see :func:`entries_by_secret`; active ones that nothing bears are 0."""
        return self._verbs.counted(entries_by_secret(self.scan(seller=seller)))


class AsyncHashedStore(AsyncWrapper):
    """The same for asyncio, around an :class:`~optoutkit.AsyncOptOutStore`: see :class:`HashedStore`."""

    _verbs: _HashingVerbs

    def __init__(self, store: AsyncOptOutStore, secrets: Mapping[str, bytes]) -> None:
        super().__init__(_HashingVerbs(store, secrets), store)

    async def entries_by_secret(self, *, seller: str = "") -> dict[str, int]:
        """See :meth:`HashedStore.entries_by_secret`."""
        return self._verbs.counted(entries_by_secret([entry async for entry in self.scan(seller=seller)]))
