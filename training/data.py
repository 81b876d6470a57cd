"""The training messages as numbers: a row of features for each sentence, and for each message as one heap."""

import itertools

import attrs
import numpy as np
import scipy.sparse as sp
from fit import Rows, starts
from texts import Text, features_of

from optoutkit.classifier.topics import Topic
from optoutkit.classifier.verdict import NEED, SOLICITING, inputs

__all__ = ["FOLDS", "Data"]

FOLDS = 5
LEAST = 5  # a feature that is in fewer sentences, or messages, is left out
MIDDLING = 100  # in so many sentences, or messages, is a feature of usual worth
RARE = 0.25  # with which power of that number its worth falls
TOGETHER = 1.6  # how much more two words together are worth, as they stand
ANYWHERE = 0.3  # how much less a word is worth that is somewhere in the message, since it is seen of each of its sentences


class Data:
    """Messages, their sentences, and what each has to be taken for.

    Attributes:
        labels: What a sentence can do; ``y`` has its number for each sentence, ``owner`` the number of its message.
        features: The hashes of the columns of ``x`` (sentences, all of about one length), ``bare`` (the same without their words) and
            ``whole`` (messages).
        counts: In how many sentences, or messages, that somebody wrote each feature is.
        worth: Of each feature how large a weight may be at the same penalty when sentences are fitted: what is rare says more than what
            is everywhere.
        written: Of each message whether somebody wrote it; the others are put together, and measure nothing.
        plain: Of each message whether it is one as ordinary shops send them.
        usual: Of each message whether it was written without regard to what is easily mistaken; only these have a say in the threshold.
        critical: Of each message; ``topic`` likewise, by its number in ``topics``.
        fold: Of each message. A batch, one seller's voice, is in one fold; the batches of a language go round in turn.
    """

    def __init__(self, texts: list[Text]) -> None:
        if empty := [text.id for text in texts if not text.labels]:
            raise ValueError(f"nothing is read of these messages, perhaps since they are taken for a quotation: {', '.join(empty)}")
        self.labels = sorted({label for text in texts for label in text.labels})
        self.topics = [topic.value for topic in Topic]
        own = [np.array(row, dtype=np.uint32) for text in texts for row in text.rows]
        shared = [np.array(text.shared, dtype=np.uint32) for text in texts]
        self.y = np.array([self.labels.index(label) for text in texts for label in text.labels])
        self.owner = np.repeat(np.arange(len(texts)), [len(text.labels) for text in texts])
        self.critical = np.array([Topic(text.topic).critical for text in texts])
        self.topic = np.array([self.topics.index(text.topic) for text in texts])
        fold = {batch: number % FOLDS for number, batch in enumerate(sorted({text.batch for text in texts}))}
        self.written = np.array(["made" not in text.tags for text in texts])
        self.plain = np.array(["plain" in text.tags for text in texts])
        self.usual = np.array([not {"hard", "sought"} & set(text.tags) for text in texts])
        self.fold = np.array([fold[text.batch] for text in texts])

        met = [*itertools.compress(own, self.written[self.owner]), *itertools.compress(shared, self.written)]
        hashes, counts = np.unique(np.concatenate([np.unique(row) for row in met]), return_counts=True)
        self.features, self.counts = hashes[counts >= LEAST], counts[counts >= LEAST]
        self.worth = (self.counts / MIDDLING) ** -RARE
        self.worth[np.isin(self.features, features_of("pair"))] *= TOGETHER
        self.worth[np.isin(self.features, features_of("heap"))] *= ANYWHERE
        self.x = self._rows(own, shared)
        words = np.array(features_of("word", "pair", "run", "heap"), dtype=np.uint32)
        self.bare = self._rows(_without(words, own), _without(words, shared))
        heaps = sp.csr_matrix((np.ones(len(own)), (self.owner, np.arange(len(own)))), shape=(len(texts), len(own)))
        sizes = np.bincount(self.owner, weights=[len(row) for row in own])
        self.whole = (sp.diags(sizes**-0.5) @ heaps @ self.x.own).tocsr()
        self.texts = [attrs.evolve(text, rows=(), shared=()) for text in texts]  # what was seen is in the matrices now; it takes gigabytes

    def _rows(self, own: list[np.ndarray], shared: list[np.ndarray]) -> Rows:
        sizes = np.array([len(row) for row in own]) + np.array([len(row) for row in shared])[self.owner]
        return Rows(self._matrix(own), self._matrix(shared), self.owner, sizes**-0.5)

    def _matrix(self, rows: list[np.ndarray]) -> sp.csr_matrix:
        """How often each row has each feature."""
        lengths = np.array([len(row) for row in rows])
        found = np.concatenate(rows)
        columns = np.minimum(np.searchsorted(self.features, found), len(self.features) - 1)
        kept = self.features[columns] == found
        lines = np.repeat(np.arange(len(rows)), lengths)[kept]
        return sp.csr_matrix((np.ones(len(lines)), (lines, columns[kept])), shape=(len(rows), len(self.features)))

    def inputs(self, probabilities: np.ndarray, whole: np.ndarray) -> np.ndarray:
        """Of each message, from the probabilities of its sentences and of its whole."""
        needs = probabilities[:, [label.startswith(NEED) for label in self.labels]].sum(axis=1)
        pleas = probabilities[:, [label in SOLICITING for label in self.labels]].sum(axis=1)
        parts = (np.split(of_sentences, starts(self.owner)[1:]) for of_sentences in (probabilities, needs, pleas))
        rows = zip(*parts, whole.tolist(), strict=True)
        return np.array([inputs(*(part.tolist() for part in of_message), heap) for *of_message, heap in rows])

    def pleas(self, probabilities: np.ndarray) -> np.ndarray:
        """For each message the surest sentence that wants something for the seller."""
        pleas = probabilities[:, [label in SOLICITING for label in self.labels]].sum(axis=1)
        return np.maximum.reduceat(pleas, starts(self.owner))


def _without(features: np.ndarray, rows: list[np.ndarray]) -> list[np.ndarray]:
    """The rows, each without these features."""
    found = np.concatenate(rows)
    kept = ~np.isin(found, features)
    before = np.concatenate([[0], np.cumsum(kept)])
    return np.split(found[kept], before[np.cumsum([len(row) for row in rows])][:-1])
