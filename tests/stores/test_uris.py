"""Store URIs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.errors import InvalidUri
from optoutkit.stores.uris import StoreUri


def test_a_uri_is_taken_apart() -> None:
    """Scheme, host, path and options are told apart, and decoded."""
    assert StoreUri.parse("SQLite:////var/my%20shop/a%3Fb%25.db?link_days=90&timeout=1.5") == StoreUri(
        scheme="sqlite", host="", path="/var/my shop/a?b%.db", options={"link_days": "90", "timeout": "1.5"}
    )
    assert StoreUri.parse("redis://user:secret@host:1/0") == StoreUri(scheme="redis", host="user:secret@host:1", path="0", options={})
    assert StoreUri.parse("sqlite:///a#b.db").path == "a#b.db"
    assert StoreUri.parse("x:///?a=").options == {"a": ""}


@pytest.mark.parametrize("uri", ["", "optouts.db", "://x", "sqlite:/x", "a://secret[", "a://secret?b", "a:///?b=secret&b=2"])
def test_what_cannot_be_read_is_refused_without_repeating_it(uri: str) -> None:
    """The error says what a URI looks like, and shows nothing of one that may hold a password."""
    with pytest.raises(InvalidUri) as raised:
        StoreUri.parse(uri)
    assert "secret" not in str(raised.value)


@given(st.text() | st.text(alphabet="a:/?&=%[]#@").map("sqlite://".__add__))
def test_any_text_is_a_uri_or_refused(text: str) -> None:
    """No text raises anything but InvalidUri."""
    try:
        uri = StoreUri.parse(text)
        uri.keywords(a=int)
    except InvalidUri:
        pass


def test_options_become_keywords() -> None:
    """Each option is read by its own function; those not given are left to the default."""
    uri = StoreUri.parse("x:///?a=1&b=two")
    assert uri.keywords(a=int, b=str, c=int) == {"a": 1, "b": "two"}
    with pytest.raises(InvalidUri, match=r"no option 'b'; there is: a, c"):
        uri.keywords(a=int, c=int)
    with pytest.raises(InvalidUri, match="option b of x:// is wrong"):
        uri.keywords(a=int, b=int)
