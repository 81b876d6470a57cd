"""From a message to the verdict: critical or not, about what, how sure, and why."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from email.message import Message as StandardMessage

import attrs

from optoutkit.classifier.evidence import Judged, evidence
from optoutkit.classifier.model import Model, load_model
from optoutkit.classifier.reading import Reading, read
from optoutkit.classifier.results import Classification
from optoutkit.classifier.topics import Topic
from optoutkit.classifier.verdict import NEED, SOLICITING, inputs
from optoutkit.messages import Message
from optoutkit.text.phrases import Phrases
from optoutkit.text.tokens import tokenize

__all__ = ["Classifier", "classify"]

_OWN_PHRASE = 0.99
"""How probable an own phrase for a critical topic makes it that a message is critical."""

_SURE_NEED = 0.5
"""From which probability on a sentence counts as asking for what the order needs, where the message also solicits."""

_STAND_IN = NEED + Topic.ORDER_PROBLEM_NEEDS_BUYER
"""What an own critical topic counts as where the verdict is made."""


class Classifier:
    """Decides from its text whether a message is critical to an order. One instance serves any number of threads.

    Args:
        threshold: From which probability (0 to 1) on a message is called critical; by default the one that the cross-validation
            chose. A higher one calls fewer messages critical.
        phrases: Own phrases for a topic: a sentence that holds one does what the topic says. For a critical topic it asks for
            what the order needs. A trailing ``*`` stands for any ending.
        topics: Own topics, and whether they are critical; also one of :class:`Topic` that is to be taken otherwise.

    Raises:
        ValueError: The threshold is not between 0 and 1, or a phrase is for a topic that nobody knows.

    Example:
        >>> classifier = Classifier(topics={"gift_wrap": True}, phrases={"gift_wrap": ["which ribbon"]})
        >>> classifier.classify("Which ribbon would you like?").topic
        'gift_wrap'
    """

    def __init__(
        self,
        *,
        threshold: float | None = None,
        phrases: Mapping[str, Iterable[str]] | None = None,
        topics: Mapping[str, bool] | None = None,
    ) -> None:
        if threshold is not None and not 0 <= threshold <= 1:
            raise ValueError(f"the threshold is a probability, between 0 and 1: {threshold}")
        self._threshold = threshold
        self._own_topics = {topic: bool(critical) for topic, critical in (topics or {}).items()}
        if wrong := sorted(topic for topic, texts in (phrases or {}).items() if isinstance(texts, str)):
            raise ValueError(f"phrases are a list of texts, not one text: {', '.join(wrong)}")
        known = {*Topic, *self._own_topics}
        if unknown := sorted(set(phrases or {}) - known):
            raise ValueError(f"phrases for a topic that is not known: {', '.join(unknown)}; name it in topics, with whether it is critical")
        self._own_phrases = Phrases(phrases) if phrases else None

    def classify(self, message: Message | StandardMessage | bytes | str, *, language: str | None = None) -> Classification:
        """Classify one message. The time is linear in its length.

        Args:
            message: A Message; a raw mail (bytes or a message object of the standard library); or a text, which is then a body.
            language: The language that is expected (ISO 639-1), such as the order's; the message's own goes before it.

        Raises:
            InvalidMessage: The bytes are no mail.
            MessageTooLarge: The mail is beyond the limits.
        """
        message = _as_message(message)
        model = load_model()
        expected = (message.language or language or "")[:2].lower() or None  # "de-AT" is German
        reading = read(message, expected)
        if not reading.sentences:
            return self._declared(message, _nothing(reading.language or expected))
        totals, shared = model.totals(reading.sentences)
        judged = self._judged(model, reading, totals, shared)
        rows = [one.probabilities for one in judged]
        needs, pleas = model.needs(rows), model.pleas(rows)
        likely, topics = model.message(inputs(rows, needs, pleas, model.whole(totals)))
        if any(one.own is not None and self._is_critical(one.own.label) for one in judged):
            likely = max(likely, _OWN_PHRASE)
        solicitation = max(pleas)
        solicits = solicitation >= model.solicit_threshold
        threshold = model.threshold if self._threshold is None else self._threshold
        critical = likely >= threshold and not solicits
        mixed = solicits and max(needs) >= _SURE_NEED
        topic = self._topic(model, topics, judged, critical=critical, mixed=mixed)
        confidence = likely if critical else max(1 - likely, solicitation if solicits else 0.0)
        found = Classification(
            critical=self._own_topics.get(topic, critical) and not solicits,
            solicits=solicits,
            topic=topic,
            confidence=confidence,
            language=reading.language,
            evidence=evidence(model, reading, judged, critical=critical, topic=topic),
        )
        return self._declared(message, found)

    def _judged(self, model: Model, reading: Reading, totals: list[int], shared: int) -> list[Judged]:
        rows: dict[int, list[float]] = {}  # lines that say the same are judged once
        judged = []
        for sentence, total in zip(reading.sentences, totals, strict=True):
            if self._own_phrases is not None and (found := self._own_phrases.find(list(tokenize(sentence.said.text)))):
                judged.append(Judged(sentence, self._as_told(model, found[0].label), found[0]))
                continue
            row = rows.get(total)
            if row is None:
                row = rows[total] = model.sentence(total + shared)
            judged.append(Judged(sentence, row))
        return judged

    def _is_critical(self, topic: str) -> bool:
        return self._own_topics[topic] if topic in self._own_topics else Topic(topic).critical

    def _as_told(self, model: Model, topic: str) -> list[float]:
        """The probabilities of a sentence that holds an own phrase."""
        label = NEED + topic if self._is_critical(topic) else topic
        if label not in model.labels:
            label = _STAND_IN if self._is_critical(topic) else Topic.OTHER
        return [0.99 if known == label else 0.01 / len(model.labels) for known in model.labels]

    def _topic(self, model: Model, topics: Sequence[float], judged: list[Judged], *, critical: bool, mixed: bool) -> str:
        """The likeliest topic of those that agree with the verdict; of a mixed message, what its surest solicitation is for."""
        if mixed:
            rows = [sentence.probabilities for sentence in judged]
            return max(map(Topic, SOLICITING), key=lambda topic: (max(row[model.labels.index(topic)] for row in rows), topic))
        agreeing = [one.own.label for one in judged if one.own is not None and self._is_critical(one.own.label) == critical]
        if agreeing:
            return agreeing[0] if agreeing[0] in self._own_topics else Topic(agreeing[0])
        return model.likeliest(topics, critical=critical)

    def _declared(self, message: Message, found: Classification) -> Classification:
        """Put in the caller's word: a critical topic is believed unless the text solicits, one that is not critical always."""
        topic = message.topic
        if not topic or topic not in {*Topic, *self._own_topics}:
            return found
        critical = self._is_critical(topic)
        if critical and found.solicits:
            return found
        return attrs.evolve(found, critical=critical, topic=Topic(topic) if topic not in self._own_topics else topic, confidence=1.0)


def _nothing(language: str | None) -> Classification:
    """There was no text to read."""
    return Classification(critical=False, solicits=False, topic=Topic.OTHER, confidence=0.0, language=language)


def _as_message(message: Message | StandardMessage | bytes | str) -> Message:
    if isinstance(message, Message):
        return message
    return Message("", message) if isinstance(message, str) else Message.from_email(message)


@functools.cache
def _default() -> Classifier:
    return Classifier()


def classify(message: Message | StandardMessage | bytes | str, *, language: str | None = None) -> Classification:
    """Say whether a message to a buyer is critical to the order, what it is about, and why.

    See :meth:`Classifier.classify`, of which this is the default form.

    Example:
        >>> classify("Hello Anna, the post returned your parcel. What is your full address?").topic
        <Topic.SHIPPING_ADDRESS: 'shipping_address'>
    """
    return _default().classify(message, language=language)
