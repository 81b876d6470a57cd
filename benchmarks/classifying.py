"""Classifying a message."""

import email
import itertools
import json
from collections.abc import Callable, Iterator
from email.policy import compat32
from importlib.util import find_spec
from pathlib import Path

from benchmarks.samples import MESSAGE_TEXT, SELLER_MAIL
from benchmarks.timing import Result, compare
from optoutkit import Message, Topic, classify

__all__ = ["measure"]

_TRAINING = Path(__file__).parent.parent / "training"
_LANGUAGES = ("en", "de", "fr")  # enough for a vocabulary as large as such a model has
_LENGTHS = 700, 1000  # characters


def measure() -> Iterator[Result]:
    """Beside parsing the same mail, and beside a usual model on the same text."""
    message = Message("Your order 302-1234567-7654321", MESSAGE_TEXT)
    yield compare("classify a message", lambda: classify(message), "email.message_from_bytes, compat32", _parse)
    yield compare("classify a raw mail", lambda: classify(SELLER_MAIL), "email.message_from_bytes, compat32", _parse)
    if find_spec("sklearn"):
        texts, critical = _messages()
        usual = _usual_model(texts, critical)
        peer = "scikit-learn: char_wb 2-5, logistic regression"
        yield compare("classify a message", lambda: classify(message), peer, lambda: usual(MESSAGE_TEXT))
        long = [text for text in texts if _LENGTHS[0] <= len(text) <= _LENGTHS[1]]
        ours, theirs = itertools.cycle(Message("", text) for text in long), itertools.cycle(long)
        task = f"classify another message each time, of {len(long)}, so that no sentence is remembered"
        yield compare(task, lambda: classify(next(ours)), peer, lambda: usual(next(theirs)), calls=len(long) // 5)


def _parse() -> object:
    mail = email.message_from_bytes(SELLER_MAIL, policy=compat32)
    return [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]


def _messages() -> tuple[list[str], list[bool]]:
    """The training messages of some languages, and whether each is critical."""
    rows = [json.loads(line) for name in _LANGUAGES for line in (_TRAINING / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    return ["".join(piece for _, piece in row["body"]) for row in rows], [Topic(row["topic"]).critical for row in rows]


def _usual_model(texts: list[str], critical: list[bool]) -> Callable[[str], object]:
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - optional
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415

    model = make_pipeline(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)), LogisticRegression(max_iter=200))
    model.fit(texts, critical)
    return lambda text: model.predict([text])
