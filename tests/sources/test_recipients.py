"""Whose list a notice is for, by the address that it was delivered to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.errors import InvalidAddress, InvalidInput
from optoutkit.sources.recipients import Recipients

RECIPIENTS = Recipients.parse(
    ["notices@example.com", "Notices+Shop1@Example.com=shop1", "a=b@example.com=x=y@z", "@käufer.example=*", "me@käufer.example=me"]
)


@pytest.mark.parametrize(
    ("recipient", "seller"),
    [
        ("notices@example.com", ""),
        ("NOTICES+shop1@EXAMPLE.COM", "shop1"),
        ("notices+shop2@example.com", ""),
        ("a=b@example.com", "x=y@z"),
        ("any@käufer.example", "*"),
        ("any+more@xn--kufer-gra.example", "*"),
        ("me+more@käufer.example", "me"),
        ("notices@sub.example.com", None),
        ("sales@example.com", None),
        ("+@example.com", None),
        ("no address", None),
        ("", None),
    ],
)
def test_the_closest_entry_counts(recipient: str, seller: str | None) -> None:
    """The whole address, then without its extension, then the domain; upper and lower case are the same."""
    assert RECIPIENTS.seller_of(recipient) == seller


def test_all_sellers() -> None:
    """Each once."""
    assert RECIPIENTS.sellers == {"", "shop1", "x=y@z", "*", "me"}


@pytest.mark.parametrize("entry", ["", "notices", "@", "notices=shop1", "a b@example.com=x", "@=shop1"])
def test_what_is_no_address(entry: str) -> None:
    """A slip of the pen is told."""
    with pytest.raises(InvalidAddress):
        Recipients.parse([entry, "ok@example.com"])


def test_two_sellers_for_one_address() -> None:
    """Which one was meant? Twice the same is no harm."""
    assert Recipients.parse(["a@example.com=x", "A@example.com=x"]).seller_of("a@example.com") == "x"
    with pytest.raises(InvalidInput, match="stands for two sellers"):
        Recipients.parse(["a@example.com=x", "A@example.com=y"])


@given(st.text())
def test_whatever_a_client_calls_its_recipient(recipient: str) -> None:
    """It stands for a seller that was named, or for nobody."""
    assert RECIPIENTS.seller_of(recipient) in {None, *RECIPIENTS.sellers}
