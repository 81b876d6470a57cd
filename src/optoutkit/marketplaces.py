"""Amazon's stores: one table, and the ways to find a row in it.

Source: amazon.md section f (marketplace IDs from Amazon's SP-API documentation). Alias domains were seen with a mail exchanger
for every store but South Africa, whose domain follows the same pattern and is accepted unconfirmed.
"""

import attrs

__all__ = ["MARKETPLACES", "Marketplace"]

_ALIAS_PREFIX = "marketplace."


@attrs.frozen
class Marketplace:
    """One of Amazon's stores.

    Attributes:
        id: Amazon's marketplace ID, such as ``"A1PA6795UKMFR9"``.
        country: Two-letter code of the country, such as ``"DE"`` (``"UK"`` for the United Kingdom, as Amazon writes it).
        domain: The store's domain, such as ``"amazon.de"``.
        languages: ISO 639-1 codes of the languages its buyers usually use, the most usual first.

    Example:
        >>> Marketplace.by_domain("amazon.de").country
        'DE'
    """

    id: str
    country: str
    domain: str
    languages: tuple[str, ...]

    @property
    def alias_domain(self) -> str:
        """The domain of the addresses behind which Amazon hides this store's buyers."""
        return _ALIAS_PREFIX + self.domain

    @classmethod
    def by_id(cls, marketplace_id: str) -> "Marketplace | None":
        """Find a store by its marketplace ID, in whatever case; None if there is no such store."""
        return _BY_ID.get(marketplace_id.strip().upper())

    @classmethod
    def by_domain(cls, domain: str) -> "Marketplace | None":
        """Find a store by its domain (``amazon.fr``) or that of its aliases (``marketplace.amazon.fr``)."""
        return _BY_DOMAIN.get(domain.strip().lower().rstrip(".").removeprefix(_ALIAS_PREFIX))

    @classmethod
    def by_alias_domain(cls, domain: str) -> "Marketplace | None":
        """Find a store by the domain of its buyers' aliases only; None for ``amazon.fr`` itself."""
        return cls.by_domain(domain) if domain.strip().lower().startswith(_ALIAS_PREFIX) else None


MARKETPLACES: tuple[Marketplace, ...] = (
    Marketplace("ATVPDKIKX0DER", "US", "amazon.com", ("en", "es")),
    Marketplace("A2EUQ1WTGCTBG2", "CA", "amazon.ca", ("en", "fr")),
    Marketplace("A1AM78C64UM0Y8", "MX", "amazon.com.mx", ("es",)),
    Marketplace("A2Q3Y263D00KWC", "BR", "amazon.com.br", ("pt",)),
    Marketplace("A28R8C7NBKEWEA", "IE", "amazon.ie", ("en",)),
    Marketplace("A1RKKUPIHCS9HS", "ES", "amazon.es", ("es",)),
    Marketplace("A1F83G8C2ARO7P", "UK", "amazon.co.uk", ("en",)),
    Marketplace("A13V1IB3VIYZZH", "FR", "amazon.fr", ("fr",)),
    Marketplace("AMEN7PMS3EDWL", "BE", "amazon.com.be", ("nl", "fr")),
    Marketplace("A1805IZSGTT6HS", "NL", "amazon.nl", ("nl",)),
    Marketplace("A1PA6795UKMFR9", "DE", "amazon.de", ("de",)),
    Marketplace("APJ6JRA9NG5V4", "IT", "amazon.it", ("it",)),
    Marketplace("A2NODRKZP88ZB9", "SE", "amazon.se", ("sv",)),
    Marketplace("AE08WJ6YKNBMC", "ZA", "amazon.co.za", ("en",)),
    Marketplace("A1C3SOZRARQ6R3", "PL", "amazon.pl", ("pl",)),
    Marketplace("ARBP9OOSHTCHU", "EG", "amazon.eg", ("ar", "en")),
    Marketplace("A33AVAJ2PDY3EV", "TR", "amazon.com.tr", ("tr",)),
    Marketplace("A17E79C6D8DWNP", "SA", "amazon.sa", ("ar", "en")),
    Marketplace("A2VIGQ35RCS4UG", "AE", "amazon.ae", ("en", "ar")),
    Marketplace("A21TJRUUN4KGV", "IN", "amazon.in", ("en", "hi")),
    Marketplace("A19VAU5U5O7RUS", "SG", "amazon.sg", ("en",)),
    Marketplace("A39IBJ37TRP1C6", "AU", "amazon.com.au", ("en",)),
    Marketplace("A1VC38T7YXB528", "JP", "amazon.co.jp", ("ja", "en")),
)
"""All stores that optoutkit knows."""

_BY_ID = {marketplace.id: marketplace for marketplace in MARKETPLACES}
_BY_DOMAIN = {marketplace.domain: marketplace for marketplace in MARKETPLACES}
