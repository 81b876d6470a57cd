"""The URI of the PostgreSQL store, and its options."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from optoutkit.errors import InvalidUri
from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores import open_async_store, open_store
from optoutkit.stores.postgresql import AsyncPostgresqlStore, PostgresqlStore
from optoutkit.stores.postgresql.client import driver_options
from optoutkit.stores.postgresql.options import read_uri

BUYER = Address("buyer@example.com")


@pytest.mark.parametrize("opener", [open_store, open_async_store])
@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("postgresql://h/d?link_days=0", "link_days must be at least 1"),
        ("postgresql://h/d?pool_size=0", "pool_size must be at least 1"),
        ("postgresql://h/d?pool_size=x", "pool_size"),
        ("postgresql://h/d?timeout=0", "timeout must be"),
        ("postgresql://h/d?timeout=nan", "timeout must be"),
        ("postgresql://h/d?timeout=86401", "timeout must be"),
        ("postgresql://h/d?schema=Shop", "schema must be"),
        ("postgresql://h/d?schema=pg_x", "schema must be"),
        ("postgresql://h/d?schema=" + "x" * 64, "schema must be"),
        ("postgresql://h/d?schema=", "schema must be"),
        ("postgresql://h/d?days=1", "no option 'days'; there is: link_days, pool_size, schema, timeout, and what libpq knows"),
        ("postgresql://u:my_secret@h:5432%/d", "cannot be read: write postgresql://user:password@host:5432/database"),
    ],
)
def test_a_wrong_uri_is_refused_in_one_clear_line(opener: Callable[[str], Any], uri: str, says: str) -> None:
    """What is wrong is named, with what there is, and without the password; nothing is connected to."""
    with pytest.raises(InvalidUri, match=says) as raised:
        opener(uri)
    assert "\n" not in str(raised.value)
    assert "my_secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("uri", "driver_uri", "options"),
    [
        ("postgresql://h/d", "postgresql://h/d", {}),
        ("PostgreSQL://h/d?timeout=2.5", "postgresql://h/d", {"timeout": 2.5}),
        (
            "postgresql://u:p%40@h1:1,h2:2/d?sslmode=require&schema=shop&options=-c%20x%3Dy&pool_size=3&link_days=9",
            "postgresql://u:p%40@h1:1,h2:2/d?sslmode=require&options=-c%20x%3Dy",
            {"schema": "shop", "pool_size": 3, "link_days": 9},
        ),
        ("postgresql:///d?host=/run/pg", "postgresql:///d?host=%2Frun%2Fpg", {}),
    ],
)
def test_what_is_not_ours_is_libpqs(uri: str, driver_uri: str, options: dict[str, Any]) -> None:
    """Our options are taken out of the URI, and all else stays as it was."""
    assert read_uri(uri, driver_options()) == (driver_uri, options)


@pytest.mark.parametrize("store", [PostgresqlStore, AsyncPostgresqlStore])
@pytest.mark.parametrize("option", [{"link_days": 0}, {"pool_size": 0}, {"timeout": 0}, {"schema": 'x"'}])
def test_options_out_of_range_are_the_callers_mistake(store: Callable[..., Any], option: dict[str, Any]) -> None:
    """Made by hand, a store refuses them before it connects."""
    with pytest.raises(ValueError, match=next(iter(option))):
        store("postgresql://127.0.0.1:1/x", **option)


def test_options_reach_the_store(uri: str, raw: Callable[..., list[Any]]) -> None:
    """The schema is the one named, and the name of the program is ours unless another one is given."""
    with open_store(uri) as store:
        store.record([OptOut(BUYER)])
        assert raw("SELECT count(*) FROM @entry") == [(1,)]
        assert raw("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'optoutkit'") == [(1,)]


def test_a_schema_may_have_any_name_of_sql(server_uri: str, raw: Callable[..., list[Any]]) -> None:
    """One that is a word of the language as well."""
    with PostgresqlStore(server_uri, schema="select") as store:
        store.record([OptOut(BUYER)])
    raw('DROP SCHEMA "select" CASCADE')


def test_without_its_driver_the_extra_is_named() -> None:
    """Whoever lacks psycopg is told what to install."""
    script = "import sys; sys.modules['psycopg'] = None; from optoutkit import open_store; open_store('postgresql://h/d')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "MissingExtra: the postgresql:// store needs an optional package" in done.stderr
    assert "pip install 'optoutkit[postgresql]'" in done.stderr
