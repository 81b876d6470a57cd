"""What a message must not say: advertising, and requests for reviews that are not neutral."""

import re
from collections.abc import Iterator

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
_QUESTION = re.compile(r"[?？؟]")  # a discount for damage is offered as a choice
_PERCENT = re.compile(r"[0-9]\s?[%٪％]")
_STOPPED_BY_NEGATION = frozenset({"review_incentive", "positive_review_only", "review_change", "coupon", "promotion", "cancel_request"})
_SAID_BY_INCENTIVE = frozenset({"coupon", "promotion"})


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
    labels = sentence.labels
    broken: dict[str, str] = {}
    for label, rule in _WHOLE.items():
        if label in labels:
            broken.setdefault(rule, label)
    for first, second, rule in _PAIRS:
        if first in labels and second in labels:
            broken.setdefault(rule, first)
    if "discount" in labels and not labels & {"needed", "ask"} and _PERCENT.search(sentence.text) and not _QUESTION.search(sentence.text):
        broken.setdefault("promotion", "discount")
    for rule, label in broken.items():
        if ("negation" in labels and rule in _STOPPED_BY_NEGATION) or (rule in _SAID_BY_INCENTIVE and "review_incentive" in broken):
            continue
        yield Found.words(rule, source, *sentence.place(next(sentence.find(label))))
