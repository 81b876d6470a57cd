"""What the URI of a Redis store says."""

import pytest

from optoutkit.errors import InvalidUri
from optoutkit.stores.opening import open_async_store, open_store
from optoutkit.stores.redis import REDIS, AsyncRedisStore
from optoutkit.stores.redis.settings import Settings


@pytest.mark.parametrize(
    ("uri", "settings"),
    [
        ("redis://db", Settings(nodes=(("db", 6379),))),
        ("redis://db:7000/3", Settings(nodes=(("db", 7000),), db=3)),
        ("redis://[::1]:7000", Settings(nodes=(("::1", 7000),))),
        ("redis://:p%40ss@db", Settings(nodes=(("db", 6379),), password="p@ss")),
        ("redis://me:p:ss@db", Settings(nodes=(("db", 6379),), username="me", password="p:ss")),
        (
            "redis://db?link_days=90&timeout=0.5&wait=1&prefix=shop:",
            Settings(nodes=(("db", 6379),), link_days=90, timeout=0.5, wait=1, prefix="shop:"),
        ),
        ("rediss://db", Settings(nodes=(("db", 6379),), tls={})),
        ("rediss://db?ssl_ca_certs=/etc/ca.pem", Settings(nodes=(("db", 6379),), tls={"ssl_ca_certs": "/etc/ca.pem"})),
        ("unix:///run/redis.sock", Settings(nodes=(("/run/redis.sock", 0),), unix=True)),
        ("unix://:secret@/run/my%20redis.sock?db=2", Settings(nodes=(("/run/my redis.sock", 0),), unix=True, password="secret", db=2)),
        ("redis+cluster://a,b:7000", Settings(nodes=(("a", 6379), ("b", 7000)), cluster=True)),
        ("rediss+cluster://a/0", Settings(nodes=(("a", 6379),), cluster=True, tls={})),
    ],
)
def test_a_uri_is_read(uri: str, settings: Settings) -> None:
    """Servers, credentials, database and options come out of a URI as they were meant."""
    assert Settings.parse(uri) == settings


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("redis://", "a host is missing"),
        ("redis://a,b", "a host is missing or malformed"),
        ("redis://secret:secret@", "a host is missing"),
        ("redis://a:b:c", "malformed"),
        ("redis://a:0", "a port that does not exist"),
        ("redis://a:65536", "a port that does not exist"),
        ("redis://secret@a", "a user needs a password"),
        ("redis://a/secret", "the path of redis:// is wrong: a database is a number"),
        ("redis://a?password=secret", "no option 'password'"),
        ("redis://a?db=1", "no option 'db'"),
        ("redis://a?timeout=0", "timeout"),
        ("redis://a?timeout=nan", "timeout"),
        ("redis://a?wait=-1", "wait"),
        ("redis://a?wait=many", "wait"),
        ("redis://a?prefix={secret}", "prefix"),
        ("redis://a?link_days=0", "link_days"),
        ("redis://a?ssl_ca_certs=x", "no option 'ssl_ca_certs'"),
        ("redis+cluster://", "a host is missing"),
        ("redis+cluster://a,,b", "a host is missing"),
        ("redis+cluster://a/1", "just the database 0"),
        ("unix://", "after three slashes"),
        ("unix://run/redis.sock", "after three slashes"),
        ("unix:///x?db=secret", "db"),
    ],
)
def test_a_wrong_uri_is_refused_without_a_secret(uri: str, says: str) -> None:
    """What is wrong is named, and what may be a password is not."""
    for opener in (open_store, open_async_store):
        with pytest.raises(InvalidUri, match=says) as raised:
            opener(uri)
        assert "secret" not in str(raised.value)


def test_a_password_is_not_shown() -> None:
    """Where settings are printed, the password is left out."""
    assert "secret" not in repr(Settings.parse("redis://:secret@a"))


def test_the_backend_opens_both_stores() -> None:
    """An asyncio store is made without a server; a blocking one wants it at once."""
    assert isinstance(REDIS.open_async("redis://nowhere.invalid"), AsyncRedisStore)
