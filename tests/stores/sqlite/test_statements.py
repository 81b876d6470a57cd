"""How SQLite goes about the statements: no table is read from end to end, and a lookup copies nothing aside."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from optoutkit.stores.sqlite import SqliteStore, statements

LOOKUPS = {f"{name} {kind}": sql for name in ("LOOK_UP", "LOOK_UP_ONE", "LOOK_UP_OWN") for kind, sql in getattr(statements, name).items()}
OTHERS = {name: getattr(statements, name) for name in statements.__all__ if name.isupper() and not name.startswith("LOOK_UP")}
OTHERS |= {"insert_entries": statements.insert_entries(1, 2, 3), "upsert_entry": statements.upsert_entry(1, 2)}


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to an empty store."""
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


def plan_of(connection: sqlite3.Connection, statement: str) -> list[str]:
    """The steps by which SQLite would do it."""
    named = dict.fromkeys(re.findall(r":(\w+)", statement))
    numbers = max(map(int, re.findall(r"\?(\d+)", statement)), default=statement.count("?"))
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", named or [None] * numbers)]


@pytest.mark.parametrize("name", [name for name in LOOKUPS | OTHERS if name not in ("LISTS", "SELLERS")])
def test_every_statement_seeks(connection: sqlite3.Connection, name: str) -> None:
    """However large the store is, each statement goes straight to the rows it wants."""
    plan = plan_of(connection, (LOOKUPS | OTHERS)[name])
    assert [step for step in plan if re.match(r"SCAN (e|l|m|w|entry|link|withdrawal|seller)\b", step)] == []


@pytest.mark.parametrize("name", [*LOOKUPS, "PAGE"])
def test_lookups_build_nothing_aside(connection: sqlite3.Connection, name: str) -> None:
    """Lookups and pages need no temporary table, no automatic index, and no sorting."""
    plan = plan_of(connection, (LOOKUPS | OTHERS)[name])
    assert any("SEARCH" in step for step in plan)
    assert [step for step in plan if re.search("TEMP|AUTOMATIC|LIST SUBQUERY|MULTI-INDEX", step)] == []
