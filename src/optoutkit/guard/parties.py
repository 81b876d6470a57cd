"""Whom a message is for, read from its envelope."""

import re
from email.utils import parseaddr

import attrs

from optoutkit.errors import InvalidAddress, InvalidOrderId
from optoutkit.identities import Address, OrderId
from optoutkit.messages import Message
from optoutkit.text.mailboxes import read_mailboxes

__all__ = ["Party", "link_in", "parties", "read_address", "read_recipient"]

_QUOTED_LOCAL = re.compile(r'"((?:[^"\\]|\\.)*)"@', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


@attrs.frozen(kw_only=True)
class Party:
    """Whom a decision is about: a recipient, or an order without one.

    Attributes:
        given: The recipient as given, or the order ID.
        identity: What the store is asked about; None for what is no address.
        is_buyer: Whether it stands for a buyer at Amazon.
    """

    given: str
    identity: Address | OrderId | None
    is_buyer: bool


def read_address(recipient: str) -> Address | None:
    """Read a recipient as an SMTP client does: a bare address, or one with a display name; None for what is neither.

    Where the standard library, and so such a client, finds no address, that of the one mailbox counts which others would find: in
    ``Last, First <address>``, say.
    """
    for read in (_bare, _as_smtp_clients_do, _one_mailbox):
        try:
            return Address(read(recipient))
        except (InvalidAddress, RecursionError):  # parseaddr takes one step deeper for each opening parenthesis
            pass
    return None


def read_recipient(given: str) -> Address | OrderId | None:
    """Read what a decision names: a recipient, or an order without one."""
    try:
        return OrderId(given)
    except InvalidOrderId:
        return read_address(given)


def _bare(recipient: str) -> str:
    return recipient


def _as_smtp_clients_do(recipient: str) -> str:
    return _unquoted(parseaddr(recipient)[1])


def _one_mailbox(recipient: str) -> str:
    mailboxes = read_mailboxes(recipient)
    return _unquoted(mailboxes[0].address) if len(mailboxes) == 1 else ""


def _unquoted(address: str) -> str:
    """Quotes round a local part are no part of it: ``"abc"@example.com`` is delivered as ``abc@example.com`` (RFC 5321 section 4.1.2)."""
    quoted = _QUOTED_LOCAL.match(address)
    return _QUOTED_PAIR.sub(r"\1", quoted[1]) + address[quoted.end() - 1 :] if quoted else address


def parties(message: Message) -> tuple[Party, ...]:
    """The recipients of a message in their order; without any, its orders."""
    if not message.to:
        return tuple(Party(given=str(order_id), identity=order_id, is_buyer=True) for order_id in message.order_ids)
    addresses = ((recipient, read_address(recipient)) for recipient in message.to)
    return tuple(
        Party(given=recipient, identity=address, is_buyer=address is not None and address.is_buyer_alias)
        for recipient, address in addresses
    )


def link_in(message: Message) -> tuple[OrderId, Address] | None:
    """The order and the buyer that belong together, where exactly one of each stands in the message; else None."""
    buyers = {party.identity for party in parties(message) if party.is_buyer and isinstance(party.identity, Address)}
    orders = set(message.order_ids)
    return (orders.pop(), buyers.pop()) if len(buyers) == len(orders) == 1 else None
