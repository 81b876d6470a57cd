"""Address fields: nobody is fooled, nothing is lost that is an address."""

from collections.abc import Callable
from email.utils import formataddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.text.mailboxes import Mailbox, read_mailboxes


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("anna@example.com", [("", "anna@example.com")]),
        ("Anna <anna@example.com>", [("Anna", "anna@example.com")]),
        ('"Amazon.it" <auto-communication@amazon.com>', [("Amazon.it", "auto-communication@amazon.com")]),
        ('"Müller, Anna" <a@example.com>, b@example.com', [("Müller, Anna", "a@example.com"), ("", "b@example.com")]),
        ("=?utf-8?q?J=C3=BCrgen?= <j@example.com>", [("Jürgen", "j@example.com")]),
        ('"=?utf-8?q?J=C3=BCrgen?=" <j@example.com>', [("Jürgen", "j@example.com")]),
        ('"say \\"hi\\"" <a@example.com>', [('say "hi"', "a@example.com")]),
        ("anna@example.com (Anna)", [("Anna", "anna@example.com")]),
        ("Anna (at (home\\)) ) <anna(x)@(y)example.com>", [("Anna", "anna@example.com")]),
        ("anna@example.com <anna@example.com>", [("", "anna@example.com")]),
        ('"anna@example.com" <anna@example.com>', [("", "anna@example.com")]),
        ("Team: a@example.com, B <b@example.com>;, c@example.com", [("", "a@example.com"), ("B", "b@example.com"), ("", "c@example.com")]),
        ("undisclosed-recipients:;", []),
        ("a@example.com; b@example.com", [("", "a@example.com"), ("", "b@example.com")]),
        ("<@relay.example,@b.example:anna@example.com>", [("", "anna@example.com")]),
        ("anna . b @ example . com", [("", "anna.b@example.com")]),
        ("a..b.@docomo.example", [("", "a..b.@docomo.example")]),
        ('"john doe"@example.com', [("", '"john doe"@example.com')]),
        ("x@[192.0.2.1]", [("", "x@[192.0.2.1]")]),
        ("jörg@exämple.com", [("", "jörg@exämple.com")]),
        (",, ,", []),
        ("", []),
        ("Anna", []),
        ("<>", []),
        ("<anna@example.com", []),
        ("anna@example.com>", []),
        ("<<anna@example.com>>", []),
    ],
)
def test_mailboxes_are_read(value: str, expected: list[tuple[str, str]]) -> None:
    """RFC 5322 section 3.4, its obsolete forms, and what mailers write."""
    assert read_mailboxes(value) == tuple(Mailbox(*pair) for pair in expected)


@pytest.mark.parametrize(
    "value",
    [
        '"donotreply@amazon.de" <evil@example.net>',
        "donotreply@amazon.de <evil@example.net>",
        '"donotreply@amazon.de, x" <evil@example.net>',
        '"<donotreply@amazon.de>" <evil@example.net>',
        '"donotreply@amazon.de\\" <x@amazon.de>" <evil@example.net>',
        "=?utf-8?q?donotreply=40amazon.de=2C?= <evil@example.net>",
        "(<donotreply@amazon.de>) evil@example.net",
        "evil@example.net (donotreply@amazon.de)",
    ],
)
def test_a_display_name_is_never_taken_for_the_address(value: str) -> None:
    """An address in a name, a comment or an encoded word stays a name; only the real one is found."""
    assert [mailbox.address for mailbox in read_mailboxes(value)] == ["evil@example.net"]


@pytest.mark.parametrize(
    "value",
    [
        "<donotreply@amazon.de> <evil@example.net>",
        "donotreply@amazon.de <evil@example.net> x",
        "donotreply@amazon.de evil@example.net",
        "donotreply@amazon.de)evil@example.net",
        '"donotreply@amazon.de <evil@example.net>',
        "donotreply@amazon.de\\, <evil@example.net> <x@example.net>",
    ],
)
def test_what_names_two_addresses_names_none(value: str) -> None:
    """An ambiguous item is left out: each reader would take another half of it."""
    assert read_mailboxes(value) == ()


names = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), max_size=30)
addresses = st.from_regex(r"[a-z0-9.+-]{1,20}@[a-z0-9-]{1,20}\.example", fullmatch=True)


@given(st.lists(st.tuples(names, addresses), max_size=5))
def test_every_list_that_can_be_written_is_read(pairs: list[tuple[str, str]]) -> None:
    """Whatever names the standard library puts before addresses, the addresses come back in order."""
    value = ", ".join(formataddr(pair) for pair in pairs)
    assert [mailbox.address for mailbox in read_mailboxes(value)] == [address for _, address in pairs]


@given(st.text(st.sampled_from('ab@.,;:<>()"\\ []=?')) | st.text())
def test_no_text_raises_or_yields_anything_but_addresses(value: str) -> None:
    """Every address found has an @ and neither a blank nor a bracket outside of quotes."""
    for mailbox in read_mailboxes(value):
        local, _, domain = mailbox.address.rpartition("@")
        assert local
        assert domain
        assert '"' in local or not set(local) & set(" <>(),;:")


@pytest.mark.parametrize(
    "pattern", [",", "<", ">", "(", ")", '"', '\\"', '"\\', "@", ".", "a@b,", "a b ", " ", ":", ";", "<a@b", "=?a?q?", "[", "(a)", '""']
)
def test_hostile_fields_take_linear_time(pattern: str, assert_linear: Callable[..., None]) -> None:
    """No pattern makes reading slow."""
    assert_linear(read_mailboxes, pattern)


@pytest.mark.parametrize("value", ['"' + "a" * 150_000, '"' + "\\a" * 75_000, "a" * 150_000 + "@b.example", '""' * 75_000 + "@b.example"])
def test_hostile_fields_take_little_memory(value: str, assert_frugal: Callable[..., None]) -> None:
    """Neither quotes nor endless words."""
    assert_frugal(read_mailboxes, value)
