"""Is this message critical to the buyer's order? The verdict, the topic, and the phrases that moved it."""

from optoutkit.classifier.classifier import Classifier, classify
from optoutkit.classifier.results import Classification, Evidence
from optoutkit.classifier.topics import Topic

__all__ = ["Classification", "Classifier", "Evidence", "Topic", "classify"]
