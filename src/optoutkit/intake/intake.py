"""The intake: one mail in, its opt-outs in the store; or the mail in quarantine, or to be given again."""

import asyncio
import functools
import inspect
import logging
import os
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from optoutkit.authentication import (
    DNS_BUDGET,
    AsyncResolver,
    DnsQuery,
    Resolver,
    Trust,
    default_async_resolver,
    default_resolver,
    trusted_parties,
)
from optoutkit.flows import run, run_async
from optoutkit.identities import Address, OrderId
from optoutkit.intake.flow import ResolveOrder, Rules, SetAside, ingest_flow, release_flow
from optoutkit.intake.judging import Judge
from optoutkit.intake.quarantine import Quarantine
from optoutkit.intake.results import IntakeResult, IntakeStatus
from optoutkit.notices import NoticeParser
from optoutkit.optouts import SHARED
from optoutkit.stores.base import AsyncOptOutStore, OptOutStore

__all__ = ["AsyncIntake", "Hook", "Intake", "log_result"]

Hook = Callable[[IntakeResult], object]
"""Is told of every outcome."""

Buyer = Address | str | None
S = TypeVar("S")
R = TypeVar("R")
F = TypeVar("F")

_LOG = logging.getLogger("optoutkit.intake")


def log_result(result: IntakeResult) -> None:
    """The hook that is used where none is given: one line a mail to the logger ``optoutkit.intake``, with no address or order in it."""
    is_worth_a_look = result.status in (IntakeStatus.QUARANTINED, IntakeStatus.RETRY) or result.contradicted
    _LOG.log(
        logging.WARNING if is_worth_a_look else logging.INFO,
        "mail %s: %s%s (trust %s, %d opt-outs, %d contradicted links)",
        result.mail_id,
        result.status,
        f", {result.reason}" if result.reason else "",
        result.authentication.trust.value if result.authentication else "not asked",
        len(result.recorded),
        len(result.contradicted),
    )


@functools.cache
def _usual_parser() -> NoticeParser:
    """One for all intakes: a backend has one intake for each of its sellers."""
    return NoticeParser()


class _AnyIntake(Generic[S, R, F]):
    """What both kinds of intake are made of."""

    def __init__(
        self,
        store: S,
        *,
        seller: str = "",
        minimum_trust: Trust = Trust.FORWARDER,
        resolve_order: F | None = None,
        quarantine: str | os.PathLike[str] | None = None,
        resolver: R | None = None,
        authserv_ids: Iterable[str] = (),
        sealers: Iterable[str] = (),
        forwarders: Iterable[str | Address] = (),
        hook: Hook | None = None,
        parser: NoticeParser | None = None,
        budget: float = DNS_BUDGET,
    ) -> None:
        if minimum_trust in (Trust.FORGED, Trust.TEMPORARY):
            raise ValueError(f"minimum_trust is UNVERIFIED, FORWARDER or AMAZON, not {minimum_trust.name}")
        self.quarantine: Quarantine | None = None if quarantine is None else Quarantine(quarantine)
        self._store = store
        self._resolver = resolver
        self._resolve_order = resolve_order
        self._hook = hook or log_result
        self._counts: Counter[IntakeStatus] = Counter()
        self._counting = threading.Lock()
        self._rules = Rules(
            seller=seller,
            judge=Judge(
                parties=trusted_parties(authserv_ids=authserv_ids, sealers=sealers, forwarders=forwarders),
                parser=parser or _usual_parser(),
                needed=Trust.AMAZON if seller == SHARED else minimum_trust,
                budget=budget,
            ),
            has_quarantine=quarantine is not None,
            now=lambda: datetime.now(UTC),
        )

    @property
    def counts(self) -> Mapping[IntakeStatus, int]:
        """How many mails had which outcome since this intake was made, releases from quarantine included; a snapshot, for monitoring.

        It may be asked from any thread. Each status is in it, and no number ever falls.
        """
        with self._counting:
            return {status: self._counts[status] for status in IntakeStatus}

    def _folder(self) -> Quarantine:
        if self.quarantine is None:
            raise ValueError("this intake was given no quarantine folder")
        return self.quarantine

    def _told(self, result: IntakeResult) -> IntakeResult:
        with self._counting:
            self._counts[result.status] += 1
        try:
            self._hook(result)
        except Exception as error:  # noqa: BLE001 - the outcome stands, whatever the hook does with it
            _LOG.error("the hook failed for mail %s (%s)", result.mail_id, type(error).__name__)
        return result


class Intake(_AnyIntake[OptOutStore, Resolver, Callable[[OrderId], Buyer]]):
    r"""Takes notices into a store, and lets no stranger silence a buyer.

    Args:
        store: Where opt-outs go. It stays the caller's to close.
        seller: Whose list. :data:`optoutkit.SHARED` always needs :attr:`Trust.AMAZON`.
        minimum_trust: What will do. UNVERIFIED says "this mailbox is mine" and asks nothing of DNS; look-alikes, and what Amazon passes
            on for others, are kept out all the same.
        resolve_order: Says whose order one is, from the seller's own order database; None where it does not know. If it fails, the
            opt-out is recorded by order.
        quarantine: A folder for mails that are not believed. Without one they stay where they were.
        resolver: As for :func:`optoutkit.authenticate`, like the next three.
        authserv_ids: Names of the user's own receiving servers.
        sealers: Domains whose ARC seals are believed.
        forwarders: The seller's own addresses and domains.
        hook: Is told of every outcome; if None, a line is logged. What it raises changes nothing.
        parser: Reads notices, if not the usual one does.
        budget: Seconds that the questions to DNS for one mail may take together.

    Attributes:
        quarantine: The folder; None if there is none.

    Raises:
        InvalidInput: The quarantine folder cannot be used, or one of the names given is none.
        ValueError: ``minimum_trust`` is no trust that could do.

    Example:
        >>> intake = Intake(open_store("memory://"), minimum_trust=Trust.UNVERIFIED)
        >>> intake.ingest(b"Subject: hello\n\nWhen will it arrive?").status
        <IntakeStatus.IGNORED: 'ignored'>
    """

    def ingest(self, raw: bytes, *, arrived: datetime | None = None) -> IntakeResult:
        """Take in one mail. Doing so again does no harm.

        Args:
            raw: The mail as it came, byte for byte.
            arrived: When it came in (aware), if that was not now. Nothing is recorded as older, and after three days a mail waits
                no longer for DNS or the store.

        Returns:
            What became of it. Mark the mail as read only if :attr:`IntakeResult.is_done`.

        Raises:
            StoreError: The store is closed, damaged or of a newer version; if it merely does not answer, the status is RETRY.
            ValueError: ``arrived`` has no time zone.
        """
        return self._told(run(ingest_flow(raw, self._rules, arrived), self._perform))

    def release(self, mail_id: str) -> IntakeResult:
        """Record what a mail in quarantine says, and take it out; its owner vouches for it.

        Raises:
            InvalidInput: There is no such mail in quarantine.
            StoreError: As for :meth:`ingest`.
            ValueError: This intake has no quarantine folder.
        """
        folder = self._folder()
        about, raw = folder.describe(mail_id), folder.read(mail_id)
        result = run(release_flow(raw, self._rules, about.arrived), self._perform)
        if result.is_done:
            folder.remove(mail_id)
        return self._told(result)

    def _perform(self, request: Any) -> Any:
        match request:
            case DnsQuery():
                return request.call(self._resolver or default_resolver())
            case ResolveOrder():
                return request.call(self._resolve_order)
            case SetAside():
                return request.call(self._folder())
            case _:
                return request.call(self._store)


class AsyncIntake(_AnyIntake[AsyncOptOutStore, AsyncResolver, Callable[[OrderId], Awaitable[Buyer] | Buyer]]):
    """As :class:`Intake`, for asyncio.

    ``resolve_order`` may be a coroutine function; a plain one runs on the event loop, so it must not block. The quarantine folder is
    written to in a thread.
    """

    async def ingest(self, raw: bytes, *, arrived: datetime | None = None) -> IntakeResult:
        """As :meth:`Intake.ingest`."""
        return self._told(await run_async(ingest_flow(raw, self._rules, arrived), self._perform))

    async def release(self, mail_id: str) -> IntakeResult:
        """As :meth:`Intake.release`."""
        folder = self._folder()
        about, raw = await asyncio.to_thread(lambda: (folder.describe(mail_id), folder.read(mail_id)))
        result = await run_async(release_flow(raw, self._rules, about.arrived), self._perform)
        if result.is_done:
            await asyncio.to_thread(folder.remove, mail_id)
        return self._told(result)

    async def _perform(self, request: Any) -> Any:
        match request:
            case DnsQuery():
                return await request.call(self._resolver or default_async_resolver())
            case ResolveOrder():
                buyer = request.call(self._resolve_order)
                return await buyer if inspect.isawaitable(buyer) else buyer
            case SetAside():
                return await asyncio.to_thread(request.call, self._folder())
            case _:
                return await request.call(self._store)
