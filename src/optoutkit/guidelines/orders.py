"""What ties a message to its order: the order's ID, and the language of the buyer."""

from collections.abc import Iterator

from optoutkit.guidelines import placeholders
from optoutkit.guidelines.sources import Found, Reading
from optoutkit.identities import find_order_ids
from optoutkit.marketplaces import Marketplace
from optoutkit.text.folding import fold
from optoutkit.text.language import detect
from optoutkit.text.wordlists import LANGUAGES

__all__ = ["check_language", "check_order_id"]

# In the names of placeholders, which are English more often than not.
_ORDER_NAMES = (
    *("order", "bestell", "auftrag", "commande", "pedido", "ordine", "encomenda", "zamow", "siparis", "bestall", "ordre"),
    *("注文", "订单", "訂單", "الطلب", "ऑर्डर", "zamów", "sipariş", "beställ"),
)
_BY_SCRIPT = frozenset({"ar", "hi", "ja", "zh"})
_SURE = 0.7
_BEFORE_ANONYMOUS = 60  # characters in which a word for "order" tells what "%s" is


def check_order_id(reading: Reading) -> Iterator[Found]:
    """Find out whether the message names its order, or has a placeholder for it.

    A message that goes to an order rather than to an address, as those of Amazon's messaging API do, need not name it.
    """
    message = reading.message
    if message.order_ids and not message.to:
        return
    texts = [source.plain for source in reading.sources]
    if not any(_names_order(text) for text in (*texts, message.alternative)):
        yield Found("missing_order_id")


def _names_order(text: str) -> bool:
    if any(True for _ in find_order_ids((text if text.isascii() else fold(text).text).upper())):
        return True
    for found in placeholders.find(text):
        name = text[max(found.start() - _BEFORE_ANONYMOUS, 0) : found.end()] if placeholders.is_anonymous(found[0]) else found[0]
        if any(word in name.lower() for word in _ORDER_NAMES):
            return True
    return False


def check_language(reading: Reading, order_language: str | None) -> Iterator[Found]:
    """Find a message in another language than that of the order, or than those of the store whose buyers get it."""
    text = "\n".join(sentence.text for sentence in reading.main.own_sentences)
    expected = {order_language} if order_language else _languages_of_stores(reading.message.to)
    known = frozenset(LANGUAGES) | _BY_SCRIPT
    if not expected <= known:
        yield Found(
            "other_language",
            why_unchecked=f"It cannot be told whether a text is in one of the languages: {', '.join(sorted(expected - known))}.",
        )
        return
    if not expected:
        return
    guess = detect(text, hint=next(iter(expected)))
    if guess.language is None or guess.confidence < _SURE or guess.language in expected:
        return
    first = reading.main.own_sentences[0]
    yield Found.words("other_language", reading.main, first.start, first.end)


def _languages_of_stores(recipients: tuple[str, ...]) -> set[str]:
    languages = set[str]()
    for recipient in recipients:
        store = Marketplace.by_alias_domain(recipient.rpartition("@")[2])
        if store is None:
            return set()
        languages.update(store.languages)
    return languages
