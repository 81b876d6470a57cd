"""Make what the classifier ships from the training texts and lexicons: the same texts give the same bytes.

Usage: python training/train.py [--check | --validate]

--check compares with what ships instead of writing it. --validate prints the cross-validation only. Run it by ``nox -s train``, which
keeps numpy to what every processor can do, so that the last bit of a sum is the same everywhere.
"""

import argparse
import functools
import json
import pathlib
import sys

import lexicons
import numpy as np
from data import FOLDS, Data
from fit import Network, fit_network, fit_softmax, softmax
from pooling import Pooled, Question
from processes import results
from report import report
from texts import fingerprint, forget, load

import optoutkit
from optoutkit.classifier.topics import Topic
from optoutkit.classifier.verdict import NEED, SOLICITING, criticality
from optoutkit.classifier.weights import SCALE, UNIT, packed, restored

FOLDER = pathlib.Path(optoutkit.__file__).parent / "classifier"
SENTENCE = {"l2": 2e-7, "steps": 24}
AGAIN = 12  # steps with the weights that are left, so that they make up for those that were cut
WHOLE = {"l2": 6e-7, "steps": 40}
MESSAGE = {"l2": 4e-4, "steps": 400}
TOPIC = {"l2": 1e-3, "steps": 300, "units": 32}
BARE = 0.5  # how much a sentence counts when it is shown without its words, so that what its concepts say is learnt, too
MADE = 0.15  # how much a message that was put together counts
PLAIN = 2.0  # how much more a message counts that is as ordinary shops send them: most of the others were written to be hard
TELLING = 5.8  # weights are none whose size, times the root of how often their feature is met, is below
NEEDS, PLEAS, TOPICS = 1.0, 0.4, 0.3  # how much it counts what the sentences of a message tell of it, beside what they do themselves
FALSE_CRITICAL = 0.01  # the share of messages called critical by mistake at which the threshold is set, those written to be mistaken aside


def telling(coefficients: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Weights of features (rows), but none where one tells next to nothing."""
    return np.where(np.abs(coefficients) * np.sqrt(counts)[:, None] < TELLING, 0, coefficients)


def stored(coefficients: np.ndarray) -> np.ndarray:
    """Weights as they are stored, one byte each."""
    return (np.sign(coefficients) * np.minimum(np.round(np.sqrt(np.abs(coefficients)) / SCALE), 127)).astype(int)


RESTORED = np.array([UNIT * restored(weight) for weight in range(-127, 128)])


def as_used(coefficients: np.ndarray) -> np.ndarray:
    """Weights as they are when they have been stored and restored."""
    return RESTORED[stored(coefficients) + 127]


def counting(data: Data) -> np.ndarray:
    """How much each message counts."""
    return np.where(data.written, 1.0, MADE) * np.where(data.plain, PLAIN, 1.0)


def of_sentences(data: Data, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit the sentences of the chosen messages: coefficients and intercepts."""
    sentences = chosen[data.owner]
    shares = counting(data)[data.owner[sentences]]
    rows = data.x[sentences].above(data.bare[sentences])
    labels, shares = np.tile(data.y[sentences], 2), np.concatenate([shares, BARE * shares])
    penalty = SENTENCE["l2"] / np.square(data.worth)
    fit = functools.partial(fit_softmax, rows, labels, len(data.labels), l2=penalty, shares=shares, besides=of_their_messages(data, chosen))
    coefficients, intercepts = fit(steps=SENTENCE["steps"])
    return fit(steps=AGAIN, within=(telling(coefficients, data.counts), intercepts))


def of_their_messages(data: Data, chosen: np.ndarray) -> Pooled:
    """What the sentences of the chosen messages tell of these: whether there is a need, or a plea, and what the topic is."""
    sentences = chosen[data.owner]
    _, owner = np.unique(data.owner[sentences], return_inverse=True)
    names = np.array(data.labels)
    of_topics = [NEED + topic if Topic(topic).critical else topic for topic in data.topics]
    questions = [Question(names[:, None] == of_topics, data.topic[chosen] + 1, TOPICS)]
    for wanted, weight in ((np.char.startswith(names, NEED), NEEDS), (np.isin(names, list(SOLICITING)), PLEAS)):
        has = np.bincount(owner, weights=wanted[data.y[sentences]]) > 0
        questions.append(Question(wanted[:, None], has.astype(int), weight))
    return Pooled(owner, questions, counting(data)[chosen])


def of_wholes(data: Data, chosen: np.ndarray) -> tuple[np.ndarray, float]:
    """Fit the chosen messages, each seen as one heap of features."""
    chosen = chosen & data.written
    coefficients, intercepts = fit_softmax(data.whole[chosen], data.critical[chosen].astype(int), 2, **WHOLE)
    return telling(coefficients[:, 1:] - coefficients[:, :1], data.counts), float(intercepts[1] - intercepts[0])


def held_out(data: Data, fold: int) -> tuple[np.ndarray, np.ndarray]:
    """Of one fold the probabilities of its sentences and of its messages as heaps, by a model that has not seen its sellers."""
    held = data.fold == fold
    coefficients, intercepts = of_sentences(data, ~held)
    sentences = softmax(data.x[held[data.owner]] @ as_used(coefficients) + intercepts)
    weights, intercept = of_wholes(data, ~held)
    return sentences, 1 / (1 + np.exp(-(data.whole[held] @ as_used(weights)[:, 0] + intercept)))


def of_messages(data: Data, values: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, Network]:
    """Fit the chosen messages: the weights of a critical one, the intercept last, and the network of topics.

    Both are fitted on inputs of unit spread, and are given for the inputs as they are.
    """
    values, shares = values[chosen], counting(data)[chosen]
    mean, spread = values.mean(axis=0), values.std(axis=0) + 0.02
    inputs = (values - mean) / spread
    coefficients, intercepts = fit_softmax(inputs, data.critical[chosen].astype(int), 2, shares=shares, **MESSAGE)
    line = np.append(coefficients[:, 1] - coefficients[:, 0], intercepts[1] - intercepts[0])[:, None]
    network = fit_network(inputs, data.topic[chosen], len(data.topics), shares=shares, **TOPIC)
    for weights in (line, network.hidden):
        weights[:-1] /= spread[:, None]
        weights[-1] -= mean @ weights[:-1]
    return line[:, 0], network


def messages_held_out(data: Data, values: np.ndarray, fitted: list[tuple[np.ndarray, Network]]) -> tuple[np.ndarray, np.ndarray]:
    """For each message the probability that it is critical, and that of each topic, by the models that have not seen its seller."""
    scores = np.zeros(len(data.texts))
    topics = np.zeros((len(data.texts), len(data.topics)))
    for fold, (line, network) in enumerate(fitted):
        held = data.fold == fold
        scores[held] = values[held] @ line[:-1] + line[-1]
        topics[held] = network.probabilities(values[held])
    of_topics = topics[:, [Topic(topic).critical for topic in data.topics]].sum(axis=1)
    return np.array(list(map(criticality, scores.tolist(), of_topics.tolist()))), topics


def thresholds(data: Data, likely: np.ndarray, plea: np.ndarray) -> tuple[float, float]:
    """From which probability on a sentence solicits and a message is critical.

    Of the pairs that call no more than the wanted share of messages critical by mistake, the one that misses the fewest.
    """
    others = data.written & data.usual & ~data.critical
    best = (2.0, 0.0, 0.0)
    for solicit in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        scores = np.where(plea >= solicit, 0, likely)
        threshold = float(np.ceil(np.quantile(scores[others], 1 - FALSE_CRITICAL) * 100) / 100)
        best = min(best, (float(np.mean(scores[data.written & data.critical] < threshold)), solicit, threshold))
    return best[1:]


def main() -> int:
    """Train, or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--validate", action="store_true")
    options = parser.parse_args()

    made = {f"lexicons/{language}.json": content for language, content in lexicons.compiled().items()}
    if options.check and differing(made):
        return 1
    write(made)  # the texts are read with them

    data = Data(list(load()))
    forget()
    print(f"{len(data.texts)} messages, {len(data.y)} sentences, {len(data.features)} features", file=sys.stderr)
    everything = np.ones(len(data.texts), dtype=bool)
    to_fit = [functools.partial(held_out, data, fold) for fold in range(FOLDS)]
    if not options.validate:
        to_fit += [functools.partial(of_sentences, data, everything), functools.partial(of_wholes, data, everything)]
    found = results(to_fit)
    probabilities = np.zeros((len(data.y), len(data.labels)))
    wholes = np.zeros(len(data.texts))
    for fold in range(FOLDS):
        probabilities[data.fold[data.owner] == fold], wholes[data.fold == fold] = found[fold]
    values = data.inputs(probabilities, wholes)
    learnt_from = [data.fold != fold for fold in range(FOLDS)]
    if not options.validate:
        learnt_from.append(everything)
    fitted = results([functools.partial(of_messages, data, values, chosen) for chosen in learnt_from])
    likely, topics = messages_held_out(data, values, fitted[:FOLDS])
    pleas = data.pleas(probabilities)
    solicit_threshold, threshold = thresholds(data, likely, pleas)
    print(f"sentences right: {np.mean(probabilities.argmax(axis=1) == data.y):.1%}", file=sys.stderr)
    report(data, likely, topics, pleas, threshold=threshold, solicit_threshold=solicit_threshold)
    if options.validate:
        return 0

    (coefficients, intercepts), (weights, intercept) = found[FOLDS:]
    lanes = stored(np.hstack([coefficients, weights]))
    entries = (
        (int(feature), [(lane, int(row[lane])) for lane in np.flatnonzero(row).tolist()])
        for feature, row in zip(data.features, lanes, strict=True)
    )
    line, network = fitted[FOLDS]
    about = {
        "made_from": fingerprint(),
        "labels": data.labels,
        "intercepts": np.round([*intercepts, intercept], 3).tolist(),
        "topics": data.topics,
        "critical": np.round(line, 3).tolist(),
        "units": np.round(network.hidden.T, 3).tolist(),
        "topic": np.round(network.outer.T, 3).tolist(),
        "threshold": threshold,
        "solicit_threshold": solicit_threshold,
    }
    made = {
        "weights.bin": packed((feature, pairs) for feature, pairs in entries if pairs),
        "model.json": (json.dumps(about) + "\n").encode(),
    }
    if options.check:
        return 1 if differing(made) else 0
    write(made)
    return 0


def differing(made: dict[str, bytes]) -> list[str]:
    """Which of the files are not what ships, said too."""
    names = [name for name, content in made.items() if not (FOLDER / name).is_file() or (FOLDER / name).read_bytes() != content]
    print(f"not made from these texts: {', '.join(names)}" if names else f"as they ship: {', '.join(made)}", file=sys.stderr)
    return names


def write(made: dict[str, bytes]) -> None:
    """Put the files into the package."""
    for name, content in made.items():
        if not (FOLDER / name).is_file() or (FOLDER / name).read_bytes() != content:
            (FOLDER / name).write_bytes(content)
            print(f"{name}: {len(content):,} bytes", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
