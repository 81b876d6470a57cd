"""Authentication-Results fields (RFC 8601): what a receiving server says it found."""

import re
from collections.abc import Mapping
from types import MappingProxyType

import attrs

__all__ = ["Finding", "ServerResults", "read_results"]

_COMMENT_TOKEN = re.compile(r"[^()\\]+|\\.?|[()]", re.DOTALL)
_OUTSIDE_TOKEN = re.compile(r'[^"();\\]+|"(?:[^"\\]|\\.)*(?:"|\\?\Z)|\\.?|.', re.DOTALL)
_WORD = re.compile(r'(?:"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[^\s"])+', re.DOTALL)
_METHOD = re.compile(r"([a-z][a-z0-9-]*)(?:/[0-9]+)?")
_AUTHSERV_ID = re.compile(r"([^\s=]+)(?: [0-9]+)?")
_LONGEST = 16 * 1024


@attrs.frozen
class Finding:
    """One result, such as ``dkim=pass header.d=amazon.it``.

    Attributes:
        method: Such as ``"dkim"``, lower case.
        result: Such as ``"pass"``, lower case.
        properties: Such as ``{"header.d": "amazon.it"}``, all lower case.
    """

    method: str
    result: str
    properties: Mapping[str, str]

    def domain(self, *properties: str) -> str:
        """The domain in the first of these properties that is there: what stands after the ``@``, if one stands in it."""
        value = next((self.properties[name] for name in properties if name in self.properties), "")
        return value.rpartition("@")[2].rstrip(".")


@attrs.frozen
class ServerResults:
    """All that one field says.

    Attributes:
        authserv_id: Whose field it is, lower case.
        findings: Its results, in order.
    """

    authserv_id: str
    findings: tuple[Finding, ...]

    def of(self, method: str) -> tuple[Finding, ...]:
        """The results of one method."""
        return tuple(finding for finding in self.findings if finding.method == method)


def read_results(text: str) -> ServerResults | None:
    """Read the unfolded value of an Authentication-Results field.

    What cannot be read is left out; a property that a result has twice leaves that result out, since one of them was smuggled in.

    Returns:
        None if it does not even begin with a server's name.
    """
    if len(text) > _LONGEST:
        return None
    first, *others = _sections(text)
    server = _AUTHSERV_ID.fullmatch(_single_blanks(first).replace('"', ""))
    if not server:
        return None
    found = (_finding(section) for section in others)
    return ServerResults(server[1].lower(), tuple(finding for finding in found if finding is not None))


def _sections(text: str) -> list[str]:
    """What stands between semicolons, without comments; neither counts inside of a quoted string."""
    sections: list[list[str]] = [[]]
    position = 0
    while token := _OUTSIDE_TOKEN.match(text, position):
        position = token.end()
        if token[0] == ";":
            sections.append([])
        elif token[0] == "(":
            position = _after_comment(text, position)
            sections[-1].append(" ")
        else:
            sections[-1].append(token[0])
    return ["".join(section) for section in sections]


def _after_comment(text: str, position: int) -> int:
    depth = 1
    while depth and (token := _COMMENT_TOKEN.match(text, position)):
        depth += (token[0] == "(") - (token[0] == ")")
        position = token.end()
    return position


def _finding(section: str) -> Finding | None:
    words = _WORD.findall(_single_blanks(section).replace(" =", "=").replace("= ", "=").replace(" .", ".").replace(". ", ".").lower())
    if not words:
        return None
    (method, _, result), *properties = (word.partition("=") for word in words)
    named = {name: value.replace('"', "") for name, _, value in properties}
    known = _METHOD.fullmatch(method)
    if not known or len(named) != len(properties):
        return None
    return Finding(known[1], result, MappingProxyType(named))


def _single_blanks(text: str) -> str:
    return " ".join(text.split())
