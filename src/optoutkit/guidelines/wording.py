"""What a message must not say: advertising, and requests for reviews that are not neutral."""

import re
from collections.abc import Iterator
from itertools import pairwise

from optoutkit.guidelines.sources import Found, Reading, Sentence, Source

__all__ = ["check_wording"]

# Phrases that say it all, and pairs that say it together in one sentence: the rule is broken where the first stands.
_WHOLE = {
    "incentive": "review_incentive",
    "positive_review": "positive_review_only",
    "unhappy_first": "positive_review_only",
    "change_review": "review_change",
    "repeated": "repeated_request",
    "coupon": "coupon",
    "promotion": "promotion",
    "cancel": "cancel_request",
}
_PAIRS = (
    ("reward", "review", "review_incentive"),
    ("happy", "review", "positive_review_only"),
    ("reminder", "review", "repeated_request"),
    ("code", "discount", "coupon"),
    ("next_purchase", "discount", "promotion"),
    ("next_purchase", "reward", "promotion"),
)
_BETWEEN = re.compile(r"[^,;:.!?،؟。、，；：！？]{0,25}")  # what may part a removal from its review
_MOST_BETWEEN = 3  # words
_STOPPED_BY_NEGATION = frozenset({"review_incentive", "positive_review_only", "review_change", "coupon", "promotion", "cancel_request"})
_SAID_BY_INCENTIVE = frozenset({"coupon", "promotion"})
_QUESTION = re.compile(r"[?？؟]")
_SCALE = re.compile(
    r"(?<![0-9])1\s?(?:[-–~〜～/至到]|to|and|bis|a|à|al|e|do|tot|till|til|ile|और|से|إلى|から)\s?(?:5|10)(?![0-9])", re.IGNORECASE
)
_PERCENT = re.compile(r"[0-9]\s?[%٪％]")
_LESS = re.compile(r"(?<![\w,.])[-–−]\s?[1-9][0-9]?\s?[%٪％]")
_MONEY = r"(?:[€$£¥₹₺円元]|EUR\b|kr\b|zł\b|TL\b)"
_INSTEAD = re.compile(
    rf"(?:{_MONEY}\s?[0-9][0-9.,]{{0,10}}\s|[0-9]\s?{_MONEY}\s?)"
    r"(?:statt|instead of|au lieu de|en vez de|invece di|anziché|in plaats van|em vez de|zamiast|istället för|yerine)\s",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?i:code|codes|kod|koden|kodu|código|codice|cupón|cupom|gutschein|coupon|コード|代码|कोड|الكود|كود)[\s:„“”\"]{1,4}[A-Z][A-Z0-9]{3,15}\b"
)


def check_wording(reading: Reading) -> Iterator[Found]:
    """Find the phrases, one a rule and sentence."""
    for source in reading.sources:
        for sentence in source.sentences:
            yield from _check(source, sentence)
    reminders = [phrase for sentence in reading.subject.sentences for phrase in sentence.find("reminder")]
    subject_asks = any("review" in sentence.labels for sentence in reading.subject.sentences)
    if reminders and not subject_asks and any("review" in sentence.labels for sentence in reading.main.sentences):
        sentence = next(sentence for sentence in reading.subject.sentences if "reminder" in sentence.labels)
        yield Found.words("repeated_request", reading.subject, *sentence.place(reminders[0]))


def _check(source: Source, sentence: Sentence) -> Iterator[Found]:
    broken = _by_phrases(sentence)
    for rule, place in _by_figures(sentence):
        broken.setdefault(rule, place)
    for rule, (start, end) in broken.items():
        taken_back = "negation" in sentence.labels and rule in _STOPPED_BY_NEGATION
        if not taken_back and not (rule in _SAID_BY_INCENTIVE and "review_incentive" in broken):
            yield Found.words(rule, source, start, end)


def _by_phrases(sentence: Sentence) -> dict[str, tuple[int, int]]:
    """Rules that words break, and where."""
    labels = sentence.labels
    thanks_alone = "thanks" in labels and not labels & {"ask", "happy"}  # for a review that is there
    if thanks_alone or "neutral" in labels or _SCALE.search(sentence.text):
        labels -= {"positive_review"}
    broken: dict[str, str] = {}
    for label, rule in _WHOLE.items():
        if label in labels:
            broken.setdefault(rule, label)
    for first, second, rule in _PAIRS:
        if first in labels and second in labels:
            broken.setdefault(rule, first)
    if {"removal", "review"} <= labels and _removes_review(sentence):
        broken.setdefault("review_change", "removal")
    return {rule: sentence.place(next(sentence.find(label))) for rule, label in broken.items()}


def _removes_review(sentence: Sentence) -> bool:
    """Whether a word for removing stands close to a review, with no end of a clause between."""
    text = sentence.folded.text
    for one, other in pairwise(sentence.find("removal", "review")):
        between = _BETWEEN.fullmatch(text, one.end, max(one.end, other.start))
        # "review the text to remove it" is another thing than "remove that bad old review"
        most = _MOST_BETWEEN if one.label == "removal" else 1
        if one.label != other.label and between and len(between[0].split()) <= most:
            return True
    return False


def _by_figures(sentence: Sentence) -> Iterator[tuple[str, tuple[int, int]]]:
    """Advertising by prices and percentages, unless it may be a choice, or make good for damage."""
    if sentence.labels & {"needed", "ask"} or _QUESTION.search(sentence.text):
        return
    percent = _PERCENT.search(sentence.text)
    if percent and (code := _CODE.search(sentence.text)):
        yield "coupon", _inside(sentence, code)
    for label in ("discount",) * bool(percent) + ("offer",):
        if label in sentence.labels:
            yield "promotion", sentence.place(next(sentence.find(label)))
    figures = _LESS.search(sentence.text) or _INSTEAD.search(sentence.text)
    if figures:
        yield "promotion", _inside(sentence, figures)


def _inside(sentence: Sentence, found: re.Match[str]) -> tuple[int, int]:
    return sentence.start + found.start(), sentence.start + found.end()
