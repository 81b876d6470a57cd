"""What a message is for, where it has no purpose that Amazon permits: thanks alone, or a confirmation alone."""

import re
from collections.abc import Iterator

from optoutkit.guidelines import words
from optoutkit.guidelines.sources import Found, Reading, Sentence
from optoutkit.text.folding import fold
from optoutkit.text.tokens import Token, tokenize

__all__ = ["check_purpose"]

_CLAUSE_END = re.compile(r"[,;:–—、，；：،!！。]|\s[-|]\s")
_QUESTION = re.compile(r"[?？؟]")
_POLITE = frozenset({"thanks", "help", "pleasantry", "greeting", "closing"})
_LONGEST_CLAUSE = 18  # words; more would say more than thanks
_LONGEST_EASTERN_CLAUSE = 40  # characters
_LONGEST_GREETING = 6


def check_purpose(reading: Reading) -> Iterator[Found]:
    """Find a message that only says thank you, or only confirms an order or a shipment."""
    sentences = reading.main.own_sentences
    polite = [sentence for sentence in sentences if sentence.labels & {"thanks", "help"}]
    if polite and all(_is_polite(sentence) for sentence in sentences):
        yield Found.words("thank_you_only", reading.main, polite[0].start, polite[0].end)
        return
    asks = any(_asks(sentence) for sentence in (*reading.subject.sentences, *sentences))
    confirming = [sentence for sentence in sentences if "confirmation" in sentence.labels]
    if confirming and not asks:
        phrase = next(confirming[0].find("confirmation"))
        yield Found.words("order_or_shipping_confirmation", reading.main, *confirming[0].place(phrase))


def _asks(sentence: Sentence) -> bool:
    """Whether a sentence has another purpose: it asks, tells of a problem, sends an invoice, requests a review."""
    if "help" in sentence.labels and not sentence.labels & {"needed", "review"}:
        return False
    return bool(sentence.labels & {"ask", "needed", "review"} or _QUESTION.search(sentence.text))


def _is_polite(sentence: Sentence) -> bool:
    if "greeting" in sentence.labels and len(_words(sentence.folded.text)) <= _LONGEST_GREETING:
        return True
    offers_help = "help" in sentence.labels  # "if anything is wrong", "please let us know"
    if sentence.labels & ({"confirmation", "review"} if offers_help else {"confirmation", "review", "ask", "needed"}):
        return False
    polite = _POLITE | {"ask"} if offers_help else _POLITE
    return all(_is_polite_clause(clause, polite) for clause in _CLAUSE_END.split(sentence.text))


def _is_polite_clause(clause: str, polite: frozenset[str]) -> bool:
    """Whether a part of a sentence thanks, wishes well or offers help, and is too short to say more; or has no words at all."""
    folded = fold(clause).text
    tokens = _words(folded)
    labels = {phrase.label for phrase in words.find(tokens)}
    length = sum(len(token.text) for token in tokens if token.cjk)
    return not tokens or (bool(labels & polite) and len(tokens) <= _LONGEST_CLAUSE and length <= _LONGEST_EASTERN_CLAUSE)


def _words(folded: str) -> list[Token]:
    """The words of a folded text, without numbers."""
    return [token for token in tokenize(folded) if token.text != "<order>" and not any(map(str.isdigit, token.text))]
