"""Classifying a message."""

import email
import json
from collections.abc import Iterator
from email.policy import compat32
from importlib.util import find_spec
from pathlib import Path

from benchmarks.samples import MESSAGE_TEXT, SELLER_MAIL
from benchmarks.timing import Result, Task, compare
from optoutkit import Message, Topic, classify

__all__ = ["measure"]

_TRAINING = Path(__file__).parent.parent / "training"
_LANGUAGES = ("en", "de", "fr")  # enough for a vocabulary as large as such a model has


def measure() -> Iterator[Result]:
    """Beside parsing the same mail, and beside a usual model on the same text."""
    message = Message("Your order 302-1234567-7654321", MESSAGE_TEXT)
    yield compare("classify a message", lambda: classify(message), "email.message_from_bytes, compat32", _parse)
    yield compare("classify a raw mail", lambda: classify(SELLER_MAIL), "email.message_from_bytes, compat32", _parse)
    if find_spec("sklearn"):
        yield compare("classify a message", lambda: classify(message), "scikit-learn: char_wb 2-5, logistic regression", _usual_model())


def _parse() -> object:
    mail = email.message_from_bytes(SELLER_MAIL, policy=compat32)
    return [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]


def _usual_model() -> Task:
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - optional
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415

    lines = [json.loads(line) for name in _LANGUAGES for line in (_TRAINING / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = ["".join(piece for _, piece in line["body"]) for line in lines]
    critical = [Topic(line["topic"]).critical for line in lines]
    model = make_pipeline(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)), LogisticRegression(max_iter=200))
    model.fit(texts, critical)
    return lambda: model.predict([MESSAGE_TEXT])
