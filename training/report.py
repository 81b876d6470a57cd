"""What cross-validation says of the classifier, as a table."""

import itertools

import numpy as np
from data import Data

from optoutkit.classifier.topics import Topic

__all__ = ["report"]

MANY = 10  # sentences
STEPS = (0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.01)


def report(data: Data, likely: np.ndarray, topics: np.ndarray, pleas: np.ndarray, *, threshold: float, solicit_threshold: float) -> None:
    """Print it by language, topic and tag, and how far confidence can be trusted.

    Args:
        data: The messages.
        likely: For each the probability that it is critical.
        topics: For each the probability of each topic.
        pleas: For each how surely it solicits.
        threshold: From which probability on a message is called critical.
        solicit_threshold: From which probability on it is said to solicit.
    """
    solicits = pleas >= solicit_threshold
    verdict = (likely >= threshold) & ~solicits
    criticals = np.array([Topic(topic).critical for topic in data.topics])
    fitting = np.where(criticals[None, :] == verdict[:, None], topics, -1).argmax(axis=1)
    language = np.array([text.language for text in data.texts])
    guessed = np.array([text.guessed or "" for text in data.texts])
    groups = {name: language == name for name in sorted(set(language))}
    groups |= {name: data.topic == number for number, name in enumerate(data.topics)}
    hard, sought, mixed = (np.array([tag in text.tags for text in data.texts]) for tag in ("hard", "sought", "mixed"))
    groups |= {"ten sentences or more": np.array([len(text.labels) >= MANY for text in data.texts])}
    groups |= {"written to be mistaken": hard, "on what was mistaken before": sought, "all others": data.usual}
    groups |= {"as ordinary shops write": data.plain & data.usual}
    groups |= {"a question and a solicitation": mixed, "**all**": data.written}
    print(f"Threshold {threshold:.2f}; a sentence solicits from {solicit_threshold:.1f} on.\n")
    print("| messages | number | called critical by mistake | critical ones missed | verdict right | topic right | language right |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, group in groups.items():
        chosen = group & data.written
        other, critical = chosen & ~data.critical, chosen & data.critical
        shares = (
            verdict[other].mean() if other.any() else None,
            (~verdict[critical]).mean() if critical.any() else None,
            (verdict == data.critical)[chosen].mean(),
            (fitting == data.topic)[chosen].mean(),
            (guessed == language)[chosen].mean(),
        )
        print(f"| {name} | {chosen.sum()} |", " | ".join("–" if share is None else f"{share:.1%}" for share in shares), "|")
    print("\n| confidence | verdicts | mean confidence | right |\n|---|---:|---:|---:|")
    confidence = np.where(verdict, likely, np.where(solicits, np.maximum(1 - likely, pleas), 1 - likely))
    right = verdict == data.critical
    for low, high in itertools.pairwise(STEPS):
        inside = data.written & (confidence >= low) & (confidence < high)
        if inside.any():
            print(f"| {low:.2f} to {min(high, 1):.2f} | {inside.sum()} | {confidence[inside].mean():.1%} | {right[inside].mean():.1%} |")
