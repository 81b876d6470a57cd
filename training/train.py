"""Make the classifier's weights from the training texts: the same texts give the same bytes.

Usage: python training/train.py [--check | --validate]

--check compares with the weights that ship instead of writing them. --validate prints the cross-validation only.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import scipy.sparse as sp
from fit import fit_softmax, softmax
from texts import Text, load

import optoutkit.classifier
from optoutkit.classifier.model import SOLICITING, features_of, inputs, packed
from optoutkit.classifier.topics import Topic

FOLDER = pathlib.Path(optoutkit.classifier.__file__).parent
FOLDS = 5
SENTENCE = {"l2": 5e-7, "steps": 110}
WHOLE = {"l2": 2e-6, "steps": 80}
MESSAGE = {"l2": 4e-4, "steps": 400}
SCALE = 0.08  # a weight is kept as the root of its size in these units, so that a byte holds large ones and tells small ones apart
SMALLEST = 0.1  # weights below are none
LEAST = 2  # a feature that is in fewer sentences is left out
FALSE_CRITICAL = 0.02  # the share of messages that are not critical at which the threshold is set, by cross-validation


class Data:
    """The texts as numbers."""

    def __init__(self, texts: list[Text]) -> None:
        self.texts = texts
        self.labels = sorted({label for text in texts for label in text.labels})
        self.topics = [topic.value for topic in Topic]
        self.rows = [sorted(features_of(text.reading.sentences, index)) for text in texts for index in range(len(text.labels))]
        features, counts = np.unique(np.concatenate([np.array(row, dtype=np.uint32) for row in self.rows]), return_counts=True)
        self.features = features[counts >= LEAST]
        self.columns = {int(feature): column for column, feature in enumerate(self.features)}
        self.x = self.matrix(self.rows)
        self.y = np.array([self.labels.index(label) for text in texts for label in text.labels])
        self.owner = np.repeat(np.arange(len(texts)), [len(text.labels) for text in texts])
        self.critical = np.array([Topic(text.topic).critical for text in texts])
        self.topic = np.array([self.topics.index(text.topic) for text in texts])
        # A batch, one seller's voice, is never on both sides; batches of a language go round the folds in turn.
        batches = sorted({text.batch for text in texts})
        fold = {batch: number % FOLDS for number, batch in enumerate(batches)}
        self.fold = np.array([fold[text.batch] for text in texts])

        heaps: list[set[int]] = [set() for _ in texts]
        for owner, row in zip(self.owner, self.rows, strict=True):
            heaps[owner].update(row)
        self.whole = self.matrix([sorted(heap) for heap in heaps])

    def matrix(self, rows: list[list[int]]) -> sp.csr_matrix:
        """One line for each list of features, all of the same length however many there are."""
        indices, starts, values = [], [0], []
        for row in rows:
            known = [self.columns[feature] for feature in row if feature in self.columns]
            indices += known
            values += [len(row) ** -0.5] * len(known)
            starts.append(len(indices))
        return sp.csr_matrix((values, indices, starts), shape=(len(rows), len(self.features)))

    def inputs(self, probabilities: np.ndarray, whole: np.ndarray) -> np.ndarray:
        """Of each message, from the probabilities of its sentences and of the whole."""
        rows = np.split(probabilities, np.flatnonzero(np.diff(self.owner)) + 1)
        return np.array([inputs(self.labels, row.tolist(), float(heap)) for row, heap in zip(rows, whole, strict=True)])


def rounded(coefficients: np.ndarray) -> np.ndarray:
    """Weights as they are stored, one byte each; the very small ones are none."""
    roots = np.minimum(np.round(np.sqrt(np.abs(coefficients)) / SCALE), 127)
    return np.where(np.abs(coefficients) < SMALLEST, 0, np.sign(coefficients) * roots)


def restored(stored: np.ndarray) -> np.ndarray:
    """Stored weights as they are used."""
    return np.sign(stored) * np.square(stored * SCALE)


def sentences_out_of_fold(data: Data) -> np.ndarray:
    """Probabilities of each sentence by a model that has not seen its seller."""
    probabilities = np.zeros((len(data.y), len(data.labels)))
    for fold in range(FOLDS):
        held = data.fold[data.owner] == fold
        coefficients, intercepts = fit_softmax(data.x[~held], data.y[~held], len(data.labels), **SENTENCE)
        probabilities[held] = softmax(data.x[held] @ restored(rounded(coefficients)) + intercepts)
        print(f"fold {fold}: {np.mean(probabilities[held].argmax(axis=1) == data.y[held]):.1%} of {held.sum()} sentences", file=sys.stderr)
    return probabilities


def whole_weights(data: Data, chosen: np.ndarray) -> tuple[np.ndarray, float]:
    """Fit the chosen messages, each seen as one heap of features."""
    coefficients, intercepts = fit_softmax(data.whole[chosen], data.critical[chosen].astype(int), 2, **WHOLE)
    return coefficients[:, 1] - coefficients[:, 0], float(intercepts[1] - intercepts[0])


def wholes_out_of_fold(data: Data) -> np.ndarray:
    """The probability of each message to be critical, seen as one heap by a model that has not seen its seller."""
    found = np.zeros(len(data.texts))
    for fold in range(FOLDS):
        held = data.fold == fold
        weights, intercept = whole_weights(data, ~held)
        found[held] = 1 / (1 + np.exp(-(data.whole[held] @ restored(rounded(weights)) + intercept)))
    return found


def standardised(values: np.ndarray, y: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Fit on inputs of unit spread, and give the weights for the inputs as they are."""
    mean, spread = values.mean(axis=0), values.std(axis=0) + 0.02
    coefficients, intercepts = fit_softmax((values - mean) / spread, y, classes, **MESSAGE)
    coefficients = coefficients / spread[:, None]
    return coefficients, intercepts - mean @ coefficients


def messages_out_of_fold(data: Data, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each message the probability that it is critical, and its topic, by models that have not seen its seller."""
    critical = np.zeros(len(data.texts))
    topics = np.zeros((len(data.texts), len(data.topics)))
    for fold in range(FOLDS):
        held = data.fold == fold
        coefficients, intercepts = standardised(values[~held], data.critical[~held].astype(int), 2)
        critical[held] = softmax(values[held] @ coefficients + intercepts)[:, 1]
        coefficients, intercepts = standardised(values[~held], data.topic[~held], len(data.topics))
        topics[held] = softmax(values[held] @ coefficients + intercepts)
    return critical, topics


def thresholds(data: Data, likely: np.ndarray, plea: np.ndarray) -> tuple[float, float]:
    """From which probability on a sentence solicits and a message is critical.

    Of the pairs that call no more than the wanted share of messages critical by mistake, the one that misses the fewest.
    """
    best = (2.0, 0.0, 0.0)
    for solicit in (0.5, 0.6, 0.7, 0.8, 0.9):
        scores = np.where(plea >= solicit, 0, likely)
        threshold = float(np.ceil(np.quantile(scores[~data.critical], 1 - FALSE_CRITICAL) * 100) / 100)
        missed = float(np.mean(scores[data.critical] < threshold))
        print(f"solicit {solicit}: threshold {threshold:.2f}, missed {missed:.1%}", file=sys.stderr)
        best = min(best, (missed, solicit, threshold))
    return best[1:]


def report(data: Data, likely: np.ndarray, topics: np.ndarray, plea: np.ndarray, chosen: tuple[float, float]) -> None:
    """Print what cross-validation says of each language and topic."""
    solicit_threshold, threshold = chosen
    solicits = plea >= solicit_threshold
    verdict = (likely >= threshold) & ~solicits
    crit = np.array([Topic(topic).critical for topic in data.topics])
    fitting = np.where(crit[None, :] == verdict[:, None], topics, -1).argmax(axis=1)
    language = np.array([text.language for text in data.texts])
    guessed = np.array([text.reading.language or "" for text in data.texts])

    def line(name: str, chosen: np.ndarray) -> None:
        other, critical = chosen & ~data.critical, chosen & data.critical
        print(
            f"{name:28} {chosen.sum():6d} {verdict[other].sum() / max(1, other.sum()):14.1%}"
            f" {(~verdict[critical]).sum() / max(1, critical.sum()):8.1%}"
            f" {np.mean(fitting[chosen] == data.topic[chosen]):7.1%} {np.mean(guessed[chosen] == language[chosen]):9.1%}"
        )

    print(f"{'':28} {'n':>6} {'false critical':>14} {'missed':>8} {'topic':>7} {'language':>9}")
    for name in sorted(set(language)):
        line(name, language == name)
    for number, name in enumerate(data.topics):
        line(name, data.topic == number)
    for tag in ("hard", "mixed"):
        line(tag, np.array([tag in text.tags for text in data.texts]))
    line("all", np.ones(len(data.texts), dtype=bool))
    print("\nconfidence that critical is right, against how often it was")
    confidence = np.where(verdict, likely, np.where(solicits, np.maximum(1 - likely, plea), 1 - likely))
    right = verdict == data.critical
    for low, high in ((0, 0.5), (0.5, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.95), (0.95, 0.99), (0.99, 1.01)):
        inside = (confidence >= low) & (confidence < high)
        if inside.any():
            print(f"{low:.2f} to {min(high, 1):.2f} {inside.sum():6d} {confidence[inside].mean():7.1%} {right[inside].mean():7.1%}")


def main() -> int:
    """Train, or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--validate", action="store_true")
    options = parser.parse_args()

    data = Data(list(load()))
    print(f"{len(data.texts)} messages, {len(data.y)} sentences, {len(data.features)} features", file=sys.stderr)
    probabilities = sentences_out_of_fold(data)
    values = data.inputs(probabilities, wholes_out_of_fold(data))
    likely, topics = messages_out_of_fold(data, values)
    soliciting = [data.labels.index(label) for label in sorted(SOLICITING)]
    plea = np.zeros(len(data.texts))
    np.maximum.at(plea, data.owner, probabilities[:, soliciting].sum(axis=1))
    solicit_threshold, threshold = thresholds(data, likely, plea)
    report(data, likely, topics, plea, (solicit_threshold, threshold))
    if options.validate:
        return 0

    coefficients, intercepts = fit_softmax(data.x, data.y, len(data.labels), **SENTENCE)
    of_wholes, whole_intercept = whole_weights(data, np.ones(len(data.texts), dtype=bool))
    stored = rounded(np.column_stack([coefficients, of_wholes])).astype(int)
    entries = [
        (int(feature), [(label, int(row[label])) for label in np.flatnonzero(row).tolist()])
        for feature, row in zip(data.features, stored, strict=True)
    ]
    weights = packed((feature, pairs) for feature, pairs in entries if pairs)
    critical_weights, critical_intercepts = standardised(values, data.critical.astype(int), 2)
    topic_weights, topic_intercepts = standardised(values, data.topic, len(data.topics))
    about = {
        "labels": data.labels,
        "intercepts": np.round(intercepts, 3).tolist(),
        "whole_intercept": round(whole_intercept, 3),
        "scale": SCALE,
        "topics": data.topics,
        "critical": np.round(
            np.append(critical_weights[:, 1] - critical_weights[:, 0], critical_intercepts[1] - critical_intercepts[0]), 3
        ).tolist(),
        "topic": np.round(np.vstack([topic_weights, topic_intercepts]).T, 3).tolist(),
        "threshold": threshold,
        "solicit_threshold": solicit_threshold,
    }
    made = {"weights.bin": weights, "model.json": (json.dumps(about, indent=None) + "\n").encode()}
    differing = [name for name, content in made.items() if not (FOLDER / name).is_file() or (FOLDER / name).read_bytes() != content]
    if options.check:
        print(
            "the shipped weights are those of the texts" if not differing else f"not made from these texts: {', '.join(differing)}",
            file=sys.stderr,
        )
        return 1 if differing else 0
    for name, content in made.items():
        (FOLDER / name).write_bytes(content)
        print(f"{name}: {len(content):,} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
