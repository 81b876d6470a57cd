"""The figures and the plot of scaling.md, from store-figures.json: ``python docs/store_figures.py`` writes them anew.

The JSON is what ``python -m benchmarks stores --format json`` prints.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
PAGE, FIGURES, PLOT = DOCS / "scaling.md", DOCS / "store-figures.json", DOCS / "scaling.svg"

SHARES = [  # subject, how the task begins, how the peer begins, what it is called, percent of the peer's speed that are the goal
    ("lookups", "look up 1 among 1,000,000", "prepared", "SQLite: look up 1 among 1,000,000", 50),
    ("lookups", "look up 1,000 ", "1,000 times", "SQLite: look up 1,000 among 1,000,000", 60),
    ("recording", "record 10,000", "executemany", "SQLite: record 10,000, durably", 60),
    ("redis", "look up 1 among", "redis-py", "Valkey: look up 1 among 100,000", 80),
    ("redis", "look up 1,000 ", "1,000 in a pipeline", "Valkey: look up 1,000 among 100,000", 50),
    ("postgresql", "PostgreSQL: look up 1 among", "psycopg: SELECT by", "PostgreSQL: look up 1 among 100,000", 75),
    ("postgresql", "PostgreSQL: look up 1,000 ", "psycopg", "PostgreSQL: look up 1,000 among 100,000", 60),
    ("postgresql", "PostgreSQL: record 10,000", "psycopg", "PostgreSQL: record 10,000", 60),
]
SIZES = [
    ("recording", "an entry in the file", "SQLite, with a date and a Message-ID as its source", 120),
    ("growth", "an entry in the file, of 10,000,000", "SQLite, with a date", None),
    ("recording", "a digest without a source", "SQLite behind a HashedStore, with a date", 60),
    ("redis", "an entry in memory", "Valkey, with a date, in memory", None),
    ("postgresql", "PostgreSQL: an entry", "PostgreSQL, with a date and a Message-ID", None),
]
PACES = [  # and how many entries a call takes
    ("lookups", "look up 1 among 1,000,000", "prepared", "look up one by one in SQLite, of 1,000,000", 1),
    ("growth", "look up 1 among 10,000,000", "", "look up one by one in SQLite, of 10,000,000", 1),
    ("redis", "look up 1 among", "", "look up one by one in Valkey", 1),
    ("redis", "look up 1,000 ", "", "look up 1,000 at a time in Valkey", 1000),
    ("postgresql", "PostgreSQL: look up 1 among", "", "look up one by one in PostgreSQL", 1),
    ("postgresql", "PostgreSQL: look up 1,000 ", "", "look up 1,000 at a time in PostgreSQL", 1000),
    ("recording", "record 10,000", "", "record in SQLite, in the order of the keys", 10_000),
    ("growth", "record 10,000 in no order among 10", "", "record in SQLite, in no order, among 10,000,000", 10_000),
    ("postgresql", "PostgreSQL: record 10,000", "", "record in PostgreSQL, in the order of the keys", 10_000),
]
PLOTTED = ("10,000", "100,000", "1,000,000", "10,000,000")


class Figures:
    """What was measured."""

    def __init__(self, path: Path = FIGURES) -> None:
        self.results: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["results"]

    def find(self, subject: str, task: str, peer: str = "") -> dict[str, Any]:
        """The one result that is meant."""
        return next(
            result
            for result in self.results
            if result["subject"] == subject and result["task"].startswith(task) and result["peer"].startswith(peer)
        )


def parts(figures: Figures) -> dict[str, str]:
    """The parts of the page that are made, by the names of their marks."""
    return {name: "\n".join(rows(figures)) for name, rows in (("speed", _speed), ("sizes", _sizes), ("pace", _pace))}


def _speed(figures: Figures) -> Iterator[str]:
    yield "| work | time | the bare client's | its speed as a share of that | goal | |"
    yield "|---|---|---|---|---|---|"
    for subject, task, peer, called, goal in SHARES:
        result = figures.find(subject, task, peer)
        share = 100 / result["ratio"]
        cells = (called, _time(result["value"]), _time(result["peer_value"]), f"{share:.0f} %", f"≥ {goal} %", _verdict(share >= goal))
        yield f"| {' | '.join(cells)} |"
    hit = figures.find("lookups", "look up 1 that the cache knows")
    cells = (
        "`CachedStore`: look up 1 that it knows",
        _time(hit["value"]),
        _time(hit["peer_value"]),
        f"{100 / hit['ratio']:.0f} %",
        "≤ 3 µs",
    )
    yield f"| {' | '.join(cells)} | {_verdict(hit['value'] <= 3e-6)} |"
    growth = figures.find("growth", "look up 1 among 10,000,000")
    cells = "SQLite: look up 1 among 10,000,000, beside 10,000", _time(growth["value"]), _time(growth["peer_value"])
    yield f"| {' | '.join(cells)} | {growth['ratio']:.1f} times as long | ≤ 2 times | {_verdict(growth['ratio'] <= 2)} |"


def _sizes(figures: Figures) -> Iterator[str]:
    yield "| an entry in | bytes | goal | a billion of them |"
    yield "|---|---|---|---|"
    for subject, task, called, goal in SIZES:
        size = figures.find(subject, task)["value"]
        wanted = "" if goal is None else f"≤ {goal}, {_verdict(size <= goal)}"
        yield f"| {called} | {size:.0f} | {wanted} | {size:.0f} GB |"


def _pace(figures: Figures) -> Iterator[str]:
    yield "| one client, one core | a second | a billion take |"
    yield "|---|---|---|"
    for subject, task, peer, called, number in PACES:
        seconds = figures.find(subject, task, peer)["value"] / number
        yield f"| {called} | {round(1 / seconds, -2):,.0f} | {seconds * 1e9 / 3600:.1f} hours |"


def _time(seconds: float) -> str:
    size, unit = next(((size, unit) for size, unit in ((1, "s"), (1e-3, "ms")) if seconds >= size), (1e-6, "µs"))
    return f"{seconds / size:.3g} {unit}"


def _verdict(is_reached: bool) -> str:
    return "reached" if is_reached else "**missed**"


def filled(page: str, figures: Figures) -> str:
    """The page with its parts made anew."""
    for name, made in parts(figures).items():
        before, begin, rest = page.partition(f"<!-- {name} -->\n")
        after = rest.partition("<!-- end -->")[2]
        page = f"{before}{begin}{made}\n<!-- end -->{after}"
    return page


def plot(figures: Figures, path: Path = PLOT) -> None:
    """Draw how long a lookup takes as the list grows."""
    import matplotlib as mpl  # noqa: PLC0415 - who only reads the figures does without

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "optoutkit", "svg.fonttype": "path", "font.size": 10}
    from matplotlib import pyplot as plt  # noqa: PLC0415

    ratios = [1.0, *(figures.find("growth", f"look up 1 among {size}")["ratio"] for size in PLOTTED[1:])]
    chart, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
    axes.plot(range(len(ratios)), ratios, marker="o", color="#1f6fb2")
    axes.axhline(2, color="#888888", linestyle="--", linewidth=1)
    axes.text(0, 2.04, "goal: at most 2", color="#555555")
    for number, ratio in enumerate(ratios):
        axes.annotate(f"{ratio:.2f}", (number, ratio), textcoords="offset points", xytext=(0, 7), ha="center")
    axes.set_xticks(range(len(ratios)), PLOTTED)
    axes.set_ylim(0, max(3.0, *ratios) * 1.15)
    axes.set_xlabel("entries in one SQLite file")
    axes.set_ylabel("time of a lookup, 10,000 = 1")
    axes.spines[["top", "right"]].set_visible(False)
    chart.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), Figures()), encoding="utf-8")
    plot(Figures())
