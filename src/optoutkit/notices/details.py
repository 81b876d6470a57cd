"""What else a notice tells: the buyer's alias and the store, from its links."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from optoutkit.errors import InvalidAddress
from optoutkit.identities import Address
from optoutkit.marketplaces import Marketplace

__all__ = ["links_in", "named_buyer", "store_of_links"]

_MAILTO = re.compile(r"mailto:[\s<]*([^\s<>?\"']{1,320})", re.IGNORECASE)
# Gmail leaves the scheme out where it writes a link into plain text: "Contact <abc@marketplace.amazon.it?subject=...>".
_LINKED_ALIAS = re.compile(r"<([^\s<>?@\"']{1,64}@marketplace\.amazon\.[a-z.]{2,6})\?subject=", re.IGNORECASE)
_WEB_LINK = re.compile(r"(?:https?://|mailto:)[^\s<>\"')\]]{1,2000}", re.IGNORECASE)
_STORE_HOST = re.compile(r"https?://(?:www\.|sellercentral\.)?(amazon(?:\.[a-z]{2,3}){1,2})(?=[/:?#]|$)", re.IGNORECASE)
_WORLDWIDE = "amazon.com"  # every store's mail has links there


def links_in(text: str) -> Iterator[str]:
    """The links that a plain text spells out."""
    return (match[0] for match in _WEB_LINK.finditer(text)) if ":" in text else iter(())


def named_buyer(texts: Iterable[str]) -> Address | None:
    """The buyer whose alias is the target of a mailto: link (amazon.md section 0, item 3); None if there is none, or more than one.

    Args:
        texts: Where links lead, and plain text that may spell out some.
    """
    buyers: dict[str, Address] = {}
    for text in texts:
        if "@" not in text and "%" not in text:  # %40 in a link
            continue
        for match in (*_MAILTO.finditer(text), *_LINKED_ALIAS.finditer(text)):
            try:
                address = Address(unquote(match[1]))
            except InvalidAddress:
                continue
            if address.is_buyer_alias:
                buyers.setdefault(address.key, address)
    return next(iter(buyers.values())) if len(buyers) == 1 else None


def store_of_links(links: Iterable[str]) -> Marketplace | None:
    """The store that the links lead to, if it is one; ``amazon.com`` counts only where there is no other."""
    stores = {store.domain: store for link in links if (host := _STORE_HOST.match(link)) and (store := Marketplace.by_domain(host[1]))}
    if len(stores) > 1:
        stores.pop(_WORLDWIDE, None)
    return next(iter(stores.values())) if len(stores) == 1 else None
