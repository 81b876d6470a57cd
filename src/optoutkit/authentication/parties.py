"""Whom the user trusts beside Amazon: receiving servers, sealers of ARC chains, and the seller's own addresses and domains."""

import functools
import importlib.resources
import re
from collections.abc import Iterable

import attrs

from optoutkit.authentication.lookalikes import is_amazon
from optoutkit.authentication.trust import Trust
from optoutkit.errors import InvalidAddress, InvalidInput
from optoutkit.identities import Address
from optoutkit.marketplaces import Marketplace

__all__ = ["TrustedParties", "trusted_parties"]

_DOMAIN = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)+")


@attrs.frozen(kw_only=True)
class TrustedParties:
    """Whom the user named. Made by :func:`trusted_parties`, which says what the names mean.

    Attributes:
        authserv_ids: Names of servers, lower case.
        sealers: Domains, lower case.
        addresses: Keys of addresses.
        domains: Domains, lower case.
    """

    authserv_ids: frozenset[str] = frozenset()
    sealers: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    def claim(self, sender: Address) -> Trust:
        """How far a mail of this sender is to be trusted, if it is proved to be theirs; UNVERIFIED if it is worth no proof."""
        store = Marketplace.by_domain(sender.domain)
        if store is not None and store.domain == sender.domain:
            return Trust.AMAZON
        if sender.key in self.addresses or sender.domain in self.domains:
            return Trust.FORWARDER
        return Trust.UNVERIFIED

    def is_sealer(self, domain: str) -> bool:
        """Whether a domain, or one above it, was named as a sealer."""
        labels = domain.split(".")
        return any(".".join(labels[start:]) in self.sealers for start in range(len(labels)))


def trusted_parties(
    *, authserv_ids: Iterable[str] = (), sealers: Iterable[str] = (), forwarders: Iterable[str | Address] = ()
) -> TrustedParties:
    """Read the names a user gives.

    Args:
        authserv_ids: Names under which the user's own receiving servers write Authentication-Results (RFC 8601 section 2.5), such as
            ``"mx.google.com"``. Such a server must remove what strangers write under its name, as RFC 8601 section 5 demands.
        sealers: Domains whose ARC seals are believed, such as ``"google.com"``.
        forwarders: The seller's own addresses and domains. Whoever can send from such a domain can opt buyers out.

    Raises:
        InvalidInput: A name is none, or a domain under which strangers have mailboxes, too; name an address there instead.
    """
    addresses, domains = set[str](), set[str]()
    for forwarder in _each(forwarders, "forwarders"):
        if isinstance(forwarder, Address) or "@" in forwarder.strip()[1:]:
            addresses.add(_own_address(forwarder).key)
        else:
            domains.add(_own_domain(forwarder))
    return TrustedParties(
        authserv_ids=frozenset(_server(name) for name in _each(authserv_ids, "authserv_ids")),
        sealers=frozenset(_domain(sealer, "a sealer") for sealer in _each(sealers, "sealers")),
        addresses=frozenset(addresses),
        domains=frozenset(domains),
    )


def _each(values: Iterable[str | Address], name: str) -> Iterable[str | Address]:
    if isinstance(values, str):  # its letters would be taken for names
        raise InvalidInput(f"{name} takes several names: write ({values!r},)")
    return values


def _server(value: str | Address) -> str:
    name = str(value).strip().lower()
    if not name:
        raise InvalidInput("the name of a server is empty")
    return name


def _own_address(forwarder: str | Address) -> Address:
    try:
        address = forwarder if isinstance(forwarder, Address) else Address(forwarder)
    except InvalidAddress as error:
        raise InvalidInput(f"a forwarder is an address or a domain: {error}") from None
    if is_amazon(address.domain):
        raise InvalidInput("an address at Amazon cannot be a forwarder of the seller's own")
    return address


def _own_domain(forwarder: str) -> str:
    domain = _domain(forwarder, "a forwarder")
    if is_amazon(domain) or _is_public(domain):
        raise InvalidInput(f"strangers can send from {domain!r}, too: name your own address there instead of the domain")
    return domain


def _domain(value: str | Address, what: str) -> str:
    domain = str(value).strip().lower().removeprefix("@").rstrip(".")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii").lower()
        except UnicodeError:
            domain = ""
    if not _DOMAIN.fullmatch(domain):
        raise InvalidInput(f"{what} is a domain, such as example.com: {value!r}")
    return domain


def _is_public(domain: str) -> bool:
    first, _, rest = domain.partition(".")
    return domain in _public_providers() or (f"{first}.*" in _public_providers() and rest.count(".") <= 1)


@functools.cache
def _public_providers() -> frozenset[str]:
    text = importlib.resources.files("optoutkit.authentication").joinpath("public_providers.txt").read_text(encoding="utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
