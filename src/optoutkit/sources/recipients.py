"""Whose list a notice is for, by the address that it was delivered to."""

from collections.abc import Iterable
from typing import Self

from optoutkit.errors import InvalidAddress, InvalidInput
from optoutkit.identities import Address

__all__ = ["Recipients"]


class Recipients:
    """Addresses, and the seller that each of them stands for.

    They are looked up as Postfix looks up its tables (virtual(5), "Table search order"): the whole address, then without what follows
    a ``+`` in it, then the domain alone. So ``notices@shop.example`` also takes ``notices+anything@shop.example``, unless that has an
    entry of its own.

    Args:
        sellers: Pairs of an address, or ``@domain`` for all that are not named otherwise in a domain, and a seller.

    Raises:
        InvalidInput: One is no address, or two entries for the same address differ.

    Example:
        >>> recipients = Recipients([("notices+shop1@example.com", "shop1"), ("@shop2.example", "shop2")])
        >>> recipients.seller_of("Notices+Shop1@example.com"), recipients.seller_of("any@shop2.example")
        ('shop1', 'shop2')
        >>> recipients.seller_of("sales@example.com") is None
        True
    """

    def __init__(self, sellers: Iterable[tuple[str, str]]) -> None:
        self._sellers: dict[str, str] = {}
        for recipient, seller in sellers:
            if self._sellers.setdefault(_key(recipient), seller) != seller:
                raise InvalidInput(f"{recipient} stands for two sellers")

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Self:
        """Read entries such as ``notices+shop1@example.com=shop1``; without the ``=`` it is the list of the store's owner.

        Raises:
            InvalidInput: As the class itself does.
        """
        return cls(map(_entry, lines))

    @property
    def sellers(self) -> frozenset[str]:
        """All sellers that some address stands for."""
        return frozenset(self._sellers.values())

    def seller_of(self, recipient: str) -> str | None:
        """The seller for whom a mail to this address is; None if it stands for nobody."""
        try:
            address = Address(recipient)
        except InvalidAddress:
            return None
        candidates = (str(address), f"{address.local.partition('+')[0]}@{address.domain}", f"@{address.domain}")
        return next((self._sellers[candidate] for candidate in candidates if candidate in self._sellers), None)


def _key(recipient: str) -> str:
    if recipient.startswith("@"):
        return f"@{Address(f'any{recipient}').domain}"
    return str(Address(recipient))


def _entry(line: str) -> tuple[str, str]:
    """The first ``=`` behind the ``@`` parts the two: a local part may hold one, a domain may not."""
    local, at, rest = line.partition("@")
    domain, _, seller = rest.partition("=")
    return f"{local}{at}{domain}", seller
