"""Amazon's stores: the table and its look-ups."""

from optoutkit.identities import Address
from optoutkit.marketplaces import MARKETPLACES, Marketplace


def test_table_is_whole() -> None:
    """23 stores, nothing twice."""
    assert len(MARKETPLACES) == 23
    assert len({store.id for store in MARKETPLACES}) == 23
    assert len({store.domain for store in MARKETPLACES}) == 23
    assert len({store.country for store in MARKETPLACES}) == 23


def test_look_ups() -> None:
    """By ID, by domain, by alias domain, in any case; None for strangers."""
    japan = Marketplace.by_id(" a1vc38t7yxb528 ")
    assert japan is not None
    assert japan.alias_domain == "marketplace.amazon.co.jp"
    assert Marketplace.by_domain("Amazon.co.jp.") is japan
    assert Marketplace.by_domain("marketplace.amazon.co.jp") is japan
    assert Marketplace.by_alias_domain("Marketplace.amazon.co.jp") is japan
    assert Marketplace.by_alias_domain("amazon.co.jp") is None
    assert Marketplace.by_domain("amazon.example") is None
    assert Marketplace.by_id("nothing") is None


def test_each_alias_domain_is_known_for_one() -> None:
    """Addresses tell aliases by the form of their domain; it fits every store."""
    for store in MARKETPLACES:
        assert Address(f"x1@{store.alias_domain}").is_buyer_alias
        assert not Address(f"x1@{store.domain}").is_buyer_alias
