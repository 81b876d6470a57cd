"""What the linter finds, as compilers, scripts, code scanners and GitHub want to read it."""

import json
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

import attrs

from optoutkit.cli.exit_codes import ExitCode
from optoutkit.cli.output import Output
from optoutkit.guidelines import Violation, rules

__all__ = ["Finding", "write_github", "write_json", "write_sarif", "write_text"]

_LONGEST_EXCERPT = 50
_SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_GUIDELINES = "https://sellercentral.amazon.ca/gp/help/external/G1701"


@attrs.frozen(kw_only=True)
class Finding:
    """A violation with its place as people count.

    Attributes:
        file: The file as the user named it; ``-`` for standard input.
        part: Of a mail ``subject``, ``body`` or ``html``, within which lines are counted; empty where the file is the part.
        line: From 1.
        column: From 1, in characters.
        end_line: Where it ends.
        end_column: The column behind it.
        violation: What is broken.
    """

    file: str
    part: str
    line: int
    column: int
    end_line: int
    end_column: int
    violation: Violation

    @property
    def excerpt(self) -> str:
        """What stands there, on one line and short."""
        text = " ".join(self.violation.text[: 2 * _LONGEST_EXCERPT].split())
        return text if len(text) <= _LONGEST_EXCERPT else text[: _LONGEST_EXCERPT - 1] + "…"

    @property
    def sentence(self) -> str:
        """The explanation, and what it is about."""
        return self.violation.explanation + (f" ({self.excerpt})" if self.excerpt else "")


def write_text(findings: Iterable[Finding], out: Output) -> None:
    """Write ``file:line:column: rule: explanation``; in a mail the part stands behind the file."""
    for finding in findings:
        if finding.violation.checked:
            file = f"{finding.file} ({finding.part})" if finding.part else finding.file
            place = (file, "bold"), f":{finding.line}:{finding.column}: "
            out.lines([(*place, (finding.violation.rule, "bold red"), f": {finding.sentence}")])


def write_json(findings: Iterable[Finding], out: Output) -> None:
    """Write an object a line."""
    for finding in findings:
        violation = finding.violation
        record = {
            "file": finding.file,
            "part": violation.part,
            "line": finding.line,
            "column": finding.column,
            "rule": violation.rule,
            "explanation": violation.explanation,
            "text": violation.text,
            "start": violation.start,
            "end": violation.end,
            "checked": violation.checked,
        }
        out.result(record, tuple)


def write_github(findings: Iterable[Finding], out: Output) -> None:
    """Write workflow commands, each of which GitHub shows beside its line; rules that were not checked as notices."""
    notices: dict[str, None] = {}
    for finding in findings:
        violation = finding.violation
        if not violation.checked:
            notices[f"::notice title={_property(violation.rule)}::{_data(violation.explanation)}"] = None
            continue
        place = {"file": finding.file}
        if not finding.part:
            place |= {"line": str(finding.line), "endLine": str(finding.end_line), "col": str(finding.column)}
            if finding.line == finding.end_line:
                place["endColumn"] = str(finding.end_column)
        place["title"] = violation.rule
        properties = ",".join(f"{name}={_property(value)}" for name, value in place.items())
        where = f"{finding.part}, line {finding.line}: " if finding.part else ""
        out.lines([(f"::warning {properties}::{_data(where + finding.sentence)}",)])
    out.lines([(notice,) for notice in notices])


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def write_sarif(findings: Iterable[Finding], out: Output) -> None:
    """Write one document in SARIF 2.1.0, with all rules."""
    results: list[dict[str, Any]] = []
    unchecked: dict[tuple[str, str], None] = {}
    for finding in findings:
        if finding.violation.checked:
            results.append(_result(finding))
        else:
            unchecked[finding.violation.rule, finding.violation.explanation] = None
    notifications = [
        {"level": "note", "message": {"text": why}, "associatedRule": {"id": rule, "index": list(rules()).index(rule)}}
        for rule, why in unchecked
    ]
    from importlib.metadata import version  # noqa: PLC0415 - slow, and only needed here

    driver = {
        "name": "optoutkit lint",
        "semanticVersion": version("optoutkit"),
        "informationUri": _GUIDELINES,
        "rules": list(_descriptors()),
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not out.codes - {ExitCode.REFUSED}, "toolExecutionNotifications": notifications}],
        "results": results,
    }
    out.document(json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2))


def _descriptors() -> Iterator[dict[str, Any]]:
    for rule in rules().values():
        yield {
            "id": rule.id,
            "shortDescription": {"text": rule.explanation},
            "help": {"text": f"Breaks it:\n\n{rule.breaks}\n\nDoes not:\n\n{rule.keeps}"},
            "defaultConfiguration": {"level": "warning"},
            "properties": {"since": rule.since.isoformat(), "source": rule.source},
        }


def _result(finding: Finding) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": quote(PurePath(finding.file).as_posix(), safe="/:")}}
    where: dict[str, Any] = {"physicalLocation": location}
    message = finding.sentence
    if finding.part:  # the lines of a decoded part are not those of the file
        where["logicalLocations"] = [{"name": finding.part, "kind": "member"}]
        message = f"{finding.part}, line {finding.line}, column {finding.column}: {message}"
    else:
        location["region"] = {
            "startLine": finding.line,
            "startColumn": finding.column,
            "endLine": finding.end_line,
            "endColumn": finding.end_column,
        }
    rule = finding.violation.rule
    return {"ruleId": rule, "ruleIndex": list(rules()).index(rule), "level": "warning", "message": {"text": message}, "locations": [where]}
