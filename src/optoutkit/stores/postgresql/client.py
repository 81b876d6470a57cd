"""Connections to PostgreSQL by psycopg, which no other module knows: one client that blocks and one for asyncio.

Nothing of the driver leaves this module, neither its errors nor their texts, in which hosts, names and rows may stand.
"""

import asyncio
import hashlib
import math
import os
import queue
import re
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from optoutkit import flows
from optoutkit.errors import InvalidUri, MissingExtra, StoreClosed, StoreUnavailable
from optoutkit.flows import Flow, Request
from optoutkit.stores.pooled import checked_pool_size, checked_timeout
from optoutkit.stores.postgresql.failures import code_of
from optoutkit.stores.postgresql.options import checked_schema
from optoutkit.stores.postgresql.requests import Failure, Probe, Query, Rows
from optoutkit.stores.postgresql.sessions import Call, Pool, session

try:
    import psycopg
    from psycopg.abc import PQGen
    from psycopg.adapt import Dumper, Transformer
    from psycopg.conninfo import conninfo_to_dict
    from psycopg.errors import error_from_result
    from psycopg.pq import ExecStatus
    from psycopg.pq.abc import PGconn, PGresult
    from psycopg.waiting import Wait
except ImportError:
    raise MissingExtra("the postgresql:// store", "postgresql") from None

__all__ = ["AsyncClient", "Client", "driver_options", "parameters_of"]

T = TypeVar("T")

_MAX_WORDS = 200
_QUOTED = re.compile("\"[^\"]*(?:\"|$)|'[^']*(?:'|$)|»[^«]*(?:«|$)|«[^»]*(?:»|$)|„[^”]*(?:”|$)")  # as in the server's language


def driver_options() -> frozenset[str]:
    """The options that libpq knows."""
    return frozenset(option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults())


def parameters_of(uri: str) -> Mapping[str, Any]:
    """Read a URI as libpq does.

    Raises:
        InvalidUri: It cannot.
    """
    try:
        return conninfo_to_dict(uri)
    except psycopg.Error:
        raise InvalidUri("the postgresql:// URI cannot be read: write postgresql://user:password@host:5432/database") from None


class _Texts(dict[str, bytes]):
    """Statements as they are sent: with the schema before the names of tables."""

    def __init__(self, schema: str) -> None:
        super().__init__()
        self._schema = f'"{schema}"'

    def __missing__(self, statement: str) -> bytes:
        text = statement.replace("@@", self._schema).replace("@", f"{self._schema}.").encode()
        self[statement] = text
        return text


class _Overtime(Exception):
    """A statement takes longer than the timeout."""


def _limited(generator: Generator[Any, Any, T], seconds: float) -> Generator[Any, Any, T]:
    """Let one of psycopg's generators wait no longer than that; it is woken ten times a second."""
    end = time.monotonic() + seconds
    try:
        wanted = next(generator)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > end:
                raise _Overtime
            wanted = generator.send(ready)
    except StopIteration as stop:
        result: T = stop.value
        return result


class _Array(Dumper):
    """A column of a batch as PostgreSQL reads it. Psycopg looks at each value by itself, in a third of the time that a whole batch took."""

    def dump(self, obj: list[Any]) -> bytes:
        if obj and isinstance(obj[0], str):  # then all are, and none has a NUL
            text = "\0".join(obj).replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","')
            return f'{{"{text}"}}'.encode()
        if obj and isinstance(obj[0], bytes):  # the keys of a ledger
            return b"{" + b",".join(b'"\\\\x%s"' % value.hex().encode() for value in obj) + b"}"
        return f"{{{','.join('NULL' if value is None else str(value) for value in obj)}}}".encode()


class _Probes:
    """How one connection is asked the same again and again: past psycopg's cursors, which take longer than the server does.

    Args:
        pgconn: The connection.
        seconds: How long to wait for an answer.
    """

    def __init__(self, pgconn: PGconn, seconds: float) -> None:
        self._pgconn = pgconn
        self._seconds = seconds
        self._names: dict[bytes, bytes] = {}
        self._transformer = Transformer()

    def send(self, text: bytes, parameters: Iterable[str], *, prepare: bool) -> PQGen[list[PGresult]]:
        """Send a statement, and give what is to be waited for."""
        values = list(map(str.encode, parameters))
        if not prepare:
            self._pgconn.send_query_params(text, values)
        elif text in self._names:
            self._pgconn.send_query_prepared(self._names[text], values)
        else:
            return self._prepare(text, values)
        return self._results()

    def rows(self, results: list[PGresult]) -> Rows:
        """What has come."""
        result = results[0]
        if result.status != ExecStatus.TUPLES_OK:
            raise error_from_result(result)
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)

    def _prepare(self, text: bytes, values: list[bytes]) -> PQGen[list[PGresult]]:
        # A name that nobody gives to another statement, whatever a pooler does that was not recognised.
        name = f"optoutkit_{hashlib.blake2b(text, digest_size=16).hexdigest()}".encode()
        self._pgconn.send_prepare(name, text)
        results = yield from self._results()
        if results[0].status != ExecStatus.COMMAND_OK:
            return results
        self._names[text] = name
        self._pgconn.send_query_prepared(name, values)
        return (yield from self._results())

    def _results(self) -> PQGen[list[PGresult]]:
        pgconn = self._pgconn
        results: list[PGresult] = []
        end = time.monotonic() + self._seconds
        while True:
            while (unsent := pgconn.flush()) or pgconn.is_busy():
                if (yield Wait.RW if unsent else Wait.R):
                    pgconn.consume_input()
                elif time.monotonic() > end:
                    raise _Overtime
            result = pgconn.get_result()
            if result is None:
                return results
            results.append(result)


class _Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose statements have a limit, whatever the server does."""

    seconds = math.inf
    probes: _Probes

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        return super().wait(_limited(gen, self.seconds), *args, **kwargs)


class _AsyncConnection(psycopg.AsyncConnection[tuple[Any, ...]]):
    """The same for asyncio."""

    seconds = math.inf
    probes: _Probes

    async def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        return await super().wait(_limited(gen, self.seconds), *args, **kwargs)


def _fit_out(connection: _Connection | _AsyncConnection, seconds: float) -> int:
    """Make a new connection ours, and tell the process ID that the other end names as its own."""
    connection.seconds = seconds
    connection.probes = _Probes(connection.pgconn, seconds)
    connection.adapters.register_dumper(list, _Array)
    return connection.pgconn.backend_pid


class _Settings:
    """What both clients are made with.

    Args:
        parameters: For libpq.
        schema: The name of the schema.
        size: How many connections at most.
        timeout: How many seconds to wait for a connection to be free, to connect, and for a statement.
    """

    def __init__(self, parameters: Mapping[str, Any], *, schema: str, size: int, timeout: float) -> None:
        self.size = checked_pool_size(size)
        self.timeout = checked_timeout(timeout)
        self.texts = _Texts(checked_schema(schema))
        self.parameters = {
            "connect_timeout": math.ceil(timeout),
            "application_name": "optoutkit",
            **parameters,
            "client_encoding": "utf8",
            "autocommit": True,
        }

    def busy(self) -> StoreUnavailable:
        return StoreUnavailable(
            f"all {self.size} connections were in use for {self.timeout:g} seconds: try again, or set a larger pool_size"
        )


class Client:
    """Connections of a blocking store, for many threads. For the arguments see :class:`_Settings`."""

    def __init__(self, parameters: Mapping[str, Any], *, schema: str, size: int, timeout: float) -> None:
        self._settings = _Settings(parameters, schema=schema, size=size, timeout=timeout)
        self._slots = _slots(size)
        self._pool: Pool[_Connection] = Pool(_hang_up)

    def run(self, work: Callable[[], Flow[T]]) -> T:
        """Do something on a connection of its own; see :func:`session`."""
        if not self._pool.check_home(os.getpid()):
            self._slots = _slots(self._settings.size)
        slots = self._slots
        try:
            slots.get(timeout=self._settings.timeout)
        except queue.Empty:
            raise self._settings.busy() from None
        call: Call[_Connection] = Call()
        try:
            return flows.run(session(call, self._pool, work), partial(self._perform, call))
        finally:
            slots.put(None)

    def close(self) -> None:
        """Close what is idle now, and what is in use when it is given back."""
        self._pool.check_home(os.getpid())
        self._pool.close()

    def _perform(self, call: Call[_Connection], request: Request[Any]) -> Rows | int:
        connection = call.connection
        try:
            if connection is None or not isinstance(request, Query):
                call.connection = connection = _Connection.connect(**self._settings.parameters)
                return _fit_out(connection, self._settings.timeout)
            text, may_prepare = self._settings.texts[request.statement], self._pool.may_prepare
            if isinstance(request, Probe):
                probes = connection.probes
                rows = probes.rows(psycopg.Connection.wait(connection, probes.send(text, request.parameters, prepare=may_prepare is None)))
            else:
                cursor = connection.execute(text, request.parameters, prepare=may_prepare)
                while cursor.nextset():
                    pass
                rows = cursor.fetchall() if _has_rows(cursor) else []
        except (psycopg.Error, _Overtime, OSError) as error:
            raise _failure(error, connection) from None
        call.answers += 1
        return rows


def _slots(size: int) -> "queue.SimpleQueue[None]":
    """A place for each connection there may be. It does what a semaphore does, in a tenth of the time."""
    places: queue.SimpleQueue[None] = queue.SimpleQueue()
    for _ in range(size):
        places.put(None)
    return places


class AsyncClient:
    """The same for asyncio, for many tasks."""

    def __init__(self, parameters: Mapping[str, Any], *, schema: str, size: int, timeout: float) -> None:
        self._settings = _Settings(parameters, schema=schema, size=size, timeout=timeout)
        self._slots = asyncio.Semaphore(size)
        self._pool: Pool[_AsyncConnection] = Pool(_hang_up)
        self._writes: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def run(self, work: Callable[[], Flow[T]]) -> T:
        """See :meth:`Client.run`."""
        self._check_open()
        return await self._run(work)

    async def finish(self, work: Callable[[], Flow[T]]) -> T:
        """The same, to its end, even if who awaits it is cancelled."""
        self._check_open()
        task = asyncio.ensure_future(self._run(work))
        self._writes.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Close what is idle now, and what is in use when it is given back. What was to be finished is finished first."""
        self._closed = True
        if self._writes:
            await asyncio.wait(self._writes)
        self._pool.check_home((os.getpid(), asyncio.get_running_loop()))
        self._pool.close()

    async def _run(self, work: Callable[[], Flow[T]]) -> T:
        if not self._pool.check_home((os.getpid(), asyncio.get_running_loop())):
            self._slots = asyncio.Semaphore(self._settings.size)
        slots = self._slots
        if slots.locked():
            try:
                async with asyncio.timeout(self._settings.timeout):
                    await slots.acquire()
            except TimeoutError:
                raise self._settings.busy() from None
        else:
            await slots.acquire()
        call: Call[_AsyncConnection] = Call()
        try:
            return await flows.run_async(session(call, self._pool, work), partial(self._perform, call))
        finally:
            slots.release()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed("the store is closed")

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._writes.discard(task)
        if not task.cancelled():
            task.exception()  # seen, even where nobody waits for it any more

    async def _perform(self, call: Call[_AsyncConnection], request: Request[Any]) -> Rows | int:
        connection = call.connection
        try:
            if connection is None or not isinstance(request, Query):
                call.connection = connection = await _AsyncConnection.connect(**self._settings.parameters)
                return _fit_out(connection, self._settings.timeout)
            text, may_prepare = self._settings.texts[request.statement], self._pool.may_prepare
            if isinstance(request, Probe):
                probes = connection.probes
                rows = probes.rows(
                    await psycopg.AsyncConnection.wait(connection, probes.send(text, request.parameters, prepare=may_prepare is None))
                )
            else:
                cursor = await connection.execute(text, request.parameters, prepare=may_prepare)
                while cursor.nextset():
                    pass
                rows = await cursor.fetchall() if _has_rows(cursor) else []
        except (psycopg.Error, _Overtime, OSError) as error:
            raise _failure(error, connection) from None
        call.answers += 1
        return rows


def _has_rows(cursor: psycopg.Cursor[tuple[Any, ...]] | psycopg.AsyncCursor[tuple[Any, ...]]) -> bool:
    """Whether a statement gives rows. The cursor's description would tell as well, but takes as long as the rest."""
    return cursor.pgresult is not None and cursor.pgresult.nfields > 0


def _failure(error: Exception, connection: _Connection | _AsyncConnection | None) -> Failure:
    """What is wrong, as far as it may be told."""
    if isinstance(error, _Overtime):
        return Failure("57014")
    if isinstance(error, psycopg.Error) and error.sqlstate:
        lost = connection is None or connection.broken
        return Failure(error.sqlstate, _without_names(error.diag.message_primary or ""), broken=lost)
    words = _without_names(str(error).partition("\n")[0].rpartition(" failed: ")[2])
    if connection is not None:
        return Failure(words=words, broken=connection.broken)
    known = getattr(error, "pgconn", None)  # libpq tells the server's words here, but not its code
    asked = known is not None and (known.used_password or known.needs_password)
    return Failure(code_of(words) or ("28000" if asked else ""), words, broken=True)


def _without_names(words: str) -> str:
    """Words of a server or of the driver without what they quote, which may be a name, a host or what was sent."""
    return _QUOTED.sub("…", words[:_MAX_WORDS]).removeprefix("FATAL:").strip()


def _hang_up(connection: _Connection | _AsyncConnection) -> None:
    connection.pgconn.finish()
