"""Measure, and print a table or JSON."""

import argparse
import importlib
import json
import platform
from collections.abc import Iterator

from benchmarks.timing import Result, pin

_SUBJECTS = ("classifying", "parsing", "lookups", "recording", "guarding", "importing", "postgresql", "redis")
_WHEN_NAMED = ("hostile",)  # takes half an hour


def main() -> None:
    """Run the benchmarks that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"one or more of {', '.join(_SUBJECTS)}, the default; hostile")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.subjects) - {*_SUBJECTS, *_WHEN_NAMED}):
        parser.error(f"there is no subject {unknown[0]}; there is: {', '.join(_SUBJECTS + _WHEN_NAMED)}")
    core = pin()
    results = _measured(arguments.subjects or _SUBJECTS)
    if arguments.format == "json":
        print(json.dumps({"python": platform.python_version(), "core": core, "results": [_record(*pair) for pair in results]}, indent=1))
        return
    where = "unpinned" if core is None else f"pinned to core {core}"
    print(f"Python {platform.python_version()}, {where}; median of 5, better of 2 rounds\n")
    print(f"{'':>8}  {'task':>10}  {'peer':>10}")
    for _, result in results:
        values = "  ".join(_shown(result, value) for value in (result.value, result.peer_value))
        print(f"{result.ratio:>7.2f}x  {values}  {result.task}  /  {result.peer}", flush=True)


def _measured(subjects: list[str] | tuple[str, ...]) -> Iterator[tuple[str, Result]]:
    for subject in subjects:
        for result in importlib.import_module(f"benchmarks.{subject}").measure():
            yield subject, result


def _record(subject: str, result: Result) -> dict[str, object]:
    return {
        "subject": subject,
        "task": result.task,
        "peer": result.peer,
        "unit": result.unit,
        "value": result.value,
        "peer_value": result.peer_value,
        "ratio": round(result.ratio, 3),
    }


def _shown(result: Result, value: float) -> str:
    if result.unit == "bytes":
        return f"{value:>8.0f} B"
    size, unit = next(((size, unit) for size, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")) if value >= size), (1e-9, "ns"))
    return f"{value / size:>7.1f} {unit:>2}"


if __name__ == "__main__":
    main()
